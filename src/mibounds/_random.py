"""Random numbers from a seed: first weights, for which torch's global generator is borrowed and given back, and streams
that are independent of data which a user drew from the same seed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["noise_seed", "seeded"]

_BORROWED = threading.Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's global CPU generator starts from `seed` inside and goes on as before outside; one thread at a time.

    >>> with seeded(0):
    ...     first = torch.rand(())
    >>> with seeded(0):
    ...     bool(torch.rand(()) == first)
    True
    """
    with _BORROWED, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed GPUs too, which nothing gives back
        yield


def noise_seed(seed: int, stream: int = 1) -> int:
    """The seed of a numbered stream of noise: `torch.manual_seed(0); x = torch.randn(n)` and noise of seed 0 would be
    equal.

    >>> torch.Generator().manual_seed(noise_seed(0)).initial_seed() != 0
    True
    """
    return int(np.random.SeedSequence(seed, spawn_key=(stream,)).generate_state(1, np.uint64)[0])
