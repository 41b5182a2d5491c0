"""Transfer entropy: closed forms, where the pasts are, the p-value, and what is refused."""

import importlib
import json
import math
import sys

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.inference import mean_stderr
from mibounds.results import Result
from mibounds.tasks import VectorAutoregression

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

MODULE = importlib.import_module("mibounds.estimation.transfer_entropy")
QUICK = {"folds": 2, "steps": 100, "hidden": (32,)}
PROCESS = VectorAutoregression.one_way(memory=0.8, coupling=1.0)


@pytest.fixture(scope="module")
def series():
    return PROCESS.sample(800, torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def forth(series):
    return mi.transfer_entropy(*series, permutations=39, **QUICK)


@pytest.fixture(scope="module")
def back(series):
    return mi.transfer_entropy(*series[::-1], permutations=39, **QUICK)


def test_the_driven_direction_has_its_closed_form(forth):
    assert PROCESS.transfer_entropy() == pytest.approx(0.51, abs=0.0001)
    assert forth.value == pytest.approx(PROCESS.transfer_entropy(), abs=0.07)
    assert forth.interval[0] < PROCESS.transfer_entropy() < forth.interval[1]
    assert forth.pvalue == 0.025


def test_the_other_direction_is_zero_although_the_pasts_share_information(back):
    assert back.value == pytest.approx(0, abs=0.05)
    assert back.conditional.parts["I(X;Z)"].value > 0.15
    assert back.pvalue > 0.05


def test_the_same_seed_gives_the_same_answer(series):
    x, y = (side[:300] for side in series)
    found = [mi.transfer_entropy(y, x, permutations=4, folds=2, steps=5, hidden=(8,), seed=s) for s in (3, 3, 4)]
    assert (found[0].value, found[0].pvalue) == (found[1].value, found[1].pvalue)
    assert found[0].value != found[2].value


def test_it_converts_and_saves(forth, tmp_path):
    bits = forth.to("bits", level=0.9)
    assert (bits.unit, bits.level, bits.pvalue) == ("bits", 0.9, 0.025)
    assert float(bits) == pytest.approx(forth.value / math.log(2))
    assert bits.stderr == pytest.approx(forth.stderr / math.log(2))
    assert bits.amplification == forth.amplification
    bits.save(tmp_path / "te.json")
    record = json.loads((tmp_path / "te.json").read_text())
    assert (record["value"], record["pvalue"], record["permutations"]) == (bits.value, 0.025, 39)
    assert (record["lag"], record["history"], record["own_history"]) == (1, 1, 1)
    text = repr(forth)
    assert f"T(X -> Y) = {forth.value:.4g} nats" in text
    assert "p = 0.025 " in text
    assert "lag 1, history 1, own history 1, n = 799" in text


@pytest.fixture
def conditionals(monkeypatch):
    """Replace the conditional by one that records the sample and the recipe."""
    calls = []

    def conditional(sample, recipe, method, *, exchanged):
        assert not exchanged, "surrogates are of x"
        calls.append((sample, recipe, method))
        raise LookupError

    monkeypatch.setattr(MODULE, "_conditional", conditional)
    return calls


def test_pasts_are_where_they_should_be(conditionals):
    """Rows count themselves, so each variable of the conditional shows the times that it holds."""
    times = torch.arange(200.0)
    with pytest.raises(LookupError):
        mi.transfer_entropy(torch.stack([times, -times], 1), times + 0.5, lag=4, history=2, own_history=3, seed=7)
    sample, recipe, method = conditionals[-1]
    rows = {name: variable.values[0].tolist() for name, variable in sample.variables.items()}
    assert rows == {"x": [1, -1, 0, 0], "y": [5.5], "z": [4.5, 3.5, 2.5]}  # t = 5: x of 1 and 0
    assert sample.x.columns == ("x[0][t-4]", "x[1][t-4]", "x[0][t-5]", "x[1][t-5]")
    assert sample.n == 195
    assert sample.kept[0] == 5
    assert (method, recipe.seed, recipe.split, recipe.gap) == ("chain", 7, "blocked", 7)
    with pytest.raises(LookupError):
        mi.transfer_entropy(times, times + 0.5, history=2, own_history=6, gap=0)
    sample, recipe, _ = conditionals[-1]
    assert sample.variables["z"].values[0].tolist() == [5.5, 4.5, 3.5, 2.5, 1.5, 0.5]
    assert recipe.gap == 6
    with pytest.raises(LookupError):
        mi.transfer_entropy(times, times + 0.5, history=3)
    sample, recipe, _ = conditionals[-1]
    assert sample.variables["z"].columns == ("y[t-1]", "y[t-2]", "y[t-3]"), "by default as many as of x"
    assert recipe.gap == 2 + 3


def test_types_and_missing_values_are_those_of_each_series(conditionals):
    label, number = np.arange(200) % 3, np.arange(200.0) ** 2
    number[7] = math.nan
    with pytest.raises(LookupError):
        mi.transfer_entropy(label.astype(float), number, x_type="categorical", nan="drop")
    sample, _, _ = conditionals[-1]
    assert sample.x.kinds == ("categorical",)
    assert sample.y.kinds == sample.variables["z"].kinds == ("continuous",)
    assert sample.kept.tolist() == [t for t in range(1, 200) if t not in (7, 8)]


def test_a_constant_series_has_a_transfer_entropy_of_zero(series):
    x, y = (side[:200] for side in series)
    for pair in ((np.ones(200), y), (x, np.ones(200))):
        found = mi.transfer_entropy(*pair, permutations=9, gap=0, **QUICK)
        assert (found.value, found.pvalue) == (0.0, 1.0)
        assert "constant-column" in [warning.code for warning in found.warnings]


@pytest.mark.parametrize("permutations", [0, 9])
def test_a_series_adds_nothing_to_its_own_past(series, permutations):
    y = series[1][:300]
    found = mi.transfer_entropy(y, y, permutations=permutations, **QUICK)
    assert found.value == 0
    assert found.pvalue == (1.0 if permutations else None)


def test_the_error_is_that_of_runs_of_neighboring_rows(monkeypatch):
    """Ten differences, each of ten rows in a row: the error is that of ten, and not of a hundred."""
    ten = torch.randn(10, generator=torch.Generator().manual_seed(0)).double()
    slow = torch.cat([torch.zeros(1), ten.repeat_interleave(10)])  # the first row has no past
    rows = iter([slow, torch.zeros(101).double()])

    def estimate(sample, recipe, order=None, *, trained=False):
        return Result(value=0.5, stderr=0.1, estimates={}, method="", n=sample.n, pointwise=next(rows))

    monkeypatch.setattr(sys.modules["mibounds.estimation.conditional"], "_estimate", estimate)
    x, y = torch.randn(2, 101, generator=torch.Generator().manual_seed(1))
    found = mi.transfer_entropy(x, y)
    assert found.stderr == pytest.approx(mean_stderr(slow[1:], torch.arange(100) * 50 // 100))
    assert found.stderr > 1.3 * float(slow[1:].std()) / 10


def test_several_columns_and_missing_values():
    wide = VectorAutoregression(torch.tensor([[0.3, 0.0, 0.0], [0.0, 0.3, 0.0], [0.9, 0.9, 0.2]]), 2)
    x, y = wide.sample(600, torch.Generator().manual_seed(0))
    x[5::50, 0] = math.nan
    found = mi.transfer_entropy(x, y, nan="drop", permutations=19, **QUICK)
    assert found.n == 599 - 12
    assert found.value == pytest.approx(wide.transfer_entropy(), abs=0.15)  # .50
    assert found.pvalue == 0.05


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"history": -1}, "history is -1: expected a whole number of at least 1"),
        ({"own_history": 0}, "own_history is 0: expected a whole number of at least 1"),
        ({"lag": 0}, "lag is 0: expected a whole number of at least 1"),
        ({"permutations": -1}, "permutations is -1: expected a whole number of at least 0"),
        ({"lag": 800}, "the pasts reach 800 rows back, which leaves 0 of 800 rows"),
        ({"lag": 751}, "the pasts reach 751 rows back, which leaves 49 of 800 rows"),
        ({"gap": 100, "folds": 10}, "gap is 101 with the length of the pasts, and blocks of 79 rows allow no shift"),
        ({"gap": 119, "folds": 5}, "gap is 120 .* blocks of 159 rows allow no shift"),
    ],
)
def test_what_cannot_be_used_is_refused(series, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        mi.transfer_entropy(*series, **{**QUICK, "steps": 1, "permutations": 9, **options})


def test_options_that_series_do_not_have_are_refused(series):
    for name in ("split", "cv", "groups", "sample_weight", "encoder_x"):
        with pytest.raises(TypeError, match=f"transfer_entropy has no argument '{name}'"):
            mi.transfer_entropy(*series, **{name: None})


def test_series_that_do_not_pair_are_refused(series):
    x, y = series
    with pytest.raises(ValueError, match="x has 800 rows and y has 799"):
        mi.transfer_entropy(x, y[:-1])
