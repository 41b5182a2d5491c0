"""What trained critics are worth, learnt from validation rows: how much each counts, and what its scores mean.

Both fits minimize the proper score, symmetric InfoNCE over the pairs within blocks of the validation rows, over a
handful of numbers, so validation rows that have stopped the training can serve once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mibounds._math import infonce_loss
from mibounds.critics.wrappers import piecewise_slopes

__all__ = ["Calibration", "calibration", "stacking_weights", "weighted_sum"]

_BLOCK = 128
_KNOTS = 10
_MARGIN = 2.5  # nats
_STACKING_PENALTY = 1e-3
_SLOPE_PENALTY = 1e-2
_LEAST_GAIN = 1e-3  # nats on rows that the calibration has not seen


class Calibration(NamedTuple):
    """Knots and slopes for `Calibrated`, and the nats that it gained on rows it was not fitted to."""

    knots: Tensor
    slopes: Tensor
    gain: float


def stacking_weights(grids: Tensor) -> Tensor:
    """Weights of critics in a sum of their scores, none negative, that score best: grids (K, N, N) -> (K,).

    The best critic alone, unless a sum of all, fitted on every other row, gains on the rest; then it is fitted on all
    rows. Near its ceiling the proper score sees only which pairs match and not by how many nats: there, too, the best
    critic stands alone.
    """
    losses = torch.stack([infonce_loss(grid) for grid in grids])
    alone = torch.zeros(len(grids), dtype=grids.dtype, device=grids.device)
    alone[losses.argmin()] = 1
    if len(grids) == 1 or not _identified(losses.min(), grids.shape[-1]):
        return alone
    halves = [grids[:, start::2, start::2] for start in (0, 1)]
    gain = _gain(halves, lambda new: weighted_sum(alone, new), lambda old, new: weighted_sum(_fitted_weights(old), new))
    return _fitted_weights(grids) if gain > _LEAST_GAIN else alone


def weighted_sum(weights: Tensor, grids: Tensor) -> Tensor:
    """Grids (K, ...) added with weights (K,)."""
    return torch.einsum("k,k...->...", weights, grids)


def calibration(grid: Tensor) -> Calibration | None:
    """The calibration of a critic from a grid of its scores (N, N), or None where it does not help rows not seen.

    Fitted on every other row and scored on the rest, and the other way round; only if that gains is it fitted on
    all rows. Nothing is done near the proper score's ceiling.
    """
    if len(grid) < 4 or not _identified(infonce_loss(grid), len(grid)):
        return None
    halves = [_blocks(grid[start::2, start::2]) for start in (0, 1)]
    gain = _gain(halves, lambda new: new, lambda old, new: piecewise_slopes(new, *_fitted(old)))
    return Calibration(*_fitted(_blocks(grid)), gain) if gain > _LEAST_GAIN else None


def _gain(halves: list[Tensor], plain: Callable[[Tensor], Tensor], fitted: Callable[[Tensor, Tensor], Tensor]) -> float:
    """By how many nats what is fitted on one half of the rows scores better on the other, in the mean of both ways."""
    gains = [float(infonce_loss(plain(new)) - infonce_loss(fitted(old, new))) for old, new in (halves, halves[::-1])]
    return sum(gains) / 2


def _identified(loss: Tensor, rows: int) -> bool:
    """Is the proper score far enough below its ceiling, ln N, to see the scale of scores?"""
    return float(-loss) < math.log(rows) - _MARGIN


def _fitted_weights(grids: Tensor) -> Tensor:
    """They start at 1/K and pay a little for leaving it, which decides between critics that agree."""
    blocks = _blocks(grids)
    even = torch.full((len(grids),), 1 / len(grids), dtype=grids.dtype, device=grids.device)
    raw = even.expm1().log().requires_grad_()  # softplus turns it back into 1/K

    def loss() -> Tensor:
        weights = softplus(raw)
        return infonce_loss(weighted_sum(weights, blocks)) + _STACKING_PENALTY * (weights - even).square().sum()

    _minimize(loss, raw)
    return softplus(raw.detach())


def _blocks(grid: Tensor) -> Tensor:
    """The blocks along the diagonal, of about 128 rows: (..., N, N) -> (..., B, M, M). All pairs would cost N/M times
    as much and tell these few numbers hardly more."""
    n = grid.shape[-1]
    count = max(1, n // _BLOCK)
    size = n // count
    starts = range(0, count * size, size)
    return torch.stack([grid[..., i : i + size, i : i + size] for i in starts], -3)


def _fitted(grids: Tensor) -> tuple[Tensor, Tensor]:
    """Knots at quantiles, three of all pairs and the rest of the matched ones, and the slopes that score best."""
    joint = grids.diagonal(dim1=-2, dim2=-1).flatten()
    every = grids.flatten()[:: max(1, grids.numel() // 20_000)]
    quantiles = joint.new_tensor([0.1, 0.5, 0.8]), torch.linspace(0.02, 0.98, _KNOTS, dtype=joint.dtype).to(joint)
    knots = torch.cat([torch.quantile(every, quantiles[0]), torch.quantile(joint, quantiles[1])])
    knots = torch.unique(knots)
    slopes = torch.zeros(len(knots) + 1, dtype=grids.dtype, device=grids.device)
    slopes[0] = 1
    slopes.requires_grad_()

    def loss() -> Tensor:
        return infonce_loss(piecewise_slopes(grids, knots, slopes)) + _SLOPE_PENALTY * slopes[1:].square().mean()

    _minimize(loss, slopes)
    return knots, slopes.detach()


def _minimize(loss: Callable[[], Tensor], parameter: Tensor) -> None:
    optimizer = torch.optim.LBFGS([parameter], max_iter=30, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
