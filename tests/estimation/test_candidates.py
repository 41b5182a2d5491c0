"""Which candidates suit which data."""

import numpy as np
import pytest
import torch
from torch import nn

from mibounds.bounds import NWJ, InfoNCE
from mibounds.critics import Encoded, GaussianCritic, JointCritic, SeparableCritic, WithOffset
from mibounds.data import Gaussianize, RankGaussianize, Sample, Standardize, StandardizeChannels
from mibounds.estimation.candidates import default_candidates, ranked_candidate
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


def test_single_columns_have_three_candidates_and_wider_tables_a_fourth():
    names = ["ranks with Gaussian offset", "ranks", "standardized"]
    assert [one.name for one in candidates(columns(1), columns(1))] == names
    wide = candidates(columns(1), columns(2))
    assert [one.name for one in wide] == [*names, "independent components"]
    assert [one.instead_of for one in wide] == [None, None, None, names[0]]
    assert [type(one.preprocessing) for one in wide] == [RankGaussianize, RankGaussianize, Standardize, Gaussianize]
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
    assert (alone.name, type(alone.preprocessing)) == (first.name, type(first.preprocessing))
    state, expected = alone.estimator.state_dict(), first.estimator.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)
