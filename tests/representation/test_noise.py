"""Noise that is independent of data which came from the same seed."""

import torch

from mibounds._random import noise_seed
from mibounds.representation.noise import noise


def test_no_small_seed_draws_the_noise():
    seeds = {noise_seed(seed) for seed in range(100)}
    assert len(seeds) == 100
    assert not {seed % 2**32 for seed in seeds} & set(range(10_000))  # the generator of the CPU uses 32 bits


def test_the_random_state_is_restored():
    state = torch.get_rng_state()
    with noise(3):
        first = torch.randn(5)
    assert torch.equal(torch.get_rng_state(), state)
    with noise(3):
        assert torch.equal(torch.randn(5), first)
    assert not torch.equal(torch.randn(5, generator=torch.Generator().manual_seed(3)), first)
