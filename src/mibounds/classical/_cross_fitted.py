"""The log-ratio of a copula in the rows that it was fitted to, and in rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["FOLDS", "Fit", "log_ratios"]

FOLDS = 5


class Fit(Protocol):
    """A copula that was fitted."""

    def log_ratio(self, scores: Tensor, width: int) -> Tensor:
        """The log-ratios (N,) of normal scores (N, d), whose first `width` columns are x."""


def log_ratios(fit: Callable[[Tensor], Fit], scores: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """By a fit to all rows, and by five that leave a fifth out each: every row's log-ratio twice.

    The first is too high by what chance adds to a fit, the second too low by about as much: their mean has the smaller
    bias. The ranks are those of all rows, since they say nothing of dependence.
    """
    held_out = torch.empty(len(scores), dtype=scores.dtype)
    place = torch.arange(len(scores)) % FOLDS
    for fold in range(FOLDS):
        test = place == fold
        held_out[test] = fit(scores[~test]).log_ratio(scores[test], width)
    return fit(scores).log_ratio(scores, width), held_out
