"""Dates in text: which texts look like dates or times of day, and how those of a column are parsed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ISO",
    "LOCAL",
    "are_local_months",
    "are_months",
    "dates_among",
    "like_dates",
    "like_times",
    "others_than_dates",
    "parsed_dates",
    "times_among",
]

# Patterns of Python and of polars.
_MONTH = (
    "(?i:jan|ene|gen|feb|fev|fév|mar|mär|mrz|apr|abr|avr|may|mai|mag|jun|juin|giu|jul|juil|lug|aug|aou|aoû|ago|sep|set|"
    r"oct|okt|out|ott|nov|dec|dez|déc|dic)[^\W\d_]{0,6}[.]?"
)
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?i:[ap][.]?m[.]?))?"
_DASH = r"\u2010-\u2015-"  # of any length
_BETWEEN = rf"(?:[/{_DASH}]|[.] ?)"
_YEAR, _NUMBER = r"(?:1[89]|20|21)\d\d", r"(?:0?[1-9]|1[0-2])"  # of a month
_WITH_MONTH = (
    rf"\d{{1,2}}(?:st|nd|rd|th)?[ ./-]*(?:of )?{_MONTH}[ ,./-]*\d{{2,4}}",
    rf"\d{{4}}[ ./-]*{_MONTH}[ ./-]*\d{{1,2}}",
    rf"{_MONTH}[ ./-]*\d{{1,2}}(?:st|nd|rd|th)?[ ,./-]+(?:{_TIME}(?: \d{{4}})?|\d{{2,4}})",
)
_IN_DIGITS = (
    rf"\d{{4}}{_BETWEEN}\d{{1,2}}{_BETWEEN}\d{{1,2}}[.]?",
    rf"\d{{1,2}}{_BETWEEN}\d{{1,2}}{_BETWEEN}\d{{2,4}}[.]?",
    rf"{_YEAR} \d{{1,2}} \d{{1,2}}|\d{{1,2}} \d{{1,2}} {_YEAR}",
    r"\d{4} ?[年년] ?\d{1,2} ?[月월](?: ?\d{1,2} ?[日일])?",
    r"(?:19|20)\d\d-[0-3]\d\d|\d{4}-?W\d\d(?:-?\d)?",
)
_MONTH_OR_QUARTER = (
    rf"{_YEAR}[/{_DASH}]{_NUMBER}|{_NUMBER}[/{_DASH}]{_YEAR}|0[1-9][.]{_YEAR}|1[0-2][.]{_YEAR}",
    rf"{_YEAR}[ ./{_DASH}]*[QqHh][1-4]|[QqHh][1-4][ ./{_DASH}]*{_YEAR}",
)
# In digits, with a day of the year or a week, or with the name of a month; also with a time; or a month or a quarter.
_DATE = (
    rf"(?:{'|'.join(_IN_DIGITS)}|(?:[^\W\d_]{{2,10}}[.,]* +)?(?:{'|'.join(_WITH_MONTH)}))(?:[T ,:Z+].*)?"
    rf"|\d{{8}}[T ]\d\d.*|{'|'.join(_MONTH_OR_QUARTER)}"
)
# The name of a month, and a year or a day; labels with a number may look so, too.
_NAMED = (
    rf"{_MONTH}[ ,./'\u2019{_DASH}]*{_YEAR}|{_MONTH}[ ,./'\u2019{_DASH}]+\d\d"
    rf"|(?:{_YEAR}|\d{{1,2}})[ ./{_DASH}]+{_MONTH}"
)
_WORD = r"([^\W\d_]+)"
# A day and a month without a year; numbers of chapters may look so, too.
_DAY_OF_YEAR = r"(?:0?[1-9]|[12]\d|3[01])[.] ?(?:0?[1-9]|1[0-2])[.]"
_MANY = 10  # distinct times, or days without a year, up to which they are categories without a word

_DAY = rf"^([0-9]{{4}})([/{_DASH}])([0-9]{{1,2}})[/{_DASH}]([0-9]{{1,2}})"
_LOCAL_DAY = rf"^([0-9]{{1,2}})([/{_DASH}]|[.] ?)([0-9]{{1,2}})(?:[/{_DASH}]|[.] ?)([0-9]{{4}})[.]?"
_OFFSET = r"(?: ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
_CLOCK = rf"(?:[T ]([0-9]{{1,2}}:[0-9]{{2}})(?::([0-9]{{2}}(?:[.,][0-9]{{1,9}})?))?{_OFFSET})?$"
ISO, LOCAL = _DAY + _CLOCK, _LOCAL_DAY + _CLOCK
"""Patterns of polars; groups 1, 3 and 4 are year, month and day or day, month and year, group 7 is the offset."""
_ISO_MONTH = r"^(?:1[89]|20|21)[0-9]{2}-(?:0[1-9]|1[0-2])$"
_YEAR_AND_TWO = rf"^((?:1[89]|20|21)[0-9]{{2}})[/{_DASH}]([0-9]{{2}})$"
_LOCAL_MONTH = r"^(?:0[1-9]|1[0-2])[.](?:1[89]|20|21)[0-9]{2}$"


def dates_among(distinct: Sequence[str]) -> list[str]:
    """The texts that look like dates, as `like_dates` finds them."""
    named = [text for text in distinct if re.fullmatch(_NAMED, text.strip())]
    words = {word.lower() for text in named for word in re.findall(_WORD, text)[:1]}
    pattern = re.compile(_like_date(len(words), len(distinct)))
    like = [text for text in distinct if pattern.fullmatch(text.strip())]
    ends = [found for text in distinct if (found := re.fullmatch(_YEAR_AND_TWO, text.strip())) is not None]
    if len(ends) > 1 and all((int(one[1]) + 1) % 100 == int(one[2]) for one in ends):
        return [text for text in like if not re.fullmatch(_YEAR_AND_TWO, text.strip())]  # seasons
    return like


def times_among(distinct: Sequence[str]) -> list[str]:
    """The texts that look like times of day."""
    pattern = re.compile(_TIME)
    return [text for text in distinct if pattern.fullmatch(text.strip())]


def like_dates(distinct: pl.Series) -> pl.Series:
    """Which texts look like dates."""
    named = distinct.filter(distinct.str.contains(f"^(?:{_NAMED})$"))
    words = named.str.extract(_WORD, 1).str.to_lowercase().n_unique()
    return distinct.str.contains(f"^(?:{_like_date(words, len(distinct))})$") & ~_seasons(distinct)


def _like_date(words: int, texts: int) -> str:
    """The pattern of a date among so many texts: with the name of a month only if there are several words for it, as
    "Set 10" is a label; days without a year only among many."""
    return "|".join([_DATE, *([_NAMED] if words > 1 else []), *([_DAY_OF_YEAR] if texts > _MANY else [])])


def like_times(distinct: pl.Series) -> pl.Series:
    """Which texts look like times of day; of a few texts none does."""
    return distinct.str.contains(f"^(?:{_TIME})$") & (len(distinct) > _MANY)


def are_months(values: pl.Series) -> bool:
    """Are all texts months, YYYY-MM?"""
    return bool((values.str.contains(_ISO_MONTH) & ~_seasons(values)).all())


def _seasons(distinct: pl.Series) -> pl.Series:
    """Which texts are seasons, such as 2003-04 and 2004-05, and no months; of a single one this is unknown."""
    like = distinct.str.contains(_YEAR_AND_TWO)
    years, ends = (distinct.filter(like).str.extract(_YEAR_AND_TWO, group).cast(int) for group in (1, 2))
    return like & (len(years) > 1 and bool(((years + 1) % 100 == ends).all()))


def are_local_months(values: pl.Series) -> bool:
    """Are all texts months, MM.YYYY? They look like numbers, but the zero of 01.2024 is that of a month."""
    return len(values) > 1 and bool(values.str.contains(_LOCAL_MONTH).all()) and bool(values.str.contains("^0").any())


def parsed_dates(column: pl.Series, pattern: str, groups: tuple[int, int, int]) -> pl.Series:
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


def others_than_dates(distinct: pl.Series, found: pl.Series) -> pl.Series:
    """The texts that do not look like dates, and those that the calendar does not have."""
    iso, local = distinct.str.contains(ISO), distinct.str.contains(LOCAL)
    patterns = ((iso, ISO, (1, 3, 4)), (local, LOCAL, (4, 3, 1)), (local, LOCAL, (4, 1, 3)))
    good = max(
        (like & parsed_dates(distinct, pattern, groups).is_not_null() for like, pattern, groups in patterns),
        key=lambda rows: int(rows.sum()),
    )
    others: pl.Series = distinct.filter(~good if bool(good.any()) else ~found)
    return others
