"""How folds run side by side: one thread each."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["fast_arithmetic", "trim_memory"]


@contextmanager
def fast_arithmetic(device: torch.device) -> Iterator[None]:
    """One thread for this fold, and no denormal numbers; what was set before comes back.

    Two folds side by side are nearly twice as fast as one on two threads. At high information most exponentials
    underflow, and arithmetic on denormals is ten times slower than on the zeros that they amount to.
    """
    for kind in (np.float32, np.float64):
        np.finfo(kind)  # NumPy 1 measures a type when first asked, and would warn of the denormals that are flushed
    threads, flushing = torch.get_num_threads(), not bool(torch.tensor(1e-40) * 1)
    if device.type == "cpu":
        torch.set_num_threads(1)
        _keep_memory()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushing)
        torch.set_num_threads(threads)


def _keep_memory() -> None:
    """Let the C library keep the memory that a step gives back for the next step.

    glibc returns larger blocks to the system, and every step would fetch and zero them again, a fifth of its time; once
    a block of almost 32 MB was freed, as any program may have done, it keeps what is smaller. The block is never
    touched.
    """
    torch.empty(7_900_000)


def trim_memory() -> None:
    """Return to the system what the C library keeps, where it is glibc: for the moments after which less is needed, and
    between large blocks whose small results would otherwise come to lie in the gaps that they leave."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
