"""Values of inputs of the kinds on which tools of this field are known to go wrong; each test is of inputs that were in
none of the reports."""

import numpy as np
import pandas as pd
import pytest
import torch

import mibounds as mi
from mibounds.integrations import mi_classification, mi_regression

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

TINY = {"folds": 2, "steps": 2, "hidden": (8,), "test_negatives": 32}
SHORT = TINY | {"steps": 40}


def codes(result):
    return [one.code for one in result.warnings]


# Nearest neighbors of rounded and counted values


def rounded(rng, n):
    return rng.normal(size=(2, n)).round(1)


def counts(rng, n):
    return rng.poisson(5.0, (2, n)).astype(float)


def ages_and_heights(rng, n):
    return np.stack([rng.normal(45, 15, n).round(), (170 + 10 * rng.normal(size=n)).round()])


def halves_and_numbers(rng, n):
    return np.stack([rng.integers(0, 20, n) / 2, rng.normal(size=n)])


@pytest.mark.parametrize("make", [rounded, counts, ages_and_heights, halves_and_numbers])
def test_nearest_neighbors_find_nothing_in_independent_rounded_values(make):
    x, y = torch.from_numpy(make(np.random.default_rng(3), 800))
    assert abs(mi.classical.mixed_ksg(x, y)) < 0.06


# Repeated rows


@pytest.mark.parametrize("kind", ["four times", "with a label", "in another order"])
def test_repeated_rows_of_other_tables_are_warned_of(kind):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 90, 3))
    times = 4 if kind == "four times" else 2
    rows = np.tile(np.arange(90), times)
    if kind == "in another order":
        rows = rng.permutation(rows)
    frame = pd.DataFrame(x).assign(label=rng.choice(["a", "b"], 90)) if kind == "with a label" else pd.DataFrame(x)
    assert "ties" in codes(mi.estimate(frame.iloc[rows].reset_index(drop=True), y[rows], **TINY))
    assert "ties" not in codes(mi.estimate(frame, y, **TINY))


# A table of all pairs, and what it cannot do


@pytest.mark.parametrize("nan", ["indicator", "ignore", None])
def test_a_matrix_refuses_other_ways_to_treat_missing_values(nan):
    table = np.random.default_rng(0).normal(size=(80, 2))
    table[::9, 0] = np.nan
    with pytest.raises((TypeError, ValueError), match="^nan is .*: expected 'raise' or 'drop'"):
        mi.matrix(table, nan=nan)


# Columns that are named to scikit-learn's scores


@pytest.mark.parametrize("columns", [[5], [-4], ["city"], [[0, 1]], [0.5], np.array([9])])
@pytest.mark.parametrize("score", [mi_regression, mi_classification])
def test_discrete_features_that_are_no_columns_are_refused(columns, score):
    x = np.random.default_rng(0).normal(size=(80, 2))
    with pytest.raises((TypeError, ValueError), match="^discrete_features (is|has|holds|names) .*[.?]$"):
        score(x, x[:, 0] > 0, discrete_features=columns)


# Labels that determine each other


@pytest.mark.parametrize(
    "make",
    [
        lambda k: (k % 12, np.array([f"{i} of 12" for i in k % 12])),
        lambda k: (k % 2 == 0, np.where(k % 2 == 0, -7, 7)),
        lambda k: (np.array(["low", "middle", "high"])[k % 3], 2 - k % 3),
        lambda k: (np.minimum(k % 8, 3), np.minimum(k % 8, 3) ** 2),
    ],
    ids=["twelve names", "signs", "steps in reverse", "uneven"],
)
def test_labels_that_determine_each_other_are_exact_and_warned_of_by_nothing(make):
    x, y = make(np.arange(480))
    found = mi.estimate(x, y, x_type="categorical", y_type="categorical", **SHORT)
    assert found.value == pytest.approx(mi.classical.entropy(y), abs=0.02)
    assert not set(codes(found)) & {"not-normalized", "overfit", "cross-check", "infinite-information"}


# A critic whose information is to become small, and a code that shrinks


@pytest.mark.parametrize("critic", ["diagonalgaussian", "fullgaussian"])
@pytest.mark.parametrize("bound", ["club", "leaveoneout"])
def test_a_code_that_is_small_keeps_its_upper_bound(bound, critic):
    def value(scale):
        penalty = mi.MIRegularizer(2, 2, bound=bound, critic=critic, hidden=(16,), lr=1e-2)
        for seed in range(30):
            x, z = mi.tasks.CorrelatedGaussian(2, 0.8).sample(64, torch.Generator().manual_seed(seed))
            penalty.update(x, scale * z)
        return penalty.value()

    plain = value(1.0)
    for scale in (3e-4, 1e-5, 1e-7):
        assert value(scale) == pytest.approx(plain, rel=0.02, abs=5e-3)


@pytest.mark.parametrize("kind", [float, str])
@pytest.mark.parametrize("verb", ["estimate", "bracket", "independence_test"])
def test_a_column_with_one_value_that_is_mostly_missing_is_its_indicator(verb, kind):
    """Filled in, the value is constant, and only where it is missing says something."""
    rng = np.random.default_rng(0)
    missing = rng.random(200) < 0.7
    y = np.where(missing, 0.0, 2.0) + 0.1 * rng.normal(size=200)
    x = np.array([None if gone else kind(3) for gone in missing], dtype=object)
    found = getattr(mi, verb)(x, y, nan="indicator", steps=20, folds=2, hidden=(8,))
    assert getattr(found, "estimate", found).columns[0] == ("x=missing",)
