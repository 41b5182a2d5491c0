"""Diagnostics of an estimate: of the data, of classical estimates of them, and of the limits of the sample.

Written like those of a fit (`mibounds.training.diagnostics`), and run together with them: to add one, write a function
and put it into `CHECKS`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import torch
from torch import Tensor

from mibounds._math import canonical_correlations
from mibounds.data import RankGaussianize, Standardize
from mibounds.training.diagnostics import FIT_CHECKS, Check, Evidence, beyond_log_n
from mibounds.training.policy import CrossCheck
from mibounds.warnings import (
    BelowBoostedTreesWarning,
    BelowGaussianWarning,
    CrossCheckWarning,
    ExtrapolatedWarning,
    InfiniteInformationWarning,
    MaybeIndependentWarning,
    MIWarning,
    TiesWarning,
)

__all__ = ["CHECKS"]

# Each threshold lies above what healthy fits like those of benchmarks/diagnostics show (60 when it was chosen).
_COINCIDENCES = 3.0  # times as many repeated rows as rounded, independent columns have by chance
_PILE = 3  # times as often as any other value: what is merely rounded has no such value
_MOSTLY, _LEAST_ROWS = 0.9, 50  # of the rows; a function of fewer is any data
_TIED, _DISTINCT = 0.05, 0.2  # of the rows; labels and counts have few distinct values, and are left alone
_BELOW = 0.05  # nats; healthy: up to 2.3 standard errors
_APART, _APART_SHARE = 0.05, 0.1  # nats, and of the value; healthy: up to 0.04
_ERRORS = 3.0
_ROOTS = 2.0  # of 1/sqrt(N), which is about the standard error of nearest neighbors in nats
_FUNCTION_ROWS, _FUNCTION_PAIRS = 2_000, 400  # of columns
_FUNCTION = 0.05  # of the spread over N: noise that small leaves some three nats more than ln N
_NOTHING, _SMALL = 1e-3, 0.1  # nats: by which an untrained critic may differ from zero; that no sample calls nothing


def infinite_information(e: Evidence) -> MIWarning | None:
    """A linear combination of columns, or of their normal scores, of x is one of y; or a column is a smooth function of
    another."""
    if e.x is None or e.y is None:
        return None
    if _functional(e.x, e.y):
        found = "A combination of columns of x equals one of y to six digits"
    elif _smooth(e.x, e.y) or _smooth(e.y, e.x):
        found = "A column of one variable is a smooth function of one of the other, as far as the samples resolve it"
    else:
        return None
    return InfiniteInformationWarning(
        f"{found}: if the data are continuous their "
        "information is infinite, and the value only says how far the sample resolves it. "
        "Drop the duplicate column, or model the measurement noise explicitly."
    )


def ties(e: Evidence) -> MIWarning | None:
    """More than 5 % of the rows repeat others, or of a column's values one value, though the column is continuous.

    A given column is taken for continuous if it is numeric and a fifth of its values are distinct. Values that are
    merely rounded are left alone.
    """
    if e.x is None or e.y is None:
        return None
    continuous, piles = False, []
    for variable in e.variables:
        assert variable.table is not None
        place = {name: i for i, name in enumerate(variable.columns)}
        for encoding in variable.encodings:
            # Of a value that is constant where it is not missing, only the indicator is left.
            if not encoding.has_density or encoding.names[0] not in place:
                continue
            column = variable.table[:, place[encoding.names[0]]]
            values, counts = torch.unique(column, return_counts=True)
            if len(values) >= _DISTINCT * len(column):
                continuous = True
                most, second = int(counts.argmax()), int(counts.topk(min(2, len(counts))).values[-1])
                filled = getattr(encoding, "indicator", False)  # missing values are all filled in with the median
                if int(counts[most]) > max(_TIED * len(column), _PILE * second) and not filled:
                    share = int(counts[most]) / len(column)
                    piles.append(f"{values[most]:.4g} makes up {share:.0%} of column {encoding.name!r}")
    columns = [*e.x.unbind(1), *e.y.unbind(1)]
    copied = _repeated(columns) if continuous else 0.0
    if copied > _TIED and copied > _TIED + _COINCIDENCES * _coincident(columns):
        return TiesWarning(
            f"{copied:.0%} of the rows repeat others, though values look continuous: copies are in training and test "
            "parts alike, and the value is too high. Drop them, also where rows were drawn with replacement, or pass "
            "groups= with the same group for copies."
        )
    if piles:
        return TiesWarning(
            f"{piles[0]}, whose other values look continuous. If it stands for missing, clipped or undetectable "
            "values, the value includes their information: drop those rows to leave them out. A true atom is harmless."
        )
    return None


def extrapolated(e: Evidence) -> MIWarning | None:
    """The plug-in is reported: the value is near what InfoNCE can certify, but not above ln N."""
    if not e.extrapolated or beyond_log_n(e) is not None:
        return None
    return ExtrapolatedWarning(
        f"The value is close to the most that {e.n:,} rows can certify by InfoNCE and is the "
        "plug-in, which rests on the critic's smoothness. More samples move this limit."
    )


def below_gaussian(e: Evidence) -> MIWarning | None:
    """The Gaussian copula exceeds the value by 0.05 nats and three standard errors."""
    check = _lower_bound_above(e, "GaussianCopula", e.value)
    if check is None:
        return None
    return BelowGaussianWarning(
        f"{check.name} is {check.value:.3g} nats on held-out samples and the critics {e.value:.3g}, though it "
        "is a lower bound too: the critics are underfitted (more steps, more samples), or the dependence "
        "changes over the table. Use the larger value where the samples are homogeneous."
    )


def below_boosted_trees(e: Evidence) -> MIWarning | None:
    """The lower bound of boosted trees exceeds the critics' estimate by 0.05 nats and three standard errors."""
    check = _lower_bound_above(e, "BoostedTrees", e.chosen.value())
    if check is None:
        return None
    return BelowBoostedTreesWarning(
        f"Boosted trees certify {check.value:.3g} nats on held-out samples, and the critics' estimate is "
        f"{e.chosen.value():.3g}: the critics are underfitted. The value is {e.value:.3g}; more steps or more samples "
        "may raise it."
    )


