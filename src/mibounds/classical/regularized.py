r"""A Gaussian copula of many columns and few rows: its correlation matrix is sparse, or that of few factors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mibounds.classical._cross_fitted import (
    in_random_order,
    log_ratios,
    score_sides,
    sides,
    squared_lengths,
    without_chance,
)

__all__ = ["gaussian_copula_regularized"]

_CHANCES = (2.5, 3.5)  # times 1/sqrt(N): below, a correlation is taken as zero
_FACTORS = (1, 2, 4, 8)
_LEAST = 1e-3  # eigenvalue of a correlation matrix
_OWN = 0.05  # variance of a column that no factor explains, at least


@dataclass(frozen=True)
class GaussianFit:
    """A Gaussian copula with the correlation matrix (d, d)."""

    correlation: Tensor

    def log_ratio(self, scores: Tensor, width: int) -> Tensor:
        """The log-ratios (N,) of normal scores (N, d), whose first `width` columns are x."""
        x, y = (_log_density(scores[:, part], self.correlation[part, part]) for part in sides(width))
        return _log_density(scores, self.correlation) - x - y


def gaussian_copula_regularized(x: Any, y: Any) -> float:
    r"""The information of a Gaussian copula with few parameters, less its optimism, in nats.

    .. math:: I = \frac{1}{2} (\ell + \ell_{cv})

    The mean log-ratio of the rows is :math:`\ell` with the fit to all of them, and :math:`\ell_{cv}` with fits to four
    fifths that leave them out. The correlation matrix is without the correlations below :math:`2.5/\sqrt N` or
    :math:`3.5/\sqrt N`, or that of 1, 2, 4 or 8 factors and noise of each column, whichever has the largest
    :math:`\ell_{cv}`. For fewer than some five rows a column, where `gaussian_copula_full` has a large variance. Too
    low where the matrix is neither sparse nor of few factors, and where the dependence is not monotone; no bound.

    References:
        Bickel and Levina, Covariance regularization by thresholding, 2008. Fan et al., High dimensional covariance
        matrix estimation using a factor model, 2008.

    Arguments:
        x: (N,) or (N, D_x) numbers, N at least 10.
        y: (N,) or (N, D_y), paired with x.

    Raises:
        TypeError: if a column holds text.
        ValueError: if the rows do not pair or there are fewer than 10, or a value is missing or infinite.

    Example:
        >>> x, noise = torch.randn(2, 100, 40, generator=torch.Generator().manual_seed(0))
        >>> y = torch.cat([x[:, :1] + noise[:, :1], noise[:, 1:]], 1)  # truth 0.347
        >>> abs(gaussian_copula_regularized(x, y) - 0.347) < 0.1
        True
    """
    scored = score_sides(x, y)
    return 0.0 if scored is None else of_scores(*scored)[0]


def of_scores(x: Tensor, y: Tensor) -> tuple[float, float]:
    """The same of normal scores (N, D_x) and (N, D_y), and its standard error, of which half of the optimism is a part:
    of independent columns the optimism alone makes the value."""
    scores, width = in_random_order(x, y)
    fits: list[Callable[[Tensor], GaussianFit]] = [partial(_sparse, chance=chance) for chance in _CHANCES]
    fits += [partial(_of_factors, count=count) for count in _FACTORS if 2 * count < scores.shape[1]]
    fitted, held_out = max((log_ratios(fit, scores, width) for fit in fits), key=lambda terms: float(terms[1].mean()))
    mean = float(held_out.mean())
    optimism = max(float(fitted.mean()) - mean, 0.0)
    return mean + optimism / 2, float(held_out.std()) / math.sqrt(len(scores)) + optimism / 2


def _sparse(scores: Tensor, chance: float) -> GaussianFit:
    """Without the correlations that chance could make of independent columns."""
    return GaussianFit(_scaled(without_chance(_correlation(scores), len(scores), chance, _LEAST)))


def _of_factors(scores: Tensor, count: int) -> GaussianFit:
    """Of the leading principal axes, whose eigenvalues are less what the others have in the mean."""
    values, vectors = torch.linalg.eigh(_correlation(scores))
    loadings = vectors[:, -count:] * (values[-count:] - values[:-count].mean()).clamp_min(0).sqrt()
    common = loadings @ loadings.T
    return GaussianFit(_scaled(common + torch.diag((1 - common.diagonal()).clamp_min(_OWN))))


def _correlation(scores: Tensor) -> Tensor:
    """Of columns, with ones on its diagonal; a constant column has the correlation 0 with all others."""
    centered = scores - scores.mean(0)
    unit = centered / centered.norm(dim=0).clamp_min(1e-12)
    found: Tensor = (unit.T @ unit).fill_diagonal_(1.0)
    return found


def _scaled(covariance: Tensor) -> Tensor:
    size = covariance.diagonal().sqrt()
    scaled: Tensor = covariance / size[:, None] / size
    return scaled


def _log_density(scores: Tensor, correlation: Tensor) -> Tensor:
    """Of a Gaussian distribution, (N,), less what the margins have too."""
    density: Tensor = -squared_lengths(scores, correlation) / 2 - torch.logdet(correlation) / 2
    return density
