"""`estimate`: what it accepts and refuses, its warnings and its accuracy; that over many seeds is in the slow part."""

import json
import math
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from torch import nn

import mibounds as mi
from mibounds.data import Sample
from mibounds.estimation._estimate import _estimate
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.policy import _MARGIN
from mibounds.training.recipe import Recipe
from mibounds.warnings import (
    BeyondLogNWarning,
    ConstantColumnWarning,
    ExtrapolatedWarning,
    InfiniteInformationWarning,
    MaybeIndependentWarning,
    MIWarning,
    OverfitWarning,
    RowsDroppedWarning,
    SmallSampleWarning,
)

QUICK = {"steps": 150, "hidden": (32, 32), "folds": 2}
SHORT = {"steps": 5, "hidden": (8,), "folds": 2}  # where the value does not matter


def gaussian(n=600, dim=2, rho=0.8, seed=0):
    return CorrelatedGaussian(dim, rho).sample(n, torch.Generator().manual_seed(seed))


def test_no_other_argument_is_needed(two_folds):
    x, y = (side[:, 0].numpy() for side in gaussian(800))
    result = mi.estimate(x, y)
    assert result.value == pytest.approx(0.511, abs=0.15)
    low, high = result.interval
    assert low < -0.5 * math.log1p(-(np.corrcoef(x, y)[0, 1] ** 2)) < high  # what these rows say, 0.544 nats
    assert not result.warnings
    assert result.method in ("InfoNCE", "KSG", "GaussianCopula")
    assert result.value == result.estimates[result.method]
    assert result.columns == (("x",), ("y",))
    assert json.loads(json.dumps(result.to_dict()))["value"] == result.value


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_tables_give_the_same_number_as_arrays(table):
    x, y = (side.numpy() for side in gaussian(200))
    expected = mi.estimate(x, y, **SHORT)
    result = mi.estimate(table({"a": x[:, 0], "b": x[:, 1]}), table({"c": y[:, 0], "d": y[:, 1]}), **SHORT)
    assert result.value == expected.value
    assert result.columns == (("a", "b"), ("c", "d"))


def test_the_seed_decides_whatever_the_workers_and_no_global_state_moves():
    x, y = gaussian(400)
    torch.manual_seed(7)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    one = mi.estimate(x, y, **SHORT, seed=3, workers=1)
    torch.manual_seed(8)
    two = mi.estimate(x, y, **SHORT, seed=3, workers=2)
    assert one.to_dict() == two.to_dict()
    assert mi.estimate(x, y, **SHORT, seed=4).estimates != one.estimates
    torch.manual_seed(7)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("critic", ["separable", "joint", "bilinear"])
@pytest.mark.parametrize("bound", ["infonce", "jensenshannon"])
def test_critics_and_bounds_by_name(critic, bound):
    result = mi.estimate(*gaussian(400), critic=critic, bound=bound, **{**QUICK, "steps": 60})
    assert result.value == pytest.approx(1.02, abs=0.2)


def test_a_dependence_without_correlation():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1500, 1, generator=generator)
    y = x.square() + 0.3 * torch.randn(1500, 1, generator=generator)
    result = mi.estimate(x, y, **{**QUICK, "steps": 250, "lr": 4e-3, "hidden": (64,)})
    assert result.value > 0.95
    assert abs(float(torch.corrcoef(torch.cat([x, y], 1).T)[0, 1])) < 0.2


def test_units_and_levels():
    nats = mi.estimate(*gaussian(200), **SHORT)
    bits = mi.estimate(*gaussian(200), **SHORT, unit="bits", level=0.5)
    assert bits.value == pytest.approx(nats.value / math.log(2))
    assert bits.level == 0.5
    with pytest.raises(ValueError, match="level is 1"):
        mi.estimate(*gaussian(), level=1)
    with pytest.raises(ValueError, match="unit is 'nat'"):
        mi.estimate(*gaussian(), unit="nat")