def _lower_bound_above(e: Evidence, name: str, value: float) -> CrossCheck | None:
    for check in e.cross_checks:
        if check.name == name and check.is_lower_bound and check.value > value + _BELOW + _ERRORS * e.stderr:
            return check
    return None


def cross_check(e: Evidence) -> MIWarning | None:
    """Nearest neighbors, or counts, differ by more than 0.05 nats, 10 %, three standard errors and 2/sqrt(N)."""
    own_error = 1 / math.sqrt(e.n)
    margin = max(_APART, _APART_SHARE * abs(e.value)) + _ERRORS * e.stderr + _ROOTS * own_error
    for check in e.cross_checks:
        low = check.value < e.value - margin and e.columns < check.low_from
        high = check.value > e.value + margin
        if check.is_lower_bound or not (low or high) or e.extrapolated:
            continue
        return CrossCheckWarning(
            f"{check.name} is {check.value:.3g} nats for the same samples, and the critics' value {e.value:.3g}: "
            + (
                "the dependence is finer than they resolve. More steps, wider hidden= or more samples may help."
                if high
                else "copied or serially dependent rows, or very uneven densities, can cause this: plot the data."
            )
        )
    return None


def maybe_independent(e: Evidence) -> MIWarning | None:
    """The value is less than 0.1 nats and within two standard errors of zero, no cross-check contradicts, and no column
    of x is correlated with one of y."""
    contradicted = any(check(e) is not None for check in (below_gaussian, below_boosted_trees, cross_check))
    if e.value > min(2 * e.stderr + _NOTHING, _SMALL) or contradicted:
        return None
    if e.x is not None and e.y is not None and _correlated(e.x, e.y):
        return None
    return MaybeIndependentWarning(
        f"The value is {max(e.value, 0.0):.2g} nats with a standard error of {e.stderr:.2g}: these {e.n:,} rows do "
        "not show a dependence. Independent data look like this, but it is no proof of "
        "independence: the interval says how much information may be undetected."
    )


