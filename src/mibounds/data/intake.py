"""Intake: anything with rows and numeric columns becomes a float32 tensor (N, D) with column names.

NumPy arrays, torch tensors, lists, and any dataframe that narwhals knows (pandas, polars, pyarrow and others). What
cannot be taken is refused here, with one sentence that says what came, what was expected and what to do. Other kinds of
data (categories, images, sequences) get their place in `intake` beside `_numbers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import (
    ColumnsLeftOutWarning,
    ConstantColumnWarning,
    MIWarning,
    RowsDroppedWarning,
    check_paired,
    nearest,
)

__all__ = ["Columns", "MissingPolicy", "intake", "intake_images", "intake_pair", "intake_rows", "intake_table"]

MissingPolicy = Literal["raise", "drop"]
MINIMUM_ROWS = 50
_SHOWN = 5


@dataclass(frozen=True)
class Columns:
    """Numeric columns: `values` (N, D) float32 and their `names`."""

    values: Tensor
    names: tuple[str, ...]


def intake(data: Any, name: str) -> Columns:
    """One variable as numeric columns. Non-finite values are let through; `intake_pair` deals with them.

    Raises:
        TypeError: if the data are text, complex or objects.
        ValueError: if the data are empty or have three or more dimensions.
    """
    if isinstance(data, Tensor):
        numbers, names = data.detach().cpu().numpy(), None
    else:
        numbers, names = _numbers(data, name)
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
    numbers = numbers.reshape(len(numbers), -1)
    if names is None:
        names = tuple(name if numbers.shape[1] == 1 else f"{name}[{i}]" for i in range(numbers.shape[1]))
    return Columns(torch.from_numpy(_single(numbers)), names)


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
    if nan not in ("raise", "drop"):
        raise ValueError(f"nan is {nan!r}, and must be 'raise' or 'drop'.")
    caught: list[MIWarning] = []
    sides = [data if isinstance(data, Columns) else intake(data, name) for name, data in variables.items()]
    first = len(sides[0].values)
    for name, side in zip(variables, sides, strict=True):
        check_paired(first, len(side.values), name_y=name)
    finite = torch.ones(first, dtype=torch.bool)
    for name, side in zip(variables, sides, strict=True):
        good = side.values.isfinite()
        if not good.all() and nan == "raise":
            bad = (~good).sum(0)
            where = ", ".join(f"{side.names[i]!r} ({bad[i]})" for i in bad.nonzero().flatten().tolist()[:_SHOWN])
            raise ValueError(
                f"{name} has {int(bad.sum())} missing or infinite values, in column {where}: "
                'fill them in, or pass nan="drop" to leave out their rows.'
            )
        finite &= good.all(1)
    if not finite.all():
        dropped = int((~finite).sum())
        caught.append(RowsDroppedWarning(f"{dropped} of {first} rows were dropped for missing or infinite values."))
        sides = [replace(side, values=side.values[finite]) for side in sides]
    left = len(sides[0].values)
    if left < MINIMUM_ROWS:
        raise ValueError(
            f"{left} complete rows are too few: expected at least {MINIMUM_ROWS}, "
            "and some thousands for a number worth having."
        )
    if drop_constant:
        sides = [_varying(side, name, caught) for side, name in zip(sides, variables, strict=True)]
    return sides, caught


def intake_table(
    table: Any, columns: Sequence[Any] | None = None, nan: MissingPolicy = "raise"
) -> tuple[Columns, list[MIWarning]]:
    """The columns of a table by their names, or their numbers where they have none; text only if it is asked for.

    Returns:
        At least two columns, and the warnings to raise.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    caught: list[MIWarning] = []
    import narwhals as nw

    frame = nw.from_native(table, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.DataFrame):
        known = list(frame.columns)
        if columns is None:
            kinds = frame.schema
            numeric = [name for name in known if kinds[name].is_numeric() or kinds[name] == nw.Boolean]
            others = [name for name in known if name not in numeric]
            if others and numeric:
                shown = ", ".join(map(repr, others[:_SHOWN])) + (", ..." if len(others) > _SHOWN else "")
                caught.append(ColumnsLeftOutWarning(f"Columns without numbers were left out: {shown}."))
                frame = frame.select(numeric)
        else:
            frame = frame.select(_known(columns, known))
        taken = intake(frame.to_native(), "table")
    else:
        taken = intake(table, "table")
        taken = replace(taken, names=tuple(map(str, range(taken.values.shape[1]))))
        if columns is not None:
            chosen = _known([str(name) for name in columns], taken.names)
            where = [taken.names.index(name) for name in chosen]
            taken = Columns(taken.values[:, where], tuple(chosen))
    (taken,), found = intake_rows({"table": taken}, nan)
    if len(taken.names) < 2:
        raise ValueError(
            f"table has one column that varies, {taken.names[0]!r}: expected at least two, to make a pair."
        )
    return taken, [*caught, *found]


def _known(wanted: Sequence[Any], known: Sequence[str]) -> list[str]:
    for name in wanted:
        if name not in known:
            raise ValueError(f"table has no column {name!r}. {nearest(str(name), known)}")
    return list(dict.fromkeys(wanted))


def _numbers(data: Any, name: str) -> tuple[np.ndarray[Any, Any], tuple[str, ...] | None]:
    """The numbers of an array, a list, a series or a table, and the names of its columns if it has any."""
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
    for column in frame.columns:
        dtype = frame[column].dtype
        if not (dtype.is_numeric() or dtype == nw.Boolean):
            raise TypeError(
                f"{name}: column {column!r} holds {dtype}, where numbers are due: "
                "encode it as numbers first, or leave it out."
            )
    arrays = [frame[column].cast(nw.Float64).to_numpy().astype(float) for column in frame.columns]
    return (np.stack(arrays, 1) if arrays else np.empty((len(frame), 0))), tuple(map(str, frame.columns))


def _varying(side: Columns, name: str, caught: list[MIWarning]) -> Columns:
    varies = (side.values != side.values[0]).any(0)
    if not varies.any():
        raise ValueError(f"{name} is constant in every column: a constant shares no information with anything.")
    if varies.all():
        return side
    constant = [column for column, kept in zip(side.names, varies.tolist(), strict=True) if not kept]
    shown = ", ".join(map(repr, constant[:_SHOWN])) + (", ..." if len(constant) > _SHOWN else "")
    caught.append(ConstantColumnWarning(f"{name}: constant columns were dropped: {shown}."))
    kept_names = tuple(column for column in side.names if column not in constant)
    return Columns(side.values[:, varies], kept_names)


def _single(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32; columns of large offset are centered first, so that differences survive the rounding."""
    if numbers.dtype.kind == "f" and numbers.dtype.itemsize <= 4:
        return numbers.astype(np.float32)
    wide = numbers.astype(np.float64)
    with np.errstate(all="ignore"):
        center = np.nanmedian(np.where(np.isfinite(wide), wide, np.nan), 0)
        spread = np.nanmax(np.where(np.isfinite(wide), np.abs(wide - center), np.nan), 0)
        offset = np.where((np.abs(center) > 1e4 * spread) & (spread > 0), center, 0.0)
        return (wide - offset).astype(np.float32)


def _kind(numbers: np.ndarray[Any, Any]) -> str:
    return {"U": "text", "S": "bytes", "O": "Python objects", "M": "dates", "m": "durations"}.get(
        numbers.dtype.kind, str(numbers.dtype)
    )
