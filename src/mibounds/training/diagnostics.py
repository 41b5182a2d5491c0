"""Reasons to doubt what a fit reads: one small function a condition, each a warning with a stable code, or nothing.

A check takes an `Evidence` and says what it found, by how much, and what to do. To add one is to write a function and
put it into `FIT_CHECKS`. The thresholds are such that of healthy fits at most one in twenty is warned of anything, see
benchmarks/diagnostics in the repository.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean

import torch
from torch import Tensor

from mibounds._math import logmeanexp
from mibounds.inference import Reading
from mibounds.training.evaluation import CLASSIFIER, Readings
from mibounds.warnings import (
    BeyondLogNWarning,
    BoundsDisagreeWarning,
    CeilingWarning,
    FoldSpreadWarning,
    HeavyTailsWarning,
    LowEffectiveSampleWarning,
    MIWarning,
    NotConvergedWarning,
    NotNormalizedWarning,
    OverfitWarning,
    SerialCorrelationWarning,
    SmallSampleWarning,
)

__all__ = ["FIT_CHECKS", "Check", "Evidence", "doubts"]


@dataclass(frozen=True)
class Evidence:
    """What a diagnostic may look at.

    Attributes:
        readings: what all bounds read, and what the folds learnt.
        reading: the name of the bound that is reported.
        x: (N, D_x) columns, or None where the critic encodes something else.
        y: (N, D_y), likewise.
        cross_checks: classical estimates in nats, by name.
        extrapolated: the value rests on the critic's smoothness.
        blocked: the folds are blocks of rows in their order.
        plain: the columns reach the critic as they are, or merely standardized.
    """

    readings: Readings
    reading: str
    x: Tensor | None = None
    y: Tensor | None = None
    cross_checks: dict[str, float] = field(default_factory=dict)
    extrapolated: bool = False
    blocked: bool = False
    plain: bool = False

    @property
    def chosen(self) -> Reading:
        """The reading that is reported."""
        return self.readings.by_name[self.reading]

    @cached_property
    def value(self) -> float:
        """The value that is reported, in nats."""
        return self.chosen.value()

    @cached_property
    def stderr(self) -> float:
        """Its standard error, in nats."""
        return self.chosen.stderr()

    def read(self, name: str) -> float:
        """What another bound reads, in nats."""
        return self.readings.by_name[name].value()


Check = Callable[[Evidence], MIWarning | None]


def doubts(evidence: Evidence, checks: Sequence[Check]) -> list[MIWarning]:
    """What the checks found, in their order."""
    found = (check(evidence) for check in checks)
    return [warning for warning in found if warning is not None]


# Each threshold lies well above what healthy fits like those of benchmarks/diagnostics show (60 when it was chosen).
_CEILING = 2.5  # nats below the ceiling, from where InfoNCE reads low by .1 to .3
_ROWS, _ROWS_PER_COLUMN = 200, 10  # 15 % of nine tenths of 200 rows are 27, which stop, weight and calibrate
_MEMORIZED, _MEMORIZED_SHARE = 0.15, 0.3  # nats, and of the value; healthy fits: up to .05
_DISAGREE, _DISAGREE_SHARE = 0.1, 0.15  # nats, and of the value; healthy: up to .02
_LOG_MEAN = 0.2  # nats; healthy: up to .04, and to .16 for small critics of 800 rows that nothing calibrates
_EFFECTIVE_ROWS, _EFFECTIVE_SHARE = 50, 0.1  # rows, and of the rows; healthy: from .85 of the rows
_WITHOUT_PARTITION = ("InfoNCE", "PlugIn", CLASSIFIER)
_FALLING, _FALLING_SHARE = 0.02, 0.05  # nats, and of the score; healthy: up to .01
_SPREAD, _SPREAD_FLOOR = 3.0, 0.02  # times what sampling explains, and nats; healthy: up to 2.2 times
_KURTOSIS = 20.0  # x|x|^.5 of a Gaussian has 5.9, its cube 46
_SERIAL = 0.3  # rank correlation; 2,000 independent rows: up to .06


def small_sample(e: Evidence) -> MIWarning | None:
    """Fewer than 200 rows, or than 10 a column."""
    rows, columns = e.readings.rows, _columns(e)
    if rows >= max(_ROWS, _ROWS_PER_COLUMN * columns):
        return None
    of = f"{rows:,} rows of {columns} columns" if columns else f"{rows:,} rows"
    return SmallSampleWarning(
        f"{of} are few: at least {max(_ROWS, _ROWS_PER_COLUMN * columns):,} are wanted. A weak dependence goes "
        "unnoticed, and the value tends to be low. Measure more rows, or fewer columns."
    )


def serial_correlation(e: Evidence) -> MIWarning | None:
    """A column of x and one of y correlate with their own next row by more than .3, and the folds are random."""
    if e.x is None or e.y is None or e.blocked:
        return None
    x, y = (lag_one(side) for side in (e.x, e.y))
    if min(x, y) <= max(_SERIAL, 4 / math.sqrt(len(e.x))):
        return None
    return SerialCorrelationWarning(
        f"Neighboring rows resemble each other: the rank correlation of a row with the next is {x:.2g} in x "
        f'and {y:.2g} in y. Random folds then leak and the value is too high: pass split="blocked". '
        "If the table was merely sorted, shuffle it."
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
        f"A column of {worst} has far outliers (kurtosis {sides[worst]:.3g}, a Gaussian's is 3): they rule the "
        "critic's training. Pass preprocessing=mi.RankGaussianize(), which keeps the information and tames them."
    )


def beyond_log_n(e: Evidence) -> MIWarning | None:
    """The value is above ln N."""
    limit = math.log(e.readings.rows)
    if e.value <= limit:
        return None
    return BeyondLogNWarning(
        f"The value is above ln N = {limit:.3g} nats: no sample of {e.readings.rows:,} rows can certify so much. "
        "It is the best extrapolation of the critic; mi.Telescope extrapolates in smaller steps."
    )


def ceiling(e: Evidence) -> MIWarning | None:
    """The value is within 2.5 nats of the reading's ceiling, or in the upper half below a low one."""
    top = e.chosen.ceiling
    if e.value <= max(top - _CEILING, top / 2):
        return None
    return CeilingWarning(
        f"{e.reading} reads {e.value:.3g} nats, and can read {top:.3g} at most from these blocks of test rows: the "
        "information may be higher. Look at PlugIn and DonskerVaradhan in bounds, or give more rows."
    )


