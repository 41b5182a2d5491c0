"""Reconstruct the command line."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

__all__ = ["typed"]


def typed(context: Any) -> str:
    """The command line of a typer context: the program, the command, and all arguments that are not defaults.

    Of absolute paths only the last part is written: a report is for others, too.
    """
    words = context.command_path.split()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[parameter.name]
        for one in value if isinstance(value, list | tuple) else [value]:
            flag = [] if parameter.param_type_name == "argument" else [parameter.opts[0]]
            words += flag if one is True else [*flag, _shown(one)]
    return shlex.join(words)


def _shown(value: Any) -> str:
    """A value as text; of an absolute path its last part."""
    text = str(value)
    path = value if isinstance(value, Path) else Path(text) if hasattr(value, "reading") else None
    return path.name if path is not None and path.is_absolute() else text
