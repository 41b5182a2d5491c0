"""From text to values: columns of a text table become numbers, dates, booleans or text, whole columns at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mibounds.data.values import MISSING_AMONG_NUMBERS, MISSING_WORDS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NUMBER", "TextColumns"]

_SPACES = r"' \x{2019}\x{a0}\x{202f}"  # between groups of three digits, beside the point or the comma
_PATTERN = (
    r"[+-]?(?:(?:[0-9]+|[1-9][0-9]{{0,2}}(?:[{group}][0-9]{{3}})+)(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|[+-]?(?i:inf|infinity)"
)
_NUMBER = {
    ".": f"^(?:{_PATTERN.format(group=',' + _SPACES, mark='[.]')})$",
    ",": f"^(?:{_PATTERN.format(group='.' + _SPACES, mark=',')})$",
}
NUMBER = r"[+-]?(?:[0-9][0-9., ]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A rough pattern of a number with a decimal point or comma, for guesses."""
_WITH_UNIT = r"^[<>~≤≥±$€£]?\s*" + NUMBER + r"\s*(?:%|‰|°?[A-Za-zµ°/²³]{1,5})?$"
_LEADING_ZERO = r"^[+-]?0[0-9]+$"
_INTEGER = r"^[+-]?[0-9]{1,18}$"

_DAY = r"^([0-9]{4})([-/])([0-9]{1,2})[-/]([0-9]{1,2})"
_LOCAL_DAY = r"^([0-9]{1,2})([./-])([0-9]{1,2})[./-]([0-9]{4})"
_CLOCK = r"(?:[T ]([0-9]{1,2}:[0-9]{2})(?::([0-9]{2}(?:[.,][0-9]{1,9})?))?)?"
_OFFSET = r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?$"
_ISO, _LOCAL = _DAY + _CLOCK + _OFFSET, _LOCAL_DAY + _CLOCK + "$"
_LIKE_DATE = r"^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}(?:[T ][0-9]{1,2}:[0-9]{2}.*)?$"
_BOOLEANS = 6  # true and false, in lower case, in upper case, and capitalized
_MANY = 10  # values with units above which a warning says that they are categories
_FIRST = 100  # values that are tested before all
_SHOWN = 5  # offending values in a message


