"""The bracket: both bounds of easy tasks, what it takes over from `estimate`, and the signs of a misfit."""

import importlib
import math

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.data import Sample
from mibounds.estimation import bracket
from mibounds.estimation.bracket import _misfit_warnings, _predicted
from mibounds.estimation.densities import DensityRows
from mibounds.inference import entropy_margin
from mibounds.results import Result
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.recipe import Recipe
from mibounds.warnings import BeyondLogNWarning, ConstantColumnWarning

MODULE = importlib.import_module("mibounds.estimation.bracket")
QUICK = {"steps": 60, "hidden": (32,), "folds": 2}


def gaussian(n=800, dim=2, rho=0.7, seed=0):
    return CorrelatedGaussian(dim, rho).sample(n, torch.Generator().manual_seed(seed))


def known(value=0.3, stderr=0.1, **fields):
    """An estimate that was made before."""
    return Result(value=value, stderr=stderr, estimates={"InfoNCE": value}, method="InfoNCE", n=300, **fields)


def rows_of(n=100, **changes):
    """Densities that fit, by hand."""
    zero = torch.zeros(n)
    residuals = torch.special.ndtri((torch.arange(n) + 0.5) / n)[:, None]
    fields = dict.fromkeys(("outside", "mean", "mean_log", "halves", "marginal"), zero)
    fields |= {"half": torch.arange(n) % 2, "inside": torch.zeros(10, 2), "residuals": residuals, "trained": zero > 0}
    return DensityRows(**{**fields, **changes})


@pytest.fixture(scope="module")
def found():
    return bracket(*gaussian(), **QUICK)


def test_it_holds_the_truth_of_an_easy_task(found):
    truth = CorrelatedGaussian(2, 0.7).mutual_information
    low, high = found.interval
    assert low < truth < high
    assert high - low < 0.6
    assert found.lower <= found.upper + 2 * found.upper_stderr
    assert found.upper == pytest.approx(found.estimates["LeaveOneOut"] + found.train_test_gap)
    assert not found.warnings
    assert found.columns == (("x[0]", "x[1]"), ("y[0]", "y[1]"))
    assert found.n == 800


def test_the_lower_bound_is_that_of_estimate(found):
    estimate = mi.estimate(*gaussian(), **QUICK)
    assert found.lower == estimate.estimates["InfoNCE"]
    assert found.lower_stderr == estimate.stderr


def test_an_estimate_that_is_given_is_not_made_again(monkeypatch):
    monkeypatch.setattr(MODULE, "_estimate", None)
    x, y = gaussian(300)
    names, kinds = (("x[0]", "x[1]"), ("y[0]", "y[1]")), (("continuous",) * 2,) * 2
    given = known(0.25, columns=names, kinds=kinds)
    made = bracket(x, y, estimate=given.to("bits"), steps=10, unit="bits")
    assert made.lower == pytest.approx(0.25 / math.log(2))
    assert made.lower_stderr == pytest.approx(0.1 / math.log(2))


def test_the_variable_with_fewer_columns_is_predicted():
    x, y = gaussian(300)
    short = {"steps": 5, "folds": 2, "hidden": (8,)}
    assert bracket(x, y, estimate=known(), **short).predicted == "y"
    turned = bracket(x[:, :1], y, estimate=known(), **short)
    assert turned.predicted == "x"
    assert turned.upper == bracket(y, x[:, :1], estimate=known(), **short).upper


def test_only_variables_with_a_density_are_predicted():
    x, label = gaussian(300)[0], np.repeat(["a", "b", "c"], 100)
    assert _predicted(Sample.of(x=x, y=label)) == "x"
    assert _predicted(Sample.of(x=label, y=x)) == "y"
    made = bracket(x, label, estimate=known(0.0), steps=10)
    assert made.entropy_limit == pytest.approx(math.log(3))
    assert made.interval[1] <= math.log(3)
    with pytest.raises(ValueError, match=r"x and y both have columns without a density .*entropy_limit"):
        bracket(label, label[::-1], estimate=known(), steps=10)


def test_warnings_are_kept_and_issued():
    x, y = gaussian(300)
    estimate = known(warnings=(BeyondLogNWarning("so"),))
    with pytest.warns(BeyondLogNWarning), pytest.warns(ConstantColumnWarning):
        made = bracket(torch.cat([x, torch.ones(300, 1)], 1), y, estimate=estimate, steps=10)
    assert [warning.code for warning in made.warnings] == ["constant-column", "beyond-log-n"]


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_warnings_of_the_data_are_there_once():
    x, y = gaussian(100)
    wide = torch.cat([x, torch.ones(100, 1)], 1)
    short = {"steps": 2, "folds": 2, "hidden": (4,)}
    for options in ({}, {"estimate": mi.estimate(wide, y, **short)}):
        codes = [warning.code for warning in bracket(wide, y, **options, **short).warnings]
        assert codes.count("constant-column") == 1


@pytest.mark.parametrize("constant", ["x", "y"])
def test_a_constant_has_an_exact_bracket(constant):
    sides = {**dict(zip("xy", gaussian(100), strict=True)), constant: torch.ones(100)}
    with pytest.warns(ConstantColumnWarning):
        made = bracket(**sides)
    assert (made.lower, made.upper, made.interval) == (0.0, 0.0, (0.0, 0.0))
    with pytest.warns(ConstantColumnWarning):
        assert bracket(**sides, estimate=mi.estimate(**sides)) == made