def overfit(e: Evidence) -> MIWarning | None:
    """The critics score the rows that trained them better than unseen ones, by more than .15 nats and 30 %."""
    gap = overfit_gap(e.readings)
    if gap <= max(_MEMORIZED, _MEMORIZED_SHARE * e.value):
        return None
    return OverfitWarning(
        f"On rows that trained them the critics read {gap:.2g} nats more than on unseen rows. The value, read on "
        "unseen rows, is not inflated by this, but probably low. Give more rows or fewer columns, a "
        "smaller critic (hidden=), or more weight_decay."
    )


def readings_disagree(e: Evidence) -> MIWarning | None:
    """The value is off the larger of InfoNCE and Donsker–Varadhan by more than .1 nats, 15 % and three errors."""
    if e.extrapolated:
        return None  # InfoNCE is at its ceiling there, and the interval spans both
    infonce, other = e.read("InfoNCE"), e.read("DonskerVaradhan")
    best = max(infonce, other)
    if abs(e.value - best) <= max(_DISAGREE, _DISAGREE_SHARE * best) + 3 * e.readings.by_name["InfoNCE"].stderr():
        return None
    return BoundsDisagreeWarning(
        f"{e.reading} reads {e.value:.3g} nats, InfoNCE {infonce:.3g} and DonskerVaradhan {other:.3g} from the same "
        "scores, and all read the information from a log-ratio: the critic is none. InfoNCE and DonskerVaradhan are "
        "lower bounds, so the larger of them may be believed as one. More rows, tamer outliers "
        "(mi.RankGaussianize()) or a lower lr bring them together."
    )


def not_normalized(e: Evidence) -> MIWarning | None:
    """The log of the mean e^score over mismatched test pairs is off zero by more than .2 nats and three errors."""
    mean, error, effective = partition(e.readings)
    few = effective < _least_effective(e)
    if e.extrapolated or few or abs(mean) <= _LOG_MEAN + 3 * error:
        return None
    return NotNormalizedWarning(
        f"The mean of e^score over mismatched test pairs is e^{mean:.3g}, and is e^0 for a log-ratio: PlugIn and NWJ "
        f"are off by some {abs(mean):.2g} nats, and so may be the interval. InfoNCE and DonskerVaradhan do not mind. "
        "More rows help; where folds are blocks, the rows change over the table."
    )


def low_effective_sample(e: Evidence) -> MIWarning | None:
    """A bound with a partition term is reported, and its weights e^score rest on fewer than 50 rows and a tenth."""
    effective = partition(e.readings)[2]
    if e.reading in _WITHOUT_PARTITION or effective >= _least_effective(e):
        return None
    return LowEffectiveSampleWarning(
        f"{effective:.3g} of {e.readings.rows:,} test rows carry the mean of e^score over mismatched pairs, on which "
        f"{e.reading} hangs: its value may be far off, and its standard error is too small. Read by InfoNCE, look at "
        "those rows for outliers, or give more rows."
    )


