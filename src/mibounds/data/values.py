"""Single values: what is missing, what kind a value is of, and how it becomes a number or a text."""

from __future__ import annotations

import datetime
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from mibounds.data.dates import dates_among, times_among
from mibounds.data.decorated import decorated_numbers
from mibounds.data.unclear_text import UnclearTextError

__all__ = [
    "MISSING_AMONG_NUMBERS",
    "MISSING_WORDS",
    "Array",
    "Label",
    "as_float",
    "as_text",
    "center_of",
    "check_numbers",
    "entropy_of",
    "equal_floats",
    "families",
    "family",
    "in_microseconds",
    "inferred_kind",
    "is_labels",
    "is_missing",
    "is_period",
    "is_text",
    "numbered",
    "numbers",
    "numbers_in_text",
    "texts",
    "unlike",
]

MISSING_WORDS = ("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "null", "NULL", "None", "#N/A")
"""Texts that stand for a missing value in every column of a file, as in pandas."""

MISSING_AMONG_NUMBERS = (".", "-", "?")
"""Texts that stand for a missing value where all others are numbers or dates; elsewhere they are categories."""

Array = np.ndarray[Any, Any]
Number = TypeVar("Number", Decimal, Fraction, Decimal | Fraction)


class Label(str):
    """A category of a column whose type says that it holds categories, such as `pandas.Categorical`: whatever the text
    looks like, it is no number and no date."""

    __slots__ = ()


_FEW_INTEGERS, _ROWS_PER_INTEGER = 10, 20
_MERGED = 0.001  # of the different values; so few are spellings of one number, such as 0.1 and the float nearest to it
_LOOKS_LIKE = 0.5  # of the distinct values of a text column
_FEW_TEXTS = 10  # distinct numbers as text that may be codes
_DECLARE = "declare the column as categorical"
_NUMBER = re.compile(r"\s*[-+]?(\d{1,3}([.,]\d{3})+([.,]\d+)?|\d+([.,]\d+)?|[.]\d+)([eE][-+]?\d+)?\s*%?\s*")
_PLAIN_NUMBER = re.compile(r"[-+]?(\d+[.]?\d*|[.]\d+)([eE][-+]?\d+)?")
_PER_DAY = (
    {"Y": Fraction(10_000, 3_652_425), "M": Fraction(120_000, 3_652_425), "W": Fraction(1, 7)}  # as NumPy's durations
    | {"D": 1, "h": 24, "m": 1440}
    | {unit: 86_400 * 1000**i for i, unit in enumerate(("s", "ms", "us", "ns", "ps", "fs", "as"))}
)


def numbers(column: Array, offset: float = 0.0) -> Array:
    """A column of numbers, dates (as days) or objects that are numbers, less an offset, as float64 (or as it is, if it
    is float and there is no offset)."""
    if column.dtype.kind in "Mm":
        return _days(column, float(offset))
    if column.dtype.kind == "f":
        wide = column.astype(np.float64) if column.dtype.itemsize > 8 else column
        with np.errstate(over="ignore"):  # of the largest numbers
            return wide - offset if offset else wide
    if column.dtype.kind == "O":
        exact = isinstance(offset, int)  # differences of whole numbers of any length
        return np.array(
            [
                np.nan
                if is_missing(value)
                else as_float(value - offset)
                if exact and isinstance(value, int)
                else as_float(value) - offset
                for value in column
            ]
        )
    if column.dtype.kind in "iu" and isinstance(offset, int):
        return _differences(column.astype(np.int64 if column.dtype.kind == "i" else np.uint64), offset)
    return column.astype(np.float64) - offset


def in_microseconds(column: Array) -> Array:
    """Dates or durations in microseconds if these hold every value, otherwise in their own unit; dates of months and
    years, which differ in length, in days.

    Raises:
        ValueError: if dates are more days than 64 bits hold.
    """
    by_calendar = column.dtype.kind == "M" and np.datetime_data(column.dtype)[0] in "MY"
    for unit in ("us", "D") if by_calendar else ("us",):
        made = column.astype(f"{column.dtype.kind}8[{unit}]")
        if np.array_equal(made.astype(column.dtype), column, equal_nan=True):
            return made
    if by_calendar:
        raise ValueError("dates beyond 2**63 days are too far to be counted: give years or months as numbers.")
    return column


def _days(column: Array, offset: float) -> Array:
    """Dates or durations as days less an offset; whole numbers of their unit are subtracted, so that differences keep
    its resolution."""
    column = in_microseconds(column)
    unit, count = np.datetime_data(column.dtype)
    per_day = Fraction(_PER_DAY[unit], count)
    base = round(Fraction(offset) * per_day)
    days = _differences(column.astype(np.int64), base) / float(per_day) + float(base / per_day - Fraction(offset))
    return np.where(np.isnat(column), np.nan, days)


def _differences(whole: Array, base: int) -> Array:
    """Numbers of 64 bits less a whole number, which are exact, before they become float64."""
    limits = np.iinfo(whole.dtype)
    if not limits.min <= base <= limits.max:
        return whole.astype(np.float64) - float(base)
    above = whole >= whole.dtype.type(base)  # differences of more than 15 digits are exact in unsigned numbers only
    bits, subtracted = whole.view(np.uint64), np.array(base, whole.dtype).view(np.uint64)
    return np.where(above, (bits - subtracted).astype(np.float64), -(subtracted - bits).astype(np.float64))


def as_float(value: Any) -> float:
    """A number as float, infinite where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def equal_floats(exact: Iterable[Number]) -> tuple[Number, Number] | None:
    """Two different numbers that are one float, if there are more of them than spellings of one number explain."""
    distinct = {value for value in exact if math.isfinite(as_float(value))}
    if len({as_float(value) for value in distinct}) >= (1 - _MERGED) * len(distinct):
        return None
    return next(pair for pair in pairwise(sorted(distinct)) if as_float(pair[0]) == as_float(pair[1]))


def center_of(column: Array) -> float:
    """The median; of whole numbers one that occurs; 0 of no numbers."""
    if column.dtype.kind in "iu" and len(column):
        return int(np.partition(column, len(column) // 2)[len(column) // 2])
    if column.dtype.kind == "O":
        present = [value for value in column if not is_missing(value)]
        if all(type(value) is int for value in present):
            return sorted(present)[len(present) // 2] if present else 0
    wide = numbers(column)
    finite = wide[np.isfinite(wide)]
    if not len(finite):
        return 0.0
    with np.errstate(over="ignore"):
        middle = float(np.median(finite))
    return middle if math.isfinite(middle) else float(np.sort(finite)[len(finite) // 2])


def texts(column: Array) -> list[str | None]:
    """The values of a column as text, None where they are missing; a number has the same text whatever its dtype.

    Raises:
        TypeError: if a value is a list, an array or a dictionary.
    """
    if column.dtype.kind == "f" and column.dtype.itemsize <= 4:
        values, place = np.unique(column, return_inverse=True)
        short = [None if math.isnan(value) else as_text(float(str(value))) for value in values]
        return [short[i] for i in place.tolist()]
    distinct: dict[Any, str | None] = {}
    found: list[str | None] = []
    for value in column.tolist():
        key = (type(value), value)  # True and 1 are equal, and different values
        try:
            if key not in distinct:
                distinct[key] = as_text(value)
                if getattr(value, "ndim", 0):
                    raise TypeError("the hash of a tensor is that of its place in memory")
        except TypeError as error:  # it has no hash, like a list
            raise TypeError(
                f"a value is a {type(value).__name__}: expected numbers, dates, booleans or text."
            ) from error
        found.append(distinct[key])
    return found


def numbered(found: Sequence[str | None]) -> Array:
    """The place (N,) of each text among the different ones in alphabetical order, a missing one last. NumPy's own text
    would not tell texts apart that differ in zeros at the end."""
    order = sorted(set(found), key=lambda text: (text is None, text or ""))
    place = {text: i for i, text in enumerate(order)}
    return np.array([place[text] for text in found], dtype=np.int64)


def numbers_in_text(column: Array) -> Array | None:
    """A column of text as float64, if all of it is numbers with a decimal point or words for a missing value; None if
    it is anything else, or numbers that floats do not tell apart."""
    found = [None if text is None else text.strip().replace("\u2212", "-", 1) for text in texts(column)]
    gone = {None, *MISSING_WORDS, *MISSING_AMONG_NUMBERS}
    present = set(found) - gone
    if not present or any(text is None or not _PLAIN_NUMBER.fullmatch(text) or _is_code(text) for text in present):
        return None
    if equal_floats(Decimal(text) for text in present if text is not None) is not None:
        return None
    return np.array([math.nan if text is None or text in gone else float(text) for text in found])


def is_missing(value: Any) -> bool:
    """None, NaN, NaT, a masked value or pandas' NA."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, float | np.floating) and math.isnan(value)


def is_period(value: Any) -> bool:
    """A `Period` of pandas, which need not be installed."""
    return type(value).__name__ == "Period"


def as_text(value: Any) -> str | None:
    """A value as text, None if it is missing: 1, 1.0 and Decimal(1) are the same, -0.0 is 0. Numbers beyond a float are
    spelled as they are, whole ones by their hexadecimal digits, of which there may be any number."""
    if is_missing(value):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")  # different bytes are different texts
    if isinstance(value, str):
        return str.__str__(value)  # of a member of an `Enum` of text its value
    if isinstance(value, bool | np.bool_):
        return str(value)
    try:
        number = float(value)
        whole = number.is_integer() and value == int(value)
    except (TypeError, ValueError, OverflowError):
        return hex(value) if isinstance(value, int) else str(value)
    return str(int(value)) if whole else repr(number) if math.isfinite(number) else str(value)


def family(value: Any) -> str:  # noqa: PLR0911  (one for each family)
    """What a value is: "text", "boolean", "number", "date", "duration", or the name of its class."""
    if isinstance(value, str | bytes):
        return "text"
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, np.datetime64 | datetime.date) or is_period(value):
        return "date"
    if isinstance(value, np.timedelta64 | datetime.timedelta):
        return "duration"
    if isinstance(value, int | float | np.number) and not isinstance(value, np.complexfloating):
        return "number"
    try:
        as_float(value)  # decimals, fractions
    except (TypeError, ValueError):
        return f"{type(value).__name__} objects"
    return "number"


