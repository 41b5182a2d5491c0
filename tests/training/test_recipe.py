"""The recipe: checks with one sentence, presets, defaults by N, folds, clusters, and the signatures made of it."""

import dataclasses
import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold

import mibounds as mi
from mibounds.training.recipe import (
    ESTIMATOR_SETTINGS,
    SPLIT_SETTINGS,
    FilledRecipe,
    Recipe,
    SeriesSettings,
    Settings,
    automatic_folds,
    refuse_settings,
    takes_settings,
)

FIELDS = {one.name: one for one in dataclasses.fields(Recipe)}


# The fields


def test_the_settings_for_type_checkers_are_the_fields_of_the_recipe():
    settings = {**SeriesSettings.__annotations__, **Settings.__annotations__}
    assert set(settings) == set(FIELDS)
    for name, annotation in settings.items():
        assert getattr(annotation, "__forward_arg__", annotation) == FIELDS[name].type, name
    assert set(SeriesSettings.__annotations__) == set(FIELDS) - set(SPLIT_SETTINGS)
    assert set(ESTIMATOR_SETTINGS) < set(FIELDS)


def test_every_field_is_documented_and_has_a_help_text():
    documented = inspect.getdoc(Recipe)
    for name, one in FIELDS.items():
        assert f"\n    {name}: " in documented, name
        assert one.metadata["help"].endswith("."), name


WHOLE = "expected a whole number of at least"
FINITE = "expected a finite number"
WRONG_TYPE = [
    ({"steps": "100"}, f"steps is '100' (a str): {WHOLE} 1."),
    ({"steps": 10.0}, f"steps is 10.0 (a float): {WHOLE} 1."),
    ({"steps": True}, f"steps is True (a bool): {WHOLE} 1."),
    ({"patience": None}, f"patience is None: {WHOLE} 1."),
    ({"test_negatives": 0.5}, f"test_negatives is 0.5 (a float): {WHOLE} 1."),
    ({"lr": "1e-3"}, f"lr is '1e-3' (a str): {FINITE} above 0."),
    ({"split": 3}, "split is 3 (an int): expected 'random' or 'blocked'."),
    ({"seed": None}, "seed is None: give a whole number of at least 0. The same seed gives the same result."),
    ({"progress": 1}, "progress is 1 (an int): expected True or False."),
    ({"resume": 1}, "resume is 1 (an int): expected True or False."),
    ({"hidden": 128}, "hidden is 128: give the widths of the layers, for example (128,)."),
    ({"checkpoint": 3}, "checkpoint is 3: expected the path of a folder."),
    ({"cv": "kfold"}, "cv is 'kfold': expected a splitter with split(X, y, groups), such as KFold(5), or pairs of"),
    ({"cv": {"folds": 5}}, "cv is {'folds': 5}: expected a splitter"),
    ({"cv": KFold}, "cv is the class KFold: expected a splitter, for example KFold()."),
]
OUT_OF_RANGE = [
    ({"steps": 0}, f"steps is 0: {WHOLE} 1."),
    ({"folds": 1}, f"folds is 1: {WHOLE} 2."),
    ({"batch_size": 1}, f"batch_size is 1: {WHOLE} 2."),
    ({"workers": 0}, f"workers is 0: {WHOLE} 1."),
    ({"check_every": 0}, f"check_every is 0: {WHOLE} 1."),
    ({"patience": 0}, f"patience is 0: {WHOLE} 1."),
    ({"split": "blocked", "gap": -1}, f"gap is -1: {WHOLE} 0."),
    ({"bootstrap": 1}, f"bootstrap is 1: {WHOLE} 2."),
    ({"seed": -1}, f"seed is -1: {WHOLE} 0."),
    ({"seed": 2**64}, "seed is 18446744073709551616: expected a whole number below 2**32"),
    ({"progress": "yes"}, "progress is 'yes': expected 'auto', True or False."),
    ({"test_negatives": 0}, f"test_negatives is 0: {WHOLE} 1."),
    ({"test_negatives": "some"}, "test_negatives is 'some': expected 'all' or a whole number of at least 1."),
    ({"lr": 0}, f"lr is 0: {FINITE} above 0."),
    ({"lr": float("nan")}, f"lr is nan: {FINITE} above 0."),
    ({"clip": 0.0}, f"clip is 0.0: {FINITE} above 0."),
    ({"weight_decay": -1}, f"weight_decay is -1: {FINITE} of at least 0."),
    ({"tolerance": -0.1}, f"tolerance is -0.1: {FINITE} of at least 0."),
    ({"validation_fraction": 1.0}, f"validation_fraction is 1.0: {FINITE} above 0 and below 1."),
    ({"validation_fraction": 0}, f"validation_fraction is 0: {FINITE} above 0 and below 1."),
    ({"split": "block"}, "split is 'block': expected 'random' or 'blocked'. Did you mean 'blocked'?"),
    ({"precision": "fp16"}, "precision is 'fp16': expected 'float32' or 'bf16'."),
    ({"device": "cuda:99"}, "device is 'cuda:99', which this machine does not have. Here: cpu"),
    ({"hidden": (8, 0)}, "hidden is (8, 0) (a tuple): expected a sequence of whole numbers of at least 1"),
    ({"bound": "infonse"}, "bound is 'infonse': expected a mi.bounds object or a name. Did you mean 'infonce'?"),
    ({"critic": "diagonalgaussian"}, "critic is 'diagonalgaussian': expected one of 'bilinear', 'joint'"),
]