CHECKS: tuple[Check, ...] = (
    infinite_information,
    ties,
    *FIT_CHECKS,
    extrapolated,
    below_gaussian,
    below_boosted_trees,
    cross_check,
    maybe_independent,
)
"""What an estimate is asked, in the order in which its warnings come."""


def _functional(x: Tensor, y: Tensor) -> bool:
    """Is a linear combination of columns (or of their normal scores) of x also one of y, with mostly distinct
    values?"""
    rows = slice(5000)
    if len(x) < 3 * (x.shape[1] + y.shape[1]):
        return False
    for side in (x[rows], y[rows]):
        if all(torch.unique(column).numel() < 0.5 * len(column) for column in side.unbind(1)):
            return False
    for preprocessing in (Standardize, RankGaussianize):
        u, v = (preprocessing().fit(side[rows])(side[rows]) for side in (x, y))
        if float(canonical_correlations(u.double(), v.double(), ridge=1e-9)[0]) > 1 - 1e-6:
            return True
    return False


def _smooth(x: Tensor, y: Tensor) -> bool:
    """Is a column of y a smooth function of one of x? Four neighbors in x then tell the value of y, by a cubic, to less
    than noise of any size that the samples could resolve. Both have mostly distinct values."""
    rows = slice(_FUNCTION_ROWS)
    n = len(x[rows])
    given, wanted = (
        [one for one in side[rows].double().unbind(1) if torch.unique(one).numel() >= _MOSTLY * n] for side in (x, y)
    )
    if n < _LEAST_ROWS or len(given) * len(wanted) > _FUNCTION_PAIRS:
        return False
    for column in given:
        order = column.argsort()
        for target in wanted:
            low, high = torch.quantile(target, torch.tensor([0.25, 0.75], dtype=torch.float64, device=target.device))
            error = _interpolated(column[order], target[order]) - target[order][2:-2]
            if float(error.abs().nanmedian()) < _FUNCTION / n * float(high - low):
                return True
    return False


def _interpolated(x: Tensor, y: Tensor) -> Tensor:
    """The cubic through the two neighbors of each point on either side, at that point: (N - 4,) of sorted x (N,)."""
    nodes = [slice(0, -4), slice(1, -3), slice(3, -1), slice(4, None)]
    value = torch.zeros_like(x[2:-2])
    for i in nodes:
        weight = torch.ones_like(value)
        for j in nodes:
            if j != i:
                weight = weight * (x[2:-2] - x[j]) / (x[i] - x[j])
        value = value + weight * y[i]
    return value.where(value.isfinite(), torch.full_like(value, math.nan))  # of equal neighbors


def _correlated(x: Tensor, y: Tensor) -> bool:
    """Is the largest rank correlation of a column of x with one of y beyond chance, at level 0.001 for all pairs?"""
    u, v = (RankGaussianize().fit(side)(side).double() for side in (x, y))
    u, v = (side / side.square().sum(0).sqrt().clamp_min(1e-12) for side in (u - u.mean(0), v - v.mean(0)))
    pairs = x.shape[1] * y.shape[1]
    return float((u.T @ v).abs().max()) * math.sqrt(len(x)) > NormalDist().inv_cdf(1 - 0.0005 / pairs)


def _coincident(columns: Sequence[Tensor]) -> float:
    """The share of rows that equal one before them by chance, of independent columns (N,) with those frequencies."""
    n = len(columns[0])
    equal = (n - 1) / 2
    for column in columns:
        frequencies = torch.unique(column, return_counts=True)[1].double() / n
        equal *= float(frequencies.square().sum())
    return equal


def _repeated(columns: Sequence[Tensor]) -> float:
    """The share of rows that equal one before them, of columns (N,)."""
    n = len(columns[0])
    label, distinct = torch.zeros(n, dtype=torch.long, device=columns[0].device), 1
    for column in columns:
        values, place = torch.unique(column, return_inverse=True)
        label *= len(values)
        label += place
        del values, place  # millions of rows
        known, label = torch.unique(label, return_inverse=True)
        distinct = len(known)
        if distinct == n:
            break
    return 1 - distinct / n
