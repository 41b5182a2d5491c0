"""The policy by hand: what is reported, what bounds it from below, and how far the interval reaches."""

import math
from dataclasses import replace

import pytest
import torch

from mibounds.bounds import NWJ, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.critics import FunctionCritic
from mibounds.data import Sample, Variable
from mibounds.inference import BoundEvaluation, mean_stderr, nwj_stderr
from mibounds.results.result import Curve
from mibounds.training import policy
from mibounds.training.evaluation import CLASSIFIER, Evaluation
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.training.policy import Choice, CrossCheck, choose, make_result
from mibounds.training.recipe import Recipe
from mibounds.warnings import OverfitWarning, TiesWarning

N = 100
NOISE = torch.randn(N, generator=torch.Generator().manual_seed(0))
NOISE = (NOISE - NOISE.mean()) / NOISE.std()
UNSEEN = policy._UNSEEN


@pytest.fixture(autouse=True)
def signs_alone(monkeypatch):
    """The interval reaches as far as the signs of a shortfall say; what is added to them has its own tests."""
    monkeypatch.setattr(policy, "_UNSEEN", 0.0)


def statistics(bound, value, spread=0.0):
    """Per-sample statistics of a bound whose value is this, and whose standard error is spread / sqrt(N)."""
    joint = value + spread * NOISE
    return (joint,) if type(bound) in (InfoNCE, PlugIn) else (joint, torch.zeros(N))


def evaluation(
    infonce=1.0, plug_in=1.0, donsker_varadhan=1.0, nwj=1.0, *, ceiling=math.inf, spread=0.0, clusters=None, **options
):
    """An evaluation with these values; a bound with None is absent."""
    values = {InfoNCE: infonce, DonskerVaradhan: donsker_varadhan, NWJ: nwj, PlugIn: plug_in}
    fold = torch.arange(N) // (N // 2)
    by_bound = {
        kind.__name__: BoundEvaluation(
            kind(),
            (statistics(kind(), value, spread),),
            fold,
            ceiling if kind is InfoNCE else math.inf,
            clusters,
        )
        for kind, value in values.items()
        if value is not None
    }
    order = torch.arange(N)
    fitted = tuple(
        Fitted(
            FunctionCritic(torch.dot), Fold(order[:0], order[:0], order[fold == i]), Curve((0,), (0.0,), 0, f"fold {i}")
        )
        for i in (0, 1)
    )
    return Evaluation(by_bound, fitted, order, torch.linspace(0, 1, N), **options)


def classified(value=0.5, **values):
    """The same, with the evaluation of a classifier."""
    found = evaluation(**values)
    own = replace(found.by_bound["PlugIn"], directions=(statistics(PlugIn(), value),))
    return replace(found, by_bound={**found.by_bound, CLASSIFIER: own})


def sample(given=N, kept=None):
    kept = torch.arange(N) if kept is None else kept
    return Sample({name: Variable(name, torch.zeros(N, 1)) for name in "xy"}, given, kept)


def result(found, choice=None, recipe=None, **options):
    return make_result(found, choice or choose(found), sample(), recipe or Recipe(), **options)


# What is reported


@pytest.mark.parametrize("plug_in, extrapolated", [(6.4, False), (6.5, False), (6.51, True), (12.0, True)])
def test_the_plug_in_is_reported_from_three_and_a_half_nats_below_the_ceiling(plug_in, extrapolated):
    choice = choose(evaluation(infonce=1.0, plug_in=plug_in, ceiling=10.0))
    assert choice == Choice("PlugIn" if extrapolated else "InfoNCE", extrapolated)


@pytest.mark.parametrize("plug_in, extrapolated", [(2.4, False), (2.5, False), (2.51, True)])
def test_below_a_low_ceiling_the_plug_in_is_reported_in_the_upper_half(plug_in, extrapolated):
    assert choose(evaluation(plug_in=plug_in, ceiling=5.0)).extrapolated is extrapolated
    assert choose(evaluation(plug_in=3.5, ceiling=7.0)).extrapolated is False, "both limits are 3.5"


def test_the_largest_value_is_not_chosen():
    found = evaluation(infonce=1.0, plug_in=3.0, donsker_varadhan=9.0, nwj=9.0, ceiling=10.0)
    assert choose(found) == Choice("InfoNCE")
    assert result(found).value == 1.0
    assert choose(evaluation(infonce=7.0, plug_in=6.0, ceiling=10.0)) == Choice("InfoNCE"), "the plug-in decides"