@pytest.mark.parametrize(
    "error, settings, sentence",
    [(TypeError, *case) for case in WRONG_TYPE] + [(ValueError, *case) for case in OUT_OF_RANGE],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_value_of_the_wrong_type_or_out_of_range_gives_one_sentence(error, settings, sentence):
    with pytest.raises(error) as caught:
        Recipe(**settings)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    with pytest.raises(error):  # a change is checked as a new recipe is
        Recipe().replace(**settings)


def test_every_field_is_checked():
    assert {name for name, one in FIELDS.items() if one.metadata["check"] is None} == set()


def test_values_are_kept_in_one_type():
    recipe = Recipe(
        steps=np.int64(5), lr=1, hidden=[8, 4], device="cpu", progress=np.bool_(True), checkpoint=Path("run")
    )
    assert (type(recipe.steps), type(recipe.lr), recipe.hidden, recipe.progress) == (int, float, (8, 4), True)
    assert recipe.device == recipe.torch_device == torch.device("cpu")
    assert Recipe().torch_device == torch.device("cpu")
    assert Recipe(test_negatives=np.int64(3)).test_negatives == 3


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"gap": 5}, "gap is 5, and a random split has none: pass split='blocked' too."),
        ({"resume": True}, "resume continues a checkpoint, and there is none: pass checkpoint=, its folder."),
        ({"cv": KFold(3), "folds": 3}, "cv makes the folds: pass neither folds nor split with it."),
        ({"cv": KFold(3), "split": "blocked"}, "cv makes the folds: pass neither folds nor split with it."),
    ],
)
def test_settings_that_exclude_each_other_give_one_sentence(settings, sentence):
    with pytest.raises(ValueError) as caught:
        Recipe(**settings)
    assert str(caught.value) == sentence
    with pytest.raises(ValueError):
        Recipe.of(None, settings)


def test_a_gap_of_zero_and_a_splitter_alone_are_accepted():
    assert Recipe(split="blocked", gap=0).gap == 0
    assert isinstance(Recipe(cv=KFold(3)).cv, KFold)
    assert Recipe(checkpoint="run", resume=True).resume


def test_a_recipe_is_frozen_and_compares_by_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().steps = 3
    assert Recipe(steps=3) == Recipe().replace(steps=3) != Recipe()
    assert pickle.loads(pickle.dumps(Recipe(steps=3))) == Recipe(steps=3)


