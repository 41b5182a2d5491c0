"""Making all columns together nearly Gaussian, and not each alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mibounds._checks import check_at_least
from mibounds.data.preprocessing import Preprocessing, RankGaussianize

__all__ = ["Gaussianize"]

_ITERATIONS = 50
_FITTED_ROWS = 20_000
_SMALLEST = 1e-6  # of a variance of 1: a direction without variance is not blown up to one


class Gaussianize(Preprocessing):
    r"""Rank-Gaussianize the columns, turn them to where they are least Gaussian, and do it again.

    .. math:: x \mapsto G_R(A_R \cdots G_2(A_2 G_1(x)))

    Each G maps columns by their ranks; each A whitens and rotates towards independent components, found by the fixed
    point of :math:`E\, z \tanh(w^\top z) - E\,(1 - \tanh^2(w^\top z))\, w`, all at once. Every step can be inverted,
    so the information stays. Blends of independent columns are taken apart, which no map of single columns does.

    For methods that want jointly Gaussian rows, such as the waymarks of `Telescope`. On columns that are jointly
    Gaussian already it only turns them. With few rows for many columns the rotation fits noise; it then helps no more
    than any other.

    References:
        Chen and Gopinath, Gaussianization, 2000. Hyvärinen, Fast and robust fixed-point algorithms for independent
        component analysis, 1999. Laparra, Camps-Valls and Malo, Iterative Gaussianization: from ICA to random
        rotations, 2011, arXiv:1602.00229.

    Arguments:
        rounds: R, how often the columns are Gaussianized; 1 is `RankGaussianize`.

    Raises:
        ValueError: if there are no rounds.

    Example:
        >>> square = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0))
        >>> x = square @ torch.tensor([[1.0, 1.0], [-1.0, 1.0]])  # on its corner
        >>> z = Gaussianize().fit(x)(x)
        >>> bool((z.T @ z / 1000 - torch.eye(2)).abs().max() < 0.1)
        True
    """

    ranks: Any  # a list of RankGaussianize, one a round
    turns: Tensor  # (R - 1, D, D)

    def __init__(self, *, rounds: int = 2) -> None:
        super().__init__()
        check_at_least("rounds", rounds, 1)
        self.rounds = rounds
        self.ranks = nn.ModuleList(RankGaussianize() for _ in range(rounds))
        self.register_buffer("turns", torch.empty(0))

    def fit(self, x: Tensor) -> Gaussianize:
        """Fit round after round to the rows of x (N, D) and return itself."""
        *earlier, last = self.ranks
        turns = []
        for ranks in earlier:
            x = ranks.fit(x)(x)
            turns.append(_independent_components(x[:_FITTED_ROWS].double()).to(x.dtype))
            x = x @ turns[-1]
        last.fit(x)
        self.turns = torch.stack(turns) if turns else x.new_empty(0)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, D)."""
        *earlier, last = self.ranks
        for ranks, turn in zip(earlier, self.turns, strict=True):
            x = ranks(x) @ turn
        gaussian: Tensor = last(x)
        return gaussian


def _independent_components(x: Tensor) -> Tensor:
    """The matrix (D, D) by which rows (N, D) become white and, as far as they can, independent."""
    eigenvalues, vectors = torch.linalg.eigh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x))
    whiten = vectors / eigenvalues.clamp_min(_SMALLEST).sqrt()
    z = (x - x.mean(0)) @ whiten
    start = torch.randn(x.shape[1], x.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turn = torch.linalg.qr(start).Q.to(x)
    for _ in range(_ITERATIONS):
        bent = (z @ turn).tanh()
        left, _, right = torch.linalg.svd(z.T @ bent / len(z) - turn * (1 - bent.square()).mean(0))
        before, turn = turn, left @ right
        if ((turn * before).sum(0).abs() > 1 - 1e-6).all():
            break
    components: Tensor = whiten @ turn
    return components
