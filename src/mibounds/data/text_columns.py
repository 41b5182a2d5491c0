"""From text to values: columns of a text table become numbers, dates, booleans or text, whole columns at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from mibounds.data.values import DATE, MISSING_AMONG_NUMBERS, MISSING_WORDS, TIME
from mibounds.warnings import issue

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NUMBER", "ReadingWarning", "TextColumns"]

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
_INTEGER = r"^[+-]?[0-9]{1,4000}$"  # of more digits Python makes no int
_LARGEST = 10**40  # whole numbers of columns of whole numbers have fewer digits

_DAY = r"^([0-9]{4})([-/])([0-9]{1,2})[-/]([0-9]{1,2})"
_LOCAL_DAY = r"^([0-9]{1,2})([./-])([0-9]{1,2})[./-]([0-9]{4})"
_OFFSET = r"(?: ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
_CLOCK = rf"(?:[T ]([0-9]{{1,2}}:[0-9]{{2}})(?::([0-9]{{2}}(?:[.,][0-9]{{1,9}})?))?{_OFFSET})?$"
_ISO, _LOCAL = _DAY + _CLOCK, _LOCAL_DAY + _CLOCK
_LIKE_DATE, _LIKE_TIME = f"^(?:{DATE})$", f"^(?:{TIME})$"
_REMEDY = {
    "dates": "write ISO dates, YYYY-MM-DD",
    "times of day": "write numbers, such as hours",
}
_BOOLEANS = 6  # true and false, in lower case, in upper case, and capitalized
_MANY = 10  # distinct texts with units, or times of day, up to which they are categories without a word
_FIRST = 100  # values that are tested before all
_SHOWN = 5  # offending values in a message


class ReadingWarning(UserWarning):
    """A file is read otherwise than it may be meant."""


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
        """The column as Int64, Float64, Date, Datetime (UTC where offsets are given), Boolean or String; whole numbers
        beyond Int64 as UInt64 or Object (int).

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
                words.append(Decimal(word.strip()))
            except InvalidOperation:
                continue
        words = [one for one in words if not one.is_nan()]
        if column.dtype.is_integer():  # of which floats do not tell all apart
            whole = [str(int(one)) for one in words if abs(one) < _LARGEST and one == int(one)]
            return column.set(column.cast(pl.String).is_in(whole), None)
        return column.set(column.cast(pl.Float64).is_in([*map(float, words)]), None)

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
        if len(found) == 2 or len(marked) == 2 or (self.separator != "," and _may_be_thousands(values)):
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
        pattern = next((one for one in (_ISO, _LOCAL) if _all(values, one)), None)
        if pattern is None:
            return None
        offsets = values.str.extract(pattern, 7)
        if 0 < offsets.null_count() < len(values):
            raise ValueError(
                f"column {name!r} of {self.label} has times with and without a UTC offset: write all of them alike."
            )
        parsed = _parsed(column, pattern, (1, 3, 4) if pattern == _ISO else self._local_order(values, name))
        return parsed if parsed.null_count() == column.null_count() else None

    def _local_order(self, values: pl.Series, name: str) -> tuple[int, int, int]:
        """The groups of the local pattern that are year, month and day."""
        first, second = (values.str.extract(_LOCAL, group).cast(int) for group in (1, 3))
        day_first = bool((values.str.extract(_LOCAL, 2) == ".").all()) or bool((first > 12).any())
        if not day_first and not bool((second > 12).any()) and not bool((first == second).all()):
            raise ValueError(
                f"column {name!r} of {self.label} has dates like {values.sort()[0]!r}, whose day and month cannot "
                "be told apart: write ISO dates, YYYY-MM-DD."
            )
        return (4, 3, 1) if day_first else (4, 1, 3)

    def _refuse_mixture(self, column: pl.Series, name: str) -> None:
        """Raise if most of the distinct values are numbers, dates or times; warn if they are numbers with units."""
        distinct = column.drop_nulls().unique()
        if not len(distinct):
            return
        marks = [self.decimal] if self.decimal else [".", ","]
        number = max((_NUMBER[mark] for mark in marks), key=lambda pattern: int(distinct.str.contains(pattern).sum()))
        numbers = distinct.str.contains(number) & ~distinct.str.contains(_LEADING_ZERO)
        dates = distinct.str.contains(_LIKE_DATE) & ~numbers
        times = distinct.str.contains(_LIKE_TIME) & (len(distinct) > _MANY)
        for found, kind in ((numbers, "numbers"), (dates, "dates"), (times, "times of day")):
            if 2 * int(found.sum()) <= len(distinct):
                continue
            others = _proper(distinct, found, kind)
            if not len(others):
                if self.typed and kind == "numbers":
                    continue  # the format has numbers of its own: these are codes
                raise ValueError(
                    f"column {name!r} of {self.label} has {kind} like {distinct.sort()[0]!r}: {_REMEDY[kind]}, or name "
                    "the column with --categorical."
                )
            raise ValueError(self._mixture(column, others, name, kind))
        self._refuse_units(distinct.filter(~numbers & ~distinct.str.contains(_LEADING_ZERO)), len(distinct), name)

    def _refuse_units(self, texts: pl.Series, count: int, name: str) -> None:
        """Raise if more than half of so many distinct values are numbers with one unit, or in a form that is not read;
        warn if the units differ."""
        alike = texts.filter(texts.str.contains(_WITH_UNIT)).sort()
        if not 2 * len(alike) > count > _MANY:
            return
        units = alike.str.replace(NUMBER, "").str.strip_chars()
        said = f"column {name!r} of {self.label} is text like {alike[0]!r}"
        if units.n_unique() > 1:
            issue(
                ReadingWarning(f"{said}, and each text is a category: write the numbers alone to use them as numbers.")
            )
        elif units[0]:
            raise ValueError(
                f"{said}, numbers with the unit {units[0]!r}: write the numbers alone, or name the column with "
                "--categorical."
            )
        else:
            expected = "." if self.decimal is None else self.decimal
            raise ValueError(
                f"{said}, no number with the decimal separator {expected!r} and thousands in groups of three digits: "
                "give the decimal separator with --decimal, write the numbers without thousands separators, or name "
                "the column with --categorical."
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


def _may_be_thousands(values: pl.Series) -> bool:
    """Are the numbers without a separator all below a thousand, and are there any? All others have a separator before
    their last three digits; if there are no others, a factor of a thousand does not matter."""
    import polars as pl

    plain = values.filter(~values.str.contains("[.,]"))
    sizes = plain.cast(pl.Float64, strict=False).abs().fill_null(math.inf)
    return len(plain) > 0 and bool((sizes < 1000).all())


def _any(values: pl.Series, pattern: str) -> bool:
    return bool(values.str.contains(pattern).any())


def _masked(column: pl.Series, words: Iterable[str]) -> pl.Series:
    """The column without these texts."""
    return column.set(column.is_in(list(words)), None)


def _numbers(column: pl.Series, mark: str) -> pl.Series:
    """Texts that are numbers as Int64, as UInt64 or Object (int) where one is beyond, or as Float64."""
    import polars as pl

    group = "," if mark == "." else "."
    plain = column.str.replace_all(f"[{group}{_SPACES}]", "").str.replace(",", ".", literal=True)
    whole = _all(plain.drop_nulls(), _INTEGER)
    for dtype in (pl.Int64, pl.UInt64) if whole else (pl.Float64,):
        numbers: pl.Series = plain.cast(dtype, strict=False)
        if numbers.null_count() == plain.null_count():
            return numbers
    return pl.Series(plain.name, [None if text is None else int(text) for text in plain], dtype=pl.Object)


def _parsed(column: pl.Series, pattern: str, groups: tuple[int, int, int]) -> pl.Series:
    """Dates as Date, or as Datetime (UTC where offsets are given) if one has a time; null where there is no such day.

    Arguments:
        column: texts, or null.
        pattern: of the texts.
        groups: of the pattern, for year, month and day.
    """
    import polars as pl

    year, month, day = (column.str.extract(pattern, group).str.zfill(2) for group in groups)
    days = year + "-" + month + "-" + day
    clock, seconds = column.str.extract(pattern, 5), column.str.extract(pattern, 6)
    if clock.null_count() == len(column):
        dates: pl.Series = days.str.to_date("%Y-%m-%d", strict=False)
        return dates
    clock = clock.fill_null("00:00").str.zfill(5) + ":" + seconds.fill_null("00").str.replace(",", ".", literal=True)
    fine = bool((clock.str.len_chars() > len("10:00:00.123456")).any())
    fine = fine and bool(year.cast(int).is_between(1678, 2261).all())  # which 64 bits of nanoseconds hold
    unit: Literal["ns", "us"] = "ns" if fine else "us"
    moments: pl.Series = (days + " " + clock).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit=unit, strict=False)
    digits = column.str.extract(pattern, 7)
    if digits.null_count() == len(column):
        return moments
    digits = (
        digits.fill_null("Z").str.replace("^(?:Z|UTC|GMT)$", "+").str.replace(":", "", literal=True).str.pad_end(5, "0")
    )
    minutes = digits.str.slice(1, 2).cast(pl.Int64) * 60 + digits.str.slice(3, 2).cast(pl.Int64)
    signed = minutes * digits.str.starts_with("-").cast(pl.Int64) * -2 + minutes
    universal: pl.Series = moments - (signed * 60_000_000).cast(pl.Duration("us")).cast(pl.Duration(unit))
    return universal


def _proper(distinct: pl.Series, found: pl.Series, kind: str) -> pl.Series:
    """The values that are not of the kind; of dates also those that the calendar does not have."""
    others: pl.Series = distinct.filter(~found)
    if kind != "dates":
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
