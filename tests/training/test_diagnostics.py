"""Every condition of a fit: evidence that fires it, and evidence that does not."""

import math
import re
from dataclasses import replace

import pytest
import torch

from mibounds import MIEstimator, Trainer
from mibounds.bounds import NWJ, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.critics import FunctionCritic, SeparableCritic
from mibounds.results.result import Curve
from mibounds.tasks import CorrelatedGaussian, Student
from mibounds.training import diagnostics
from mibounds.training.diagnostics import FIT_CHECKS, Evidence, doubts
from mibounds.training.evaluation import Readings, read_fold
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.warnings import HeavyTailsWarning

NO_FOLD = Fold(*[torch.empty(0, dtype=torch.long)] * 3)

TASK = CorrelatedGaussian(1, 0.8)  # .51 nats
BOUNDS = {type(bound).__name__: bound for bound in (InfoNCE(), DonskerVaradhan(), NWJ(), PlugIn())}
CONVERGED = Curve((0, 50, 100), (0.0, -0.5, -0.501), 100, "exact")


def fold(function=TASK.log_ratio, n=300, seed=0, task=TASK):
    x, y = task.sample(n, torch.Generator().manual_seed(seed))
    return read_fold(FunctionCritic(function), x, y, [*BOUNDS.values()], both=True, negatives="all", seed=0)


def evidence(folds=None, curve=CONVERGED, shortfall=0.0, reading="InfoNCE", **options):
    folds = folds or [fold(seed=0), fold(seed=2)]
    fitted = [Fitted(FunctionCritic(TASK.log_ratio), NO_FOLD, curve) for _ in folds]
    return Evidence(Readings(BOUNDS, folds, fitted, shortfall=shortfall), reading, **options)


def columns(n=600, seed=0):
    return dict(zip("xy", TASK.sample(n, torch.Generator().manual_seed(seed)), strict=True))


def series(share, n=600):
    x = torch.randn(n, 1, generator=torch.Generator().manual_seed(3))
    for i in range(1, n):
        x[i] = share * x[i - 1] + math.sqrt(1 - share**2) * x[i]
    return x


def scaled(factor, shift=0.0):
    return lambda x, y: factor * TASK.log_ratio(x, y) + shift


def outlier(x, y):
    """The exact critic, but for one x that it holds to match everything."""
    return TASK.log_ratio(x, y) + 12.0 * (x[..., 0] > 2.9)


ALIKE = {"x": series(0.9), "y": series(0.9)}
HIGH = CorrelatedGaussian.with_information(5, 8.0)
FIRES = {
    "small-sample": (lambda: evidence([fold(n=90), fold(n=90)], **columns(180)), "180 rows of 2 columns are few"),
    "serial-correlation": (lambda: evidence(**ALIKE), "is 0.8[0-9] in x and 0.8[0-9] in y.*split=\"blocked\""),
    "heavy-tails": (
        lambda: evidence(x=columns()["x"].pow(9), y=columns()["y"], plain=True),
        "A column of x has far outliers",
    ),
    "beyond-log-n": (lambda: evidence([fold(HIGH.log_ratio, 300, 0, HIGH)], reading="PlugIn"), "above ln N = 5.7 nats"),
    "ceiling": (lambda: evidence([fold(HIGH.log_ratio, 300, 0, HIGH)]), "InfoNCE reads .* can read 5.7 at most"),
    "overfit": (lambda: evidence(shortfall=0.3), "the critics read 0.3 nats more than on unseen rows"),
    "bounds-disagree": (lambda: evidence([fold(scaled(3))], reading="PlugIn"), "PlugIn reads 1.1.* critic is none"),
    "not-normalized": (lambda: evidence([fold(scaled(1, 0.4))]), r"is e\^0.[34].*, and is e\^0 for"),
    "low-effective-sample": (lambda: evidence([fold(outlier)], reading="NWJ"), "of 300 test rows carry"),
    "not-converged": (
        lambda: evidence(curve=Curve((0, 20, 40), (0.0, -0.2, -0.3), 40, "young")),
        "In 2 of 2 folds the validation score still fell, by 0.1 nats at the last look, when the 40 steps",
    ),
    "fold-spread": (lambda: evidence([fold(), fold(scaled(-0.5), seed=1)]), "times as wide as the sampling"),
}  # fmt: skip


