"""First weights from a seed: torch draws them from its one global generator, so that is borrowed and given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["seeded"]

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
