"""How one column of any kind becomes numbers, so that new values become the same numbers.

A kind of column is a class of this file: it says how a column is fitted and encoded, what the encoded columns are
called, and which warnings it raises. To add one, write the class and add its name to `__all__`; `x_type` then takes its
`kind`, for a variable or for single columns.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from mibounds._checks import check_choice
from mibounds.warnings import IdentifierWarning, MIWarning, RareCategoriesWarning

__all__ = ["Categorical", "Continuous", "Encoding", "encoding_from", "fit_encoding", "kind_names"]

Array = np.ndarray[Any, Any]

MOST_CATEGORIES = 200
_FEW_INTEGERS, _ROWS_PER_INTEGER = 10, 20
_IDENTIFIES = 0.5  # of the rows
_MISSING = "missing"
_OTHERS = "others"


@dataclass(frozen=True)
class Encoding(ABC):
    """How one column becomes numbers.

    Attributes:
        name: of the column.
        kind: what `x_type` calls it.
        is_label: values are labels without order, whose entropy limits the information.
        has_density: values have a density, which an upper bound over a conditional density needs.
    """

    name: str
    kind: ClassVar[str]
    is_label: ClassVar[bool] = False
    has_density: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def fit(cls, column: Array, name: str, indicator: bool = False) -> Encoding:
        """The encoding of a column (N,); with `indicator`, missing values get a column of their own, if there are any.

        Raises:
            TypeError, ValueError: if the column cannot be encoded so.
        """

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""

    @abstractmethod
    def __call__(self, column: Array) -> Array:
        """The encoded columns of a column (N,): (N, K) float32. What is missing is NaN unless it has its indicator."""

    def shown(self, values: Array) -> str:
        """The value that encoded values (K,) stand for, as text; different values are different texts."""
        return ", ".join(str(value) for value in values.tolist())

    def shared(self) -> tuple[str, int] | None:
        """The encoded column that several values share, with their number; None if every value has its own."""
        return None

    def warnings(self, values: Array, variable: str) -> list[MIWarning]:
        """The warnings that the encoded values (N, K) of a variable's column give rise to."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """The encoding as numbers, text and lists, for JSON; `encoding_from` reads it."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class Continuous(Encoding):
    """Numbers, and dates as days.

    Attributes:
        name: of the column.
        offset: subtracted before the values become float32, whose seven digits would lose small differences.
        indicator: missing values are filled in, and a column of their own says where they are.
    """

    offset: float = 0.0
    indicator: bool = False
    kind = "continuous"
    has_density = True

    @classmethod
    def fit(cls, column: Array, name: str, indicator: bool = False) -> Continuous:
        """Refuses text."""
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
        far = column.dtype.itemsize > 4 and abs(center) > 1e4 * spread > 0
        return cls(name, offset=center if far else 0.0, indicator=indicator and len(finite) < len(wide))

    @property
    def names(self) -> tuple[str, ...]:
        """The column itself, and its indicator."""
        return (self.name, f"{self.name}={_MISSING}") if self.indicator else (self.name,)

    def __call__(self, column: Array) -> Array:
        """Numbers less the offset; missing ones are the median where there is an indicator."""
        wide = numbers(column)
        with np.errstate(over="ignore"):
            single = (wide - self.offset if self.offset else wide).astype(np.float32)
        if not self.indicator:
            return single[:, None]
        missing = ~np.isfinite(single)
        filled = np.where(missing, np.median(single[~missing]) if not missing.all() else 0, single)
        return np.stack([filled, missing.astype(np.float32)], 1)

    def shown(self, values: Array) -> str:
        """The number, with the fewest digits that single precision needs; or that it is missing."""
        if self.indicator and values[1]:
            return _MISSING
        return f"{self.offset + float(str(values[0])):.15g}"

    def warnings(self, values: Array, variable: str) -> list[MIWarning]:
        """Is it every whole number from one to another, once each?"""
        column = values[:, 0]
        low, high = column.min(), column.max()
        if float(high - low) != len(column) - 1 or not bool((column == column.round()).all()):
            return []
        if len(np.unique(column)) < len(column):
            return []
        numbered = f"{variable}: column {self.name!r} numbers the rows one by one: leave it out, or sort by it."
        return [IdentifierWarning(numbered)]


