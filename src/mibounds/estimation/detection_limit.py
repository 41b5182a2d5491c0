"""How much linear dependence an estimate may have missed: an allowance of the upper end of the interval."""

from __future__ import annotations

import math

from torch import Tensor

from mibounds.classical import gaussian_copula_full
from mibounds.data import RankGaussianize
from mibounds.estimation.cross_checks import copula_error, enough_for_copula
from mibounds.warnings import IntervalCappedWarning, MIWarning

__all__ = ["detection_limit", "effective_dimension"]

_ROWS = 10_000
_ERRORS = 2.0
_UNCHECKED = 0.25  # nats, an allowance that the copula does not lower: data need not be Gaussian


def detection_limit(
    x: Tensor, y: Tensor, train_n: int, value: float, *, extrapolated: bool = False
) -> tuple[float, list[MIWarning]]:
    r"""The information in nats of a linear dependence that could not have been noticed, and a warning where that is
    more than any method could certify.

    Canonical correlations of noise reach :math:`2\sqrt{c}` with :math:`c = \max(d_x, d_y) / N`, each of
    :math:`\min(d_x, d_y)` pairs below then holds about 2c nats, and no fit could tell:

    .. math:: \frac{2 d_x d_y}{N}

    with the effective dimensions d. Where chance makes at most 0.25 nats of it, the Gaussian copula of all rows
    measures the linear dependence: the limit is then what it exceeds the value by, plus 2 standard errors, and at least
    0.25 nats. Nor does the limit raise the value above ln N.

    Arguments:
        x: (N, D_x) numbers.
        y: (N, D_y), paired with x.
        train_n: N, the rows that a fold trains on.
        value: of the estimate, in nats.
        extrapolated: the value itself may be above ln N; the limit is then at most ln N.

    Example:
        >>> import torch
        >>> x, y = torch.randn(2, 200, 300, generator=torch.Generator().manual_seed(0))
        >>> limit, warnings = detection_limit(x, y, 160, 0.0)
        >>> round(limit, 3) == round(math.log(160), 3), warnings[0].code
        (True, 'interval-capped')
    """
    x, y = (RankGaussianize().fit(side)(side).double() for side in (x[:_ROWS], y[:_ROWS]))
    dims = [min(effective_dimension(side), train_n) for side in (x, y)]
    limit = 2 * dims[0] * dims[1] / train_n
    if limit > _UNCHECKED:
        limit = min(limit, max(_UNCHECKED, _copula_limit(x, y, value)))
    most = math.log(train_n) if extrapolated else max(math.log(train_n) - value, 0.0)
    if limit <= most:
        return limit, []
    return most, [
        IntervalCappedWarning(
            f"A linear dependence of up to {limit:.3g} nats between {x.shape[1]} and {y.shape[1]} columns would go "
            f"unnoticed in {train_n:,} training rows. The interval reaches up by {most:.3g} nats only, as no method "
            "certifies more than ln N: the information may be above it. Give more rows or fewer columns."
        )
    ]


def effective_dimension(x: Tensor) -> float:
    r"""The participation ratio of the eigenvalues of the correlation matrix of columns, at least 1 and at most D.

    .. math:: \frac{(\sum_i \lambda_i)^2}{\sum_i \lambda_i^2}

    The denominator is less its noise, :math:`D (D - 1) / N` for independent columns, so that theirs is about D. Time
    and memory are linear in D.

    Arguments:
        x: (N, D) numbers.

    Example:
        >>> import torch
        >>> effective_dimension(torch.arange(9.0)[:, None].expand(9, 4))
        1.0
    """
    n, dim = x.shape
    standard = x.double() - x.double().mean(0)
    standard = standard / standard.square().mean(0).sqrt().clamp_min(1e-12)
    product = standard.T @ standard if dim < n else standard @ standard.T
    pairs = dim * (dim - 1)
    found = float(product.square().sum()) / n**2 - dim  # squared correlations of different columns
    true = max(found - pairs / n, 0.0) / (1 - 1 / n)
    return max(1.0, dim**2 / (dim + true))


def _copula_limit(x: Tensor, y: Tensor, value: float) -> float:
    """By how much the linear information of normal scores may exceed the value, in nats."""
    if not enough_for_copula(x, y):
        return math.inf
    found = gaussian_copula_full(x, y)
    return max(found - value, 0.0) + _ERRORS * copula_error(found, x, y)
