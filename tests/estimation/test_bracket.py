import json
import math

import pytest
import torch

import mibounds as mi
from mibounds.estimation import BracketResult, bracket
from mibounds.estimation.bracket import _doubts
from mibounds.estimation.densities import DensityRows
from mibounds.tasks import CorrelatedGaussian
from mibounds.warnings import BeyondLogNWarning, ConstantColumnWarning, DensityMisfitWarning

QUICK = {"steps": 100, "hidden": (32,), "folds": 2}
MADE = BracketResult(
    0.5, 0.01, 0.54, 0.02, rows=1000, readings={"CLUB": 2.0, "LeaveOneOut": 0.53},
    warnings=(DensityMisfitWarning("why"),),
)  # fmt: skip


def gaussian(n=800, dim=2, rho=0.7, seed=0):
    return CorrelatedGaussian(dim, rho).sample(n, torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def found():
    return bracket(*gaussian(), **QUICK)


def test_it_holds_the_truth_of_an_easy_task(found):
    truth = CorrelatedGaussian(2, 0.7).mutual_information
    low, high = found.interval
    assert low < truth < high
    assert high - low < 0.6
    assert found.lower <= found.upper + 2 * found.upper_stderr
    assert found.upper == pytest.approx(found.readings["LeaveOneOut"] + found.shortfall)
    assert not found.warnings


def test_it_prints_as_one_line_and_becomes_json(found):
    assert repr(found).count("\n") == 0
    assert " <= I(X;Y) <= " in repr(found)
    record = found.to_dict()
    assert json.loads(json.dumps(record)) == record
    assert record["interval"] == list(found.interval)
    assert record["columns"] == [["x[0]", "x[1]"], ["y[0]", "y[1]"]]
    assert "warning density-misfit" in repr(MADE)


def test_bits_and_levels():
    bits = MADE.to("bits", level=0.5)
    assert bits.upper == pytest.approx(0.54 / math.log(2))
    assert bits.readings["CLUB"] == pytest.approx(2 / math.log(2))
    assert bits.interval[0] == pytest.approx((0.5 - 0.6745 * 0.01) / math.log(2), abs=1e-5)
    with pytest.raises(ValueError, match="unit is 'bit', and must be"):
        MADE.to("bit")


def test_an_upper_side_below_the_lower_one_does_not_turn_the_interval_around():
    low, high = BracketResult(1.0, 0.01, 0.5, 0.01, rows=100).interval
    assert (low, high) == (pytest.approx(1 - 0.0196, abs=1e-4), pytest.approx(1 + 0.0196, abs=1e-4))


def test_it_is_drawn_and_saved(tmp_path):
    axis = MADE.plot().axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["LeaveOneOut", "bracket"]
    MADE.save(tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text()) == MADE.to_dict()


def test_a_result_that_is_there_is_not_measured_again():
    x, y = gaussian(300)
    known = mi.Result(1.0, 0.1, {"InfoNCE": 0.25}, "InfoNCE", 300).to("bits")
    made = bracket(x, y, estimate=known, steps=10, unit="bits")
    assert made.lower == pytest.approx(0.25 / math.log(2))
    assert made.lower_stderr == pytest.approx(0.1 / math.log(2))


def test_the_side_with_fewer_columns_is_predicted():
    x, y = gaussian(300)
    known = mi.Result(0.3, 0.1, {"InfoNCE": 0.3}, "InfoNCE", 300)
    assert bracket(x, y, estimate=known, steps=10).predicted == "y"
    turned = bracket(x[:, :1], y, estimate=known, steps=10)
    assert turned.predicted == "x"
    assert turned.upper == bracket(y, x[:, :1], estimate=known, steps=10).upper


def test_warnings_are_kept_and_raised():
    x, y = gaussian(300)
    known = mi.Result(0.3, 0.1, {"InfoNCE": 0.3}, "InfoNCE", 300, warnings=(BeyondLogNWarning("so"),))
    with pytest.warns(BeyondLogNWarning), pytest.warns(ConstantColumnWarning):
        made = bracket(torch.cat([x, torch.ones(300, 1)], 1), y, estimate=known, steps=10)
    assert [warning.code for warning in made.warnings] == ["constant-column", "beyond-log-n"]


def test_a_density_that_does_not_fit_is_called_one():
    zero = torch.zeros(100)
    rows = DensityRows(
        outside=zero, mean=zero, mean_log=zero, halves=zero, marginal=zero + 0.2, half=torch.arange(100) % 2,
        inside=torch.zeros(10, 2), residuals=3 * torch.randn(100, 1, generator=torch.Generator().manual_seed(0)),
    )  # fmt: skip
    (warning,) = _doubts(rows, (1.0, 0.01), (0.8, 0.02))
    assert warning.code == "density-misfit"
    for sign in ("marginal density by 0.2 nats", "from standard normal", "less than the lower side, 0.8 against 1"):
        assert sign in str(warning)
    good = torch.randn(100, 1, generator=torch.Generator().manual_seed(0))
    fine = DensityRows(zero, zero, zero, zero, zero, torch.arange(100) % 2, torch.zeros(10, 2), good)
    assert not _doubts(fine, (0.8, 0.01), (0.8, 0.02))


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"steps": 0}, "steps is 0, and must be at least 1"),
        ({"negatives": 0}, "negatives is 0, and must be at least 1"),
        ({"level": 1.0}, "level is 1.0, and must lie strictly"),
        ({"estimate": mi.Result(1.0, 0.1, {"NWJ": 1.0}, "NWJ", 100)}, "estimate holds no reading by InfoNCE"),
    ],
)
def test_wrong_arguments(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        bracket(*gaussian(100), **options)
