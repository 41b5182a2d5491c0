"""One virtual environment for each peer, because their pins fight with ours and with each other.

python benchmarks/peers/environments.py                      # benchmarks/peers/.environments/, some 2 GB
python benchmarks/peers/environments.py --environments DIR   # elsewhere; folders that are there are left alone
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
OURS = "ours"
PINS: dict[str, list[str]] = {
    # torch-mist imports pandas and does not ask for it.
    "torch-mist": ["torch==2.13.0", "torch-mist==0.2.17", "pandas"],
    # benchmark-mi has no upper limits, and newer versions of these four break it.
    "benchmark-mi": ["benchmark-mi==0.1.3", "jax==0.4.30", "jaxlib==0.4.30", "scipy<1.13", "ml_dtypes<0.5"],
}
"""Environments by name, and what is installed into each."""

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def default_folder() -> Path:
    """Where environments are looked for without `--environments`: $PEERS_ENVIRONMENTS, or beside this file."""
    return Path(os.environ.get("PEERS_ENVIRONMENTS", HERE / ".environments"))


def python_of(environment: str, folder: Path) -> Path:
    """The interpreter of an environment; of `OURS`, the one that runs this."""
    if environment == OURS:
        return Path(sys.executable)
    python = folder.absolute() / environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        raise SystemExit(f"{python} is missing: run python benchmarks/peers/environments.py first.")
    return python


def variables_of(environment: str) -> dict[str, str]:
    """This process's variables, changed so that a child computes on the CPU with one thread, and a peer sees no more
    packages than its own.
    """
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    chosen = dict.fromkeys(THREADS, "1") | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    kept = {name: value for name, value in os.environ.items() if environment == OURS or name != "PYTHONPATH"}
    return {**kept, **chosen}


def main() -> None:
    """Make the environments that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=default_folder(), help="where they are, or will be")
    folder: Path = parser.parse_args().environments
    for name, packages in PINS.items():
        if (folder / name).exists():
            print(f"{folder / name} is there already")
            continue
        print(f"{folder / name}: {', '.join(packages)}")
        venv.create(folder / name, with_pip=True)
        subprocess.run([python_of(name, folder), "-m", "pip", "install", "--quiet", *packages], check=True)


if __name__ == "__main__":
    main()
