"""Intake: anything with rows and numeric columns becomes a float32 tensor (N, D) with column names.

NumPy arrays, torch tensors, lists, and any dataframe that narwhals knows (pandas, polars, pyarrow and others). What
cannot be taken is refused here, with one sentence that says what came, what was expected and what to do. Other kinds of
data (categories, images, sequences) get their place in `intake` beside `_numbers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import ConstantColumnWarning, MIWarning, RowsDroppedWarning, check_paired, nearest

__all__ = [
    "Columns",
    "MissingPolicy",
    "Schema",
    "complete_rows",
    "intake",
    "intake_again",
    "intake_images",
    "intake_pair",
    "intake_rows",
]

MissingPolicy = Literal["raise", "drop"]
MINIMUM_ROWS = 50
_SHOWN = 5


@dataclass(frozen=True)
class Schema:
    """How the columns of a variable were taken, so that new rows can be taken alike.

    Attributes:
        names: of the columns that were used.
        places: of these among all that came.
        offsets: what is subtracted from each of these.
        width: how many columns came.
        named: True if they came as a table, which is taken by the names of its columns.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    offsets: tuple[float, ...]
    width: int
    named: bool


@dataclass(frozen=True)
class Columns:
    """Numeric columns: `values` (N, D) float32 and their `names`; how they were taken; how many rows were `given`, and
    the numbers of those that were `kept` (N,)."""

    values: Tensor
    names: tuple[str, ...]
    schema: Schema
    given: int
    kept: Tensor


def intake(data: Any, name: str) -> Columns:
    """One variable as numeric columns. Non-finite values are let through; `intake_pair` deals with them.

    Raises:
        TypeError: if the data are text, complex or objects.
        ValueError: if the data are empty or have three or more dimensions.
    """
    numbers, names = _rectangle(data, name)
    named = names is not None
    if names is None:
        names = tuple(name if numbers.shape[1] == 1 else f"{name}[{i}]" for i in range(numbers.shape[1]))
    offsets = _offsets(numbers)
    schema = Schema(names, tuple(range(len(names))), tuple(offsets.tolist()), len(names), named)
    return _columns(numbers, schema)


def intake_again(data: Any, name: str, schema: Schema) -> Columns:
    """New rows of a variable that was taken before: a table by the names of its columns, whatever else it holds,
    anything else by their number. Non-finite values are let through.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    numbers, names = _rectangle(data, name, schema.names if schema.named else None)
    if names is None or not schema.named:
        if numbers.shape[1] != schema.width:
            raise ValueError(
                f"{name} has {_count(numbers.shape[1])}, and the critics were trained on {_count(schema.width)}: "
                "give the same, in the same order."
            )
        numbers = numbers[:, list(schema.places)]
    return _columns(numbers, schema)


def _columns(numbers: np.ndarray[Any, Any], schema: Schema) -> Columns:
    return Columns(_single(numbers, schema), schema.names, schema, len(numbers), torch.arange(len(numbers)))


def _rectangle(
    data: Any, name: str, wanted: tuple[str, ...] | None = None
) -> tuple[np.ndarray[Any, Any], tuple[str, ...] | None]:
    """The numbers of a variable, (N, D), and the names of its columns if it has any: the wanted ones, or all."""
    if isinstance(data, Tensor):
        numbers, names = data.detach().cpu().numpy(), None
    else:
        numbers, names = _numbers(data, name, wanted)
    if np.iscomplexobj(numbers):
        raise TypeError(
            f"{name} is complex: give real numbers, for example its real and imaginary parts as two columns."
        )
    if numbers.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} holds {_kind(numbers)} where numbers are due: "
            "encode it as numbers first, or choose numeric columns."
        )
    if numbers.ndim > 2:
        raise ValueError(
            f"{name} has shape {numbers.shape}: expected (rows,) or (rows, columns). "
            "Flatten it, x.reshape(len(x), -1), or compose an MIEstimator whose critic has an encoder for it."
        )
    if numbers.ndim == 0 or not numbers.size:
        raise ValueError(f"{name} is empty (shape {numbers.shape}): expected at least {MINIMUM_ROWS} rows.")
    return numbers.reshape(len(numbers), -1), names


def intake_images(data: Any, name: str, least: int) -> Tensor:
    """Images as a float32 tensor (N, ..., H, W).

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are not (N, H, W) or (N, C, H, W), fewer than `least`, or not finite.
    """
    shape = np.shape(data)
    if len(shape) not in (3, 4):
        raise ValueError(f"{name} has shape {tuple(shape)}: expected (images, height, width) or one with channels.")
    if shape[0] < least:
        raise ValueError(f"{name} holds {shape[0]} images: expected at least {least}.")
    images = intake(torch.as_tensor(data).flatten(1), name).values.reshape(shape)
    if not images.isfinite().all():
        raise ValueError(f"{name} has missing or infinite pixels: fill them in, or leave those images out.")
    return images


def intake_pair(
    x: Any, y: Any, nan: MissingPolicy = "raise", drop_constant: bool = True
) -> tuple[Columns, Columns, list[MIWarning]]:
    """Two variables, row by row: `intake_rows` of x and y.

    Returns:
        The columns of x and of y, and the warnings to raise.
    """
    (first, second), caught = intake_rows({"x": x, "y": y}, nan, drop_constant)
    return first, second, caught


def intake_rows(
    variables: Mapping[str, Any], nan: MissingPolicy = "raise", drop_constant: bool = True
) -> tuple[list[Columns], list[MIWarning]]:
    """Several variables, row by row: rows agree in number, values are finite, columns vary.

    Returns:
        The columns of each, and the warnings to raise.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    caught: list[MIWarning] = []
    sides = [intake(data, name) for name, data in variables.items()]
    finite = complete_rows(dict(zip(variables, sides, strict=True)), nan)
    if not finite.all():
        dropped, first = int((~finite).sum()), len(finite)
        caught.append(RowsDroppedWarning(f"{dropped} of {first} rows were dropped for missing or infinite values."))
        kept = finite.nonzero().flatten()
        sides = [replace(side, values=side.values[kept], kept=kept) for side in sides]
    left = len(sides[0].values)
    if left < MINIMUM_ROWS:
        raise ValueError(
            f"{left} complete rows are too few: expected at least {MINIMUM_ROWS}, "
            "and some thousands for a number worth having."
        )
    if drop_constant:
        sides = [_varying(side, name, caught) for side, name in zip(sides, variables, strict=True)]
    return sides, caught