def not_converged(e: Evidence) -> MIWarning | None:
    """In most folds the last look at the validation rows was the best, by more than .02 nats and 5 %."""
    falls = [last_fall(fitted.curve.steps, fitted.curve.score) for fitted in e.readings.fitted]
    least = [max(_FALLING, _FALLING_SHARE * abs(fitted.curve.score[-1])) for fitted in e.readings.fitted]
    falling = sum(fall > bar for fall, bar in zip(falls, least, strict=True))
    if 2 * falling <= len(falls):
        return None
    steps = max(fitted.curve.steps[-1] for fitted in e.readings.fitted)
    return NotConvergedWarning(
        f"In {falling} of {len(falls)} folds the validation score still fell, by {fmean(falls):.2g} nats at the last "
        f"look, when the {steps:,} steps were over: the value is probably low. Give more steps, or a larger lr."
    )


def fold_spread(e: Evidence) -> MIWarning | None:
    """The folds' values spread three times as wide as sampling explains."""
    values = torch.tensor(e.chosen.fold_values(), dtype=torch.float64)
    if len(values) < 2 or e.extrapolated:
        return None
    expected = e.chosen.sampling_error() * math.sqrt(len(values))
    if float(values.std()) <= max(_SPREAD * expected, _SPREAD_FLOOR):
        return None
    return FoldSpreadWarning(
        f"The folds read from {float(values.min()):.3g} to {float(values.max()):.3g} nats, "
        f"{float(values.std()) / max(expected, 1e-9):.2g} times as wide as the sampling of rows explains: "
        "training is unstable (lower lr, another seed), or, where folds are blocks, the rows change over the table: "
        "then there is no one value, and parts of the table should be measured alone."
    )


FIT_CHECKS: tuple[Check, ...] = (
    small_sample,
    serial_correlation,
    heavy_tails,
    beyond_log_n,
    ceiling,
    overfit,
    readings_disagree,
    not_normalized,
    low_effective_sample,
    not_converged,
    fold_spread,
)
"""What any fit is asked, in the order in which its warnings come."""


def overfit_gap(readings: Readings) -> float:
    """By how many nats the critics score the rows that trained them better than unseen ones, mean over folds."""
    return readings.shortfall - fmean(fitted.gain for fitted in readings.fitted)


def partition(readings: Readings) -> tuple[float, float, float]:
    """The log of the mean e^score over mismatched test pairs, its standard error, and the effective number of rows.

    The last is (sum w)^2 / sum w^2 of the rows' mean weights w, the least of the directions.
    """
    if "NWJ" not in readings.by_name:  # log-densities have no such mean
        return 0.0, 0.0, float(readings.rows)
    means, effective = [], []
    for _, row_means in readings.by_name["NWJ"].directions:
        log_weights = row_means.double()
        means.append(float(logmeanexp(log_weights)))
        weights = torch.softmax(log_weights, 0)
        effective.append(1 / float(weights.square().sum()))
    least = min(effective)
    return fmean(means), math.sqrt(max(1 / least - 1 / readings.rows, 0.0)), least


def last_fall(steps: Sequence[int], score: Sequence[float]) -> float:
    """By how much the last score is below the best before it, if that step was the last; in nats."""
    return min(score[:-1]) - score[-1] if len(score) > 1 else 0.0


def lag_one(side: Tensor) -> float:
    """The largest rank correlation of a column (N, D) with itself one row further; 0 if none is positive."""
    largest = 0.0
    for column in side.unbind(1):
        _, place, counts = torch.unique(column, return_inverse=True, return_counts=True)
        ranks = (counts.cumsum(0) - counts / 2)[place].double()  # tied values share their rank, or their order tells
        ranks -= ranks.mean()
        if float(ranks.square().mean()) > 0:
            largest = max(largest, float((ranks[1:] * ranks[:-1]).mean() / ranks.square().mean()))
    return largest


def kurtosis(side: Tensor) -> float:
    """The largest kurtosis of the columns (N, D)."""
    largest = 0.0
    for column in side.unbind(1):
        wide = column.double()
        squares = (wide - wide.mean()).square()
        largest = max(largest, float((squares.square().mean() / squares.mean().square()).nan_to_num(0.0)))
    return largest


def _least_effective(e: Evidence) -> float:
    return min(_EFFECTIVE_ROWS, _EFFECTIVE_SHARE * e.readings.rows)


def _columns(e: Evidence) -> int:
    return 0 if e.x is None or e.y is None else e.x.shape[1] + e.y.shape[1]
