"""Distributions of additive noise for regression tasks.

>>> Laplace(0.5)
Laplace(0.5)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Gumbel", "Laplace", "Noise", "Normal", "Uniform"]

_TAIL = 1e-13  # probability beyond `reach`
_ROUNDING = 1e-5  # of a value at the edge of a bounded support, which float32 may put outside


@dataclass(frozen=True)
class _Noise(ABC):
    """A distribution on the line.

    Arguments:
        scale: a factor of the standard distribution, above 0.
    """

    scale: float

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise ValueError(f"scale is {self.scale!r}, and must be positive and finite.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.scale})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """N independent values in float64."""
        u = torch.rand(n, generator=generator, dtype=torch.float64)
        return self.scale * self._quantile(u.clamp(1e-16, 1 - 1e-16))

    def log_density(self, value: Tensor) -> Tensor:
        """The log density of values (...)."""
        return self._log_density(value / self.scale) - math.log(self.scale)

    def cdf(self, value: Tensor) -> Tensor:
        """The distribution function of values (...)."""
        return self._cdf(value / self.scale)

    @property
    def entropy(self) -> float:
        """The differential entropy in nats."""
        return self._entropy + math.log(self.scale)

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest value that matter to a quadrature."""
        low, high = self._quantile(torch.tensor([_TAIL, 1 - _TAIL], dtype=torch.float64)).tolist()
        return self.scale * low, self.scale * high

    @property
    @abstractmethod
    def _entropy(self) -> float: ...

    @abstractmethod
    def _quantile(self, u: Tensor) -> Tensor: ...

    @abstractmethod
    def _log_density(self, value: Tensor) -> Tensor: ...

    @abstractmethod
    def _cdf(self, value: Tensor) -> Tensor: ...


@dataclass(frozen=True, repr=False)
class Normal(_Noise):
    """Normal noise; the scale is its standard deviation.

    Example:
        >>> round(Normal(1.0).entropy, 4)  # ln(2 pi e)/2
        1.4189
    """

    _entropy = 0.5 * math.log(2 * math.pi * math.e)

    def _quantile(self, u: Tensor) -> Tensor:
        value: Tensor = torch.special.ndtri(u)
        return value

    def _log_density(self, value: Tensor) -> Tensor:
        return -value.square() / 2 - 0.5 * math.log(2 * math.pi)

    def _cdf(self, value: Tensor) -> Tensor:
        below: Tensor = torch.special.ndtr(value)
        return below


@dataclass(frozen=True, repr=False)
class Laplace(_Noise):
    """Laplace noise, with a peak at 0 and exponential tails; the scale is the mean of its absolute value.

    Example:
        >>> round(Laplace(1.0).entropy, 4)  # 1 + ln 2
        1.6931
    """

    _entropy = 1 + math.log(2)

    def _quantile(self, u: Tensor) -> Tensor:
        return -(u - 0.5).sign() * torch.log(2 * torch.minimum(u, 1 - u))

    def _log_density(self, value: Tensor) -> Tensor:
        return -value.abs() - math.log(2)

    def _cdf(self, value: Tensor) -> Tensor:
        tail = 0.5 * torch.exp(-value.abs())
        return torch.where(value < 0, tail, 1 - tail)


@dataclass(frozen=True, repr=False)
class Uniform(_Noise):
    """Uniform noise between minus and plus the scale. Log-ratios are minus infinity outside.

    Example:
        >>> round(Uniform(0.5).entropy, 4)  # ln 1
        0.0
    """

    _entropy = math.log(2)

    def _quantile(self, u: Tensor) -> Tensor:
        return 2 * u - 1

    def _log_density(self, value: Tensor) -> Tensor:
        return torch.where(value.abs() <= 1 + _ROUNDING, -math.log(2), -math.inf)

    def _cdf(self, value: Tensor) -> Tensor:
        return ((value + 1) / 2).clamp(0, 1)


@dataclass(frozen=True, repr=False)
class Gumbel(_Noise):
    """The logarithm of a standard exponential variable times the scale: log waiting times, skewed to the left.

    Example:
        >>> round(Gumbel(1.0).entropy, 4)  # 1 + Euler's constant
        1.5772
    """

    _entropy = 1 + 0.5772156649015329

    def _quantile(self, u: Tensor) -> Tensor:
        return torch.log(-torch.log1p(-u))

    def _log_density(self, value: Tensor) -> Tensor:
        return value - value.exp()

    def _cdf(self, value: Tensor) -> Tensor:
        return -torch.expm1(-value.exp())


Noise = Normal | Laplace | Uniform | Gumbel
"""Any of these."""
