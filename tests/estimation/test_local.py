import math

import pytest
import torch

import mibounds as mi
from mibounds.data import Sample
from mibounds.estimation import _estimate as inner
from mibounds.estimation.local import local_evaluation, trains_as_preset
from mibounds.training.policy import CrossCheck
from mibounds.training.recipe import Recipe

RECIPE = Recipe(folds=2, progress=False)
NAMES = {"copula density", "Student copula"}


def normal_pair(n=400, rho=0.8, seed=0):
    x, noise = torch.randn(2, n, 1, generator=torch.Generator().manual_seed(seed))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def neighbors(value, **changes):
    return [CrossCheck("GaussianCopula", 9.0), CrossCheck("KSG", value, **{"unbiased": True, **changes})]


def enough(x, y, checks, recipe=RECIPE, types=None):
    found = local_evaluation(Sample.of(x=x, y=y, types=types or {}), recipe, checks)
    return found is not None


def test_a_pair_of_columns_needs_no_network():
    x, y = normal_pair(1000)
    found = mi.estimate(x, y, folds=3)
    assert found.value == pytest.approx(0.511, abs=0.06)
    assert found.interval[0] < 0.511 < found.interval[1]
    assert {curve.candidate for curve in found.curves} <= NAMES
    assert all(curve.steps == (0,) for curve in found.curves)
    assert found.lower_bound > 0.4
    assert mi.estimate(y, x, folds=3).value == found.value


def test_it_is_enough_within_a_tenth_of_a_nat_and_5_percent_of_nearest_neighbors():
    x, y = normal_pair()
    certified = local_evaluation(Sample.of(x=x, y=y), RECIPE, neighbors(0.45)).by_bound["InfoNCE"].value()
    least, most = (certified - 0.1) / 1.05, (certified + 0.1) / 0.95
    assert enough(x, y, neighbors(most - 1e-4))
    assert not enough(x, y, neighbors(most + 1e-4))
    assert enough(x, y, neighbors(least + 1e-4))
    assert not enough(x, y, neighbors(least - 1e-4))  # neighbors miss what the critics see


def test_regressions_certify_what_densities_are_too_smooth_for():
    """Of a uniform column and uniform noise with 3.5 nats, of which copula densities see 3."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3000, 1, generator=generator)
    y = x + 0.0153 * (2 * torch.rand(3000, 1, generator=generator) - 1)
    smooth, sharp = (local_evaluation(Sample.of(x=x, y=y), RECIPE, neighbors(value)) for value in (3.0, 3.5))
    assert smooth.by_bound["InfoNCE"].value() < 3.1
    assert 3.35 < sharp.by_bound["InfoNCE"].value() < 3.55
    assert all("regression" in fitted.curve.candidate for fitted in sharp.fitted)
    assert not any("regression" in fitted.curve.candidate for fitted in smooth.fitted)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 300}, {"learners": False}, {"hidden": (64,)}, {"critic": "joint"}, {"bound": "nwj"}, {"lr": 1e-3},
        {"batch_size": 64}, {"patience": 8}, {"clip": 2.0}, {"weight_decay": 0.0}, {"tolerance": 0.0},
        {"check_every": 10}, {"precision": "bf16"},
    ],
)  # fmt: skip
def test_settings_of_the_training_ask_for_training(settings):
    assert not enough(*normal_pair(60), neighbors(0.45), RECIPE.replace(**settings))


def test_other_settings_do_not():
    assert trains_as_preset(RECIPE.replace(seed=3, workers=2, bootstrap=50, validation_fraction=0.2))
    assert trains_as_preset(Recipe.preset("default"))
    assert trains_as_preset(Recipe.preset("quick"))
    assert not trains_as_preset(Recipe.preset("quick").replace(steps=61))
    assert not trains_as_preset(Recipe(hidden=(64, 64), learners=False))
    assert not trains_as_preset(Recipe.preset("thorough"))


def test_labels_several_columns_and_unknown_neighbors_need_training():
    x, y = normal_pair(60)
    assert enough(x, y, neighbors(0.45))
    assert not enough(x, y, [CrossCheck("GaussianCopula", 0.5)])
    assert not enough(x, y, neighbors(0.45, unbiased=False))
    assert not enough(torch.cat([x, -x], 1), y, neighbors(0.45))
    assert not enough(x, torch.cat([y, y.square()], 1), neighbors(0.45))
    assert not enough(x, (y > 0).long(), neighbors(0.45), types={"y": "categorical"})
    assert not enough((x > 0).long(), y, neighbors(0.45), types={"x": "categorical"})


@pytest.mark.parametrize("settings", [{"split": "blocked"}, {"cv": [(range(40), range(40, 80))]}])
def test_rows_that_may_depend_on_each_other_need_training(settings, monkeypatch):
    monkeypatch.setattr(inner, "local_evaluation", refuse)
    monkeypatch.setattr(inner, "default_candidates", stop)
    with pytest.raises(ArithmeticError, match="trained"):
        mi.estimate(*normal_pair(80), **settings)
    with pytest.raises(ArithmeticError, match="trained"):
        mi.estimate(*normal_pair(80), groups=torch.arange(80) // 4)


def test_differences_and_brackets_are_of_trained_critics(monkeypatch):
    monkeypatch.setattr(inner, "local_evaluation", refuse)
    monkeypatch.setattr(inner, "default_candidates", stop)
    x, y = normal_pair(80)
    for verb in (lambda: mi.bracket(x, y), lambda: mi.conditional(x, y, torch.randn(80))):
        with pytest.raises(ArithmeticError, match="trained"):
            verb()


def test_a_relation_that_oscillates_is_trained(monkeypatch):
    monkeypatch.setattr(inner, "default_candidates", stop)
    x = torch.rand(600, 1, generator=torch.Generator().manual_seed(0))
    y = (40 * x).sin() + 0.1 * torch.randn(600, 1, generator=torch.Generator().manual_seed(1))
    with pytest.raises(ArithmeticError, match="trained"):
        mi.estimate(x, y, folds=2)


def refuse(*_):
    raise AssertionError("asked for rows or verbs whose critics are trained")


def stop(*_):
    raise ArithmeticError("the candidates would be trained now")
