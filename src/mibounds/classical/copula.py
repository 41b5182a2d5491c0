"""The Gaussian copula: what the columns share if only their ranks are related, and linearly."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import check_at_least, check_paired
from mibounds._math import infonce_loss
from mibounds.data import RankGaussianize

__all__ = ["gaussian_copula"]

_BLOCK = 1024


def gaussian_copula(x: Tensor, y: Tensor, *, generator: torch.Generator | None = None) -> float:
    r"""The information that a Gaussian copula finds in rows that it was not fitted to, in nats.

    Ranks and a shrunk correlation matrix (Ledoit and Wolf) of one half of the rows make a log density ratio; symmetric
    InfoNCE over all pairs within blocks of the other half reads it; and the other way round. Fitted and read on
    different rows it is a lower bound in expectation, whatever the data, and for monotone transforms of Gaussian
    columns it is tight, up to the blocks' limit of ln 1,024 = 6.9 nats.

    References:
        Ince et al., A statistical framework for neuroimaging data analysis based on mutual information estimated via a
        Gaussian copula, 2017. Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices,
        2004.

    Arguments:
        x: (N,) or (N, D_x) numbers, N at least 8.
        y: (N,) or (N, D_y), paired with x.
        generator: splits the rows; without it the split is that of seed 0.

    Raises:
        ValueError: if the rows do not pair or there are fewer than 8.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(1000, torch.Generator().manual_seed(0))  # truth .511
        >>> abs(gaussian_copula(x.exp(), y) - 0.511) < 0.1
        True
    """
    check_paired(len(x), len(y))
    check_at_least("the number of rows", len(x), 8)
    columns = [side.detach().cpu().double().reshape(len(side), -1) for side in (x, y)]
    order = torch.randperm(len(x), generator=generator or torch.Generator().manual_seed(0))
    halves = order[: len(x) // 2], order[len(x) // 2 :]
    return sum(_read(columns, fitted, read) for fitted, read in (halves, halves[::-1])) / 2


def _read(columns: list[Tensor], fitted: Tensor, read: Tensor) -> float:
    from sklearn.covariance import ledoit_wolf

    scores = []
    for side in columns:
        ranks = RankGaussianize().fit(side[fitted])
        scores.append((ranks(side[fitted]), ranks(side[read])))
    x, y = (side[1] for side in scores)
    d = x.shape[1]
    shrunk, _ = ledoit_wolf(torch.cat([side[0] for side in scores], 1).numpy(), assume_centered=True)
    precision = torch.from_numpy(np.linalg.inv(shrunk))
    only_x, only_y = (torch.from_numpy(np.linalg.inv(block)) for block in (shrunk[:d, :d], shrunk[d:, d:]))
    own_x = ((x @ (only_x - precision[:d, :d])) * x).sum(1) / 2
    own_y = ((y @ (only_y - precision[d:, d:])) * y).sum(1) / 2
    blocks = max(1, round(len(x) / _BLOCK))
    losses = []
    for a, b, p, q in zip(*(part.tensor_split(blocks) for part in (x, y, own_x, own_y)), strict=True):
        grid = (p[:, None] + q - a @ precision[:d, d:] @ b.T).float()  # twice as fast, and seven digits are enough
        losses.append(float(infonce_loss(grid)) * len(grid))
    return -sum(losses) / len(x)
