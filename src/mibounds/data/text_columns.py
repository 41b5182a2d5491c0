"""From text to values: columns of a text table become numbers, dates, booleans or text, whole columns at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING

from mibounds.data.dates import (
    ISO,
    LOCAL,
    are_local_months,
    are_months,
    like_dates,
    like_times,
    others_than_dates,
    parsed_dates,
)
from mibounds.data.decorated import decorated_numbers
from mibounds.data.unclear_text import UnclearTextError
from mibounds.data.values import MISSING_AMONG_NUMBERS, MISSING_WORDS, equal_floats
from mibounds.warnings import issue

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NUMBER", "ReadingWarning", "TextColumns"]

_SPACES = r"' \x{2019}\x{a0}\x{2007}\x{2009}\x{202f}"  # between groups of three digits, beside the point or the comma
_PATTERN = (
    r"[+-]?(?:(?:[0-9]+|[1-9][0-9]{{0,2}}(?:[{group}][0-9]{{3}})+)(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+|[dD][+-][0-9]+)?"
    r"|[+-]?(?i:inf|infinity)"
)
_NUMBER = {
    ".": f"^(?:{_PATTERN.format(group=',' + _SPACES, mark='[.]')})$",
    ",": f"^(?:{_PATTERN.format(group='.' + _SPACES, mark=',')})$",
}
NUMBER = r"[+-]?(?:[0-9][0-9., ]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A rough pattern of a number with a decimal point or comma, for guesses."""
_LEADING_ZERO = r"^[+-]?0[0-9]+$"
_INTEGER = r"^[+-]?[0-9]{1,4000}$"  # of more digits Python makes no int
_LARGEST = 10**40  # whole numbers of columns of whole numbers have fewer digits

