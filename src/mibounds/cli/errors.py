"""How a command refuses, and how it says that it was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from mibounds.cli.job import SPOKEN, before_error, job_size
from mibounds.warnings import InterruptedWarning, MIWarning

__all__ = ["one_sentence", "say_if_interrupted"]


@contextmanager
def one_sentence(shared: bool = False) -> Iterator[None]:
    """A wrong input ends with one sentence on standard error and exit code 2, without a traceback.

    Arguments:
        shared: can the ranks of a job share the work? Under torchrun another command is refused.
    """
    try:
        if not shared and job_size() > 1:
            raise ValueError("only `estimate` and `lagged` share their work among ranks: start this without torchrun.")
        yield
    except SPOKEN as error:
        typer.echo(f"{before_error()}Error: {error}", err=True)
        raise typer.Exit(2) from error


def say_if_interrupted(warnings: Iterable[MIWarning]) -> None:
    """A result that Ctrl-C cut short is printed, and ends with exit code 130, by which shells know Ctrl-C."""
    if any(isinstance(warning, InterruptedWarning) for warning in warnings):
        raise typer.Exit(130)
