"""`python -m mibounds` is the `mibounds` command."""

from mibounds.cli import run

if __name__ == "__main__":
    run()
