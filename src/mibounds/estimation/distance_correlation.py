"""Distance covariance: a statistic of dependence for permutation tests that needs no training."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from mibounds.data import RankGaussianize

__all__ = ["distance_correlations"]

_DECIMALS = 6  # beyond which single precision rounds, and equal matchings would differ
_SMALLEST = 1e-12


def distance_correlations(x: Tensor, y: Tensor, orders: Iterable[Tensor]) -> Tensor:
    r"""The squared sample distance correlation of normal scores, for each order of the rows of y.

    .. math:: R^2 = \frac{\sum_{ij} A_{ij} B_{\pi(i) \pi(j)}}{\sqrt{\sum_{ij} A_{ij}^2 \sum_{ij} B_{ij}^2}}

    with the doubly centered distances A of x and B of y, to six decimals. It is zero in the population only for
    independent variables and needs no training; time and memory grow with the square of N.

    References:
        Székely, Rizzo and Bakirov, Measuring and testing dependence by correlation of distances, 2007, arXiv:0803.4101.

    Arguments:
        x: (N, D_x) columns.
        y: (N, D_y), paired with x.
        orders: (N,) each, permutations of the rows of y.

    Example:
        >>> x = torch.linspace(-1, 1, 50)[:, None]
        >>> apart = torch.randperm(50, generator=torch.Generator().manual_seed(0))
        >>> matched, permuted = distance_correlations(x, x.square(), [torch.arange(50), apart])
        >>> bool(matched > 2 * permuted)
        True
    """
    of_x, of_y = (_centered(side).float() for side in (x, y))  # single precision takes half of the time
    found = [torch.einsum("ij,ij->", of_x, of_y[order].index_select(1, order)) for order in orders]
    return torch.stack(found).double().round(decimals=_DECIMALS)


def _centered(rows: Tensor) -> Tensor:
    """Distances of the normal scores of columns (N, D), less the means of rows and of columns: (N, N) of norm 1."""
    scores = RankGaussianize().fit(rows)(rows).double()
    distances = torch.cdist(scores, scores)
    centered = distances - distances.mean(0) - distances.mean(1, keepdim=True) + distances.mean()
    scaled: Tensor = centered / torch.linalg.vector_norm(centered).clamp_min(_SMALLEST)
    return scaled
