"""Surrogates of a transfer entropy: what each kind keeps and destroys."""

from types import SimpleNamespace

import torch

from mibounds.critics import FunctionCritic
from mibounds.data import Sample
from mibounds.estimation.added_scores import HeldOut
from mibounds.estimation.surrogates import _against_neighbors, _against_shifts, surrogate_pvalue

NOTHING = FunctionCritic(lambda x, y: (0 * x * y[..., :1]).sum(-1))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def slow(n, seed, memory=0.95):
    series, state = torch.empty(n, 1), 0.0
    for t, noise in enumerate(torch.randn(n, generator=generator(seed)).tolist()):
        state = series[t, 0] = memory * state + noise
    return series


def test_only_neighbors_keep_what_the_pasts_share():
    """A critic with low scores where x is far from z: shifts take it for information, neighbors do not."""
    z = torch.randn(400, 1, generator=generator(1))
    x = z + 0.3 * torch.randn(400, 1, generator=generator(2))
    y = torch.randn(400, 1, generator=generator(3))
    steep = FunctionCritic(lambda x, yz: -0.1 * (x - yz[..., 1:]).square().sum(-1))
    block = HeldOut(steep, NOTHING, torch.arange(400), x, torch.cat([y, z], 1), z)
    assert _against_shifts([block], 5, 99, generator()) == 0.01
    assert _against_neighbors([block], 99, generator()) > 0.1


def test_only_shifts_keep_the_memory_of_each():
    """Independent slow series, no own past, and a slope fitted to the other half: neighbors reject far too often,
    shifts do not."""
    rejected = {"shifts": 0, "neighbors": 0, "both": 0}
    for seed in range(40):
        x, y, z = slow(400, seed), slow(400, 1000 + seed), torch.randn(400, 1, generator=generator(seed))
        halves = torch.arange(200), torch.arange(200, 400)
        slopes = [float((x[rows] * y[rows]).mean()) for rows in halves[::-1]]
        critics = [FunctionCritic(lambda x, yz, b=b: (b * x * yz[..., :1]).sum(-1)) for b in slopes]
        blocks = [
            HeldOut(critic, NOTHING, rows, x[rows], torch.cat([y, z], 1)[rows], z[rows])
            for critic, rows in zip(critics, halves, strict=True)
        ]
        parts = [
            SimpleNamespace(fitted=[SimpleNamespace(critic=c, fold=SimpleNamespace(test=rows)) for c, rows in pairs])
            for pairs in (list(zip(critics, halves, strict=True)), [(NOTHING, rows) for rows in halves])
        ]
        rejected["shifts"] += _against_shifts(blocks, 40, 99, generator(seed)) <= 0.1
        rejected["neighbors"] += _against_neighbors(blocks, 99, generator(seed)) <= 0.1
        rejected["both"] += surrogate_pvalue(parts, Sample.of(x=x, y=y, z=z), 40, 99, seed) <= 0.1
    assert rejected["neighbors"] > 8
    assert rejected["shifts"] <= 8
    assert rejected["both"] <= 8


def test_constant_critics_give_no_evidence():
    z = torch.randn(100, 1, generator=generator(1))
    block = HeldOut(NOTHING, NOTHING, torch.arange(100), z, torch.cat([z, z], 1), z)
    assert {_against_shifts([block], 5, 99, generator(seed)) for seed in range(5)} == {1.0}
