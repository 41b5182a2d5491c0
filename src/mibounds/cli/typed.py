"""Reconstruct the command line."""

from __future__ import annotations

import shlex
from typing import Any

__all__ = ["typed"]


def typed(context: Any) -> str:
    """The command line of a typer context: the program, the command, and all arguments that are not defaults."""
    words = context.command_path.split()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[parameter.name]
        if parameter.param_type_name == "argument":
            words.append(str(value))
        else:
            words += [parameter.opts[0]] if value is True else [parameter.opts[0], str(value)]
    return shlex.join(words)
