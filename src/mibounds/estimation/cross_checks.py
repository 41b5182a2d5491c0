"""Cross-checks: classical estimates of the same samples, at little cost."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds.classical import contingency, entropy, gaussian_copula, ksg, mixed_ksg
from mibounds.data.preprocessing import RankGaussianize
from mibounds.training.policy import CrossCheck

__all__ = ["cross_checks"]

_ROWS = 10_000
_COLUMNS_FOR_NEIGHBORS = 8  # x and y together; beyond, nearest neighbors are far too low
_COLUMNS_FOR_COPULA = 500
_COLUMNS_FOR_LOW_NEIGHBORS = 3  # from these on nearest neighbors are low, and being below the value means nothing
_TIED = 0.05
_ROWS_PER_CELL = 5


def cross_checks(x: Tensor, y: Tensor, seed: int) -> list[CrossCheck]:
    """The classical estimates that suit the data, from at most 10,000 rows.

    Nearest neighbors for at most eight columns together (`mixed_ksg` where more than 5 % of a column's values are
    tied), the Gaussian copula up to 500 columns, counts where both sides have few values, corrected for their bias and
    at most the smaller entropy. Columns are ranked first, which leaves the information as it is and makes heavy tails
    harmless. A method that fails on the data, or whose value is not finite, is left out.

    Arguments:
        x: (N, D_x) numbers.
        y: (N, D_y), paired with x.
        seed: draws the rows, splits them and breaks ties.

    Example:
        >>> x = torch.randn(400, 1, generator=torch.Generator().manual_seed(0))
        >>> [check.name for check in cross_checks(x, x + 1, 0)]
        ['GaussianCopula', 'KSG']
    """
    if len(x) > _ROWS:
        kept = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:_ROWS]
        x, y = x[kept], y[kept]
    if x.shape[1] + y.shape[1] <= _COLUMNS_FOR_COPULA:  # counts do not need ranks
        x, y = (RankGaussianize().fit(side)(side) for side in (x, y))
    x, y = x.double(), y.double()
    found: list[CrossCheck] = []
    for method in (_copula, _nearest, _counts):
        try:
            check = method(x, y, seed)
        except Exception:  # a check must not end the estimate that it checks
            continue
        if check is not None and math.isfinite(check.value):
            found.append(check)
    return found


def _copula(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    if x.shape[1] + y.shape[1] > _COLUMNS_FOR_COPULA:
        return None
    value = gaussian_copula(x, y, generator=torch.Generator().manual_seed(seed))
    return CrossCheck("GaussianCopula", value, is_lower_bound=True)


def _nearest(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    if x.shape[1] + y.shape[1] > _COLUMNS_FOR_NEIGHBORS:
        return None
    error = 1 / math.sqrt(len(x))
    if any(_tied(side) for side in (x, y)):
        return CrossCheck("MixedKSG", mixed_ksg(x, y, seed=seed), stderr=error, low_from=_COLUMNS_FOR_LOW_NEIGHBORS)
    return CrossCheck("KSG", ksg(x, y), stderr=error, low_from=_COLUMNS_FOR_LOW_NEIGHBORS)


def _counts(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    cells = torch.unique(x, dim=0).shape[0] * torch.unique(y, dim=0).shape[0]
    if len(x) < _ROWS_PER_CELL * cells:
        return None
    corrected = contingency(x, y, correction="miller-madow")
    return CrossCheck("Contingency", min(corrected, entropy(x), entropy(y)))


def _tied(side: Tensor) -> bool:
    return any(torch.unique(column).numel() < (1 - _TIED) * len(column) for column in side.unbind(1))
