"""Columns from arrays, lists, series and tables."""

import datetime
import enum
import io
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from mibounds.data import Sample
from mibounds.data.sources import columns_of
from mibounds.data.values import texts


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_columns_keep_their_dtypes(frame):
    columns, named = columns_of(
        frame({"whole": [1, 2], "half": [0.5, 1.5], "flag": [True, False], "word": ["a", None], "day": DAYS}), "x"
    )
    assert named
    assert [column.dtype.kind for column in columns.values()] == ["i", "f", "b", "O", "M"]
    assert columns["word"].tolist()[0] == "a"


DAYS = pd.to_datetime(["2026-01-01", "2026-01-02"]).to_list()


def test_names_of_any_type_are_text():
    """The columns of `pd.DataFrame(array)` are numbers, those of a MultiIndex are tuples."""
    numbers = np.arange(6.0).reshape(2, 3)
    for names, expected in (
        (None, ["0", "1", "2"]),
        (["a", 0, 1.5], ["a", "0", "1.5"]),
        (pd.MultiIndex.from_tuples([("a", "u"), ("a", "v"), ("b", "u")]), ["a.u", "a.v", "b.u"]),
    ):
        columns, named = columns_of(pd.DataFrame(numbers, columns=names), "x")
        assert named
        assert [*columns] == expected
        assert np.array_equal(np.stack([*columns.values()], 1), numbers)


@pytest.mark.parametrize(
    "names, titles",
    [(["a", "a"], ["a", "a (2)"]), ([1, "1"], ["1", "1 (2)"]), ([None, ("b", 2)], ["x[0]", "b.2"])],
)
def test_columns_have_names_of_text_that_differ(names, titles):
    columns, named = columns_of(pd.DataFrame(np.zeros((2, 2)), columns=names), "x")
    assert ([*columns], named) == (titles, True)


def test_whole_numbers_with_a_missing_one_stay_whole_numbers():
    columns, _ = columns_of(pl.DataFrame({"a": [1, None]}), "x")
    assert columns["a"].tolist() == [1, None]


NANOSECONDS = np.array([300, 1, 7, 7, 2_000_000_001])
MOMENTS = np.datetime64("2024-03-01", "ns") + NANOSECONDS.astype("m8[ns]")
DURATIONS = NANOSECONDS.astype("m8[ns]")


@pytest.mark.parametrize(
    "data",
    [
        MOMENTS, pd.Series(MOMENTS), pd.DatetimeIndex(MOMENTS), pd.Series(MOMENTS).dt.tz_localize("UTC"),
        [pd.Timestamp(one) for one in MOMENTS], [*MOMENTS], pl.Series(MOMENTS), pa.array(MOMENTS), {"a": MOMENTS},
        pd.Series(MOMENTS).astype(pd.ArrowDtype(pa.timestamp("ns"))), np.array([pd.Timestamp(one) for one in MOMENTS]),
        DURATIONS, pd.Series(DURATIONS), pd.TimedeltaIndex(DURATIONS), [pd.Timedelta(one) for one in DURATIONS],
        [*DURATIONS], pl.Series(DURATIONS), pa.array(DURATIONS),
    ],
)  # fmt: skip
def test_nanoseconds_are_kept_by_every_container(data):
    (column,) = columns_of(data, "x")[0].values()
    assert column.dtype.kind in "Mm" and np.datetime_data(column.dtype) == ("ns", 1)
    assert ((column - column[0]).astype(np.int64) == NANOSECONDS - NANOSECONDS[0]).all()


def test_dates_too_far_apart_for_the_finest_unit_are_in_microseconds():
    far = [datetime.datetime(1, 1, 1), pd.Timestamp(MOMENTS[0])]
    assert columns_of(far, "x")[0]["x"].tolist() == [far[0], datetime.datetime(2024, 3, 1)]


@pytest.mark.parametrize("base", [10**17, 2**63, 10**25])
def test_long_whole_numbers_stay_apart(base):
    whole = [base + i for i in range(3)]
    for data in (
        whole, [*whole, float("nan")], [Decimal(one) for one in whole], [*map(Decimal, whole), Decimal(3), None],
        [Fraction(one) for one in whole], pl.Series(whole, dtype=pl.Object), pa.array([*map(Decimal, whole), None]),
        pd.Series([Decimal(one) for one in whole]), [[one, 0.5] for one in whole],
    ):  # fmt: skip
        column = next(iter(columns_of(data, "x")[0].values()))
        assert column.tolist()[:3] == whole
    assert columns_of([base, 0.5], "x")[0]["x"].tolist() == [float(base), 0.5]


@pytest.mark.parametrize("held", [["a", "a\0"], [b"a", b"a\0"], ["a", b"a"]])
def test_text_in_lists_stays_as_it_is(held):
    (column,) = columns_of(held, "x")[0].values()
    assert column.tolist() == held
    assert [one.tolist() for one in columns_of([[one, one] for one in held], "x")[0].values()] == [held, held]


@pytest.mark.parametrize("rows", [list, lambda held: [[one, 1.5] for one in held], lambda held: pd.Series([*held])])
def test_members_of_enums_of_text_are_their_values(rows):
    """NumPy cut them to the first letter of their class, and they were constant."""
    columns, _ = columns_of(rows(Color), "x")
    first = next(iter(columns.values()))
    assert texts(first) == ["red", "green", "blue"]


class Color(str, enum.Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


def test_series_without_a_name_have_that_of_the_variable():
    assert [*columns_of(pd.Series([1.0, 2.0]), "y")[0]] == ["y"]
    assert [*columns_of(pl.Series("", [1.0, 2.0]), "y")[0]] == ["y"]
    columns, named = columns_of(np.zeros((2, 3)), "y")
    assert [*columns] == ["y[0]", "y[1]", "y[2]"]
    assert not named


A = np.arange(60.0)


def test_batches_of_arrow_and_tables_of_dask_keep_their_names():
    dask = pytest.importorskip("dask.dataframe")
    table = {"a": A, "word": ["u", "v"] * 30}
    for data in (pa.RecordBatch.from_pydict(table), dask.from_pandas(pd.DataFrame(table), npartitions=2)):
        columns, named = columns_of(data, "x")
        assert named
        assert [*columns] == ["a", "word"]
        assert np.array_equal(columns["a"], A)


@pytest.mark.parametrize("of", [scipy.sparse.dok_matrix, scipy.sparse.dok_array, scipy.sparse.csr_array])
def test_sparse_matrices_are_no_dictionaries(of):
    columns, named = columns_of(of(np.c_[A, A + 1]), "x")
    assert not named
    assert np.array_equal(columns["x[1]"], A + 1)
    assert Sample.of(x=of(np.c_[A, A + 1]), y=A).x.columns == ("x[0]", "x[1]")


@pytest.mark.parametrize("data", [np.empty((60, 0)), pd.DataFrame(index=range(60))], ids=["array", "table"])
def test_rows_without_columns(data):
    with pytest.raises(ValueError, match=r"^x has 60 rows and no columns: expected at least one\.$"):
        columns_of(data, "x")


def test_an_open_file():
    with pytest.raises(TypeError, match="x is an open file: pass the table in it"):
        columns_of(io.StringIO("a,b"), "x")
