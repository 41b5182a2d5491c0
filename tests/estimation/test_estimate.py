"""One call: what it accepts, what it refuses, what it warns of; accuracy over many seeds is in the slow part."""

import json
import math
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import mibounds as mi
from mibounds.estimation.estimate import MARGIN
from mibounds.tasks import CorrelatedGaussian
from mibounds.warnings import (
    BeyondLogNWarning,
    ConstantColumnWarning,
    ExtrapolatedWarning,
    InfiniteInformationWarning,
    MaybeIndependentWarning,
    RowsDroppedWarning,
    SmallSampleWarning,
)

QUICK = {"steps": 150, "hidden": (32, 32), "folds": 2}


def gaussian(n=600, dim=2, rho=0.8, seed=0):
    return CorrelatedGaussian(dim, rho).sample(n, torch.Generator().manual_seed(seed))


def test_no_other_argument_is_needed(two_folds):
    result = mi.estimate(*(side[:, 0].numpy() for side in gaussian(800)))
    assert result.value == pytest.approx(0.511, abs=0.15)
    low, high = result.interval
    assert low < 0.511 < high
    assert not result.warnings
    assert result.reading == "InfoNCE"
    assert result.columns == (("x",), ("y",))
    assert json.loads(json.dumps(result.to_dict()))["value"] == result.value


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_tables_give_the_same_number_as_arrays(table):
    x, y = (side.numpy() for side in gaussian())
    expected = mi.estimate(x, y, **QUICK)
    result = mi.estimate(table({"a": x[:, 0], "b": x[:, 1]}), table({"c": y[:, 0], "d": y[:, 1]}), **QUICK)
    assert result.value == expected.value
    assert result.columns == (("a", "b"), ("c", "d"))


def test_the_seed_decides_whatever_the_workers_and_no_global_state_moves():
    x, y = gaussian()
    torch.manual_seed(7)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    one = mi.estimate(x, y, **QUICK, seed=3, workers=1)
    torch.manual_seed(8)
    two = mi.estimate(x, y, **QUICK, seed=3, workers=2)
    assert one.to_dict() == two.to_dict()
    assert mi.estimate(x, y, **QUICK, seed=4).value != one.value
    torch.manual_seed(7)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("critic", ["separable", "joint", "bilinear"])
@pytest.mark.parametrize("bound", ["infonce", "jensenshannon"])
def test_critics_and_bounds_by_name(critic, bound):
    result = mi.estimate(*gaussian(), critic=critic, bound=bound, **QUICK)
    assert result.value == pytest.approx(1.02, abs=0.2)


def test_a_dependence_that_no_gaussian_sees():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1500, 1, generator=generator)
    y = x.square() + 0.3 * torch.randn(1500, 1, generator=generator)
    result = mi.estimate(x, y, **{**QUICK, "steps": 400, "lr": 3e-3, "hidden": (64, 64)})
    assert result.value > 0.95
    assert abs(float(torch.corrcoef(torch.cat([x, y], 1).T)[0, 1])) < 0.2


def test_units_and_levels():
    nats = mi.estimate(*gaussian(), **QUICK)
    bits = mi.estimate(*gaussian(), **QUICK, unit="bits", level=0.5)
    assert bits.value == pytest.approx(nats.value / math.log(2))
    assert bits.level == 0.5
    with pytest.raises(ValueError, match="level is 1"):
        mi.estimate(*gaussian(), level=1)
    with pytest.raises(ValueError, match="unit is 'nat'"):
        mi.estimate(*gaussian(), unit="nat")


