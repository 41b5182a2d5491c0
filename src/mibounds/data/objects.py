"""Columns of Python objects: labels of categories, and numbers, booleans and dates as the dtype that holds them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from mibounds.data.values import (
    Array,
    Label,
    as_float,
    as_text,
    equal_floats,
    family,
    in_microseconds,
    is_missing,
    is_period,
)

__all__ = ["EXACT", "as_labels", "narrowed", "objects"]

EXACT = 2**53
"""Up to which floats hold every whole number."""

_MOST_DIGITS = 10_000  # of a decimal; the exponent of one can stand for any number of zeros


def as_labels(values: Sequence[Any], name: str) -> Array:
    """Categories as labels, whatever their values are.

    Raises:
        TypeError: if two of them have the same text.
    """
    label_of: dict[Any, Label | None] = {}
    category_of: dict[str, Any] = {}
    for value in dict.fromkeys(values):
        text = as_text(value)
        label_of[value] = None if text is None else Label(text)
        if text is not None and category_of.setdefault(text, value) is not value:
            raise TypeError(
                f"column {name!r} has the categories {category_of[text]!r} and {value!r} of types "
                f"{type(category_of[text]).__name__} and {type(value).__name__}, which have the same text: rename one."
            )
    return objects([label_of[value] for value in values])


def objects(values: Sequence[Any]) -> Array:
    """A column of these objects."""
    return np.array([*values, None], dtype=object)[:-1]  # the None keeps lists from becoming a matrix


def narrowed(column: Array, name: str) -> Array:  # noqa: PLR0911  (one for each dtype)
    """A column of objects as the narrowest dtype that holds them: numbers, booleans and dates, if it is of one of
    these; whole numbers with missing values stay objects, so that they can be categories.

    Raises:
        ValueError: for dates with and without a time zone, and decimals that floats do not tell apart.
    """
    if column.dtype.kind != "O":
        return column
    column = _without_decimals(column, name)
    present = [value for value in column if not is_missing(value)]
    kinds = {family(value) for value in present}
    if kinds == {"date"}:
        _check_zones(present, name)
        return _in_one_unit([_instant(value) for value in column], "datetime64[us]")
    if kinds == {"duration"}:
        return _in_one_unit([_duration(value) for value in column], "timedelta64[us]")
    whole = all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in present)
    if kinds == {"boolean"} and len(present) == len(column):
        return column.astype(bool)
    if kinds == {"number"} and whole and len(present) == len(column):
        try:
            return column.astype(np.int64)
        except OverflowError:
            return column
    if kinds and kinds <= {"number", "boolean"} and not whole and kinds != {"boolean"}:
        return np.array([np.nan if is_missing(value) else as_float(value) for value in column])
    return column


def _check_zones(dates: Sequence[Any], name: str) -> None:
    """Raise a ValueError for moments of which some have a time zone: the others would count as UTC."""
    zoned = next((one for one in dates if getattr(one, "tzinfo", None) is not None), None)
    plain = next((one for one in dates if getattr(one, "tzinfo", None) is None), None)
    if zoned is not None and plain is not None:
        raise ValueError(
            f"{name} holds dates with and without a time zone, like {str(zoned)!r} and {str(plain)!r}: give all of "
            "them a time zone, or none."
        )


def _without_decimals(column: Array, name: str) -> Array:
    """The column with whole numbers in place of decimals and fractions, if they are whole and have more digits than a
    float.

    Raises:
        ValueError: if others are different and equal floats.
    """
    is_exact = [isinstance(value, Decimal | Fraction) and not is_missing(value) for value in column]
    exact: list[Any] = [value for value, one in zip(column, is_exact, strict=True) if one]
    if all(-EXACT <= value <= EXACT for value in exact) or not all(map(_is_whole, exact)):
        _check_digits(exact, name)
        return column
    return objects([int(value) if one else value for value, one in zip(column, is_exact, strict=True)])


def _check_digits(exact: Sequence[Decimal | Fraction], name: str) -> None:
    """Raise a ValueError if floats do not tell these apart."""
    twins = equal_floats(exact)
    if twins is not None:
        raise ValueError(
            f"{name} holds numbers of more digits than floats tell apart, like {twins[0]} and {twins[1]}: subtract an "
            "offset, give them in another unit, or as text if they are categories."
        )


def _is_whole(value: Decimal | Fraction) -> bool:
    """Is it a whole number of digits that can be written? Arithmetic with decimals would round them to 28 digits."""
    if isinstance(value, Fraction):
        return value.denominator == 1
    return value.is_finite() and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value()


def _in_one_unit(values: Sequence[Any], coarse: str) -> Array:
    """Dates or durations in the finest of their units, if it reaches as far as they do; otherwise in microseconds."""
    fine, held = np.array(values), np.array(values, dtype=coarse)
    return in_microseconds(fine) if np.array_equal(fine.astype(coarse), held, equal_nan=True) else held


def _instant(value: Any) -> Any:
    if is_missing(value):
        return np.datetime64("NaT")
    if is_period(value):
        value = value.to_timestamp()
    if hasattr(value, "to_datetime64"):  # pandas' Timestamp
        return value.to_datetime64()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return value if isinstance(value, np.datetime64) else np.datetime64(value, "us")


def _duration(value: Any) -> Any:
    if is_missing(value):
        return np.timedelta64("NaT")
    if hasattr(value, "to_timedelta64"):  # pandas' Timedelta
        return value.to_timedelta64()
    return value if isinstance(value, np.timedelta64) else np.timedelta64(value, "us")
