"""Which candidates suit which data."""

import numpy as np
import pytest
import torch
from torch import nn

from mibounds.bounds import NWJ, InfoNCE
from mibounds.critics import Encoded, GaussianCritic, JointCritic, SeparableCritic, WithOffset
from mibounds.data import FirstColumns, Gaussianize, RankGaussianize, Sample, Standardize, StandardizeChannels
from mibounds.estimation.candidates import default_candidates, ranked_candidate, supervision_of
from mibounds.networks import ConvEncoder, SequenceEncoder, WithRadius
from mibounds.training import Recipe
from mibounds.training.candidates import check_candidate

RNG = np.random.default_rng(0)
RECIPE = Recipe(hidden=(8,))
LABEL = np.repeat(["a", "b", "c"], 20)
IMAGES = RNG.normal(size=(60, 8, 8))


def candidates(x, y, recipe=RECIPE, /, **encoders):
    return default_candidates(Sample.of(x=x, y=y, encoders=encoders), recipe)


def columns(width, rows=60):
    return RNG.normal(size=(rows, width))


def kinds(candidate):
    """The classes of the preprocessing of x, which is that of y, too."""
    first, second = candidate.maps
    found = [(type(one), type(one.inner)) if isinstance(one, FirstColumns) else (type(one),) for one in (first, second)]
    assert found[0] == found[1]
    return found[0]


def test_single_columns_have_three_candidates_and_wider_tables_a_fourth():
    names = ["ranks with Gaussian offset", "ranks", "standardized"]
    assert [one.name for one in candidates(columns(1), columns(1))] == names
    wide = candidates(columns(1), columns(2))
    assert [one.name for one in wide] == [*names, "independent components"]
    assert [one.instead_of for one in wide] == [None, None, None, names[0]]
    assert [kinds(one) for one in wide] == [
        (FirstColumns, RankGaussianize), (RankGaussianize,), (Standardize,), (FirstColumns, Gaussianize)
    ]  # fmt: skip
    assert [one.count for one in wide[0].preprocessing] == [1, 2]
    assert len(candidates(columns(100, 110), columns(1, 110))) == 4
    assert len(candidates(columns(101, 110), columns(1, 110))) == 3, "they would cost more time than they gain"
    assert len(candidates(columns(110, 110), columns(1, 110))) == 2, "see test_wide"


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
    assert (alone.name, kinds(alone)) == (first.name, kinds(first)[1:])
    state, expected = alone.estimator.state_dict(), first.estimator.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)


# Supervised features


def supervised(x, y, recipe=RECIPE):
    """The supervision of x and y, and the names of the candidates that rest on it."""
    sample = Sample.of(x=x, y=y)
    supervision = supervision_of(sample, recipe)
    plain = len(default_candidates(sample, recipe))
    return supervision, [one.name for one in default_candidates(sample, recipe, supervision)[plain:]]


FOUR = ["prediction of {}", "residuals of {}", "scaled residuals of {}", "forest of {}"]


def test_of_columns_the_fewer_are_predicted():
    supervision, names = supervised(columns(1), columns(1))
    assert supervision.x.names == supervision.y.names == ("score 0", "value 0", "scale 0")
    both = [name.format(side) for side in "yx" for name in FOUR]
    assert names == ["Gaussian of features", *both, "copula density"]
    supervision, names = supervised(columns(3), columns(1))
    assert supervision.y is None
    assert names == ["Gaussian of features", *(name.format("y") for name in FOUR)]
    supervision, names = supervised(columns(2), columns(2))
    assert supervision.x.names == ("score 0", "score 1", "scale 0", "scale 1")
    assert names == ["Gaussian of features"], "several columns have no closed form"


def test_heavy_tails_are_predicted_as_ranks_alone():
    _, names = supervised(columns(2), np.exp(4 * columns(1)))
    assert names == ["Gaussian of features", *(FOUR[i].format("y") for i in (0, 2, 3))]


def test_labels_are_predicted_as_classes():
    supervision, names = supervised(columns(4), LABEL)
    assert supervision.y is None, "of three classes are three columns, and not four"
    assert supervision.x.is_label
    assert len(supervision.x.classes) == 3
    assert names == ["Gaussian of features", "classes of y", "forest of y"]


def test_the_networks_see_the_features_and_the_offset_does_not():
    sample = Sample.of(x=columns(2), y=columns(1))
    offset, ranks, standardized, *_ = default_candidates(sample, RECIPE, supervision_of(sample, RECIPE))
    for one, width in ((offset, 2), (ranks, 5), (standardized, 5)):
        inner = one.estimator.critic
        network = inner.critic if isinstance(inner, WithOffset) else inner
        assert network(torch.zeros(4, width), torch.zeros(4, 1)).shape == (4,)
    assert kinds(offset) == (FirstColumns, RankGaussianize)


@pytest.mark.parametrize("x, y", [(IMAGES, LABEL), (columns(60), columns(1))], ids=["images", "wide"])
def test_images_and_wide_tables_have_no_features(x, y):
    assert supervised(x, y) == (None, [])
