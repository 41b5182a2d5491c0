"""Nearest neighbors in the columns that matter."""

import math

import numpy as np
import pytest
import torch

import mibounds.estimation.selected_columns as module
from mibounds.data import Sample
from mibounds.estimation.selected_columns import selected_columns
from mibounds.tasks import FlippedLabel, Regression
from mibounds.tasks.functions import FAST_SINE, PRODUCT, SINE
from mibounds.tasks.labels import RINGS, SECTORS
from mibounds.tasks.noises import Normal

NAMES = ("a", "b", "c", "d", "e", "f")


def taken(task, n, seed=0, *, label=False):
    x, y = task.sample(n, torch.Generator().manual_seed(seed))
    types = {"y": "categorical"} if label else {}
    return Sample.of(x=x, y=y[:, 0].long() if label else y, types=types)


@pytest.mark.parametrize(
    ("task", "columns", "bias"),
    [
        pytest.param(Regression(SINE, Normal(0.3), 5), ("x[0]",), 0.0, id="one of six"),
        pytest.param(Regression(PRODUCT, Normal(0.3), 3), ("x[0]", "x[1]"), -0.06, id="a pair of five"),
    ],
)
def test_measures_the_columns_that_matter(task, columns, bias):
    checks = [selected_columns(taken(task, 1500, seed), seed) for seed in range(2)]
    assert {check.columns for check in checks} == {columns}
    mean = np.mean([check.value for check in checks])
    assert mean == pytest.approx(task.mutual_information + bias, abs=0.04)
    assert all(check.stderr == 1 / math.sqrt(1500) for check in checks)


@pytest.mark.parametrize("rule", [RINGS, SECTORS], ids=["two classes", "fifteen"])
def test_measures_a_label(rule):
    task = FlippedLabel(rule, 0.05, 3)
    check = selected_columns(taken(task, 2000, label=True), 0)
    assert check.columns == ("x[0]", "x[1]")
    assert 0.85 * task.mutual_information < check.value < task.mutual_information + 0.03


def test_takes_few_whole_numbers_for_categories():
    rng = np.random.default_rng(0)
    level = rng.integers(0, 12, 2000)
    means = rng.permutation(12)  # in no order
    y = means[level] + 0.3 * rng.normal(size=2000)
    check = selected_columns(Sample.of(x=np.stack([level, rng.normal(size=2000)], 1), y=y), 0)
    grid = np.linspace(-3, 15, 100_001)
    densities = np.exp(-((grid - np.arange(12)[:, None]) ** 2) / 0.18) / math.sqrt(0.18 * math.pi)
    marginal = densities.mean(0)
    exact = -float(torch.trapezoid(*map(torch.from_numpy, (marginal * np.log(marginal), grid)))) - math.log(
        0.3 * math.sqrt(2 * math.pi * math.e)
    )
    assert check.columns == ("x[0]",)
    assert check.value == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize(("n", "columns"), [(100, 5), (200, 50), pytest.param(1000, 8, marks=pytest.mark.slow)])
def test_chance_chooses_nothing(n, columns):
    rng = np.random.default_rng(n)
    seeds = range(3 if columns > 10 else 10)
    found = [selected_columns(Sample.of(x=rng.normal(size=(n, columns)), y=rng.normal(size=n)), seed) for seed in seeds]
    assert found == [None for _ in seeds]


def test_chooses_in_the_wider_variable():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(800, 6))
    x = y[:, 4] ** 2 + 0.3 * rng.normal(size=800)
    one, other = Sample.of(x=x, y=y), Sample.of(x=y, y=x)
    assert selected_columns(one, 0).columns == ("y[4]",)
    assert selected_columns(one, 0).value == selected_columns(other, 0).value


def test_leaves_alone_what_plain_nearest_neighbors_say():
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    assert selected_columns(Sample.of(x=x, y=x + rng.normal(size=500)), 0) is None


def test_leaves_two_labels_to_counts():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, (1000, 3))
    assert selected_columns(Sample.of(x=x, y=(x[:, 0] + rng.integers(0, 2, 1000)) % 9), 0) is None


def test_the_gain_of_doubling_the_samples_is_measured():
    check = selected_columns(taken(Regression(FAST_SINE, Normal(0.1), 2), 800), 0)
    assert 0.1 < check.learning_gain < 1


@pytest.mark.parametrize("more", [10, 10**6])
def test_what_was_tried_twice_has_to_exceed_more(monkeypatch, more):
    """The value is about 0.25, the limits 0.18 and 0.31: the first search tried ten subsets, the second more."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    sample = Sample.of(x=x, y=x[:, 0] + 1.1 * rng.normal(size=400))
    answers = iter([((), 10), ((0,), more)])
    monkeypatch.setattr(module, "_agreed", lambda columns, target, parts: next(answers))
    assert (selected_columns(sample, 0) is None) == (more > 10)


@pytest.mark.parametrize("idle", [1, 9])
def test_a_column_that_oscillates_is_found_among_idle_ones(idle):
    """In the units of normal scores nearest neighbors find it in none of the halves."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 1 + idle))
    y = np.mod(3 * x[:, 0], 1) + 0.1 * rng.normal(size=500)  # 1.064 nats
    check = selected_columns(Sample.of(x=x, y=y), 0)
    assert check.columns == ("x[0]",)
    assert 0.75 < check.value < 1.1


def one_of_two(n, seed=0, idle=1):
    """x of three columns and y of one that depends on the first of them, beside idle ones."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=draw)
    y = torch.randn(n, 1 + idle, generator=draw)
    y[:, 0] = (2 * x[:, 0]).sin() + 0.3 * y[:, 0]  # 0.862 nats
    return x, y


def test_idle_columns_of_the_narrower_side_are_left_out_too():
    x, y = one_of_two(800, idle=2)
    check = selected_columns(Sample.of(x=x, y=y), 0)
    assert check.columns == ("x[0]", "y[0]")
    assert check.value == pytest.approx(0.862, abs=0.08)
    all_of_x = selected_columns(Sample.of(x=x[:, :1], y=one_of_two(800, idle=2)[1]), 0)
    assert all_of_x.columns == ("y[0]",)


def test_where_all_columns_of_the_wider_side_matter_those_of_the_other_are_chosen():
    x, y = one_of_two(800)
    x = x[:, :2]
    y[:, 0] += 0.5 * x[:, 1]
    check = selected_columns(Sample.of(x=x, y=y), 0)
    assert check.columns == ("x[0]", "x[1]", "y[0]")


def test_all_columns_of_the_narrower_side_stay_unless_fewer_say_clearly_more():
    x, y = one_of_two(800)
    y[:, 1] = x[:, 0] + 0.3 * y[:, 1]
    assert selected_columns(Sample.of(x=x, y=y), 0).columns == ("x[0]",)
