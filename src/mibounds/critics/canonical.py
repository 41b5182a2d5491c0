"""Cross-validated canonical correlations from the moments of the rows.

Directions are fitted on four fifths of the rows, and the other fifth is correlated along these directions, for every
fifth: the mean estimates the correlation on new rows, which is 0 for noise. Of several regularizations of the
directions the one with the most held-out information is selected:

- a ridge on the within-block correlation matrices, from none to one so large that whitening does nothing;
- a threshold that sets to zero the cross-correlations within the noise level (sparse dependence).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

__all__ = [
    "CLEARLY",
    "FOLDS",
    "REGULARIZATIONS",
    "Pairs",
    "best_regularization",
    "held_out_pairs",
    "inverse_root",
    "svd",
]

FOLDS = 5
CLEARLY = 5e-3  # nats by which a more flexible fit must be better
_RIDGES = (1e-6, 0.1, 1.0, 1e3)
_THRESHOLDS = (0.0, 3.0)  # standard errors of a cross-correlation
REGULARIZATIONS = tuple(product(_RIDGES, _THRESHOLDS))
_SIGNIFICANT = 3.0  # standard errors of a held-out canonical correlation
_ROWS = FOLDS << 13  # rows at a time

Regularization = TypeVar("Regularization")


class Pairs(NamedTuple):
    """Means of the columns (D_x,) and (D_y,), directions (D_x, K) and (D_y, K), and the correlations (K,) along
    them."""

    mean_x: Tensor
    mean_y: Tensor
    to_u: Tensor
    to_v: Tensor
    correlation: Tensor


def held_out_pairs(x: Tensor, y: Tensor) -> Pairs:
    """The pairs under the regularization with the most held-out information, in double precision.

    Time is cubic in the columns; memory does not depend on the number of rows.

    Arguments:
        x: (N, D_x).
        y: (N, D_y), paired with x.
    """
    folds = _fold_moments(x, y)
    # Eigenvectors are computed once for all regularizations.
    spread, held_out = _spread([_sum([*folds[:i], *folds[i + 1 :]]) for i in range(FOLDS)]), _stacked(folds)
    # Between one column and another there is one direction, whatever the regularization.
    regularizations = REGULARIZATIONS[:1] if x.shape[1] == y.shape[1] == 1 else REGULARIZATIONS
    (ridge, threshold), correlation = best_regularization(
        {one: _held_out_correlation(spread, held_out, *one) for one in regularizations}, len(x)
    )
    whole = _sum(folds)
    to_u, to_v = (directions[0] for directions in _directions(_spread([whole]), ridge, threshold))
    positive = correlation[: to_u.shape[1]] > 0
    return Pairs(*whole.means(), to_u[:, positive], to_v[:, positive], correlation[: to_u.shape[1]][positive])


def best_regularization(correlations: Mapping[Regularization, Tensor], rows: int) -> tuple[Regularization, Tensor]:
    """The regularization with the most held-out information, where a later one must be clearly better than an earlier
    one, and the correlations along its pairs, zero where within the noise level.

    Arguments:
        correlations: the mean held-out correlation of every pair, by regularization.
        rows: N.
    """
    best_information, best = -math.inf, next(iter(correlations.items()))
    for regularization, held_out in correlations.items():
        # A perfect correlation has an infinite ratio; 1 - 1e-6 keeps float32 scores finite (6.9 nats a pair).
        correlation = torch.where(held_out > _SIGNIFICANT / math.sqrt(rows), held_out, 0).clamp(0, 1 - 1e-6)
        information = float(-torch.log1p(-correlation.square()).sum() / 2)
        if information > best_information + CLEARLY:
            best_information, best = information, (regularization, correlation)
    return best


class _Moments(NamedTuple):
    """The number of rows, the number of columns of x among the D columns, and about an origin (D,) the sums of the
    columns (D,) and of their products (D, D); the columns of x come first."""

    rows: int
    columns_x: int
    origin: Tensor
    total: Tensor
    products: Tensor

    def means(self) -> tuple[Tensor, Tensor]:
        """Of the columns of x and of those of y."""
        means = self.origin + self.total / self.rows
        return means[: self.columns_x], means[self.columns_x :]

    def covariances(self) -> tuple[Tensor, Tensor, Tensor]:
        """Within x, within y, and across."""
        mean, d = self.total / self.rows, self.columns_x
        covariance = self.products / self.rows - mean[:, None] * mean
        return covariance[:d, :d], covariance[d:, d:], covariance[:d, d:]


def _fold_moments(x: Tensor, y: Tensor) -> list[_Moments]:
    """The moments of each fold, which is every fifth row, in double precision."""
    columns = x.shape[1] + y.shape[1]
    origin = torch.cat([side.mean(0, dtype=torch.float64) for side in (x, y)])
    totals, products = origin.new_zeros(FOLDS, columns), origin.new_zeros(FOLDS, columns, columns)
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        both = torch.cat([x[rows], y[rows]], 1).double() - origin
        for i in range(FOLDS):
            fold = both[i::FOLDS]
            totals[i] += fold.sum(0)
            products[i] += fold.T @ fold
    counts = [len(range(i, len(x), FOLDS)) for i in range(FOLDS)]
    return [_Moments(counts[i], x.shape[1], origin, totals[i], products[i]) for i in range(FOLDS)]


def _sum(folds: Sequence[_Moments]) -> _Moments:
    """The moments of the rows of all these folds."""
    rows, _, _, totals, products = zip(*folds, strict=True)
    return folds[0]._replace(rows=sum(rows), total=sum(totals), products=sum(products))


class _Spread(NamedTuple):
    """The statistics from which directions are computed, a batch of F fits at once: standard deviations of the columns
    (F, D), correlations within x and within y (F, D, D) with their eigenvalues and eigenvectors, the cross-correlations
    (F, D_x, D_y), and the standard error of a correlation (F, 1, 1)."""

    scale_x: Tensor
    scale_y: Tensor
    within_x: Tensor
    within_y: Tensor
    axes_x: tuple[Tensor, Tensor]
    axes_y: tuple[Tensor, Tensor]
    cross: Tensor
    error: Tensor


def _held_out_correlation(spread: _Spread, folds: tuple[Tensor, ...], ridge: float, threshold: float) -> Tensor:
    """The mean correlation of held-out rows along directions fitted on the others, pair by pair."""
    to_u, to_v = _directions(spread, ridge, threshold)
    within_x, within_y, across = folds
    u, v = (to_u * (within_x @ to_u)).sum(-2), (to_v * (within_y @ to_v)).sum(-2)
    uv = (to_u * (across @ to_v)).sum(-2)
    correlation = across.new_zeros(min(across.shape[1:]))
    correlation[: uv.shape[-1]] = (uv / (u * v).clamp_min(1e-24).sqrt()).mean(0)
    return correlation


def _spread(of: Sequence[_Moments]) -> _Spread:
    """The statistics of several sets of rows."""
    within_x, within_y, across = _stacked(of)
    scale_x, scale_y = (
        within.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt().clamp_min(1e-12) for within in (within_x, within_y)
    )
    within_x = within_x / scale_x[..., None] / scale_x[..., None, :]
    within_y = within_y / scale_y[..., None] / scale_y[..., None, :]
    cross = across / scale_x[..., None] / scale_y[..., None, :]
    axes_x, axes_y = (tuple(torch.linalg.eigh(within)) for within in (within_x, within_y))
    error = cross.new_tensor([1 / math.sqrt(one.rows) for one in of])[:, None, None]
    return _Spread(scale_x, scale_y, within_x, within_y, axes_x, axes_y, cross, error)


def _stacked(of: Sequence[_Moments]) -> tuple[Tensor, ...]:
    """Covariances (F, D_x, D_x), (F, D_y, D_y) and (F, D_x, D_y) of several sets of rows."""
    return tuple(map(torch.stack, zip(*(one.covariances() for one in of), strict=True)))


def _directions(of: _Spread, ridge: float, threshold: float) -> tuple[Tensor, Tensor]:
    """Canonical directions, regularized, with unit variances: (F, D_x, K), (F, D_y, K).

    K is smaller than min(D_x, D_y) where the threshold leaves fewer in every fit; of a fit with fewer than K pairs the
    others are zero.
    """
    screened = torch.where(of.cross.abs() > threshold * of.error, of.cross, 0)
    white_x, white_y = inverse_root(of.axes_x, ridge), inverse_root(of.axes_y, ridge)
    left, strength, right = svd(white_x @ screened @ white_y)
    live = strength > 1e-9 / (1 + ridge)
    pairs, live = int(live.sum(-1).max()), live[..., None, :]
    to_u = (white_x @ (left * live))[..., :pairs]
    to_v = (white_y @ (right.mT * live))[..., :pairs]
    # With a ridge these directions are neither white nor uncorrelated; canonical pairs within their span are.
    white_u, white_v = (
        inverse_root(tuple(torch.linalg.eigh(to.mT @ within @ to)), 1e-9)
        for to, within in ((to_u, of.within_x), (to_v, of.within_y))
    )
    left, _, right = svd(white_u @ (to_u.mT @ of.cross @ to_v) @ white_v)
    return (to_u @ white_u @ left) / of.scale_x[..., None], (to_v @ white_v @ right.mT) / of.scale_y[..., None]


def svd(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The singular value decomposition, by the slower and sturdier routine where the quick one does not converge: for
    labels that determine each other all singular values are equal. A batch is decomposed matrix by matrix then."""
    try:
        left, strength, right = torch.linalg.svd(matrix, full_matrices=False)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        if matrix.ndim > 2:
            left, strength, right = (torch.stack(part) for part in zip(*map(svd, matrix), strict=True))
        else:
            from scipy.linalg import svd as sturdy

            parts = sturdy(matrix.cpu().numpy(), full_matrices=False, lapack_driver="gesvd")
            left, strength, right = (torch.from_numpy(part).to(matrix) for part in parts)
    return left, strength, right


def inverse_root(axes: tuple[Tensor, Tensor], ridge: float) -> Tensor:
    """The inverse square root of symmetric matrices plus a ridge, from their eigenvalues and eigenvectors."""
    eigenvalues, vectors = axes
    root: Tensor = (vectors / (eigenvalues.clamp_min(0) + ridge).sqrt()[..., None, :]) @ vectors.mT
    return root
