"""Columns out of whatever holds them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mibounds.data.sources import columns_of


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_columns_keep_what_they_hold(frame):
    columns, named = columns_of(
        frame({"whole": [1, 2], "half": [0.5, 1.5], "flag": [True, False], "word": ["a", None], "day": DAYS}), "x"
    )
    assert named
    assert [column.dtype.kind for column in columns.values()] == ["i", "f", "b", "O", "M"]
    assert columns["word"].tolist()[0] == "a"


DAYS = pd.to_datetime(["2026-01-01", "2026-01-02"]).to_list()


def test_a_missing_integer_makes_a_column_of_floats():
    columns, _ = columns_of(pl.DataFrame({"a": [1, None]}), "x")
    assert columns["a"].dtype.kind == "f"
    assert np.isnan(columns["a"][1])


def test_series_without_a_name_are_called_by_the_variable():
    assert [*columns_of(pd.Series([1.0, 2.0]), "y")[0]] == ["y"]
    assert [*columns_of(pl.Series("", [1.0, 2.0]), "y")[0]] == ["y"]
    columns, named = columns_of(np.zeros((2, 3)), "y")
    assert [*columns] == ["y[0]", "y[1]", "y[2]"]
    assert not named
