"""How one column of any kind becomes numbers, so that new rows become the same numbers.

A number stays one (less a large offset, which float32 could not hold), a date becomes days, a category a column of
zeros and ones for each of its values. No information is added, and none is lost but the order of integers that stand
for categories.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Encoding", "fit_encoding"]

Array = np.ndarray[Any, Any]

MOST_CATEGORIES = 200
_FEW_INTEGERS, _ROWS_PER_INTEGER = 10, 20
_MISSING = "missing"
_OTHERS = "others"


@dataclass(frozen=True)
class Encoding:
    """How one column becomes numbers.

    Attributes:
        name: of the column.
        kind: "continuous" (numbers and dates) or "categorical".
        offset: subtracted from numbers.
        categories: the values of a category that have a column of their own, as text.
        shares: how often each occurs; what a value that was not seen becomes.
        indicator: missing values are allowed, and a column of their own says where they are.
        distinct: how many values a category had.
    """

    name: str
    kind: str = "continuous"
    offset: float = 0.0
    categories: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    indicator: bool = False
    distinct: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns of numbers."""
        if self.kind == "continuous":
            return (self.name, f"{self.name}={_MISSING}") if self.indicator else (self.name,)
        if self.categories == ("False", "True") or len(self.categories) == 1:
            return (self.name,)
        if len(self.categories) == 2:
            return (f"{self.name}={self.categories[1]}",)
        return tuple(f"{self.name}={category}" for category in self.categories)

    def __call__(self, column: Array) -> Array:
        """The numbers of a column (N,): (N, K) float32. What is missing is NaN unless it has its indicator.

        A category that was not seen when this was fitted becomes the shares of those that were: it tells nothing.
        """
        if self.kind == "continuous":
            return self._numbers(column)
        count = len(self.categories)
        place: dict[str | None, int] = {category: i for i, category in enumerate(self.categories)}
        unknown = place.get(_OTHERS, count)
        place[None] = place[_MISSING] if self.indicator else count + 1
        table = np.concatenate([np.eye(count), [self.shares], np.full((1, count), np.nan)]).astype(np.float32)
        codes = np.array([place.get(text, unknown) for text in texts(column)], dtype=np.intp)
        return table[codes, 1:] if count == 2 else table[codes]

    def _numbers(self, column: Array) -> Array:
        wide = numbers(column)
        with np.errstate(over="ignore"):
            single = (wide - self.offset if self.offset else wide).astype(np.float32)
        if not self.indicator:
            return single[:, None]
        missing = ~np.isfinite(single)
        filled = np.where(missing, np.median(single[~missing]) if not missing.all() else 0, single)
        return np.stack([filled, missing.astype(np.float32)], 1)


def fit_encoding(column: Array, name: str, kind: str | None = None, indicator: bool = False) -> Encoding:
    """The encoding of a column (N,), by its dtype and its values.

    Text, booleans and integers of at most ten values with 20 rows each on average are categories, everything else is
    continuous. Of more than 200 categories the rarest share one column.

    Arguments:
        column: numbers, dates or text, or objects all of one of these.
        name: what it is called.
        kind: what it is; None finds out.
        indicator: give missing values a column of their own, if there are any.

    Raises:
        TypeError: if the column holds something else, or both numbers and text.
        ValueError: if all of it is missing.
    """
    kind = kind or _kind_of(column, name)
    if kind == "continuous":
        if _is_text(column):
            raise TypeError(
                f"column {name!r} holds text where numbers are due: encode it as numbers first, or leave it out."
            )
        wide = numbers(column)
        finite = wide[np.isfinite(wide)]
        if not len(finite):
            raise ValueError(f"column {name!r} has no values at all, all are missing or infinite: leave it out.")
        center = float(np.median(finite))
        spread = float(np.abs(finite - center).max())
        # float32 has seven digits: columns of large offset are centered, so that differences survive the rounding.
        far = column.dtype.itemsize > 4 and abs(center) > 1e4 * spread > 0
        return Encoding(name, offset=center if far else 0.0, indicator=indicator and len(finite) < len(wide))
    found = texts(column)
    counted = Counter(text for text in found if text is not None)
    missing = len(found) - sum(counted.values())
    if not counted:
        raise ValueError(f"column {name!r} has no values at all, all are missing: leave it out.")
    common = sorted(counted, key=lambda text: (-counted[text], text))
    kept = sorted(common if len(common) <= MOST_CATEGORIES else common[: MOST_CATEGORIES - 1])
    counts = {text: counted[text] for text in kept}
    if len(kept) < len(common):
        counts[_OTHERS] = sum(counted.values()) - sum(counts.values())
    if indicator and missing:
        counts[_MISSING] = missing
    total = sum(counts.values())
    return Encoding(
        name,
        "categorical",
        categories=tuple(counts),
        shares=tuple(count / total for count in counts.values()),
        indicator=bool(indicator and missing),
        distinct=len(common),
    )


def numbers(column: Array) -> Array:
    """A column of numbers, dates (as days) or objects that are numbers, as float64 (or as it is, if it is float)."""
    if column.dtype.kind in "Mm":
        whole = column.astype("datetime64[us]" if column.dtype.kind == "M" else "timedelta64[us]")
        return np.where(np.isnat(whole), np.nan, whole.astype(np.int64) / 86_400e6)
    if column.dtype.kind == "f":
        return column
    if column.dtype.kind == "O":
        return np.array([np.nan if is_missing(value) else float(value) for value in column])
    return column.astype(np.float64)


def texts(column: Array) -> list[str | None]:
    """The values of a column as text, None where they are missing; a number reads the same whatever its dtype."""
    distinct: dict[Any, str | None] = {}
    return [distinct[v] if v in distinct else distinct.setdefault(v, _text(v)) for v in column.tolist()]


def is_missing(value: Any) -> bool:
    """None, NaN, NaT or pandas' NA."""
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float) and math.isnan(value))
    )


def _text(value: Any) -> str | None:
    if is_missing(value):
        return None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float):
        return str(value)
    return format(value, ".9g")


def _kind_of(column: Array, name: str) -> str:
    dtype = column.dtype.kind
    if dtype in "US":
        return "categorical"
    if dtype == "O":
        kinds = {_family(value) for value in column if not is_missing(value)}
        if kinds <= {"text"} or kinds <= {"boolean"}:
            return "categorical"
        if kinds <= {"number", "boolean"}:
            return "continuous"
        held = " and ".join(sorted(kinds))
        raise TypeError(
            f"column {name!r} holds {held}: expected numbers, dates, booleans or text, one of them throughout. "
            "Convert it, or leave it out."
        )
    if dtype == "b":
        return "categorical"
    if dtype in "iu" and len(column):
        first = np.unique(column[:1000])
        few = len(first) <= _FEW_INTEGERS and len(first := np.unique(column)) <= _FEW_INTEGERS
        if few and len(first) * _ROWS_PER_INTEGER <= len(column):
            return "categorical"
    return "continuous"


def _is_text(column: Array) -> bool:
    if column.dtype.kind != "O":
        return column.dtype.kind in "US"
    return any(isinstance(value, str | bytes) for value in column)


def _family(value: Any) -> str:
    if isinstance(value, str | bytes):
        return "text"
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, int | float | np.number):
        return "number"
    try:
        float(value)  # decimals, fractions
    except (TypeError, ValueError):
        return f"{type(value).__name__} objects"
    return "number"
