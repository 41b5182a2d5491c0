"""How a command refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

__all__ = ["one_sentence"]


@contextmanager
def one_sentence() -> Iterator[None]:
    """A wrong input ends with one sentence on standard error and exit code 2, without a traceback."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
