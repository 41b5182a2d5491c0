r"""The policy: which estimate is reported, what bounds the information from below, and how far the interval reaches.

One rule, fixed beforehand; of bounds the largest is never picked. Bounds take their roles by their attributes:

* The *primary* estimate is the lower bound with a contrastive normalizer (InfoNCE).
* Where the plug-in (no normalizer) comes within 3.5 nats of the primary's ceiling ln(K+1), or into the upper half of a
  low ceiling, the plug-in is reported and marked as extrapolated.
* Of few columns, or of the few that matter among many, nearest neighbors are reported where they exceed the critics'
  estimate: there they are the more accurate, and in many columns they are too low. What doubling the samples gained
  beyond one and a half errors is added. So is the Gaussian copula of all samples reported.
* Of a label, the critics are evaluated as classifiers: entropy less held-out cross-entropy.
* Critics whose estimate is below zero describe the test samples worse than independence does: 0 is reported.
* The *certifying* estimate is the lower bound that is unbiased for a fixed critic (mean of e^f: NWJ); where a few pairs
  dominate that mean, the primary takes its place, and of a label the classifier.
* The interval reaches up to the highest of several alternative estimates, and never above the upper confidence limit of
  the entropy of a label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mibounds._version import versions
from mibounds.data import Sample
from mibounds.inference import BoundEvaluation, nwj_stderr
from mibounds.results import Result
from mibounds.training.evaluation import CLASSIFIER, Evaluation
from mibounds.training.fitted_folds import FittedFolds
from mibounds.training.recipe import Recipe
from mibounds.warnings import MIWarning

__all__ = ["Choice", "CrossCheck", "choose", "make_result"]

# InfoNCE is a few per cent low from about this far below its ceiling on (I=4, n=500: 3.7; I=4, n=2,000: 3.9).
_MARGIN = 3.5
# Times the gain of doubling the training samples: the shortfall if it falls as N to the power -0.5.
_RISE = 2.4
# Standard errors of the floor: what learned estimates lacked, beyond all signs of it, on relations that nothing had
# been tuned on (benchmarks/unseen: 88.6 % of 123 intervals held without this, 96 % with it).
_UNSEEN = 1.5
_GAP_BESIDE_LOCAL = 0.5
_PAIR = 2  # columns: one a side
_NOTICEABLE = 2.5  # standard errors
_ROUNDING = 1e-6  # nats
_DOMINATED = 3.0  # times the standard error of the primary estimate


@dataclass(frozen=True)
class CrossCheck:
    """A classical estimate of the same samples, in nats.

    Attributes:
        name: of the method.
        value: in nats.
        stderr: of its own, which lets the interval reach that much further; 0 where none is known.
        is_lower_bound: it was evaluated on held-out samples, and is too low rather than too high.
        low_from: columns of x and y together from where the method is too low.
        unbiased: it is nearly unbiased, or too low: where it exceeds the critics' estimate, and zero by more than 2.5
            errors, it is reported.
        columns: names of the columns that it rests on; all of them where none are named.
        learning_gain: by how many nats it is higher with all samples than with half of them, 0 where that was not
            measured.
        rise: by how many nats it is raised if it is reported, the gain of doubling the samples beyond chance.
        learned: it rests on columns or predictions that were learned, which may lack something.
    """

    name: str
    value: float
    stderr: float = 0.0
    is_lower_bound: bool = False
    low_from: float = math.inf
    unbiased: bool = False
    columns: tuple[str, ...] = ()
    learning_gain: float = 0.0
    rise: float = 0.0
    learned: bool = False

    @property
    def reported(self) -> float:
        """The value that is reported of it, in nats."""
        return self.value + self.rise


@dataclass(frozen=True)
class Choice:
    """The estimate that is reported: its `method`, by name, whether it is `extrapolated`, the `entropy_limit` in
    nats that the information cannot exceed, and the `local` estimate that is reported in place of that of the
    critics."""

    method: str
    extrapolated: bool = False
    entropy_limit: float | None = None
    local: CrossCheck | None = None

    def limited(self, value: float) -> float:
        """The value, or the entropy limit where that is smaller."""
        return value if self.entropy_limit is None else min(value, self.entropy_limit)


def choose(
    evaluation: Evaluation,
    entropy_limit: float | None = None,
    cross_checks: Sequence[CrossCheck] = (),
    columns: int = 0,
) -> Choice:
    """What is reported of an evaluation.

    Arguments:
        evaluation: of the critics.
        entropy_limit: the upper confidence limit of the entropy of a label, whose evaluation as a classifier is
            reported.
        cross_checks: classical estimates of the same samples.
        columns: of x and y together.
    """
    choice = _choose_bound(evaluation, entropy_limit)
    basis = evaluation.by_bound[choice.method]
    if choice.extrapolated and columns <= _PAIR:  # nearest neighbors need no critic to be smooth
        basis = evaluation.required("contrastive", "lower")
    # Chance alone makes errors of independent columns.
    noticeable = [check for check in cross_checks if check.unbiased and check.value > _NOTICEABLE * check.stderr]
    local = max(noticeable, key=lambda check: check.reported, default=None)
    if local is not None and local.reported > basis.value():
        return Choice(_name(evaluation, basis), entropy_limit=entropy_limit, local=local)
    return choice


def _choose_bound(evaluation: Evaluation, entropy_limit: float | None) -> Choice:
    if entropy_limit is not None:
        return Choice(CLASSIFIER, entropy_limit=entropy_limit)
    primary, plug_in = evaluation.required("contrastive", "lower"), evaluation.required("none", "neither")
    if plug_in.value() > max(primary.ceiling - _MARGIN, primary.ceiling / 2):
        return Choice(_name(evaluation, plug_in), extrapolated=True)
    return Choice(_name(evaluation, primary))


def make_result(
    evaluation: Evaluation,
    choice: Choice,
    sample: Sample,
    recipe: Recipe,
    *,
    cross_checks: Sequence[CrossCheck] = (),
    detection_limit: float = 0.0,
    warnings: Sequence[MIWarning] = (),
) -> Result:
    """The result that reports a choice.

    Arguments:
        evaluation: of the test samples.
        choice: what is reported.
        sample: what was measured.
        recipe: how.
        cross_checks: classical estimates of the same samples.
        detection_limit: nats below which a dependence could not have been noticed; the interval reaches at least so far
            up.
        warnings: what is to be known beside those of the training.
    """
    chosen = evaluation.by_bound[choice.method]
    stderr = chosen.stderr()
    if recipe.bootstrap:
        stderr = chosen.bootstrap(recipe.bootstrap, torch.Generator().manual_seed(0))
    # Below 0, independence describes the test samples better than the critics do.
    value = choice.limited(max(_without_rounding(chosen.value()), 0.0))
    estimates = {name: one.value() for name, one in evaluation.by_bound.items()}
    certified, certified_stderr = _lower_bound_estimate(evaluation, choice)
    if choice.local is not None:
        value = choice.limited(choice.local.reported)
        estimates = {**estimates, choice.local.name: choice.local.reported}
    return Result(
        value=value,
        stderr=stderr,
        estimates=estimates,
        method=choice.method if choice.local is None else choice.local.name,
        n=evaluation.n,
        extrapolated=choice.extrapolated,
        cross_checks={check.name: check.value for check in cross_checks if check is not choice.local},
        lower_bound_estimate=(_without_rounding(certified), certified_stderr),
        entropy_limit=choice.entropy_limit,
        interval_bias=_interval_bias(evaluation, choice, value, stderr, cross_checks, detection_limit),
        fold_values=chosen.fold_values(),
        curves=tuple(fitted.curve for fitted in evaluation.fitted),
        warnings=(*evaluation.warnings, *warnings),
        columns=(sample.x.columns, sample.y.columns),
        kinds=(sample.x.kinds, sample.y.kinds),
        seed=recipe.seed,
        versions=versions(),
        pointwise=evaluation.pointwise(sample.given, sample.kept),
        fitted=FittedFolds(evaluation.fitted, (sample.x.schema, sample.y.schema)),
    )


def _without_rounding(value: float) -> float:
    """The value, or 0 where it is not more than the rounding of sums of scores, as of critics that are constant: their
    standard error is about 0, too, so it would pass for a dependence."""
    return value if abs(value) > _ROUNDING else 0.0


def _interval_bias(
    evaluation: Evaluation,
    choice: Choice,
    value: float,
    stderr: float,
    cross_checks: Sequence[CrossCheck],
    detection_limit: float,
) -> tuple[float, float]:
    """How far the interval reaches below and above the value, in nats, before sampling error: a critic can fall short
    in ways that its test samples do not show, and an extrapolated value can be too high."""
    critics = evaluation.by_bound[choice.method].value()
    # Beyond ln N no gap is evidence; an extrapolated value is beyond it already.
    known = evaluation.train_n and not choice.extrapolated
    most = math.log(evaluation.train_n) if known else math.inf
    # What the critics overfit says less about an estimate that is not theirs.
    gap = evaluation.train_test_gap * (1 if choice.local is None else _GAP_BESIDE_LOCAL)
    higher = [value, value + detection_limit, min(critics + gap, most)]
    higher.append(critics + _RISE * max(evaluation.learning_gain, 0.0))
    higher += [_reach(check, value, stderr) for check in cross_checks]
    if choice.local is not None:
        higher.append(choice.local.value + _RISE * max(choice.local.learning_gain, 0.0))
    plug_in = evaluation.find("none", "neither")
    if plug_in is not None:
        higher.append(plug_in.value())
    if choice.extrapolated:
        higher += [one.value() for one in [evaluation.find("log-mean", "lower")] if one is not None]
    highest = max(higher)
    if choice.local is None or choice.local.learned:  # the deviation of a log-ratio is about 1, of weak dependence 2 I
        highest += _UNSEEN * math.sqrt(min(2 * max(value, 0.0), 1.0) / evaluation.n)
    highest = choice.limited(highest)
    primary = evaluation.find("contrastive", "lower")
    certain = critics if choice.entropy_limit is not None or primary is None else primary.value()
    below = value - certain
    if choice.local is not None:  # it is reported where it is high, which chance can make of so large an error
        below = min(below, choice.local.rise + choice.local.stderr)
    return max(below, 0.0), max(highest - value, 0.0)


def _reach(check: CrossCheck, value: float, stderr: float) -> float:
    """How far a cross-check lets the interval reach, before the standard error of the value comes: where it is above
    the value by more than its own error, the interval allows for that error in place of the value's."""
    if check.stderr and check.value - value > check.stderr:
        return check.value + 2 * max(check.stderr - stderr, 0.0)
    return check.value


def _lower_bound_estimate(evaluation: Evaluation, choice: Choice) -> tuple[float, float]:
    """The estimate that bounds the information from below for fixed critics, and its standard error, in nats.

    Of a label the classifier's, whose terms are bounded below. Elsewhere the unbiased one, unless a few pairs dominate
    its mean of e^f: then its error is larger than that of the primary estimate, which takes its place.
    """
    if choice.entropy_limit is not None:
        classifier = evaluation.by_bound[choice.method]
        return classifier.value(), classifier.stderr()
    primary = evaluation.required("contrastive", "lower")
    low_variance = primary.value(), primary.stderr()
    unbiased = evaluation.find("mean", "lower")
    if unbiased is None or choice.extrapolated:
        return low_variance
    value, stderr = unbiased.value(), nwj_stderr(unbiased.directions, unbiased.cluster)
    return (value, stderr) if stderr < _DOMINATED * low_variance[1] else low_variance


def _name(evaluation: Evaluation, wanted: BoundEvaluation) -> str:
    return next(name for name, one in evaluation.by_bound.items() if one is wanted)
