"""Linear regression with a ridge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mibounds.data import Standardize
from mibounds.learners.learner import Learner, in_parts

__all__ = ["BLOCKS", "BlockFits", "RidgeRegression", "blocks_of", "ridge"]

BLOCKS = 5
_PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4)  # of standardized columns
_LIMIT = 4.0  # standard deviations of a column


class RidgeRegression(Learner):
    r"""Linear regression of all target columns with one ridge penalty,

    .. math:: \min_W \sum_i \|y_i - W^\top x_i\|^2 + \lambda \|W\|^2,

    for standardized columns, which predicts the samples that it is fitted to by five-fold cross-validation, and whose
    penalty has the least error there. Of the indicators of a category it learns the mean target of each value.

    References:
        Hoerl and Kennard, Ridge regression: biased estimation for nonorthogonal problems, 1970.

    Arguments:
        seed: makes the folds.

    Example:
        >>> x = torch.randn(300, 50, generator=torch.Generator().manual_seed(0))
        >>> y = x[:, :2] + 0.1 * x[:, 2:4]
        >>> error = RidgeRegression().fit_transform(x, y) - y
        >>> bool(error.abs().mean() < 0.05)
        True
    """

    weights: Tensor
    center: Tensor

    def __init__(self, *, seed: int = 0):
        super().__init__()
        self.seed = seed
        self.standardize = Standardize(limit=_LIMIT)
        self.register_buffer("weights", torch.empty(0))
        self.register_buffer("center", torch.empty(0))

    def fit_transform(self, x: Tensor, y: Tensor, clusters: Tensor | None = None) -> Tensor:
        x = self.standardize.fit(x)(x).double()
        self.center = y.mean(0).double()
        y = y.double() - self.center
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed))
        blocks = blocks_of(order, clusters)
        order = torch.cat(blocks)
        fits, best = BlockFits.of([x[block] for block in blocks], [y[block] for block in blocks]), torch.inf
        for penalty in _PENALTIES:
            predictions = torch.empty_like(y)
            predictions[order] = torch.cat(fits.left_out(penalty))
            error = float((y - predictions).square().sum())
            if error < best:
                best, found, self.weights = error, predictions, fits.coefficients(penalty)
        return (found + self.center).float()

    def forward(self, x: Tensor) -> Tensor:
        predictions: Tensor = self.standardize(x).double() @ self.weights + self.center
        return predictions.float()


def blocks_of(rows: Tensor, clusters: Tensor | None) -> list[Tensor]:
    """The rows, indices of samples, in five blocks; of whole clusters (N,), if there are any."""
    if clusters is None:
        return [*rows.tensor_split(BLOCKS)]
    return [rows[part] for part in in_parts(clusters[rows], BLOCKS)]


class BlockFits(NamedTuple):
    """Ridge regressions on functions of rows in blocks: the functions (n, m) of each block, the sums of their products
    (m, m) and with the targets (m, T), and both of all blocks together."""

    rows: Sequence[Tensor]
    products: Sequence[Tensor]
    sums: Sequence[Tensor]
    product: Tensor
    total: Tensor

    @classmethod
    def of(cls, rows: Sequence[Tensor], targets: Sequence[Tensor]) -> BlockFits:
        """From the functions (n, m) and the targets (n, T) of each block."""
        products = [part.T @ part for part in rows]
        sums = [part.T @ y for part, y in zip(rows, targets, strict=True)]
        return cls(rows, products, sums, torch.stack(products).sum(0), torch.stack(sums).sum(0))

    def coefficients(self, penalty: float) -> Tensor:
        """Of all blocks, (m, T)."""
        return ridge(self.product, self.total, penalty)

    def left_out(self, penalty: float) -> list[Tensor]:
        """Predictions (n, T) of each block by a fit to the others."""
        return [
            part @ ridge(self.product - own, self.total - of_y, penalty)
            for part, own, of_y in zip(self.rows, self.products, self.sums, strict=True)
        ]


def ridge(product: Tensor, total: Tensor, penalty: float) -> Tensor:
    """Coefficients (m, T) of functions from the sums of their products (m, m), and with the targets (m, T)."""
    product = product.clone()
    product.diagonal().add_(penalty)
    return torch.cholesky_solve(total, torch.linalg.cholesky(product))
