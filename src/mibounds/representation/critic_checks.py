"""Checks of an upper bound's critic in a training loop: is it behind the network, and does its density fit?

From time to time half of a batch is held back. A critic that follows its data predicts the held-back samples as well
after a step on the other half as before it; one that lags gains. The residuals of the held-back samples are standard
normal and independent of each other if the density is the true one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

import torch
from torch import Tensor

from mibounds._variables import Tensors, row_count, take_rows
from mibounds.estimators import MIEstimator
from mibounds.warnings import CriticLagsWarning, DensityMisfitWarning, MIWarning, UpperBoundBelowZeroWarning

__all__ = ["Checked", "CriticChecks", "below_zero", "misfit"]

_EVERY = 20  # calls of `update` from one check to the next
_FIRST = 100  # and before the first
_LEAST = 16  # samples of a batch
_CHECKS = 16  # that are looked at together
_GAIN, _MISFIT, _BELOW = 0.005, 0.05, 0.05  # nats


class Checked(Protocol):
    """What the checks look at of a regularizer."""

    estimator: MIEstimator
    steps: int
    updates: int
    skipped: int
    negatives: int | Literal["all"]

    @property
    def optimizer(self) -> torch.optim.Optimizer | None:
        """Of the critic."""

    def value(self) -> float:
        """The running estimate."""

    def recent(self) -> Tensor:
        """The last values."""

    def _batch_size(self, x: Tensors) -> int: ...


class CriticChecks:
    """What was found on the held-back samples of one regularizer."""

    def __init__(self) -> None:
        self.gains: deque[float] = deque(maxlen=_CHECKS)
        self.residuals: deque[Tensor] = deque(maxlen=_CHECKS)

    def due(self, regularizer: Checked, x: Tensors) -> bool:
        """Is this call of `update` one that holds samples back? Only likelihood is a loss with little noise."""
        calls = regularizer.updates // regularizer.steps
        wanted = calls >= _FIRST and calls % _EVERY == 0 and regularizer.estimator.bound.needs_conditional_density
        return wanted and row_count(x) >= _LEAST and regularizer.optimizer is not None

    def held_back(
        self, regularizer: Checked, x: Tensors, z: Tensors, train: Callable[[Tensors, Tensors], None]
    ) -> None:
        """Train on half of a batch, and compare the other half before and after."""
        half = row_count(x) // 2
        held = take_rows(x, slice(half, None)), take_rows(z, slice(half, None))
        estimator = regularizer.estimator
        with torch.no_grad():
            before = float(estimator.bound.objective(estimator.critic(*held)))
        train(take_rows(x, slice(half)), take_rows(z, slice(half)))
        with torch.no_grad():
            self.gains.append(before - float(estimator.bound.objective(estimator.critic(*held))))
            residual = getattr(estimator.critic, "residual", lambda x, z: None)(*held)
        if residual is not None:
            if self.residuals and self.residuals[0].shape[1] != residual.shape[1]:  # a column has become constant
                self.residuals.clear()
            self.residuals.append(residual.cpu())

    def found(self, regularizer: Checked) -> list[MIWarning]:
        """What to warn of now."""
        warnings: list[MIWarning] = []
        bound = type(regularizer.estimator.bound).__name__
        if regularizer.estimator.bound.side == "upper" and below_zero(regularizer.recent()):
            warnings.append(
                UpperBoundBelowZeroWarning(
                    f"{bound}, an upper bound of a number that is never negative, is at {regularizer.value():.3g} "
                    "nats, because its critic does not fit: take more critic steps (steps=5) or a larger lr."
                )
            )
        gain = torch.tensor(list(self.gains))
        if len(gain) == _CHECKS and gain.median() > _GAIN and (gain > 0).sum() >= 0.75 * _CHECKS:
            warnings.append(
                CriticLagsWarning(
                    f"One update of the critic improves its loss on held-back samples by {float(gain.median()):.2g} "
                    f"nats, so it is behind the network and {bound} is wrong: take more critic steps (steps=5), a "
                    "larger lr, or a smaller learning rate of the network."
                )
            )
        gap = misfit(torch.cat(list(self.residuals))) if len(self.residuals) == _CHECKS else 0.0
        if gap > _MISFIT:
            warnings.append(
                DensityMisfitWarning(
                    f"The residuals of the critic's density are {gap:.2g} nats from standard normal, so {bound} need "
                    'not be a bound, and a network can hide information from it: use critic="flow", and verify the '
                    "result with mi.estimate."
                )
            )
        return warnings


def below_zero(recent: Tensor) -> bool:
    """Is the median of recent values below 0 by more than its noise, and by 0.05 nats?

    >>> below_zero(torch.full((50,), -0.2)), below_zero(torch.linspace(-1, 1, 50))
    (True, False)
    """
    if len(recent) < 50:
        return False
    median = recent.median()
    stderr = 1.86 * (recent - median).abs().median() / len(recent) ** 0.5
    return bool(median + 3 * stderr < -_BELOW)


def misfit(residuals: Tensor) -> float:
    """How far residuals (N, D) are from independent normal ones in nats, by their third and fourth moments (Jones and
    Sibson, What is projection pursuit?, 1987) and their correlations, apart from their means and scales.

    >>> generator = torch.Generator().manual_seed(0)
    >>> normal = torch.randn(2000, 2, generator=generator)
    >>> misfit(normal) < 0.01 < 0.05 < misfit(normal.sign() + 0.3 * normal)
    True
    """
    n, dim = residuals.shape
    standard = residuals.double()
    standard = (standard - standard.mean(0)) / standard.std(0, correction=0).clamp_min(1e-12)
    skewness, kurtosis = standard.pow(3).mean(0), standard.pow(4).mean(0) - 3
    noise = dim * (6 / 12 + 24 / 48) / n
    shape = float((skewness.square() / 12 + kurtosis.square() / 48).sum()) - noise
    if n < 4 * dim * dim:
        return shape
    correlation = (standard.T @ standard / n).fill_diagonal_(1.0)
    return shape - float(torch.linalg.slogdet(correlation)[1]) / 2 - dim * (dim - 1) / 4 / n
