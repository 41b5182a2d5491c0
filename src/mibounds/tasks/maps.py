r"""Invertible transformations of x or of y, which leave I(X;Y) unchanged.

The maps of the benchmark of Czyż et al. (Beyond normal, 2023, arXiv:2306.11078), the cube of Song and Ermon
(2020, arXiv:1910.06222), and a linear mixing. `Transformed` applies them to a task:

    >>> from mibounds.tasks import CorrelatedGaussian, Transformed
    >>> Transformed(CorrelatedGaussian(20, 0.5), IDENTITY, CUBIC)
    Transformed(CorrelatedGaussian(dim=20, rho=0.5), identity, cubic)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds._roots import bisect

__all__ = [
    "ASINH",
    "BIMODAL_X",
    "BIMODAL_Y",
    "CUBIC",
    "EXP",
    "HALF_CUBE",
    "IDENTITY",
    "NORMAL_CDF",
    "SWISS_ROLL",
    "WIGGLY_X",
    "WIGGLY_Y",
    "Map",
    "mixing",
    "spiral",
]

_TOLERANCE = 1e-17  # of an inverse in float64


@dataclass(frozen=True)
class Map:
    """An injective function of a row, with its inverse on its range.

    Arguments:
        name: the repr.
        forward: (..., D) to (..., D'), in the dtype of the argument.
        inverse: (..., D') to (..., D); None where it is not simple, and the transformed task has then no log-ratio.

    Example:
        >>> CUBIC.forward(torch.tensor([-2.0])), CUBIC.inverse(torch.tensor([-8.0]))
        (tensor([-8.]), tensor([-2.]))
    """

    name: str
    forward: Callable[[Tensor], Tensor]
    inverse: Callable[[Tensor], Tensor] | None = None

    def __repr__(self) -> str:
        return self.name


def _same(x: Tensor) -> Tensor:
    return x


def _signed_power(exponent: float, x: Tensor) -> Tensor:
    return x.sign() * torch.pow(x.abs(), exponent)


def _normal_quantile(u: Tensor) -> Tensor:
    edge = 2.0**-24  # float32 rounds values nearer to 1 to 1, whose quantile is infinite
    quantile: Tensor = torch.special.ndtri(u.clamp(edge, 1 - edge))
    return quantile


def _wiggle_x(x: Tensor) -> Tensor:
    return x + 0.4 * x.sin() + 0.2 * (1.7 * x + 1).sin() + 0.03 * (3.3 * x - 2.5).sin()


def _wiggle_y(y: Tensor) -> Tensor:
    return y - 0.4 * (0.4 * y).sin() + 0.17 * (1.3 * y + 3.5).sin() + 0.02 * (4.3 * y - 2.5).sin()


def _unwiggle(wiggle: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return bisect(lambda y: wiggle(y) < x, x - 1, x + 1, _TOLERANCE)  # the waves add up to less than 1


def _two_modes(weight: float, first: float, second: float, x: Tensor) -> Tensor:
    """Distribution function of weight N(first, 1) + (1 - weight) N(second, 1)."""
    return torch.lerp(torch.special.ndtr(x - second), torch.special.ndtr(x - first), weight)


def _to_modes(weight: float, first: float, second: float, x: Tensor) -> Tensor:
    """The mixture's quantile of Phi(x): it lies between the quantiles x + first and x + second of the two parts."""
    mixture = partial(_two_modes, weight, first, second)
    level = torch.special.ndtr(x)
    return bisect(lambda y: mixture(y) < level, x + first, x + second, _TOLERANCE)


def _from_modes(weight: float, first: float, second: float, x: Tensor) -> Tensor:
    return _normal_quantile(_two_modes(weight, first, second, x))


def _roll(u: Tensor) -> Tensor:
    t = 1.5 * math.pi * (1 + 2 * u)
    return torch.cat([t * t.cos(), t * t.sin()], -1) / 21


def _unroll(point: Tensor) -> Tensor:
    # The radius t/21 increases along the curve.
    t: Tensor = 21 * torch.linalg.vector_norm(point, dim=-1, keepdim=True)
    return (t / (1.5 * math.pi) - 1) / 2


def _turn(plane: tuple[int, int], speed: float, x: Tensor) -> Tensor:
    i, j = plane
    angle = speed * x.square().sum(-1)
    turned = x.clone()
    turned[..., i] = angle.cos() * x[..., i] - angle.sin() * x[..., j]
    turned[..., j] = angle.sin() * x[..., i] + angle.cos() * x[..., j]
    return turned


def _multiply(matrix: Tensor, x: Tensor) -> Tensor:
    return x @ matrix.to(x.dtype)


def _bimodal(name: str, weight: float, first: float, second: float) -> Map:
    modes = weight, first, second
    return Map(name, partial(_to_modes, *modes), partial(_from_modes, *modes))


def spiral(dim: int, plane: tuple[int, int], speed: float) -> Map:
    """A rotation of each row in one plane, by an angle of speed times its squared length.

    Arguments:
        dim: columns, D.
        plane: the two columns that are rotated, 0 <= i, j < dim.
        speed: radians for each unit of squared length.

    Example:
        >>> spiral(2, (0, 1), math.pi / 2).forward(torch.tensor([1.0, 0.0])).round()
        tensor([-0., 1.])
    """
    i, j = plane
    if i == j or not (0 <= i < dim and 0 <= j < dim):
        raise ValueError(f"plane is {plane!r}, and must name two different columns below dim = {dim}.")
    return Map(f"spiral({i}-{j}, {speed:.3g})", partial(_turn, plane, speed), partial(_turn, plane, -speed))


def mixing(dim: int, seed: int) -> Map:
    """A random dim x dim matrix with singular values from 0.5 to 2: every column becomes a linear mixture of all.

    Example:
        >>> mix = mixing(3, seed=0)
        >>> torch.allclose(mix.inverse(mix.forward(torch.ones(3))), torch.ones(3), atol=1e-5)
        True
    """
    check_at_least("dim", dim, 1)
    normal = torch.randn(dim, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    left, _, right = torch.linalg.svd(normal)
    scales = torch.linspace(0.5, 2, dim, dtype=torch.float64)
    forward, inverse = left * scales @ right, right.T / scales @ left.T
    return Map(f"mixing({dim}, seed {seed})", partial(_multiply, forward), partial(_multiply, inverse))


IDENTITY = Map("identity", _same, _same)
"""The identity."""
EXP = Map("exp", torch.exp, torch.log)
"""exp(x): noise that is added becomes noise that multiplies."""
CUBIC = Map("cubic", partial(_signed_power, 3.0), partial(_signed_power, 1 / 3))
"""x^3."""
HALF_CUBE = Map("half_cube", partial(_signed_power, 1.5), partial(_signed_power, 2 / 3))
"""x sqrt|x|: heavier tails."""
ASINH = Map("asinh", torch.asinh, torch.sinh)
"""asinh x: lighter tails."""
NORMAL_CDF = Map("normal_cdf", torch.special.ndtr, _normal_quantile)
"""Phi(x): standard normal columns become uniform."""
WIGGLY_X = Map("wiggly_x", _wiggle_x, partial(_unwiggle, _wiggle_x))
"""x + 0.4 sin x + 0.2 sin(1.7x + 1) + 0.03 sin(3.3x - 2.5)."""
WIGGLY_Y = Map("wiggly_y", _wiggle_y, partial(_unwiggle, _wiggle_y))
"""y - 0.4 sin 0.4y + 0.17 sin(1.3y + 3.5) + 0.02 sin(4.3y - 2.5)."""
BIMODAL_X = _bimodal("bimodal_x", 0.3, 0.0, 5.0)
"""Standard normal columns become 0.3 N(0, 1) + 0.7 N(5, 1)."""
BIMODAL_Y = _bimodal("bimodal_y", 0.5, -1.0, 3.0)
"""Standard normal columns become 0.5 N(-1, 1) + 0.5 N(3, 1)."""
SWISS_ROLL = Map("swiss_roll", _roll, _unroll)
"""One uniform column becomes two, a point (t cos t, t sin t)/21 with t = 1.5 pi (1 + 2u)."""
