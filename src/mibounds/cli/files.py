"""Variables from files: columns of tables by name, columns of a matrix by number, named arrays."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import Unpack

from mibounds._checks import nearest
from mibounds.cli.file_options import Reading
from mibounds.cli.number_lists import parse_numbers
from mibounds.data.readers import OpenTable, open_table
from mibounds.data.unclear_text import UnclearTextError

__all__ = ["OpenVariables", "named_columns", "open_variables", "read_columns", "read_variables"]


@dataclass(frozen=True)
class OpenVariables:
    """The variables of a file whose columns are known and not yet converted.

    Attributes:
        table: the file.
        columns: of each variable, by the name of the variable.
    """

    table: OpenTable
    columns: dict[str, list[Any]]

    def read(self, name: str, columns: Sequence[Any] | None = None, text: Collection[Any] = ()) -> Any:
        """A variable.

        Arguments:
            name: of the variable.
            columns: those of the variable to read; None reads all.
            text: columns that may be text of which the most values are numbers or dates.
        """
        return _read(self.table, self.columns[name] if columns is None else columns, text)


def read_variables(
    path: str | Path,
    x: str | None,
    y: str,
    z: str | None = None,
    *,
    categorical: str | None = None,
    shared: bool = False,
    **reading: Unpack[Reading],
) -> tuple[Any, ...]:
    """The variables x and y of a file, and z if there is one, as `mibounds.estimate` and `conditional` take them.

    Arguments:
        path: a file that `mibounds.data.readers.read_table` reads; "-" is CSV from standard input.
        x: names of columns or arrays, separated by commas, with "*" as a wildcard ("mean *"); for .npy numbers and
            ranges ("0:5,7"), or "*". A wildcard leaves out the columns of the other variables. None takes all columns
            but those of y and z.
        y: likewise.
        z: likewise; None for no third variable.
        categorical: columns as in x that may be text of which the most values are numbers or dates; arrays have types
            of their own.
        shared: may x and y have columns in common, as two series with a lag between them do?
        reading: `sep`, `decimal`, `encoding` and `null`, as in `mibounds.data.readers.read_table`.

    Raises:
        ValueError: for a file that cannot be read, an unknown column (the nearest name is suggested), a column of two
            variables, or a variable without columns.
        ImportError: if polars, which reads tables, is not installed.
    """
    opened = open_variables(path, x, y, z, shared=shared, **reading)
    text: list[Any] = []
    if categorical is not None and not opened.table.arrays:  # arrays have types of their own
        text = _selected(opened.table.columns, categorical, "--categorical")[0]
    return tuple(opened.read(name, text=text) for name in opened.columns)


def open_variables(
    path: str | Path,
    x: str | None,
    y: str,
    z: str | None = None,
    *,
    shared: bool = False,
    **reading: Unpack[Reading],
) -> OpenVariables:
    """The variables of a file before their columns are converted, for what depends on a fit.

    Arguments, errors: as `read_variables`.
    """
    table = open_table(path, **reading)
    wanted = {"x": x, "y": y, "z": z}
    if z is None:
        del wanted["z"]
    return OpenVariables(table, _select(table.columns, wanted, shared=shared))


def read_columns(path: str | Path, columns: str | None = None, **reading: Unpack[Reading]) -> Any:
    """The columns of a file as one table, as `mibounds.matrix` takes it; those of arrays by the names of the arrays.

    Arguments:
        path: as in `read_variables`.
        columns: the columns, as x in `read_variables`; None takes all, those that cannot be converted as they are.
        reading: as in `read_variables`.

    Raises:
        ValueError, ImportError: as `read_variables` does.
    """
    table = open_table(path, **reading)
    if columns is None and table.as_is is not None:
        return _all_columns(table, table.as_is)
    try:
        return _read(table, table.columns if columns is None else _selected(table.columns, columns, "--columns")[0], [])
    except UnclearTextError as error:
        raise ValueError(error.undeclared) from error


def _all_columns(table: OpenTable, as_is: Callable[[Any], Any]) -> Any:
    """The columns of a table, converted one by one."""
    import polars as pl

    found = {}
    for name in table.columns:
        try:
            found[name] = table.read([name]).to_series()
        except ValueError:
            found[name] = as_is(name)
    return pl.DataFrame(found)


def named_columns(variables: Sequence[Any], wanted: str, option: str) -> list[dict[str, str]]:
    """The categorical columns of each variable, which is a table, among those that an option names; the name of an
    array names all of its columns."""
    names = [list(table if isinstance(table, dict) else getattr(table, "columns", ())) for table in variables]
    known = [name for columns in names for name in columns]
    of_arrays = [name for table in variables if isinstance(table, dict) for name in table]
    parts = [_expanded(part, of_arrays) for part in wanted.split(",")] if of_arrays else [wanted]
    chosen, _ = _by_name(known, ",".join(parts), option)
    return [{name: "categorical" for name in columns if name in chosen} for columns in names]


def _expanded(part: str, names: Sequence[str]) -> str:
    """The names of an array's columns, name[0], name[1], ..., in place of its own, and numbers in place of a range."""
    ends = re.fullmatch(r"\s*(\d+):(\d+)\s*", part)
    if ends is not None:
        return ",".join(name for name in names if name in map(str, range(int(ends[1]), int(ends[2])))) or part
    own = [name for name in names if re.fullmatch(re.escape(part.strip()) + r"\[\d+\]", name)]
    return part if part.strip() in names or not own else ",".join(own)


