"""How a command refuses, and how it says that it was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from mibounds._checks import InterruptedWarning, MIWarning

__all__ = ["one_sentence", "say_if_interrupted"]


@contextmanager
def one_sentence() -> Iterator[None]:
    """A wrong input ends with one sentence on standard error and exit code 2, without a traceback."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error


def say_if_interrupted(warnings: Iterable[MIWarning]) -> None:
    """A result that Ctrl-C cut short is printed, and ends with exit code 130, by which shells know Ctrl-C."""
    if any(isinstance(warning, InterruptedWarning) for warning in warnings):
        raise typer.Exit(130)
