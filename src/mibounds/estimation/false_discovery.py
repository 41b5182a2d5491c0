r"""P-values of many tests: against one pooled null distribution, and adjusted for the number of tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["benjamini_hochberg", "pooled_pvalues"]

Floats = NDArray[np.float64]
_TAIL = 0.9  # quantile of the null where the tail begins
_LEAST_THRESHOLD = 1e-6  # of t_0, so that the tail is fitted to positive statistics
_NORMAL_WIDTH = 2.0  # s of a standard normal tail, e^(-t^2/2)
_SMALLEST = 1e-300


def pooled_pvalues(observed: Floats, null: Floats) -> Floats:
    r"""P-values of nearly standard normal statistics against draws from their common null distribution.

    .. math:: p(t) = \frac{1 + \#\{b : T_b \ge t\}}{1 + B} \quad (t \le t_0), \qquad
              p(t) = p(t_0)\, e^{-(t^2 - t_0^2)/s} \quad (t > t_0)

    with :math:`t_0` the 90 % quantile of the null and s the mean of :math:`T_b^2 - t_0^2` beyond it: a Gaussian tail of
    the width that the draws show. Empirical p-values alone could not be below 1/(1 + B), which is never small enough
    for as many tests as there are draws.

    Arguments:
        observed: the statistics, (P,); the p-value of NaN is NaN.
        null: independent draws under the null hypothesis, (B,), some hundreds.

    Example:
        >>> null = np.random.default_rng(0).normal(size=2000)
        >>> pooled_pvalues(np.array([1.6449]), null).round(2)  # 0.05 by the normal distribution
        array([0.05])
    """
    threshold = max(float(np.quantile(null, _TAIL)), _LEAST_THRESHOLD)
    ordered = np.sort(null)

    def empirical(at: Floats) -> Floats:
        return (1 + len(null) - np.searchsorted(ordered, at)) / (1 + len(null))

    excess = np.square(ordered[ordered > threshold]) - threshold**2
    width = excess.mean() if len(excess) else _NORMAL_WIDTH
    beyond = np.square(np.maximum(observed, threshold)) - threshold**2
    tail = empirical(np.array([threshold])) * np.exp(-beyond / width)
    pvalues = np.where(observed > threshold, tail, empirical(observed)).clip(min=_SMALLEST)
    return np.where(np.isnan(observed), np.nan, pvalues)


def benjamini_hochberg(pvalues: Floats) -> Floats:
    r"""P-values adjusted by Benjamini and Hochberg: rejecting those up to q keeps the false discovery rate at q or
    below.

    .. math:: q_{(i)} = \min_{k \ge i} \frac{P\, p_{(k)}}{k}

    References:
        Benjamini and Hochberg, Controlling the false discovery rate: a practical and powerful approach to multiple
        testing, 1995.

    Arguments:
        pvalues: (P,), between 0 and 1; NaN remains NaN and is not counted.

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.02, 0.9]))
        array([0.03, 0.03, 0.9 ])
    """
    from scipy.stats import false_discovery_control

    adjusted = np.full(len(pvalues), np.nan)
    defined = ~np.isnan(pvalues)
    adjusted[defined] = false_discovery_control(pvalues[defined], method="bh")
    return adjusted
