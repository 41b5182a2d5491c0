r"""The log-ratio of a Student copula: dependence of the scale of columns, and linear dependence with heavy tails."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds._math import at_places
from mibounds.critics.critic import Critic, inner_product

__all__ = ["StudentCopulaCritic"]

_DEGREES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 60.0)  # of freedom that are tried
_ROWS = 5_000  # that the scatter matrix is fitted to
_ITERATIONS = 6
_CHANCE = 2.5  # times 1/sqrt(N): below, a correlation is taken as zero
_LEAST = 1e-4  # eigenvalue of the scatter matrix
_POINTS, _EDGE = 1025, 5.0  # of the table of quantiles, in normal scores


class StudentCopulaCritic(FittedBuffers, Critic):
    r"""The log-ratio of a Student copula of the columns of x and y together, with d = d_x + d_y columns,

    .. math:: f(x,y) = c - \tfrac{\nu+d}2 \log\Big(1 + \tfrac{q_{xy}}\nu\Big)
              + \tfrac{\nu+d_x}2 \log\Big(1 + \tfrac{q_x}\nu\Big) + \tfrac{\nu+d_y}2 \log\Big(1 + \tfrac{q_y}\nu\Big),

    where :math:`q` are the squared Mahalanobis lengths of the Student quantiles of the ranks. Takes normal scores. A
    common factor of scale, as of returns of the same days, makes columns dependent that are uncorrelated; networks need
    many samples for it. With many degrees of freedom it is the Gaussian copula. The scatter matrix is the
    maximum-likelihood one, the degrees of freedom those with the largest likelihood of the copula.

    References:
        Demarta and McNeil, The t copula and related copulas, 2005.

    Example:
        >>> draw = torch.Generator().manual_seed(0)
        >>> x, y = torch.randn(2, 2000, 1, generator=draw) / torch.rand(2000, 1, generator=draw)  # a common scale
        >>> from mibounds.data import RankGaussianize
        >>> x, y = (RankGaussianize().fit(side)(side) for side in (x, y))
        >>> critic = StudentCopulaCritic()
        >>> critic.prepare(x, y)
        >>> bool(critic(x, y).mean() > 0.15)
        True
    """

    degrees: Tensor
    quantiles: Tensor
    precision: Tensor
    precision_x: Tensor
    precision_y: Tensor
    constant: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("degrees", "quantiles", "precision", "precision_x", "precision_y", "constant"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        scores = torch.cat([x, y], 1)[:_ROWS].double()
        best, scatter = -math.inf, torch.eye(scores.shape[1]).to(scores)
        for degrees in _DEGREES:
            quantiles = _table(degrees).to(scores.device)
            rows = _quantiles(scores, quantiles)
            scatter = _scatter(rows, degrees, scatter)
            likelihood = float((_log_density(rows, scatter, degrees) - _log_margins(rows, degrees)).mean())
            if likelihood < best:  # it has one maximum
                break
            best, chosen = likelihood, (scatter, degrees, quantiles)
        self._keep(*chosen, x.shape[1], x.dtype)

    def encode_x(self, x: Tensor) -> Tensor:
        rows = _quantiles(x, self.quantiles)
        width = rows.shape[-1]
        cross = 2 * rows @ self.precision[:width, width:]
        own, other = self._lengths(rows, self.precision[:width, :width], self.precision_x)
        one = torch.ones_like(own)
        return torch.cat([cross, own, one, self._margin(other, width)], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        rows = _quantiles(y, self.quantiles)
        width = rows.shape[-1]
        own, other = self._lengths(rows, self.precision[-width:, -width:], self.precision_y)
        one = torch.ones_like(own)
        return torch.cat([rows, one, own, self._margin(other, width) + self.constant], -1)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        length = inner_product(hx[..., :-1], hy[..., :-1]).clamp_min(0)
        power = (self.degrees + len(self.precision)) / 2
        total: Tensor = hx[..., -1] + hy[..., -1] - power * torch.log1p(length / self.degrees)
        return total

    def _keep(self, scatter: Tensor, degrees: float, quantiles: Tensor, width: int, dtype: torch.dtype) -> None:
        self.degrees, self.quantiles = scatter.new_tensor(degrees, dtype=dtype), quantiles.to(dtype)
        parts = scatter, scatter[:width, :width], scatter[width:, width:]
        self.precision, self.precision_x, self.precision_y = (torch.linalg.inv(part).to(dtype) for part in parts)
        logdets = [float(torch.logdet(part)) for part in parts]
        gammas = [math.lgamma((degrees + len(part)) / 2) for part in parts]
        constant = gammas[0] + math.lgamma(degrees / 2) - gammas[1] - gammas[2]
        self.constant = scatter.new_tensor(constant - (logdets[0] - logdets[1] - logdets[2]) / 2, dtype=dtype)

    def _lengths(self, rows: Tensor, joint: Tensor, alone: Tensor) -> tuple[Tensor, Tensor]:
        """Squared lengths (N, 1) of rows by their block of the joint precision matrix, and by that of their own."""
        first, second = (((rows @ matrix) * rows).sum(-1, keepdim=True) for matrix in (joint, alone))
        return first, second

    def _margin(self, length: Tensor, width: int) -> Tensor:
        return (self.degrees + width) / 2 * torch.log1p(length / self.degrees)


@functools.cache
def _table(degrees: float) -> Tensor:
    """The asinh of Student quantiles, at normal scores in equal distances from 0 on: between the quantiles themselves,
    which grow too fast, no line leads."""
    from scipy import stats

    tail = stats.norm.sf(np.linspace(0, _EDGE, _POINTS))
    return torch.from_numpy(np.arcsinh(stats.t.isf(tail, degrees)))


def _quantiles(scores: Tensor, table: Tensor) -> Tensor:
    """The Student quantiles of normal scores."""
    place = (scores.abs() * ((_POINTS - 1) / _EDGE)).clamp(max=_POINTS - 1.001)
    return at_places(table, place).sinh().copysign(scores)


def _scatter(rows: Tensor, degrees: float, start: Tensor) -> Tensor:
    """The maximum-likelihood scatter matrix (d, d) with ones on its diagonal, from a start, shrunken."""
    (n, width), scatter = rows.shape, start
    identity = torch.eye(width).to(start)
    for _ in range(_ITERATIONS):
        weight = (degrees + width) / (degrees + _lengths(rows, scatter))
        scatter = (rows * weight[:, None]).T @ rows / n
        size = scatter.diagonal().sqrt().clamp_min(_LEAST)  # a column can be constant
        scatter = torch.lerp(scatter / size[:, None] / size, identity, _LEAST)  # and can be a copy of another
    return _sparse(scatter, n)


def _sparse(scatter: Tensor, n: int) -> Tensor:
    """Without the correlations that chance could make of independent columns."""
    kept = torch.where(scatter.abs() < _CHANCE / math.sqrt(n), 0.0, scatter)
    values, vectors = torch.linalg.eigh(kept)
    positive: Tensor = (vectors * values.clamp_min(_LEAST)) @ vectors.T
    return positive


def _log_density(rows: Tensor, scatter: Tensor, degrees: float) -> Tensor:
    """Of a Student distribution, (N,), less what the margins have too."""
    width = rows.shape[1]
    constant = math.lgamma((degrees + width) / 2) - math.lgamma(degrees / 2) - float(torch.logdet(scatter)) / 2
    return constant - (degrees + width) / 2 * torch.log1p(_lengths(rows, scatter) / degrees)


def _lengths(rows: Tensor, scatter: Tensor) -> Tensor:
    """The squared Mahalanobis lengths (N,) of rows (N, d)."""
    lengths: Tensor = (torch.linalg.solve(scatter, rows.T) * rows.T).sum(0)
    return lengths


def _log_margins(rows: Tensor, degrees: float) -> Tensor:
    constant = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    return (constant - (degrees + 1) / 2 * torch.log1p(rows.square() / degrees)).sum(1)