def test_independent_columns_read_nothing():
    x, y = (torch.randn(500, 3, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    with pytest.warns(MaybeIndependentWarning, match="do not show that x tells anything of y"):
        result = mi.estimate(x, y, **QUICK)
    assert abs(result.value) < 0.05
    assert result.interval[1] > 0


def test_few_independent_rows_are_not_extrapolated():
    x, y = (torch.randn(80, 1, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    with pytest.warns(MaybeIndependentWarning), pytest.warns(SmallSampleWarning):
        result = mi.estimate(x, y, **{**QUICK, "folds": 5})
    assert result.reading == "InfoNCE"
    assert [w.code for w in result.warnings] == ["small-sample", "maybe-independent"]
    assert abs(result.value) < 0.1


def test_high_information_is_extrapolated_with_a_warning():
    x, y = CorrelatedGaussian.with_information(5, 5.0).sample(1500, torch.Generator().manual_seed(0))
    with pytest.warns(ExtrapolatedWarning, match="close to the most that 1,500 rows can certify"):
        result = mi.estimate(x, y, **QUICK)
    assert result.reading == "PlugIn"
    assert result.extrapolated
    assert result.value == pytest.approx(5.0, rel=0.08)
    assert result.value > math.log(500) - MARGIN


def test_no_sample_can_certify_more_than_ln_n():
    x, y = CorrelatedGaussian.with_information(20, 15.0).sample(1500, torch.Generator().manual_seed(0))
    with pytest.warns(BeyondLogNWarning, match="above ln N = 7.31 nats"):
        result = mi.estimate(x, y, **QUICK)
    assert result.value == pytest.approx(15.0, rel=0.1)
    low, high = result.interval
    assert low < math.log(500) < 15 < high


@pytest.mark.parametrize(
    "function",
    [lambda x: x, lambda x: -3 * x + 1, lambda x: x.exp(), lambda x: x[:, [1, 0]]],
    ids=["itself", "linear", "exponential", "turned round"],
)
def test_copies_have_infinite_information(function):
    x = gaussian(300)[0]
    with pytest.warns(InfiniteInformationWarning), warnings.catch_warnings():
        warnings.simplefilter("ignore", BeyondLogNWarning)
        warnings.simplefilter("ignore", ExtrapolatedWarning)
        result = mi.estimate(x, function(x), **{**QUICK, "steps": 50})
    assert "infinite-information" in [w.code for w in result.warnings]


def test_copies_of_labels_are_not_infinite():
    x, label = gaussian(300)[0], (torch.arange(300) % 2).float()
    result = mi.estimate(torch.cat([x, label[:, None]], 1), label, **QUICK)
    assert result.value == pytest.approx(math.log(2), abs=0.06)
    assert not result.warnings


def test_rows_and_columns_that_are_dropped_are_told():
    x, y = (side.numpy().copy() for side in gaussian())
    x = np.concatenate([x, np.ones((600, 1))], 1)
    y[5, 1] = np.nan
    with pytest.raises(ValueError, match=r"y has 1 missing or infinite values, in column 'y\[1\]' \(1\)"):
        mi.estimate(x, y)
    with pytest.warns(RowsDroppedWarning), pytest.warns(ConstantColumnWarning):
        result = mi.estimate(x, y, nan="drop", **QUICK)
    assert result.rows == 599
    assert [w.code for w in result.warnings] == ["rows-dropped", "constant-column"]
    assert result.columns[0] == ("x[0]", "x[1]")


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"bound": "infonse"}, ValueError, "Did you mean 'infonce'"),
        ({"critic": "seperable"}, ValueError, "Did you mean 'separable'"),
        ({"bound": "plugin"}, ValueError, "needs a density critic"),
        ({"batch_size": 10_000}, ValueError, "batch_size is 10000, and a fold trains on"),
        ({"device": "cuda:99"}, ValueError, "which this machine does not have"),
        ({"stepz": 3}, TypeError, "stepz"),
        ({"nan": "fill"}, ValueError, "nan is 'fill'"),
    ],
)
def test_bad_arguments(options, error, sentence):
    with pytest.raises(error, match=sentence):
        mi.estimate(*gaussian(), **options)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mibounds._checks.MaybeIndependentWarning")
@pytest.mark.parametrize("seed", range(20))
def test_independent_data_are_within_two_hundredths(seed):
    x, y = (torch.randn(2000, 5, generator=torch.Generator().manual_seed(1000 * k + seed)) for k in (1, 2))
    result = mi.estimate(x, y, seed=seed)
    assert abs(result.value) <= 0.02
    assert result.interval[1] >= 0


@pytest.mark.slow
@pytest.mark.parametrize("rho", [-0.9, -0.5, 0.2, 0.7, 0.95])
def test_the_curve_lies_on_the_truth(rho):
    task = CorrelatedGaussian(20, rho)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mi.MIWarning)
        result = mi.estimate(*task.sample(100_000, torch.Generator().manual_seed(0)))
    share = 0.05 if abs(rho) <= 0.9 else 0.08
    assert result.value == pytest.approx(task.mutual_information, abs=max(share * task.mutual_information, 0.03))


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_weights_measure_the_population_that_they_mean():
    """Half of the rows depend and half do not: the weights say of which there are how many."""
    x, noise = torch.randn(2, 2000, generator=torch.Generator().manual_seed(0))
    depends = torch.arange(2000) % 2 == 0
    y = torch.where(depends, x + 0.5 * noise, noise)
    one = mi.estimate(x, y, sample_weight=depends.float(), **QUICK)
    assert one.value == pytest.approx(0.5 * math.log(5), abs=0.12)
    assert one.rows == 1000
    assert torch.equal(one.pointwise.isnan(), ~depends)
    none = mi.estimate(x, y, sample_weight=(~depends).double().numpy(), **QUICK)
    assert none.value == pytest.approx(0, abs=0.08)
    few = {**QUICK, "steps": 5}
    assert mi.estimate(x, y, sample_weight=[2] * 2000, **few).value == mi.estimate(x, y, **few).value
