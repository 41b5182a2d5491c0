"""Iterative Gaussianization: an invertible map that makes all columns jointly nearly Gaussian."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mibounds._checks import check_at_least
from mibounds.data.preprocessing import Preprocessing, RankGaussianize

__all__ = ["Gaussianize"]

_ITERATIONS = 50
_TOLERANCE = 1e-6  # of 1 less the cosine between a component and itself one iteration before
_FITTED_ROWS = 20_000
# Where columns have variance 1. Normal scores of redundant columns (100 hours + minutes) leave directions of 1e-6 to
# 1e-5, which hold rounding and ties; scaled up to variance 1 they determine scores of new rows.
_LEAST_VARIANCE = 1e-4


class Gaussianize(Preprocessing):
    r"""Rank-Gaussianize the columns, rotate them to independent components, and repeat.

    .. math:: x \mapsto G_R(A_R \cdots G_2(A_2 G_1(x)))

    Each G is a `RankGaussianize`; each A whitens and rotates to independent components, by the fixed-point iteration of
    :math:`E\, z \tanh(w^\top z) - E\,(1 - \tanh^2(w^\top z))\, w` with symmetric orthogonalization. Directions of
    variance below 1e-4, where columns have variance 1, are not scaled up: as many columns of the result are 0. Every
    step is invertible otherwise, so that the mutual information does not change. Linear mixtures of independent columns
    are separated, which no map of single columns does.

    For methods that need jointly Gaussian variables, such as the waymarks of `Telescope`. On columns that are jointly
    Gaussian already it is a rotation. With few samples for many columns the rotation fits noise and is as good as any
    other.

    References:
        Chen and Gopinath, Gaussianization, 2000. Hyvärinen, Fast and robust fixed-point algorithms for independent
        component analysis, 1999. Laparra, Camps-Valls and Malo, Iterative Gaussianization: from ICA to random
        rotations, 2011, arXiv:1602.00229.

    Arguments:
        rounds: R, how often the columns are Gaussianized; 1 is `RankGaussianize`.

    Raises:
        ValueError: if rounds is below 1.

    Example:
        >>> square = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0))
        >>> x = square @ torch.tensor([[1.0, 1.0], [-1.0, 1.0]])  # rotated by 45 degrees
        >>> z = Gaussianize().fit(x)(x)
        >>> bool((z.T @ z / 1000 - torch.eye(2)).abs().max() < 0.1)
        True
    """

    ranks: Any  # a list of RankGaussianize, one a round
    unmixing: Tensor  # (R - 1, D, D)

    def __init__(self, *, rounds: int = 2) -> None:
        super().__init__()
        check_at_least("rounds", rounds, 1)
        self.rounds = rounds
        self.ranks = nn.ModuleList(RankGaussianize() for _ in range(rounds))
        self.register_buffer("unmixing", torch.empty(0))

    def fit(self, x: Tensor) -> Gaussianize:
        """Fit round after round to x (N, D), the matrices to its first 20,000 rows, and return itself."""
        *earlier, last = self.ranks
        matrices = []
        for ranks in earlier:
            x = ranks.fit(x)(x)
            matrices.append(_unmixing(x[:_FITTED_ROWS].double()).to(x.dtype))
            x = x @ matrices[-1]
        last.fit(x)
        self.unmixing = torch.stack(matrices) if matrices else x.new_empty(0)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, D)."""
        *earlier, last = self.ranks
        for ranks, matrix in zip(earlier, self.unmixing, strict=True):
            x = ranks(x) @ matrix
        gaussian: Tensor = last(x)
        return gaussian


def _unmixing(x: Tensor) -> Tensor:
    """The matrix (D, D) by which the columns of x (N, D) become white and as independent as possible."""
    # `sklearn.decomposition.FastICA` finds the same matrix where it converges. It divides by null directions in its
    # whitening, fails with fewer rows than columns, warns where data are Gaussian, and works on the CPU only.
    eigenvalues, vectors = torch.linalg.eigh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x))
    live = eigenvalues > _LEAST_VARIANCE
    whitening = vectors[:, live] / eigenvalues[live].sqrt()
    count = whitening.shape[1]
    z = (x - x.mean(0)) @ whitening
    start = torch.randn(count, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rotation = torch.linalg.qr(start).Q.to(x)
    for _ in range(_ITERATIONS):
        response = (z @ rotation).tanh()
        left, _, right = torch.linalg.svd(z.T @ response / len(z) - rotation * (1 - response.square()).mean(0))
        before, rotation = rotation, left @ right
        if ((rotation * before).sum(0).abs() > 1 - _TOLERANCE).all():
            break
    unmixing: Tensor = nn.functional.pad(whitening @ rotation, (0, x.shape[1] - count))
    return unmixing
