"""Messages of the library in the terms of the command line: `--nan drop` in place of `nan="drop"`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer

from mibounds.cli.job import INPUT_ERRORS

__all__ = ["option_names", "options_of", "with_options"]

_VARIABLES = ("x", "y", "z")  # messages about them are about data, not about options
_ALIASES = {"x_type": "categorical", "y_type": "categorical", "z_type": "categorical"}
_PHRASES = {
    "a mi.bounds object or a name": "the name of a bound",
    "see mi.estimate(x, y).entropy_limit": "see `mibounds estimate`",
    "their texts are in result[lag].warnings": "--json and --out write their texts",
}


@contextmanager
def option_names(context: typer.Context) -> Iterator[None]:
    """Raise errors of the input with the names of the command's options in their messages."""
    try:
        yield
    except INPUT_ERRORS as error:
        message = with_options(str(error), options_of(context))
        if message == str(error):
            raise
        raise ValueError(message) from error


def options_of(context: typer.Context) -> dict[str, str]:
    """The options of a command by the names of the arguments that they set."""
    flags = {
        str(one.name): str(one.opts[0])
        for one in context.command.params
        if one.param_type_name == "option" and one.name not in _VARIABLES
    }
    return flags | {name: flags[option] for name, option in _ALIASES.items() if option in flags}


def with_options(text: str, options: Mapping[str, str]) -> str:
    """A message with options in place of arguments.

    Arguments:
        text: the message. Arguments are found by the forms in which messages write them: `nan="drop"`, `resume=True`,
            `checkpoint=`, and the argument as the first word.
        options: by the names of the arguments; other names stay as they are.

    Example:
        >>> with_options('x has gaps: pass nan="drop".', {"nan": "--nan"})
        'x has gaps: pass --nan drop.'
        >>> with_options("batch_size is 1: expected 2.", {"batch_size": "--batch-size"})
        '--batch-size is 1: expected 2.'
    """
    for phrase, plain in _PHRASES.items():
        text = text.replace(phrase, plain)
    whole = r"(?![\w=-]|\.\w)"  # and not the beginning of a name such as that of a file, seed.csv
    for name, flag in options.items():
        start = rf"(?<![\w'\"-]){name}="
        text = re.sub(rf"{start}\"([^\"]*)\"", rf"{flag} \1", text)
        text = re.sub(rf"{start}'([^']*)'", rf"{flag} \1", text)
        text = re.sub(rf"{start}True\b", flag, text)
        text = re.sub(rf"{start}(\d[\d.]*\d|\d)", rf"{flag} \1", text)
        text = re.sub(rf"{start}(?=[\s,.;:)]|$)", flag, text)
        text = re.sub(rf"\A{name}{whole}", flag, text)
        if "_" in name:
            text = re.sub(rf"(?<![\w'\"-]){name}{whole}", flag, text)
    return text
