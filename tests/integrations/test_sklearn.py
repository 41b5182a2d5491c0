import inspect
import pickle
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import mibounds as mi
from mibounds.integrations.sklearn import MutualInformation

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

QUICK = {"steps": 60, "folds": 2, "hidden": (16,), "lr": 5e-3}


def pair(n=400, rho=0.9, seed=0):
    x, y = mi.tasks.CorrelatedGaussian(1, rho).sample(n, torch.Generator().manual_seed(seed))
    return x.double().numpy(), y.double().numpy()


@pytest.fixture
def ten_rows_are_enough(monkeypatch):
    """Most checks of scikit-learn fit 10 to 30 rows, which are too few for an estimate."""
    for module in ("mibounds.data.sample", "mibounds.data.weights", "mibounds.integrations.sklearn"):
        monkeypatch.setattr(sys.modules[module], "MINIMUM_ROWS", 10)


EXPECTED_FAILURES = {
    **dict.fromkeys(
        ("check_methods_sample_order_invariance", "check_methods_subset_invariance"), "score_samples takes X and y"
    ),
    "check_sample_weight_equivalence_on_dense_data": "weights select rows at random, they do not repeat them",
    "check_sample_weights_not_overwritten": "one weight of 16 is ten times the others, which leaves too few rows",
}


@pytest.mark.usefixtures("ten_rows_are_enough")
@parametrize_with_checks(
    [MutualInformation(steps=2, folds=2, hidden=(4,), validation_fraction=0.5, batch_size=2)],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_parameters_are_those_of_estimate_but_for_data_and_folders():
    parameters = inspect.signature(mi.estimate).parameters.values()
    theirs = {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}
    for name in ("groups", "sample_weight"):  # arguments of fit
        theirs.pop(name)
    for name in ("checkpoint", "resume"):  # the many fits of a search would share one folder
        theirs.pop(name)
    assert MutualInformation().get_params() == theirs
    signature = inspect.signature(MutualInformation)
    assert {name: one.default for name, one in signature.parameters.items()} == theirs


def test_parameters_are_stored_unchanged_and_checked_in_fit():
    x, y = pair(60)
    widths = [16, 16]
    model = MutualInformation(hidden=widths, steps=0, unit="bit", recipe="slow")
    assert model.hidden is widths
    assert (model.steps, model.unit, model.recipe) == (0, "bit", "slow")
    for wrong, error, sentence in (
        ({"unit": "bit"}, ValueError, "unit is 'bit'"),
        ({"level": 2.0}, ValueError, "level is 2.0"),
        ({"recipe": "slow"}, ValueError, "recipe is 'slow'"),
        ({"steps": 0}, ValueError, "steps is 0"),
        ({"folds": 2.5}, TypeError, "folds is 2.5"),
    ):
        with pytest.raises(error, match=sentence):
            MutualInformation(**wrong).fit(x, y)
    with pytest.raises(TypeError, match=r"MutualInformation has no argument 'n_folds'. Did you mean 'folds'\?"):
        MutualInformation(n_folds=2)


def test_a_recipe_with_settings_of_its_own():
    x, y = pair(200)
    recipe = mi.Recipe(steps=5, folds=2, hidden=(16,))
    assert MutualInformation(recipe=recipe).fit(x, y).value_ == mi.estimate(x, y, recipe=recipe).value
    model = MutualInformation(recipe="quick", steps=3, hidden=[16]).fit(x, y)
    assert model.value_ == mi.estimate(x, y, recipe="quick", steps=3, hidden=(16,)).value
    assert len(model.result_.fitted) == 2  # the folds of the preset, as those of the estimator are at their default


def test_the_value_is_that_of_estimate_and_the_score_is_of_new_rows():
    x, y = pair()
    model = MutualInformation(**QUICK).fit(x, y)
    assert model.value_ == model.result_.value == pytest.approx(mi.estimate(x, y, **QUICK).value, abs=1e-3)
    new_x, new_y = pair(1000, seed=1)
    assert model.score(new_x, new_y) == pytest.approx(0.83, abs=0.25)  # truth
    assert model.score(new_x, new_y[::-1]) < -0.5  # what does not belong together
    scores = model.score_samples(new_x, new_y)
    assert scores.shape == (1000,)
    assert scores.mean() == pytest.approx(model.score(new_x, new_y))
    columns = [torch.from_numpy(side).float() for side in (new_x, new_y)]
    by_hand = sum(fold.score_pairs(*columns) for fold in model.result_.fitted) / 2
    np.testing.assert_allclose(scores, by_hand.numpy(), atol=1e-5)
    np.testing.assert_allclose(model.score_samples(new_x[:3], new_y[:3]), scores[:3], atol=1e-5)


def test_bits():
    x, y = pair(200)
    nats, bits = (MutualInformation(unit=unit, **TINY).fit(x, y) for unit in ("nats", "bits"))
    assert bits.value_ == pytest.approx(nats.value_ / np.log(2))
    assert bits.score(x, y) == pytest.approx(nats.score(x, y) / np.log(2))


def test_clones_and_pickles_score_the_same():
    x, y = pair(200)
    model = MutualInformation(bound=mi.bounds.NWJ(), **QUICK).fit(x, y)
    again = clone(model)
    assert not hasattr(again, "result_")
    assert again.set_params(steps=60).fit(x, y).value_ == model.value_
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.score_samples(x, y), model.score_samples(x, y))
    assert loaded.value_ == model.value_


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_names_of_columns_are_kept_and_checked(frame):
    x, y = pair(200)
    table = frame({"height": x[:, 0], "nothing": np.ones(200), "width": x[:, 0] + 1})
    target = frame({"kind": np.where(y[:, 0] > 0, "a", "b"), "weight": y[:, 0]})
    model = MutualInformation(**QUICK).fit(table, target)
    assert model.n_features_in_ == 3
    assert list(model.feature_names_in_) == ["height", "nothing", "width"]
    assert model.result_.columns == (("height", "width"), ("kind=b", "weight"))
    assert np.isfinite(model.score(table, target))
    with pytest.raises(ValueError, match="feature names should match"):
        model.score(table[["width", "nothing", "height"]], target)


