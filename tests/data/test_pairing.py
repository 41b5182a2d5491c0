"""Columns by name, indexes that differ, and weights that cost rows."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mibounds.data.pairing import check_order, columns_by_name, index_warnings, time_warnings, weight_warnings

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


@pytest.mark.parametrize(
    "name", [("p", "b"), [("p", "b")], "p.b", pd.Index([("p", "b")]), pd.MultiIndex.from_tuples([("p", "b")])], ids=repr
)
def test_a_column_of_several_levels_is_named_by_a_tuple(name):
    table = pd.DataFrame(np.zeros((60, 3)), columns=pd.MultiIndex.from_tuples([("p", "a"), ("p", "b"), ("q", "c")]))
    found = columns_by_name({"x": table, "y": name})
    assert ([*found["x"]], [*found["y"]]) == (["p.a", "q.c"], ["p.b"])


@pytest.mark.parametrize("day", [pd.Timestamp("2024-01-02"), datetime.date(2024, 1, 2)], ids=repr)
def test_a_column_is_named_by_a_date(day):
    table = pd.DataFrame({"a": np.zeros(60), day: np.zeros(60)})
    assert [*columns_by_name({"x": table, "y": day})["y"]] == [str(day)]
    with pytest.raises(ValueError, match=r"y is .*2024, 1, 3.*, which is no column of x"):
        columns_by_name({"x": table, "y": datetime.date(2024, 1, 3)})


@pytest.mark.parametrize("names", [np.array(["kind", "b"]), pd.Index(["kind", "b"]), ("kind", "b")], ids=repr)
def test_names_may_come_in_an_array(names):
    assert [*columns_by_name({"x": TABLE, "y": names})["y"]] == ["kind", "b"]


@pytest.mark.parametrize(
    "data",
    [np.array(["u"] * 3), ("u", "v", "w"), np.array(["2024-01-01"] * 3, dtype="M8[D]"), np.zeros(3), torch.zeros(3)],
    ids=repr,
)
def test_rows_are_no_names(data):
    assert columns_by_name({"x": TABLE, "y": data})["y"] is data


@pytest.mark.parametrize("labels", [[2, 1, 0], ["b", 1, 0.5], [("a", 1), ("a", 2), ("b", 1)]], ids=repr)
def test_every_variable_is_compared_and_every_column_of_a_dictionary(labels):
    one = pd.Series([1, 2, 3], index=pd.Index(labels))
    strange, turned = pd.Series([1, 2, 3], index=list("xyz")), one[::-1]
    for variables in (
        {"x": one, "y": strange, "groups": turned},
        {"x": {"a": one, "b": turned}},
        {"x": one, "y": {"a": [1, 2, 3], "b": turned}},
    ):
        with pytest.raises(ValueError, match="have the same index in another order"):
            index_warnings(variables)
    warned = index_warnings({"x": one, "y": strange, "sample_weight": strange})
    assert [str(one).split(" have")[0] for one in warned] == ["x and y", "x and sample_weight"]


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


HOURS = pd.date_range("2024-01-01", periods=200, freq="h")
ODD = np.arange(200) % 3 > 0


def of(index):
    return pd.Series(np.arange(len(index)), index)


@pytest.mark.parametrize(
    "index, span",
    [
        (HOURS[ODD], "01:00:00 to 02:00:00"),
        (HOURS.tz_localize("UTC")[ODD], "01:00:00 to 02:00:00"),
        (HOURS.to_period("h")[ODD], "01:00:00 to 02:00:00"),
        ((HOURS - HOURS[0])[ODD], "01:00:00 to 02:00:00"),
        (pd.bdate_range("2024-01-01", periods=100), "1 days 00:00:00 to 3 days 00:00:00"),
        (HOURS.repeat([1, 3] * 100), "00:00:00 to 01:00:00"),
    ],
)
def test_uneven_times_are_warned_of_with_their_span(index, span):
    table = pd.DataFrame({"a": np.zeros(len(index))}, index)
    for variables in ({"x": of(index), "y": of(index)}, {"x": np.zeros(3), "y": table}, {"x": {"a": of(index)}}):
        (warning,) = time_warnings(variables)
        assert warning.code == "uneven-times"
        assert f"are {span} apart, and lags count rows: a lag of 2 is two rows" in str(warning)


@pytest.mark.parametrize(
    "index", [HOURS[::-1], HOURS[np.r_[1, 0, 2:200]], HOURS.to_period("h")[::-1], HOURS[::-1] - HOURS[0]]
)
def test_unsorted_times_are_refused(index):
    with pytest.raises(ValueError, match=r"the index of y holds times .* sort all variables by it, y.sort_index\(\)"):
        time_warnings({"x": np.zeros(3), "y": of(index)})


@pytest.mark.parametrize(
    "data",
    [
        of(HOURS),
        of(pd.date_range("2024-01-01", periods=100, freq="MS")),  # months of 28 to 31 days
        of(pd.date_range("2024-01-01", periods=400, freq="D", tz="Europe/Berlin")),  # days of 23 to 25 hours
        of(pd.period_range("2020-01", periods=100, freq="M")),
        of(HOURS + pd.to_timedelta(np.arange(200) % 7, unit="s")),
        of(HOURS[np.arange(200) != 50]),
        of(HOURS[:1]),
        of(HOURS[:0]),
        of(pd.Index([3, 1, 2])),
        pl.Series([3, 1]),
        pd.DataFrame({"a": HOURS[::-1]}),
        [3, 1],
        torch.arange(3),
    ],
    ids=str,
)
def test_even_times_and_other_rows_are_not_warned_of(data):
    assert time_warnings({"x": data}) == []


DAYS = pd.date_range("2024-01-01", periods=4)


@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_product([["DE", "FR"], DAYS]),
        pd.MultiIndex.from_product([[7, 9], DAYS]),
        pd.MultiIndex.from_product([DAYS, ["DE", "FR"]]),
        pd.MultiIndex.from_product([pd.CategoricalIndex(["a", "b"]), DAYS.to_period("D")]),
        pd.MultiIndex.from_product([["DE"], [1, 2], DAYS]),
    ],
)
def test_the_times_of_several_series_are_refused(index):
    with pytest.raises(ValueError, match=r"the index of y has \d levels and the times of several series: .* y.xs\(key"):
        time_warnings({"x": np.zeros(8), "y": pd.Series(range(len(index)), index=index)})


@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_product([DAYS, range(2)], names=["day", "hour"]),
        pd.MultiIndex.from_product([["DE"], DAYS]),
        pd.MultiIndex.from_product([["DE", "FR"], range(4)]),  # which may be anything
    ],
)
def test_one_series_may_have_an_index_of_several_levels(index):
    assert time_warnings({"x": pd.Series(range(len(index)), index=index)}) == []


@pytest.mark.parametrize(
    "index", [HOURS[np.r_[1, 0, 2:200]], HOURS.to_period("h")[np.r_[1, 0, 2:200]]], ids=["times", "periods"]
)
def test_times_in_no_order_are_refused_where_blocks_are_held_out(index):
    sentence = r"the index of y holds times .* blocks of rows are taken in their order: .* y.sort_index\(\)"
    with pytest.raises(ValueError, match=sentence):
        check_order({"x": np.zeros(3), "y": of(index)})


@pytest.mark.parametrize(
    "index",
    [HOURS, HOURS[::-1], HOURS[ODD], pd.Index([3, 1, 2]), pd.MultiIndex.from_product([["DE", "FR"], DAYS])],
    ids=["increasing", "decreasing", "uneven", "numbers", "several series"],
)
def test_other_indexes_are_taken_where_blocks_are_held_out(index):
    check_order({"x": of(index)})
