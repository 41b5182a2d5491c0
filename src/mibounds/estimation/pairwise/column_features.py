r"""What the critics of many pairs of columns share: features of each column, and its values as a few weighted cells.

On normal scores z a critic of a pair is :math:`f(x, y) = \phi(x)^\top W \psi(y)`, the features those of the columns
and W the pair's own. Features are 1, z, z squared and cosines of a place t(z) between the rank and the score, made
orthonormal for the column. The first three hold the log-ratio of any Gaussian copula; cosines are bounded, so nothing
grows in the tails that the first three do not.

The mismatched pairs of two columns are all values of one with all values of the other. Their mean of e^f is a sum
over cells: up to 96 a column, each at the mean score of its rows and with their share as its weight; a column with
few values has them as its cells.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["ColumnFeatures"]

CELLS = 96
_RANK_SHARE = 0.75  # of the place t: cosines of ranks alone are coarse in the tails, of scores alone in the middle
_WIDEST = 7.6  # twice the largest score of a million rows, nearly
_RIDGE = 1e-6  # on the features' Gram matrix: a column of two values has two features, and the rest are nothing


class ColumnFeatures:
    """Features of columns, orthonormal over the rows they are fitted to.

    Arguments:
        scores: normal scores of the rows to fit to, (N, D) float64.
        cosines: how many cosines; with 1, z and z squared they are E = cosines + 3 features.

    Attributes:
        cells: the features of each column's cells, (D, C, E) float32.
        weights: the share of rows in each cell, (D, C) float32.
        order: how rough each feature is, (E,): 0, 1, 2, and the number of a cosine's half waves.

    Example:
        >>> columns = ColumnFeatures(torch.special.ndtri((torch.arange(500).double() + 0.5) / 500)[:, None], 4)
        >>> features = columns(torch.zeros(1, 1, dtype=torch.float64))
        >>> features.shape, round(float(features[0, 0, 0]), 3)
        (torch.Size([1, 1, 7]), 1.0)
    """

    def __init__(self, scores: Tensor, cosines: int):
        self.cosines = cosines
        self.reach = float(scores.abs().max())
        cell, _ = self.place(scores)
        counts = torch.zeros(len(cell), CELLS, dtype=scores.dtype, device=scores.device)
        counts.scatter_add_(1, cell, torch.ones_like(scores.T))
        sums = torch.zeros_like(counts).scatter_add_(1, cell, scores.T.contiguous())
        shares = counts / len(scores)
        middle = sums / counts.clamp_min(1)
        # Where the training rows of each cell lie; an empty cell has those of the nearest that is not.
        cells = torch.arange(CELLS, device=scores.device)
        nearest = ((cells[:, None] - cells).abs() + CELLS * (counts == 0)[:, None]).argmin(-1)
        self._ends = tuple(
            middle.scatter_reduce(1, cell, scores.T, how, include_self=False).gather(1, nearest)
            for how in ("amin", "amax")
        )
        raw = self._raw(middle)
        gram = torch.einsum("dc,dce,dcf->def", shares, raw, raw)
        ridge = _RIDGE * torch.eye(raw.shape[-1], dtype=raw.dtype, device=raw.device)
        self.lower = torch.linalg.cholesky(gram + ridge)
        self._to_orthonormal = torch.linalg.inv(self.lower).mT
        # An empty cell has no score; where features are few, what they are there could be anything.
        self.cells = (raw @ self._to_orthonormal * (counts > 0)[..., None]).float()
        self.weights = shares.float()
        self.order = torch.tensor([0.0, 1.0, 2.0, *range(1, cosines + 1)], device=scores.device)

    def __call__(self, scores: Tensor) -> Tensor:
        """Features of rows: (N, D) -> (D, N, E) float32. Each counts as lying where training rows of its cell do, or of
        the nearest that has some: beside a pile of equal values there are gaps, in which features are anything."""
        cell, _ = self.place(scores)
        low, high = (end.gather(1, cell) for end in self._ends)
        z = torch.minimum(torch.maximum(scores.T, low), high)
        features: Tensor = (self._raw(z) @ self._to_orthonormal).float()
        return features

    def place(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """The cell of every row, and where in the cell it lies between 0 and 1, both (D, N)."""
        z = scores.T.clamp(-self.reach, self.reach)
        # Half of the cells are spread evenly over the ranks, half over the scores, where a narrow ridge is as wide
        # everywhere.
        place = CELLS * (torch.special.ndtr(z) / 2 + (z / self.reach + 1) / 4)
        cell = place.long().clamp(0, CELLS - 1)
        return cell, (place - cell).clamp(0, 1).float()

    def gaussian(self, first: Tensor, second: Tensor, correlation: Tensor) -> Tensor:
        r"""W of the log-ratio of a Gaussian copula, but for its constant,

        .. math:: \frac{\rho z_x z_y - \rho^2 (z_x^2 + z_y^2)/2}{1 - \rho^2}

        Arguments:
            first: the column that each pair takes for x, (P,).
            second: and for y, (P,).
            correlation: of their normal scores, (P,) float64.

        Returns:
            (P, E, E) float32.
        """
        size = self.lower.shape[-1]
        raw = torch.zeros(len(first), size, size, dtype=self.lower.dtype, device=self.lower.device)
        scale = 1 / (1 - correlation.square())
        raw[:, 1, 1] = correlation * scale
        raw[:, 0, 2] = raw[:, 2, 0] = -correlation.square() * scale / math.sqrt(2)
        weights: Tensor = (self.lower[first].mT @ raw @ self.lower[second]).float()
        return weights

    def _raw(self, z: Tensor) -> Tensor:
        place = _RANK_SHARE * torch.special.ndtr(z) + (1 - _RANK_SHARE) * (z / _WIDEST + 0.5).clamp(0, 1)
        waves = torch.arange(1, self.cosines + 1, dtype=z.dtype, device=z.device)
        cosines = math.sqrt(2) * torch.cos(math.pi * place[..., None] * waves)
        polynomials = torch.stack([torch.ones_like(z), z, (z.square() - 1) / math.sqrt(2)], -1)
        return torch.cat([polynomials, cosines], -1)