def test_of_a_label_the_classifier_is_reported_whatever_the_bounds_are():
    found = classified(0.5, plug_in=9.0, ceiling=10.0)
    assert choose(found, entropy_limit=0.69) == Choice(CLASSIFIER, False, 0.69)
    reported = result(found, choose(found, 0.69))
    assert (reported.value, reported.method, reported.entropy_limit) == (0.5, CLASSIFIER, 0.69)
    assert result(found, choose(found, 0.25)).value == 0.25, "it may exceed the entropy by chance"


def test_a_bound_of_the_same_role_does_not_take_the_place_of_a_standard_one():
    found = evaluation(infonce=1.0, plug_in=7.0, ceiling=10.0)
    own = {
        "own.InfoNCE": replace(found.by_bound["InfoNCE"], directions=(statistics(InfoNCE(), 5.0),), ceiling=3.0),
        "own.PlugIn": replace(found.by_bound["PlugIn"], directions=(statistics(PlugIn(), 8.0),)),
        "own.NWJ": replace(found.by_bound["NWJ"], directions=(statistics(NWJ(), 9.0),)),
    }
    both = replace(found, by_bound={**found.by_bound, **own})
    assert choose(both) == Choice("PlugIn", extrapolated=True)
    assert result(both).interval_bias == result(found).interval_bias
    assert result(both, Choice("InfoNCE")).lower_bound_estimate[0] == 1.0, "of the library's NWJ"


def nearest(value, stderr=0.125, **options):
    return CrossCheck("KSG", value, stderr=stderr, **{"unbiased": True, **options})


@pytest.mark.parametrize("columns", [0, 2, 3, 8])
def test_nearest_neighbors_are_reported_where_they_exceed_the_critics_(columns):
    found = evaluation(infonce=1.0)
    above, equal = nearest(1.0001), nearest(1.0)
    assert choose(found, cross_checks=[above], columns=columns) == Choice("InfoNCE", local=above)
    assert choose(found, cross_checks=[equal], columns=columns) == Choice("InfoNCE")
    assert choose(found, cross_checks=[nearest(0.5)], columns=columns) == Choice("InfoNCE"), "it is below"


def test_what_chance_makes_of_independent_columns_is_not_reported():
    found = evaluation(infonce=0.0)
    assert choose(found, cross_checks=[nearest(0.3125)], columns=2) == Choice("InfoNCE"), "2.5 errors"
    above = nearest(0.3126)
    assert choose(found, cross_checks=[above], columns=2) == Choice("InfoNCE", local=above)


def test_only_a_nearly_unbiased_check_is_reported():
    found = evaluation(infonce=1.0)
    assert choose(found, cross_checks=[nearest(5.0, unbiased=False)], columns=2) == Choice("InfoNCE")
    both = [nearest(5.0, unbiased=False), nearest(2.0), nearest(3.0)]
    assert choose(found, cross_checks=both, columns=2).local is both[2]
    equal = [nearest(2.0), nearest(2.0)]
    assert choose(found, cross_checks=equal, columns=2).local is equal[0]


def test_nearest_neighbors_of_a_label_are_reported_up_to_its_entropy():
    label, check = classified(0.5), nearest(5.0)
    assert choose(label, 0.69, [check], 2) == Choice(CLASSIFIER, False, 0.69, check)
    assert choose(label, 0.69, [nearest(0.5)], 2) == Choice(CLASSIFIER, False, 0.69)


def test_a_check_above_an_extrapolated_value_takes_its_place():
    found = evaluation(infonce=5.0, plug_in=8.0, ceiling=6.0)
    assert choose(found, cross_checks=[nearest(8.0)], columns=3) == Choice("PlugIn", extrapolated=True)
    above = nearest(8.2)
    assert choose(found, cross_checks=[above], columns=3) == Choice("PlugIn", local=above)


def test_of_one_column_a_side_nearest_neighbors_take_the_place_of_an_extrapolated_value():
    found = evaluation(infonce=5.0, plug_in=8.0, ceiling=6.0)
    assert choose(found, cross_checks=[nearest(5.0)], columns=2) == Choice("PlugIn", extrapolated=True)
    above = nearest(5.2)
    assert choose(found, cross_checks=[above], columns=2) == Choice("InfoNCE", local=above)


