"""Bugs that were there once, each by the call of the user who met it."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

import mibounds as mi
from mibounds.tasks import CorrelatedGaussian

pytestmark = [
    pytest.mark.filterwarnings("ignore::mibounds.MIWarning"),  # trainings are short here
    pytest.mark.usefixtures("one_regularization"),
]

SHORT = {"steps": 3, "folds": 2, "hidden": (4,)}
RNG = np.random.default_rng(0)


def normals(count, n=100, seed=0):
    return np.random.default_rng(seed).normal(size=(count, n))


CALLS = {
    "estimate": "mi.estimate(x, y, **short)",
    "conditional": "mi.conditional(x, y, z, **short)",
    "bracket": "mi.bracket(x, y, **short)",
    "lagged": "mi.lagged(x, y, [1], gap=0, **short)",
    "transfer_entropy": "mi.transfer_entropy(x, y, gap=0, **short)",
    "learning_curve": "mi.learning_curve(x, y, sizes=[60, 70, 80], repeats=1, **short)",
    "independence_test": "mi.independence_test(x, y, permutations=9, **short)",
    "matrix": "mi.matrix(np.stack([x, y], 1), folds=2)",
    "Trainer": "mi.Trainer(steps=3, folds=2).fit(estimator, x, y)",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_warnings_point_at_the_line_of_the_user(call):
    """At module level, where every warning was attributed to `sys`, and inside of a function, where it was to the line
    that called the function."""
    source = f"\n\n{call}\n\ndef inner():\n    return {call}\n\ndef outer():\n    return inner()\n\nouter()\n"
    x, y, z = normals(3)
    estimator = mi.MIEstimator(mi.critics.SeparableCritic(1, 1, hidden=(4,)), mi.bounds.InfoNCE())
    names = {"mi": mi, "np": np, "x": x, "y": y, "z": z, "short": SHORT, "estimator": estimator, "__name__": "study"}
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("always")
        exec(compile(source, "study.py", "exec"), names)
    assert {(one.filename, one.lineno) for one in issued} == {("study.py", 3), ("study.py", 6)}


def test_a_bracket_weights_both_bounds():
    """The upper bound was that of all rows, and lay below the lower one."""
    x, noise = normals(2, 400)
    depends = np.arange(400) % 2 == 0
    y = np.where(depends, 2 * x + noise, noise)
    weighted = mi.bracket(x, y, sample_weight=depends.astype(float), **SHORT)
    by_hand = mi.bracket(x[depends], y[depends], **SHORT)
    assert (weighted.lower, weighted.upper) == (by_hand.lower, by_hand.upper)


def test_the_bootstrap_draws_groups_and_not_rows():
    x, noise = normals(2, 80)
    y = 2 * x + noise
    one = mi.estimate(x, y, bootstrap=50, **SHORT)
    groups = np.repeat(np.arange(80), 10)
    copies = mi.estimate(x[groups], y[groups], groups=groups, bootstrap=50, **SHORT)
    assert copies.stderr > 0.7 * one.stderr


@pytest.mark.parametrize("method", ["chain", "neighbors"])
def test_the_type_of_y_is_not_that_of_the_condition(method):
    x, z, noise = normals(3)
    y = np.digitize(x + 0.3 * noise, [-0.5, 0.5]).astype(float)
    found = mi.conditional(x, y, z, y_type="categorical", method=method, **SHORT)
    assert [len(part.columns[1]) for part in found.parts.values()][1] == 1
    assert "identifier" not in [warning.code for warning in found.warnings]
    assert mi.conditional(x, y, z, y_type={"y": "categorical"}, method=method, **SHORT).value == found.value


@pytest.mark.parametrize("n, z", [(500, np.arange(500) % 2), (100, normals(1, seed=1)[0])], ids=["strata", "chain"])
def test_groups_of_a_conditional_follow_the_rows(n, z):
    x, noise = normals(2, n)
    x[3] = np.nan
    found = mi.conditional(
        x, x + noise, z, groups=np.arange(n) // 5, sample_weight=np.arange(n) % 20 > 0, nan="drop", **SHORT
    )
    kept = (np.arange(n) % 20 > 0) & ~np.isnan(x)
    by_hand = mi.conditional(x[kept], (x + noise)[kept], z[kept], groups=(np.arange(n) // 5)[kept], **SHORT)
    assert found.value == by_hand.value
    assert found.stderr == by_hand.stderr


def test_groups_of_a_bracket_follow_the_rows():
    x, noise = normals(2)
    x[3] = np.nan
    kept, groups = ~np.isnan(x), np.arange(100) // 5
    found = mi.bracket(x, x + noise, groups=groups, nan="drop", **SHORT)
    by_hand = mi.bracket(x[kept], (x + noise)[kept], groups=groups[kept], **SHORT)
    assert (found.lower, found.upper) == (by_hand.lower, by_hand.upper)


@pytest.mark.parametrize("function", ["lagged", "transfer_entropy"])
@pytest.mark.parametrize("option", ["groups", "sample_weight"])
def test_series_say_which_options_they_do_not_have(function, option):
    """One value for each row was asked for, and then refused for not being one fewer."""
    x, y = normals(2)
    with pytest.raises(TypeError, match=f"{function} has no argument '{option}'"):
        getattr(mi, function)(x, y, **{option: np.arange(100)})


def test_a_conditional_says_that_it_has_no_encoders():
    x, y, z = normals(3)
    with pytest.raises(TypeError, match="conditional has no argument 'encoder_y'"):
        mi.conditional(x, y, z, encoder_y=torch.nn.Linear(1, 2), **SHORT)


@pytest.mark.parametrize("shape", [(100,), (100, 8, 8)])
def test_a_critic_object_is_refused_in_one_sentence(shape):
    y = normals(1)[0]
    with pytest.raises(
        TypeError, match="critic is a SeparableCritic object, and this function builds its critics"
    ) as e:
        mi.estimate(RNG.normal(size=shape), y, critic=mi.critics.SeparableCritic(1, 1), **SHORT)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("critic", ["diagonalgaussian", "flow", "fullgaussian"])
def test_a_density_is_no_critic_of_an_estimate(critic):
    x, y = normals(2)
    with pytest.raises(ValueError, match=f"critic is '{critic}': expected one of .*'separable'"):
        mi.estimate(x, y, critic=critic, **SHORT)


def test_the_independence_test_permutes_groups():
    """Six groups of equal rows, three in each half: no order of them is rarer than one in 36."""
    groups = np.repeat(np.arange(6), 20)
    value = np.array([-1.5, -0.9, -0.3, 0.3, 0.9, 1.5])[groups]
    x, y = value + 0.01 * normals(2, 120)
    quick = {**SHORT, "steps": 60, "lr": 0.01}
    grouped = mi.independence_test(x, y, groups=groups, permutations=199, **quick)
    rows = mi.independence_test(x, y, permutations=199, **quick)
    assert rows.pvalue == 1 / 200
    assert grouped.pvalues["critics"] > 1 / 100
    assert grouped.pvalue >= 1 / 200, "one of 720 orders of six groups"


def test_folds_on_both_sides_of_the_largest_value_trusted_with_shifts():
    """Values of the folds above and below 5 nats: some were evaluated in one direction and some in two."""
    x, y = CorrelatedGaussian.with_information(1, 6.2).sample(400, torch.Generator().manual_seed(1))
    result = mi.estimate(x, y, steps=2, folds=3, hidden=(4,), test_negatives=64)
    plug_in = [float(result.pointwise[fitted.fold.test].mean()) for fitted in result.fitted]
    assert min(plug_in) < 5 < max(plug_in)


def test_merged_categories_do_not_lower_the_limit_of_the_information():
    """The limit was the entropy of the 200 categories that are kept."""
    name = pd.Series([f"N{i % 220}" for i in range(440)])
    result = mi.estimate(name, name, steps=1, folds=2, hidden=(4,))
    assert result.to_dict()["entropy_limit"] == pytest.approx(math.log(220))


def test_the_interval_ends_at_the_entropy_of_the_label():
    label = np.arange(100) % 3
    x = label + 0.1 * normals(1)[0]
    result = mi.estimate(x, label, **{**SHORT, "steps": 40})
    assert result.interval[1] <= math.log(3) + 1e-3


def test_tables_with_numbered_columns_are_taken():
    values = normals(3).T
    assert mi.estimate(pd.DataFrame(values[:, :2]), pd.Series(values[:, 2]), **SHORT).n == 100