@dataclass(frozen=True)
class Categorical(Encoding):
    """Labels, a column of zeros and ones for each.

    Attributes:
        name: of the column.
        categories: the values that have a column of their own, as text.
        frequencies: of each; what a value that was not seen becomes.
        indicator: missing values are a category.
        distinct: how many values there were.
    """

    categories: tuple[str, ...] = ()
    frequencies: tuple[float, ...] = ()
    indicator: bool = False
    distinct: int = 0
    kind = "categorical"
    is_label = True

    @classmethod
    def fit(cls, column: Array, name: str, indicator: bool = False) -> Categorical:
        """Of more than 200 categories the rarest are merged into one."""
        found = texts(column)
        counted = Counter(text for text in found if text is not None)
        missing = len(found) - sum(counted.values())
        if not counted:
            raise ValueError(f"column {name!r} has no values at all, all are missing: leave it out.")
        common = sorted(counted, key=lambda text: (-counted[text], text))
        kept = sorted(common if len(common) <= MOST_CATEGORIES else common[: MOST_CATEGORIES - 1])
        counts = {text: counted[text] for text in kept}
        if len(kept) < len(common):
            counts[_OTHERS] = counts.get(_OTHERS, 0) + sum(counted.values()) - sum(counts.values())
        if indicator and missing:
            counts[_MISSING] = counts.get(_MISSING, 0) + missing
        total = sum(counts.values())
        return cls(
            name,
            categories=tuple(counts),
            frequencies=tuple(count / total for count in counts.values()),
            indicator=bool(indicator and missing),
            distinct=len(common),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each category; one for two."""
        if self.categories == ("False", "True") or len(self.categories) == 1:
            return (self.name,)
        if len(self.categories) == 2:
            return (f"{self.name}={self.categories[1]}",)
        return tuple(f"{self.name}={category}" for category in self.categories)

    def __call__(self, column: Array) -> Array:
        """Zeros and ones; a category that was not seen becomes the frequencies of those that were: it is not
        informative."""
        count = len(self.categories)
        place: dict[str | None, int] = {category: i for i, category in enumerate(self.categories)}
        unknown = place.get(_OTHERS, count)
        place[None] = place[_MISSING] if self.indicator else count + 1
        rows = [np.eye(count), np.array([self.frequencies]), np.full((1, count), np.nan)]
        table = np.concatenate(rows).astype(np.float32)
        codes = np.array([place.get(text, unknown) for text in texts(column)], dtype=np.intp)
        return table[codes, 1:] if count == 2 else table[codes]

    def shared(self) -> tuple[str, int] | None:
        """The column of the categories that were merged, and how many they are."""
        merged = self.distinct - (MOST_CATEGORIES - 1)
        return (f"{self.name}={_OTHERS}", merged) if merged > 1 else None

    def shown(self, values: Array) -> str:
        """The category."""
        return self.categories[int(values.argmax()) if len(values) > 1 else round(float(values[0]))]

    def warnings(self, values: Array, variable: str) -> list[MIWarning]:
        """Does it look like an identifier, or have more categories than are kept?"""
        if self.distinct > _IDENTIFIES * len(values):
            return [
                IdentifierWarning(
                    f"{variable}: column {self.name!r} has {self.distinct} values in {len(values)} rows and looks like "
                    "an identifier, whose information no sample can measure: leave it out."
                )
            ]
        if self.distinct > MOST_CATEGORIES:
            return [
                RareCategoriesWarning(
                    f"{variable}: column {self.name!r} has {self.distinct} categories: the {MOST_CATEGORIES - 1} most "
                    "frequent are kept and the others merged into one, so the value may be low. Group them as you "
                    "mean it."
                )
            ]
        return []


def _kinds() -> dict[str, type[Encoding]]:
    classes = [globals()[name] for name in __all__]
    concrete = [one for one in classes if isinstance(one, type) and issubclass(one, Encoding) and one is not Encoding]
    return {one.kind: one for one in concrete}


def kind_names() -> list[str]:
    """The kinds of columns that there are."""
    return sorted(_kinds(), reverse=True)


def fit_encoding(column: Array, name: str, kind: str | None = None, indicator: bool = False) -> Encoding:
    """The encoding of a column (N,), by its dtype and its values.

    Text, booleans and integers of at most ten values with 20 rows each on average are categories, everything else is
    continuous.

    Arguments:
        column: numbers, dates or text, or objects all of one of these.
        name: what it is called.
        kind: one of `kind_names`; None infers it.
        indicator: give missing values a column of their own, if there are any.

    Raises:
        TypeError: if the column holds something else, or both numbers and text.
        ValueError: if all of it is missing.
    """
    return _kinds()[kind or _inferred_kind(column, name)].fit(column, name, indicator)


def encoding_from(record: Mapping[str, Any]) -> Encoding:
    """The encoding that `Encoding.to_dict` wrote."""
    kind = check_choice("the kind of a column", record["kind"], kind_names())
    fields: dict[str, Any] = {
        name: tuple(one) if isinstance(one, list) else one for name, one in record.items() if name != "kind"
    }
    return _kinds()[kind](**fields)


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


def _inferred_kind(column: Array, name: str) -> str:
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
