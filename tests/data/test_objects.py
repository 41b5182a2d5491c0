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
    assert narrowed(objects(values)).dtype == dtype


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
