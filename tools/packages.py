"""Build the packages, install the wheel with all extras in a clean environment for every Python found, and test it.

Python 3.10 gets the oldest versions that pyproject.toml allows, the others the newest. Each environment runs
`mibounds demo gaussians --quick` and a fast part of the tests of the sdist, and is then deleted: it takes up to 6 GB
where the index offers PyTorch with CUDA only. pip reads its settings as usual, such as PIP_EXTRA_INDEX_URL.

    python tools/packages.py                 # every Python from 3.10 to 3.13 on the path or of pyenv
    python tools/packages.py 3.10 3.13       # these
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
TOOLS = ("pytest", "hypothesis", "pandas", "pyarrow")
FAST = ("bounds", "classical", "cli", "critics", "data", "integrations/test_sklearn.py", "report", "tasks")
# Old releases get newer versions of their own dependencies, which warn of deprecated names.
OLD_WARNS = ("-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning")


def interpreter(version: str) -> str | None:
    """The path of a Python, or None where there is none."""
    of_pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return str(of_pyenv[-1]) if of_pyenv else shutil.which(f"python{version}")


def run(log: Path, *command: str | Path, cwd: Path) -> str:
    """Run a command into a log; 'passed' with its seconds, or 'FAILED'."""
    began = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with log.open("a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(map(str, command))}\n")
        out.flush()
        code = subprocess.run(command, cwd=cwd, env=environment, stdout=out, stderr=out, check=False).returncode
    return f"passed {time.monotonic() - began:4.0f} s" if code == 0 else "FAILED"


def oldest(wheel: Path) -> list[str]:
    """The dependencies of a wheel and of all its extras at their lower bounds."""
    with zipfile.ZipFile(wheel) as file:
        metadata = PathDistribution(zipfile.Path(file, "-".join(wheel.name.split("-")[:2]) + ".dist-info/"))
        lines = [line.partition(";") for line in metadata.requires or ()]
    return [name.strip().replace(">=", "==") for name, _, marker in lines if not marker or "extra == 'all'" in marker]


def attempt(version: str, python: str, wheel: Path, tests: Path, folder: Path, old: bool) -> list[str]:
    """The results of installation, demonstration and tests; steps after a failure are left out."""
    log, bin_ = folder / f"{version}.log", folder / version / "bin"
    pins, quiet = (oldest(wheel), OLD_WARNS) if old else ((), ())
    tested = [f"tests/{name}" for name in FAST]
    steps: list[list[tuple[str | Path, ...]]] = [
        [
            (python, "-m", "venv", folder / version),
            (bin_ / "pip", "install", "--quiet", f"{wheel}[all]", *pins, *TOOLS),
        ],
        [(bin_ / "mibounds", "demo", "gaussians", "--quick", "--out", folder / f"{version}.png")],
        [(bin_ / "pytest", "-q", "-m", "not slow", *quiet, *tested)],
    ]
    row = [version, "oldest" if old else "newest"]
    for commands in steps:
        results = [run(log, *command, cwd=tests) for command in commands]
        row.append("FAILED" if "FAILED" in results else results[-1])
        if row[-1] == "FAILED":
            print(f"Python {version}: see {log}\n" + "\n".join(log.read_text("utf-8").splitlines()[-15:]))
            break
    torch = list(bin_.parent.glob("lib/*/site-packages/torch-*.dist-info"))
    row.insert(2, re.sub(r"-(.*)\.dist-info", r" \1", torch[0].name) if torch else "")
    shutil.rmtree(folder / version, ignore_errors=True)
    return row


def main() -> int:
    """Build, test with every Python, print a table; 1 if something failed."""
    found = {version: path for version in sys.argv[1:] or PYTHONS if (path := interpreter(version))}
    folder = Path(tempfile.mkdtemp(prefix="mibounds-packages-"))
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, stdout=subprocess.DEVNULL)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        file.extractall(folder, filter="data")
    tests = folder / sdist.name.removesuffix(".tar.gz")
    rows = [attempt(v, path, wheel, tests, folder, v == PYTHONS[0]) for v, path in found.items()]
    for row in [["Python", "versions", "torch", "install", "demo", "tests"], *rows]:
        print("  ".join(f"{cell:14}" for cell in row).rstrip())
    print(f"Packages and logs: {folder}")
    return 1 if not rows or any("FAILED" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
