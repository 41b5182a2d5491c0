import json
import math

import pytest
import torch

import mibounds as mi
from mibounds.tasks import VectorAutoregression

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

QUICK = {"folds": 2, "steps": 100, "hidden": (32,)}
PROCESS = VectorAutoregression.one_way(memory=0.8, coupling=1.0)


@pytest.fixture(scope="module")
def series():
    return PROCESS.sample(1200, torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def forth(series):
    return mi.transfer_entropy(*series, permutations=99, **QUICK)


@pytest.fixture(scope="module")
def back(series):
    return mi.transfer_entropy(*series[::-1], permutations=99, **QUICK)


def test_the_driven_direction_reads_its_closed_form(forth):
    assert PROCESS.transfer_entropy() == pytest.approx(0.51, abs=0.0001)
    assert forth.value == pytest.approx(PROCESS.transfer_entropy(), abs=0.07)
    assert forth.interval[0] < PROCESS.transfer_entropy() < forth.interval[1]
    assert forth.pvalue == 0.01


def test_nothing_flows_the_other_way_although_the_pasts_share_much(back):
    assert back.value == pytest.approx(0, abs=0.05)
    assert back.conditional.parts["I(X;Z)"].value > 0.15
    assert back.pvalue > 0.05


def test_the_same_seed_gives_the_same_answer(series):
    x, y = (side[:300] for side in series)
    found = [mi.transfer_entropy(y, x, permutations=99, folds=2, steps=10, hidden=(8,), seed=s) for s in (3, 3, 4)]
    assert (found[0].value, found[0].pvalue) == (found[1].value, found[1].pvalue)
    assert found[0].value != found[2].value


def test_it_converts_and_saves(forth, tmp_path):
    bits = forth.to("bits", level=0.9)
    assert (bits.unit, bits.level, bits.pvalue) == ("bits", 0.9, 0.01)
    assert float(bits) == pytest.approx(forth.value / math.log(2))
    assert bits.stderr == pytest.approx(forth.stderr / math.log(2))
    assert bits.amplification == forth.amplification
    bits.save(tmp_path / "te.json")
    record = json.loads((tmp_path / "te.json").read_text())
    assert (record["value"], record["pvalue"], record["permutations"]) == (bits.value, 0.01, 99)
    assert (record["lag"], record["history"], record["own_history"]) == (1, 1, 1)
    text = repr(forth)
    assert f"transfer entropy {forth.value:.4g} nats" in text
    assert "p = 0.01 (99 surrogates)" in text
    assert "lag 1, history 1, own history 1, 1,199 rows: I(X;YZ)" in text


def test_pasts_are_where_they_should_be(monkeypatch):
    """Rows count themselves, so each part of the conditional shows the times that it holds."""
    seen = {}

    def conditional(x, y, z, **options):
        seen.update(x=x, y=y, z=z, options=options)
        raise LookupError

    monkeypatch.setattr("mibounds.estimation.transfer.conditional", conditional)
    times = torch.arange(200.0)
    with pytest.raises(LookupError):
        mi.transfer_entropy(torch.stack([times, -times], 1), times + 0.5, lag=4, history=2, own_history=3, seed=7)
    assert seen["x"][0].tolist() == [1, -1, 0, 0]  # t = 5: x of 1 and 0
    assert seen["y"][0].tolist() == [5.5]
    assert seen["z"][0].tolist() == [4.5, 3.5, 2.5]
    assert len(seen["x"]) == 195
    assert seen["options"] == {"method": "chain", "seed": 7, "split": "blocked", "gap": 7, "nan": "raise"}
    with pytest.raises(LookupError):
        mi.transfer_entropy(times, times + 0.5, history=2, own_history=6, gap=0)
    assert seen["z"][0].tolist() == [5.5, 4.5, 3.5, 2.5, 1.5, 0.5]
    assert seen["options"]["gap"] == 6


def test_several_columns_and_missing_values():
    wide = VectorAutoregression(torch.tensor([[0.3, 0.0, 0.0], [0.0, 0.3, 0.0], [0.9, 0.9, 0.2]]), 2)
    x, y = wide.sample(1000, torch.Generator().manual_seed(0))
    x[5::50, 0] = math.nan
    found = mi.transfer_entropy(x, y, nan="drop", permutations=19, **QUICK)
    assert found.conditional.rows == 999 - 20
    assert found.value == pytest.approx(wide.transfer_entropy(), abs=0.15)  # .50
    assert found.pvalue == 0.05


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"history": -1}, "history is -1, and must be at least 1"),
        ({"own_history": 0}, "own_history is 0, and must be at least 1"),
        ({"lag": 0}, "lag is 0, and must be at least 1"),
        ({"permutations": -1}, "permutations is -1, and must be at least 0"),
        ({"lag": 1200}, "the pasts reach 1200 rows back, which leaves 0 of 1200 rows"),
        ({"split": "random"}, "split is 'random', which tests rows of a series beside"),
        ({"gap": 100, "folds": 10}, "gap is 101 with what a row reaches back, and blocks of 119 rows hold no shift"),
    ],
)
def test_what_cannot_be_used_is_refused(series, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        mi.transfer_entropy(*series, **{**QUICK, "steps": 1, "permutations": 9, **options})


def test_series_that_do_not_pair_are_refused(series):
    x, y = series
    with pytest.raises(ValueError, match="x has 1200 rows and y has 1199"):
        mi.transfer_entropy(x, y[:-1])
    with pytest.raises(ValueError, match="x equals y: a series tells itself nothing beyond its own past"):
        mi.transfer_entropy(x, x)
