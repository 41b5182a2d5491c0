"""Stacking and calibration of trained critics on validation samples: the weights of critics in a sum, and a piecewise
linear map of their scores.

Both fits minimize the loss of symmetric InfoNCE, a proper scoring rule, over the pairs within blocks of the validation
samples. They fit a handful of numbers, so the validation samples that stopped the training can be used once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mibounds._math import infonce_loss, logmeanexp
from mibounds.critics.wrappers import piecewise_slopes
from mibounds.inference import mean_stderr
from mibounds.learners.learner import in_parts

__all__ = ["LEAST_WEIGHT", "Calibration", "calibration", "stacking_weights", "weighted_sum"]

_BLOCK = 128
_MATCHED_KNOTS = 10
_MARGIN = 2.5  # nats
_NEAR = 0.02  # nats
_NOISE = 0.3  # nats, over the root of the samples: how much the losses of two good critics differ by chance
_STACKING_PENALTY = 1e-3
_LEAST_STACKING_GAIN = 5e-3  # nats on samples outside the fit
_SLOPE_PENALTY = 1e-2
LEAST_WEIGHT = 0.02  # of the largest; what counts less is not worth scoring
_CHANCE = 5.0  # nats, over the samples: what some ten fitted numbers gain by chance
_LEAST_GAIN = 1e-3  # nats on samples outside the fit


class Calibration(NamedTuple):
    """A piecewise linear map of scores, as `Calibrated` takes it.

    Attributes:
        knots: (K,), ascending.
        slopes: (K + 1,), the first slope and the changes of slope at the knots.
        gain: by how many nats the map lowers the InfoNCE loss of samples outside the fit (two-fold cross-validated).
    """

    knots: Tensor
    slopes: Tensor
    gain: float


def stacking_weights(grids: Tensor, clusters: Tensor | None = None) -> Tensor:
    """Nonnegative weights (K,) of critics in a sum of their scores, from their grids of scores (K, N, N).

    Critics of nearly the same InfoNCE loss are averaged, with weights that fall by a factor e for what chance makes of
    so many samples, 0.3 nats over the root of N, and with independence, so that what is no better than that is shrunk.
    Only where a fitted sum has a clearly lower loss in two-fold cross-validation (critics that see different parts of
    the dependence) is it taken instead, fitted on all samples.
    Near the ceiling ln N, InfoNCE depends on the order of the scores and hardly on their scale: of the critics within
    0.02 nats of the lowest loss the first is taken, which is to be the simplest.

    Arguments:
        grids: (K, N, N).
        clusters: (N,) which samples are dependent on each other: cross-validation does not divide them, and the
            samples count as few as their losses are alike.
    """
    losses = torch.stack([infonce_loss(grid) for grid in grids])
    count = _independent(grids[int(losses.argmin())], clusters)
    noise = _NOISE / math.sqrt(count)
    if len(grids) == 1 or not _identified(losses.min(), grids.shape[-1]):
        near = (losses <= losses.min() + _NEAR).to(grids.dtype)
        return torch.nn.functional.one_hot(near.argmax(), len(grids)).to(grids.dtype)
    powers = (-losses / noise).exp()
    powers = torch.where(powers > LEAST_WEIGHT * powers.max(), powers, 0)
    mean = powers / (powers.sum() + len(losses))  # independence, of loss 0, weighs as much as all of them together
    if clusters is not None and not _identified(losses.min(), count):
        return mean
    halves = _halves(grids, clusters)
    gain = _gain(halves, lambda new: weighted_sum(mean, new), lambda old, new: weighted_sum(_fit_weights(old), new))
    return _fit_weights(grids) if gain > _LEAST_STACKING_GAIN + _CHANCE / count else mean


def weighted_sum(weights: Tensor, grids: Tensor) -> Tensor:
    """Grids (K, ...) added with weights (K,)."""
    return torch.einsum("k,k...->...", weights, grids)


def calibration(grid: Tensor, clusters: Tensor | None = None) -> Calibration | None:
    """The calibration of a critic from a grid of its scores (N, N), or None if it gains nothing in cross-validation;
    samples of one of the `clusters` (N,) are dependent on each other.

    Fitted on every other sample and evaluated on the rest, and the other way round; only if that lowers the InfoNCE
    loss is it fitted on all samples. Nothing is fitted near the ceiling of InfoNCE, ln N, where the scale of the scores
    is not identified.
    """
    count = _independent(grid, clusters)
    if not _identified(infonce_loss(grid), count):
        return None
    halves = [_blocks(half) for half in _halves(grid, clusters)]
    gain = _gain(halves, lambda new: new, lambda old, new: piecewise_slopes(new, *_fit_slopes(old)))
    return Calibration(*_fit_slopes(_blocks(grid)), gain) if gain > _LEAST_GAIN + _CHANCE / count else None


def _gain(halves: list[Tensor], plain: Callable[[Tensor], Tensor], fitted: Callable[[Tensor, Tensor], Tensor]) -> float:
    """By how many nats a fit on one half of the samples lowers the loss of the other half, averaged over both ways."""
    gains = [float(infonce_loss(plain(new)) - infonce_loss(fitted(old, new))) for old, new in (halves, halves[::-1])]
    return sum(gains) / 2


def _halves(grids: Tensor, clusters: Tensor | None) -> list[Tensor]:
    """The grids (..., N, N) of every other sample and of the rest, or of two sets of whole clusters."""
    if clusters is None:
        return [grids[..., start::2, start::2] for start in (0, 1)]
    rows = [part.to(grids.device) for part in in_parts(clusters.cpu(), 2)]
    return [grids[..., part, :][..., part] for part in rows]


def _independent(grid: Tensor, clusters: Tensor | None) -> float:
    """So many independent samples have a mean loss of the same standard error as these, whose scores are (N, N): as
    many as clusters where the samples of a cluster are equal, and N where they are independent."""
    n = len(grid)
    if clusters is None:
        return n
    number = torch.unique(clusters, return_inverse=True)[1].to(grid.device)
    groups = int(number.max()) + 1
    terms = grid.diagonal() - (logmeanexp(grid, 0) + logmeanexp(grid, 1)) / 2
    alike = mean_stderr(terms, number) * math.sqrt(groups / max(groups - 1, 1))
    if groups < 2 or not alike:
        return groups
    return min(max(n * (mean_stderr(terms) / alike) ** 2, groups), n)


def _identified(loss: Tensor, n: float) -> bool:
    """Whether InfoNCE of n samples is far enough below its ceiling, ln n, to identify the scale of the scores."""
    return float(-loss) < math.log(n) - _MARGIN


def _fit_weights(grids: Tensor) -> Tensor:
    """Weights (K,) of least loss, with a small ridge penalty towards 1/K, which decides between equivalent critics."""
    blocks = _blocks(grids)
    even = torch.full((len(grids),), 1 / len(grids), dtype=grids.dtype, device=grids.device)
    raw = even.expm1().log().requires_grad_()  # its softplus is 1/K

    def loss() -> Tensor:
        weights = softplus(raw)
        return infonce_loss(weighted_sum(weights, blocks)) + _STACKING_PENALTY * (weights - even).square().sum()

    _minimize(loss, raw)
    return softplus(raw.detach())


def _blocks(grid: Tensor) -> Tensor:
    """The blocks along the diagonal, of about 128 samples: (..., N, N) -> (..., B, M, M). All pairs would cost N/M
    times as much and hardly improve the fit of so few numbers."""
    n = grid.shape[-1]
    count = max(1, n // _BLOCK)
    size = n // count
    starts = range(0, count * size, size)
    return torch.stack([grid[..., i : i + size, i : i + size] for i in starts], -3)


def _fit_slopes(grids: Tensor) -> tuple[Tensor, Tensor]:
    """Knots at quantiles, three of the scores of all pairs and the others of matched pairs, and the slopes of least
    loss, with a ridge penalty on the changes of slope."""
    joint = grids.diagonal(dim1=-2, dim2=-1).flatten()
    every = grids.flatten()[:: max(1, grids.numel() // 20_000)]
    of_all = joint.new_tensor([0.1, 0.5, 0.8])
    of_matched = torch.linspace(0.02, 0.98, _MATCHED_KNOTS, dtype=joint.dtype).to(joint)
    knots = torch.unique(torch.cat([torch.quantile(every, of_all), torch.quantile(joint, of_matched)]))
    slopes = torch.zeros(len(knots) + 1, dtype=grids.dtype, device=grids.device)
    slopes[0] = 1
    slopes.requires_grad_()
    hinges = torch.stack([grids, *((grids - knot).clamp_min_(0) for knot in knots)])  # which the map is linear in

    def loss() -> Tensor:
        return infonce_loss(weighted_sum(slopes, hinges)) + _SLOPE_PENALTY * slopes[1:].square().mean()

    _minimize(loss, slopes)
    return knots, slopes.detach()


def _minimize(loss: Callable[[], Tensor], parameter: Tensor) -> None:
    optimizer = torch.optim.LBFGS([parameter], max_iter=15, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
