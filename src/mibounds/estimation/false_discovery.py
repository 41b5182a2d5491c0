r"""P-values of many tests at once: against one pooled null, and adjusted for their number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["benjamini_hochberg", "pooled_pvalues"]

Floats = NDArray[np.float64]
_BULK = 0.9
_SMALLEST = 1e-300


def pooled_pvalues(observed: Floats, null: Floats) -> Floats:
    r"""P-values of nearly standard normal statistics against draws from their common null.

    .. math:: p(t) = \frac{1 + \#\{b : T_b \ge t\}}{1 + B} \quad (t \le t_0), \qquad
              p(t) = p(t_0)\, e^{-(t^2 - t_0^2)/s} \quad (t > t_0)

    with :math:`t_0` the null's 90 % quantile and s the mean of :math:`T_b^2 - t_0^2` beyond it: a tail like a normal's,
    of the width that the draws show. Counting alone could not go below 1/(1 + B), which is never small enough
    for as many tests as there are draws.

    Arguments:
        observed: the statistics, (P,).
        null: draws without dependence, (B,), some hundreds.

    Example:
        >>> null = np.random.default_rng(0).normal(size=2000)
        >>> pooled_pvalues(np.array([1.6449]), null).round(2)  # the normal distribution says .05
        array([0.05])
    """
    edge = max(float(np.quantile(null, _BULK)), 1e-6)
    ordered = np.sort(null)

    def counted(at: Floats) -> Floats:
        return (1 + len(null) - np.searchsorted(ordered, at)) / (1 + len(null))

    beyond = np.square(ordered[ordered > edge]) - edge**2
    width = beyond.mean() if len(beyond) else 2.0
    tail = counted(np.array([edge])) * np.exp(-(np.square(np.maximum(observed, edge)) - edge**2) / width)
    return np.where(observed > edge, tail, counted(observed)).clip(min=_SMALLEST)


def benjamini_hochberg(pvalues: Floats) -> Floats:
    r"""Adjusted p-values: rejecting those up to q keeps the expected share of false rejections at q or below.

    .. math:: q_{(i)} = \min_{k \ge i} \frac{P\, p_{(k)}}{k}

    References:
        Benjamini and Hochberg, Controlling the false discovery rate: a practical and powerful approach to multiple
        testing, 1995.

    Arguments:
        pvalues: (P,).

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.02, 0.9]))
        array([0.03, 0.03, 0.9 ])
    """
    count = len(pvalues)
    order = np.argsort(pvalues)
    scaled = pvalues[order] * count / np.arange(1, count + 1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1)
    return adjusted