def test_independent_columns_give_about_zero():
    x, y = (torch.randn(500, 3, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    with pytest.warns(MaybeIndependentWarning, match="do not show a dependence"):
        result = mi.estimate(x, y, **QUICK)
    assert abs(result.value) < 0.05
    assert result.interval[1] > 0


def test_few_independent_rows_are_not_extrapolated():
    x, y = (torch.randn(80, 1, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    with pytest.warns(MaybeIndependentWarning), pytest.warns(SmallSampleWarning), warnings.catch_warnings():
        warnings.simplefilter("ignore", OverfitWarning)
        result = mi.estimate(x, y, **{**QUICK, "folds": 5, "steps": 60})
    assert result.method in ("InfoNCE", "GaussianCopula")
    assert not result.extrapolated
    assert {w.code for w in result.warnings} - {"overfit"} == {"small-sample", "maybe-independent"}
    assert abs(result.value) < 0.1


def test_high_information_is_extrapolated_with_a_warning():
    x, y = CorrelatedGaussian.with_information(5, 5.0).sample(1500, torch.Generator().manual_seed(3))
    with pytest.warns(ExtrapolatedWarning, match="close to the most that 1,500 rows can certify"):
        result = mi.estimate(x, y, **QUICK)
    assert result.method == "PlugIn"
    assert result.extrapolated
    assert result.value == pytest.approx(5.0, rel=0.08)
    assert result.value > math.log(500) - _MARGIN


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
        result = mi.estimate(x, function(x), **SHORT)
    assert "infinite-information" in [w.code for w in result.warnings]


def test_copies_of_labels_are_not_infinite():
    x, label = gaussian(300)[0], (torch.arange(300) % 2).float()
    result = mi.estimate(torch.cat([x, label[:, None]], 1), label, **QUICK)
    assert result.value == pytest.approx(math.log(2), abs=0.06)
    assert not result.warnings


def test_dropped_rows_and_columns_are_warned_of():
    x, y = (side.numpy().copy() for side in gaussian())
    x = np.concatenate([x, np.ones((600, 1))], 1)
    y[5, 1] = np.nan
    with pytest.raises(ValueError, match=r"y has 1 missing or infinite values, in column 'y\[1\]' \(1\)"):
        mi.estimate(x, y)
    with pytest.warns(RowsDroppedWarning), pytest.warns(ConstantColumnWarning):
        result = mi.estimate(x, y, nan="drop", **SHORT)
    assert result.n == 599
    assert [w.code for w in result.warnings] == ["rows-dropped", "constant-column"]
    assert result.columns[0] == ("x[0]", "x[1]")


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"bound": "infonse"}, ValueError, "Did you mean 'infonce'"),
        ({"critic": "seperable"}, ValueError, "critic is 'seperable': expected one of .*'separable'"),
        ({"bound": "plugin"}, ValueError, "needs a density critic"),
        ({"batch_size": 10_000}, ValueError, "batch_size is 10000, and a fold trains on"),
        ({"device": "cuda:99"}, ValueError, "which this machine does not have"),
        ({"stepz": 3}, TypeError, "stepz"),
        ({"nan": "fill"}, ValueError, "nan is 'fill'"),
        ({"recipe": "fast"}, ValueError, "recipe is 'fast': expected 'quick', 'default' or 'thorough'"),
        ({"recipe": 3}, TypeError, r"recipe is 3 \(an int\): expected 'quick'"),
        ({"level": 95}, ValueError, "level is 95"),
        ({"n_folds": 2}, TypeError, "estimate has no argument 'n_folds'. Did you mean 'folds'"),
    ],
)
def test_bad_arguments(options, error, sentence):
    with pytest.raises(error, match=sentence):
        mi.estimate(*gaussian(), **options)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mibounds.warnings.MaybeIndependentWarning")
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
def test_weights_measure_the_weighted_population():
    """y depends on x in half of the rows, and weights select them."""
    x, noise = torch.randn(2, 1200, generator=torch.Generator().manual_seed(0))
    depends = torch.arange(1200) % 2 == 0
    y = torch.where(depends, x + 0.5 * noise, noise)
    quick = {**QUICK, "steps": 60, "lr": 4e-3}
    one = mi.estimate(x, y, sample_weight=depends.float(), **quick)
    assert one.value == pytest.approx(0.5 * math.log(5), abs=0.12)
    assert one.n == 600
    assert torch.equal(one.pointwise.isnan(), ~depends)
    none = mi.estimate(x, y, sample_weight=(~depends).double().numpy(), **quick)
    assert none.value == pytest.approx(0, abs=0.08)
    assert mi.estimate(x, y, sample_weight=[2] * 1200, **SHORT).value == mi.estimate(x, y, **SHORT).value


