r"""The log density ratio of a fitted Gaussian, in canonical coordinates.

With canonical pairs (u_k, v_k) of correlation rho_k,

.. math:: \log r = \sum_k -\tfrac12 \log(1-\rho_k^2)
          - \frac{\rho_k^2 (u_k^2 + v_k^2) - 2\rho_k u_k v_k}{2(1-\rho_k^2)} .

Sample canonical correlations are biased upwards and their directions are noisy: 50 + 50 independent columns and 1,000
rows reach 0.4. `GaussianCritic` therefore cross-validates them. It fits directions on four fifths of the rows and
correlates the other fifth along these directions, for every fifth: the mean estimates the correlation on new rows,
which is 0 for noise. Of several regularizations of the directions the one with the most held-out information is
selected:

- a ridge on the within-block correlation matrices, from none to one so large that whitening does nothing;
- a threshold that sets to zero the cross-correlations within the noise level (sparse dependence).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds._math import full_precision, infonce_loss
from mibounds.critics.critic import Critic, inner_product

__all__ = ["GaussianCritic"]

_FOLDS = 5
_RIDGES = (1e-6, 0.1, 1.0, 1e3)
_THRESHOLDS = (0.0, 3.0)  # standard errors of a cross-correlation
_SIGNIFICANT = 3.0  # standard errors of a held-out canonical correlation
_MOST_RADIAL = 100  # columns up to which radial products are tried
_VALIDATION_ROWS = 1_000  # at most
_ROWS = _FOLDS << 13  # rows at a time
_CLEARLY = 5e-3  # nats by which a more flexible fit must be better


class GaussianCritic(FittedBuffers, Critic):
    r"""The log density ratio of a Gaussian fitted to the training rows, regularized by cross-validation.

    Exact for Gaussian data at any information and any dimension below the number of rows, where no network is; on
    rank-Gaussianized columns it is the Gaussian copula. On other data it is the starting point that a network corrects
    (`WithOffset`). On bounded data it overestimates large ratios, so decide by a validation loss whether to use it.
    `prepare` fits it; nothing in it is trained by gradients.

    With `radial=True` it also tries every column times the row's squared radius, :math:`x_k (\|x\|^2 - c)`, beside the
    columns: rotations and scales that depend on the radius (spirals) are then linear. They are used only where they
    lower the validation loss.

    References:
        Hotelling, Relations between two sets of variates, 1936. Vinod, Canonical ridge and econometrics of joint
        production, 1976. Bickel and Levina, Covariance regularization by thresholding, 2008, arXiv:0901.3079. Ince et
        al., A statistical framework for neuroimaging data analysis based on mutual information estimated via a
        Gaussian copula, 2017.

    Arguments:
        radial: also try columns times the squared radius.

    Example:
        >>> x = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = GaussianCritic()
        >>> critic.prepare(x, x + torch.randn(1000, 1, generator=torch.Generator().manual_seed(1)))
        >>> round(float(critic.correlation[0]), 1)
        0.7
    """

    center_x: Tensor
    center_y: Tensor
    mean_x: Tensor
    mean_y: Tensor
    to_u: Tensor
    to_v: Tensor
    correlation: Tensor

    def __init__(self, *, radial: bool = False):
        super().__init__()
        self.radial = radial
        for name in ("center_x", "center_y", "mean_x", "mean_y", "to_u", "to_v", "correlation"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        self._fit(x, y, self.radial and self._radial_is_better(x, y))

    def encode_x(self, x: Tensor) -> Tensor:
        self._require_prepared()
        with full_precision(x):
            u, rho = (_features(x, self.center_x) - self.mean_x) @ self.to_u, self.correlation
        square = (u.square() * self._curvature()).sum(-1, keepdim=True)
        one = torch.ones_like(square)
        return torch.cat([u * (rho / (1 - rho.square())), square, one], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        self._require_prepared()
        with full_precision(y):
            v = (_features(y, self.center_y) - self.mean_y) @ self.to_v
        constant = -torch.log1p(-self.correlation.square()).sum() / 2
        square = (v.square() * self._curvature()).sum(-1, keepdim=True) + constant
        return torch.cat([v, torch.ones_like(square), square], -1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)

    def _radial_is_better(self, x: Tensor, y: Tensor) -> bool:
        """Is the validation loss on a fifth of the rows clearly lower with radial products?"""
        if max(x.shape[1], y.shape[1]) > _MOST_RADIAL:  # twice as many columns cost eight times as much
            return False
        fold = torch.arange(len(x), device=x.device) % _FOLDS == 0
        validation, training = fold.nonzero().flatten()[:_VALIDATION_ROWS], ~fold
        if len(validation) < 2:
            return False
        losses = []
        for radial in (False, True):
            self._fit(x[training], y[training], radial)
            losses.append(float(infonce_loss(self.pairwise(x[validation], y[validation]))))
        return losses[1] < losses[0] - _CLEARLY

    def _fit(self, x: Tensor, y: Tensor, radial: bool) -> None:
        empty = x.new_empty(0)
        self.center_x, self.center_y = (_center(side) if radial else empty for side in (x, y))
        features_x, features_y = _features(x, self.center_x), _features(y, self.center_y)
        folds = _fold_moments(features_x, features_y)
        best = _best_pairs(folds)
        self.mean_x, self.mean_y = (mean.to(x.dtype) for mean in _sum(folds).means())
        self.to_u, self.to_v, self.correlation = (tensor.to(x.dtype) for tensor in best)

    def _curvature(self) -> Tensor:
        square = self.correlation.square()
        return -square / (2 * (1 - square))

    def _require_prepared(self) -> None:
        if not self.mean_x.numel():
            raise RuntimeError("This GaussianCritic is not fitted: call prepare(x, y) on training rows first.")


class Pairs(NamedTuple):
    """Directions (D_x, K) and (D_y, K), and the correlations (K,) along them."""

    to_u: Tensor
    to_v: Tensor
    correlation: Tensor


def _center(x: Tensor) -> Tensor:
    """Means and standard deviations of the columns and of the squared radius: (2, D + 1)."""
    mean, scale = x.mean(0), x.std(0, correction=0).clamp_min(1e-12)
    radius = ((x - mean) / scale).square().mean(-1)
    radial = torch.stack([radius.mean(), radius.std(correction=0).clamp_min(1e-12)])
    return torch.cat([torch.stack([mean, scale]), radial[:, None]], 1)


def _features(x: Tensor, center: Tensor) -> Tensor:
    """The columns, and with a center also the columns times the squared radius."""
    if not center.numel():
        return x
    standard = (x - center[0, :-1]) / center[1, :-1]
    radius = (standard.square().mean(-1, keepdim=True) - center[0, -1]) / center[1, -1]
    return torch.cat([x, standard * radius.clamp(-4, 4)], -1)


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
    totals, products = origin.new_zeros(_FOLDS, columns), origin.new_zeros(_FOLDS, columns, columns)
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        both = torch.cat([x[rows], y[rows]], 1).double() - origin
        for i in range(_FOLDS):
            fold = both[i::_FOLDS]
            totals[i] += fold.sum(0)
            products[i] += fold.T @ fold
    counts = [len(range(i, len(x), _FOLDS)) for i in range(_FOLDS)]
    return [_Moments(counts[i], x.shape[1], origin, totals[i], products[i]) for i in range(_FOLDS)]


def _sum(folds: Sequence[_Moments]) -> _Moments:
    """The moments of the rows of all these folds."""
    rows, _, _, totals, products = zip(*folds, strict=True)
    return folds[0]._replace(rows=sum(rows), total=sum(totals), products=sum(products))


class _Spread(NamedTuple):
    """The statistics from which directions are computed: standard deviations of the columns, correlations within x and
    within y with their eigenvalues and eigenvectors, the cross-correlations, and the number of rows."""

    scale_x: Tensor
    scale_y: Tensor
    within_x: Tensor
    within_y: Tensor
    axes_x: tuple[Tensor, Tensor]
    axes_y: tuple[Tensor, Tensor]
    cross: Tensor
    rows: int


def _best_pairs(folds: Sequence[_Moments]) -> Pairs:
    """The pairs under the regularization with the most held-out information; a later one must be clearly better than an
    earlier one."""
    # Eigenvectors are computed once for all regularizations.
    spreads = [_spread(_sum([*folds[:i], *folds[i + 1 :]])) for i in range(_FOLDS)]
    best_information, best = -math.inf, (0.0, 0.0, torch.empty(0))
    regularizations = [*product(_RIDGES, _THRESHOLDS)]
    if len(folds[0].total) == 2:  # between one column and another there is one direction, whatever the regularization
        regularizations = regularizations[:1]
    for ridge, threshold in regularizations:
        correlation = _held_out_correlation(spreads, folds, ridge, threshold)
        information = float(-torch.log1p(-correlation.square()).sum() / 2)
        if information > best_information + _CLEARLY:
            best_information, best = information, (ridge, threshold, correlation)
    ridge, threshold, correlation = best
    to_u, to_v = _directions(_spread(_sum(folds)), ridge, threshold)
    positive = correlation[: to_u.shape[1]] > 0
    return Pairs(to_u[:, positive], to_v[:, positive], correlation[: to_u.shape[1]][positive])


def _held_out_correlation(
    spreads: Sequence[_Spread], folds: Sequence[_Moments], ridge: float, threshold: float
) -> Tensor:
    """The mean correlation of held-out rows along directions fitted on the others, pair by pair; zero if it is within
    the noise level."""
    total = torch.zeros_like(folds[0].covariances()[2].diagonal())
    for spread, fold in zip(spreads, folds, strict=True):
        to_u, to_v = _directions(spread, ridge, threshold)
        within_x, within_y, across = fold.covariances()
        u, v = (to_u * (within_x @ to_u)).sum(0), (to_v * (within_y @ to_v)).sum(0)
        uv = (to_u * (across @ to_v)).sum(0)
        total[: len(uv)] += uv / (u * v).clamp_min(1e-24).sqrt() / _FOLDS
    rows = sum(fold.rows for fold in folds)
    # A perfect correlation has an infinite ratio; 1 - 1e-6 keeps float32 scores finite (6.9 nats a pair).
    return torch.where(total > _SIGNIFICANT / math.sqrt(rows), total, 0).clamp(0, 1 - 1e-6)


def _spread(of: _Moments) -> _Spread:
    within_x, within_y, across = of.covariances()
    scale_x, scale_y = (within.diagonal().clamp_min(0).sqrt().clamp_min(1e-12) for within in (within_x, within_y))
    within_x = within_x / scale_x[:, None] / scale_x
    within_y = within_y / scale_y[:, None] / scale_y
    cross = across / scale_x[:, None] / scale_y
    axes_x, axes_y = (tuple(torch.linalg.eigh(within)) for within in (within_x, within_y))
    return _Spread(scale_x, scale_y, within_x, within_y, axes_x, axes_y, cross, of.rows)


def _directions(of: _Spread, ridge: float, threshold: float) -> tuple[Tensor, Tensor]:
    """Canonical directions, regularized, with unit variances: (D_x, K), (D_y, K).

    K is smaller than min(D_x, D_y) where the threshold leaves fewer.
    """
    screened = torch.where(of.cross.abs() > threshold / math.sqrt(of.rows), of.cross, 0)
    white_x, white_y = _inverse_root(of.axes_x, ridge), _inverse_root(of.axes_y, ridge)
    left, strength, right = _svd(white_x @ screened @ white_y)
    live = strength > 1e-9 / (1 + ridge)
    to_u, to_v = white_x @ left[:, live], white_y @ right.T[:, live]
    # With a ridge these directions are neither white nor uncorrelated; canonical pairs within their span are.
    white_u, white_v = (
        _inverse_root(tuple(torch.linalg.eigh(to.T @ within @ to)), 1e-9)
        for to, within in ((to_u, of.within_x), (to_v, of.within_y))
    )
    left, _, right = _svd(white_u @ (to_u.T @ of.cross @ to_v) @ white_v)
    return (to_u @ white_u @ left) / of.scale_x[:, None], (to_v @ white_v @ right.T) / of.scale_y[:, None]


def _svd(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The singular value decomposition, by the slower and sturdier routine where the quick one does not converge: for
    labels that determine each other all singular values are equal."""
    try:
        left, strength, right = torch.linalg.svd(matrix, full_matrices=False)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        from scipy.linalg import svd

        parts = svd(matrix.cpu().numpy(), full_matrices=False, lapack_driver="gesvd")
        left, strength, right = (torch.from_numpy(part).to(matrix) for part in parts)
    return left, strength, right


def _inverse_root(axes: tuple[Tensor, Tensor], ridge: float) -> Tensor:
    """The inverse square root of a symmetric matrix plus a ridge, from its eigenvalues and eigenvectors."""
    eigenvalues, vectors = axes
    root: Tensor = (vectors / (eigenvalues.clamp_min(0) + ridge).sqrt()) @ vectors.T
    return root
