r"""The log-ratio of a label given columns that are normal within each class: discriminant analysis."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds._math import indicators
from mibounds.critics.critic import Critic, inner_product

__all__ = ["NormalClassesCritic"]

_FITTED_ROWS = 20_000
_FEWEST = 2  # samples of a class
_FOLDS = 5  # to choose how much is shrunken
_PRIORS = (0.5, 2.0, 8.0, 32.0, math.inf)  # times D + 2, samples that the common covariance counts as
_LEAST = 1e-4  # of a variance, added to it: columns may be copies of each other


class NormalClassesCritic(FittedBuffers, Critic):
    r"""The log-ratio of a label, whose classes have normal columns,

    .. math:: f(x,c) = \log \frac{N(x; \mu_c, \Sigma_c)}{\sum_k p_k N(x; \mu_k, \Sigma_k)}.

    In closed form, so it needs few samples where classes are about normal; networks and trees learn quadratic
    boundaries in several columns slowly. The covariances of the classes are shrunken to their common one, or all to
    their diagonals, by as much as predicts the classes best in five folds; with one covariance for all it is linear
    discriminant analysis. Wrong for skewed columns and classes in several parts.

    References:
        Friedman, Regularized discriminant analysis, 1989.

    Example:
        >>> draw = torch.Generator().manual_seed(0)
        >>> label = torch.randint(0, 2, (1000, 1), generator=draw).float()
        >>> x = (1 + 2 * label) * torch.randn(1000, 2, generator=draw)  # classes of unlike spread
        >>> critic = NormalClassesCritic()
        >>> critic.prepare(x, label)
        >>> critic(torch.tensor([[0.1, 0.1], [5.0, 5.0]]), torch.tensor([[0.0], [1.0]])).sign()
        tensor([1., 1.])
    """

    classes: Tensor
    log_frequency: Tensor
    means: Tensor
    whitening: Tensor
    constants: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("classes", "log_frequency", "means", "whitening", "constants"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        self.classes, place, counts = torch.unique(y[:_FITTED_ROWS], dim=0, return_inverse=True, return_counts=True)
        self.log_frequency = (counts / counts.sum()).log().to(x)
        given = x[:_FITTED_ROWS].double()
        spread = given.std(0)
        scale = torch.where(spread > 0, spread, 1.0)
        rows = given / scale
        number, fold = len(self.classes), torch.arange(len(rows), device=x.device) % _FOLDS
        choices = [(prior, full) for full in (True, False) for prior in _PRIORS]
        losses = torch.zeros(len(choices), dtype=torch.float64)
        for i in range(_FOLDS):
            fitted = fold != i
            moments = _moments(rows[fitted], place[fitted], number)
            for k, choice in enumerate(choices):
                log_density = _log_density(rows[~fitted], *_normals(moments, *choice))
                log_share = torch.log_softmax(log_density + self.log_frequency, 1)
                losses[k] -= float(log_share.gather(1, place[~fitted, None]).sum())
        best = choices[int(losses.nan_to_num(math.inf).argmin())]
        means, whitening, constants = _normals(_moments(rows, place, number), *best)
        self.means, self.whitening = (means * scale).to(x), (whitening / scale[:, None]).to(x)
        self.constants = constants.to(x)

    def encode_x(self, x: Tensor) -> Tensor:
        log_density = _log_density(x, self.means, self.whitening, self.constants)
        return torch.log_softmax(log_density + self.log_frequency, -1) - self.log_frequency

    def encode_y(self, y: Tensor) -> Tensor:
        return indicators(y, self.classes)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return inner_product(hx, hy)


def _moments(rows: Tensor, place: Tensor, number: int) -> tuple[Tensor, Tensor, Tensor]:
    """Counts (C,), means (C, D) and sums of squares (C, D, D) of the classes; classes of one sample have the mean of
    all."""
    members = [rows[place == i] for i in range(number)]
    means = torch.stack([(own if len(own) >= _FEWEST else rows).mean(0) for own in members])
    squares = torch.stack([(own - mean).T @ (own - mean) for own, mean in zip(members, means, strict=True)])
    return torch.tensor([len(own) for own in members]).to(rows), means, squares


def _normals(moments: tuple[Tensor, Tensor, Tensor], prior: float, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Means (C, D), whitening maps (C, D, D) and constants (C,) of the log-densities of normal classes."""
    counts, means, squares = moments
    if not full:
        squares = torch.diag_embed(squares.diagonal(dim1=1, dim2=2))
    width = means.shape[1]
    common = squares.sum(0) / counts.sum()
    count = counts[:, None, None]
    samples = prior * (width + 2)
    covariance = common.expand_as(squares) if math.isinf(prior) else (squares + samples * common) / (count + samples)
    jitter = _LEAST * torch.eye(width).to(means)
    factor = torch.linalg.cholesky(covariance + jitter)
    whitening = torch.linalg.solve_triangular(factor, torch.eye(width).to(means), upper=False).mT
    return means, whitening, -factor.diagonal(dim1=1, dim2=2).log().sum(1)


def _log_density(x: Tensor, means: Tensor, whitening: Tensor, constants: Tensor) -> Tensor:
    """(..., C) of samples (..., D), up to a constant."""
    lengths = [((x - mean) @ map_).square().sum(-1) for mean, map_ in zip(means, whitening, strict=True)]
    log_density: Tensor = constants - torch.stack(lengths, -1) / 2
    return log_density
