"""Columns of objects: what they become."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mibounds.data.encoding import fit_encoding
from mibounds.data.objects import narrowed, objects
from mibounds.data.sources import columns_of
from mibounds.data.values import is_labels, texts


@pytest.mark.parametrize(
    "values, dtype",
    [
        ([1, 2], "int64"), ([1, None], "O"), ([10**30, 1], "O"), ([1, 0.5], "float64"), ([10**400, 0.5], "float64"),
        ([True, False], "bool"), ([True, None], "O"), ([datetime.date(2024, 1, 1), None], "<M8[us]"),
        ([datetime.timedelta(1), np.timedelta64(1, "ns")], "<m8[ns]"), (["a", None], "O"), (["a", 1], "O"),
    ],
)  # fmt: skip
def test_objects_get_the_narrowest_dtype_that_holds_them(values, dtype):
    assert narrowed(objects(values), "x").dtype == dtype


@pytest.mark.parametrize(
    "whole, expected",
    [
        ([Decimal("1e40"), Decimal(1)], [10**40, 1]),
        ([Decimal(10**40 + 1), Decimal("-1e29")], [10**40 + 1, -(10**29)]),
        (pa.array([Decimal(10**50), Decimal(1)], pa.decimal256(60, 0)), [10**50, 1]),
        ([Decimal("1e40"), Decimal("0.5")], [1e40, 0.5]),
        ([Decimal("1e999999999"), Decimal(1)], [float("inf"), 1.0]),
        ([Fraction(10**400), Fraction(1)], [10**400, 1]),
    ],
)
def test_decimals_of_any_length_are_read(whole, expected):
    assert next(iter(columns_of(whole, "x")[0].values())).tolist() == expected


NUMBERS = [str(one) for one in range(30)]


@pytest.mark.parametrize(
    "data",
    [
        pd.Categorical(range(30)), pd.Categorical(NUMBERS, ordered=True), pd.Series(NUMBERS, dtype="category"),
        pd.CategoricalIndex(NUMBERS), pd.Categorical(pd.date_range("2024-01-01", periods=30)),
        pd.Categorical([0.5 * i for i in range(30)]), pd.cut(np.arange(30.0), 30),
        pl.Series(NUMBERS, dtype=pl.Enum(NUMBERS)),
        pl.Series(NUMBERS, dtype=pl.Categorical), pa.array(NUMBERS).dictionary_encode(),
        pa.array(range(30)).dictionary_encode(), pa.chunked_array([pa.array(range(30)).dictionary_encode()]),
        pa.table({"x": pa.array(range(30)).dictionary_encode()}), {"x": pd.Categorical([*range(29), None])},
        pd.DataFrame({"x": pd.Categorical(range(30))}),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_a_type_of_categories_makes_labels_of_any_values(data):
    (column,) = columns_of(data, "x")[0].values()
    assert is_labels(column)
    assert fit_encoding(column, "x").kind == "categorical"
    assert len({*texts(column)}) == 30


@pytest.mark.parametrize("one, other", [(1, "1"), (True, "True"), (0.5, "0.5"), (b"a", "a")])
def test_categories_of_the_same_text_are_refused(one, other):
    with pytest.raises(TypeError, match="column 'x' has the categories .* which have the same text: rename one"):
        columns_of(pd.Categorical([one, other, None]), "x")


BERLIN = datetime.timezone(datetime.timedelta(hours=1))
PLAIN = datetime.datetime(2024, 1, 1)


@pytest.mark.parametrize("other", [PLAIN, PLAIN.date(), np.datetime64(PLAIN), pd.Timestamp(PLAIN)], ids=repr)
def test_dates_with_and_without_a_time_zone_are_refused(other):
    zoned = PLAIN.replace(tzinfo=BERLIN)
    sentence = (
        r"holds dates with and without a time zone, like '2024-01-01 00:00:00\+01:00' and '2024-01-01.*': give all"
    )
    for data in ([zoned, other], [[1.5, other], [2.5, zoned]], [{"a": zoned}, {"a": other}]):
        with pytest.raises(ValueError, match=sentence):
            columns_of(data, "x")
    with pytest.raises(ValueError, match=f"column 'a' {sentence}"):
        columns_of(pd.DataFrame({"a": pd.Series([zoned, other], dtype=object)}), "x")
    assert narrowed(objects([zoned, None, pd.Timestamp(zoned)]), "x")[0] == np.datetime64("2023-12-31T23:00")


FINE = [Decimal("0.12345678901234567890"), Decimal("0.12345678901234567891")]


@pytest.mark.parametrize(
    "data",
    [
        FINE, [*FINE, None], pd.Series(FINE), pl.Series(FINE), pa.chunked_array([pa.array([*FINE, None])]),
        [Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**30)], [Decimal(f"{10**20}.{i}") for i in range(2)],
        [Decimal("1e-400"), Decimal("2e-400")],
    ],
    ids=["list", "missing", "pandas", "polars", "pyarrow", "fractions", "large", "small"],
)  # fmt: skip
def test_decimals_that_floats_do_not_tell_apart_are_refused(data):
    with pytest.raises(
        ValueError, match="holds numbers of more digits than floats tell apart, like .* and .*: subtract"
    ):
        columns_of(data, "x")


def test_spellings_of_one_number_are_equal_floats():
    thousand = [Decimal(i) / 7 for i in range(1, 2000)]
    assert narrowed(objects([Decimal("0.1"), Decimal.from_float(0.1), *thousand]), "x")[:2].tolist() == [0.1, 0.1]
    far = [Decimal("1e400"), Decimal("2e400"), Decimal("0.5")]
    assert narrowed(objects(far), "x").tolist() == [np.inf, np.inf, 0.5]
