import copy

import pytest
import torch

from mibounds.data import Gaussianize, RankGaussianize
from mibounds.tasks.maps import HALF_CUBE, mixing


def excess(z):
    """How far the columns' products are from those of independent Gaussians: the largest correlation of squares."""
    squares = z.square()
    return float((torch.corrcoef(squares.T) - torch.eye(z.shape[1])).abs().max())


@pytest.fixture
def sources(generator):
    return HALF_CUBE.forward(torch.randn(4000, 4, generator=generator))


@pytest.fixture
def blend(sources):
    return mixing(4, seed=0).forward(sources)


def test_a_blend_is_taken_apart(blend, sources):
    """Every column that comes out follows one of those that went in."""
    z = Gaussianize().fit(blend)(blend)
    follows = torch.corrcoef(torch.cat([z, RankGaussianize().fit(sources)(sources)], 1).T)[:4, 4:].abs()
    assert (follows.max(1).values > 0.95).all()
    assert sorted(follows.argmax(1).tolist()) == [0, 1, 2, 3]


def test_rows_become_white_and_more_gaussian(blend):
    z, ranks = Gaussianize().fit(blend)(blend), RankGaussianize().fit(blend)(blend)
    assert torch.allclose(torch.cov(z.T), torch.eye(4), atol=0.05)
    assert excess(z) < excess(ranks) / 2


def test_one_round_is_by_ranks_alone(blend):
    assert torch.equal(Gaussianize(rounds=1).fit(blend)(blend), RankGaussianize().fit(blend)(blend))


def test_it_learns_from_training_rows_only_and_repeats(blend):
    train, test = blend[:3000], blend[3000:]
    fitted = Gaussianize(rounds=3).fit(train)
    assert torch.allclose(fitted(test)[:7], fitted(test[:7]), atol=1e-5)
    again = copy.deepcopy(Gaussianize(rounds=3)).fit(train)
    assert torch.equal(again(test), fitted(test))
    assert torch.equal(copy.deepcopy(fitted)(test), fitted(test))


def test_a_constant_and_a_doubled_column_stay_finite(blend):
    x = torch.cat([blend, blend[:, :1], torch.ones(len(blend), 1)], 1)
    z = Gaussianize().fit(x)(x)
    assert z.isfinite().all()


def test_rounds_are_positive():
    with pytest.raises(ValueError, match="rounds is 0"):
        Gaussianize(rounds=0)