def fired(found):
    return {warning.code: str(warning) for warning in doubts(found, FIT_CHECKS)}


@pytest.mark.parametrize("code", FIRES)
def test_it_fires_with_its_evidence(code):
    make, sentence = FIRES[code]
    with_it = fired(make())
    assert code in with_it
    assert re.search(sentence, with_it[code]), with_it[code]


def test_every_check_of_a_fit_is_made_to_fire_here():
    assert len(FIRES) == len(FIT_CHECKS)
    assert {name.replace("_", "-") for name in (check.__name__ for check in FIT_CHECKS)} == set(FIRES)


def test_nothing_fires_on_the_exact_critic():
    assert not doubts(evidence(**columns(), plain=True), FIT_CHECKS)
    assert not doubts(evidence(), FIT_CHECKS)  # where the critic encodes something else than columns


def test_where_the_folds_are_blocks_neighbors_may_resemble_each_other():
    assert "serial-correlation" not in fired(evidence(**ALIKE, blocked=True))


def test_one_side_of_independent_rows_is_enough():
    assert "serial-correlation" not in fired(evidence(x=ALIKE["x"], y=columns()["y"]))


def test_tied_values_do_not_resemble_their_neighbors_by_their_order():
    label = torch.randint(0, 2, (600, 1), generator=torch.Generator().manual_seed(0))
    assert diagnostics.lag_one(label) < 0.1
    assert diagnostics.lag_one(label.sort(0).values) > 0.99
    assert diagnostics.lag_one(torch.ones(600, 1)) == 0


def test_heavy_tails_do_not_matter_to_ranks():
    assert "heavy-tails" not in fired(evidence(x=columns()["x"].pow(9), y=columns()["y"], plain=False))


def test_the_kurtosis_of_a_coin_is_one():
    assert diagnostics.kurtosis(torch.tensor([[0.0], [1.0], [0.0], [1.0]])) == pytest.approx(1)
    assert diagnostics.kurtosis(torch.ones(4, 1)) == 0


def test_where_the_value_is_extrapolated_the_bounds_may_differ():
    found = evidence([fold(HIGH.log_ratio, 300, 0, HIGH)], reading="PlugIn", extrapolated=True)
    assert set(fired(found)) == {"beyond-log-n"}


def test_what_calibration_gained_is_no_sign_of_memory():
    folds = [fold()]
    fitted = [Fitted(FunctionCritic(TASK.log_ratio), NO_FOLD, CONVERGED, gain=0.3)]
    assert diagnostics.overfit_gap(Readings(BOUNDS, folds, fitted, shortfall=0.35)) == pytest.approx(0.05)


def test_training_that_stopped_early_has_converged():
    assert diagnostics.last_fall((0, 50, 100), (0.0, -0.5, -0.4)) < 0
    assert "not-converged" not in fired(evidence(curve=Curve((0, 50, 100), (0.0, -0.5, -0.4), 50, "done")))


def test_what_reads_without_a_partition_does_not_mind_outliers():
    assert not {"low-effective-sample", "not-normalized", "bounds-disagree"} & set(fired(evidence([fold(outlier)])))


def test_the_effective_rows_of_equal_weights_are_all_rows():
    product = torch.zeros(100, 99)
    rows = [tuple(tuple(bound.reduce(torch.zeros(100), product)) for _ in range(2)) for bound in BOUNDS.values()]
    template = fold()
    readings = Readings(BOUNDS, [replace(template, by_bound=rows)], evidence().readings.fitted[:1])
    mean, error, effective = diagnostics.partition(readings)
    assert (mean, error) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert effective == pytest.approx(100)


def test_a_composed_estimator_is_asked_too():
    x, y = Student.identity(1, 1).sample(300, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    estimator = MIEstimator(SeparableCritic(1, 1, hidden=(8,)), InfoNCE())
    with pytest.warns(HeavyTailsWarning, match="RankGaussianize"):
        result = Trainer(steps=20, folds=2).fit(estimator, x, y)
    assert "heavy-tails" in [warning.code for warning in result.warnings]