def test_misfits_are_named():
    rows = rows_of(marginal=torch.full((100,), 0.2), residuals=3 * rows_of().residuals)
    (warning,) = _misfit_warnings(rows, (1.0, 0.01), (0.8, 0.02))
    assert warning.code == "density-misfit"
    for sign in ("marginal density by 0.2 nats", "from standard normal", "below the lower bound, 0.8 against 1"):
        assert sign in str(warning)


def test_each_sign_of_a_misfit_has_its_threshold():
    fine = (0.8, 0.01), (0.8, 0.02)
    assert not _misfit_warnings(rows_of(), *fine)
    noisy = 0.08 + 0.3 * rows_of().residuals[:, 0]  # a mean of 0.08 with a standard error of 0.03
    assert not _misfit_warnings(rows_of(marginal=noisy), *fine)
    assert _misfit_warnings(rows_of(marginal=noisy + 0.04), *fine)
    assert not _misfit_warnings(rows_of(residuals=1.2 * rows_of().residuals), *fine)
    assert _misfit_warnings(rows_of(residuals=1.4 * rows_of().residuals), *fine)
    assert not _misfit_warnings(rows_of(), (0.84, 0.01), (0.8, 0.02)), "0.04 is less than two standard errors"
    assert _misfit_warnings(rows_of(), (0.85, 0.01), (0.8, 0.02))


def test_the_result_by_hand():
    x, y = gaussian(100, dim=1)
    sample = Sample.of(x=x, y=y)
    rows = rows_of(outside=torch.full((100,), 0.9), mean=torch.full((100,), 0.5), inside=torch.tensor([[1.0, 0.9]] * 9),
                   trained=torch.arange(100) < 9)  # fmt: skip
    lower = Result(
        value=0.6, stderr=0.05, estimates={"InfoNCE": 0.35, "PlugIn": 0.6}, method="PlugIn", n=100, extrapolated=True
    )
    made = MODULE._bracket(sample, Recipe(seed=4), lower, rows, "y")
    assert (made.lower, made.lower_stderr) == (0.35, 0.05), "InfoNCE, the lower bound, and not what is reported"
    assert made.upper == pytest.approx(0.5)
    assert made.train_test_gap == pytest.approx(0.1)
    assert made.estimates["LeaveOneOut"] == pytest.approx(0.4)
    assert (made.n, made.seed, made.predicted, made.entropy_limit) == (100, 4, "y", None)


def test_the_upper_bound_is_at_most_the_entropy_of_the_label():
    x, _ = gaussian(100, dim=1)
    label = ["rare"] * 5 + ["frequent"] * 95
    rows = rows_of(outside=torch.full((100,), 0.9), mean=torch.full((100,), 0.5), inside=torch.tensor([[1.0, 0.9]] * 9),
                   trained=torch.arange(100) < 9)  # fmt: skip
    made = MODULE._bracket(Sample.of(x=x, y=label), Recipe(), known(0.1), rows, "x")
    entropy = -0.05 * math.log(0.05) - 0.95 * math.log(0.95)
    limit = entropy + entropy_margin(torch.tensor([0] * 5 + [1] * 95))
    assert (made.upper, made.upper_stderr) == (pytest.approx(limit, abs=1e-6), 0.0)
    assert made.estimates["LeaveOneOut"] == pytest.approx(0.4)
    shown = " ".join(repr(made).split())
    assert "upper bound 0.3307 (standard error 0): the largest entropy of the label, which is below" in shown


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"steps": 0}, ValueError, "steps is 0: expected a whole number of at least 1"),
        ({"negatives": 0}, ValueError, "negatives is 0: expected a whole number of at least 1"),
        ({"level": 1.0}, ValueError, "level is 1.0, and must lie strictly"),
        ({"unit": "bit"}, ValueError, "unit is 'bit'"),
        ({"encoder_x": torch.nn.Identity()}, TypeError, "bracket has no argument 'encoder_x'"),
        (
            {"estimate": Result(value=1.0, stderr=0.1, estimates={"NWJ": 1.0}, method="NWJ", n=100)},
            ValueError,
            "estimate holds no InfoNCE estimate",
        ),
    ],
)
def test_wrong_arguments(options, error, sentence):
    with pytest.raises(error, match=sentence):
        bracket(*gaussian(100), **options)


def test_images_are_refused():
    with pytest.raises(TypeError, match="x is image 1 x 8 x 8: expected"):
        bracket(torch.rand(60, 8, 8), torch.rand(60))


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("change", [lambda x, y: (x[:90], y[:90]), lambda x, y: (x, y[:, :1]), lambda x, y: (x, y > 0)])
def test_the_estimate_of_other_data_is_refused(change):
    x, y = gaussian(100)
    other = mi.estimate(*change(x, y), recipe="quick", steps=2, hidden=(4,))
    with pytest.raises(ValueError, match="estimate is of .* rows of x = .*, and the data are 100 rows of x ="):
        bracket(x, y, estimate=other)
    for wrong in (0.5, "result", other.to_dict()):
        with pytest.raises(TypeError, match=r"estimate is .* \(an? .*\): give the result of mi.estimate"):
            bracket(x, y, estimate=wrong)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_the_order_of_the_rows_changes_nothing():
    x, y = gaussian(100)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    short = {"recipe": "quick", "steps": 2, "hidden": (4,)}
    first, other = (bracket(x[rows], y[rows], **short) for rows in (torch.arange(100), order))
    assert (first.lower, first.upper) == (other.lower, other.upper)
