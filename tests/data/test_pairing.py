"""Columns by name, indexes that differ, and weights that cost rows."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mibounds.data.pairing import columns_by_name, index_warnings, weight_warnings

TABLE = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6], "kind": ["u", "v", "u"]})


@pytest.mark.parametrize(
    "table",
    [TABLE, pl.from_pandas(TABLE), pa.Table.from_pandas(TABLE), TABLE.to_dict("list")],
    ids=["pd", "pl", "pa", "dict"],
)
def test_a_name_is_that_column_and_x_the_others(table):
    found = columns_by_name({"x": table, "y": "kind"})
    assert ([*found["x"]], [*found["y"]]) == (["a", "b"], ["kind"])
    found = columns_by_name({"x": table, "y": ["b"], "z": "a"})
    assert ([*found["x"]], [*found["y"]], [*found["z"]]) == (["kind"], ["b"], ["a"])


def test_names_that_are_no_columns_are_refused_and_labels_are_left_alone():
    with pytest.raises(ValueError, match="y is 'kin', which is no column of x. Did you mean 'kind'?"):
        columns_by_name({"x": TABLE, "y": "kin"})
    with pytest.raises(TypeError, match=r"y is the number 1: pass y='1' for the column of x with that name"):
        columns_by_name({"x": pd.DataFrame(np.zeros((3, 2))), "y": 1})
    with pytest.raises(ValueError, match="no column is left for x: 'a', 'b', 'kind' are all that there are."):
        columns_by_name({"x": TABLE, "y": ["a", "b", "kind"]})
    labels = ["u", "v", "u"]
    assert columns_by_name({"x": np.zeros(3), "y": labels})["y"] is labels


def test_the_same_labels_in_another_order_are_refused_and_other_ones_warned_of():
    one, other = pd.Series([1, 2, 3]), pd.Series([1, 2, 3], index=[2, 1, 0])
    with pytest.raises(ValueError, match="x and y have the same index in another order"):
        index_warnings({"x": one, "y": other})
    (warning,) = index_warnings({"x": one, "y": pd.Series([1, 2, 3], index=list("abc"))})
    assert warning.code == "index-mismatch"
    assert index_warnings({"x": one, "y": one + 1}) == index_warnings({"x": one, "y": np.zeros(3)}) == []


def test_weights_that_cost_most_rows_are_warned_of_with_their_effective_size():
    weights = np.r_[np.ones(99), 100.0]
    stay = torch.zeros(100, dtype=torch.bool).index_fill(0, torch.arange(49), True)
    (warning,) = weight_warnings(weights, stay)
    assert warning.code == "uneven-weights"
    assert "keeps 49 of 100 rows" in str(warning)
    assert "effective sample size of the weights is 4:" in " ".join(str(warning).split())  # 199^2 / 10,099
    assert weight_warnings(weights, ~stay) == []


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-310])
def test_the_effective_size_is_that_of_weights_on_any_scale(scale):
    weights = np.r_[np.ones(99), 100.0, np.nan]  # the last row was dropped
    (warning,) = weight_warnings(scale * weights, torch.tensor([True] + [False] * 99))
    assert "the largest weight is 50.3 times the mean. The effective sample size of the weights is 4:" in str(warning)
