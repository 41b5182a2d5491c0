"""Whatever a person has comes in, or is refused with one sentence."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mibounds._checks import ConstantColumnWarning, RowsDroppedWarning
from mibounds.data import intake, intake_pair, intake_table

NUMBERS = np.arange(120.0).reshape(60, 2)


@pytest.mark.parametrize(
    "data, names",
    [
        (NUMBERS, ("x[0]", "x[1]")),
        (NUMBERS.astype(np.int64), ("x[0]", "x[1]")),
        (NUMBERS.astype(np.float16), ("x[0]", "x[1]")),
        (torch.from_numpy(NUMBERS).requires_grad_(), ("x[0]", "x[1]")),
        (NUMBERS.tolist(), ("x[0]", "x[1]")),
        (pd.DataFrame(NUMBERS, columns=["a", "b"]), ("a", "b")),
        (pl.DataFrame(NUMBERS, schema=["a", "b"]), ("a", "b")),
        (pl.DataFrame(NUMBERS, schema=["a", "b"]).lazy(), ("a", "b")),
        (pa.table({"a": NUMBERS[:, 0], "b": NUMBERS[:, 1]}), ("a", "b")),
    ],
    ids=["float", "int", "half", "tensor", "list", "pandas", "polars", "lazy", "pyarrow"],
)
def test_tables_and_arrays(data, names):
    columns = intake(data, "x")
    assert columns.names == names
    assert columns.values.dtype == torch.float32
    assert np.array_equal(columns.values.numpy(), NUMBERS.astype(np.float32))


@pytest.mark.parametrize("data", [NUMBERS[:, 0], pd.Series(NUMBERS[:, 0], name="x"), pl.Series("x", NUMBERS[:, 0])])
def test_one_dimension_is_one_column(data):
    columns = intake(data, "x")
    assert columns.values.shape == (60, 1)
    assert columns.names == ("x",)


def test_booleans_and_missing_values_of_tables_become_numbers():
    table = pl.DataFrame({"flag": [True, False, None], "count": [1, None, 3]})
    values = intake(table, "x").values
    assert values[:2, 0].tolist() == [1, 0]
    assert values[2, 0].isnan()
    assert values[1, 1].isnan()


def test_a_large_offset_does_not_round_differences_away():
    stamps = 1.7e9 + np.arange(100) * 0.01
    values = intake(stamps, "x").values.flatten()
    assert len(values.unique()) == 100
    assert float(values[1] - values[0]) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(
    "data, error, sentence",
    [
        (np.array(["a", "b"]), TypeError, "x holds text where numbers are due"),
        (np.array([object(), None]), TypeError, "x holds Python objects where numbers are due"),
        (NUMBERS + 1j, TypeError, "x is complex: give real numbers"),
        (torch.zeros(60, 2, dtype=torch.complex64), TypeError, "x is complex"),
        (np.zeros((60, 2, 2)), ValueError, r"x has shape \(60, 2, 2\): expected \(rows,\) or \(rows, columns\)"),
        (np.zeros((0, 2)), ValueError, "x is empty"),
        (np.float64(3), ValueError, "x is empty"),
        (pd.DataFrame(), ValueError, "x is empty"),
        ([[1, 2], [3]], ValueError, "x is ragged"),
        (pd.DataFrame({"city": ["Bonn", "Ulm"]}), TypeError, "x: column 'city' holds String"),
        (np.array(["2026-01-01"], dtype="M8[D]"), TypeError, "x holds dates"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_sentence(data, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        intake(data, "x")
    assert "\n" not in str(caught.value)


def test_unequal_rows():
    with pytest.raises(ValueError, match="x has 60 rows and y has 59: rows are paired samples"):
        intake_pair(NUMBERS, NUMBERS[1:])


def test_missing_values_are_counted_by_column():
    table = pd.DataFrame(NUMBERS, columns=["a", "b"])
    table.loc[3, "b"] = math.nan
    table.loc[4, "b"] = math.inf
    with pytest.raises(ValueError, match=r"y has 2 missing or infinite values, in column 'b' \(2\).*nan=\"drop\""):
        intake_pair(NUMBERS, table)
    x, y, caught = intake_pair(NUMBERS, table, nan="drop")
    assert len(x.values) == len(y.values) == 58
    assert [type(w) for w in caught] == [RowsDroppedWarning]
    assert "2 of 60 rows" in str(caught[0])
    assert torch.equal(x.values, y.values)
    with pytest.raises(ValueError, match="nan is 'fill', and must be 'raise' or 'drop'"):
        intake_pair(NUMBERS, table, nan="fill")


def test_few_rows():
    with pytest.raises(ValueError, match="49 complete rows are too few: expected at least 50"):
        intake_pair(NUMBERS[:49], NUMBERS[:49])


def test_constant_columns_are_dropped_with_a_warning():
    table = pd.DataFrame(NUMBERS, columns=["a", "b"]).assign(c=7.0)
    x, _, caught = intake_pair(table, NUMBERS)
    assert x.names == ("a", "b")
    assert [type(w) for w in caught] == [ConstantColumnWarning]
    assert "x: constant columns were dropped: 'c'" in str(caught[0])
    with pytest.raises(ValueError, match="y is constant in every column"):
        intake_pair(NUMBERS, np.ones(60))


def test_the_data_are_not_changed():
    before = NUMBERS.copy()
    values = intake_pair(NUMBERS, NUMBERS)[0].values
    values += 1
    assert np.array_equal(before, NUMBERS)
    single = NUMBERS.astype(np.float32)
    intake(single, "x").values.add_(1)
    assert np.array_equal(single, before.astype(np.float32))


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda d: pl.DataFrame(d).lazy(), pa.table])
def test_a_table_keeps_its_numbers_and_names_what_it_leaves_out(make):
    frame = make({"a": NUMBERS[:, 0], "flag": NUMBERS[:, 0] > 50, "city": ["Ulm"] * 60, "b": NUMBERS[:, 1]})
    taken, caught = intake_table(frame)
    assert taken.names == ("a", "flag", "b")
    assert [str(warning) for warning in caught] == ["Columns without numbers were left out: 'city'."]
    taken, caught = intake_table(frame, ["b", "a", "b"])
    assert taken.names == ("b", "a")
    assert not caught


def test_a_table_without_names_is_numbered():
    taken, _ = intake_table(np.c_[NUMBERS, NUMBERS[:, :1]], [2, 0])
    assert taken.names == ("2", "0")
    with pytest.raises(ValueError, match="table has no column '7'. Known: '0', '1'"):
        intake_table(NUMBERS, [7])
    with pytest.raises(ValueError, match="table has one column that varies, '0'"):
        intake_table(NUMBERS[:, 0])
    with pytest.raises(TypeError, match="table: column 'c' holds String"):
        intake_table(pl.DataFrame({"c": ["Ulm"] * 60}))
