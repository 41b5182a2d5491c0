"""Cross-checks: classical estimates of the same samples, at little cost."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds.classical import contingency, gaussian_copula, ksg, mixed_ksg
from mibounds.data import RankGaussianize
from mibounds.training.policy import CrossCheck

__all__ = ["cross_checks"]

_ROWS = 10_000
_COLUMNS_FOR_NEIGHBORS = 8  # x and y together; beyond, nearest neighbors read far too low
_COLUMNS_FOR_COPULA = 500
_COLUMNS_FOR_LOW_NEIGHBORS = 3  # from these on nearest neighbors are low, and being below the value means nothing
_TIED = 0.05
_ROWS_PER_CELL = 5


def cross_checks(x: Tensor, y: Tensor, seed: int) -> list[CrossCheck]:
    """The classical estimates that suit the data, from at most 10,000 rows.

    Nearest neighbors for at most eight columns together (the mixed kind where more than 5 % of a column's values are
    tied), the Gaussian copula up to 500 columns, counts where both sides take few values. Columns are ranked first,
    which leaves the information as it is and makes heavy tails harmless.

    Arguments:
        x: (N, D_x), N at least 8.
        y: (N, D_y), paired with x.
        seed: draws the rows and splits them.

    Example:
        >>> x = torch.randn(400, 1, generator=torch.Generator().manual_seed(0))
        >>> [check.name for check in cross_checks(x, x + 1, 0)]
        ['GaussianCopula', 'KSG']
    """
    n, generator = len(x), torch.Generator().manual_seed(seed)
    if len(x) > _ROWS:
        kept = torch.randperm(len(x), generator=generator)[:_ROWS]
        x, y = x[kept], y[kept]
    x, y = (RankGaussianize().fit(side)(side).double() for side in (x, y))
    columns = x.shape[1] + y.shape[1]
    found: list[CrossCheck] = []
    if columns <= _COLUMNS_FOR_COPULA:
        found.append(CrossCheck("GaussianCopula", gaussian_copula(x, y, generator=generator), is_lower_bound=True))
    if columns <= _COLUMNS_FOR_NEIGHBORS:
        mixed = any(_tied(side) for side in (x, y))
        value = mixed_ksg(x, y) if mixed else ksg(x, y)
        name, error = "MixedKSG" if mixed else "KSG", 1 / math.sqrt(n)
        found.append(CrossCheck(name, value, stderr=error, low_from=_COLUMNS_FOR_LOW_NEIGHBORS))
    cells = torch.unique(x, dim=0).shape[0] * torch.unique(y, dim=0).shape[0]
    if len(x) >= _ROWS_PER_CELL * cells:
        found.append(CrossCheck("Contingency", contingency(x, y)))
    return found


def _tied(side: Tensor) -> bool:
    return any(torch.unique(column).numel() < (1 - _TIED) * len(column) for column in side.unbind(1))
