"""The Gaussian copula: the information of columns whose normal scores are jointly Gaussian."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds._math import infonce_loss
from mibounds.classical._rows import Floats, normal_scores, number_sides, row_order
from mibounds.classical.gauss import information
from mibounds.data.preprocessing import RankGaussianize

__all__ = ["gaussian_copula", "gaussian_copula_full"]

_BLOCK = 1024


def gaussian_copula(x: Any, y: Any, *, generator: torch.Generator | None = None) -> float:
    r"""The information that a Gaussian copula finds in rows that it was not fitted to, in nats.

    Normal scores and a shrunk covariance matrix (Ledoit and Wolf) of one half of the rows make a log density ratio;
    symmetric InfoNCE over all pairs within blocks of the other half evaluates it, and the other way round. Because it
    is evaluated on other rows, it is a lower bound in expectation for all data, and it can be negative. For monotone
    transforms of Gaussian columns it is tight, up to the limit of the blocks, ln 1,024 = 6.9 nats. Fails, far below the
    truth, where the dependence is not monotone, and with few rows for many columns.

    References:
        Ince et al., A statistical framework for neuroimaging data analysis based on mutual information estimated via a
        Gaussian copula, 2017. Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices,
        2004.

    Arguments:
        x: (N,) or (N, D_x) numbers, N at least 4.
        y: (N,) or (N, D_y), paired with x.
        generator: splits the rows in the order in which they come; without it the split is that of seed 0, and does not
            depend on their order.

    Raises:
        TypeError: if a column holds text.
        ValueError: if the rows do not pair or there are fewer than 4, or a value is missing or infinite.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(1000, torch.Generator().manual_seed(0))  # truth 0.511
        >>> abs(gaussian_copula(x.exp(), y) - 0.511) < 0.1
        True
    """
    sides = number_sides(x, y)[:2]
    n = len(sides[0])
    check_at_least("the number of rows", n, 4)
    if not all(side.shape[1] for side in sides):
        return 0.0
    columns = [torch.from_numpy(side / 4) for side in sides]  # differences of the largest numbers would be infinite
    if generator is None:
        order = torch.from_numpy(row_order(sides))[torch.randperm(n, generator=torch.Generator().manual_seed(0))]
    else:
        order = torch.randperm(n, generator=generator)
    halves = order[: n // 2], order[n // 2 :]
    return sum(_evaluated(columns, fitted, held_out) for fitted, held_out in (halves, halves[::-1])) / 2


def gaussian_copula_full(x: Any, y: Any) -> float:
    r"""The information of a Gaussian copula, fitted to and evaluated on all rows, less its bias, in nats.

    .. math:: I = \frac{1}{2} \ln \frac{|S_x| |S_y|}{|S_{xy}|} - \frac{1}{2} (\Psi_x + \Psi_y - \Psi_{xy}),
              \quad \Psi = \sum_{i = 1}^{D} \psi\!\left(\frac{N - i}{2}\right)

    with the covariance S of the normal scores :math:`\Phi^{-1}(r / (N + 1))` of the ranks r, tied values having their
    mean rank. The second term is the bias for Gaussian columns. Quick, and of little variance; unlike `gaussian_copula`
    no bound: it can be above the truth where the copula is not Gaussian, and fails for dependence that is not monotone.
    `inf` where a linear combination of the scores of x determines one of those of y, which for labels is an artifact.

    References:
        Ince et al., A statistical framework for neuroimaging data analysis based on mutual information estimated via a
        Gaussian copula, 2017. Ahmed and Gokhale, Entropy expressions and their estimators for multivariate
        distributions, 1989.

    Arguments:
        x: (N,) or (N, D_x) numbers, N at least D_x + D_y + 2.
        y: (N,) or (N, D_y), paired with x.

    Raises:
        TypeError: if a column holds text.
        ValueError: if the rows do not pair or are too few, or a value is missing or infinite.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(1000, torch.Generator().manual_seed(0))  # truth 0.511
        >>> abs(gaussian_copula_full(x.exp(), y) - 0.511) < 0.05
        True
    """
    first, second, nothing = number_sides(x, y)
    scores = [normal_scores(side) if side.shape[1] else side for side in (first, second)]
    return information(scores[0], scores[1], nothing, "gaussian_copula_full", corrected=True)


def _evaluated(columns: list[Tensor], fitted: Tensor, held_out: Tensor) -> float:
    from sklearn.covariance import ledoit_wolf

    scores = []
    for side in columns:
        ranks = RankGaussianize().fit(side[fitted])
        scores.append((ranks(side[fitted]), ranks(side[held_out])))
    x, y = (side[1] for side in scores)
    d = x.shape[1]
    shrunk, _ = ledoit_wolf(torch.cat([side[0] for side in scores], 1).numpy(), assume_centered=True)
    precision, only_x, only_y = (_inverse(block, len(fitted)) for block in (shrunk, shrunk[:d, :d], shrunk[d:, d:]))
    own_x = ((x @ (only_x - precision[:d, :d])) * x).sum(1) / 2
    own_y = ((y @ (only_y - precision[d:, d:])) * y).sum(1) / 2
    blocks = max(1, round(len(x) / _BLOCK))
    losses = []
    for a, b, p, q in zip(*(part.tensor_split(blocks) for part in (x, y, own_x, own_y)), strict=True):
        grid = (p[:, None] + q - a @ precision[:d, d:] @ b.T).float()  # twice as fast, and seven digits are enough
        losses.append(float(infonce_loss(grid)) * len(grid))
    return -sum(losses) / len(x)


def _inverse(matrix: Floats, rows: int) -> Tensor:
    """The inverse of the covariance matrix of so many rows, eigenvalues below 1/N^2 of the largest raised to that; 0 of
    a matrix of zeros."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    largest = float(eigenvalues[-1])
    if largest <= 0:
        return torch.zeros(matrix.shape, dtype=torch.float64)
    return torch.from_numpy(vectors / np.maximum(eigenvalues, largest / rows**2) @ vectors.T)