@pytest.mark.parametrize("make", [Recipe, Recipe().replace, lambda **settings: Recipe.of("quick", settings)])
@pytest.mark.parametrize(
    "name, suggested", [("stepz", "steps"), ("n_folds", "folds"), ("epochs", "steps"), ("random_state", "seed")]
)
def test_an_unknown_keyword_gets_a_suggestion(make, name, suggested):
    with pytest.raises(
        TypeError, match=rf"^Recipe(\.replace)? has no argument '{name}'. Did you mean '{suggested}'\?$"
    ):
        make(**{name: 3})


# Presets and parts


def test_the_presets():
    assert Recipe.preset("default") == Recipe()
    assert Recipe.preset("quick") == Recipe(folds=2, steps=60, hidden=(64, 64), learners=False, test_negatives=128)
    assert Recipe.preset("thorough") == Recipe(folds=5, steps=2000)
    with pytest.raises(
        ValueError, match="recipe is 'quik': expected 'quick', 'default' or 'thorough'. Did you mean 'qu"
    ):
        Recipe.preset("quik")


@pytest.mark.parametrize(
    ("word", "preset"),
    [
        ("fast", "quick"),
        ("Small", "quick"),
        ("standard", "default"),
        ("slow", "thorough"),
        ("accurate", "thorough"),
        ("best", "thorough"),
        ("Thorough", "thorough"),
    ],
)
def test_other_words_for_a_preset_lead_to_it(word, preset):
    said = f"^recipe is '{word}': expected 'quick', 'default' or 'thorough'[.] Did you mean '{preset}'[?]$"
    with pytest.raises(ValueError, match=said):
        Recipe.of(word, {})
    with pytest.raises(ValueError, match=said):
        mi.estimate([1.0] * 60, [2.0] * 60, recipe=word)
    with pytest.raises(ValueError, match="^recipe is 'xyzzy': expected 'quick', 'default' or 'thorough'[.]$"):
        Recipe.preset("xyzzy")


def test_single_settings_take_precedence_over_those_of_the_recipe():
    assert Recipe.of(None, {}) == Recipe()
    assert Recipe.of("quick", {"steps": 5}) == Recipe.preset("quick").replace(steps=5)
    assert Recipe.of(Recipe(lr=0.1, steps=3), {"steps": 5}) == Recipe(lr=0.1, steps=5)
    for given, kind in ((3, "int"), (True, "bool"), ({"steps": 5}, "dict")):
        with pytest.raises(
            TypeError, match=rf"recipe is .* \(an? {kind}\): expected 'quick', 'default', 'thorough' or a mi.Recipe"
        ):
            Recipe.of(given, {})


def test_a_splitter_takes_the_place_of_the_folds_of_a_preset():
    cv = KFold(3)
    assert Recipe.of("quick", {"cv": cv}) == Recipe(
        steps=60, hidden=(64, 64), learners=False, test_negatives=128, cv=cv
    )
    assert Recipe(split="blocked", gap=3).replace(cv=cv) == Recipe(cv=cv)
    assert Recipe(cv=cv).replace(steps=5) == Recipe(cv=cv, steps=5)
    with pytest.raises(ValueError, match="cv makes the folds"):
        Recipe.of("quick", {"cv": cv, "folds": 2})
    with pytest.raises(ValueError, match="cv makes the folds"):
        Recipe(cv=cv).replace(split="blocked")


def test_each_of_several_fits_has_its_own_subfolder_and_seed():
    whole = Recipe(checkpoint="run", seed=7, steps=5)
    part = whole.part("x/y lag 3", 2)
    assert part == whole.replace(checkpoint=Path("run") / "x y lag 3", seed=9)
    assert whole.part("x").seed == 7
    assert Recipe(seed=7).part("x", 1) == Recipe(seed=8)


# Defaults by N


