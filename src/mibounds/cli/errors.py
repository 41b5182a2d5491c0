"""Exit codes and messages of the commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from mibounds.cli.job import INPUT_ERRORS, before_error, job_size
from mibounds.warnings import InterruptedWarning, MIWarning

__all__ = ["one_sentence", "say_if_interrupted"]


@contextmanager
def one_sentence(distributed: bool = False) -> Iterator[None]:
    """Turn errors of the input into one sentence on standard error and exit code 2, without a traceback.

    Arguments:
        distributed: can the command run on several ranks? Otherwise it is refused under torchrun.
    """
    try:
        if not distributed and job_size() > 1:
            raise ValueError("this command runs in one process: start it without torchrun.")
        yield
    except INPUT_ERRORS as error:
        typer.echo(f"{before_error()}Error: {error}", err=True)
        raise typer.Exit(2) from error


def say_if_interrupted(warnings: Iterable[MIWarning]) -> None:
    """Exit with code 130, the code of Ctrl-C, if a result was interrupted."""
    if any(isinstance(warning, InterruptedWarning) for warning in warnings):
        raise typer.Exit(130)
