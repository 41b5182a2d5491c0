r"""Cross-validated canonical correlations where columns outnumber rows, by the matrices of rows.

N standardized rows S of D columns span at most N dimensions. With the eigenvectors U and eigenvalues
:math:`N \lambda` of the (N, N) matrix :math:`S S^\top`, and :math:`V = S^\top U (N \lambda)^{-1/2}`,

.. math:: (S^\top S / N + r)^{-1/2} = r^{-1/2} I + V \big((\lambda + r)^{-1/2} - r^{-1/2}\big) V^\top ,

so that everything `canonical` computes from (D, D) matrices follows from (N, N) ones and from products of (N, D)
matrices: time and memory are linear in D. The regularizations, the folds and the selection are the same.

Where both variables have more columns than rows, all directions together fit any rows perfectly, and the number of
pairs, few or up to a quarter of the rows, is selected in the same way. Where both have more than 256 columns, only the
128 leading pairs are computed, by subspace iteration, and the threshold keeps at most the 64 strongest
cross-correlations of each column of x and is combined with the largest ridge only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mibounds.critics.canonical import FOLDS, REGULARIZATIONS, Pairs, best_regularization, inverse_root, svd

__all__ = ["wide_pairs"]

_EXACT = 256  # columns of the smaller side up to which all pairs are computed
_LEADING = 128  # pairs beyond
_OVERSAMPLED = 10
_ITERATIONS = 4  # of the subspace: the leading values to 1e-3 where the spectrum falls slowly, the signal exactly
_STRONGEST = 64  # screened cross-correlations of a column
_BLOCK = 1 << 22  # cross-correlations at a time
_ROWS_PER_PAIR = (32, 8, 4)  # tried where both variables have more columns than rows
_NULL = 1e-10  # eigenvalues, relative to the largest, that are rounding errors


def wide_pairs(x: Tensor, y: Tensor) -> Pairs:
    """The pairs under the regularization with the most held-out information, in double precision.

    Arguments:
        x: (N, D_x).
        y: (N, D_y), paired with x.
    """
    x, y = x.double(), y.double()
    tried = _tried(x, y)
    held_out = {one: x.new_zeros(min(x.shape[1], y.shape[1])) for one in tried}
    fold, most = torch.arange(len(x), device=x.device) % FOLDS, max(one.pairs for one in tried)
    for i in range(FOLDS):
        fit, other_x, other_y = _Fit.of(x[fold != i], y[fold != i], most), x[fold == i], y[fold == i]
        for one in tried:
            correlation = fit.held_out_correlation(other_x, other_y, one)
            held_out[one][: len(correlation)] += correlation / FOLDS
        del fit
    best, correlation = best_regularization(held_out, len(x))
    fit = _Fit.of(x, y, most)
    to_u, to_v = fit.directions(best)
    correlation = correlation[: to_u.shape[1]]
    positive = correlation > 0
    return Pairs(fit.x.mean, fit.y.mean, to_u[:, positive], to_v[:, positive], correlation[positive])


class _Regularization(NamedTuple):
    """A ridge, a threshold, and the number of pairs at most."""

    ridge: float
    threshold: float
    pairs: int


def _tried(x: Tensor, y: Tensor) -> list[_Regularization]:
    """The regularizations, the plainer first."""
    smaller, largest = min(x.shape[1], y.shape[1]), max(ridge for ridge, _ in REGULARIZATIONS)
    plain = [one for one in REGULARIZATIONS if smaller <= _EXACT or not one[1] or one[0] == largest]
    if smaller < len(x):
        return [_Regularization(*one, _LEADING if smaller > _EXACT else smaller) for one in plain]
    counts = dict.fromkeys(min(_LEADING, max(1, len(x) // share)) for share in _ROWS_PER_PAIR)
    return [_Regularization(*one, count) for count in counts for one in plain]


class _Side(NamedTuple):
    """Rows of one variable: means and standard deviations of the columns, the standardized rows (N, D), the eigenvalues
    (R,) of their correlation matrix that are not zero, and the left singular vectors (N, R)."""

    mean: Tensor
    scale: Tensor
    rows: Tensor
    eigenvalues: Tensor
    left: Tensor

    @classmethod
    def of(cls, x: Tensor) -> _Side:
        mean, scale = x.mean(0), x.std(0, correction=0).clamp_min(1e-12)
        rows = (x - mean) / scale
        n, columns = rows.shape
        if columns < n:
            eigenvalues, vectors = torch.linalg.eigh(rows.T @ rows / n)
        else:
            eigenvalues, vectors = torch.linalg.eigh(rows @ rows.T / n)
        live = eigenvalues > _NULL * eigenvalues[-1].clamp_min(1)
        eigenvalues, vectors = eigenvalues[live], vectors[:, live]
        left = rows @ (vectors / (n * eigenvalues).sqrt()) if columns < n else vectors
        return cls(mean, scale, rows, eigenvalues, left)

    def from_axes(self, coordinates: Tensor) -> Tensor:
        """Coordinates along the principal axes (R, K) -> columns (D, K)."""
        return self.rows.T @ (self.left @ (coordinates / self._lengths()))

    def whiten(self, columns: Tensor, ridge: float) -> Tensor:
        """The inverse root of the correlation matrix plus a ridge times a matrix (D, K)."""
        along = self.left.T @ (self.rows @ columns) / self._lengths()
        plain = 1 / math.sqrt(ridge)
        return columns * plain + self.from_axes((self._inverse_roots(ridge) - plain) * along)

    def white_axes(self, directions: Tensor, ridge: float) -> Tensor:
        """The same of directions that are given by their coordinates along the principal axes (R, K)."""
        return self.from_axes(self._inverse_roots(ridge) * directions)

    def white_lengths(self, ridge: float) -> Tensor:
        """Standard deviations (R, 1) along the principal axes after whitening with a ridge."""
        return self.eigenvalues.sqrt()[:, None] * self._inverse_roots(ridge)

    def _lengths(self) -> Tensor:
        return (len(self.rows) * self.eigenvalues).sqrt()[:, None]

    def _inverse_roots(self, ridge: float) -> Tensor:
        return (self.eigenvalues + ridge).rsqrt()[:, None]


class _Fit(NamedTuple):
    """What directions are computed from: both variables and the inner products (R_x, R_y) of their left singular
    vectors; by threshold the screened cross-correlations, and by ridge and threshold the directions computed so far, at
    most so many of large matrices."""

    x: _Side
    y: _Side
    inner: Tensor
    screened: dict[float, Tensor]
    spans: dict[tuple[float, float], tuple[Tensor, Tensor]]
    most: int

    @classmethod
    def of(cls, x: Tensor, y: Tensor, most: int) -> _Fit:
        sides = _Side.of(x), _Side.of(y)
        return cls(*sides, sides[0].left.T @ sides[1].left, {}, {}, most)

    def held_out_correlation(self, x: Tensor, y: Tensor, regularization: _Regularization) -> Tensor:
        """The correlation of other rows along the directions, pair by pair."""
        to_u, to_v = self.directions(regularization)
        u, v = (x - self.x.mean) @ to_u, (y - self.y.mean) @ to_v
        u, v = u - u.mean(0), v - v.mean(0)
        u2, v2 = u.square().mean(0), v.square().mean(0)
        correlation: Tensor = (u * v).mean(0) / (u2 * v2).clamp_min(1e-24).sqrt()
        return correlation

    def directions(self, regularization: _Regularization) -> tuple[Tensor, Tensor]:
        """Canonical directions, regularized, with unit variances: (D_x, K), (D_y, K)."""
        to_u, to_v = (side[:, : regularization.pairs] for side in self._span(*regularization[:2]))
        # With a ridge these directions are neither white nor uncorrelated; canonical pairs within their span are.
        n, u, v = len(self.x.rows), self.x.rows @ to_u, self.y.rows @ to_v
        white_u, white_v = (inverse_root(tuple(torch.linalg.eigh(side.T @ side / n)), 1e-9) for side in (u, v))
        left, _, right = svd(white_u @ (u.T @ v / n) @ white_v)
        return (to_u @ (white_u @ left)) / self.x.scale[:, None], (to_v @ (white_v @ right.T)) / self.y.scale[:, None]

    def _span(self, ridge: float, threshold: float) -> tuple[Tensor, Tensor]:
        """Regularized directions before they are made canonical, the strongest first."""
        if (ridge, threshold) not in self.spans:
            self.spans[ridge, threshold] = (self._screened if threshold else self._along_axes)(ridge, threshold)
        return self.spans[ridge, threshold]

    def _along_axes(self, ridge: float, threshold: float) -> tuple[Tensor, Tensor]:
        """Directions that are combinations of the rows."""
        core = self.x.white_lengths(ridge) * self.inner * self.y.white_lengths(ridge).T
        if min(core.shape) <= _EXACT:
            left, strength, right = svd(core)
        else:
            left, strength, right = _leading(core, core.T, self.most)
        live = strength > 1e-9 / (1 + ridge)
        return self.x.white_axes(left[:, live], ridge), self.y.white_axes(right.T[:, live], ridge)

    def _screened(self, ridge: float, threshold: float) -> tuple[Tensor, Tensor]:
        """Directions from the cross-correlations beyond the noise level, which are no combinations of the rows."""
        if threshold not in self.screened:
            few = min(self.x.rows.shape[1], self.y.rows.shape[1]) <= _EXACT
            self.screened[threshold] = (_cross if few else _sparse_cross)(self.x.rows, self.y.rows, threshold)
        cross = self.screened[threshold]
        if cross.layout == torch.strided:
            left, strength, right = svd(self.y.whiten(self.x.whiten(cross, ridge).T, ridge).T)
        else:  # the largest ridge, which does not whiten
            left, strength, right = _leading(cross, cross.T.coalesce(), self.most)
            return left[:, strength > 1e-9], right.T[:, strength > 1e-9]
        live = strength > 1e-9 / (1 + ridge)
        return self.x.whiten(left[:, live], ridge), self.y.whiten(right.T[:, live], ridge)


def _cross(x: Tensor, y: Tensor, threshold: float) -> Tensor:
    """The cross-correlations (D_x, D_y) of standardized rows, zero within so many standard errors."""
    cross = x.T @ y / len(x)
    return torch.where(cross.abs() > threshold / math.sqrt(len(x)), cross, 0)


def _sparse_cross(x: Tensor, y: Tensor, threshold: float) -> Tensor:
    """The same as a sparse matrix, at most the strongest of every column of x."""
    kept = min(_STRONGEST, y.shape[1])
    values, places = [], []
    for block in torch.split(x, max(1, _BLOCK // y.shape[1]), 1):
        cross = _cross(block, y, threshold)
        place = cross.abs().topk(kept, dim=1).indices
        places.append(place)
        values.append(cross.gather(1, place))
    columns = torch.cat(places).flatten()
    rows = torch.arange(x.shape[1], device=x.device).repeat_interleave(kept)
    size = (x.shape[1], y.shape[1])
    return torch.sparse_coo_tensor(
        torch.stack([rows, columns]), torch.cat(values).flatten(), size, check_invariants=True
    ).coalesce()


def _leading(matrix: Tensor, transpose: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The leading singular vectors and values of a matrix, dense or sparse, by subspace iteration."""
    # `torch.svd_lowrank` does the same with the global random numbers, which would change the state of the user's.
    width = min(count + _OVERSAMPLED, *matrix.shape)
    start = torch.randn(matrix.shape[1], width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    right = start.to(matrix.device)
    for _ in range(_ITERATIONS):
        left = torch.linalg.qr(matrix @ right).Q
        right = torch.linalg.qr(transpose @ left).Q
    left, strength, rotation = svd(matrix @ right)
    return left[:, :count], strength[:count], (rotation @ right.T)[:count]