def test_the_interval_of_nearest_neighbors_reaches_as_far_up_as_they_still_rise():
    found = evaluation(infonce=1.0, spread=0.5)
    plain, rising, falling = (replace(nearest(2.0), learning_gain=gain) for gain in (0.0, 0.1, -0.1))
    reported = [
        result(found, choose(found, cross_checks=[one], columns=2), cross_checks=[one])
        for one in (plain, rising, falling)
    ]
    reach = [one.interval[1] - reported[0].interval[1] for one in reported]
    assert reach == pytest.approx([0, 0.24, 0], abs=1e-6)
    other = result(found, cross_checks=[replace(nearest(0.9), learning_gain=5.0)])
    assert other.interval[1] == pytest.approx(result(found).interval[1]), "it is not reported"


def test_a_rise_moves_the_reported_value_and_neither_end_of_its_interval():
    """Of two checks the one that is reported higher is taken; its own value decides whether chance made it."""
    found = evaluation(infonce=1.5, spread=0.5)
    plain, raised = nearest(2.0, learning_gain=0.25), nearest(2.0, learning_gain=0.25, rise=0.125)
    assert choose(found, cross_checks=[plain, raised], columns=2).local is raised
    assert choose(found, cross_checks=[nearest(2.1), raised], columns=2).local is raised
    assert choose(found, cross_checks=[nearest(1.4, rise=0.2)], columns=2).local == nearest(1.4, rise=0.2)
    assert choose(evaluation(infonce=0.0), cross_checks=[nearest(0.3, rise=1.0)], columns=2).local is None
    of_plain, of_raised = (result(found, choose(found, cross_checks=[one], columns=2)) for one in (plain, raised))
    assert of_raised.value == of_raised.estimates["KSG"] == of_plain.value + 0.125
    assert of_raised.interval == pytest.approx(of_plain.interval)


def test_the_result_that_reports_a_check():
    found = evaluation(infonce=1.0, plug_in=1.125, nwj=0.875, spread=0.5, train_n=100, train_test_gap=0.25)
    above, copula = nearest(2.0), CrossCheck("GaussianCopula", 0.75, is_lower_bound=True)
    reported = result(found, choose(found, cross_checks=[above], columns=2), cross_checks=[above, copula])
    assert (reported.value, reported.method, reported.extrapolated) == (2.0, "KSG", False)
    assert list(reported.estimates) == ["InfoNCE", "DonskerVaradhan", "NWJ", "PlugIn", "KSG"]
    assert reported.estimates["KSG"] == 2.0
    assert reported.estimates["InfoNCE"] == pytest.approx(1.0, abs=1e-6)
    assert reported.cross_checks == {"GaussianCopula": 0.75}, "what is reported is not its own check"
    assert reported.stderr == found.by_bound["InfoNCE"].stderr() > 0
    assert reported.lower_bound_estimate[0] == pytest.approx(0.875, abs=1e-6)
    assert reported.fold_values == found.by_bound["InfoNCE"].fold_values()
    assert reported.interval_bias == (0.125, 0.0), "its own error below: chance may have made it high"
    low, high = reported.interval
    assert low < 1.875 and high > 2.0


def test_the_gap_of_the_critics_starts_from_their_own_value():
    """And half of it counts for an estimate that is not theirs."""
    found = evaluation(infonce=1.0, train_n=1000, train_test_gap=2.5)
    above = nearest(2.0)
    chosen = choose(found, cross_checks=[above], columns=2)
    assert result(found).interval_bias == (0.0, 2.5)
    assert result(found, chosen, cross_checks=[above]).interval_bias == (0.125, 0.25)
    wider = replace(found, train_test_gap=1.0)
    assert result(wider, chosen, cross_checks=[above]).interval_bias == (0.125, 0.0)
    other = CrossCheck("MixedKSG", 2.5)
    assert result(wider, chosen, cross_checks=[above, other]).interval_bias == (0.125, 0.5)


