"""The frame of a command that estimates: errors, ranks, warnings, and the recipe."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

from mibounds.cli.errors import one_sentence
from mibounds.cli.job import job
from mibounds.cli.option_names import option_names
from mibounds.cli.outputs import Outputs, input_files
from mibounds.cli.settings import recipe_from
from mibounds.training.recipe import Recipe
from mibounds.warnings import MIWarning

__all__ = ["session"]


def _echo(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Show a warning about the reading of a file as one sentence."""
    if not issubclass(category, MIWarning):  # those are printed with the result
        typer.echo(f"Warning: {message}", err=True)


@contextmanager
def session(
    context: typer.Context,
    settings: Mapping[str, Any],
    outputs: Outputs,
    *,
    quiet: bool,
    distributed: bool = False,
) -> Iterator[Callable[[], Recipe]]:
    """The body of a command: wrong input ends it with one sentence, which names options, and exit code 2.

    Outputs are checked first. No warning is issued: the result contains them and is printed with them.

    Arguments:
        context: of the command.
        settings: as `recipe_options` passes them.
        outputs: what the command prints and writes.
        quiet: show no progress bar.
        distributed: whether the command runs on several ranks.

    Yields:
        A function that returns the recipe, on the device of this rank. It imports torch, so a command reads its file
        first: a file that is not there is refused at once.
    """
    with (
        one_sentence(distributed=distributed),
        job(settings.get("device", "cpu")) as device,
        option_names(context),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        from mibounds.data.text_columns import ReadingWarning

        warnings.simplefilter("always", ReadingWarning)
        warnings.showwarning = _echo
        outputs.check(input_files(context))
        yield functools.partial(recipe_from, settings, device=device, progress=False if quiet else "auto")
