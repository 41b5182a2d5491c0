"""Diagnostics of a fit: one small function a condition, each a warning with a stable code, or nothing.

A check takes an `Evidence` and reports what it found, by how much, and what to do. To add one, write a function and
put it into `FIT_CHECKS`. The thresholds are such that of healthy fits at most one in twenty is warned of anything, see
benchmarks/diagnostics in the repository.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import torch
from scipy.special import chdtri
from torch import Tensor

from mibounds._math import logmeanexp, twice_mid_ranks
from mibounds.data import Variable
from mibounds.inference import BoundEvaluation
from mibounds.training.evaluation import Evaluation
from mibounds.training.policy import CrossCheck
from mibounds.warnings import (
    BeyondLogNWarning,
    BoundsDisagreeWarning,
    CeilingWarning,
    FoldSpreadWarning,
    HeavyTailsWarning,
    LowEffectiveSampleWarning,
    MIWarning,
    NonFiniteStepWarning,
    NotConvergedWarning,
    NotNormalizedWarning,
    OverfitWarning,
    SerialCorrelationWarning,
    SmallSampleWarning,
)

__all__ = ["FIT_CHECKS", "Check", "Evidence", "run_checks"]


@dataclass(frozen=True)
class Evidence:
    """What a diagnostic may look at.

    Attributes:
        evaluation: of the test samples, and what the folds learned.
        method: the name of the estimate that is reported.
        x: (N, D_x) columns, or None where the critic encodes something else.
        y: (N, D_y), likewise.
        variables: x and y with their kinds and names.
        grouped: dependent samples are in groups, which no fold divides.
        entropy: of a label, in nats.
        cross_checks: classical estimates.
        extrapolated: the value rests on the critic's smoothness.
        blocked: the folds are blocks of samples in their order.
        plain: the columns reach the critic as they are, or merely standardized.
        local: the local estimate that is reported in place of that of the critics.
    """

    evaluation: Evaluation
    method: str
    x: Tensor | None = None
    y: Tensor | None = None
    variables: tuple[Variable, ...] = ()
    grouped: bool = False
    entropy: float | None = None
    cross_checks: Sequence[CrossCheck] = ()
    extrapolated: bool = False
    blocked: bool = False
    plain: bool = False
    local: CrossCheck | None = None

    @property
    def chosen(self) -> BoundEvaluation:
        """The evaluation of the reported estimate."""
        return self.evaluation.by_bound[self.method]

    @cached_property
    def value(self) -> float:
        """The value that is reported, in nats."""
        return self.chosen.value() if self.local is None else self.local.reported

    @cached_property
    def stderr(self) -> float:
        """Its standard error, in nats."""
        return self.chosen.stderr()

    @property
    def n(self) -> int:
        """The number of test samples."""
        return self.evaluation.n

    @property
    def columns(self) -> int:
        """The number of columns of x and y together; 0 where one is no table."""
        return 0 if self.x is None or self.y is None else self.x.shape[1] + self.y.shape[1]


Check = Callable[[Evidence], MIWarning | None]


def run_checks(evidence: Evidence, checks: Sequence[Check]) -> list[MIWarning]:
    """What the checks found, in their order."""
    found = (check(evidence) for check in checks)
    return [warning for warning in found if warning is not None]


# Each threshold lies well above what healthy fits like those of benchmarks/diagnostics show (60 when it was chosen).
_CEILING = 2.5  # nats below the ceiling, from where InfoNCE is low by 0.1 to 0.3
_ROWS, _ROWS_PER_COLUMN = 200, 10  # 15 % of nine tenths of 200 rows are 27, which stop, weight and calibrate
_MEMORIZED, _MEMORIZED_SHARE = 0.15, 0.3  # nats, and of the value; healthy fits: up to 0.05
_DISAGREE, _DISAGREE_SHARE = 0.1, 0.15  # nats, and of the value; healthy: up to 0.02
_LOG_MEAN = 0.2  # nats; healthy: up to 0.04, and to 0.16 for small critics of 800 rows that nothing calibrates
_EFFECTIVE_ROWS, _EFFECTIVE_SHARE = 50, 0.1  # rows, and of the rows; healthy: from 0.85 of the rows
_WITHOUT_PARTITION = ("none", "contrastive")  # normalizers
_FALLING, _FALLING_SHARE = 0.01, 0.15  # nats, and of the score; healthy: up to 0.12 of it, undertrained: from 0.22
_SPREAD, _SPREAD_FLOOR = 3.0, 0.02  # times what sampling explains, and nats; healthy: up to 2.2 times
_SPREAD_LEVEL = 1e-4  # of the chi-square test of the folds' variance: 3.9 times for two folds, 3 times for three
_ERRORS = 3.0  # standard errors
_ALL_OF_IT = 0.98  # of the entropy of a label
_KURTOSIS = 20.0  # x|x|^0.5 of a Gaussian has 5.9, its cube 46
_SERIAL = 0.3  # rank correlation; 2,000 independent rows: up to 0.06


def small_sample(e: Evidence) -> MIWarning | None:
    """Fewer than 200 rows, or than 10 a column."""
    rows, columns = e.n, e.columns
    if rows >= max(_ROWS, _ROWS_PER_COLUMN * columns):
        return None
    of = f"{rows:,} rows of {columns} columns" if columns else f"{rows:,} rows"
    return SmallSampleWarning(
        f"{of} are few: at least {max(_ROWS, _ROWS_PER_COLUMN * columns):,} are wanted. A weak dependence goes "
        "unnoticed, and the value tends to be low. Measure more rows, or fewer columns."
    )


def serial_correlation(e: Evidence) -> MIWarning | None:
    """A column of x and one of y correlate with their own next row by more than 0.3, and so do they around a trend; the
    folds are random."""
    if e.x is None or e.y is None or e.blocked or e.grouped:
        return None
    x, y = (serial_dependence(side) for side in (e.x, e.y))
    if min(x, y) <= max(_SERIAL, 4 / math.sqrt(len(e.x))):
        return None
    return SerialCorrelationWarning(
        f"Neighboring rows resemble each other: the rank correlation of a row with the next is {x:.2g} in x "
        f'and {y:.2g} in y. If this is a series, random folds leak and the value is too high: pass split="blocked". '
        "If rows belong together otherwise, pass groups=; if the table was merely sorted, shuffle it."
    )


def heavy_tails(e: Evidence) -> MIWarning | None:
    """A column of kurtosis above 20 reaches the critic as it is, or merely standardized."""
    if e.x is None or e.y is None or not e.plain:
        return None
    sides = {"x": kurtosis(e.x), "y": kurtosis(e.y)}
    worst = max(sides, key=lambda side: sides[side])
    if sides[worst] <= _KURTOSIS:
        return None
    return HeavyTailsWarning(
        f"A column of {worst} has far outliers (kurtosis {sides[worst]:.3g}, a Gaussian's is 3): they dominate "
        "the critic's training. Pass preprocessing=mi.RankGaussianize(), which keeps the information."
    )


def beyond_log_n(e: Evidence) -> MIWarning | None:
    """The value is above ln N."""
    limit = math.log(e.n)
    if e.value <= limit:
        return None
    return BeyondLogNWarning(
        f"The value is above ln N = {limit:.3g} nats: no sample of {e.n:,} rows can certify so much. "
        "It is the best extrapolation of the critic; mi.Telescope extrapolates in smaller steps."
    )


def ceiling(e: Evidence) -> MIWarning | None:
    """The value is within 2.5 nats of the bound's ceiling, or in the upper half below a low one."""
    top = e.chosen.ceiling
    if e.local is not None or e.value <= max(top - _CEILING, top / 2):
        return None
    return CeilingWarning(
        f"{e.method} is {e.value:.3g} nats, and cannot exceed {top:.3g} with these blocks of test samples: the "
        "information may be higher. Look at PlugIn and DonskerVaradhan in estimates, or give more rows."
    )


