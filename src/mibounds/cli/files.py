"""Reading variables from files: tables (CSV, Parquet) by column names, arrays (NPY, NPZ) by number or name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mibounds._checks import nearest

__all__ = ["named_columns", "read_columns", "read_variables"]

Parse = Callable[[str, str], list[Any]]
Choose = Callable[[Parse, Sequence[Any]], list[list[Any]]]
"""From what understands an option, and all columns, to the columns of each variable."""

_ENDINGS = (".csv", ".parquet", ".npy", ".npz")


def read_variables(path: Path, x: str | None, y: str, z: str | None = None) -> tuple[Any, ...]:
    """The variables x and y of a file, and z if it is asked for, as `mibounds.estimate` and `conditional` take them.

    Arguments:
        path: a .csv or .parquet table, a .npy matrix or a .npz with named arrays.
        x: column names separated by commas, "*" patterns among them ("mean *"); for .npy numbers and
            ranges ("0:5,7"); for .npz names of arrays. None takes everything but y and z.
        y: likewise.
        z: likewise, and nothing is taken by default.

    Raises:
        ValueError: for a missing file or column (the nearest name is suggested), or a format that is not read.
    """
    return tuple(_read(path, lambda parse, every: _chosen(parse, every, x, y, z)))


def read_columns(path: Path, columns: str | None = None) -> Any:
    """The columns of a file as one table, as `mibounds.matrix` takes it.

    Arguments:
        path: as in `read_variables`.
        columns: which; everything by default.

    Raises:
        ValueError: as `read_variables` does.
    """
    (table,) = _read(path, lambda parse, every: [[*every] if columns is None else parse(columns, "--columns")])
    return table


def _read(path: Path, choose: Choose) -> list[Any]:
    if not path.exists():
        around = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ValueError(f"There is no file {str(path)!r}. {nearest(path.name, around) if around else ''}".rstrip())
    if path.suffix.lower() not in _ENDINGS:
        raise ValueError(f"{path.name} is not read here: expected a file ending in {', '.join(_ENDINGS)}.")
    read = {".csv": _table, ".parquet": _table, ".npy": _matrix, ".npz": _arrays}[path.suffix.lower()]
    try:
        return read(path, choose)
    except (OSError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path.name} cannot be read as {path.suffix[1:].upper()}: {error}") from error


def named_columns(variables: Sequence[Any], wanted: str, option: str) -> list[dict[str, str]]:
    """For each variable, a table, those of its columns that an option names as categorical."""
    titles = [list(getattr(table, "columns", ())) for table in variables]
    chosen = _named([title for columns in titles for title in columns], wanted, option)
    return [{title: "categorical" for title in columns if title in chosen} for columns in titles]


def _table(path: Path, choose: Choose) -> list[Any]:
    import polars as pl

    try:
        table = (
            pl.read_csv(path, infer_schema_length=10_000) if path.suffix.lower() == ".csv" else pl.read_parquet(path)
        )
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{path.name} cannot be read as {path.suffix[1:].upper()}: {error}") from error
    return [table.select(names) for names in choose(partial(_named, table.columns), table.columns)]


def _matrix(path: Path, choose: Choose) -> list[Any]:
    try:
        matrix = np.load(path, allow_pickle=False)
    except ValueError as error:  # NumPy's word for a damaged header, or for pickled objects
        raise ValueError(f"{path.name} cannot be read as NPY: {error}") from error
    matrix = matrix.reshape(len(matrix), -1)
    count = matrix.shape[1]
    return [matrix[:, numbers] for numbers in choose(partial(_numbered, count), range(count))]


def _arrays(path: Path, choose: Choose) -> list[Any]:
    with np.load(path, allow_pickle=False) as arrays:
        variables = choose(partial(_named, arrays.files), arrays.files)
        return [_side_by_side([arrays[name] for name in names]) for names in variables]


def _chosen(parse: Parse, every: Sequence[Any], x: str | None, y: str, z: str | None) -> list[list[Any]]:
    """The columns of x, y and, if it is asked for, z; by default x has all that the others leave."""
    others = [parse(y, "--y"), *([parse(z, "--z")] if z is not None else [])]
    taken = [column for columns in others for column in columns]
    rest = [column for column in every if column not in taken] if x is None else parse(x, "--x")
    return [rest, *others]


def _side_by_side(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def _named(known: Sequence[str], wanted: str, option: str) -> list[str]:
    """The known names that the comma-separated names and patterns of an option mean."""
    chosen: list[str] = []
    for name in (part.strip() for part in wanted.split(",")):
        hits = [name] if name in known else [one for one in known if "*" in name and fnmatchcase(one, name)]
        if not hits:
            raise ValueError(f"{option}: there is no column {name!r}. {nearest(name, known)}")
        chosen += [hit for hit in hits if hit not in chosen]
    return chosen


def _numbered(count: int, wanted: str, option: str) -> list[int]:
    """The column numbers that "0:3,7" means."""
    chosen: list[int] = []
    for part in (part.strip() for part in wanted.split(",")):
        try:
            ends = [int(end) for end in part.split(":")]
            numbers = range(ends[0], ends[1]) if len(ends) == 2 else range(ends[0], ends[0] + 1)
        except (ValueError, IndexError):
            raise ValueError(
                f"{option} is {part!r}: for a .npy file give column numbers or ranges, like 0:5,7."
            ) from None
        if not numbers or min(numbers) < 0 or max(numbers) >= count:
            raise ValueError(f"{option} asks for column {part}, and the file has the columns 0 to {count - 1}.")
        chosen += [number for number in numbers if number not in chosen]
    return chosen