_REMEDY = {
    "dates": "write ISO dates, YYYY-MM-DD",
    "times of day": "write numbers, such as hours",
}
_DECLARE = "name the column with --categorical"
_BOOLEANS = 6  # true and false, in lower case, in upper case, and capitalized
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
        if column.dtype.is_nested() or column.dtype == pl.Object:
            raise ValueError(f"column {name!r} of {self.label} holds lists or objects: expected one value in each row.")
        if column.dtype != pl.String:
            return self._without_null_numbers(column)
        column = self._without_missing_words(column)
        converted = None if self.typed else self._converted(column, name)
        if converted is not None and converted.dtype == pl.Float64:
            return converted if self._told_apart(column, converted, keep_text=keep_text) else column
        if converted is None and not keep_text:
            converted = self._dates(column, name)
            if converted is None:
                self._refuse_mixture(column, name)
        return column if converted is None else converted

    def _told_apart(self, column: pl.Series, converted: pl.Series, *, keep_text: bool) -> bool:
        """Do floats tell the numbers apart that the texts are? If not, only text remains.

        Raises:
            UnclearTextError: unless that may be kept.
        """
        texts = column.filter(converted.is_not_null()).unique()
        if len(texts) <= converted.drop_nulls().n_unique():
            return True
        twins = equal_floats(map(Decimal, _plain(texts, self._decimal_of(texts, column.name) or ".")))
        if twins is None:
            return True
        if not keep_text:
            said = f"column {column.name!r} of {self.label} has numbers of more digits than floats tell apart, like "
            remedies = ["subtract an offset", "write them in another unit"]
            raise UnclearTextError(f"{said}{twins[0]} and {twins[1]}: ", remedies, _DECLARE)
        return False

    def _converted(self, column: pl.Series, name: str) -> pl.Series | None:
        """The column as numbers or booleans, or as text if it is one of codes; None if it is something else."""
        import polars as pl

        distinct = column.drop_nulls().unique()
        values = distinct.filter(~distinct.is_in(list(MISSING_AMONG_NUMBERS)))
        if not len(values):
            return None if len(distinct) else column.cast(pl.Float64)
        if len(distinct) == len(values) <= _BOOLEANS and set(values.str.to_lowercase()) <= {"true", "false"}:
            return column.str.to_lowercase() == "true"
        mark = None if are_local_months(values) else self._decimal_of(values, name)
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
            example = values.filter(values.str.contains("[.,]")).sort()[0]
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
        if are_months(values):
            months: pl.Series = (column + "-01").str.to_date("%Y-%m-%d")
            return months
        pattern = next((one for one in (ISO, LOCAL) if _all(values, one)), None)
        if pattern is None:
            return None
        offsets = values.str.extract(pattern, 7)
        if 0 < offsets.null_count() < len(values):
            raise ValueError(
                f"column {name!r} of {self.label} has times with and without a UTC offset: write all of them alike."
            )
        parsed = parsed_dates(column, pattern, (1, 3, 4) if pattern == ISO else self._local_order(values, name))
        return parsed if parsed.null_count() == column.null_count() else None

    def _local_order(self, values: pl.Series, name: str) -> tuple[int, int, int]:
        """The groups of the local pattern that are year, month and day."""
        first, second = (values.str.extract(LOCAL, group).cast(int) for group in (1, 3))
        day_first = bool(values.str.extract(LOCAL, 2).str.starts_with(".").all()) or bool((first > 12).any())
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
        numbers &= not are_local_months(distinct)
        dates = like_dates(distinct) & ~numbers
        times = like_times(distinct)
        for found, kind in ((numbers, "numbers"), (dates, "dates"), (times, "times of day")):
            if 2 * int(found.sum()) <= len(distinct):
                continue
            others = others_than_dates(distinct, found) if kind == "dates" else distinct.filter(~found)
            if not len(others):
                if self.typed and kind == "numbers":
                    continue  # the format has numbers of its own: these are codes
                said = f"column {name!r} of {self.label} has {kind} like {distinct.sort()[0]!r}: "
                raise UnclearTextError(said, [_REMEDY[kind]], _DECLARE)
            raise UnclearTextError(
                self._mixture(column, others, name, kind), ["Clean them", "name them with --null"], _DECLARE
            )
        self._refuse_units(distinct.filter(~numbers), int(numbers.sum()), name)

    def _refuse_units(self, texts: pl.Series, plain: int, name: str) -> None:
        """Raise if most distinct values are numbers with the same beside them, or in a form that is not read; warn if
        their units differ.

        Arguments:
            texts: the distinct values that are no plain numbers.
            plain: how many others there are.
            name: of the column.
        """
        found = decorated_numbers(texts.to_list(), plain, versions=self.decimal != ",")
        if found is None:
            return
        said = f"column {name!r} of {self.label} is text like {found.example!r}"
        if not found.alike:
            issue(
                ReadingWarning(f"{said}, and each text is a category: write the numbers alone to use them as numbers.")
            )
        elif found.what:
            raise UnclearTextError(f"{said}, numbers with {found.what}: ", ["write the numbers alone"], _DECLARE)
        else:
            expected = "." if self.decimal is None else self.decimal
            said = (
                f"{said}, no number with the decimal separator {expected!r} and thousands in groups of three digits: "
            )
            decimals = "give the decimal separator with --decimal"
            raise UnclearTextError(said, [decimals, "write the numbers without thousands separators"], _DECLARE)

    def _mixture(self, column: pl.Series, others: pl.Series, name: str, kind: str) -> str:
        """What is said of a column most of whose values are of a kind, and the others are not."""
        present = column.drop_nulls()
        counted = present.filter(present.is_in(others.to_list())).value_counts()
        texts, counts = counted.to_series(0).to_list(), counted.to_series(1).to_list()
        pairs = sorted(zip(texts, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))
        shown = ", ".join(f"{text!r} ({count})" for text, count in pairs[:_SHOWN])
        more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
        return (
            f"column {name!r} is text, but {len(present) - sum(counts)} of {len(present)} values are {kind}; the "
            f"others: {shown}{more}. "
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


def _plain(column: pl.Series, mark: str) -> pl.Series:
    """Texts that are numbers as Python writes them."""
    group = "," if mark == "." else "."
    ungrouped = column.str.replace_all(f"[{group}{_SPACES}]", "").str.replace(",", ".", literal=True)
    plain: pl.Series = ungrouped.str.replace("[dD]", "e")  # of Fortran
    return plain


def _numbers(column: pl.Series, mark: str) -> pl.Series:
    """Texts that are numbers as Int64, as UInt64 or Object (int) where one is beyond, or as Float64."""
    import polars as pl

    plain = _plain(column, mark)
    whole = _all(plain.drop_nulls(), _INTEGER)
    for dtype in (pl.Int64, pl.UInt64) if whole else (pl.Float64,):
        numbers: pl.Series = plain.cast(dtype, strict=False)
        if numbers.null_count() == plain.null_count():
            return numbers
    return pl.Series(plain.name, [None if text is None else int(text) for text in plain], dtype=pl.Object)
