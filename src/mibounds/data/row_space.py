"""Few coordinates of many columns: what networks are trained on where columns outnumber rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds.data.preprocessing import Preprocessing

__all__ = ["RowSpace"]


class RowSpace(Preprocessing):
    r"""Coordinates of preprocessed columns in the space that the training rows span, and their squared radius.

    .. math:: x \mapsto \Big( \sqrt{K / D} \; V^\top p(x), \; (\|p(x)\|^2 - D) / \sqrt{2D} \Big)

    with the K leading right singular vectors V (D, K) of the preprocessed training rows, zero from the N-th on. The
    gradient of a linear layer lies in the space of its training inputs, so that a network of N rows learns nothing
    outside of it; within it the coordinates are exact where K is not below N. The factor keeps the mean square of
    columns of unit variance. Fails, where K is below N, for dependence on directions of little variance.

    Arguments:
        columns: the preprocessing p of the single columns.
        width: K, the number of coordinates.
        keep: append the preprocessed columns, too.

    Example:
        >>> from mibounds.data import Standardize
        >>> x = torch.randn(20, 500, generator=torch.Generator().manual_seed(0))
        >>> RowSpace(Standardize(), width=20).fit(x)(x).shape
        torch.Size([20, 21])
    """

    axes: Tensor  # (D, K)

    def __init__(self, columns: Preprocessing, *, width: int, keep: bool = False) -> None:
        super().__init__()
        self.columns, self.width, self.keep = columns, width, keep
        self.register_buffer("axes", torch.empty(0))

    def fit(self, x: Tensor) -> RowSpace:
        """Fit the preprocessing and the axes to x (N, D), and return itself."""
        columns = self.columns.fit(x)(x).double()
        rank = min(self.width, len(x))
        squares, left = torch.linalg.eigh(columns @ columns.T)
        lengths = squares[-rank:].clamp_min(1e-9 * float(squares[-1]) + 1e-30).sqrt()  # null directions stay null
        axes = columns.T @ (left[:, -rank:] / lengths)
        # Adam learns a direction the faster the more coordinates it is spread over, as it is over the columns.
        mixing = torch.randn(rank, rank, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        axes = axes @ torch.linalg.qr(mixing).Q.to(axes.device)
        axes = torch.nn.functional.pad(axes, (0, self.width - rank))  # folds differ in rows, critics do not
        self.axes = (axes * math.sqrt(self.width / x.shape[1])).to(x.dtype)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, K + 1), or (N, K + 1 + D) with `keep`."""
        columns = self.columns(x)
        dim = columns.shape[1]
        radius = (columns.square().sum(1, keepdim=True) - dim) / math.sqrt(2 * dim)
        return torch.cat([columns @ self.axes, radius, *([columns] if self.keep else [])], 1)
