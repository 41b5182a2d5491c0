r"""The Student copula: linear dependence, and a common scale of all columns."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds._math import at_places
from mibounds.classical._cross_fitted import (
    in_random_order,
    log_ratios,
    score_sides,
    sides,
    squared_lengths,
    without_chance,
)

__all__ = ["student_copula"]

_DEGREES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 60.0)  # of freedom that are tried
_CLOSE = 0.02  # of the logarithm of the degrees of freedom
_ROWS = 5_000  # that the scatter matrix is fitted to
_ITERATIONS = 6
_CHANCE = 2.5  # times 1/sqrt(N): below, a correlation is taken as zero
_LEAST = 1e-4  # eigenvalue of the scatter matrix
_POINTS, _EDGE = 1025, 5.0  # of the table of quantiles, in normal scores


@dataclass(frozen=True)
class StudentFit:
    """A Student copula of d columns.

    Attributes:
        degrees: of freedom.
        scatter: matrix (d, d) with ones on its diagonal.
        quantiles: the asinh of the Student quantiles, a table for `student_quantiles`.
        likelihood: the mean log density of the copula of the rows that it was fitted to, in nats.
    """

    degrees: float
    scatter: Tensor
    quantiles: Tensor
    likelihood: float

    @classmethod
    def of(cls, scores: Tensor, degrees: Sequence[float] = _DEGREES) -> StudentFit:
        """The most likely one of so many degrees of freedom for normal scores (N, d), whose likelihood has one maximum;
        of the first 5,000 rows."""
        scores = scores[:_ROWS].double()
        best, scatter = None, torch.eye(scores.shape[1]).to(scores)
        for tried in degrees:
            quantiles = _table(tried).to(scores.device)
            rows = student_quantiles(scores, quantiles)
            scatter = _scatter(rows, tried, scatter)
            likelihood = float((_log_density(rows, scatter, tried) - _log_margins(rows, tried)).mean())
            if best is not None and likelihood < best.likelihood:
                break
            best = cls(tried, scatter, quantiles, likelihood)
        assert best is not None
        return best

    def log_ratio(self, scores: Tensor, width: int) -> Tensor:
        """The log-ratios (N,) of normal scores (N, d), whose first `width` columns are x."""
        rows = student_quantiles(scores, self.quantiles)
        x, y = (_log_density(rows[:, part], self.scatter[part, part], self.degrees) for part in sides(width))
        return _log_density(rows, self.scatter, self.degrees) - x - y

    def information(self, width: int) -> float:
        """I(X;Y) of the copula in nats, x the first `width` columns."""
        x, y = (_entropy(self.scatter[part, part], self.degrees) for part in sides(width))
        return x + y - _entropy(self.scatter, self.degrees)


def student_copula(x: Any, y: Any) -> float:
    r"""The information of a Student copula that is fitted to all rows, less its optimism, in nats.

    .. math:: I = I_\nu - \frac{1}{2} (\ell - \ell_{cv}), \quad
              I_\nu = h_\nu(S_x) + h_\nu(S_y) - h_\nu(S_{xy}), \quad
              h_\nu(S) = \frac{1}{2} \ln |S| + \ln \frac{\Gamma(\nu/2)}{\Gamma((\nu+d)/2)} + \frac{d}{2} \ln (\nu\pi)
              + \frac{\nu+d}{2} \Big(\psi\big(\tfrac{\nu+d}{2}\big) - \psi\big(\tfrac{\nu}{2}\big)\Big)

    with the maximum-likelihood degrees of freedom :math:`\nu` and scatter matrix S of the columns' Student quantiles.
    The mean log-ratio of the rows is :math:`\ell` with the fit to all of them, and :math:`\ell_{cv}` with fits to four
    fifths that leave them out; :math:`I_\nu` is taken no further than one standard error from :math:`\ell`, which other
    dependence would not support. For columns that share a scale, as returns of the same days do, or have heavy tails
    together, it has a fraction of the variance of other estimates; few rows are enough. With many degrees of freedom it
    is the Gaussian copula. Too low where the dependence is neither linear nor of the scale; no bound.

    References:
        Demarta and McNeil, The t copula and related copulas, 2005. Guerrero-Cusumano, An asymptotic test of
        independence for multivariate t and Cauchy random variables with applications, 1996 (the information).

    Arguments:
        x: (N,) or (N, D_x) numbers, N at least 10.
        y: (N,) or (N, D_y), paired with x.

    Raises:
        TypeError: if a column holds text.
        ValueError: if the rows do not pair or there are fewer than 10, or a value is missing or infinite.

    Example:
        >>> from mibounds.tasks import Student
        >>> x, y = Student.identity(2, df=1.0).sample(500, torch.Generator().manual_seed(0))  # truth 0.432
        >>> abs(student_copula(x, y) - 0.432) < 0.05
        True
    """
    scored = score_sides(x, y)
    return 0.0 if scored is None else of_scores(*scored)[0]


def of_scores(x: Tensor, y: Tensor) -> tuple[float, float, float]:
    """The information of the Student copula of normal scores (N, D_x) and (N, D_y) and its standard error in nats, and
    by how much the log likelihood of all rows exceeds that of the largest degrees of freedom."""
    scores, width = in_random_order(x, y)
    terms, held_out = log_ratios(StudentFit.of, scores, width)
    fit = _refined(scores)
    mean, error = float(terms.mean()), float(terms.std()) / math.sqrt(len(terms))
    value = min(max(fit.information(width), mean - error), mean + error)
    optimism = max(mean - float(held_out.mean()), 0.0)
    gain = (fit.likelihood - StudentFit.of(scores, _DEGREES[-1:]).likelihood) * min(len(scores), _ROWS)
    return value - optimism / 2, error, gain


def student_quantiles(scores: Tensor, table: Tensor) -> Tensor:
    """The Student quantiles of normal scores."""
    place = (scores.abs() * ((_POINTS - 1) / _EDGE)).clamp(max=_POINTS - 1.001)
    return at_places(table, place).sinh().copysign(scores)


def _refined(scores: Tensor) -> StudentFit:
    """With the most likely degrees of freedom, which lie between neighbors of the best of those that are tried."""
    from scipy.optimize import minimize_scalar

    best = StudentFit.of(scores)
    place = _DEGREES.index(best.degrees)
    around = [math.log(degrees) for degrees in _DEGREES[max(place - 1, 0) : place + 2]]
    found = minimize_scalar(
        lambda degrees: -StudentFit.of(scores, [math.exp(degrees)]).likelihood,
        bounds=(around[0], around[-1]), method="bounded", options={"xatol": _CLOSE},
    )  # fmt: skip
    return max(best, StudentFit.of(scores, [math.exp(found.x)]), key=lambda fit: fit.likelihood)


@functools.lru_cache(maxsize=64)
def _table(degrees: float) -> Tensor:
    """The asinh of Student quantiles, at normal scores in equal distances from 0 on: between the quantiles themselves,
    which grow too fast, no line leads."""
    from scipy import stats

    tail = stats.norm.sf(np.linspace(0, _EDGE, _POINTS))
    return torch.from_numpy(np.arcsinh(stats.t.isf(tail, degrees)))


def _scatter(rows: Tensor, degrees: float, start: Tensor) -> Tensor:
    """The maximum-likelihood scatter matrix (d, d) with ones on its diagonal, from a start, shrunken."""
    (n, width), scatter = rows.shape, start
    identity = torch.eye(width).to(start)
    for _ in range(_ITERATIONS):
        weight = (degrees + width) / (degrees + squared_lengths(rows, scatter))
        scatter = (rows * weight[:, None]).T @ rows / n
        size = scatter.diagonal().sqrt().clamp_min(_LEAST)  # a column can be constant
        scatter = torch.lerp(scatter / size[:, None] / size, identity, _LEAST)  # and can be a copy of another
    return without_chance(scatter, n, _CHANCE, _LEAST)


def _log_density(rows: Tensor, scatter: Tensor, degrees: float) -> Tensor:
    """Of a Student distribution, (N,), less what the margins have too."""
    width = rows.shape[1]
    constant = math.lgamma((degrees + width) / 2) - math.lgamma(degrees / 2) - float(torch.logdet(scatter)) / 2
    return constant - (degrees + width) / 2 * torch.log1p(squared_lengths(rows, scatter) / degrees)


def _log_margins(rows: Tensor, degrees: float) -> Tensor:
    constant = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    return (constant - (degrees + 1) / 2 * torch.log1p(rows.square() / degrees)).sum(1)


def _entropy(scatter: Tensor, degrees: float) -> float:
    """Of a Student distribution, in nats."""
    from scipy.special import digamma

    width = len(scatter)
    constant = math.lgamma(degrees / 2) - math.lgamma((degrees + width) / 2) + width / 2 * math.log(degrees * math.pi)
    spread = (degrees + width) / 2 * float(digamma((degrees + width) / 2) - digamma(degrees / 2))
    return constant + spread + float(torch.logdet(scatter)) / 2
