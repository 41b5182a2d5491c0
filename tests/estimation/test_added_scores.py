"""The scores that y adds to those of z, and neighbors of z."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mibounds.critics import FunctionCritic
from mibounds.data import Sample
from mibounds.estimation import added_scores
from mibounds.estimation.added_scores import HeldOut, held_out, nearest

F = FunctionCritic(lambda x, yz: (x * yz).sum(-1))  # x (y + z)
G = FunctionCritic(lambda x, z: (x * z).sum(-1) / 2)  # x z / 2


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def block(x, y, z):
    return HeldOut(F, G, torch.arange(len(x)), x, torch.cat([y, z], 1), z)


def test_the_difference_of_scores_by_hand(monkeypatch):
    x, y, z = (
        torch.tensor([[1.0], [2.0], [3.0]]),
        torch.tensor([[5.0], [7.0], [9.0]]),
        torch.tensor([[1.0], [0.0], [2.0]]),
    )
    partners = torch.tensor([[0, 2], [1, 0], [2, 1]])
    factor = (y + z / 2).double()
    expected = factor * x.double()[partners, 0]
    assert torch.equal(block(x, y, z).added(partners), expected)
    monkeypatch.setattr(added_scores, "_PAIRS", 1)
    assert torch.equal(block(x, y, z).added(partners), expected), "in chunks"


@pytest.mark.parametrize("constant", [False, True])
def test_the_held_out_rows_of_every_fold(constant):
    """The critics were trained without columns that are constant in the sample."""
    x, y, z = torch.randn(3, 60, 1, generator=generator())
    more = torch.ones(60, 1) if constant else torch.randn(60, 1, generator=generator(1))
    sample = Sample.of(x=x, y=torch.cat([y, more], 1), z=z, drop_constant=False)
    tests = torch.randperm(60, generator=generator()).split(30)
    both, alone = (
        SimpleNamespace(fitted=[SimpleNamespace(critic=one, fold=SimpleNamespace(test=rows)) for rows in tests])
        for one in (F, G)
    )
    blocks = held_out(both, alone, sample)
    for rows, one in zip(tests, blocks, strict=True):
        assert (one.with_y, one.without) == (F, G)
        assert torch.equal(one.rows, rows)
        assert torch.equal(one.x, x[rows])
        assert torch.equal(one.z, z[rows])
        assert torch.equal(one.yz, torch.cat([y, z] if constant else [y, more, z], 1)[rows])


def test_neighbors_are_near_and_repeated_values_take_turns():
    z = torch.arange(50.0)[:, None]
    near = nearest(z, generator())
    assert near.shape == (50, 11)
    assert torch.equal(near[:, 0], torch.arange(50))
    assert int((near - near[:, :1]).abs()[10:40].max()) <= 7
    assert all(len(row.unique()) == 11 for row in near)
    same = nearest((torch.arange(400) % 2).float()[:, None], generator())
    assert ((same - same[:, :1]) % 2 == 0).all()
    assert len(same.unique()) > 350, "not the same ten for all"
    assert nearest(z[:5], generator()).shape == (5, 5), "few rows have few neighbors"


def test_neighbors_are_those_of_the_ranks():
    """A column a thousand times as wide as the other does not decide alone."""
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(400, 2))).float()
    one, other = nearest(z, generator()), nearest(z * torch.tensor([1.0, 1000.0]), generator())
    assert torch.equal(one, other)
