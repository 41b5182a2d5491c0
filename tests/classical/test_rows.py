"""Containers as numbers or codes, and what is refused."""

import datetime
import decimal
import fractions

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import stats

from mibounds.classical._rows import code_sides, codes, normal_scores, number_sides, paired, row_order
from mibounds.warnings import IndexMismatchWarning

VALUES = [1.0, 2.0, 2.0, 5.0]


@pytest.mark.parametrize(
    "container", [list, tuple, np.array, torch.tensor, pd.Series, pl.Series], ids=lambda one: one.__name__
)
def test_a_container_of_numbers_is_its_numbers(container):
    x, y, z = number_sides(container(VALUES), VALUES[::-1])
    assert x.tolist() == [[1.0], [2.0], [2.0], [5.0]]
    assert y.tolist() == [[5.0], [2.0], [2.0], [1.0]]
    assert z.shape == (4, 0)


def test_constant_columns_are_left_out_of_numbers():
    x, _, z = number_sides({"a": VALUES, "b": [3.0] * 4}, VALUES, {"c": [1.0] * 4, "d": VALUES})
    assert x.tolist() == z.tolist() == [[one] for one in VALUES]


def test_dates_are_numbers_and_whole_numbers_keep_their_digits():
    days = [datetime.date(2026, 1, day) for day in (1, 2, 4)]
    x, y, _ = number_sides(days, [2**60, 2**60 + 1, 2**60 + 3])
    assert (np.diff(x[:, 0]) / np.diff(x[:, 0])[0]).tolist() == [1.0, 2.0]
    assert np.diff(y[:, 0]).tolist() == [1.0, 2.0]


def test_minus_zero_is_zero():
    x, _, _ = number_sides([0.0, -0.0, 1.0], [1.0, 2.0, 3.0])
    assert not np.signbit(x).any()


def test_codes_tell_rows_apart():
    assert codes(["b", "a", "b"], "x").tolist() == [1, 0, 1]
    assert codes({"a": [0, 0, 1, 0], "b": ["u", "v", "v", "u"]}, "x").tolist() == [0, 1, 2, 0]
    assert paired(np.array([0, 0, 1, 1]), np.array([0, 2, 0, 2])).tolist() == [0, 1, 2, 3]
    x, y, z = code_sides([True, False], ["u", "v"])
    assert (x.tolist(), y.tolist(), z.tolist()) == ([1, 0], [0, 1], [0, 0])


@pytest.mark.parametrize("mixed", [[1, "1", 1], [2.5, b"2.5", 1], [datetime.date(2026, 1, 1), "2026-01-01", "b"]])
def test_labels_of_several_kinds_are_refused(mixed):
    for container, label in (
        (mixed, "x"),
        ({"k": mixed}, "column 'k' of x"),
        (pd.Series(mixed, name="k"), "column 'k'"),
    ):
        with pytest.raises(TypeError, match=f"^{label}.* holds .* and text: expected numbers, dates, booleans or text"):
            codes(container, "x")
    assert codes(["a", None, "a"][::2], "x").tolist() == [0, 0]


def test_complex_numbers_and_tensors_without_values_are_refused_by_name():
    for container, label in ((pd.Series([1j, 2, 3], name="k"), "column 'k' of x"), (np.array([1j, 2, 3]), "x")):
        for take in (codes, number_sides):
            with pytest.raises(TypeError, match=f"^{label} is complex: give real numbers"):
                take(container, "x")
    with pytest.raises(TypeError, match="^x is a tensor on the meta device, which holds no values"):
        codes(torch.zeros(3, device="meta"), "x")


