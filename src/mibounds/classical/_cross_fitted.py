"""What copulas that are fitted to all rows share: normal scores, matrices of few rows, and the log-ratio in the rows
of a fit and in others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.classical._rows import normal_scores, number_sides, row_order

__all__ = ["Fit", "in_random_order", "log_ratios", "score_sides", "sides", "squared_lengths", "without_chance"]

_FOLDS = 5


class Fit(Protocol):
    """A copula that was fitted."""

    def log_ratio(self, scores: Tensor, width: int) -> Tensor:
        """The log-ratios (N,) of normal scores (N, d), whose first `width` columns are x."""


def score_sides(x: Any, y: Any) -> tuple[Tensor, Tensor] | None:
    """The normal scores of x (N, D_x) and y (N, D_y), in an order of rows that their values decide; None where one of
    them is constant.

    Raises:
        TypeError: if a column holds text.
        ValueError: if the rows do not pair or there are fewer than 10, or a value is missing or infinite.
    """
    first, second, _ = number_sides(x, y)
    check_at_least("the number of rows", len(first), 2 * _FOLDS)
    if not (first.shape[1] and second.shape[1]):
        return None
    order = row_order((first, second))
    return torch.from_numpy(normal_scores(first)[order]), torch.from_numpy(normal_scores(second)[order])


def in_random_order(x: Tensor, y: Tensor) -> tuple[Tensor, int]:
    """The scores of x (N, D_x) and y (N, D_y) as one matrix, and D_x; its rows are shuffled, since those that were
    given can be sorted."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return torch.cat([x, y], 1).double()[order], x.shape[1]


def sides(width: int) -> tuple[slice, slice]:
    """The columns of x, the first `width`, and those of y."""
    return slice(None, width), slice(width, None)


def without_chance(matrix: Tensor, n: int, chance: float, least: float) -> Tensor:
    """A correlation matrix (d, d) without the entries below chance/sqrt(n), which n rows of independent columns could
    show; its eigenvalues are at least `least`."""
    kept = torch.where(matrix.abs() < chance / math.sqrt(n), 0.0, matrix)
    values, vectors = torch.linalg.eigh(kept)
    positive: Tensor = (vectors * values.clamp_min(least)) @ vectors.T
    return positive


def squared_lengths(rows: Tensor, scatter: Tensor) -> Tensor:
    """The squared Mahalanobis lengths (N,) of rows (N, d)."""
    lengths: Tensor = (torch.linalg.solve(scatter, rows.T) * rows.T).sum(0)
    return lengths


def log_ratios(fit: Callable[[Tensor], Fit], scores: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """By a fit to all rows, and by five that leave a fifth out each: every row's log-ratio twice.

    The first is too high by what chance adds to a fit, the second too low by about as much: their mean has the smaller
    bias. The ranks are those of all rows, since they say nothing of dependence.
    """
    held_out = torch.empty(len(scores), dtype=scores.dtype)
    place = torch.arange(len(scores)) % _FOLDS
    for fold in range(_FOLDS):
        test = place == fold
        held_out[test] = fit(scores[~test]).log_ratio(scores[test], width)
    return fit(scores).log_ratio(scores, width), held_out
