"""The rank transform: columns to normal scores, by a monotone interpolation of their distribution function."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["normal_score_knots", "piecewise_linear"]

_KNOTS = 2048


def normal_score_knots(column: Tensor) -> tuple[Tensor, Tensor]:
    r"""Knots of the map from a column's values to normal scores.

    The score of the value with mid-rank r among N is :math:`\Phi^{-1}((r - 1/2)/N)`; tied values share their mid-rank.
    Long columns keep 2,048 knots, evenly spaced in the score so that the tails stay fine, both extremes among them.

    Arguments:
        column: (N,), finite.

    Returns:
        values (M,) strictly increasing and scores (M,) strictly increasing, float64, M <= 2,048.
    """
    values, counts = torch.unique(column.double(), return_counts=True)
    middle = counts.cumsum(0) - counts.double() / 2
    scores = torch.special.ndtri(middle / len(column))
    if len(values) > _KNOTS:
        wanted = torch.linspace(float(scores[0]), float(scores[-1]), _KNOTS, dtype=scores.dtype, device=scores.device)
        kept = torch.unique(torch.searchsorted(scores, wanted).clamp_max(len(scores) - 1))
        values, scores = values[kept], scores[kept]
    return values, scores


def piecewise_linear(x: Tensor, at: Tensor, to: Tensor) -> Tensor:
    """The increasing piecewise linear map through the knots (at, to), constant beyond the outermost (clamped tails)."""
    if len(at) == 1:
        return torch.full_like(x, float(to[0]))
    inside = x.double().clamp(at[0], at[-1])
    right = torch.searchsorted(at, inside).clamp(1, len(at) - 1)
    left = right - 1
    share = (inside - at[left]) / (at[right] - at[left])
    between = to[left] + share * (to[right] - to[left])
    return torch.minimum(torch.maximum(between, to[left]), to[right]).to(x.dtype)  # rounding must not break the order