def inferred_kind(column: Array, name: str) -> str:  # noqa: PLR0911  (one for each kind of value)
    """The kind of a column, by its dtype and its values.

    Raises:
        TypeError: if it holds values of different kinds, or of none that can be encoded.
        UnclearTextError: if it is text that is mostly numbers or dates.
    """
    dtype = column.dtype.kind
    if dtype in "US":
        return _text_kind(column.tolist(), name)
    if dtype == "O":
        present = [value for value in column if not is_missing(value)]
        kinds = {family(value) for value in present}
        if is_labels(column):
            return "categorical"
        if kinds <= {"text"}:
            return _text_kind(present, name)
        if kinds <= {"boolean"}:
            return "categorical"
        if kinds <= {"number", "boolean"}:
            whole = all(isinstance(value, int | np.integer) for value in present)
            return "categorical" if whole and _few(set(map(int, present)), len(column)) else "continuous"
        raise TypeError(_mixture(kinds, name))
    if dtype == "b":
        return "categorical"
    if dtype in "iu" and len(column):
        first = np.unique(column[:1000])
        few = len(first) <= _FEW_INTEGERS and _few(np.unique(column), len(column))
        return "categorical" if few else "continuous"
    return "continuous"


def check_numbers(column: Array, name: str) -> None:
    """Raise a TypeError if a column of objects holds other values than numbers."""
    if column.dtype.kind == "O":
        kinds = families(column)
        if not kinds <= {"number", "boolean"}:
            raise TypeError(_mixture(kinds, name))


