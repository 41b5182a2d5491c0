"""How one column of any kind becomes numbers, so that new values become the same numbers.

A kind of column is a class of this file: it says how a column is fitted and encoded, what the encoded columns are
called, and which warnings it raises. To add one, write the class and add its name to `__all__`; `x_type` then takes its
`kind`, for a variable or for single columns.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import norm

from mibounds._checks import check_choice
from mibounds.data.column_encoding import Encoding, SharedColumn
from mibounds.data.values import (
    Array,
    center_of,
    check_numbers,
    entropy_of,
    inferred_kind,
    is_text,
    numbers,
    texts,
    unlike,
)
from mibounds.warnings import IdentifierWarning, MIWarning, RareCategoriesWarning

__all__ = ["Categorical", "Continuous", "Encoding", "encoding_from", "fit_encoding", "kind_names"]

MOST_CATEGORIES = 200
_IDENTIFIES, _FEW_VALUES = 0.5, 10  # of the rows, and values that identify nobody
_FAR = 1e4  # times the spread: offsets that float32, of seven digits, could not hold
_BULK = (0.05, 0.95)  # quantiles
_CHECKED = 10_000  # values
_SMALLEST, _LARGEST = 1e-30, 1e30  # magnitudes that sums in float32 can hold
_MOST = float(np.finfo(np.float32).max)
_DISTINCT = 0.999  # of the values that float64 tells apart
_KNOTS = 2048
_BOOLEANS = ("False", "True", "0", "1")
_MISSING = "missing"
_OTHERS = "others"


@dataclass(frozen=True)
class Continuous(Encoding):
    """Numbers, and dates as days.

    Values stay as they are where float32 can hold them. Otherwise (a large offset, a far value, magnitudes beyond
    float32) they are centered and scaled in float64 first, and where that would merge values, too, they become normal
    scores, by a monotone map that preserves the information.

    Attributes:
        name: of the column.
        offset: subtracted from the values.
        scale: divides them then.
        knots: values of the monotone map and their normal scores; empty if there is none.
        indicator: missing values are filled in, and a column of their own says where they are.
    """

    offset: float = 0.0
    scale: float = 1.0
    knots: tuple[tuple[float, ...], ...] = ()
    indicator: bool = False
    kind = "continuous"
    has_density = True

    @classmethod
    def fit(cls, column: Array, name: str, indicator: bool = False) -> Continuous:
        """Refuses text."""
        if is_text(column):
            raise TypeError(
                f"column {name!r} holds text where numbers are due: encode it as numbers first, or leave it out."
            )
        check_numbers(column, name)
        center = center_of(column)
        shifted = numbers(column, center)
        finite = shifted[np.isfinite(shifted)]
        missing = len(column) - len(finite)
        if missing and column.dtype.kind == "f":  # the differences of the largest numbers are infinite
            missing = len(column) - int(np.isfinite(column).sum())
        if not len(finite):
            raise ValueError(f"column {name!r} has no values at all, all are missing or infinite: leave it out.")
        encoding = cls(name, indicator=indicator and missing > 0)
        if column.dtype.kind == "f" and column.dtype.itemsize <= 4:
            return encoding
        if abs(center) > _FAR * float(np.abs(finite).max()) > 0:
            encoding = replace(encoding, offset=center)
        return encoding if encoding._resolves(column) else encoding._robust(column, center)

    @property
    def names(self) -> tuple[str, ...]:
        """The column itself, and its indicator."""
        return (self.title, f"{self.title}={_MISSING}") if self.indicator else (self.title,)

    def __call__(self, column: Array) -> Array:
        """Numbers as float32; missing ones are the median where there is an indicator."""
        single = self._single(column)
        if not self.indicator:
            return single[:, None]
        missing = ~np.isfinite(single)
        filled = np.where(missing, np.median(single[~missing]) if not missing.all() else 0, single)
        return np.stack([filled, missing.astype(np.float32)], 1)

    def shown(self, values: Array) -> str:
        """The number, with the fewest digits that single precision needs; or that it is missing."""
        if self.indicator and values[1]:
            return _MISSING
        if self.knots:
            return f"{float(np.interp(values[0], self.knots[1], self.knots[0])) + self.offset:.7g}"
        return f"{self.offset + self.scale * float(str(values[0])):.15g}"

    def warnings(self, values: Array, variable: str) -> list[MIWarning]:
        """Is it the number of the row?"""
        column = values[:, 0]
        steps = np.diff(column)
        if len(column) < 2 or not (bool((steps == 1).all()) or bool((steps == -1).all())):
            return []
        return [
            IdentifierWarning(
                f"{variable}: column {self.name!r} numbers the rows one by one: leave it out if it means nothing else."
            )
        ]

    def _single(self, column: Array) -> Array:
        wide = numbers(column, self.offset)
        if self.scale != 1.0:
            with np.errstate(over="ignore"):
                wide = wide / self.scale
        if self.knots:
            at, to = (np.array(one) for one in self.knots)
            wide = np.where(np.isfinite(wide), np.interp(wide, at, to), np.nan)
        held = np.clip(wide.astype(np.float64), -_MOST, _MOST)  # float16 does not hold the limits
        single: Array = np.where(np.isfinite(wide), held, np.nan).astype(np.float32)
        return single

    def _resolves(self, column: Array) -> bool:
        """Does float32 tell apart what float64 does? Evenly spaced values answer for all."""
        some = column[:: max(1, len(column) // _CHECKED)]
        with np.errstate(over="ignore"):
            wide = numbers(some, self.offset) / self.scale
        finite = wide[np.isfinite(wide)]
        if self.offset and len(finite) < np.isfinite(numbers(some)).sum():
            return False
        largest = float(np.abs(finite).max()) if len(finite) else 0.0
        if largest == 0:
            return True
        if not _SMALLEST < largest < _LARGEST:
            return False
        distinct = np.unique(some if some.dtype.kind in "iu" else finite)
        return len(np.unique(finite.astype(np.float32))) >= _DISTINCT * len(distinct)

    def _robust(self, column: Array, center: float) -> Continuous:
        """Centered and scaled by the bulk of the values, or else by ranks."""
        shifted = numbers(column, center)
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = np.nanquantile(np.where(np.isfinite(shifted), shifted, np.nan), _BULK)
            scale = float(high - low)
        linear = replace(self, offset=center, scale=scale if 0 < scale < math.inf else 1.0)
        if linear._resolves(column):
            return linear
        offset = 0.0 if column.dtype.kind == "f" else center  # of floats a difference may lose the smaller one
        values = numbers(column, offset)
        values, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        scores = norm.ppf((counts.cumsum() - counts / 2) / counts.sum())
        if len(values) > _KNOTS:
            kept = np.unique(np.linspace(0, len(values) - 1, _KNOTS).astype(int))
            values, scores = values[kept], scores[kept]
        return replace(self, offset=offset, knots=(tuple(values.tolist()), tuple(scores.tolist())))


@dataclass(frozen=True)
class Categorical(Encoding):
    """Labels, a column of zeros and ones for each.

    Attributes:
        name: of the column.
        categories: the values that have a column of their own, as text; then "others" if rare ones were merged, and
            "missing" with an indicator, in brackets where a value is called so.
        frequencies: of each; what a value that was not seen becomes.
        indicator: missing values are a category.
        distinct: how many values there were.
        entropy: of all of them in nats, before rare ones were merged.
    """

    categories: tuple[str, ...] = ()
    frequencies: tuple[float, ...] = ()
    indicator: bool = False
    distinct: int = 0
    entropy: float = 0.0
    kind = "categorical"
    is_label = True

    @classmethod
    def fit(cls, column: Array, name: str, indicator: bool = False) -> Categorical:
        """Of more than 200 categories the rarest are merged into one."""
        try:
            found = texts(column)
        except TypeError as error:
            raise TypeError(f"column {name!r}: {error}") from error
        counted = Counter(text for text in found if text is not None)
        missing = len(found) - sum(counted.values())
        if not counted:
            raise ValueError(f"column {name!r} has no values at all, all are missing: leave it out.")
        common = sorted(counted, key=lambda text: (-counted[text], text))
        kept = sorted(common if len(common) <= MOST_CATEGORIES else common[: MOST_CATEGORIES - 1])
        counts = {text: counted[text] for text in kept}
        if len(kept) < len(common):
            counts[unlike(_OTHERS, counted)] = sum(counted.values()) - sum(counts.values())
        if indicator and missing:
            counts[unlike(_MISSING, counted)] = missing
        total = sum(counts.values())
        return cls(
            name,
            categories=tuple(counts),
            frequencies=tuple(count / total for count in counts.values()),
            indicator=bool(indicator and missing),
            distinct=len(common),
            entropy=entropy_of([*counted.values(), *([missing] if indicator and missing else [])]),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each category; one for two."""
        if self.categories == ("False", "True") or len(self.categories) == 1:
            return (self.title,)
        if len(self.categories) == 2:
            return (f"{self.title}={self.categories[1]}",)
        return tuple(f"{self.title}={category}" for category in self.categories)

    def __call__(self, column: Array) -> Array:
        """Zeros and ones; a category that was not seen becomes the frequencies of those that were: it is not
        informative."""
        count = len(self.categories)
        place: dict[str | None, int] = {category: i for i, category in enumerate(self._values)}
        unknown = len(self._values) if self.distinct > MOST_CATEGORIES else count
        place[None] = count - 1 if self.indicator else count + 1
        rows = [np.eye(count), np.array([self.frequencies]), np.full((1, count), np.nan)]
        table = np.concatenate(rows).astype(np.float32)
        for known, other in (("False", "0"), ("True", "1"), ("0", "False"), ("1", "True")):
            if known in place and other not in place:  # a boolean that comes as a number, and the other way round
                place[other] = place[known]
        codes = np.array([place.get(text, unknown) for text in texts(column)], dtype=np.intp)
        return table[codes, 1:] if count == 2 else table[codes]

    @property
    def _values(self) -> tuple[str, ...]:
        """The categories that are single values."""
        return self.categories[: len(self.categories) - (self.distinct > MOST_CATEGORIES) - self.indicator]

    def shared(self) -> SharedColumn | None:
        """That of the categories that were merged."""
        if self.distinct <= MOST_CATEGORIES:
            return None
        place = len(self._values)
        column = f"{self.title}={self.categories[place]}"
        return SharedColumn(column, self.distinct - MOST_CATEGORIES + 1, self.frequencies[place], self.entropy)

    def shown(self, values: Array) -> str:
        """The category."""
        return self.categories[int(values.argmax()) if len(values) > 1 else round(float(values[0]))]

    def is_identifier(self, rows: int) -> bool:
        """Does it have a value of its own in most rows?"""
        return self.distinct > max(_IDENTIFIES * rows, _FEW_VALUES)

    def warnings(self, values: Array, variable: str) -> list[MIWarning]:
        """Does it look like an identifier, or have more categories than are kept?"""
        if self.is_identifier(len(values)):
            return [
                IdentifierWarning(
                    f"{variable}: column {self.name!r} has {self.distinct} values in {len(values)} rows and looks like "
                    "an identifier, whose information no sample can measure: it is left out if there are other columns "
                    f"and {variable}_type does not name it."
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

    def codes(self) -> list[tuple[float, Array]]:
        """The frequency of each category, and its encoded columns."""
        count = len(self.categories)
        rows = np.eye(count, dtype=np.float32)
        return [*zip(self.frequencies, rows[:, 1:] if count == 2 else rows, strict=True)]

    def unseen(self, column: Array) -> Array:
        """Which values (N,) were not there when this was fitted."""
        known = {*self._values, *(_BOOLEANS if set(self._values) & set(_BOOLEANS) else ())}
        if self.distinct > MOST_CATEGORIES:
            return np.zeros(len(column), dtype=bool)
        return np.array([text is not None and text not in known for text in texts(column)])


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
    return _kinds()[kind or inferred_kind(column, name)].fit(column, name, indicator)


def encoding_from(record: Mapping[str, Any]) -> Encoding:
    """The encoding that `Encoding.to_dict` wrote."""
    kind = check_choice("the kind of a column", record["kind"], kind_names())
    fields: dict[str, Any] = {
        name: tuple(one) if isinstance(one, list) else one for name, one in record.items() if name != "kind"
    }
    return _kinds()[kind](**fields)
