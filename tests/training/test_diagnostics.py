"""Every condition of a fit: evidence that fires it, and evidence that does not."""

import math
import re
from dataclasses import replace

import pytest
import torch

from mibounds import MIEstimator, Trainer
from mibounds.bounds import NWJ, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.critics import FunctionCritic, SeparableCritic
from mibounds.inference import BoundEvaluation
from mibounds.results.result import Curve
from mibounds.tasks import CorrelatedGaussian, Student
from mibounds.training import diagnostics
from mibounds.training.diagnostics import FIT_CHECKS, Evidence, run_checks
from mibounds.training.evaluation import Evaluation, evaluate_fold
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.training.policy import CrossCheck
from mibounds.warnings import HeavyTailsWarning, NotConvergedWarning, by_code

NO_FOLD = Fold(*[torch.empty(0, dtype=torch.long)] * 3)

TASK = CorrelatedGaussian(1, 0.8)  # 0.51 nats
BOUNDS = {type(bound).__name__: bound for bound in (InfoNCE(), DonskerVaradhan(), NWJ(), PlugIn())}
CONVERGED = Curve((0, 50, 100), (0.0, -0.5, -0.501), 100, "exact")


def fold(function=TASK.log_ratio, n=300, seed=0, task=TASK):
    x, y = task.sample(n, torch.Generator().manual_seed(seed))
    return evaluate_fold(FunctionCritic(function), x, y, [*BOUNDS.values()], both=True, negatives="all", seed=0)


def pooled(folds, fitted, **options):
    """The evaluation of these folds, whose test samples are numbered one fold after the other."""
    starts = [sum(len(one.scores) for one in folds[:i]) for i in range(len(folds))]
    tests = [torch.arange(len(one.scores)) + start for one, start in zip(folds, starts, strict=True)]
    fitted = [replace(one, fold=replace(NO_FOLD, test=test)) for one, test in zip(fitted, tests, strict=True)]
    return Evaluation.pooled(BOUNDS, folds, fitted, **options)


def evidence(folds=None, curve=CONVERGED, gap=0.0, method="InfoNCE", skipped=0, **options):
    folds = folds or [fold(seed=0), fold(seed=2)]
    curves = curve if isinstance(curve, list) else [curve] * len(folds)
    critic = FunctionCritic(TASK.log_ratio)
    fitted = [Fitted(critic, NO_FOLD, one, skipped) for one in curves]
    return Evidence(pooled(folds, fitted, train_test_gap=gap), method, **options)


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
    "serial-correlation": (
        lambda: evidence(**ALIKE),
        'is 0.[78][0-9]* in x and 0.[78][0-9]* in y.*split="blocked"',
    ),
    "heavy-tails": (
        lambda: evidence(x=columns()["x"].pow(9), y=columns()["y"], plain=True),
        "A column of x has far outliers",
    ),
    "beyond-log-n": (lambda: evidence([fold(HIGH.log_ratio, 300, 0, HIGH)], method="PlugIn"), "above ln N = 5.7 nats"),
    "ceiling": (lambda: evidence([fold(HIGH.log_ratio, 300, 0, HIGH)]), "InfoNCE is .* cannot exceed 5.7 with"),
    "overfit": (lambda: evidence(gap=0.6), "the critics are 0.6 nats higher than on test samples"),
    "bounds-disagree": (
        lambda: evidence([fold(scaled(3))], method="PlugIn"),
        "PlugIn is 1.1.* InfoNCE .* is not a calibrated",
    ),
    "not-normalized": (lambda: evidence([fold(scaled(1, 0.4))]), r"is e\^0.[34].*, and is e\^0 for"),
    "low-effective-sample": (lambda: evidence([fold(outlier)], method="NWJ"), "of 300 test rows carry"),
    "not-converged": (
        lambda: evidence(curve=Curve((0, 20, 40), (0.0, -0.2, -0.3), 40, "young")),
        "In 2 of 2 folds the validation loss still fell in the second half of the 40 steps, by 0.1 nats: the value",
    ),
    "fold-spread": (lambda: evidence([fold(), fold(scaled(-0.5), seed=1)]), "times as wide as the sampling"),
    "non-finite-steps": (lambda: evidence(skipped=3), "^6 training steps had an infinite or undefined gradient"),
}


def fired(found):
    return {warning.code: str(warning) for warning in run_checks(found, FIT_CHECKS)}


