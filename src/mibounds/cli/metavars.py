"""What the help shows for the value of an option: NAMES, FILE, N; nothing for a flag."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

__all__ = ["Command", "Group", "metavar"]

_OF_NAMES = {
    **dict.fromkeys(("x", "y", "z", "columns", "categorical"), "NAMES"),
    **dict.fromkeys(("hidden", "lags", "rows", "sizes"), "NUMBERS"),
    **dict.fromkeys(("sep", "decimal"), "CHARACTER"),
    "null": "WORD",
    "checkpoint": "FOLDER",
}
_OF_TYPES = {  # as versions of typer name them
    **dict.fromkeys(("str", "text"), "NAME"),
    **dict.fromkeys(("int", "integer"), "N"),
    **dict.fromkeys(("bool", "boolean"), ""),
    "float": "NUMBER",
    "path": "FILE",
}


def metavar(option: Any, context: Any) -> str | None:
    """The word for the value of an option: by its name, or else its choices, or by its type.

    Arguments:
        option: of typer.
        context: of the command.
    """
    if option.name in _OF_NAMES:
        return _OF_NAMES[option.name]
    if hasattr(option, "display_type"):
        kind = str(option.display_type(context)).strip("<>")  # like <list[str]>
    else:  # typer before 0.25
        kind = str(option.type.name)
        if kind == "choice":
            return None  # typer's own word: the choices
    kind = kind.removeprefix("list[").removesuffix("]")
    return _OF_TYPES.get(kind, kind)


class _Params:
    """Gives the parameters of a command their metavars; those of typer are types of Python, like <list[str]>."""

    def get_params(self, context: Any) -> list[Any]:
        """All parameters, with their words for the help."""
        found: list[Any] = super().get_params(context)  # type: ignore[misc]
        for one in found:
            argument = one.param_type_name == "argument"  # its name says what it is
            word = None if argument else metavar(one, context)
            if hasattr(one, "display_type_rich"):
                one.display_type_rich = lambda ctx, word=word: word
            elif word is not None and one.metavar is None:
                one.metavar = word
        return found


class Command(_Params, TyperCommand):
    """A command whose help shows these words."""


class Group(_Params, TyperGroup):
    """A group of commands whose help shows these words."""