@dataclass(frozen=True)
class TextColumns:
    """A table whose text is to be converted.

    Attributes:
        frame: the table; columns that are no text keep their dtype.
        label: what messages call the file.
        separator: between the values of a row, which a decimal comma is unlikely to be; "" if there is none.
        decimal: "." or ","; None infers it.
        null: further texts that stand for a missing value; numbers among them also match equal numbers.
        typed: the format has types of its own: texts that are numbers, or "NA", are kept.
    """

    frame: pl.DataFrame
    label: str
    separator: str = ""
    decimal: str | None = None
    null: tuple[str, ...] = ()
    typed: bool = False

    def convert(self, name: str, *, keep_text: bool = False) -> pl.Series:
        """The column as Int64, Float64, Date, Datetime (UTC where offsets are given), Boolean or String.

        Arguments:
            name: of the column.
            keep_text: accept text of which the most values are numbers or dates.

        Raises:
            ValueError: if it is text but more than half of its distinct values are numbers or dates, if its dates or
                its decimal separator are ambiguous, or if it holds lists or objects.
        """
        import polars as pl

        column = self.frame[name]
        if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary):
            raise ValueError(f"column {name!r} of {self.label} holds lists or objects: expected one value in each row.")
        if column.dtype != pl.String:
            return self._without_null_numbers(column)
        column = self._without_missing_words(column)
        converted = None if self.typed else self._converted(column, name)
        if converted is None and not keep_text:
            converted = self._dates(column, name)
            if converted is None:
                self._refuse_mixture(column, name)
        return column if converted is None else converted

    def _converted(self, column: pl.Series, name: str) -> pl.Series | None:
        """The column as numbers or booleans, or as text if it is one of codes; None if it is something else."""
        import polars as pl

        distinct = column.drop_nulls().unique()
        values = distinct.filter(~distinct.is_in(list(MISSING_AMONG_NUMBERS)))
        if not len(values):
            return None if len(distinct) else column.cast(pl.Float64)
        if len(distinct) == len(values) <= _BOOLEANS and set(values.str.to_lowercase()) <= {"true", "false"}:
            return column.str.to_lowercase() == "true"
        mark = self._decimal_of(values, name)
        if mark is None:
            return None
        column = _masked(column, MISSING_AMONG_NUMBERS)
        if _all(values, r"^[+-]?[0-9]+$") and _any(values, _LEADING_ZERO):
            return column
        return self._without_null_numbers(_numbers(column, mark))

    def _without_missing_words(self, column: pl.Series) -> pl.Series:
        if self.typed:
            return _masked(column, self.null)
        stripped = column.str.strip_chars().str.replace("^−", "-")
        return _masked(stripped, (*MISSING_WORDS, *(word.strip() for word in self.null)))

    def _without_null_numbers(self, column: pl.Series) -> pl.Series:
        """Without the numbers that equal a null word."""
        import polars as pl

        if not column.dtype.is_numeric() or not self.null:
            return column
        words = []
        for word in self.null:
            try:
                words.append(float(word))
            except ValueError:
                continue
        return column.set(column.cast(pl.Float64).is_in([one for one in words if not math.isnan(one)]), None)

    def _decimal_of(self, values: pl.Series, name: str) -> str | None:
        """The decimal separator with which all values are numbers, or None."""
        import polars as pl

        if self.decimal is not None:
            return self.decimal if _are_numbers(values, self.decimal) else None
        fitting = [mark for mark in ".," if _are_numbers(values, mark)]
        marked = [mark for mark in ".," if _any(values, "[.]" if mark == "." else ",")]
        if len(fitting) < 2 or not marked:
            return fitting[0] if fitting else None
        # Every mark has three digits after it: it may separate decimals or thousands.
        found = self._decimals_found
        if len(found) == 1:
            return next(iter(found))
        if len(found) == 2 or len(marked) == 2:
            example = values.filter(values.str.contains("[.,]")).cast(pl.String).sort()[0]
            raise ValueError(
                f"column {name!r} of {self.label} has numbers like {example!r}, whose separator may be a decimal or a "
                "thousands separator: give the decimal separator with --decimal."
            )
        return "," if marked == [","] and self.separator != "," else "."

    @cached_property
    def _decimals_found(self) -> set[str]:
        """The decimal separators of the columns that leave no choice."""
        import polars as pl

        found = set()
        for column in self.frame.iter_columns():
            if column.dtype != pl.String:
                continue
            values = self._without_missing_words(column).drop_nulls().unique()
            values = values.filter(values.str.contains(r"[0-9]"))
            fitting = [mark for mark in ".," if _are_numbers(values, mark)]
            if len(fitting) == 1 and _any(values, "[.,]"):
                found.add(fitting[0])
        return found

    def _dates(self, column: pl.Series, name: str) -> pl.Series | None:
        """The column as dates, if all values are some."""
        column = _masked(column, MISSING_AMONG_NUMBERS)
        values = column.drop_nulls().unique()
        if not len(values):
            return None
        if _all(values, _ISO):
            offsets = values.str.extract(_ISO, 7)
            if 0 < offsets.null_count() < len(values):
                raise ValueError(
                    f"column {name!r} of {self.label} has times with and without a UTC offset: write all of them alike."
                )
            parsed = _parsed(column, _ISO, (1, 3, 4), offset=7)
        elif _all(values, _LOCAL):
            first, second = (values.str.extract(_LOCAL, group).cast(int) for group in (1, 3))
            day_first = bool((values.str.extract(_LOCAL, 2) == ".").all()) or bool((first > 12).any())
            if not day_first and not bool((second > 12).any()) and not bool((first == second).all()):
                raise ValueError(
                    f"column {name!r} of {self.label} has dates like {values.sort()[0]!r}, whose day and month cannot "
                    "be told apart: write ISO dates, YYYY-MM-DD."
                )
            parsed = _parsed(column, _LOCAL, (4, 3, 1) if day_first else (4, 1, 3))
        else:
            return None
        return parsed if parsed.null_count() == column.null_count() else None

    def _refuse_mixture(self, column: pl.Series, name: str) -> None:
        """Raise if more than half of the distinct values are numbers or dates; warn if they are numbers with units."""
        distinct = column.drop_nulls().unique()
        if not len(distinct):
            return
        marks = [self.decimal] if self.decimal else [".", ","]
        number = max((_NUMBER[mark] for mark in marks), key=lambda pattern: int(distinct.str.contains(pattern).sum()))
        numbers = distinct.str.contains(number) & ~distinct.str.contains(_LEADING_ZERO)
        dates = distinct.str.contains(_LIKE_DATE) & ~numbers
        for found, kind in ((numbers, "numbers"), (dates, "dates")):
            if 2 * int(found.sum()) <= len(distinct):
                continue
            others = _proper(distinct, found, kind)
            if not len(others):
                if self.typed and kind == "numbers":
                    continue  # the format has numbers of its own: these are codes
                raise ValueError(
                    f"column {name!r} of {self.label} has dates like {distinct.sort()[0]!r}: write ISO dates, "
                    "YYYY-MM-DD."
                )
            raise ValueError(self._mixture(column, others, name, kind))
        with_units = distinct.str.contains(_WITH_UNIT) & ~numbers & ~distinct.str.contains(_LEADING_ZERO)
        units = distinct.filter(with_units).str.replace(NUMBER, "").str.strip_chars()
        if 2 * len(units) > len(distinct) > _MANY and units.n_unique() == 1:
            example = distinct.filter(with_units).sort()[0]
            raise ValueError(
                f"column {name!r} of {self.label} is text like {example!r}, numbers with the unit {units[0]!r}: write "
                "the numbers alone, or name the column with --categorical."
            )
        if 2 * len(units) > len(distinct) > _MANY:
            example = distinct.filter(with_units).sort()[0]
            warnings.warn(
                f"column {name!r} of {self.label} is text like {example!r}, and each text is a category: write the "
                "numbers alone to use them as numbers.",
                stacklevel=2,
            )

    def _mixture(self, column: pl.Series, others: pl.Series, name: str, kind: str) -> str:
        """The sentence about a column most of whose values are of a kind, and the others are not."""
        present = column.drop_nulls()
        counted = present.filter(present.is_in(others.to_list())).value_counts()
        texts, counts = counted.to_series(0).to_list(), counted.to_series(1).to_list()
        pairs = sorted(zip(texts, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))
        shown = ", ".join(f"{text!r} ({count})" for text, count in pairs[:_SHOWN])
        more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
        return (
            f"column {name!r} is text, but {len(present) - sum(counts)} of {len(present)} values are {kind}; the "
            f"others: {shown}{more}. Clean them, name them with --null, or name the column with --categorical."
        )