@pytest.mark.parametrize("code", FIRES)
def test_it_fires_with_its_evidence(code):
    make, sentence = FIRES[code]
    with_it = {check.__name__.replace("_", "-"): check(make()) for check in FIT_CHECKS}
    assert with_it[code] is not None
    assert re.search(sentence, str(with_it[code])), str(with_it[code])
    assert by_code()[with_it[code].code] is type(with_it[code])


def test_every_check_of_a_fit_is_made_to_fire_here():
    assert len(FIRES) == len(FIT_CHECKS)
    assert {name.replace("_", "-") for name in (check.__name__ for check in FIT_CHECKS)} == set(FIRES)


def test_warnings_come_in_the_order_of_the_checks():
    found = evidence(gap=0.6, skipped=1, curve=Curve((0, 20, 40), (0.0, -0.2, -0.3), 40, "young"))
    assert list(fired(found)) == ["overfit", "not-converged", "non-finite-step"]


def test_nothing_fires_on_the_exact_critic():
    assert not run_checks(evidence(**columns(), plain=True), FIT_CHECKS)
    assert not run_checks(evidence(), FIT_CHECKS)  # where the critic encodes something else than columns


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
    found = evidence([fold(HIGH.log_ratio, 300, 0, HIGH)], method="PlugIn", extrapolated=True)
    assert set(fired(found)) == {"beyond-log-n"}


def test_what_calibration_gained_is_no_overfitting():
    critic = FunctionCritic(TASK.log_ratio)
    fitted = [Fitted(critic, NO_FOLD, CONVERGED, gain=gain) for gain in (0.2, 0.4)]
    evaluation = pooled([fold(), fold()], fitted, train_test_gap=0.35)
    assert diagnostics.overfit_gap(evaluation) == pytest.approx(0.05)
    assert diagnostics.overfit(Evidence(evaluation, "InfoNCE")) is None


def test_training_that_stopped_early_has_converged():
    assert diagnostics.late_fall((0, 50, 100), (0.0, -0.5, -0.4)) < 0
    assert "not-converged" not in fired(evidence(curve=Curve((0, 50, 100), (0.0, -0.5, -0.4), 50, "done")))


def test_bounds_without_a_partition_function_are_insensitive_to_outliers():
    assert not {"low-effective-sample", "not-normalized", "bounds-disagree"} & set(fired(evidence([fold(outlier)])))


def of_log_means(*directions, n=100):
    """An evaluation of NWJ alone, with these log-means of e^score in each direction."""
    statistics = tuple((torch.zeros(n), log_means) for log_means in directions)
    return Evaluation({"NWJ": BoundEvaluation(NWJ(), statistics, torch.zeros(n, dtype=torch.long), math.inf)},
                      (), torch.arange(n), torch.zeros(n))  # fmt: skip


def test_the_effective_sample_of_equal_weights_is_the_sample():
    mean, error, effective = diagnostics.partition(of_log_means(torch.zeros(100), torch.zeros(100)))
    assert (mean, error) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert effective == pytest.approx(100)


def test_the_effective_sample_is_that_of_the_worse_direction():
    """Of 100 weights 1 and one of 11 more, (sum w)^2 / sum w^2 = 111^2 / (99 + 12^2)."""
    uneven = torch.zeros(100)
    uneven[3] = math.log(12)
    mean, error, effective = diagnostics.partition(of_log_means(torch.zeros(100), uneven))
    least = 111**2 / (99 + 144)
    assert effective == pytest.approx(least)
    assert error == pytest.approx(math.sqrt(1 / least - 1 / 100))
    assert mean == pytest.approx(math.log(1.11) / 2, abs=1e-6)


def test_without_a_mean_of_exponentials_there_is_no_partition_function():
    evaluation = evidence().evaluation
    without = replace(evaluation, by_bound={"InfoNCE": evaluation.by_bound["InfoNCE"]})
    assert diagnostics.partition(without) == (0.0, 0.0, 600.0)


# Thresholds, each from both sides