def test_labels_are_columns_of_their_own():
    x, _ = pair(300)
    labels = np.array(["low", "middle", "high"])[np.digitize(x[:, 0], [-0.5, 0.5])]
    model = MutualInformation(**{**QUICK, "steps": 150}).fit(x, labels)
    shares = np.unique(labels, return_counts=True)[1] / 300
    assert model.value_ == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.25)  # x says which
    assert model.result_.columns[1] == ("y=high", "y=low", "y=middle")
    assert model.score(x, np.where(labels == "high", "huge", labels)) < model.score(x, labels)


def test_a_constant_shares_no_information():
    x, _ = pair(100)
    with pytest.warns(mi.warnings.ConstantColumnWarning, match="y is constant"):
        model = MutualInformation(**QUICK).fit(x, np.full(100, "a"))
    assert model.value_ == 0
    assert model.score_samples(x[:3], np.full(3, "a")).tolist() == [0, 0, 0]


def test_groups_and_weights_are_those_of_estimate():
    x, y = pair(200)
    groups, weights = np.arange(200) // 2, np.where(x[:, 0] > 0, 1.0, 0.5)
    model = MutualInformation(**QUICK).fit(x, y, groups=groups, sample_weight=weights)
    expected = mi.estimate(x, y, groups=groups, sample_weight=weights, **QUICK)
    assert (model.value_, model.result_.stderr, model.result_.n) == (expected.value, expected.stderr, expected.n)
    assert model.result_.n < 200
    with pytest.raises(ValueError, match="sample_weight is zero for all rows"):
        MutualInformation(**QUICK).fit(x, y, sample_weight=np.zeros(200))


@pytest.mark.filterwarnings("default::mibounds.MIWarning")
def test_warnings_are_issued_at_the_line_of_the_call():
    x, y = pair(100)
    with pytest.warns(mi.MIWarning) as caught:
        MutualInformation(**QUICK).fit(np.hstack([x, np.ones_like(x)]), y)
    assert "constant-column" in [one.message.code for one in caught]
    assert {one.filename for one in caught} == {__file__}


def test_a_large_offset_is_no_loss():
    x, y = pair(200)
    far = MutualInformation(**QUICK).fit(x + 1e9, y)
    near = MutualInformation(**QUICK).fit(x, y)
    assert far.score(x + 1e9, y) == pytest.approx(near.score(x, y), abs=0.05)


def test_missing_values_are_refused_or_dropped():
    x, y = pair(200)
    x[3], y[7] = np.nan, np.inf
    with pytest.raises(ValueError, match="Input X contains NaN"):
        MutualInformation(**QUICK).fit(x, y)
    model = MutualInformation(nan="drop", **TINY).fit(x, y)
    assert model.result_.n == 198
    assert np.flatnonzero(np.isnan(model.score_samples(x, y))).tolist() == [3, 7]
    assert np.isfinite(model.score(x, y))
    labels = np.where(y[:, 0] > 0, "a", "b").astype(object)
    labels[5] = None
    assert MutualInformation(nan="drop", **TINY).fit(x, labels).result_.n == 198
    with pytest.raises(ValueError, match="y has 1 missing"):
        MutualInformation(**QUICK).fit(pair(200)[0], labels)


