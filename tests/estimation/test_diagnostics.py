"""Every diagnostic of the data and of classical estimates: what makes it fire, and what does not."""

import re
from collections import namedtuple

import pytest
import torch

import mibounds as mi
from mibounds.bounds import NWJ, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.critics import FunctionCritic
from mibounds.data.intake import intake
from mibounds.estimation.diagnostics import CHECKS, _correlated, infinite_information
from mibounds.results.result import Curve
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.diagnostics import FIT_CHECKS, Evidence, run_checks
from mibounds.training.evaluation import Evaluation, evaluate_fold
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.training.policy import CrossCheck
from mibounds.warnings import SerialCorrelationWarning

TASK = CorrelatedGaussian(1, 0.8)  # .51 nats
BOUNDS = {type(bound).__name__: bound for bound in (InfoNCE(), DonskerVaradhan(), NWJ(), PlugIn())}
N = 400


def sample(seed=0, task=TASK):
    return task.sample(N, torch.Generator().manual_seed(seed))


def evidence(x=None, y=None, *, task=TASK, function=None, **options):
    drawn = sample(task=task)
    critic = FunctionCritic(function or task.log_ratio)
    scored = evaluate_fold(critic, *drawn, [*BOUNDS.values()], both=True, negatives="all", seed=0)
    nothing, every = torch.empty(0, dtype=torch.long), torch.arange(N)
    fitted = Fitted(critic, Fold(nothing, nothing, every), Curve((0, 50), (0.0, 0.0), 0, "exact"))
    x, y = (given if given is not None else own for given, own in zip((x, y), drawn, strict=True))
    evaluation = Evaluation.pooled(BOUNDS, [scored], [fitted])
    options.setdefault("variables", (intake(x, "x"), intake(y, "y")))
    return Evidence(evaluation, options.pop("method", "InfoNCE"), x, y, **options)


def check(name, value, **fields):
    return [CrossCheck(name, value, **fields)]


def nothing(x, y):
    """It is reported as 0, and is slightly less."""
    return -1e-3 * TASK.log_ratio(x, y)


def copies(side):
    """Rows drawn with replacement."""
    return side[torch.randint(len(side), (len(side),), generator=torch.Generator().manual_seed(1))]


HIGH = CorrelatedGaussian.with_information(5, 4.0)
COPULA = check("GaussianCopula", 0.9, is_lower_bound=True)
WIDE = {"x": torch.randn(N, 3), "y": torch.randn(N, 3)}
Given = namedtuple("Given", "x y")  # the only evidence that some checks look at
FIRES = {
    "infinite-information": (lambda: evidence(y=-2 * sample()[0]), "A combination of columns of x equals one of y"),
    "ties": (lambda: evidence(*map(copies, sample())), "3[0-9]% of the rows repeat others"),
    "extrapolated": (lambda: evidence(task=HIGH, method="PlugIn", extrapolated=True), "400 rows can certify"),
    "below-gaussian": (lambda: evidence(cross_checks=COPULA), "GaussianCopula is 0.9 nats on held-out samples"),
    "below-boosted-trees": (
        lambda: evidence(cross_checks=check("BoostedTrees", 0.9, is_lower_bound=True)),
        "Boosted trees certify 0.9 nats on held-out samples",
    ),
    "cross-check": (lambda: evidence(cross_checks=check("KSG", 0.9)), "KSG is 0.9 nats .* finer than they resolve"),
    "maybe-independent": (
        lambda: evidence(y=sample(1)[1], function=nothing),
        r"value is 0 nats.*no proof",
    ),
}


def fired(found):
    return {warning.code: str(warning) for warning in run_checks(found, CHECKS)}


@pytest.mark.parametrize("code", FIRES)
def test_it_fires_with_its_evidence(code):
    make, sentence = FIRES[code]
    found = fired(make())
    assert set(found) == {code}
    assert re.search(sentence, found[code]), found[code]


def test_every_check_of_an_estimate_is_made_to_fire_here():
    own = [one.__name__.replace("_", "-") for one in CHECKS if one not in FIT_CHECKS]
    assert own == list(FIRES)


def test_nothing_fires_where_all_agree():
    assert not fired(
        evidence(cross_checks=[CrossCheck("GaussianCopula", 0.52, is_lower_bound=True), *check("KSG", 0.5)])
    )


SMOOTH = {
    "square": lambda x: x.square(),
    "sine": lambda x: (5 * x).sin(),
    "absolute value": lambda x: x.abs(),
    "cubic": lambda x: x**3 - x,
    "bell": lambda x: 1e6 + torch.exp(-x.square()),
}


