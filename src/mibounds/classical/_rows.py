"""From any container of rows to what classical estimators compute with: numbers, or codes of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mibounds._checks import check_paired
from mibounds.data.intake import check_labels, check_real, check_table, is_empty, table_of
from mibounds.data.pairing import index_warnings
from mibounds.data.values import Array, center_of, families, numbered, numbers, texts
from mibounds.warnings import issue

__all__ = ["Codes", "Floats", "code_sides", "codes", "normal_scores", "number_sides", "paired", "row_order"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def number_sides(x: Any, y: Any, z: Any = None) -> tuple[Floats, Floats, Floats]:
    """Numbers x (N, D_x), y (N, D_y) and z (N, D_z), each without its constant columns; D_z is 0 without a z.

    Raises:
        TypeError: if a column holds something other than numbers, booleans and dates, or x or y holds no rows.
        ValueError: if the rows do not pair, x or y is empty, or a value is missing or infinite.
    """
    issue(index_warnings({"x": x, "y": y, "z": z}))
    first, second = _numbers(x, "x"), _numbers(y, "y")
    check_paired(len(first), len(second), columns=(first.shape[1], second.shape[1]))
    third = np.empty((len(first), 0)) if is_empty(z) else _numbers(z, "z")
    check_paired(len(first), len(third), name_y="z")
    varying = [side[:, (side != side[:1]).any(0)] for side in (first, second, third)]
    return varying[0], varying[1], varying[2]


def code_sides(x: Any, y: Any, z: Any = None) -> tuple[Codes, Codes, Codes]:
    """The codes (N,) of x, y and z, one for each distinct row; z is constant where there is none.

    Raises:
        TypeError: if x or y holds no rows.
        ValueError: if the rows do not pair, x or y is empty, or a value is missing.
    """
    issue(index_warnings({"x": x, "y": y, "z": z}))
    first, second = codes(x, "x"), codes(y, "y")
    check_paired(len(first), len(second))
    third = np.zeros(len(first), dtype=np.int64) if is_empty(z) else codes(z, "z")
    check_paired(len(first), len(third), name_y="z")
    return first, second, third


def codes(data: Any, name: str) -> Codes:
    """Rows as codes (N,): equal rows have equal codes."""
    found: Codes | None = None
    for label, column in _columns(data, name).items():
        new = _labels(column, label)
        found = new if found is None else paired(found, new)
    assert found is not None
    return found


def paired(a: Codes, b: Codes) -> Codes:
    """The codes (N,) of the pairs of two codes."""
    return np.unique(a * (b.max() + 1) + b, return_inverse=True)[1].astype(np.int64)


def row_order(sides: Sequence[Floats]) -> NDArray[np.intp]:
    """The indices (N,) of the rows in an order that depends on their values only: whatever is drawn row by row is then
    the same in whatever order they come."""
    columns = np.hstack(sides).T
    return np.lexsort(columns) if len(columns) else np.arange(len(sides[0]))


def normal_scores(side: Floats) -> Floats:
    """The normal scores of columns (N, D), tied values having their mean rank."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    scores: Floats = ndtri(rankdata(side, axis=0) / (len(side) + 1))
    return scores


def _columns(data: Any, name: str) -> dict[str, Array]:
    """The columns, by what a sentence calls them."""
    check_table(data, name)
    if getattr(data, "shape", None) == ():
        raise ValueError(f"{name} is a single value: expected one row for each sample.")
    if data is not None and is_empty(data):
        raise ValueError(f"{name} is empty: expected one row for each sample.")
    columns, own = table_of(data, name)
    labeled = {f"column {title!r} of {name}" if own else title: column for title, column in columns.items()}
    for label, column in labeled.items():
        check_real(column, label)
    return labeled


def _numbers(data: Any, name: str) -> Floats:
    return np.stack([_checked(column, label) for label, column in _columns(data, name).items()], 1)


def _checked(column: Array, label: str) -> Floats:
    held = {"text"} if column.dtype.kind in "US" else set()
    if column.dtype.kind == "O":
        held = families(column) - {"number", "boolean"}
    if held:
        raise TypeError(
            f"{label} holds {' and '.join(sorted(held))}: expected numbers. Encode it as numbers, or use a function "
            "that counts, such as contingency."
        )
    offset = center_of(column) if column.dtype.kind in "iuMm" else 0.0  # whole numbers beyond 2^53 stay exact
    values: Floats = numbers(column, offset).astype(np.float64) + 0.0  # -0.0 becomes 0.0
    _refuse(label, "missing", int(np.isnan(values).sum()), "fill them in")
    _refuse(label, "infinite", int(np.isinf(values).sum()), "replace them")
    return values


def _labels(column: Array, label: str) -> Codes:
    kind = column.dtype.kind
    if kind in "biufMm":
        missing = np.isnat(column) if kind in "Mm" else np.isnan(column) if kind == "f" else np.zeros(0)
        found = np.unique(column, return_inverse=True)[1].astype(np.int64)
    else:
        try:
            held = texts(column)
        except TypeError as error:
            raise TypeError(f"{label} holds values that cannot be compared: expected text or numbers.") from error
        check_labels(column, label)
        missing, found = np.array([value is None for value in held]), numbered(held)
    _refuse(label, "missing", int(missing.sum()), "give the missing value a name of its own")
    return found


def _refuse(label: str, what: str, count: int, advice: str) -> None:
    if count:
        values = "value" if count == 1 else "values"
        raise ValueError(f"{label} has {count} {what} {values}: {advice}, or leave the rows out.")
