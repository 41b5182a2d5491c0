"""Which candidates suit which data."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import mibounds as mi
from mibounds.bounds import NWJ, InfoNCE
from mibounds.critics import Encoded, GaussianCritic, JointCritic, SeparableCritic, Transposed, WithOffset
from mibounds.data import (
    FirstColumns,
    Gaussianize,
    PrincipalAxes,
    RankGaussianize,
    Sample,
    Standardize,
    StandardizeChannels,
)
from mibounds.estimation.candidates import default_candidates, ranked_candidate, supervision_of
from mibounds.learners import SupervisedFeatures
from mibounds.networks import ConvEncoder, SequenceEncoder, WithRadius
from mibounds.training.candidates import check_candidate
from mibounds.training.recipe import Recipe

RNG = np.random.default_rng(0)
RECIPE = Recipe(hidden=(8,))
LABEL = np.repeat(["a", "b", "c"], 20)
IMAGES = RNG.normal(size=(60, 8, 8))


def candidates(x, y, recipe=RECIPE, /, **encoders):
    return default_candidates(Sample.of(x=x, y=y, encoders=encoders), recipe)


def columns(width, rows=60):
    return RNG.normal(size=(rows, width))


def test_single_columns_have_three_candidates_and_wider_tables_a_fourth():
    names = ["ranks with Gaussian offset", "ranks", "standardized"]
    assert [one.name for one in candidates(columns(1), columns(1))] == names
    wide = candidates(columns(1), columns(2))
    assert [one.name for one in wide] == [*names, "independent components"]
    assert [one.instead_of for one in wide] == [None, None, None, names[0]]
    assert [type(one.maps[0]) for one in wide] == [FirstColumns, RankGaussianize, Standardize, FirstColumns]
    for one, kind in ((wide[0], RankGaussianize), (wide[3], Gaussianize)):
        assert [(first.count, type(first.inner)) for first in one.maps] == [(1, kind), (2, kind)]
    axes = "principal axes"
    named = {width: [one.name for one in candidates(columns(width, 110), columns(1, 110))] for width in (100, 101, 110)}
    assert named[100] == [*names, "independent components", axes]
    assert named[101] == [*names, axes], "independent components would cost more time than they gain"
    assert named[110] == [names[0], names[2], axes], "see test_wide"


def test_networks_of_tables_take_the_radius_and_offsets_are_gaussian():
    offset, ranks, standardized, components = candidates(columns(2), columns(3))
    assert isinstance(offset.estimator.critic, WithOffset)
    assert isinstance(offset.estimator.critic.offset, GaussianCritic)
    assert offset.estimator.critic.offset.radial
    assert not components.estimator.critic.offset.radial
    for one in (ranks, standardized):
        critic = one.estimator.critic
        assert isinstance(critic, Encoded)
        assert isinstance(critic.encoder_x, WithRadius)
        assert critic(torch.zeros(4, 2), torch.zeros(4, 3)).shape == (4,)
    for one in (offset, ranks, standardized, components):
        check_candidate(one, RECIPE.filled(60, 40))


def test_a_critic_that_scores_pairs_is_trained_with_few_negatives():
    joint = candidates(columns(1), columns(1), RECIPE.replace(critic="joint", bound="nwj"))[1].estimator
    assert isinstance(joint.critic.critic, JointCritic)
    assert isinstance(joint.bound, NWJ)
    assert (joint.negatives, joint.symmetric) == (8, False)
    separable = candidates(columns(1), columns(1))[1].estimator
    assert isinstance(separable.critic.critic, SeparableCritic)
    assert isinstance(separable.bound, InfoNCE)
    assert (separable.negatives, separable.symmetric) == ("all", True)


def test_images_and_sequences_are_encoded_and_labels_stay_as_they_are():
    (one,) = candidates(IMAGES, LABEL)
    critic = one.estimator.critic
    assert isinstance(critic.encoder_x, ConvEncoder)
    assert isinstance(critic.encoder_y, nn.Identity)
    first, second = one.preprocessing
    assert isinstance(first, StandardizeChannels)
    assert isinstance(second, RankGaussianize)
    assert critic(torch.zeros(4, 1, 8, 8), torch.zeros(4, 3)).shape == (4,)
    (one,) = candidates([columns(2)[: 3 + i % 4] for i in range(60)], columns(2))
    assert isinstance(one.estimator.critic.encoder_x, SequenceEncoder)
    assert one.estimator.critic(torch.zeros(4, 6, 2), torch.zeros(4, 2)).shape == (4,)


@pytest.mark.parametrize("critic", ["separable", "joint", "bilinear"])
def test_an_encoder_of_the_user_has_no_preprocessing(critic):
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    (one,) = candidates(IMAGES.astype(np.float32), columns(2), RECIPE.replace(critic=critic), x=encoder)
    assert one.preprocessing[0] is None
    assert one.estimator.critic.encoder_x is encoder
    assert one.estimator.critic(torch.zeros(4, 8, 8), torch.zeros(4, 2)).shape == (4,)


def test_the_seed_decides_the_first_weights():
    one, same, other = (
        candidates(columns(1), columns(1), RECIPE.replace(seed=seed))[0].estimator.state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_the_ranked_candidate_is_the_first_of_the_default_ones():
    x, y = columns(2), columns(1)
    first = candidates(x, y)[0]
    alone = ranked_candidate(torch.from_numpy(x), torch.from_numpy(y), RECIPE)
    assert (alone.name, type(alone.preprocessing)) == (first.name, type(first.maps[0].inner))
    state, expected = alone.estimator.state_dict(), first.estimator.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)


def supervised(x, y):
    sample = Sample.of(x=x, y=y)
    supervision = supervision_of(sample, RECIPE)
    return supervision, {one.name: one for one in default_candidates(sample, RECIPE, supervision)}


PLAIN = ["ranks with Gaussian offset", "ranks", "standardized"]
OF_A_COLUMN = [
    "prediction", "regression on scores", "residuals", "regression on values", "scaled residuals", "forest"
]  # fmt: skip


def test_single_columns_predict_each_other():
    supervision, found = supervised(columns(1), columns(1))
    assert supervision.x.names == supervision.y.names == ("score 0", "value 0", "scale 0")
    both = [f"{name} of {side}" for side in "yx" for name in OF_A_COLUMN]
    local = [f"local regression of {side}" for side in "yx"]
    assert list(found) == [*PLAIN, *both, "copula density", *local, "Student copula"]
    for name, one in found.items():
        assert isinstance(one.estimator.critic, Transposed) == name.endswith("of x"), name
    residuals = found["scaled residuals of x"].estimator.critic.critic
    assert (residuals.location, residuals.scale, residuals.ranks is not None) == (1, 3, True)
    assert found["residuals of y"].estimator.critic.location == 2
    assert found["prediction of y"].estimator.critic.column == 1
    assert found["regression on scores of y"].estimator.critic.location == 1
    assert found["regression on values of y"].estimator.critic.location == 2
    assert found["local regression of y"].estimator.critic.location == 0
    for name in both:
        assert not [*found[name].estimator.parameters()], "nothing is trained"


def test_many_columns_predict_as_many_or_fewer():
    supervision, found = supervised(columns(3), columns(1))
    assert supervision.x.names == ("score 0", "value 0", "scale 0")
    assert supervision.y is None
    of_y = [f"{name} of y" for name in OF_A_COLUMN]
    assert list(found) == [*PLAIN, "independent components", *of_y, "Student copula"]
    assert found["residuals of y"].estimator.critic.location == 4
    both, several = supervised(columns(2), columns(2))
    assert both.x.names == both.y.names == ("score 0", "score 1", "scale 0", "scale 1")
    assert list(several) == [*PLAIN, "independent components", "Student copula"]


def test_a_label_is_predicted_as_a_label():
    supervision, found = supervised(columns(1), LABEL)
    assert supervision.x.names == tuple(f"{kind} {c}" for kind in ("indicator", "class") for c in range(3))
    assert torch.equal(supervision.x.classes, torch.unique(Sample.of(x=columns(1), y=LABEL).y.table, dim=0))
    assert supervision.y.names == ("score 0", "value 0", "scale 0")
    assert [name for name in found if name.endswith("of y")] == ["classes of y", "linear classes of y", "forest of y"]
    assert found["classes of y"].estimator.critic.start == 1
    assert found["forest of y"].estimator.critic.label


def test_values_with_heavy_tails_are_not_predicted():
    x = columns(1, 400)
    heavy = np.tan(math.pi * (RNG.random((400, 1)) - 0.5))
    supervision, found = supervised(x, heavy)
    assert supervision.x.names == ("score 0", "scale 0")
    assert "value 0" in supervision.y.names
    assert "residuals of y" not in found
    assert "residuals of x" in found
    assert found["scaled residuals of y"].estimator.critic.scale == 2


def test_networks_take_the_features_and_offsets_only_what_was_given():
    _, found = supervised(columns(2), columns(1))
    wide_x, wide_y = torch.zeros(4, 2 + 3), torch.zeros(4, 1)
    for name in ("ranks", "standardized"):
        assert found[name].estimator.critic(wide_x, wide_y).shape == (4,)
    assert [first.count for first in found["ranks with Gaussian offset"].maps] == [2, 1]
    assert found["ranks with Gaussian offset"].estimator.critic.critic(wide_x[:, :2], wide_y).shape == (4,)
    for one in found.values():
        check_candidate(one, RECIPE.filled(60, 40))


def test_images_wide_tables_and_too_many_columns_have_no_features():
    for x in (IMAGES, columns(60)):
        assert supervision_of(Sample.of(x=x, y=columns(1)), RECIPE) is None
    supervision, found = supervised(columns(1001, 1100), columns(1, 1100))
    assert supervision.x.names == ()
    assert list(found) == [*PLAIN, "principal axes"]


def test_many_columns_are_also_taken_by_their_principal_axes():
    sample = Sample.of(x=columns(40), y=LABEL)
    found = {one.name: one for one in default_candidates(sample, RECIPE)}
    first, second = found["principal axes"].maps
    assert (type(first.inner), first.inner.count, type(second.inner)) == (PrincipalAxes, 16, RankGaussianize)
    check_candidate(found["principal axes"], RECIPE.filled(60, 40))
    narrow = default_candidates(Sample.of(x=columns(32), y=columns(1)), RECIPE)
    assert "principal axes" not in {one.name for one in narrow}


def test_the_seed_is_that_of_the_features():
    sample = Sample.of(x=columns(1), y=columns(1))
    assert supervision_of(sample, RECIPE.replace(seed=7)).x.seed == 7
    forest = default_candidates(sample, RECIPE.replace(seed=7), supervision_of(sample, RECIPE))
    assert next(one for one in forest if one.name == "forest of y").estimator.critic.seed == 7


@pytest.mark.supervised
@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("label", [False, True])
def test_an_estimate_with_features_is_saved_and_loaded(label, tmp_path):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 2))
    y = np.where(x[:, 0] * x[:, 1] > 0, "a", "b") if label else np.sign(x[:, 0] * x[:, 1]) + 0.3 * rng.normal(size=100)
    result = mi.estimate(x, y, steps=10, folds=2, hidden=(8,))
    assert isinstance(result.fitted[0].critic.encoder_x, SupervisedFeatures)
    assert "BoostedTrees" in result.cross_checks
    result.fitted.save(tmp_path / "critic")
    again = mi.load(tmp_path / "critic")
    assert torch.equal(again.score_pairs(x, y), result.fitted.score_pairs(x, y))
    assert float(again.score_pairs(x, y).mean()) > 0.2


@pytest.mark.supervised
def test_a_recipe_without_learners_fits_none():
    x, y = torch.randn(2, 80, 2, generator=torch.Generator().manual_seed(0))
    sample = Sample.of(x=x, y=y[:, 0])
    assert supervision_of(sample, Recipe(learners=False)) is None
    assert supervision_of(sample, Recipe()) is not None
    assert not Recipe.preset("quick").learners
