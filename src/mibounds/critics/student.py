r"""The log-ratio of a Student copula: dependence of the scale of columns, and linear dependence with heavy tails."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds.classical.student import StudentFit, student_quantiles
from mibounds.critics.critic import Critic, inner_product

__all__ = ["StudentCopulaCritic"]


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
        fit = StudentFit.of(torch.cat([x, y], 1))
        self.degrees, self.quantiles = fit.scatter.new_tensor(fit.degrees, dtype=x.dtype), fit.quantiles.to(x.dtype)
        width, scatter = x.shape[1], fit.scatter
        parts = scatter, scatter[:width, :width], scatter[width:, width:]
        self.precision, self.precision_x, self.precision_y = (torch.linalg.inv(part).to(x.dtype) for part in parts)
        logdets = [float(torch.logdet(part)) for part in parts]
        gammas = [math.lgamma((fit.degrees + len(part)) / 2) for part in parts]
        constant = gammas[0] + math.lgamma(fit.degrees / 2) - gammas[1] - gammas[2]
        self.constant = scatter.new_tensor(constant - (logdets[0] - logdets[1] - logdets[2]) / 2, dtype=x.dtype)

    def encode_x(self, x: Tensor) -> Tensor:
        rows = student_quantiles(x, self.quantiles)
        width = rows.shape[-1]
        cross = 2 * rows @ self.precision[:width, width:]
        own, other = self._lengths(rows, self.precision[:width, :width], self.precision_x)
        one = torch.ones_like(own)
        return torch.cat([cross, own, one, self._margin(other, width)], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        rows = student_quantiles(y, self.quantiles)
        width = rows.shape[-1]
        own, other = self._lengths(rows, self.precision[-width:, -width:], self.precision_y)
        one = torch.ones_like(own)
        return torch.cat([rows, one, own, self._margin(other, width) + self.constant], -1)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        length = inner_product(hx[..., :-1], hy[..., :-1]).clamp_min(0)
        power = (self.degrees + len(self.precision)) / 2
        total: Tensor = hx[..., -1] + hy[..., -1] - power * torch.log1p(length / self.degrees)
        return total

    def _lengths(self, rows: Tensor, joint: Tensor, alone: Tensor) -> tuple[Tensor, Tensor]:
        """Squared lengths (N, 1) of rows by their block of the joint precision matrix, and by that of their own."""
        first, second = (((rows @ matrix) * rows).sum(-1, keepdim=True) for matrix in (joint, alone))
        return first, second

    def _margin(self, length: Tensor, width: int) -> Tensor:
        return (self.degrees + width) / 2 * torch.log1p(length / self.degrees)