@pytest.mark.parametrize(
    "n, steps, check_every", [(50, 300, 25), (2_000, 300, 25), (2_001, 500, 50), (20_000, 500, 50), (20_001, 1000, 50)]
)
def test_steps_and_checks_follow_the_number_of_samples(n, steps, check_every):
    filled = Recipe(lr=0.5).filled(n, n // 2)
    assert isinstance(filled, FilledRecipe)
    assert (filled.steps, filled.check_every, filled.lr) == (steps, check_every, 0.5)
    given = Recipe(steps=7, check_every=3, batch_size=4).filled(n, n // 2)
    assert (given.steps, given.check_every, given.batch_size) == (7, 3, 4)


@pytest.mark.parametrize(
    "train_n, batch_size", [(20, 16), (64, 16), (68, 17), (1_023, 255), (1_024, 256), (9_000, 256)]
)
def test_a_batch_is_a_quarter_of_the_training_samples_within_limits(train_n, batch_size):
    assert Recipe().filled(10_000, train_n).batch_size == batch_size


def test_a_batch_has_at_most_the_training_samples_of_a_fold():
    assert Recipe(batch_size=340).filled(800, 340).batch_size == 340
    with pytest.raises(
        ValueError, match="batch_size is 341, and a fold trains on 340 samples: give a smaller batch_size"
    ):
        Recipe(batch_size=341).filled(800, 340)
    with pytest.raises(ValueError, match="a batch has at least 16 samples, and a fold trains on 3 samples: .*valid"):
        Recipe(validation_fraction=0.9).filled(60, 3)


@pytest.mark.parametrize(
    "n, folds, blocked", [(2_000, 5, 5), (6_000, 5, 5), (6_001, 3, 5), (20_000, 3, 5), (20_001, 2, 2), (10**6, 2, 2)]
)
def test_the_number_of_folds_follows_the_number_of_samples(n, folds, blocked):
    assert (automatic_folds(n, "random"), automatic_folds(n, "blocked")) == (folds, blocked)


# Folds and clusters


def sizes(folds):
    return [(len(fold.train), len(fold.valid), len(fold.test)) for fold in folds]


def test_the_folds_of_a_recipe():
    assert sizes(Recipe().splits(200)) == [(136, 24, 40)] * 5
    assert sizes(Recipe(folds=4, validation_fraction=0.2).splits(200)) == [(120, 30, 50)] * 4
    one, same, other = (Recipe(folds=2, seed=seed).splits(60) for seed in (1, 1, 2))
    assert torch.equal(one[0].test, same[0].test)
    assert not torch.equal(one[0].test, other[0].test)
    with pytest.raises(ValueError, match="folds is 60, and 100 samples give at most 50 folds of two samples"):
        Recipe(folds=60).splits(100)
    assert len(Recipe(folds=50).splits(100)) == 50


def test_the_gap_between_blocks_is_one_per_cent_of_the_samples_or_as_given():
    for gap, expected in ((None, 3), (0, 0), (9, 9)):
        first = Recipe(split="blocked", folds=2, gap=gap).splits(250)[0]
        assert first.test.tolist() == list(range(125))
        assert int(first.valid.min()) == 125 + expected, "1 % of 250 samples, rounded up"
        assert int(first.train.min()) - int(first.valid.max()) == 1 + expected


def test_groups_and_splitters_make_the_folds():
    groups = torch.arange(60) // 3
    for fold in Recipe(folds=3).splits(60, groups):
        parts = [set(groups[part].tolist()) for part in (fold.train, fold.valid, fold.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 20
    tests = [sorted(fold.test.tolist()) for fold in Recipe(cv=KFold(2)).splits(60)]
    assert tests == [list(range(30)), list(range(30, 60))]
    with pytest.raises(ValueError, match="groups and split='blocked' exclude each other"):
        Recipe(split="blocked", folds=2).splits(60, groups)
    with pytest.raises(TypeError, match="cv is 5: expected a splitter"):
        Recipe(cv=5).splits(60)


def test_pairs_that_can_be_read_once_are_kept():
    recipe = Recipe(cv=KFold(2).split(range(60)))
    assert sizes(recipe.splits(60)) == sizes(recipe.splits(60)) == sizes(Recipe(cv=KFold(2)).splits(60))


def test_the_largest_seed_has_parts_and_folds():
    recipe = Recipe(seed=2**32 - 1)
    assert [recipe.part("a", index).seed for index in range(3)] == [2**32 - 1, 0, 1]
    filled = recipe.filled(200, 100)
    assert dataclasses.replace(filled, seed=filled.seed * 1009).seed == (2**32 - 1) * 1009
    assert dataclasses.replace(filled).device == recipe.device


def test_settings_without_an_effect_are_refused():
    refuse_settings(None, {"seed": 1}, ["seed"], "nothing is trained")
    with pytest.raises(TypeError, match=r"^steps, lr have no effect, since nothing is trained: leave them out\.$"):
        refuse_settings(None, {"seed": 1, "steps": 2, "lr": 0.1}, ["seed"], "nothing is trained")
    with pytest.raises(TypeError, match="^recipe has no effect, since nothing is trained: leave it out"):
        refuse_settings("quick", {}, ["seed"], "nothing is trained")


def test_consecutive_samples_of_a_blocked_split_are_clusters():
    clusters = Recipe(split="blocked").clusters(1000)
    assert torch.equal(clusters, torch.arange(50).repeat_interleave(20))
    assert Recipe(split="blocked").clusters(55).unique().tolist() == list(range(50))
    assert Recipe().clusters(1000) is None
    groups = torch.arange(10) // 2
    assert Recipe().clusters(10, groups) is groups


# Signatures


@takes_settings(without=["cv", "split"])
def measure(x, *, seed: int = 3, **settings):
    """Return what it was given."""
    return x, seed, settings


def test_a_function_names_its_settings_in_its_signature():
    parameters = inspect.signature(measure).parameters
    assert [name for name, one in parameters.items() if one.kind is one.VAR_KEYWORD] == []
    assert list(parameters) == ["x", "seed", *(name for name in FIELDS if name not in ("cv", "split", "seed"))]
    assert parameters["seed"].default == 3, "an argument of its own, and not the setting"
    assert all(parameters[name].default == FIELDS[name].default for name in parameters if name not in ("x", "seed"))
    assert all(one.kind is one.KEYWORD_ONLY for name, one in parameters.items() if name != "x")
    assert parameters["steps"].annotation == "int | None"
    assert (measure.__name__, measure.__doc__) == ("measure", "Return what it was given.")
    assert measure(1, steps=5) == (1, 3, {"steps": 5})


@pytest.mark.parametrize(
    "name, suggested",
    [("n_folds", "folds"), ("learning_rate", "lr"), ("n_jobs", "workers"), ("stepps", "steps"), ("SEED", "seed")],
)
def test_an_unknown_keyword_of_a_function_gets_a_suggestion(name, suggested):
    with pytest.raises(TypeError, match=f"^measure has no argument '{name}'. Did you mean '{suggested}'"):
        measure(1, **{name: 3})


def test_a_setting_that_a_function_does_not_take_is_unknown():
    with pytest.raises(TypeError, match=r"^measure has no argument 'cv'\. Known: 'x', 'seed', 'bound'"):
        measure(1, cv=3)


def test_the_signature_of_a_trainer_has_the_settings_but_for_those_of_an_estimator():
    parameters = inspect.signature(mi.Trainer).parameters
    expected = ["recipe", "preprocessing", "nan", *(name for name in FIELDS if name not in ESTIMATOR_SETTINGS)]
    assert list(parameters) == expected
    with pytest.raises(TypeError, match=r"^Trainer has no argument 'hidden'\. Known: 'recipe', 'preprocessing', 'nan'"):
        mi.Trainer(hidden=(8,))


def test_the_signature_of_estimate_has_all_settings():
    parameters = inspect.signature(mi.estimate).parameters
    assert set(FIELDS) < set(parameters)
    assert not any(one.kind is one.VAR_KEYWORD for one in parameters.values())