def test_a_recipe_and_its_settings_give_the_same_number():
    x, y = gaussian(200)
    expected = mi.estimate(x, y, **SHORT)
    assert mi.estimate(x, y, recipe=mi.Recipe(**SHORT)) == expected
    assert mi.estimate(x, y, recipe=mi.Recipe.preset("quick").replace(test_negatives="all"), **SHORT) == expected


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_part_is_estimated_by_the_columns_that_vary_in_it():
    x, y = (side.numpy() for side in gaussian(200))
    third = np.where(np.arange(200) < 100, 7.0, y[:, 1])
    sample = Sample.of(x=np.c_[x, third], y=y)
    part = _estimate(sample[torch.arange(100)], Recipe(**SHORT))
    assert part.columns[0] == ("x[0]", "x[1]")
    assert part.value == mi.estimate(x[:100], y[:100], **SHORT).value
    assert _estimate(sample, Recipe(**SHORT)).columns[0] == ("x[0]", "x[1]", "x[2]")


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_the_interval_reaches_what_no_fit_could_find():
    """Linear dependences whose correlations are all below the noise: 2 D_x D_y / N nats of the training rows, at most
    a quarter of a nat where the Gaussian copula of all rows finds none."""
    x, y = (torch.randn(100, 8, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    assert mi.estimate(x, y, **SHORT).interval_bias[1] == pytest.approx(1e-3 + 0.25)
    result = mi.estimate(x[:, :2], y[:, :2], **SHORT)
    trained = min(len(fitted.fold.train) for fitted in result.fitted)
    assert result.interval_bias[1] == pytest.approx(1e-3 + 2 * 2 * 2 / trained, rel=0.02)


@pytest.mark.parametrize("counts", [(48, 1, 1), (45, 3, 2), (5,) * 10], ids=str)
def test_classes_may_be_rare(counts):
    """Boosting is fitted to parts of a fold, in some of which a class has no sample or one."""
    x = gaussian(sum(counts))[0]
    labels = np.repeat(np.array(list("abcdefghij")[: len(counts)]), counts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MIWarning)
        result = mi.estimate(x, labels, **{**SHORT, "folds": 5})
    assert math.isfinite(result.value)
    low, high = result.interval
    assert low < high <= result.entropy_limit
    assert torch.isfinite(result.fitted.score_pairs(x, labels)).all()


@pytest.mark.parametrize("variable", ["x", "y"])
def test_a_constant_has_no_information(variable):
    x, y = gaussian(100)
    sides = {"x": x, "y": y, variable: torch.full((100, 2), 7.0)}
    with pytest.warns(ConstantColumnWarning, match=f"{variable} is constant in every column: its information is 0"):
        result = mi.estimate(**sides, unit="bits")
    assert (result.value, result.stderr, result.interval) == (0.0, 0.0, (0.0, 0.0))
    assert (result.method, result.n, result.unit) == ("constant", 100, "bits")
    assert [warning.code for warning in result.warnings] == ["constant-column"]
    assert torch.equal(result.pointwise, torch.zeros(100))
    assert result.fitted is None
    assert result.columns == (("x[0]", "x[1]"), ("y[0]", "y[1]"))


def test_pandas_tables_whose_names_are_numbers_give_the_same_number():
    x, y = (side.numpy() for side in gaussian(200))
    result = mi.estimate(pd.DataFrame(x), pd.Series(y[:, 0]), **SHORT)
    assert result.value == mi.estimate(x, y[:, 0], **SHORT).value
    assert result.columns == (("0", "1"), ("y",))


RNG = np.random.default_rng(0)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_label_has_at_most_its_entropy():
    labels = np.tile([0, 0, 0, 1, 1, 2], 50)
    x = labels + RNG.normal(size=300) * 1e-3
    for noisy in (x, np.stack([x, x * 7], 1)):
        result = mi.estimate(noisy, labels, steps=100, folds=2, hidden=(32,))
        assert result.kinds[1] == ("categorical",)
        assert result.entropy_limit == pytest.approx(1.059791, abs=1e-6)  # of the frequencies 1.011404
        assert 0.85 * result.entropy_limit < result.value <= result.entropy_limit
        assert result.interval[1] <= result.entropy_limit
        assert result.method in ("Classifier", "MixedKSG", "SelectedKSG")
        assert result.to("bits").entropy_limit == pytest.approx(1.059791 / math.log(2), abs=1e-6)
        assert "at most 1.06 (upper confidence limit of the label's entropy)" in repr(result)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_of_two_labels_the_one_with_less_entropy_limits_the_information():
    coarse = np.tile([0, 0, 0, 1], 50)
    fine = np.arange(200) % 4
    one, other = (mi.estimate(*pair, **{**SHORT, "steps": 30}) for pair in ((coarse, fine), (fine, coarse)))
    entropy = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    for result in (one, other):
        assert entropy < result.entropy_limit < entropy + 0.08
        assert result.value == pytest.approx(entropy, abs=0.1)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_an_image_and_a_label_and_an_encoder_of_the_user(tmp_path):
    labels = np.arange(400) % 2
    images = np.zeros((400, 8, 8), np.float32)
    images[np.arange(400), labels * 4 + 1] = 1
    images += RNG.normal(size=images.shape) * 0.3
    result = mi.estimate(images, labels, steps=60, folds=2)
    assert result.kinds == (("image 1 x 8 x 8",), ("categorical",))
    result.fitted.save(tmp_path / "model.safetensors")
    again = mi.load(tmp_path / "model.safetensors").score_pairs(images[:9], labels[:9])
    assert torch.equal(again, result.fitted.score_pairs(images[:9], labels[:9]))
    assert torch.isfinite(result.fitted.score_pairs(images[:2], [0, 7])).all(), "an unseen label is no error"
    assert 0.6 < result.value <= np.log(2)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    before = encoder[1].weight.detach().clone()
    own = mi.estimate(images, labels, encoder_x=encoder, steps=60, folds=2)
    assert own.kinds[0] == ("encoded by Sequential",)
    assert 0.55 < own.value <= np.log(2)
    assert torch.equal(encoder[1].weight, before), "a copy is trained"


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_ragged_sequences_give_the_same_number_as_padded_ones():
    lengths = 4 + np.arange(200) % 9
    means = RNG.normal(size=200)
    ragged = [mean + RNG.normal(size=length) for mean, length in zip(means, lengths, strict=True)]
    padded = np.full((200, 12), np.nan)
    for row, part in zip(padded, ragged, strict=True):
        row[: len(part)] = part
    first = mi.estimate(ragged, means, **{**QUICK, "steps": 40})
    second = mi.estimate(padded, means, x_type="sequence", **{**QUICK, "steps": 40})
    assert first.value == second.value
    assert first.value > 0.2
    assert first.kinds == (("sequence of up to 12 steps x 1",), ("continuous",))
    scores = (result.fitted.score_pairs(some[:9], means[:9]) for result, some in ((first, ragged), (second, padded)))
    assert torch.equal(*scores)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_groups_are_not_divided_between_folds():
    group = np.repeat(np.arange(60), 10)
    x, y = (RNG.normal(size=60)[group] + 0.02 * RNG.normal(size=600) for _ in "xy")
    result = mi.estimate(x, y, groups=[f"person {i}" for i in group], **SHORT)
    for fitted in result.fitted:
        parts = [set(group[rows.numpy()].tolist()) for rows in (fitted.fold.train, fitted.fold.valid, fitted.fold.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    with pytest.raises(ValueError, match="groups has 599 rows and 1 column: expected one value for each of the 600"):
        mi.estimate(x, y, groups=group[1:], **SHORT)
    with pytest.raises(ValueError, match="groups and split='blocked' exclude each other"):
        mi.estimate(x, y, groups=group, split="blocked", **SHORT)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_splitter_makes_the_folds():
    x = RNG.normal(size=200)
    result = mi.estimate(x, x + RNG.normal(size=200), cv=KFold(3), steps=30, hidden=(16,))
    assert len(result.fold_values) == 3
    assert sorted(result.fitted[0].fold.test.tolist()) == list(range(67))
    grouped = mi.estimate(x, -x, cv=GroupKFold(4), groups=np.arange(200) // 10, steps=30, hidden=(16,))
    for fitted in grouped.fitted:
        parts = [set((rows // 10).tolist()) for rows in (fitted.fold.train, fitted.fold.valid, fitted.fold.test)]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    with pytest.raises(ValueError, match="cv tests some rows twice"):
        mi.estimate(x, x, cv=ShuffleSplit(3, random_state=0), steps=30)
    with pytest.raises(TypeError, match="cv is 3: expected a splitter"):
        mi.estimate(x, x, cv=3)
    with pytest.raises(ValueError, match="cv makes the folds: pass neither folds nor split"):
        mi.estimate(x, x, cv=KFold(3), folds=3)