def _all(values: pl.Series, pattern: str) -> bool:
    return all(bool(part.str.contains(pattern).all()) for part in (values.head(_FIRST), values))


def _are_numbers(values: pl.Series, mark: str) -> bool:
    """Are all texts numbers with this decimal separator?"""
    import polars as pl

    if not _all(values.head(_FIRST), _NUMBER[mark]):
        return False
    if mark == "." or not bool(values.str.contains(".", literal=True).any()):  # much faster than the pattern
        plain = values if mark == "." else values.str.replace(",", ".", literal=True)
        if not plain.cast(pl.Float64, strict=False).null_count():
            return True
    return _all(values, _NUMBER[mark])


def _any(values: pl.Series, pattern: str) -> bool:
    return bool(values.str.contains(pattern).any())


def _masked(column: pl.Series, words: Iterable[str]) -> pl.Series:
    """The column without these texts."""
    return column.set(column.is_in(list(words)), None)


def _numbers(column: pl.Series, mark: str) -> pl.Series:
    """Texts that are numbers as Int64, or Float64 where one is no integer or has more than 18 digits."""
    import polars as pl

    group = "," if mark == "." else "."
    plain = column.str.replace_all(f"[{group}{_SPACES}]", "").str.replace(",", ".", literal=True)
    numbers: pl.Series = plain.cast(pl.Int64 if _all(plain.drop_nulls(), _INTEGER) else pl.Float64)
    return numbers


def _parsed(column: pl.Series, pattern: str, groups: tuple[int, int, int], offset: int | None = None) -> pl.Series:
    """Dates as Date, or as Datetime if one has a time; null where there is no such day.

    Arguments:
        column: texts, or null.
        pattern: of the texts.
        groups: of the pattern, for year, month and day.
        offset: the group of the offset from UTC, which is subtracted.
    """
    import polars as pl

    year, month, day = (column.str.extract(pattern, group).str.zfill(2) for group in groups)
    days = year + "-" + month + "-" + day
    clock, seconds = column.str.extract(pattern, 5), column.str.extract(pattern, 6)
    if clock.null_count() == len(column):
        dates: pl.Series = days.str.to_date("%Y-%m-%d", strict=False)
        return dates
    clock = clock.fill_null("00:00").str.zfill(5) + ":" + seconds.fill_null("00").str.replace(",", ".", literal=True)
    moments: pl.Series = (days + " " + clock).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    if offset is None:
        return moments
    digits = column.str.extract(pattern, offset).fill_null("Z").str.replace("Z", "+0000", literal=True)
    digits = digits.str.replace(":", "", literal=True)
    minutes = digits.str.slice(1, 2).cast(pl.Int64) * 60 + digits.str.slice(3, 2).cast(pl.Int64)
    signed = minutes * digits.str.starts_with("-").cast(pl.Int64) * -2 + minutes
    universal: pl.Series = moments - (signed * 60_000_000).cast(pl.Duration("us"))
    return universal


def _proper(distinct: pl.Series, found: pl.Series, kind: str) -> pl.Series:
    """The values that are not of the kind; of dates also those that the calendar does not have."""
    others: pl.Series = distinct.filter(~found)
    if kind == "numbers":
        return others
    iso, local = distinct.str.contains(_ISO), distinct.str.contains(_LOCAL)
    patterns = ((iso, _ISO, (1, 3, 4)), (local, _LOCAL, (4, 3, 1)), (local, _LOCAL, (4, 1, 3)))
    good = max(
        (like & _parsed(distinct, pattern, groups).is_not_null() for like, pattern, groups in patterns),
        key=lambda rows: int(rows.sum()),
    )
    if bool(good.any()):
        others = distinct.filter(~good)
    return others
