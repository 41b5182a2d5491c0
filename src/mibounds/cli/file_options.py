"""Options for how a file is read: separator, decimal mark, encoding and words for missing values."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypedDict, TypeVar, cast

import typer

__all__ = ["Reading", "Source", "TableFile", "file_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


class Reading(TypedDict, total=False):
    """How a file is read, as keyword arguments of `mibounds.data.readers.read_table`."""

    sep: str | None
    decimal: str | None
    encoding: str | None
    null: str | Sequence[str] | None


@dataclass(frozen=True)
class Source:
    """A file, and how it is read; None in a field lets the file decide."""

    path: str
    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    null: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.path

    @property
    def reading(self) -> Reading:
        """The keyword arguments of `mibounds.data.readers.read_table`."""
        return {"sep": self.sep, "decimal": self.decimal, "encoding": self.encoding, "null": list(self.null) or None}


TableFile = Annotated[
    Source,
    typer.Argument(
        parser=Source,
        metavar="FILE",
        help="A table (CSV, TSV, JSON, Parquet, Arrow, Excel), a .npy matrix or a .npz file; - reads CSV from stdin.",
    ),
]
_PANEL = "Reading"  # of the help
_OPTIONS = {
    "sep": (str | None, "Separator of text: a character, tab or space; by default that of the file.", None),
    "decimal": (str | None, "Decimal mark of text, . or ,; by default that of the file.", None),
    "encoding": (str | None, "Encoding of text; by default UTF-8, UTF-16 with its mark, or else Windows-1252.", None),
    "null": (
        list[str] | None,
        "A word that stands for a missing value, beside NA and the like; may be repeated.",
        None,
    ),
}


def file_options(command: Command) -> Command:
    """Give a command with an argument `file` the options for how it is read; it receives a `Source`."""
    signature = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[kind, typer.Option(f"--{name}", help=text, rich_help_panel=_PANEL)],
        )
        for name, (kind, text, default) in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def run(**values: Any) -> Any:
        given = {name: values.pop(name) for name in _OPTIONS}
        source = replace(values.pop("file"), **{**given, "null": tuple(given["null"] or ())})
        return command(file=source, **values)

    own = [replaced.replace(kind=inspect.Parameter.KEYWORD_ONLY) for replaced in signature.parameters.values()]
    run.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    return cast(Command, run)
