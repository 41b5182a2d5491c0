"""Nearest neighbors between a column and what is predicted of it."""

import math

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.classical import mixed_ksg
from mibounds.data import RankGaussianize, Sample
from mibounds.estimation import cross_checks
from mibounds.estimation.prediction_check import prediction_check
from mibounds.learners import SupervisedFeatures
from mibounds.tasks import Regression
from mibounds.tasks.functions import PRODUCT, SIGMOID, SINE
from mibounds.tasks.noises import Normal


def features(columns, targets=1):
    return [SupervisedFeatures(columns, targets) for _ in range(2)]


def test_it_is_that_of_the_features_of_the_test_samples(evaluated):
    x, y = Regression(PRODUCT, Normal(0.3), 1).sample(400, torch.Generator().manual_seed(0))
    sample = Sample.of(x=x, y=y.exp())
    evaluation = evaluated(sample, features(3))
    check = prediction_check(evaluation, sample, 0)
    of_x, of_y = [], []
    for one in evaluation.fitted:
        of_x.append(one.critic.encoder_x(sample.x.table[one.fold.test])[:, 3:])
        of_y.append(sample.y.table[one.fold.test])
    predicted, column = (RankGaussianize().fit(side)(side).double() for side in (torch.cat(of_x), torch.cat(of_y)))
    assert predicted.shape == (400, 3)
    assert check.name == "PredictionKSG"
    assert check.value == pytest.approx(mixed_ksg(predicted, column))
    assert check.stderr == 1 / 20
    assert check.unbiased and not check.is_lower_bound
    halves = [mixed_ksg(predicted[i::2], column[i::2]) for i in (0, 1)]
    of_neighbors = check.value - np.mean(halves)
    for of_critics, added in ((0.0, 0.0), (0.03, 0.03), (-0.03, 0.0)):
        evaluation.learning_gain = of_critics
        gained = prediction_check(evaluation, sample, 0).learning_gain
        assert gained == pytest.approx(of_neighbors + added)


@pytest.mark.parametrize(("function", "idle"), [(SINE, 8), pytest.param(SIGMOID, 8, marks=pytest.mark.slow)])
def test_it_is_close_to_the_truth_whatever_the_idle_columns(evaluated, function, idle):
    task = Regression(function, Normal(0.3), idle)
    x, y = task.sample(1200, torch.Generator().manual_seed(1))
    sample = Sample.of(x=x, y=y)
    check = prediction_check(evaluated(sample, features(1 + idle)), sample, 0)
    assert check.value == pytest.approx(task.mutual_information, abs=0.06)


def test_of_noise_it_is_within_its_error(evaluated):
    for seed in range(3):
        x, y = torch.randn(2, 400, 4, generator=torch.Generator().manual_seed(seed))
        sample = Sample.of(x=x, y=y[:, :1])
        check = prediction_check(evaluated(sample, features(4)), sample, 0)
        assert abs(check.value) < 2.5 * check.stderr


def test_of_both_directions_the_larger_counts(evaluated):
    x = torch.randn(300, 1, generator=torch.Generator().manual_seed(0))
    y = x.square() + 0.1 * torch.randn(300, 1, generator=torch.Generator().manual_seed(1))
    sample = Sample.of(x=x, y=y)
    forward = prediction_check(evaluated(sample, features(1)), sample, 0).value
    backward = prediction_check(evaluated(sample, None, features(1)), sample, 0).value
    assert forward != backward
    both = prediction_check(evaluated(sample, features(1), features(1)), sample, 0)
    assert both.value == pytest.approx(max(forward, backward))


def test_long_tables_give_ten_thousand_rows(evaluated, monkeypatch):
    monkeypatch.setattr(cross_checks, "_ROWS", 100)
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    sample = Sample.of(x=x, y=x[:, :1] + 0.1 * x[:, 1:])
    check = prediction_check(evaluated(sample, features(2)), sample, 0)
    assert check.stderr == 1 / math.sqrt(100)


def test_labels_several_columns_and_critics_without_features_have_none(evaluated):
    x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    several = Sample.of(x=x, y=x + 1)
    assert prediction_check(evaluated(several, features(2, 2)), several, 0) is None
    assert prediction_check(evaluated(several), several, 0) is None
    label = Sample.of(x=x, y=["ab"[int(value > 0)] for value in x[:, 0]])
    classes = torch.unique(label.y.table, dim=0)
    of_label = [SupervisedFeatures(2, label.y.width, classes=classes) for _ in range(2)]
    assert prediction_check(evaluated(label, of_label), label, 0) is None
    of_classes = Sample.of(x=["abc"[i % 3] for i in range(100)], y=x[:, :1])
    assert prediction_check(evaluated(of_classes, features(of_classes.x.width)), of_classes, 0) is None
    wide = Sample.of(x=torch.randn(60, 1001, generator=torch.Generator().manual_seed(0)), y=x[:60, :1])
    assert prediction_check(evaluated(wide, features(1001)), wide, 0) is None


@pytest.mark.supervised
@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_an_estimate_has_it_where_samples_are_independent():
    x, y = Regression(SINE, Normal(0.3), 1).sample(200, torch.Generator().manual_seed(0))
    short = {"folds": 2, "steps": 2, "hidden": (8,)}
    assert "PredictionKSG" in {**(found := mi.estimate(x, y, **short)).cross_checks, **found.estimates}
    for dependent in ({"split": "blocked"}, {"groups": torch.arange(200) // 2}):
        found = mi.estimate(x, y, **short, **dependent)
        assert "PredictionKSG" not in {**found.cross_checks, **found.estimates}
