"""Single values: missing or not, their family, as a text and as a number; and the kind of a column."""

import datetime
import decimal
import math

import numpy as np
import pandas as pd
import pytest

from mibounds.data.values import (
    as_text,
    center_of,
    entropy_of,
    family,
    in_microseconds,
    inferred_kind,
    is_missing,
    is_text,
    numbers,
    numbers_in_text,
    texts,
)


@pytest.mark.parametrize(
    "value", [None, math.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), np.ma.masked]
)
def test_what_is_missing(value):
    assert is_missing(value)
    assert as_text(value) is None


@pytest.mark.parametrize(
    "text, values",
    [
        ("1", [1, 1.0, np.int8(1), np.float32(1), decimal.Decimal("1.0"), "1", b"1"]),
        ("0", [0, -0.0, 0.0]),
        ("True", [True, np.True_]),
        ("1700000000001", [1_700_000_000_001, 1_700_000_000_001.0]),
        ("0.1", [0.1, decimal.Decimal("0.1")]),
    ],
)
def test_equal_values_have_the_same_text(text, values):
    assert [as_text(value) for value in values] == [text] * len(values)


def test_texts_of_columns_do_not_depend_on_their_dtype():
    assert texts(np.array([0.1, 0.25], np.float32)) == texts(np.array([0.1, 0.25])) == ["0.1", "0.25"]
    assert texts(np.array([True, 1, 1.0, None], dtype=object)) == ["True", "1", "1", None]
    assert len(set(texts(10**12 + np.arange(50)))) == 50


@pytest.mark.parametrize(
    "name, value",
    [
        ("text", "a"), ("text", b"a"), ("boolean", np.False_), ("number", 1), ("number", decimal.Decimal(1)),
        ("date", datetime.date(2024, 1, 1)), ("date", pd.Period("2024-01")), ("duration", datetime.timedelta(1)),
        ("list objects", [1]),
    ],
)  # fmt: skip
def test_families(name, value):
    assert family(value) == name


def test_numbers_of_dates_are_days_and_differences_of_whole_numbers_are_exact():
    days = np.array(["1970-01-02", "NaT"], dtype="datetime64[D]")
    assert numbers(days)[0] == 1
    assert np.isnan(numbers(days)[1])
    large = np.array([2**63, 2**63 + 3], dtype=np.uint64)
    assert numbers(large, center_of(large)).tolist() == [-3, 0]
    assert numbers(np.array([10**18 + 1, None], dtype=object), 10**18)[0] == 1


