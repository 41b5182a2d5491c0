"""Angles: x is a phase, and y follows it around the circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.special import ive
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks.task import Task

__all__ = ["CircularNoise"]

_TURN = 2 * math.pi


@dataclass(frozen=True)
class CircularNoise(Task):
    r"""Y = w X + E around the circle: X a uniform angle and E of the von Mises distribution.

    .. math:: I(X;Y) = \kappa \frac{I_1(\kappa)}{I_0(\kappa)} - \ln I_0(\kappa)

    Both angles lie between 0 and 2 pi, where the ends of the range are neighbors.

    Arguments:
        concentration: kappa, above 0.
        winding: w, turns of y for one of x, at least 1.
        idle: columns of x that y does not depend on, uniform angles, at least 0.

    Example:
        >>> round(CircularNoise(5.0).mutual_information, 4)
        1.1622
    """

    concentration: float
    winding: int = 1
    idle: int = 0

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        check_at_least("winding", self.winding, 1)
        if not 0 < self.concentration < math.inf:
            raise ValueError(f"concentration is {self.concentration!r}, and must be positive and finite.")

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = _TURN * torch.rand(n, 1 + self.idle, generator=generator)
        # Torch's von Mises sampler takes no generator, so NumPy's is seeded from it.
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        noise = torch.from_numpy(rng.vonmises(0.0, self.concentration, n))
        return x, ((self.winding * x[:, 0].double() + noise) % _TURN)[:, None].float()

    @property
    def mutual_information(self) -> float:
        k = self.concentration
        return float(k * ive(1, k) / ive(0, k)) - self._log_bessel

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        noise = y[..., 0].double() - self.winding * x[..., 0].double()
        return (self.concentration * noise.cos() - self._log_bessel).to(x.dtype)

    @cached_property
    def _log_bessel(self) -> float:
        """The logarithm ln I_0(kappa), from the scaled function."""
        return math.log(ive(0, self.concentration)) + self.concentration
