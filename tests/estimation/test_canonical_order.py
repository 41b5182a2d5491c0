"""The order of rows and variables in an estimate."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mibounds import Recipe
from mibounds.data import Sample
from mibounds.estimation.canonical_order import is_exchanged, row_order

N = 80
RECIPE = Recipe()


def normals(columns, seed=0):
    return np.random.default_rng(seed).normal(size=(N, columns))


def rows(sample, recipe=RECIPE):
    """The values of the first column of each variable in their order."""
    order = row_order(sample, recipe)
    return [(float(a), float(b)) for a, b in zip(sample.x.values[order, 0], sample.y.values[order, 0], strict=True)]


@pytest.mark.parametrize("digits", [8, 0], ids=["continuous", "with ties"])
def test_the_order_is_that_of_the_values(digits):
    x, y = normals(2).round(digits), normals(1, seed=1).round(digits)
    other = np.random.default_rng(2).permutation(N)
    types = {"x": "continuous", "y": "continuous"}
    given, permuted = (Sample.of(x=x[order], y=y[order], types=types) for order in (np.arange(N), other))
    assert rows(given) == rows(permuted)
    assert rows(given) != rows(given[torch.arange(N).flip(0)], replace(RECIPE, split="blocked"))
    assert sorted(row_order(given, RECIPE).tolist()) == list(range(N))
    exchanged = Sample.of(x=y[other], y=x[other], types=types)
    assert rows(exchanged) == [(b, a) for a, b in rows(given)]


@pytest.mark.parametrize("change", [lambda x: 1e6 * x - 3, lambda x: -x, np.exp, lambda x: x**3])
def test_units_and_monotone_maps_do_not_change_the_order(change):
    x, y = normals(2), normals(1, seed=1)
    orders = [row_order(Sample.of(x=side, y=y), RECIPE) for side in (x, change(x))]
    assert torch.equal(*orders)


def test_constant_columns_do_not_change_the_order():
    x, y = normals(2), normals(1, seed=1)
    longer = Sample.of(x=np.column_stack([np.ones(N), x]), y=y, drop_constant=False)
    assert torch.equal(row_order(longer, RECIPE), row_order(Sample.of(x=x, y=y), RECIPE))


def test_rows_stay_where_their_order_has_a_meaning():
    sample = Sample.of(x=normals(1), y=normals(1, seed=1))
    for recipe in (replace(RECIPE, split="blocked"), replace(RECIPE, cv=[(np.arange(40), np.arange(40, 80))])):
        assert row_order(sample, recipe).tolist() == list(range(N))


def test_one_of_two_variables_is_always_the_first():
    x, y, wide = normals(1), normals(1, seed=1) ** 3, normals(3, seed=2)
    label = pd.Series(np.array(["a", "b"])[np.arange(N) % 2])
    for first, second in ((x, y), (x, wide), (wide, label), (y, label)):
        found = [is_exchanged(Sample.of(x=a, y=b)) for a, b in ((first, second), (second, first))]
        assert sorted(found) == [False, True]
    assert not is_exchanged(Sample.of(x=wide, y=x))
    assert not is_exchanged(Sample.of(x=wide, y=label))
    assert not is_exchanged(Sample.of(x=x, y=x))
    images = np.random.default_rng(0).normal(size=(N, 8, 8))
    assert not is_exchanged(Sample.of(x=x, y=images))
    assert sorted(row_order(Sample.of(x=x, y=images), RECIPE).tolist()) == list(range(N))
