"""Sequences with known mutual information."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks.task import Task

__all__ = ["HiddenState"]


@dataclass(frozen=True)
class HiddenState(Task):
    r"""Noisy observations of a hidden state, and its final value.

    .. math:: z_t = \phi z_{t-1} + \sqrt{1-\phi^2}\, e_t, \quad x_t = z_t + \sigma n_t, \quad y = z_T, \qquad
              I(X;Y) = -\tfrac12 \ln P_T

    with z of unit variance and :math:`P_T` the variance of the state given the observations, computed by the Kalman
    filter: :math:`Q_1 = 1`, :math:`Q_t = \phi^2 P_{t-1} + 1 - \phi^2`,
    :math:`P_t = Q_t \sigma^2 / (Q_t + \sigma^2)`. Nearly all of the information is in the last few 1/(1 - phi) steps.

    References:
        Kalman, A new approach to linear filtering and prediction problems, 1960.

    Arguments:
        steps: T, at least 1.
        memory: phi, in [0, 1).
        noise: sigma, positive.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> task = HiddenState(200, 0.9, 0.5)
        >>> [tuple(side.shape) for side in task.sample(3)], round(task.mutual_information, 3)
        ([(3, 200, 1), (3, 1)], 0.996)
    """

    steps: int
    memory: float
    noise: float

    def __post_init__(self) -> None:
        check_at_least("steps", self.steps, 1)
        if not 0 <= self.memory < 1 or not self.noise > 0:
            raise ValueError(
                f"memory is {self.memory!r} and noise {self.noise!r}: expected memory in [0, 1) and positive noise."
            )

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        shocks, noise = (torch.randn(n, self.steps, generator=generator) for _ in range(2))
        state = shocks[:, 0]
        states = [state]
        for t in range(1, self.steps):
            state = self.memory * state + math.sqrt(1 - self.memory**2) * shocks[:, t]
            states.append(state)
        hidden = torch.stack(states, 1)
        return (hidden + self.noise * noise).unsqueeze(-1), hidden[:, -1:]

    @property
    def mutual_information(self) -> float:
        return -math.log(self._gains()[-1][1]) / 2

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        mean = torch.zeros(x.shape[:-2], dtype=x.dtype)
        gains = self._gains()
        for t, (gain, _) in enumerate(gains):
            predicted = self.memory * mean if t else mean
            mean = predicted + gain * (x[..., t, 0] - predicted)
        end, variance = y[..., 0], gains[-1][1]
        return (end.square() - (end - mean).square() / variance - math.log(variance)) / 2

    def _gains(self) -> list[tuple[float, float]]:
        """The Kalman gain of each step and the variance of the state after it."""
        variance, steps = 1.0, []
        for t in range(self.steps):
            ahead = self.memory**2 * variance + 1 - self.memory**2 if t else 1.0
            gain = ahead / (ahead + self.noise**2)
            variance = (1 - gain) * ahead
            steps.append((gain, variance))
        return steps
