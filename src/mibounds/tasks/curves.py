"""Two columns of y that lie near a curve or a surface, whose position is x."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks._quadrature import input_nodes, log_normal
from mibounds.tasks.maps import IDENTITY
from mibounds.tasks.task import Task

__all__ = ["BANANA", "EIGHT", "Curve", "NoisyCurve", "NoisyProduct"]

_NODES, _POINTS = 400, 1000
_BLOCK = 2000  # rows of y at a time


@dataclass(frozen=True)
class Curve:
    """Two functions of one number, the coordinates of a point of the plane.

    Arguments:
        name: the repr.
        first: (...) to (...).
        second: likewise.
    """

    name: str
    first: Callable[[Tensor], Tensor]
    second: Callable[[Tensor], Tensor]

    def __repr__(self) -> str:
        return self.name


def _double_sine(x: Tensor) -> Tensor:
    return torch.sin(2 * x)


BANANA = Curve("banana", IDENTITY.forward, torch.square)
"""(x, x squared)."""
EIGHT = Curve("eight", torch.sin, _double_sine)
"""(sin x, sin 2x), the figure eight, which crosses itself."""


@dataclass(frozen=True)
class _Plane(Task):
    """Normal noise around a point of the plane: given a number z, both coordinates are independent and normal."""

    noise: float
    idle: int = 0

    _columns: ClassVar[int]  # of x that y depends on

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        if not 0 < self.noise < math.inf:
            raise ValueError(f"noise is {self.noise!r}, and must be positive and finite.")

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, self._columns + self.idle, generator=generator)
        noise = self.noise * torch.randn(n, 2, generator=generator, dtype=torch.float64)
        return x, (self._point(x) + noise).float()

    @cached_property
    def mutual_information(self) -> float:
        """h(Y) - h(Y | X), the entropy of y by a sum over a grid."""
        nodes, weights = self._nodes
        lines, factors = [], []
        for location, scale in self._moments(nodes):
            low, high = float((location - 8 * scale).min()), float((location + 8 * scale).max())
            line = torch.linspace(low, high, _POINTS, dtype=torch.float64)
            lines.append(float(line[1] - line[0]))
            factors.append(log_normal(line[:, None], location, scale).exp())
        density = (factors[0] * weights) @ factors[1].T
        entropy = float(torch.special.entr(density).sum()) * lines[0] * lines[1]
        return entropy - math.log(2 * math.pi * math.e * self.noise**2)

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        given = log_normal(y.double(), self._point(x), y.new_tensor(self.noise).double()).sum(-1)
        return (given - self._log_marginal(y)).to(x.dtype)

    def _log_marginal(self, y: Tensor) -> Tensor:
        """Log p(y), (...)."""
        nodes, weights = self._nodes
        (first, first_scale), (second, second_scale) = self._moments(nodes)
        blocks = [
            (
                log_normal(rows[:, :1], first, first_scale)
                + log_normal(rows[:, 1:], second, second_scale)
                + weights.log()
            ).logsumexp(1)
            for rows in torch.split(y.double().reshape(-1, 2), _BLOCK)
        ]
        return torch.cat(blocks).view(y.shape[:-1])

    @property
    def _nodes(self) -> tuple[Tensor, Tensor]:
        nodes, weights = input_nodes("normal", 1, _NODES)
        return nodes[:, 0], weights

    @abstractmethod
    def _point(self, x: Tensor) -> Tensor:
        """Where y lies without noise, (..., 2)."""

    @abstractmethod
    def _moments(self, nodes: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Means and standard deviations of both coordinates given z."""


@dataclass(frozen=True)
class NoisyCurve(_Plane):
    r"""Y is a point of a plane curve plus normal noise, and X, standard normal, says where on the curve.

    .. math:: Y = (g_1(X) + s E_1, g_2(X) + s E_2), \qquad I(X;Y) = h(Y) - \ln(2 \pi e s^2)

    The density of y is an average over x by the midpoint rule.

    Arguments:
        noise: s, above 0.
        idle: columns of x that y does not depend on, at least 0.
        curve: `BANANA` or `EIGHT`, for example.

    Example:
        >>> [part.shape[1] for part in NoisyCurve(0.3, 2).sample(5)]
        [3, 2]
    """

    curve: Curve = BANANA

    _columns = 1

    def _point(self, x: Tensor) -> Tensor:
        place = x[..., 0].double()
        return torch.stack([self.curve.first(place), self.curve.second(place)], -1)

    def _moments(self, nodes: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        scale = torch.full_like(nodes, self.noise)
        return (self.curve.first(nodes), scale), (self.curve.second(nodes), scale)


@dataclass(frozen=True)
class NoisyProduct(_Plane):
    r"""Y is a column of x and the product of two, plus normal noise.

    .. math:: Y = (X_1 + s E_1, X_1 X_2 + s E_2), \qquad p(y \mid x_1) = N(y_1; x_1, s^2) N(y_2; 0, x_1^2 + s^2)

    The density of y is an average over the first column by the midpoint rule.

    Arguments:
        noise: s, above 0.
        idle: columns of x that y does not depend on, at least 0.

    Example:
        >>> [part.shape[1] for part in NoisyProduct(0.3, 2).sample(5)]
        [4, 2]
    """

    _columns = 2

    def _point(self, x: Tensor) -> Tensor:
        wide = x.double()
        return torch.stack([wide[..., 0], wide[..., 0] * wide[..., 1]], -1)

    def _moments(self, nodes: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        spread = (nodes.square() + self.noise**2).sqrt()
        return (nodes, torch.full_like(nodes, self.noise)), (torch.zeros_like(nodes), spread)