def families(column: Array) -> set[str]:
    """What the values of a column of objects are, those aside that are missing."""
    return {family(value) for value in column if not is_missing(value)}


def _mixture(kinds: set[str], name: str) -> str:
    held = " and ".join(sorted(kinds))
    if kinds <= {"list objects", "ndarray objects"}:
        return (
            f"column {name!r} holds lists: expected one value in each row. Make a column of each of their entries, or "
            "leave it out."
        )
    return (
        f"column {name!r} holds {held}: expected numbers, dates, booleans or text, one of them throughout. "
        "Convert it, or leave it out."
    )


def _few(distinct: Any, rows: int) -> bool:
    """Are whole numbers so few that they stand for categories?"""
    return len(distinct) <= _FEW_INTEGERS and len(distinct) * _ROWS_PER_INTEGER <= rows


def _text_kind(values: list[Any], name: str) -> str:
    """Categories; text that is mostly numbers or dates is refused, with those that are not."""
    counted = Counter(as_text(value) for value in values if not is_missing(value))
    distinct = [text for text in counted if text is not None]
    plain = [text for text in distinct if _NUMBER.fullmatch(text.strip()) and not _is_code(text)]
    for what, like, advice in (
        ("numbers", plain, "convert it (pandas.to_numeric)"),
        ("dates", dates_among(distinct), "parse it (pandas.to_datetime)"),
        ("times of day", times_among(distinct), "convert it to numbers, such as hours"),
    ):
        if len(like) <= max(_FEW_TEXTS, _LOOKS_LIKE * len(distinct)):
            continue
        others = [f"{text!r} ({counted[text]})" for text in distinct if text not in set(like)]
        rows = sum(counted[text] for text in like)
        beside = f"; the others: {', '.join(others[:5])}{', ...' if len(others) > 5 else ''}" if others else ""
        said = f"column {name!r} is text, but {rows} of {sum(counted.values())} values are {what}{beside}. "
        raise UnclearTextError(said, [f"Clean and {advice}"], _DECLARE)
    marked = decorated_numbers([text.strip() for text in distinct if text not in set(plain)], len(plain))
    if marked is not None and marked.alike and marked.what:
        said = f"column {name!r} is text like {marked.example!r}, numbers with {marked.what}: "
        raise UnclearTextError(said, ["write the numbers alone"], _DECLARE)
    return "categorical"


def _is_code(text: str) -> bool:
    """A number with a leading zero is a code (of a place, of a person)."""
    return len(text) > 1 and text[0] == "0" and text.isdigit()


def is_text(column: Array) -> bool:
    """Does a column hold text?"""
    if column.dtype.kind != "O":
        return column.dtype.kind in "US"
    return any(isinstance(value, str | bytes) for value in column)


def unlike(word: str, values: Collection[str]) -> str:
    """A word that is none of the values, in brackets if it would be one."""
    while word in values:
        word = f"({word})"
    return word


def is_labels(column: Array) -> bool:
    """Is it of a type of categories?"""
    return column.dtype.kind == "O" and any(isinstance(value, Label) for value in column)


def entropy_of(counts: list[int]) -> float:
    """The plug-in entropy in nats of counts."""
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count)