def test_the_gain_of_more_samples_extends_the_interval_from_the_value_of_the_critics():
    """A shortfall that falls as N to the power -0.5 is 2.4 times what doubling the samples gains."""
    found = evaluation(infonce=1.0, train_n=1000, learning_gain=0.25)
    assert result(found).interval_bias == (0.0, pytest.approx(0.6))
    assert result(replace(found, learning_gain=-0.25)).interval_bias == (0.0, 0.0)
    above = nearest(1.5)
    chosen = choose(found, cross_checks=[above], columns=2)
    assert result(found, chosen, cross_checks=[above]).interval_bias == (0.125, pytest.approx(0.1))


# How far the interval reaches


def test_the_gap_to_training_samples_raises_no_value_above_the_logarithm_of_their_number():
    found = evaluation(infonce=1.0, plug_in=1.25, train_test_gap=9.0, train_n=100)
    assert result(found).interval_bias == (0.0, pytest.approx(math.log(100) - 1.0))
    assert result(found, Choice("InfoNCE", extrapolated=True)).interval_bias == (0.0, 9.0)
    above = evaluation(infonce=6.0, plug_in=6.0, train_test_gap=9.0, train_n=100)
    assert result(above, Choice("InfoNCE")).interval_bias == (0.0, 0.0)


def test_the_interval_of_a_bound_reaches_up_to_the_plug_in():
    assert result(evaluation(infonce=1.0, plug_in=1.25)).interval_bias == (0.0, 0.25)
    assert result(evaluation(infonce=1.0, plug_in=0.75)).interval_bias == (0.0, 0.0)
    assert result(evaluation(infonce=1.0, plug_in=None), Choice("InfoNCE")).interval_bias == (0.0, 0.0)


def test_the_interval_reaches_up_to_the_highest_of_several_alternatives():
    found = evaluation(infonce=1.0, plug_in=1.25, train_test_gap=0.375)
    assert result(found).interval_bias == (0.0, 0.375)
    assert result(found, detection_limit=0.5).interval_bias == (0.0, 0.5)
    assert result(found, detection_limit=0.25).interval_bias == (0.0, 0.375)
    checks = [CrossCheck("KSG", 1.75), CrossCheck("GaussianCopula", 1.5)]
    assert result(found, cross_checks=checks).interval_bias == (0.0, 0.75)
    assert result(found, cross_checks=checks).cross_checks == {"KSG": 1.75, "GaussianCopula": 1.5}
    assert result(replace(found, train_test_gap=-0.5)).interval_bias == (0.0, 0.25)


def test_the_interval_of_the_plug_in_reaches_from_infonce_to_donsker_varadhan():
    """Where the value is extrapolated, InfoNCE is what is certain, and Donsker-Varadhan may be above the plug-in."""
    found = evaluation(infonce=5.0, plug_in=8.0, donsker_varadhan=9.5, ceiling=6.0)
    assert choose(found).extrapolated
    assert result(found).interval_bias == (3.0, 1.5)
    assert result(replace(found, train_test_gap=2.0)).interval_bias == (3.0, 2.0)
    lower = evaluation(infonce=5.0, plug_in=8.0, donsker_varadhan=7.0, ceiling=6.0)
    assert result(lower).interval_bias == (3.0, 0.0)


def test_donsker_varadhan_does_not_raise_the_interval_of_infonce():
    assert result(evaluation(infonce=1.0, donsker_varadhan=2.0)).interval_bias == (0.0, 0.0)


def test_a_value_below_infonce_has_no_negative_bias():
    found = evaluation(infonce=2.0, plug_in=1.0)
    assert result(found, Choice("PlugIn")).interval_bias == (0.0, 0.0)
    assert result(found, Choice("NWJ")).interval_bias == (0.0, 0.0)


def test_the_interval_of_a_label_does_not_reach_down_to_infonce():
    """The classifier is a lower bound of its own: InfoNCE may be far below it."""
    found = classified(0.5, infonce=0.25, plug_in=0.5)
    assert result(found, choose(found, 0.75)).interval_bias == (0.0, 0.0)
    assert result(found, Choice("PlugIn")).interval_bias == (0.25, 0.0)


def test_the_upper_end_is_at_most_the_entropy_of_the_label():
    found = classified(0.5, infonce=0.25, plug_in=2.0, train_test_gap=1.0)
    assert result(found, choose(found, 0.75)).interval_bias == (0.0, 0.25)
    assert result(found, choose(found, 3.0)).interval_bias == (0.0, 1.5)
    assert result(found, choose(found, 0.4)).interval_bias == (0.0, 0.0), "the value may be above it by chance"
    high = result(found, choose(found, 0.75), cross_checks=[CrossCheck("Contingency", 5.0)], detection_limit=4.0)
    assert high.interval_bias == (0.0, 0.25)


