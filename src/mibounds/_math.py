"""Numerics shared by every layer: log-mean-exp, off-diagonals, canonical correlations.

Everything here works on tensors with any leading dimensions, in float32 or wider
whatever the autocast, and is differentiable unless it says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "CanonicalPairs",
    "canonical_pairs",
    "full_precision",
    "infonce_loss",
    "logaddmeanexp",
    "logmeanexp",
    "off_diagonal",
    "single_precision",
]


@contextmanager
def full_precision(like: Tensor) -> Iterator[None]:
    """No autocast on this tensor's device: for sums that a half precision would spoil."""
    if not torch.is_autocast_enabled(like.device.type):  # which costs a hundredth of what leaving it does
        yield
        return
    with torch.autocast(like.device.type, enabled=False):
        yield


def single_precision(scores: Tensor) -> Tensor:
    """Scores in float32 or wider: a log-sum-exp in half precision is off by whole nats."""
    return scores.float() if scores.dtype in (torch.float16, torch.bfloat16) else scores


def logmeanexp(scores: Tensor, dim: int = -1) -> Tensor:
    """Log of the mean of exp(scores) along `dim`, never by way of exp().mean().log().

    >>> logmeanexp(torch.tensor([1000.0, 1000.0]))
    tensor(1000.)
    """
    scores = single_precision(scores)
    return torch.logsumexp(scores, dim) - math.log(scores.shape[dim])


def logaddmeanexp(joint: Tensor, product: Tensor) -> Tensor:
    """Log of the mean of exp over a matched score and its K mismatched ones: (..., N), (..., N, K) -> (..., N)."""
    joint, product = single_precision(joint), single_precision(product)
    return torch.logaddexp(joint, torch.logsumexp(product, -1)) - math.log(product.shape[-1] + 1)


def infonce_loss(grid: Tensor) -> Tensor:
    """Minus symmetric InfoNCE of grids of scores whose diagonals hold the matched pairs: (..., N, N) -> ().

    The one proper score by which critics are stopped, chosen, weighted and calibrated; it does not see a constant.

    >>> infonce_loss(torch.eye(2) * 100)
    tensor(-0.6931)
    """
    grid = single_precision(grid)
    if grid.requires_grad and torch.is_grad_enabled():
        loss: Tensor = _InfoNCELoss.apply(grid)  # type: ignore[no-untyped-call]
        return loss
    return ((logmeanexp(grid, -2) + logmeanexp(grid, -1)) / 2 - grid.diagonal(dim1=-2, dim2=-1)).mean()


class _InfoNCELoss(torch.autograd.Function):
    """The same with its gradient written out: the shares of every line and column, less the diagonal. The exponentials
    of the forward pass are kept, and two fifths of a step's time over the pairs are saved."""

    @staticmethod
    def forward(ctx: Any, grid: Tensor) -> Tensor:
        value = -grid.diagonal(dim1=-2, dim2=-1).mean() - math.log(grid.shape[-1])
        kept = []
        for dim in (-1, -2):
            top = grid.amax(dim, keepdim=True)
            powers = (grid - top).exp_()
            total = powers.sum(dim, keepdim=True)
            value = value + (top + total.log()).mean() / 2
            kept += [powers, total]
        ctx.save_for_backward(grid, *kept)
        return value

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        grid, lines, line_total, columns, column_total = ctx.saved_tensors
        if torch.is_grad_enabled():
            # Somebody wants second derivatives, and the kept powers do not know where they are from.
            shares = (grid.softmax(-1) + grid.softmax(-2)) / 2
            second: Tensor = (shares - torch.eye(grid.shape[-1]).to(grid)) * (slope / grid[..., 0].numel())
            return second
        slope = slope / grid[..., 0].numel()
        gradient: Tensor = (lines * (slope / 2 / line_total)).addcmul_(columns, slope / 2 / column_total)
        gradient.diagonal(dim1=-2, dim2=-1).sub_(slope)
        return gradient


def off_diagonal(matrix: Tensor, first: int = 0) -> Tensor:
    """The off-diagonal entries of square matrices, line by line: (..., N, N) -> (..., N, N - 1); or of S consecutive
    lines of them, (..., S, N) -> (..., S, N - 1), that begin with line number `first`.

    No mask and no arithmetic on the diagonal: the entries are moved, so a diagonal
    that is infinite cannot reach the result.

    >>> off_diagonal(torch.tensor([[0, 1, 2], [3, 4, 5], [6, 7, 8]]))
    tensor([[1, 2],
            [3, 5],
            [6, 7]])
    """
    lines, n = matrix.shape[-2:]
    lead = matrix.shape[:-2]
    if lines < n:
        square = off_diagonal(matrix[..., first : first + lines])
        return torch.cat([matrix[..., :first], square, matrix[..., first + lines :]], -1)
    # Dropping the first of the n * n entries leaves n - 1 runs of n + 1 whose last entry is a diagonal one.
    runs = matrix.reshape(*lead, n * n)[..., 1:].reshape(*lead, n - 1, n + 1)
    return runs[..., :-1].reshape(*lead, n, n - 1)


class CanonicalPairs:
    """Canonical coordinates of two blocks of columns: u = (x - mean_x) @ to_u, v = (y - mean_y) @ to_v.

    u_i and v_i have unit variance and correlation `correlation[i]`, all other correlations are zero.
    """

    def __init__(self, mean_x: Tensor, mean_y: Tensor, to_u: Tensor, to_v: Tensor, correlation: Tensor):
        self.mean_x, self.mean_y = mean_x, mean_y
        self.to_u, self.to_v = to_u, to_v
        self.correlation = correlation


def canonical_pairs(x: Tensor, y: Tensor, ridge: float = 1e-6) -> CanonicalPairs:
    """Canonical correlation analysis of x (N, D_x) and y (N, D_y) by whitening and a singular value decomposition.

    `ridge` is added to the eigenvalues of each block's correlation matrix, so that collinear columns do not divide
    by zero. Computed in float64, returned in the dtype of x.
    """
    dtype = x.dtype
    x, y = x.double(), y.double()
    mean_x, mean_y = x.mean(0), y.mean(0)
    white_x, white_y = _whitening(x - mean_x, ridge), _whitening(y - mean_y, ridge)
    cross = white_x.T @ ((x - mean_x).T @ (y - mean_y) / len(x)) @ white_y
    left, correlation, right = torch.linalg.svd(cross, full_matrices=False)
    return CanonicalPairs(
        mean_x.to(dtype),
        mean_y.to(dtype),
        (white_x @ left).to(dtype),
        (white_y @ right.T).to(dtype),
        correlation.clamp(0, 1).to(dtype),
    )


def _whitening(centered: Tensor, ridge: float) -> Tensor:
    scale = centered.std(0, correction=0).clamp_min(1e-12)
    standard = centered / scale
    eigenvalues, vectors = torch.linalg.eigh(standard.T @ standard / len(standard))
    whitening: Tensor = (vectors / (eigenvalues.clamp_min(0) + ridge).sqrt()) / scale[:, None]
    return whitening
