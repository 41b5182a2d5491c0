import json
import math

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.estimation.lagged import blocked, series
from mibounds.tasks import VectorAutoregression

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

QUICK = {"folds": 2, "steps": 60, "hidden": (32,)}


def normals(count, n=800, seed=0):
    return torch.randn(count, n, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def found():
    x, noise = normals(2)
    return mi.lagged(x, x.roll(3) + 0.75 * noise, range(-1, 5), **QUICK)


def test_the_lag_is_found(found):
    assert found.lags == (-1, 0, 1, 2, 3, 4)
    assert found.best == 3
    assert found[3].value == pytest.approx(0.5 * math.log(1 + 1 / 0.75**2), abs=0.08)  # .511
    others = [result.value for lag, result in zip(found.lags, found.results, strict=True) if lag != 3]
    assert others == pytest.approx([0] * 5, abs=0.06)
    with pytest.raises(KeyError, match=r"lag 5 was not measured. Known: -1, 0"):
        found[5]


def test_every_lag_has_the_same_rows_of_y(found):
    assert {result.rows for result in found.results} == {795}
    tests = [result.fitted[0].fold.test for result in found.results]
    assert all(torch.equal(rows, tests[0]) for rows in tests)


def test_it_converts_saves_and_plots(found, tmp_path):
    bits = found.to("bits", level=0.9)
    assert (bits.unit, bits[3].level) == ("bits", 0.9)
    assert bits.values == pytest.approx([value / math.log(2) for value in found.values])
    bits.save(tmp_path / "lags.json")
    record = json.loads((tmp_path / "lags.json").read_text())
    assert (record["best"], record["lags"], record["unit"]) == (3, [-1, 0, 1, 2, 3, 4], "bits")
    assert record["results"][4]["value"] == bits[3].value
    axis = bits.plot().axes[0]
    assert axis.get_title(loc="left") == "largest at lag 3"
    text = repr(found)
    assert "in nats with 95% intervals, 795 rows" in text
    assert text.count("largest") == 1
    assert "maybe-independent" in text


def test_a_process_reads_its_closed_form():
    process = VectorAutoregression.one_way(memory=0.5, coupling=1.0)
    x, y = process.sample(1500, torch.Generator().manual_seed(0))
    found = mi.lagged(x, y, [-1, 1], folds=2, steps=100, hidden=(32,))
    assert found.values == pytest.approx([process.lagged_information(lag) for lag in (-1, 1)], abs=0.07)


def test_no_row_that_trains_shares_a_value_with_one_that_tests():
    x, y = normals(2)
    found = mi.lagged(x, y, [-20, 5], gap=0, **QUICK)
    for fitted in found[-20].fitted:
        distance = (fitted.fold.train[:, None] - fitted.fold.test).abs().min()
        assert int(distance) > 20
    assert blocked({}, 800, None, 20) == {"split": "blocked", "gap": 28}


def test_times_that_miss_a_value_are_dropped_and_no_other_moves():
    x, noise = normals(2)
    y = x.roll(1) + 0.5 * noise
    x[::10] = math.nan
    found = mi.lagged(x, y, [0, 1], nan="drop", **QUICK)
    assert found.best == 1
    assert found[1].value > 0.6  # truth .80; time closing up over the gaps would leave a tenth of the pairs wrong
    assert found[1].rows == 799 - 80
    assert torch.equal(series(x, y, "drop")[1][:, 0], y)
    with pytest.raises(ValueError, match='x has 80 missing or infinite values, in column .* or pass nan="drop"'):
        mi.lagged(x, y, [0, 1], **QUICK)


def test_tables_and_arrays_are_taken():
    x, y = normals(2, 200).numpy().astype(np.float64)
    found = mi.lagged(x[:, None], np.stack([y, x], 1), np.arange(2), folds=2, steps=5, hidden=(8,))
    assert found.lags == (0, 1)


@pytest.mark.parametrize(
    "lags, sentence",
    [
        ([0, 1000], "lags reach from 0 to 1000, which leaves 0 of 800 rows: expected at least 50."),
        ([-400, 400], "lags reach from -400 to 400, which leaves 0 of 800 rows"),
        ([3, 1], r"lags is \[3, 1\]: expected at least one, rising and without repeats"),
        ([1, 1], r"lags is \[1, 1\]: expected at least one, rising and without repeats"),
        ([], r"lags is \[\]: expected at least one"),
        ([0.5], r"lags is \[0.5\]: expected whole numbers of rows"),
        (3, "lags is 3: expected whole numbers of rows"),
    ],
)
def test_lags_that_cannot_be_used_are_refused(lags, sentence):
    x, y = normals(2)
    with pytest.raises((ValueError, TypeError), match=sentence):
        mi.lagged(x, y, lags, **QUICK)


def test_what_cannot_be_used_is_refused():
    x, y = normals(2)
    with pytest.raises(ValueError, match="x has 800 rows and y has 799"):
        mi.lagged(x, y[:-1], [0], **QUICK)
    with pytest.raises(ValueError, match="x has 800 rows and y has 799"):
        mi.lagged(x, y[:-1], [0], nan="drop", **QUICK)
    with pytest.raises(ValueError, match="split is 'random', which tests rows of a series beside"):
        mi.lagged(x, y, [0], split="random", **QUICK)
    with pytest.raises(ValueError, match="gap is -1, and must be at least 0"):
        mi.lagged(x, y, [0], gap=-1, **QUICK)
    with pytest.raises(ValueError, match="nan is 'skip'"):
        mi.lagged(x, y, [0], nan="skip", **QUICK)