def complete_rows(sides: Mapping[str, Columns], nan: MissingPolicy = "raise") -> Tensor:
    """Which rows are finite in all variables, (N,).

    Raises:
        ValueError: if the variables have different numbers of rows; if any row is not finite and `nan` is "raise".
    """
    if nan not in ("raise", "drop"):
        raise ValueError(f"nan is {nan!r}, and must be 'raise' or 'drop'.")
    first = len(next(iter(sides.values())).values)
    for name, side in sides.items():
        check_paired(first, len(side.values), name_y=name)
    finite = torch.ones(first, dtype=torch.bool)
    for name, side in sides.items():
        good = side.values.isfinite()
        if not good.all() and nan == "raise":
            bad = (~good).sum(0)
            where = ", ".join(f"{side.names[i]!r} ({bad[i]})" for i in bad.nonzero().flatten().tolist()[:_SHOWN])
            raise ValueError(
                f"{name} has {int(bad.sum())} missing or infinite values, in column {where}: "
                'fill them in, or pass nan="drop" to leave out their rows.'
            )
        finite &= good.all(1)
    return finite


def _numbers(
    data: Any, name: str, wanted: tuple[str, ...] | None = None
) -> tuple[np.ndarray[Any, Any], tuple[str, ...] | None]:
    """The numbers of an array, a list, a series or a table, and the names of its columns if it has any: the wanted
    ones, or all."""
    if isinstance(data, np.ndarray | list | tuple):
        try:
            return np.asarray(data), None
        except ValueError as error:
            raise ValueError(
                f"{name} is ragged (rows of different lengths): expected a rectangle of numbers."
            ) from error
    import narwhals as nw

    frame = nw.from_native(data, allow_series=True, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.Series):
        frame = frame.to_frame()
    if not isinstance(frame, nw.DataFrame):
        return np.asarray(data), None
    columns = {str(column): column for column in frame.columns}
    for missing in (column for column in wanted or () if column not in columns):
        raise ValueError(
            f"{name} has no column {missing!r}, which the critics were trained on. {nearest(missing, columns)}"
        )
    columns = {column: columns[column] for column in wanted or columns}
    for column in columns.values():
        dtype = frame[column].dtype
        if not (dtype.is_numeric() or dtype == nw.Boolean):
            raise TypeError(
                f"{name}: column {column!r} holds {dtype}, where numbers are due: "
                "encode it as numbers first, or leave it out."
            )
    arrays = [frame[column].cast(nw.Float64).to_numpy().astype(float) for column in columns.values()]
    return (np.stack(arrays, 1) if arrays else np.empty((len(frame), 0))), tuple(columns)


def _varying(side: Columns, name: str, caught: list[MIWarning]) -> Columns:
    varies = (side.values != side.values[0]).any(0)
    if not varies.any():
        raise ValueError(f"{name} is constant in every column: a constant shares no information with anything.")
    if varies.all():
        return side
    constant = [column for column, kept in zip(side.names, varies.tolist(), strict=True) if not kept]
    caught.append(ConstantColumnWarning(f"{name}: constant columns were dropped: {_shown(constant)}."))
    old, kept = side.schema, varies.tolist()
    names = tuple(compress(old.names, kept))
    schema = replace(
        old, names=names, places=tuple(compress(old.places, kept)), offsets=tuple(compress(old.offsets, kept))
    )
    return replace(side, values=side.values[:, varies], names=names, schema=schema)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")


def _count(columns: int) -> str:
    return "1 column" if columns == 1 else f"{columns} columns"


def _offsets(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What to subtract from each column, (D,): the center of those of large offset, so that differences survive the
    rounding to float32, and nothing from the others."""
    if numbers.dtype.kind == "f" and numbers.dtype.itemsize <= 4:
        return np.zeros(numbers.shape[1])
    wide = numbers.astype(np.float64)
    with np.errstate(all="ignore"):
        center = np.nanmedian(np.where(np.isfinite(wide), wide, np.nan), 0)
        spread = np.nanmax(np.where(np.isfinite(wide), np.abs(wide - center), np.nan), 0)
        return np.asarray(np.where((np.abs(center) > 1e4 * spread) & (spread > 0), center, 0.0))


def _single(numbers: np.ndarray[Any, Any], schema: Schema) -> Tensor:
    """The columns in float32, less their offsets."""
    with np.errstate(all="ignore"):
        if any(schema.offsets) or numbers.dtype.kind != "f":
            numbers = numbers.astype(np.float64) - schema.offsets
        return torch.from_numpy(numbers.astype(np.float32))


def _kind(numbers: np.ndarray[Any, Any]) -> str:
    return {"U": "text", "S": "bytes", "O": "Python objects", "M": "dates", "m": "durations"}.get(
        numbers.dtype.kind, str(numbers.dtype)
    )
