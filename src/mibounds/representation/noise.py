"""Noise from a seed that is independent of data which a user drew from the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mibounds._random import noise_seed, seeded

__all__ = ["noise"]


@contextmanager
def noise(seed: int) -> Iterator[None]:
    """Inside, torch draws noise from this seed, on GPUs that are in use too; its random state is then restored.

    Example:
        >>> with noise(0):
        ...     first = torch.randn(())
        >>> with noise(0):
        ...     bool(torch.randn(()) == first)
        True
    """
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    with seeded(noise_seed(seed)), torch.random.fork_rng(devices=gpus):
        if gpus:
            torch.cuda.manual_seed_all(noise_seed(seed))
        yield
