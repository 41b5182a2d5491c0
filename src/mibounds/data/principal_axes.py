"""The leading principal axes of many columns."""

from __future__ import annotations

import torch
from torch import Tensor

from mibounds._math import full_precision
from mibounds.data.preprocessing import Preprocessing

__all__ = ["PrincipalAxes"]

_ROWS = 20_000  # that the axes are fitted to
_LEAST = 1e-6  # share of the largest variance that an axis has, at least


class PrincipalAxes(Preprocessing):
    r"""The scores on the leading principal axes of columns, of variance 1,

    .. math:: z = \Lambda_k^{-1/2} V_k^\top (x - \mu), \qquad \Sigma = V \Lambda V^\top.

    Many columns often are a few factors with noise. What the factors share with another variable is then found from far
    fewer samples than the dependence of all columns; what hides in axes of small variance is lost.

    References:
        Jolliffe, A note on the use of principal components in regression, 1982.

    Arguments:
        count: k, of axes; where columns or samples span fewer, the scores on the others are 0.
        inner: maps the columns first; it is fitted with this.

    Example:
        >>> from mibounds.data import Standardize
        >>> factor, noise = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0)), torch.randn(1000, 50)
        >>> axes = PrincipalAxes(2, Standardize()).fit(factor + 0.5 * noise)
        >>> bool(torch.corrcoef(torch.cat([axes(factor + 0.5 * noise)[:, :1], factor], 1).T)[0, 1].abs() > 0.99)
        True
    """

    mean: Tensor
    axes: Tensor

    def __init__(self, count: int, inner: Preprocessing):
        super().__init__()
        self.count, self.inner = count, inner
        self.register_buffer("mean", torch.empty(0))
        self.register_buffer("axes", torch.empty(0))

    def fit(self, x: Tensor) -> PrincipalAxes:
        """Fit the inner preprocessing and the axes to training rows x (N, D)."""
        rows = self.inner.fit(x)(x)[:_ROWS].double()
        mean = rows.mean(0)
        rows = rows - mean
        if rows.shape[1] <= len(rows):
            variances, axes = torch.linalg.eigh(rows.T @ rows / len(rows))
        else:  # the matrix of rows is smaller, and has the same eigenvalues
            variances, sides = torch.linalg.eigh(rows @ rows.T / len(rows))
            axes = rows.T @ sides / (variances * len(rows)).clamp_min(1e-30).sqrt()
        variances, axes = variances.flip(0)[: self.count], axes.flip(1)[:, : self.count]
        kept = variances > _LEAST * variances[0]
        self.axes = rows.new_zeros(rows.shape[1], self.count).to(x.dtype)
        self.axes[:, : int(kept.sum())] = (axes[:, kept] / variances[kept].sqrt()).to(x.dtype)
        self.mean = mean.to(x.dtype)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """The scores (N, k) of rows x (N, D)."""
        with full_precision(x):
            scores: Tensor = (self.inner(x) - self.mean) @ self.axes
        return scores