def test_a_cross_check_far_above_the_value_brings_its_own_error():
    """Its standard error of 0.25 takes the place of the value's, which the interval adds once more."""
    found = evaluation(infonce=1.0)
    for above, bias in ((0.125, 0.125), (0.25, 0.25), (0.5, 1.0)):
        check = CrossCheck("KSG", 1.0 + above, stderr=0.25)
        assert result(found, cross_checks=[check]).interval_bias == (0.0, bias)
    noisy = evaluation(infonce=1.0, spread=2.0)
    stderr = noisy.by_bound["InfoNCE"].stderr()
    assert 0.15 < stderr < 0.25
    (_, bias) = result(noisy, cross_checks=[CrossCheck("KSG", 1.5, stderr=0.25)]).interval_bias
    assert bias == pytest.approx(0.5 + 2 * (0.25 - stderr), abs=1e-6)
    (_, bias) = result(noisy, cross_checks=[CrossCheck("KSG", 1.5, stderr=0.125)]).interval_bias
    assert bias == pytest.approx(0.5, abs=1e-6), "an error below that of the value adds nothing"
    assert result(found, cross_checks=[CrossCheck("GaussianCopula", 1.5)]).interval_bias == (0.0, 0.5)
    below = CrossCheck("KSG", 0.5, stderr=0.25)
    assert result(found, cross_checks=[below]).interval_bias == (0.0, 0.0)


# What bounds the information from below


def test_the_lower_bound_is_that_of_nwj_with_the_error_of_its_influence_function():
    clusters = torch.arange(N) // 10
    found = evaluation(infonce=1.0, nwj=0.75, spread=1.0, clusters=clusters)
    value, stderr = result(found).lower_bound_estimate
    nwj = found.by_bound["NWJ"]
    assert value == pytest.approx(0.75, abs=1e-6)
    assert stderr == nwj_stderr(nwj.directions, clusters) == pytest.approx(mean_stderr(NOISE, clusters), rel=1e-5)
    assert stderr != pytest.approx(nwj_stderr(nwj.directions), rel=0.01)


def test_where_the_value_is_extrapolated_the_lower_bound_is_that_of_infonce():
    """A few pairs dominate the mean of e^f there."""
    found = evaluation(infonce=5.0, plug_in=8.0, nwj=7.0, ceiling=6.0, spread=1.0)
    assert result(found).lower_bound_estimate == (found.by_bound["InfoNCE"].value(), found.by_bound["InfoNCE"].stderr())
    assert result(found, Choice("PlugIn")).lower_bound_estimate[0] == pytest.approx(7.0, abs=1e-5)


def test_without_nwj_the_lower_bound_is_that_of_infonce():
    found = evaluation(infonce=1.0, nwj=None, spread=1.0)
    assert result(found, Choice("InfoNCE")).lower_bound_estimate == (
        found.by_bound["InfoNCE"].value(), found.by_bound["InfoNCE"].stderr(),
    )  # fmt: skip


def test_of_a_label_the_lower_bound_is_that_of_the_classifier():
    found = classified(0.5, infonce=0.25, nwj=0.375)
    assert result(found, choose(found, 0.7)).lower_bound_estimate == (0.5, 0.0)
    own = found.by_bound[CLASSIFIER]
    apart = replace(own, directions=((own.fold + 0.05 * NOISE,),))  # the error between folds is the larger one
    found = replace(found, by_bound={**found.by_bound, CLASSIFIER: apart})
    assert result(found, choose(found, 0.7)).lower_bound_estimate == (apart.value(), apart.stderr())
    assert apart.stderr() > 2 * apart.sampling_error()


def test_where_a_few_pairs_dominate_nwj_infonce_takes_its_place(monkeypatch):
    found = evaluation(infonce=1.0, nwj=0.9, spread=1.0)
    infonce = found.by_bound["InfoNCE"]
    for error, certified in ((2.9, "NWJ"), (3.1, "InfoNCE"), (math.nan, "InfoNCE"), (math.inf, "InfoNCE")):
        monkeypatch.setattr(policy, "nwj_stderr", lambda *_, error=error: error * infonce.stderr())
        assert result(found).lower_bound_estimate[0] == found.by_bound[certified].value()


