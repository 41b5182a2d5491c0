"""The command line: `mibounds` and its commands."""

from __future__ import annotations

import sys

from mibounds._extras import MissingExtraError, require

__all__ = ["run"]


def run() -> None:
    """The entry point of the command `mibounds`; without the extra `cli` it says how to install it."""
    try:
        for package in ("typer", "rich"):
            require(package, extra="cli", purpose="The command mibounds")
    except MissingExtraError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(2)
    from mibounds.cli.main import app

    app()