def overfit(e: Evidence) -> MIWarning | None:
    """The critics score the rows that trained them better than unseen ones, by more than 0.15 nats, 30 % and three
    standard errors: training and test rows are different draws."""
    gap = overfit_gap(e.evaluation)
    if _determined(e) or gap <= max(_MEMORIZED, _MEMORIZED_SHARE * e.value) + _ERRORS * e.stderr:
        return None
    return OverfitWarning(
        f"On training samples the critics are {gap:.2g} nats higher than on test samples. The value, evaluated on "
        "test samples, is not inflated by this, but probably low. Give more rows or fewer columns, a "
        "smaller critic (hidden=), or more weight_decay."
    )


def bounds_disagree(e: Evidence) -> MIWarning | None:
    """The value is off the larger of InfoNCE and Donsker–Varadhan by more than 0.1 nats, 15 % and three errors."""
    primary, other = e.evaluation.find("contrastive", "lower"), e.evaluation.find("log-mean", "lower")
    if e.extrapolated or e.local is not None or primary is None or other is None:
        return None  # InfoNCE is at its ceiling where the value is extrapolated, and the interval spans both
    infonce, donsker_varadhan = primary.value(), other.value()
    best = max(infonce, donsker_varadhan)
    if abs(e.chosen.value() - best) <= max(_DISAGREE, _DISAGREE_SHARE * best) + 3 * primary.stderr():
        return None
    return BoundsDisagreeWarning(
        f"{e.method} is {e.chosen.value():.3g} nats, InfoNCE {infonce:.3g} and DonskerVaradhan {donsker_varadhan:.3g} "
        "for the same scores: the critic is not a calibrated log density ratio. InfoNCE and DonskerVaradhan are lower "
        "bounds, so the larger of them holds as one. More samples, milder outliers (mi.RankGaussianize()) or a lower "
        "lr bring them together."
    )


