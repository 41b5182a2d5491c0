"""Variables from files: tables (CSV, Parquet) by column names, arrays (NPY, NPZ) by number or name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mibounds._checks import nearest
from mibounds._extras import require

__all__ = ["named_columns", "read_columns", "read_variables"]

Parse = Callable[[str, str], list[Any]]
"""(text, option) -> the columns that the text of an option selects."""
Choose = Callable[[Parse, Sequence[Any]], list[list[Any]]]
"""(parse, all columns) -> the columns of each variable."""

_ENDINGS = (".csv", ".parquet", ".npy", ".npz")


def read_variables(path: Path, x: str | None, y: str, z: str | None = None) -> tuple[Any, ...]:
    """The variables x and y of a file, and z if there is one, as `mibounds.estimate` and `conditional` take them.

    Arguments:
        path: a .csv or .parquet table, a .npy matrix or a .npz file with named arrays.
        x: column names separated by commas, with "*" as a wildcard ("mean *"); for .npy numbers and ranges
            ("0:5,7"); for .npz names of arrays. None takes all columns but those of y and z.
        y: likewise.
        z: likewise; None for no third variable.

    Raises:
        ValueError: for a missing file or column (the nearest name is suggested), or an unknown format.
        ImportError: if polars, which reads tables, is not installed.
    """
    return tuple(_read(path, lambda parse, columns: _select(parse, columns, x, y, z)))


def read_columns(path: Path, columns: str | None = None) -> Any:
    """The columns of a file as one table, as `mibounds.matrix` takes it.

    Arguments:
        path: as in `read_variables`.
        columns: the columns, as x in `read_variables`; None takes all.

    Raises:
        ValueError, ImportError: as `read_variables` does.
    """
    (table,) = _read(path, lambda parse, known: [[*known] if columns is None else parse(columns, "--columns")])
    return table


def _read(path: Path, choose: Choose) -> list[Any]:
    if not path.exists():
        around = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ValueError(f"There is no file {str(path)!r}. {nearest(path.name, around) if around else ''}".rstrip())
    if path.suffix.lower() not in _ENDINGS:
        raise ValueError(f"{path.name} has an unknown format: expected a file ending in {', '.join(_ENDINGS)}.")
    read = {".csv": _table, ".parquet": _table, ".npy": _matrix, ".npz": _arrays}[path.suffix.lower()]
    try:
        return read(path, choose)
    except (OSError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path.name} cannot be read as {path.suffix[1:].upper()}: {error}") from error


def named_columns(variables: Sequence[Any], wanted: str, option: str) -> list[dict[str, str]]:
    """The categorical columns of each variable, which is a table, among those that an option names."""
    names = [list(getattr(table, "columns", ())) for table in variables]
    chosen = _by_name([name for columns in names for name in columns], wanted, option)
    return [{name: "categorical" for name in columns if name in chosen} for columns in names]


def _table(path: Path, choose: Choose) -> list[Any]:
    require("polars", extra="cli", purpose=f"Reading {path.suffix.lower()} files")
    import polars as pl

    is_csv = path.suffix.lower() == ".csv"
    try:
        table = pl.read_csv(path, infer_schema_length=10_000) if is_csv else pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{path.name} cannot be read as {path.suffix[1:].upper()}: {error}") from error
    return [table.select(names) for names in choose(partial(_by_name, table.columns), table.columns)]


def _matrix(path: Path, choose: Choose) -> list[Any]:
    try:
        matrix = np.load(path, allow_pickle=False)
    except ValueError as error:  # from NumPy, for a damaged header or pickled objects
        raise ValueError(f"{path.name} cannot be read as NPY: {error}") from error
    matrix = matrix.reshape(len(matrix), -1)
    count = matrix.shape[1]
    return [matrix[:, numbers] for numbers in choose(partial(_by_number, count), range(count))]


def _arrays(path: Path, choose: Choose) -> list[Any]:
    with np.load(path, allow_pickle=False) as arrays:
        variables = choose(partial(_by_name, arrays.files), arrays.files)
        return [_concatenated([arrays[name] for name in names]) for names in variables]


def _select(parse: Parse, columns: Sequence[Any], x: str | None, y: str, z: str | None) -> list[list[Any]]:
    """The columns of x, y and, if there is one, z; without x all columns that are in neither y nor z."""
    others = [parse(y, "--y"), *([parse(z, "--z")] if z is not None else [])]
    used = [column for variable in others for column in variable]
    of_x = [column for column in columns if column not in used] if x is None else parse(x, "--x")
    return [of_x, *others]


def _concatenated(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Arrays as the columns of one matrix; a single array keeps its shape."""
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def _by_name(known: Sequence[str], wanted: str, option: str) -> list[str]:
    """The known names that match the comma-separated names and patterns of an option."""
    chosen: list[str] = []
    for name in (part.strip() for part in wanted.split(",")):
        hits = [name] if name in known else [one for one in known if "*" in name and fnmatchcase(one, name)]
        if not hits:
            raise ValueError(f"{option}: there is no column {name!r}. {nearest(name, known)}")
        chosen += [hit for hit in hits if hit not in chosen]
    return chosen


def _by_number(count: int, wanted: str, option: str) -> list[int]:
    """The column numbers of an option like "0:3,7"."""
    chosen: list[int] = []
    for part in (part.strip() for part in wanted.split(",")):
        try:
            ends = [int(end) for end in part.split(":")]
            numbers = range(ends[0], ends[1]) if len(ends) == 2 else range(ends[0], ends[0] + 1)
        except (ValueError, IndexError):
            raise ValueError(
                f"{option} is {part!r}: expected column numbers or ranges for a .npy file, like 0:5,7."
            ) from None
        if not numbers or min(numbers) < 0 or max(numbers) >= count:
            raise ValueError(f"{option} is {part!r}, and the file has the columns 0 to {count - 1}.")
        chosen += [number for number in numbers if number not in chosen]
    return chosen