def test_a_search_finds_the_better_critic():
    x, y = pair()
    model = MutualInformation(**QUICK, bound=mi.bounds.InfoNCE(), critic="separable")
    search = GridSearchCV(model, {"steps": [1, 60]}, cv=2).fit(x, y)
    assert search.best_params_ == {"steps": 60}
    piped = make_pipeline(StandardScaler(), model)
    assert cross_val_score(piped, x, y, cv=2).mean() == pytest.approx(0.83, abs=0.3)


def test_what_cannot_be_used_is_refused():
    x, y = pair(60)
    with pytest.raises(ValueError, match=r"X has 49 sample\(s\): expected at least 50"):
        MutualInformation(**QUICK).fit(x[:49], y[:49])
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        MutualInformation(**QUICK).fit(x, None)
    with pytest.raises(ValueError, match="x has 60 rows and y has 59"):
        MutualInformation(**QUICK).fit(x, y[:59])
    for large in (10**400, -(10**309)):
        whole = np.array([large + i for i in range(60)], dtype=object)[:, None]
        with pytest.raises(ValueError, match=r"X holds whole numbers beyond the largest float, 1\.8e308: divide them"):
            MutualInformation(**QUICK).fit(whole, y)
        assert MutualInformation(**TINY).fit(pd.DataFrame(whole), y).result_.n == 60
    with pytest.raises(ValueError, match="critic is 'jiont'"):
        MutualInformation(critic="jiont").fit(x, y)
    model = MutualInformation(steps=1, folds=2, hidden=(4,)).fit(x, y)
    with pytest.raises(ValueError, match="y has 2 columns, and the critics were trained on 1 column"):
        model.score(x, np.hstack([y, y]))


def test_other_names_of_the_integrations_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        mi.integrations.nothing  # noqa: B018


def test_tensors_of_few_bits_and_masked_arrays_are_read_as_everywhere():
    x, y = pair(120)
    tiny = {"steps": 2, "folds": 2, "hidden": (8,)}
    half = torch.from_numpy(x).bfloat16()
    fitted = MutualInformation(**tiny).fit(half, torch.from_numpy(y).bfloat16())
    assert fitted.value_ == MutualInformation(**tiny).fit(half.float().numpy(), torch.from_numpy(y).bfloat16()).value_
    masked = np.ma.masked_array(np.where(x > 1, -9999.0, x), mask=x > 1)
    with pytest.raises(ValueError, match="NaN"):
        MutualInformation(**tiny).fit(masked, y)
    assert MutualInformation(nan="drop", **tiny).fit(masked, y).result_.n == (x <= 1).sum()


@pytest.mark.parametrize(
    "names, found",
    [(["same", "same"], ("same", "same (2)")), ([None, None], ("X[0]", "X[1]")), ([("a", 1)] * 2, ("a.1", "a.1 (2)"))],
)
def test_names_of_columns_may_repeat(names, found):
    x, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60.0) ** 2
    table = pd.DataFrame(x)
    table.columns = pd.Index(names, tupleize_cols=False)
    tables = [table]
    if names == ["same", "same"]:
        tables.append(pyarrow.Table.from_arrays([pyarrow.array(column) for column in x.T], names=names))
    for given in tables:
        model = MutualInformation(**TINY).fit(given, y)
        assert model.result_.columns[0] == found
        assert np.isfinite(model.score(given, y))
    assert list(table.columns) == names, "the data are as they were"


TINY = {"recipe": "quick", "steps": 2, "hidden": (4,)}


def test_rows_in_another_order_are_refused():
    x, y = pair(120)
    table, target, weights = pd.DataFrame(x), pd.Series(y.ravel()), pd.Series(np.ones(120))
    model = MutualInformation(**TINY).fit(table, target)
    for call in (
        lambda: model.fit(table, target[::-1]),
        lambda: model.score(table, target[::-1]),
        lambda: model.fit(table, target, sample_weight=weights[::-1]),
        lambda: model.fit(x, target, sample_weight=weights[::-1]),
        lambda: model.fit(x, target, groups=(weights.cumsum() // 10)[::-1]),
    ):
        with pytest.raises(ValueError, match="have the same index in another order"):
            call()


def test_lazy_tables_are_collected():
    x, y = pair(120)
    table, target = pl.DataFrame(x), pl.DataFrame({"y": y.ravel()})
    model = MutualInformation(**TINY).fit(table.lazy(), target.lazy())
    assert model.value_ == MutualInformation(**TINY).fit(table, target).value_
    assert model.score(table.lazy(), target.lazy()) == model.score(table, target)
