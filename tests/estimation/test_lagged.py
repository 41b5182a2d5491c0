"""Mutual information by lag: the lag that is found, which rows are compared, and what is refused."""

import importlib
import json
import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

import mibounds as mi
from mibounds.data import Sample
from mibounds.estimation.lagged import check_reach, series_recipe
from mibounds.results import Result
from mibounds.tasks import VectorAutoregression
from mibounds.training.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

MODULE = importlib.import_module("mibounds.estimation.lagged")
QUICK = {"folds": 2, "steps": 60, "hidden": (32,)}


def normals(count, n=800, seed=0):
    return torch.randn(count, n, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def found():
    x, noise = normals(2)
    return mi.lagged(x, x.roll(3) + 0.75 * noise, (-1, 0, 2, 3, 4), **QUICK)


def test_the_lag_is_found(found):
    assert found.lags == (-1, 0, 2, 3, 4)
    assert found.best == 3
    assert found[3].value == pytest.approx(0.5 * math.log(1 + 1 / 0.75**2), abs=0.08)  # .511
    others = [result.value for lag, result in zip(found.lags, found.results, strict=True) if lag != 3]
    assert others == pytest.approx([0] * 4, abs=0.06)
    with pytest.raises(KeyError, match=r"lag 5 was not estimated. Known: -1, 0"):
        found[5]


def test_every_lag_has_the_same_rows_of_y(found):
    assert {result.n for result in found.results} == {795}
    tests = [result.fitted[0].fold.test for result in found.results]
    assert all(torch.equal(rows, tests[0]) for rows in tests)


def test_it_converts_saves_and_plots(found, tmp_path):
    bits = found.to("bits", level=0.9)
    assert (bits.unit, bits[3].level) == ("bits", 0.9)
    assert bits.values == pytest.approx([value / math.log(2) for value in found.values])
    bits.save(tmp_path / "lags.json")
    record = json.loads((tmp_path / "lags.json").read_text())
    assert (record["best"], record["lags"], record["unit"]) == (3, [-1, 0, 2, 3, 4], "bits")
    assert record["results"][3]["value"] == bits[3].value
    axis = bits.plot().axes[0]
    assert axis.get_title(loc="left") == "largest at lag 3"
    text = repr(found)
    assert "in nats, n = 795" in text
    assert text.count("largest") == 1
    assert "maybe-independent" in text


def test_a_process_has_its_closed_form():
    process = VectorAutoregression.one_way(memory=0.5, coupling=1.0)
    x, y = process.sample(1500, torch.Generator().manual_seed(0))
    found = mi.lagged(x, y, [-1, 1], folds=2, steps=100, hidden=(32,))
    assert found.values == pytest.approx([process.lagged_information(lag) for lag in (-1, 1)], abs=0.07)


def test_no_row_that_trains_shares_a_value_with_one_that_tests():
    x, y = normals(2)
    found = mi.lagged(x, y, [-20, 5], gap=0, folds=2, steps=5, hidden=(8,))
    for fitted in found[-20].fitted:
        distance = (fitted.fold.train[:, None] - fitted.fold.test).abs().min()
        assert int(distance) > 20


def test_the_gap_is_the_memory_and_the_reach_together():
    assert series_recipe(Recipe(), 800, None, 20) == Recipe(split="blocked", gap=28)
    assert series_recipe(Recipe(), 801, None, 20).gap == 29, "one per cent, rounded up"
    assert series_recipe(Recipe(), 800, 0, 20).gap == 20
    assert series_recipe(Recipe(split="blocked", gap=30), 800, None, 20).gap == 50
    assert series_recipe(Recipe(split="blocked", gap=30), 800, 5, 20).gap == 25
    with pytest.raises(ValueError, match="recipe has cv, and the folds of series are contiguous blocks"):
        series_recipe(Recipe(cv=[(range(9), range(9, 12))]), 800, None, 20)


def test_times_that_miss_a_value_are_dropped_and_no_other_moves():
    x, noise = normals(2)
    y = x.roll(1) + 0.5 * noise
    x[::10] = math.nan
    found = mi.lagged(x, y, [0, 1], nan="drop", **QUICK)
    assert found.best == 1
    assert found[1].value > 0.6  # truth .80; time closing up over the gaps would leave a tenth of the pairs wrong
    assert found[1].n == 799 - 80
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
        ([], r"lags is \[\], which holds no lag"),
        ([True], r"lags is \[True\]: expected whole numbers of rows"),
        (torch.tensor([True]), r"lags is tensor\(\[True\]\): expected whole numbers of rows"),
        ([0.5], r"lags is \[0.5\]: expected whole numbers of rows"),
        (0.5, "lags is 0.5: expected whole numbers of rows"),
        ("ab", "lags is 'ab': expected whole numbers of rows"),
        (800, "lags reach from 800 to 800, which leaves 0 of 800 rows"),
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
    with pytest.raises(TypeError, match="lagged has no argument 'split'"):
        mi.lagged(x, y, [0], split="random", **QUICK)
    with pytest.raises(TypeError, match="lagged has no argument 'groups'"):
        mi.lagged(x, y, [0], groups=x, **QUICK)
    with pytest.raises(ValueError, match="gap is -1: expected a whole number of at least 0"):
        mi.lagged(x, y, [0], gap=-1, **QUICK)
    with pytest.raises(ValueError, match="nan is 'skip'"):
        mi.lagged(x, y, [0], nan="skip", **QUICK)


@pytest.fixture
def estimates(monkeypatch):
    """Replace the inner estimate by one that records what it was called with."""
    calls = []

    def estimate(sample, recipe):
        calls.append((sample, recipe))
        return Result(
            value=1.0, stderr=0.1, estimates={"InfoNCE": 1.0}, method="InfoNCE", n=sample.n, warnings=sample.warnings
        )

    monkeypatch.setattr(MODULE, "_estimate", estimate)
    return calls


@pytest.mark.parametrize("lags, expected", [([3, -1, 3, 0], (-1, 0, 3)), (2, (2,)), (np.asarray(1), (1,)), ({4}, (4,))])
def test_lags_are_sorted_and_one_number_is_one_lag(estimates, lags, expected):
    x, y = normals(2, 200)
    assert mi.lagged(x, y, lags).lags == expected
    assert len(estimates) == len(expected)


def test_pairs_are_where_they_should_be(estimates):
    """Rows count themselves, so each pair shows its times."""
    times = np.arange(200.0) + 0.5
    found = mi.lagged(times, -times, [-3, 0, 5], unit="bits", gap=7, checkpoint="run", progress=False)
    for lag, (sample, recipe) in zip(found.lags, estimates, strict=True):
        assert sample.y.values[:, 0].tolist() == (-times[5:197]).tolist()
        assert sample.x.values[:, 0].tolist() == (times[5 - lag : 197 - lag]).tolist()
        assert sample.kept.tolist() == [*range(5, 197)]
        assert (recipe.split, recipe.gap) == ("blocked", 12)
        assert recipe.checkpoint.as_posix() == f"run/lag {lag}"
        assert not recipe.progress
    assert found[0].value == pytest.approx(1 / math.log(2))


@pytest.mark.parametrize("n, allowed", [(100, True), (99, False)])
def test_at_least_fifty_times_are_left(estimates, n, allowed):
    x, y = normals(2, n)
    if allowed:
        assert mi.lagged(x, y, [-20, 30])[30].n == 50
    else:
        with pytest.raises(ValueError, match="lags reach from -20 to 30, which leaves 49 of 99 rows"):
            mi.lagged(x, y, [-20, 30])
    with pytest.raises(ValueError, match="it leaves, which leaves 0 of 60 rows: expected at least 50"):
        check_reach("it leaves", 60, -4)


def test_what_is_true_of_the_series_is_issued_once_and_kept(estimates):
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("always")
        found = mi.lagged(np.ones(200), normals(1, 200)[0], [0, 1, 2])
    assert [str(one.message) for one in issued] == ["x is constant in every column: its information is 0."]
    assert [warning.code for warning in found[2].warnings] == ["constant-column"]


def test_a_constant_has_no_information_at_any_lag():
    found = mi.lagged(np.ones(200), normals(1, 200)[0], [0, 1], **QUICK)
    assert found.values == (0.0, 0.0)


def test_types_are_those_of_each_variable(estimates):
    x, y = np.arange(200.0) % 3, np.arange(200) % 7 + 0.5
    mi.lagged(x, y, [1], x_type="categorical")
    ((sample, _),) = estimates
    assert sample.x.kinds == ("categorical",)
    assert sample.y.kinds == ("continuous",)
    assert isinstance(sample, Sample)


def test_the_times_of_an_index_are_looked_at(estimates):
    times = pd.date_range("2024-01-01", periods=300, freq="h")
    table = pd.DataFrame(normals(2, 300).T.numpy(), times, columns=["x", "y"])
    odd = table[np.arange(300) % 3 > 0]
    assert "uneven-times" not in [one.code for one in mi.lagged(table.x, table.y, [2]).warnings]
    for arguments in ((odd.x, odd.y), (odd, "y")):
        with pytest.warns(mi.warnings.UnevenTimesWarning, match="a lag of 2 is two rows"):
            mi.lagged(*arguments, [2])
    for verb, options in ((mi.lagged, {"lags": [2]}), (mi.transfer_entropy, {})):
        with pytest.raises(ValueError, match=r"x.sort_index\(\)"):
            verb(table.x[::-1], table.y[::-1], **options)