@pytest.mark.parametrize(
    ("x", "error", "sentence"),
    [
        (["a", "b", "c"], TypeError, "x holds text: expected numbers"),
        ({"k": ["a", "b", "c"]}, TypeError, "column 'k' of x holds text"),
        ([1.0, None, 3.0], ValueError, "x has 1 missing value:"),
        ([np.nan, np.nan, 3.0], ValueError, "x has 2 missing values:"),
        ([np.inf, 2.0, 3.0], ValueError, "x has 1 infinite value:"),
        ([], ValueError, "x is empty"),
        (np.float64(3), ValueError, "x is a single value"),
        (torch.ones(3, device="meta"), TypeError, "x is a tensor on the meta device"),
        (dict, TypeError, "x is of type type: expected rows of numbers or text"),
        (np, TypeError, "x is of type module: expected rows of numbers or text"),
        ([1.0, 2.0], ValueError, "2"),
    ],
    ids=[
        "text",
        "a column of text",
        "none",
        "nan",
        "infinite",
        "empty",
        "one value",
        "meta",
        "class",
        "module",
        "fewer rows",
    ],
)
def test_numbers_that_cannot_be_used_are_refused(x, error, sentence):
    with pytest.raises(error, match=sentence):
        number_sides(x, [1.0, 2.0, 3.0])


def test_missing_labels_are_refused():
    with pytest.raises(ValueError, match="x has 1 missing value: give the missing value a name of its own"):
        code_sides(["a", None, "b"], [0, 1, 2])
    with pytest.raises(ValueError, match="y has 1 missing value"):
        code_sides([0, 1], [np.nan, 1.0])


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_refused_by_one_sentence():
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    for function in (codes, lambda data, name: number_sides(data, [1.0, 2.0])):
        with pytest.raises(TypeError, match=r"^x is a nested tensor: pass the list of its parts, x\.unbind\(\)\.$"):
            function(nested, "x")


@pytest.mark.parametrize("sides", [number_sides, code_sides])
def test_rows_in_another_order_are_refused_and_other_indexes_warned_of(sides):
    one = pd.Series(VALUES)
    for rows in ((one, one[::-1]), (one, one, one[::-1]), (pd.DataFrame({"a": one}), one[::-1])):
        with pytest.raises(ValueError, match="have the same index in another order"):
            sides(*rows)
    with pytest.warns(IndexMismatchWarning, match="x and y have different indexes"):
        sides(one, one.add_prefix("r"))
    sides(one, one[::-1].to_numpy())


@pytest.mark.parametrize(
    "values",
    [
        ["a", "a\0"], pd.Series(["a", "a\0"]), np.array(["a", "a\0"], dtype=object), [b"caf\xe9", b"caf\xe8"],
        np.array([b"caf\xe9", b"caf\xe8"]), [decimal.Decimal("1e40"), decimal.Decimal(1)], [10**5000, 10**5000 + 1],
        pd.Categorical(["1", "01"]), [fractions.Fraction(10**400), fractions.Fraction(1)],
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_different_values_have_different_codes(values):
    assert len({*codes(values, "x").tolist()}) == 2


@pytest.mark.parametrize("values", [["a", b"a"], np.array(["a", b"a"], dtype=object), pd.Series(["a", b"b"])])
def test_text_beside_bytes_is_refused(values):
    with pytest.raises(TypeError, match="x holds bytes and text: expected"):
        codes(values, "x")


def test_the_order_of_rows_depends_on_their_values_only():
    rng = np.random.default_rng(0)
    x, y, moved = rng.normal(size=(50, 2)).round(1), rng.normal(size=(50, 1)).round(), rng.permutation(50)
    joined = np.hstack([x, y])
    assert (joined[row_order([x, y])] == joined[moved][row_order([x[moved], y[moved]])]).all()
    assert row_order([np.empty((3, 0)), np.empty((3, 0))]).tolist() == [0, 1, 2]


def test_normal_scores_are_quantiles_of_mid_ranks():
    found = normal_scores(np.array([[5.0, 1.0], [1e9, 1.0], [-3.0, 2.0]]))
    assert found == pytest.approx(stats.norm.ppf(np.array([[2, 1.5], [3, 1.5], [1, 3]]) / 4))
