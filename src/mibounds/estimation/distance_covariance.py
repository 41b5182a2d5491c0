"""Distance covariance: a statistic of dependence for permutation tests where every critic is constant."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from mibounds.data import RankGaussianize

__all__ = ["distance_covariances"]


def distance_covariances(x: Tensor, y: Tensor, orders: Iterable[Tensor]) -> Tensor:
    r"""The squared sample distance covariance of normal scores, for each order of the rows of y.

    .. math:: V^2 = \frac{1}{N^2} \sum_{ij} A_{ij} B_{\pi(i) \pi(j)}

    with the doubly centered distances A of x and B of y. It is zero in the population only for independent variables
    and needs no training; time and memory grow with the square of N.

    References:
        Székely, Rizzo and Bakirov, Measuring and testing dependence by correlation of distances, 2007, arXiv:0803.4101.

    Arguments:
        x: (N, D_x) columns.
        y: (N, D_y), paired with x.
        orders: (N,) each, permutations of the rows of y.

    Example:
        >>> x = torch.linspace(-1, 1, 50)[:, None]
        >>> apart = torch.randperm(50, generator=torch.Generator().manual_seed(0))
        >>> matched, permuted = distance_covariances(x, x.square(), [torch.arange(50), apart])
        >>> bool(matched > 2 * permuted)
        True
    """
    of_x, of_y = _centered(x), _centered(y)
    return torch.stack([(of_x * of_y[order][:, order]).mean() for order in orders])


def _centered(rows: Tensor) -> Tensor:
    """Distances of the normal scores of columns (N, D), less the means of rows and of columns: (N, N)."""
    scores = RankGaussianize().fit(rows)(rows).double()
    distances = torch.cdist(scores, scores)
    return distances - distances.mean(0) - distances.mean(1, keepdim=True) + distances.mean()