def constant(value, kind=InfoNCE, n=400, spread=0.0, ceiling=math.inf):
    """A bound whose value is this."""
    noise = torch.randn(n, generator=torch.Generator().manual_seed(0))
    scores = value + spread * (noise - noise.mean()) / noise.std()
    statistics = (scores,) if kind in (InfoNCE, PlugIn) else (scores, torch.zeros(n))
    return BoundEvaluation(kind(), (statistics,), torch.arange(n) * 2 // n, ceiling)


def constants(infonce=1.0, donsker_varadhan=1.0, nwj=1.0, plug_in=1.0, n=400, spread=0.0, ceiling=math.inf, **options):
    values = {InfoNCE: infonce, DonskerVaradhan: donsker_varadhan, NWJ: nwj, PlugIn: plug_in}
    by_bound = {
        kind.__name__: constant(value, kind, n, spread, ceiling if kind is InfoNCE else math.inf)
        for kind, value in values.items()
    }
    fitted = tuple(Fitted(FunctionCritic(TASK.log_ratio), NO_FOLD, CONVERGED) for _ in range(2))
    return Evaluation(by_bound, fitted, torch.arange(n), torch.zeros(n), **options)


@pytest.mark.parametrize("n, columns, few", [(199, 2, True), (200, 2, False), (300, 31, True), (310, 31, False)])
def test_a_sample_of_200_and_of_ten_a_column_is_not_small(n, columns, few):
    evaluation = constants(n=n)
    x, y = torch.zeros(n, columns - 1), torch.zeros(n, 1)
    assert (diagnostics.small_sample(Evidence(evaluation, "InfoNCE", x, y)) is not None) is few


@pytest.mark.parametrize("value, warns", [(math.log(400) - 0.01, False), (math.log(400) + 0.01, True)])
def test_a_value_up_to_ln_n_is_not_beyond_it(value, warns):
    found = Evidence(constants(plug_in=value), "PlugIn")
    assert (diagnostics.beyond_log_n(found) is not None) is warns


@pytest.mark.parametrize(
    "value, top, warns", [(3.4, 6.0, False), (3.6, 6.0, True), (1.9, 4.0, False), (2.1, 4.0, True)]
)
def test_the_ceiling_is_near_from_two_and_a_half_nats_below_it_or_from_its_half(value, top, warns):
    found = Evidence(constants(infonce=value, ceiling=top), "InfoNCE")
    assert (diagnostics.ceiling(found) is not None) is warns


@pytest.mark.parametrize(
    "value, gap, warns", [(0.1, 0.14, False), (0.1, 0.16, True), (1.0, 0.29, False), (1.0, 0.31, True)]
)
def test_a_gap_up_to_the_larger_of_015_nats_and_30_per_cent_is_no_overfitting(value, gap, warns):
    found = Evidence(constants(infonce=value, train_test_gap=gap), "InfoNCE")
    assert (diagnostics.overfit(found) is not None) is warns


def test_the_mean_of_the_weights_is_off_by_more_than_three_of_its_errors():
    """0.25 nats are beyond 0.2 nats, but not beyond three errors of 0.07 more."""
    spread = 0.7 * torch.randn(100, generator=torch.Generator().manual_seed(0))
    even, uneven = torch.full((100,), 0.25), spread - spread.exp().mean().log() + 0.25
    mean, error, _ = diagnostics.partition(of_log_means(uneven))
    assert mean == pytest.approx(0.25, abs=1e-6)
    assert 0.05 < error < 0.1
    assert diagnostics.not_normalized(Evidence(of_log_means(uneven), "NWJ")) is None
    assert diagnostics.not_normalized(Evidence(of_log_means(even), "NWJ")) is not None


@pytest.mark.parametrize("value, warns", [(0.67, True), (0.69, False)])
def test_a_gap_is_no_overfitting_where_the_value_is_the_entropy_of_the_label(value, warns):
    found = Evidence(constants(infonce=value, train_test_gap=0.9), "InfoNCE", entropy=0.7)
    assert (diagnostics.overfit(found) is not None) is warns


def test_a_gap_may_be_three_standard_errors_larger_by_chance():
    stderr = constant(1.0, spread=2.0).stderr()
    assert stderr > 0.05
    for more, warns in ((2.9, False), (3.1, True)):
        found = Evidence(constants(infonce=1.0, spread=2.0, train_test_gap=0.3 + more * stderr), "InfoNCE")
        assert (diagnostics.overfit(found) is not None) is warns


@pytest.mark.parametrize(
    "method, values, warns",
    [
        ("PlugIn", {"plug_in": 1.14}, False),
        ("PlugIn", {"plug_in": 1.16}, True),
        ("PlugIn", {"plug_in": 0.84}, True),
        ("PlugIn", {"plug_in": 0.35, "infonce": 0.2, "donsker_varadhan": 0.24}, True),
        ("PlugIn", {"plug_in": 0.33, "infonce": 0.2, "donsker_varadhan": 0.24}, False),
        ("InfoNCE", {"donsker_varadhan": 1.3}, True),  # of the larger, 1.3: 0.195 nats
        ("InfoNCE", {"donsker_varadhan": 1.17}, False),
        ("InfoNCE", {"infonce": 1.3, "donsker_varadhan": 0.1}, False),
    ],
)
def test_bounds_agree_up_to_the_larger_of_01_nats_and_15_per_cent(method, values, warns):
    assert (diagnostics.bounds_disagree(Evidence(constants(**values), method)) is not None) is warns
    assert diagnostics.bounds_disagree(Evidence(constants(**values), method, extrapolated=True)) is None


def test_bounds_may_differ_by_three_more_standard_errors():
    stderr = constant(1.0, spread=2.0).stderr()
    for more, warns in ((2.9, False), (3.1, True)):
        found = Evidence(constants(plug_in=1.15 + more * stderr, spread=2.0), "PlugIn")
        assert (diagnostics.bounds_disagree(found) is not None) is warns


@pytest.mark.parametrize("mean, warns", [(0.19, False), (0.21, True), (-0.21, True), (-0.19, False)])
def test_a_partition_function_within_02_nats_of_one_is_normalized(mean, warns):
    evaluation = of_log_means(torch.full((100,), mean))
    assert (diagnostics.not_normalized(Evidence(evaluation, "NWJ")) is not None) is warns
    assert diagnostics.not_normalized(Evidence(evaluation, "NWJ", extrapolated=True)) is None


def test_few_validation_rows_normalize_less_precisely():
    evaluation = of_log_means(log_means(400, 1000) + 0.5, n=1000)
    mean, error, _ = diagnostics.partition(evaluation)
    assert 0.2 + 3 * error < abs(mean) < 0.2 + 3 * error * math.sqrt(1 + 1000 / 20)
    for rows, warns in ((20, False), (1_000_000, True)):
        fold_of = replace(NO_FOLD, valid=torch.arange(rows))
        fitted = (Fitted(FunctionCritic(TASK.log_ratio), fold_of, CONVERGED),)
        found = Evidence(replace(evaluation, fitted=fitted), "NWJ")
        assert (diagnostics.not_normalized(found) is not None) is warns


def log_means(effective, n):
    """Log-means of which `effective` are 0 and the others far below."""
    return torch.cat([torch.zeros(effective), torch.full((n - effective,), -50.0)])


@pytest.mark.parametrize("n, effective, warns", [(100, 9, True), (100, 11, False), (1000, 49, True), (1000, 51, False)])
def test_the_effective_sample_is_low_below_50_and_a_tenth(n, effective, warns):
    evaluation = of_log_means(log_means(effective, n), n=n)
    assert (diagnostics.low_effective_sample(Evidence(evaluation, "NWJ")) is not None) is warns
    infonce = replace(evaluation, by_bound={**evaluation.by_bound, "InfoNCE": constant(1.0, n=n)})
    assert diagnostics.low_effective_sample(Evidence(infonce, "InfoNCE")) is None
    assert warns is (diagnostics.not_normalized(Evidence(evaluation, "NWJ")) is None), "not checked where it is low"


@pytest.mark.parametrize(
    "losses, warns",
    [
        ((0.0, -0.05, -0.0599, -0.0601), True),
        ((0.0, -0.05, -0.0599, -0.0599), False),  # 0.0099 nats
        ((0.0, -0.84, -0.9, -1.0), True),
        ((0.0, -0.86, -0.9, -1.0), False),  # 14 %
        ((0.0, -0.86, -0.5, -1.0), False),  # what was reached in the first half counts
        ((-0.9, 0.0, -0.5, -1.0), False),
        ((0.0, -0.3, -0.2, -0.29), False),
        ((0.0,), False),
    ],
)
def test_training_has_converged_if_the_second_half_gained_001_nats_or_15_per_cent_at_most(losses, warns):
    curve = Curve(tuple(range(len(losses))), losses, 0, "a")
    assert (diagnostics.not_converged(evidence(curve=curve)) is not None) is warns


def test_half_of_the_steps_is_no_half_of_the_looks():
    looks = (0, 1, 2, 3, 50, 100)
    assert diagnostics.late_fall(looks, (0.0, -0.1, -0.2, -0.3, -0.8, -1.0)) == pytest.approx(0.2)
    assert diagnostics.late_fall(looks, (0.0, -0.1, -0.2, -0.3, 0.0, -1.0)) == pytest.approx(0.7)


def test_training_at_a_low_rate_that_ends_before_it_has_learned_is_warned_of():
    task = CorrelatedGaussian.with_information(5, 2.0)
    x, y = task.sample(1000, torch.Generator().manual_seed(1))
    for steps, lr in ((60, 1e-3), (200, 3e-4)):
        with pytest.warns(NotConvergedWarning):
            result = Trainer(steps=steps, lr=lr, check_every=20, folds=2, workers=1).fit(
                MIEstimator(SeparableCritic(5, 5, hidden=(64, 64)), InfoNCE()), x, y
            )
        assert result.value < 1


def test_where_the_reported_value_is_not_that_of_the_critics_their_training_is_not_asked_about():
    young = Curve((0, 20, 40), (0.0, -0.2, -0.3), 40, "young")
    local = CrossCheck("KSG", 1.0)
    assert diagnostics.not_converged(replace(evidence(curve=young), local=local)) is None


def test_training_has_not_converged_if_more_than_half_of_the_folds_have_not():
    young = Curve((0, 20, 40), (0.0, -0.2, -0.3), 40, "young")
    assert diagnostics.not_converged(evidence(curve=[young, CONVERGED])) is None
    found = diagnostics.not_converged(evidence([fold()] * 3, curve=[young, CONVERGED, young]))
    assert str(found).startswith("In 2 of 3 folds")


def test_two_folds_spread_too_wide_from_39_times_of_what_sampling_explains_on():
    base = constants(spread=1.0)
    expected = base.by_bound["InfoNCE"].sampling_error() * math.sqrt(2)
    for times, warns in ((3.6, False), (4.3, True)):
        shift = torch.where(torch.arange(400) < 200, 0.0, times * expected * math.sqrt(2))
        scores = base.by_bound["InfoNCE"].directions[0][0]
        means = [scores[:200].mean(), scores[200:].mean()]
        even = scores - torch.cat([means[0].repeat(200), means[1].repeat(200)]) + 1 + shift
        apart = replace(base.by_bound["InfoNCE"], directions=((even,),))
        found = Evidence(replace(base, by_bound={"InfoNCE": apart}), "InfoNCE")
        assert (diagnostics.fold_spread(found) is not None) is warns
        assert diagnostics.fold_spread(replace(found, extrapolated=True)) is None
        assert diagnostics.fold_spread(replace(found, local=CrossCheck("KSG", 1.0))) is None
    one_fold = replace(base.by_bound["InfoNCE"], fold=torch.zeros(400, dtype=torch.long))
    assert diagnostics.fold_spread(Evidence(replace(base, by_bound={"InfoNCE": one_fold}), "InfoNCE")) is None


def test_folds_that_differ_by_less_than_002_nats_do_not_spread():
    for difference, warns in ((0.02, False), (0.04, True)):  # a standard deviation of 0.014 and of 0.028
        shift = torch.where(torch.arange(400) < 200, 0.0, difference)
        one = replace(constant(1.0), directions=((1 + shift,),), fold=torch.arange(400) * 2 // 400)
        evaluation = replace(constants(), by_bound={"InfoNCE": one})
        assert one.sampling_error() * math.sqrt(2) * 3 < 0.014
        assert (diagnostics.fold_spread(Evidence(evaluation, "InfoNCE")) is not None) is warns


# Estimators of a user's own


def test_a_trainer_runs_the_checks_too():
    x, y = Student.identity(1, 1).sample(300, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    estimator = MIEstimator(SeparableCritic(1, 1, hidden=(8,)), InfoNCE())
    with pytest.warns(HeavyTailsWarning, match="RankGaussianize"):
        result = Trainer(steps=20, folds=2).fit(estimator, x, y)
    assert "heavy-tails" in [warning.code for warning in result.warnings]


def test_the_value_is_what_is_reported():
    found = Evidence(constants(infonce=0.5), "InfoNCE")
    assert found.value == found.chosen.value()
    assert replace(found, local=CrossCheck("KSG", 1.0, rise=0.25)).value == 1.25