def not_normalized(e: Evidence) -> MIWarning | None:
    """The log of the mean e^score over mismatched test pairs is off zero by more than 0.2 nats and three errors, of
    this mean and of that over the validation rows, by which scores are normalized."""
    mean, error, effective = partition(e.evaluation)
    few = effective < _least_effective(e)
    validating = sum(len(fitted.fold.valid) for fitted in e.evaluation.fitted)
    error *= math.sqrt(1 + e.n / validating) if validating else 1.0
    if e.extrapolated or e.entropy is not None or few or abs(mean) <= _LOG_MEAN + _ERRORS * error:
        return None
    return NotNormalizedWarning(
        f"The mean of e^score over mismatched test pairs is e^{mean:.3g}, and is e^0 for a log-ratio: PlugIn and NWJ "
        f"are off by some {abs(mean):.2g} nats, and so may be the interval. InfoNCE and DonskerVaradhan are "
        "not affected. More samples help; where folds are blocks, the rows change over the table."
    )


def low_effective_sample(e: Evidence) -> MIWarning | None:
    """A bound with a partition term is reported, and its weights e^score rest on fewer than 50 rows and a tenth."""
    effective = partition(e.evaluation)[2]
    if e.chosen.bound.normalizer in _WITHOUT_PARTITION or effective >= _least_effective(e):
        return None
    return LowEffectiveSampleWarning(
        f"{effective:.3g} of {e.n:,} test rows carry the mean of e^score over mismatched pairs, on which "
        f"{e.method} depends: its value may be far off, and its standard error is too small. Use InfoNCE, look at "
        "those rows for outliers, or give more rows."
    )


def not_converged(e: Evidence) -> MIWarning | None:
    """In most folds the validation loss fell by more than 0.01 nats and 15 % in the second half of the steps."""
    if e.local is not None:
        return None
    curves = [fitted.curve for fitted in e.evaluation.fitted]
    falls = [late_fall(curve.steps, curve.validation_loss) for curve in curves]
    least = [max(_FALLING, _FALLING_SHARE * abs(curve.validation_loss[-1])) for curve in curves]
    falling = sum(fall > bar for fall, bar in zip(falls, least, strict=True))
    if 2 * falling <= len(falls):
        return None
    return NotConvergedWarning(
        f"In {falling} of {len(falls)} folds the validation loss still fell in the second half of the "
        f"{max(curve.steps[-1] for curve in curves):,} steps, by {fmean(falls):.2g} nats: the value is probably low. "
        "Give more steps, or a larger lr."
    )


def fold_spread(e: Evidence) -> MIWarning | None:
    """The folds' values spread three times as wide as sampling explains, and wider than it does in one of 10,000 fits:
    two folds are often far apart."""
    values = torch.tensor(e.chosen.fold_values(), dtype=torch.float64)
    if len(values) < 2 or e.extrapolated or e.local is not None:
        return None
    expected = e.chosen.sampling_error() * math.sqrt(len(values))
    by_chance = math.sqrt(float(chdtri(len(values) - 1, _SPREAD_LEVEL)) / (len(values) - 1))
    if float(values.std()) <= max(max(_SPREAD, by_chance) * expected, _SPREAD_FLOOR):
        return None
    return FoldSpreadWarning(
        f"The folds range from {float(values.min()):.3g} to {float(values.max()):.3g} nats, "
        f"{float(values.std()) / max(expected, 1e-9):.2g} times as wide as the sampling of rows explains: "
        "training is unstable (lower lr, another seed), or, where folds are blocks, the rows change over the table: "
        "then there is no one value, and parts of the table should be measured alone."
    )