@pytest.mark.parametrize("function", SMOOTH)
def test_a_smooth_function_has_infinite_information_and_one_with_noise_has_not(function):
    x, idle = torch.randn(2, N, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    y = SMOOTH[function](x)
    for one, other in ((x, y), (y, x), (torch.cat([idle, x], 1), y), (x.float(), torch.cat([y, idle], 1))):
        assert "is a smooth function of one of the other" in str(infinite_information(Given(one, other)))
    noisy = y + 0.01 * y.std() * idle  # 4.6 nats
    assert infinite_information(Given(x, noisy)) is None


def test_steps_labels_walks_and_rounded_values_are_no_smooth_functions():
    x, noise = torch.randn(2, N, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    time = torch.arange(N, dtype=torch.float64)[:, None]
    for y in ((x > 0).double(), x.round(decimals=1).square(), noise.cumsum(0), noise, x.floor()):
        for one in (x, time):
            assert infinite_information(Given(one, y)) is None
    assert infinite_information(Given(time, (time / 20).sin())) is not None


def test_labels_counts_and_rounding_are_no_ties_and_a_pile_is():
    label = (sample()[0] > 0).float()
    assert "ties" not in fired(evidence(x=label))
    assert "ties" not in fired(evidence(x=sample()[0].mul(5).round()))
    assert "ties" not in fired(evidence(x=copies(sample()[0])))  # values repeat, rows do not: rounding does that
    piled = fired(evidence(y=sample()[1].clamp_min(0)))["ties"]
    assert re.search("^0 makes up [45][0-9]% of column 'y'", piled)


def test_low_neighbors_count_for_single_columns_only():
    low = check("KSG", 0.1, low_from=3)
    assert "uneven densities" in fired(evidence(cross_checks=low))["cross-check"]
    assert "cross-check" not in fired(evidence(**WIDE, cross_checks=low))
    assert "cross-check" in fired(evidence(**WIDE, cross_checks=check("KSG", 0.9, low_from=3)))
    assert "cross-check" in fired(evidence(**WIDE, cross_checks=check("Contingency", 0.1)))


def test_a_cross_check_contradicts_independence():
    assert set(fired(evidence(function=nothing, cross_checks=check("KSG", 0.5)))) == {"cross-check"}
    assert set(fired(evidence(function=nothing, cross_checks=check("GaussianCopula", 0.5, is_lower_bound=True)))) == {
        "below-gaussian"
    }


def test_above_ln_n_one_warning_is_enough():
    high = CorrelatedGaussian.with_information(5, 8.0)
    assert set(fired(evidence(task=high, method="PlugIn", extrapolated=True))) == {"beyond-log-n"}


def test_an_estimate_of_series_warns_and_blocks_do_not():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(300, 1, generator=generator).cumsum(0) for _ in range(2))
    quick = {"steps": 20, "hidden": (8,), "folds": 2}
    with pytest.warns(mi.MIWarning) as caught:
        result = mi.estimate(x, y, **quick)
    assert any(isinstance(entry.message, SerialCorrelationWarning) for entry in caught)
    assert "  warning serial-correlation: Neighboring rows resemble each other" in repr(result)
    with pytest.warns(mi.MIWarning) as caught:  # of other things: two walks have one trend or another
        blocked = mi.estimate(x, y, split="blocked", gap=10, **quick)
    assert "serial-correlation" not in [warning.code for warning in blocked.warnings]
    assert blocked.value < result.value


@pytest.mark.parametrize("errors, fires", [(2.5, False), (3.5, True)])
def test_a_lower_bound_above_the_value_by_three_errors_warns(errors, fires):
    found = evidence()
    bound = found.value + 0.05 + errors * found.stderr
    for name, code in (("GaussianCopula", "below-gaussian"), ("BoostedTrees", "below-boosted-trees")):
        assert (code in fired(evidence(cross_checks=check(name, bound, is_lower_bound=True)))) is fires
        assert code not in fired(evidence(cross_checks=check(name, bound)))


@pytest.mark.parametrize("roots, fires", [(1.8, False), (2.2, True)])
def test_nearest_neighbors_differ_by_two_roots_of_n_more(roots, fires):
    found = evidence()
    apart = max(0.05, 0.1 * found.value) + 3 * found.stderr + roots / 20
    assert ("cross-check" in fired(evidence(cross_checks=check("KSG", found.value + apart)))) is fires


@pytest.mark.parametrize("value, fires", [(0.09, True), (0.12, False)])
def test_what_is_above_a_tenth_of_a_nat_is_not_called_nothing(value, fires):
    """However large its error."""
    found = evidence(y=sample(1)[1], function=nothing, local=CrossCheck("KSG", value))
    found.__dict__["stderr"] = 0.2
    assert ("maybe-independent" in fired(found)) is fires


def test_one_correlation_among_many_pairs_is_chance_where_alone_it_is_not():
    x, noise = torch.randn(2, N, 10, generator=torch.Generator().manual_seed(0))
    first = x[:, 0] - x[:, 0].mean()
    rest = noise[:, 0] - noise[:, 0].mean()
    rest = rest - first * (first @ rest) / (first @ first)
    noise[:, 0] = 0.19 * first / first.norm() + (1 - 0.19**2) ** 0.5 * rest / rest.norm()  # 3.8 standard errors
    assert _correlated(x[:, :1], noise[:, :1])
    assert not _correlated(x, noise)