def _read(table: OpenTable, columns: Sequence[Any], text: Collection[Any]) -> Any:
    """A variable of these columns; arrays are columns by name, each of its own type, and a single array of more than
    two axes, such as images, keeps its shape."""
    found = table.read(columns, text=text)
    if not table.arrays:
        return found
    if not isinstance(found, dict):  # a matrix, whose columns are called by their numbers
        return {str(number): found[:, i] for i, number in enumerate(columns)}
    arrays = list(found.values())
    if len(arrays) == 1 and arrays[0].ndim > 2:
        return arrays[0]
    if len({len(array) for array in arrays}) > 1:
        rows = ", ".join(f"{name!r} has {len(array)}" for name, array in found.items())
        raise ValueError(f"the arrays of one variable have different numbers of rows: {rows}.")
    return _side_by_side(found)


def _side_by_side(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of arrays by the names of the arrays; those of an array of several are called name[0], name[1]."""
    made: dict[str, Any] = {}
    for name, array in arrays.items():
        flat = array.reshape(len(array), -1)
        for i in range(flat.shape[1]):
            title = name if flat.shape[1] == 1 else f"{name}[{i}]"
            number, unique = 1, title
            while unique in made or (unique != name and unique in arrays):  # an array may be called like a column
                number += 1
                unique = f"{title} ({number})"
            made[unique] = flat[:, i]
    return made


def _select(known: Sequence[Any], wanted: dict[str, str | None], *, shared: bool) -> dict[str, list[Any]]:
    """The columns of each variable.

    Arguments:
        known: all columns.
        wanted: for each variable its option; None takes what the others leave.
        shared: may two variables name the same column?

    Raises:
        ValueError: if two variables name the same column, or one has no column left.
    """
    found = {
        variable: (list(known), set[Any]()) if option is None else _selected(known, option, f"--{variable}")
        for variable, option in wanted.items()
    }
    chosen: dict[str, list[Any]] = {}
    for variable in reversed(found):  # z, y, x: a wildcard leaves out the columns of the variables before it
        columns, explicit = found[variable]
        taken = {column for one in chosen.values() for column in one}
        for other in found.keys() - {variable}:
            both = [column for column in columns if column in explicit & found[other][1]]
            if both and not shared:
                first, second = sorted((variable, other))
                raise ValueError(
                    f"{first} and {second} both have the column {both[0]!r}: take it out of --{first} or --{second}."
                )
            taken |= found[other][1]
        chosen[variable] = [column for column in columns if column in explicit or column not in taken]
        if not chosen[variable]:
            others = " and ".join(f"--{other}" for other in found if other != variable)
            if wanted[variable] is None or len(columns) == len(known):
                raise ValueError(f"no column is left for {variable}: {others} took all of them.")
            raise ValueError(
                f"no column is left for {variable}: those of --{variable} {wanted[variable]!r} are in {others} already."
            )
    return {variable: chosen[variable] for variable in found}


def _selected(known: Sequence[Any], wanted: str, option: str) -> tuple[list[Any], set[Any]]:
    """The columns of an option, and those among them that it names without a wildcard."""
    return _by_number(len(known), wanted, option) if isinstance(known, range) else _by_name(known, wanted, option)


def _by_name(known: Sequence[str], wanted: str, option: str) -> tuple[list[str], set[str]]:
    """The known names that match the comma-separated names and patterns of an option.

    A text that is a name is taken whole, so names may have commas; blanks around names do not matter unless two names
    differ only in them.
    """
    chosen: dict[str, None] = {}
    explicit: set[str] = set()
    parts = wanted.split(",")
    while parts:
        for length in range(len(parts), 0, -1):
            text = ",".join(parts[:length])
            hits = _named(known, text)
            if hits:
                explicit.update(hits)
                break
        else:
            text, length = parts[0].strip(), 1
            pattern = re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
            hits = [one for one in known if "*" in text and pattern.fullmatch(one)]
        if not hits:
            raise ValueError(f"{option}: there is no column {text!r}. {nearest(text, known)}")
        chosen |= dict.fromkeys(hits)
        parts = parts[length:]
    return list(chosen), explicit


def _named(known: Iterable[str], text: str) -> list[str]:
    """The column of this name, in a list; empty if there is none, or several that differ in blanks."""
    alike = [one for one in known if _composed(one) == _composed(text)]
    for name in (text, text.strip()):
        if name in alike:
            return [name]
    return list(dict.fromkeys(alike)) if len(set(alike)) == 1 else []


def _composed(name: str) -> str:
    """A name without the blanks around it, its accents and letters joined: either form looks the same."""
    return unicodedata.normalize("NFC", name.strip())


def _by_number(count: int, wanted: str, option: str) -> tuple[list[int], set[int]]:
    """The column numbers of an option like "0:3,7", and those that are not of a wildcard."""
    if wanted.strip() == "*":
        return list(range(count)), set()
    chosen = list(dict.fromkeys(parse_numbers(wanted, option, "0:5,7", of="columns of a .npy file")))
    if min(chosen) < 0 or max(chosen) >= count:
        raise ValueError(f"{option} is {wanted!r}, and the file has the columns 0 to {count - 1}.")
    return chosen, set(chosen)