def non_finite_steps(e: Evidence) -> MIWarning | None:
    """Training steps had a gradient that is infinite or undefined."""
    skipped = sum(fitted.skipped for fitted in e.evaluation.fitted)
    if not skipped:
        return None
    return NonFiniteStepWarning(
        f"{skipped} training steps had an infinite or undefined gradient and were skipped: "
        "lower lr, or train by a bound of lower variance such as InfoNCE."
    )


FIT_CHECKS: tuple[Check, ...] = (
    small_sample,
    serial_correlation,
    heavy_tails,
    beyond_log_n,
    ceiling,
    overfit,
    bounds_disagree,
    not_normalized,
    low_effective_sample,
    not_converged,
    fold_spread,
    non_finite_steps,
)
"""What any fit is asked, in the order in which its warnings come."""


def overfit_gap(evaluation: Evaluation) -> float:
    """By how many nats the critics score their training samples better than test samples, mean over folds."""
    return evaluation.train_test_gap - fmean(fitted.gain for fitted in evaluation.fitted)


def partition(evaluation: Evaluation) -> tuple[float, float, float]:
    """The log of the mean e^score over mismatched test pairs, its standard error, and the effective number of samples.

    The last is (sum w)^2 / sum w^2 of the samples' mean weights w, the least of the directions.
    """
    unbiased = evaluation.find("mean", "lower")
    if unbiased is None:  # log-densities have no such mean
        return 0.0, 0.0, float(evaluation.n)
    means, effective = [], []
    for _, log_means in unbiased.directions:
        log_weights = log_means.double()
        means.append(float(logmeanexp(log_weights)))
        weights = torch.softmax(log_weights, 0)
        effective.append(1 / float(weights.square().sum()))
    least = min(effective)
    return fmean(means), math.sqrt(max(1 / least - 1 / evaluation.n, 0.0)), least


def late_fall(steps: Sequence[int], loss: Sequence[float]) -> float:
    """By how much the last loss is below the lowest of the first half of the steps; in nats.

    The learning rate falls to zero, so the last steps change little, converged or not: the second half makes less than
    a quarter of the way of a loss that falls all the time, and converged fits fall by a tenth of their score at most.
    """
    return min(value for step, value in zip(steps, loss, strict=True) if 2 * step <= steps[-1]) - loss[-1]


def lag_one(side: Tensor) -> float:
    """The largest rank correlation of a column (N, D) with itself one row further; 0 if none is positive."""
    largest = 0.0
    for column in side.unbind(1):
        ranks = _ranks(column)
        ranks -= ranks.mean()
        if float(ranks.square().mean()) > 0:
            largest = max(largest, float((ranks[1:] * ranks[:-1]).mean() / ranks.square().mean()))
    return largest


def serial_dependence(side: Tensor) -> float:
    """The largest rank correlation of a column (N, D) with itself one row further that a trend does not explain.

    In a table that was sorted by another column, a column is noise around a slow trend: its differences then correlate
    by -1/2 with the next ones, those of an autoregression with coefficient c by -(1 - c)/2.
    """
    largest = 0.0
    for column in side.unbind(1):
        correlation = lag_one(column[:, None])
        if correlation > largest and len(column) > 3:
            change = _ranks(column).diff()
            change = change - change.mean()
            spread = float(change.square().mean())
            around_trend = 1 + 2 * float((change[1:] * change[:-1]).mean()) / spread if spread > 0 else 0.0
            largest = max(largest, min(correlation, around_trend))
    return largest


def _ranks(column: Tensor) -> Tensor:
    """Mid-ranks (N,): tied values share theirs, or their order would matter."""
    return twice_mid_ranks(column[:, None])[0].double() / 2


def kurtosis(side: Tensor) -> float:
    """The largest kurtosis of the columns (N, D)."""
    largest = 0.0
    for column in side.unbind(1):
        wide = column.double()
        squares = (wide - wide.mean()).square()
        largest = max(largest, float((squares.square().mean() / squares.mean().square()).nan_to_num(0.0)))
    return largest


def _determined(e: Evidence) -> bool:
    """Is the value so close to the entropy of the label that nothing can be missing?"""
    return e.entropy is not None and e.value > _ALL_OF_IT * e.entropy


def _least_effective(e: Evidence) -> float:
    return min(_EFFECTIVE_ROWS, _EFFECTIVE_SHARE * e.n)
