"""Archimedean copulas under unlike margins: one column a side, with dependence that differs between the tails."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from mibounds._checks import check_at_least, check_choice
from mibounds._roots import bisect
from mibounds.tasks.maps import IDENTITY
from mibounds.tasks.task import Task

__all__ = ["ClaytonCopula", "FrankCopula", "GumbelCopula", "JoeCopula"]

_REACH, _STEP = 7.0, 0.02  # of the quadrature in normal scores
_FARTHEST = 9.0  # normal score of a drawn value
_TOLERANCE = 1e-9
_LAST_UNIFORM = 1 - 2.0**-25  # float32 rounds more to 1


class _Margin(NamedTuple):
    """A monotone function of normal scores, and its inverse."""

    forward: Callable[[Tensor], Tensor]
    inverse: Callable[[Tensor], Tensor]


def _below(z: Tensor) -> Tensor:
    """The probability of less than z."""
    u: Tensor = torch.special.ndtr(z)
    return u


def _log_below(z: Tensor) -> Tensor:
    log_u: Tensor = torch.special.log_ndtr(z)
    return log_u


def _exponential(z: Tensor) -> Tensor:
    return -_log_below(-z)


def _from_exponential(x: Tensor) -> Tensor:
    lower = torch.special.ndtri(-torch.expm1(-x))
    return torch.where(x < math.log(2), lower, -torch.special.ndtri(torch.exp(-x)))


def _from_uniform(x: Tensor) -> Tensor:
    z: Tensor = torch.special.ndtri(x.clamp(1e-300, _LAST_UNIFORM))
    return z


def _cube(x: Tensor) -> Tensor:
    return x**3


def _cube_root(x: Tensor) -> Tensor:
    return x.sign() * x.abs().pow(1 / 3)


_MARGINS = {
    "normal": _Margin(IDENTITY.forward, IDENTITY.forward),
    "uniform": _Margin(_below, _from_uniform),
    "exponential": _Margin(_exponential, _from_exponential),
    "cubed": _Margin(_cube, _cube_root),
}


@dataclass(frozen=True)
class _Copula(Task):
    r"""Two columns with a copula of one parameter, and margins of unlike shape, which do not change the information.

    .. math:: I(X;Y) = \int c(u, v) \ln c(u, v)\, du\, dv

    The integral is a sum over a grid of normal scores. Draws are made by the conditional distribution of v given u.

    Arguments:
        theta: the parameter; the range depends on the copula.
        margin_x: "normal", "uniform", "exponential", or "cubed" (the cube of a normal variable).
        margin_y: likewise.
    """

    theta: float
    margin_x: str = "uniform"
    margin_y: str = "uniform"

    _least: ClassVar[int] = 1  # of theta, which is above it where it is 0

    def __post_init__(self) -> None:
        check_choice("margin_x", self.margin_x, _MARGINS)
        check_choice("margin_y", self.margin_y, _MARGINS)
        if self._least:
            check_at_least("theta", self.theta, self._least)
        elif not self.theta > 0:
            raise ValueError(f"theta is {self.theta!r}, and must be above 0.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.theta}, {self.margin_x}, {self.margin_y})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        z = torch.randn(n, 1, generator=generator, dtype=torch.float64)
        u = torch.rand(n, 1, generator=generator, dtype=torch.float64)
        ends = torch.full_like(z, _FARTHEST)
        other = bisect(lambda y: self._conditional(z, y) < u, -ends, ends, _TOLERANCE)
        x, y = _MARGINS[self.margin_x].forward(z), _MARGINS[self.margin_y].forward(other)
        return self._rounded(x, self.margin_x), self._rounded(y, self.margin_y)

    @cached_property
    def mutual_information(self) -> float:
        line = torch.arange(-_REACH, _REACH + _STEP / 2, _STEP, dtype=torch.float64)
        log_density = self._log_density(line[:, None], line)
        normal = -(line[:, None].square() + line.square()) / 2 - math.log(2 * math.pi)
        mass = (log_density + normal).exp()
        return float((mass * log_density).sum() / mass.sum())

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        left, right = x[..., 0].double(), y[..., 0].double()
        left, right = _MARGINS[self.margin_x].inverse(left), _MARGINS[self.margin_y].inverse(right)
        return self._log_density(left, right).to(x.dtype)

    @staticmethod
    def _rounded(x: Tensor, margin: str) -> Tensor:
        return (x.clamp(max=_LAST_UNIFORM) if margin == "uniform" else x).float()

    @abstractmethod
    def _log_density(self, x: Tensor, y: Tensor) -> Tensor:
        """The logarithm ln c(u, v) of normal scores."""

    @abstractmethod
    def _conditional(self, x: Tensor, y: Tensor) -> Tensor:
        """P(V < v | u) of normal scores."""


@dataclass(frozen=True, repr=False)
class ClaytonCopula(_Copula):
    r"""The Clayton copula, dependent in the lower tail.

    .. math:: C(u, v) = (u^{-\theta} + v^{-\theta} - 1)^{-1/\theta}, \qquad
              I(X;Y) = \ln(1 + \theta) - \frac{\theta}{1 + \theta}

    Arguments:
        theta: above 0.
        margin_x: "normal", "uniform", "exponential", or "cubed" (the cube of a normal variable).
        margin_y: likewise.

    Example:
        >>> round(ClaytonCopula(3.0).mutual_information, 4)  # ln 4 - 3/4
        0.6363
    """

    _least = 0

    @property
    def mutual_information(self) -> float:
        return math.log1p(self.theta) - self.theta / (1 + self.theta)

    def _log_sum(self, log_u: Tensor, log_v: Tensor) -> Tensor:
        """The logarithm of u^-theta + v^-theta - 1."""
        larger, smaller = -self.theta * torch.minimum(log_u, log_v), -self.theta * torch.maximum(log_u, log_v)
        return larger + torch.log1p(torch.exp(smaller - larger) - torch.exp(-larger))

    def _log_density(self, x: Tensor, y: Tensor) -> Tensor:
        log_u, log_v, t = _log_below(x), _log_below(y), self.theta
        return math.log1p(t) - (1 + t) * (log_u + log_v) - (2 + 1 / t) * self._log_sum(log_u, log_v)

    def _conditional(self, x: Tensor, y: Tensor) -> Tensor:
        log_u, log_v, t = _log_below(x), _log_below(y), self.theta
        return torch.exp(-(t + 1) * log_u - (1 + 1 / t) * self._log_sum(log_u, log_v))


@dataclass(frozen=True, repr=False)
class FrankCopula(_Copula):
    r"""The Frank copula, symmetric and without dependence in the tails.

    .. math:: C(u, v) = -\tfrac{1}{\theta}
              \ln\Bigl(1 + \frac{(e^{-\theta u} - 1)(e^{-\theta v} - 1)}{e^{-\theta} - 1}\Bigr)

    Arguments:
        theta: above 0.
        margin_x: "normal", "uniform", "exponential", or "cubed" (the cube of a normal variable).
        margin_y: likewise.

    Example:
        >>> FrankCopula(8.0).mutual_information > FrankCopula(4.0).mutual_information > 0
        True
    """

    _least = 0

    def _parts(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        u, v, t = _below(x), _below(y), self.theta
        left, right = -torch.expm1(-t * u), -torch.expm1(-t * v)
        return t * u, right, -math.expm1(-t) - left * right

    def _log_density(self, x: Tensor, y: Tensor) -> Tensor:
        t, (scaled, _, rest) = self.theta, self._parts(x, y)
        return math.log(-t * math.expm1(-t)) - scaled - t * _below(y) - 2 * rest.log()

    def _conditional(self, x: Tensor, y: Tensor) -> Tensor:
        scaled, right, rest = self._parts(x, y)
        return torch.exp(-scaled) * right / rest


@dataclass(frozen=True, repr=False)
class GumbelCopula(_Copula):
    r"""The Gumbel copula, dependent in the upper tail.

    .. math:: C(u, v) = \exp\Bigl(-\bigl((-\ln u)^\theta + (-\ln v)^\theta\bigr)^{1/\theta}\Bigr)

    Arguments:
        theta: at least 1, where 1 is independence.
        margin_x: "normal", "uniform", "exponential", or "cubed" (the cube of a normal variable).
        margin_y: likewise.

    Example:
        >>> abs(GumbelCopula(1.0).mutual_information) < 1e-9
        True
    """

    def _parts(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """-ln u, -ln v and the logarithm of -ln C."""
        a, b, t = -_log_below(x), -_log_below(y), self.theta
        return a, b, torch.logaddexp(t * a.log(), t * b.log()) / t

    def _log_density(self, x: Tensor, y: Tensor) -> Tensor:
        t, (a, b, log_s) = self.theta, self._parts(x, y)
        s = log_s.exp()
        return a + b - s + (t - 1) * (a.log() + b.log()) + (1 - 2 * t) * log_s + torch.log(s + t - 1)

    def _conditional(self, x: Tensor, y: Tensor) -> Tensor:
        a, _, log_s = self._parts(x, y)
        return torch.exp(a - log_s.exp() + (self.theta - 1) * (a.log() - log_s))


@dataclass(frozen=True, repr=False)
class JoeCopula(_Copula):
    r"""The Joe copula, dependent in the upper tail more than Gumbel's.

    .. math:: C(u, v) = 1 - \bigl(\bar u^\theta + \bar v^\theta - \bar u^\theta \bar v^\theta\bigr)^{1/\theta},
              \qquad \bar u = 1 - u

    Arguments:
        theta: at least 1, where 1 is independence.
        margin_x: "normal", "uniform", "exponential", or "cubed" (the cube of a normal variable).
        margin_y: likewise.

    Example:
        >>> abs(JoeCopula(1.0).mutual_information) < 1e-9
        True
    """

    def _parts(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The logarithms of 1 - u, of 1 - v and of (1 - C)^theta."""
        log_u, log_v, t = _log_below(-x), _log_below(-y), self.theta
        larger, smaller = t * torch.maximum(log_u, log_v), t * torch.minimum(log_u, log_v)
        return log_u, log_v, larger + torch.log1p(torch.exp(smaller - larger) - torch.exp(smaller))

    def _log_density(self, x: Tensor, y: Tensor) -> Tensor:
        t, (log_u, log_v, log_a) = self.theta, self._parts(x, y)
        return (1 / t - 2) * log_a + (t - 1) * (log_u + log_v) + torch.log(t - 1 + log_a.exp())

    def _conditional(self, x: Tensor, y: Tensor) -> Tensor:
        t, (log_u, log_v, log_a) = self.theta, self._parts(x, y)
        return torch.exp((1 / t - 1) * log_a + (t - 1) * log_u) * -torch.expm1(t * log_v)
