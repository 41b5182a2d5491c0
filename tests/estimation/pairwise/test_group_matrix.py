"""Pairs of groups of columns: one estimate each."""

import numpy as np
import pytest
import torch

from mibounds.estimation.pairwise.group_matrix import measure_groups, take_groups
from mibounds.training.recipe import Recipe

TABLE = torch.randn(300, 4, generator=torch.Generator().manual_seed(0)).numpy()


def test_groups_take_their_columns():
    sample, taken = take_groups(TABLE, None, {"a": [0, 2], "b": [3]}, "raise")
    assert taken == {"a": ["0", "2"], "b": ["3"]}
    pair = sample.columns(x=taken["a"], y=taken["b"])
    assert np.array_equal(pair.x.values.numpy(), TABLE[:, [0, 2]])
    assert np.array_equal(pair.y.values.numpy(), TABLE[:, [3]])
    assert not sample.warnings


def test_constant_columns_are_left_out_of_their_groups():
    table = np.c_[TABLE, np.ones(300)]
    sample, taken = take_groups(table, None, {"a": [0, 4], "b": [3]}, "raise")
    assert taken == {"a": ["0"], "b": ["3"]}
    assert [warning.code for warning in sample.warnings] == ["constant-column"]
    with pytest.raises(ValueError, match="group 'b' is constant in every column"):
        take_groups(table, None, {"a": [0, 1], "b": [4]}, "raise")


@pytest.mark.parametrize(
    "groups, sentence",
    [
        ({"a": [0]}, "groups has 1 group"),
        ({"a": [0], "b": []}, "group 'b' is \\[\\]: expected a list of columns"),
        ({"a": [0], "b": "1"}, "group 'b' is '1': expected a list"),
        ({"a": [0], "b": 1}, "group 'b' is 1: expected a list"),
        ({"a": [0], "b": ["0"]}, "column '0' is twice in the groups"),
        ({"a": [0], "b": [[1]]}, "table has no column '\\[1\\]'"),
        ({"a": [0, 1], "b": [1]}, "column '1' is twice in the groups \\('a', 'b'\\)"),
        ({"a": [0], "b": [7]}, "table has no column '7'. Known: '0', '1', '2', '3'"),
    ],
)
def test_groups_that_cannot_be_used(groups, sentence):
    with pytest.raises(ValueError, match=sentence):
        take_groups(TABLE, None, groups, "raise")


@pytest.mark.parametrize("groups", [["u", "u", "v", "v"], "uv", 3])
def test_groups_are_names_with_their_columns(groups):
    with pytest.raises(TypeError, match="groups is a .*: expected a dictionary of names to lists of columns"):
        take_groups(TABLE, None, groups, "raise")


def test_groups_and_columns_do_not_go_together():
    with pytest.raises(ValueError, match="columns and groups"):
        take_groups(TABLE, [0], {"a": [0], "b": [1]}, "raise")


def test_values_pvalues_and_warnings_with_the_names_of_their_groups():
    sample, taken = take_groups(TABLE[:100], None, {"a": [0], "b": [1], "c": [2]}, "raise")
    numbers, warnings = measure_groups(sample, taken, True, Recipe(folds=2, steps=20, hidden=(8,)), 1)
    assert [len(part) for part in numbers] == [3, 3, 3, 3]
    assert (numbers[2] == 100).all()
    assert (numbers[3] > 0.001).all()
    assert any(str(warning).startswith("a, b: 100 rows") for warning in warnings)
