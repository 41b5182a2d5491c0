"""What a release holds: the files of wheel and sdist, the metadata, and that what is imported is declared."""

import ast
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PathDistribution
from importlib.util import find_spec
from pathlib import Path

import pytest

import mibounds

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "mibounds"
# Imported only where the one who asks for them has them.
OPTIONAL = {"dask", "distributed", "lightning", "ray"}
PROJECTS = {"sklearn": "scikit-learn", "markdown_it": "markdown-it-py"}  # the others are called as they are imported
BUILDERS = all(find_spec(name) for name in ("build", "hatchling"))
needs_builders = pytest.mark.skipif(not BUILDERS, reason="needs build and hatchling")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The sdist, and the wheel that is built from it, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def declared(requirements):
    """Names, as the index writes them, of the requirements that no extra asks for."""
    return {
        re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0]).lower() for line in requirements if "extra ==" not in line
    }


def on_disk():
    return {
        str(path.relative_to(SOURCE.parent))
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@needs_builders
def test_the_wheel_is_the_package_and_no_more(packages):
    with zipfile.ZipFile(packages[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert names == on_disk()
        assert {"mibounds/py.typed", "mibounds/report/templates/report.html"} <= names
        said = PathDistribution(zipfile.Path(wheel, f"mibounds-{mibounds.__version__}.dist-info/"))
        assert said.version == mibounds.__version__
        assert said.metadata["Requires-Python"] == ">=3.10"
        assert said.metadata["License-Expression"] == "MIT"
        assert said.metadata["Description-Content-Type"] == "text/markdown"
        assert f"mibounds-{mibounds.__version__}.dist-info/licenses/LICENSE" in wheel.namelist()
        assert [(entry.name, entry.value) for entry in said.entry_points] == [("mibounds", "mibounds.cli.main:run")]
        assert said.metadata.get_all("Provides-Extra") == ["dev"]
        assert {"torch", "scikit-learn", "typer"} <= declared(said.requires)


@needs_builders
def test_the_sdist_builds_and_tests_and_no_more(packages):
    with tarfile.open(packages[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {f"src/{name}" for name in on_disk()} <= names
    assert {
        "tests/conftest.py",
        "tests/test_packaging.py",
        "examples/data/breast_cancer.csv",
        "docs/bounds.md",
    } <= names
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "pyproject.toml"} <= names
    assert {name.split("/")[0] for name in names if "/" in name} == {"src", "tests", "examples", "docs", "tools"}
    assert not [name for name in names if name.endswith((".pyc", ".jsonl"))]
    assert packages[0].stat().st_size < 2.5e6


def imports():
    """Of each file the third-party modules that it imports, and whether merely importing it does."""
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        guarded = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Try)]
        lazy = {id(inner) for node in guarded for inner in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found = [node.module]
            else:
                continue
            for name in {name.split(".")[0] for name in found} - sys.stdlib_module_names - {"mibounds"}:
                yield str(path.relative_to(SOURCE)), name, id(node) not in lazy


def test_what_is_imported_is_declared():
    table = (ROOT / "pyproject.toml").read_text("utf-8")
    requirements = re.findall(r'"(.*?)"', re.search(r"^dependencies = \[(.*?)^\]", table, re.DOTALL | re.MULTILINE)[1])
    seen = set()
    for path, name, at_once in imports():
        if name in OPTIONAL:
            assert not at_once, (
                f"{path} imports {name} at its top: it is optional: import it where it is used, or try to."
            )
        else:
            project = PROJECTS.get(name, name)
            assert project in declared(requirements), f"{path} imports {name}, and {project} is not a dependency."
            seen.add(project)
    assert seen == declared(requirements), "a dependency that nothing imports"