@pytest.mark.parametrize("unit", ["W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "25s"])
def test_dates_and_durations_keep_the_resolution_of_their_unit(unit):
    steps = np.array([3, 5, 4, -2])
    per_day = None if unit in ("ps", "fs", "as") else np.timedelta64(1, "D") / np.timedelta64(1, unit)
    for column in (steps.astype(f"m8[{unit}]"), np.datetime64("1970-01-01", unit) + steps.astype(f"m8[{unit}]")):
        days = numbers(column)
        assert np.allclose(days / days[0], steps / 3, rtol=1e-12)
        assert per_day is None or days[0] == pytest.approx(3 / per_day, rel=1e-12)


@pytest.mark.parametrize("start", ["2024-03-01T10:00:00", "1700-01-01", "2262-01-01"])
def test_differences_of_dates_are_exact(start):
    steps = np.array([0, 1, 7, 3, 2])
    moments = np.datetime64(start, "ns") + steps.astype("m8[ns]")
    shifted = numbers(moments, center_of(moments)) * 86_400e9
    assert np.allclose(shifted - shifted[0], steps, atol=1e-4)
    coarse = np.array([np.datetime64(start, "D")])
    assert numbers(coarse, center_of(moments))[0] * 86_400e9 == pytest.approx(
        numbers(coarse.astype("M8[ns]"), center_of(moments))[0] * 86_400e9
    )


def test_far_dates_and_durations_do_not_overflow():
    for far in (
        np.array([1_000_000, -5_000_000, 2020], dtype="M8[Y]"),
        np.array([10**7, -(10**8), 600], dtype="M8[M]"),
    ):
        assert np.array_equal(np.argsort(numbers(far)), np.argsort(far.astype(np.int64)))
    assert numbers(np.array([10**6], dtype="m8[Y]"))[0] == pytest.approx(365.2425e6)
    assert numbers(np.array([10**12], dtype="M8[s]"))[0] == pytest.approx(10**12 / 86_400)
    with pytest.raises(ValueError, match="dates beyond 2[*][*]63 days are too far to be counted: give years or months"):
        numbers(np.array([10**17], dtype="M8[Y]"))


def test_microseconds_where_they_hold_the_values():
    whole, finer = np.array(["2024-01-01", "NaT"], dtype="M8[ns]"), np.array([1_000, 1_001], dtype="m8[ns]")
    assert in_microseconds(whole).dtype == "M8[us]"
    assert in_microseconds(finer).dtype == "m8[ns]"
    assert in_microseconds(np.array([1, 2], dtype="M8[Y]")).dtype == "M8[us]"


def test_the_center_is_the_median_and_occurs_among_whole_numbers():
    assert center_of(np.array([1, 2, 10, 11])) in (2, 10)
    assert center_of(np.array([1.0, 2.0, math.inf, math.nan])) == 1.5
    assert center_of(np.array([math.nan])) == 0


@pytest.mark.parametrize(
    "kind, column",
    [
        ("categorical", np.arange(200) % 10),
        ("continuous", np.arange(220) % 11),
        ("categorical", np.array([1, 2, None] * 30, dtype=object)),
        ("continuous", np.array([0.5, 1, None] * 30, dtype=object)),
        ("categorical", np.array(["007", "011"] + [f"0{i}" for i in range(30)])),
        ("categorical", np.array(["1", "2"] * 30)),
        ("categorical", np.array([True, None] * 30, dtype=object)),
    ],
)
def test_the_kind_that_is_inferred(kind, column):
    assert inferred_kind(column, "c") == kind


def test_text_of_numbers_or_dates_is_refused_with_the_others():
    weights = np.array([f"{i}.5" for i in range(30)] + ["<10"] * 3)
    with pytest.raises(
        ValueError, match=r"column 'w' is text, but 30 of 33 values are numbers; the others: '<10' \(3\)"
    ):
        inferred_kind(weights, "w")
    with pytest.raises(ValueError, match="30 of 30 values are dates"):
        inferred_kind(np.array([f"2024-01-{i + 1:02d}" for i in range(30)]), "d")
    for spelling in ("%d-%b-%Y", "%B %d, %Y", "%d%b%Y", "%Y/%m/%d", "%Y-%j", "%a %b %d 10:00:00 %Y"):
        days = pd.date_range("2024-01-01", periods=30, freq="17D").strftime(spelling)
        with pytest.raises(ValueError, match="30 of 30 values are dates. Clean and parse it"):
            inferred_kind(np.array(days), "d")
    with pytest.raises(ValueError, match="30 of 30 values are times of day. Clean and convert it to numbers, such as"):
        inferred_kind(np.array([f"{i % 24:02d}:{i}" for i in range(10, 40)]), "t")
    with pytest.raises(TypeError, match="column 'm' holds number and text"):
        inferred_kind(np.array([1, "a"], dtype=object), "m")


def test_text_is_found_in_objects_and_entropy_in_counts():
    assert is_text(np.array(["a"])) and is_text(np.array([1, "a"], dtype=object)) and not is_text(np.array([1]))
    assert entropy_of([2, 2, 0]) == pytest.approx(math.log(2))


def test_text_that_floats_do_not_tell_apart_stays_text():
    assert numbers_in_text(np.array(["0.50", "0.5", "NA"], dtype=object))[:2].tolist() == [0.5, 0.5]
    assert numbers_in_text(np.array([f"0.1234567890123456789{i}" for i in range(9)], dtype=object)) is None
