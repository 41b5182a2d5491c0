"""Roots of increasing functions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["bisect"]


def bisect(below: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, tolerance: float) -> Tensor:
    """The roots of an increasing function, element by element, by bisection.

    It ends where every interval is at most `tolerance` long or cannot be halved in its precision, and returns the
    midpoints of the intervals. Without a root in its interval an element approaches the nearer end; NaN stays NaN.

    Arguments:
        below: (...) -> (...), True where a point lies below the root.
        low: (...), below the root.
        high: (...), above the root.
        tolerance: length of the final intervals, in the unit of `low` and `high`.

    Example:
        >>> bisect(lambda x: x**3 < 8, torch.zeros(2), torch.tensor([3.0, 5.0]), 1e-6)
        tensor([2.0000, 2.0000])
    """
    while True:
        middle = (low + high) / 2
        divisible = (high - low > tolerance) & (middle != low) & (middle != high)  # False for NaN
        if not divisible.any():
            return middle
        is_below = below(middle)
        low, high = torch.where(is_below, middle, low), torch.where(is_below, high, middle)