# The result


def test_the_standard_error_is_that_of_the_jackknife_or_of_the_bootstrap():
    found = evaluation(spread=1.0)
    chosen = found.by_bound["InfoNCE"]
    assert result(found).stderr == chosen.stderr()
    drawn = result(found, recipe=Recipe(bootstrap=50)).stderr
    assert drawn == chosen.bootstrap(50, torch.Generator().manual_seed(0)) != chosen.stderr()
    check = CrossCheck("KSG", 1.5, stderr=0.25)
    _, bias = result(found, recipe=Recipe(bootstrap=50), cross_checks=[check]).interval_bias
    assert bias == pytest.approx(0.5 + 2 * (0.25 - drawn), abs=1e-6), "the interval adds the bootstrap's error, too"


def test_the_result_holds_what_was_evaluated():
    found = evaluation(infonce=1.0, plug_in=1.25, warnings=(TiesWarning("first"),))
    kept = torch.arange(N) + 5
    reported = make_result(
        found, choose(found), sample(N + 5, kept), Recipe(seed=4), warnings=[OverfitWarning("second")]
    )
    assert reported.value == reported.estimates["InfoNCE"] == 1.0
    assert list(reported.estimates) == ["InfoNCE", "DonskerVaradhan", "NWJ", "PlugIn"]
    assert (reported.n, reported.seed, reported.extrapolated, reported.entropy_limit) == (N, 4, False, None)
    assert [warning.code for warning in reported.warnings] == ["ties", "overfit"]
    assert [curve.candidate for curve in reported.curves] == ["fold 0", "fold 1"]
    assert reported.fold_values == found.by_bound["InfoNCE"].fold_values()
    assert reported.pointwise[:5].isnan().all()
    assert torch.equal(reported.pointwise[5:], found.scores)
    assert len(reported.fitted) == 2
    assert reported.versions["torch"] == str(torch.__version__)


def test_the_result_names_the_columns_and_their_kinds():
    table = Sample.of(x=torch.arange(N).square(), y=["a", "b"] * (N // 2))
    reported = make_result(evaluation(), Choice("InfoNCE"), table, Recipe())
    assert reported.columns == (("x",), ("y=b",))
    assert reported.kinds == (("continuous",), ("categorical",))
    assert reported.fitted.columns == reported.columns


def test_rounding_of_a_constant_critic_is_no_dependence():
    found = result(evaluation(2e-7, 2e-7, 2e-7, 3e-7))
    assert found.value == 0.0
    assert found.interval[0] <= 0.0
    assert found.lower_bound_estimate[0] == 0.0
    assert found.estimates["InfoNCE"] == pytest.approx(2e-7)
    assert result(evaluation(2e-5, 2e-5, 2e-5, 3e-5)).value == pytest.approx(2e-5)


@pytest.mark.parametrize("value, deviation", [(1.0, 1.0), (0.5, 1.0), (0.125, 0.5), (0.0, 0.0)])
def test_learned_estimates_are_allowed_a_shortfall_without_a_sign(monkeypatch, value, deviation):
    assert UNSEEN == 1.5
    monkeypatch.setattr(policy, "_UNSEEN", UNSEEN)
    allowed = 1.5 * deviation / math.sqrt(N)
    found = evaluation(value, value, value, value)
    assert result(found).interval_bias[1] == pytest.approx(allowed, abs=1e-6)
    reach = CrossCheck("KSG", value + 0.3)  # added to what the signs say
    assert result(found, cross_checks=[reach]).interval_bias[1] == pytest.approx(0.3 + allowed, abs=1e-6)


def test_estimates_that_learn_nothing_are_not(monkeypatch):
    monkeypatch.setattr(policy, "_UNSEEN", UNSEEN)
    found = evaluation(1.0, 1.0, 1.0, 1.0)
    for learned, expected in ((False, 0.0), (True, 0.15)):
        check = CrossCheck("KSG", 1.2, stderr=0.1, unbiased=True, learned=learned)
        made = result(found, choose(found, cross_checks=[check]), cross_checks=[check])
        assert made.method == "KSG"
        assert made.interval_bias[1] == pytest.approx(expected, abs=1e-6)
