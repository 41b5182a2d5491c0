import inspect
from functools import partial

import pytest

from mibounds.benchmark.presets import PRESETS, estimator_named, suite_named, suite_names
from mibounds.estimation import estimate
from mibounds.tasks import suites
from mibounds.training.recipe import Recipe
from mibounds.training.trainer import Trainer


def test_suites_follow_the_module():
    assert suite_names() == [name.lower() for name in suites.__all__]
    assert suite_named("high_mi") is suites.HIGH_MI


@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_is_an_argument(name):
    preset = estimator_named(name)
    settings = preset.keywords if isinstance(preset, partial) else {}
    known = {*inspect.signature(estimate).parameters, *inspect.signature(Trainer).parameters}
    assert set(settings) <= known


def test_quick_and_fast_follow_the_recipe_quick():
    quick, fast = PRESETS["quick"].keywords["recipe"], PRESETS["fast"].keywords["recipe"]
    assert quick == Recipe.preset("quick")
    assert fast == quick.replace(steps=150, hidden=(128, 128))


def test_a_wrong_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="suite is 'bmi4': expected the name of a suite. Did you mean 'bmi40'?"):
        suite_named("bmi4")
    with pytest.raises(ValueError, match="'defualt': expected the name of an estimator. Did you mean 'default'?"):
        estimator_named("defualt")
