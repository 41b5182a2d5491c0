import contextlib
import inspect
import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_wine
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import mibounds as mi
from mibounds.classical import mixed_ksg
from mibounds.integrations import mi_classification, mi_regression

METHODS = pytest.mark.parametrize("method", ["critic", "neighbors"])


def independent_pairs(n=400):
    """Columns with ties, in pairs that share nothing."""
    rng = np.random.default_rng(0)
    yield "counts", rng.poisson(5, n), rng.poisson(3, n)
    yield "rounded", rng.normal(size=n).round(1), rng.normal(size=n).round(1)
    yield "many zeros", *(np.where(rng.random(n) < 0.6, 0, rng.exponential(size=n)) for _ in "xy")
    for k in (2, 3, 5, 8):
        yield f"{k} integers", *rng.integers(0, k, (2, n))
    yield "counts and numbers", rng.poisson(5, n), rng.normal(size=n)


def normals(count, n=600, seed=0):
    return torch.randn(n, count, generator=torch.Generator().manual_seed(seed)).numpy()


@METHODS
def test_the_score_of_a_column_is_its_information(method):
    rhos = np.array([0.0, 0.6, 0.9])
    y = normals(1)
    x = rhos * y + np.sqrt(1 - rhos**2) * normals(3, seed=1)
    scores = mi_regression(np.exp(x), y, method=method, seed=2)  # a fold of the critics of seed 0 is an accident
    np.testing.assert_allclose(scores, -np.log(1 - rhos**2) / 2, atol=0.12)


def test_a_dependence_without_correlation():
    x = normals(2)
    scores = mi_regression(x, np.sin(3 * x[:, 0]) + 0.3 * normals(1, seed=1)[:, 0])
    assert scores[0] > 0.4
    assert abs(scores[1]) < 0.05


def test_columns_get_neighbors_and_groups_of_many_or_settings_of_a_training_a_critic(monkeypatch):
    used = []
    module = "mibounds.integrations.feature_selection."
    monkeypatch.setattr(module + "_by_critic", lambda *_: used.append("critic") or (0.0, []))
    monkeypatch.setattr(module + "_by_neighbors", lambda *_: used.append("neighbors") or 0.0)
    x = normals(5)
    mi_regression(x[:, 1:], x[:, 0], groups=["three", "three", "three", "one"])
    assert used == ["neighbors", "neighbors"]
    mi_regression(x[:, 1:], x[:, 0], groups=["four"] * 4)
    mi_regression(x[:, 1:2], x[:, 0], steps=20)
    mi_regression(x[:, 1:2], x[:, 0], recipe="quick")
    assert used[2:] == ["critic"] * 3
    mi_regression(x[:, 1:2], x[:, 0], seed=1)
    mi_classification(x[:, 1:2], np.arange(600) % 20)
    assert used[5:] == ["neighbors"] * 2, "a label counts as one column"


@pytest.mark.parametrize("pairs", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_columns_whose_information_is_a_nat_apart_are_in_order(pairs):
    """A column of I nats and one of I + 1, linear and folded, 500 samples, I up to 3.5."""
    generator = np.random.default_rng(0)
    for _ in range(pairs):
        y, noise = generator.normal(size=(2, 500))
        low, high = generator.uniform(0.05, 3.5) + np.array([0.0, 1.0])
        rho = np.sqrt(1 - np.exp(-2 * np.array([low, high])))
        x = rho[:, None] * y + np.sqrt(1 - rho[:, None] ** 2) * noise
        if generator.integers(2):
            x[1] = np.abs(x[1]) ** 3 * np.sign(x[1])
        scores = mi_regression(x.T, y)
        assert scores[1] > scores[0] + 0.3


@METHODS
def test_several_targets_are_one(method):
    x = normals(2)
    y = x[:, :1] + 0.5 * normals(3, seed=1)
    steps = {"steps": 80} if method == "critic" else {}
    scores = mi_regression(x, y, method=method, **steps)
    assert scores[0] == pytest.approx(0.5 * np.log(1 + 3 / 0.25), abs=0.2)
    assert scores[0] > mi_regression(x[:, :1], y[:, 0], method=method, **steps)[0] + 0.2
    assert abs(scores[1]) < 0.1


@pytest.mark.parametrize("method, kind", [("critic", str), ("neighbors", int), ("neighbors", str)])
def test_labels_have_no_order(method, kind):
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 600)
    far = np.array([0.0, 10.0, 5.0])[y] + generator.normal(size=600)
    scores = mi_classification(np.stack([far, normals(1)[:, 0]], 1), y.astype(kind), method=method)
    np.testing.assert_allclose(scores, [np.log(3), 0], atol=0.14)


@METHODS
def test_discrete_columns_are_found_or_named(method):
    generator = np.random.default_rng(0)
    code = generator.integers(0, 7, 600)
    y = np.array([0, 1, 0, 1, 1, 0, 1])[code]  # no order in it
    x = np.stack([code, normals(1)[:, 0]], 1)
    shares = np.bincount(y) / 600
    entropy = -(shares * np.log(shares)).sum()
    steps = {"steps": 80} if method == "critic" else {}
    scores = mi_classification(x, y, method=method, **steps)
    np.testing.assert_allclose(scores, [entropy, 0], atol=0.06)
    noisy = y + 0.1 * normals(1, seed=2)[:, 0]
    assert mi_regression(x[:, :1], noisy, method=method, **steps)[0] == pytest.approx(entropy, abs=0.12)


def test_discrete_columns_as_scikit_learn_has_them():
    generator = np.random.default_rng(0)
    x = np.stack([generator.integers(0, 20, 600), generator.normal(size=600)], 1)
    y = np.where(x[:, 0] % 2, "odd", "even")
    score = partial(mi_classification, x, y, method="neighbors")
    for given in ([True, False], [0], np.array([0])):
        assert score(discrete_features=given)[0] == pytest.approx(np.log(2), abs=0.02)  # counted
    np.testing.assert_array_equal(score(discrete_features="auto"), score(discrete_features=[]))  # 20 labels are many
    x[:, 0] %= 10
    np.testing.assert_array_equal(score(discrete_features="auto"), score(discrete_features=[0]))


def test_ties_of_rounded_numbers_add_no_information():
    x = normals(1, 178).round(1)
    y = np.random.default_rng(0).integers(0, 3, 178)
    assert abs(mi_classification(x, y, method="neighbors")[0]) < 0.08


@METHODS
def test_groups_are_scored_together(method):
    generator = np.random.default_rng(0)
    color, y = generator.integers(0, 3, 600), normals(1)[:, 0]
    hot = np.eye(3)[color]
    x = np.column_stack([hot, y + normals(1, seed=1)[:, 0]])
    target = y + np.array([0, 3, 6])[color]
    groups = ["color", "color", "color", "size"]
    steps = {"steps": 80} if method == "critic" else {}
    score = partial(mi_regression, y=target, method=method, **steps)
    scores = score(x, groups=groups)
    assert len(set(scores[:3])) == 1
    assert scores[0] > score(x[:, [0]])[0] + 0.15
    whole = score(color[:, None])[0]
    assert dict(zip(groups, scores, strict=True))["color"] == pytest.approx(whole, abs=0.05)


def test_two_coins_are_informative_together():
    coins = np.random.default_rng(0).integers(0, 2, (600, 2))
    y = coins.sum(1) % 2
    np.testing.assert_allclose(mi_classification(coins, y, steps=50), 0, atol=0.03)
    np.testing.assert_allclose(mi_classification(coins, y, groups=[0, 0], steps=50), np.log(2), atol=0.05)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_constants_score_zero_and_seeds_repeat():
    x = normals(2, 100)
    x[:, 0] = 1
    scores = mi_regression(x, x[:, 1], steps=10)
    assert scores[0] == 0
    np.testing.assert_array_equal(scores, mi_regression(x, x[:, 1], steps=10))
    assert scores[1] != mi_regression(x, x[:, 1], steps=10, seed=1)[1]
    assert mi_classification(x, np.full(100, "a"), steps=10).tolist() == [0, 0]


def test_tables_and_sparse_matrices():
    x = np.round(normals(3, 100))
    y = x[:, 0] > 0
    expected = mi_classification(x, y, method="neighbors")
    for same in (pd.DataFrame(x, columns=list("abc")), sparse.csr_matrix(x)):
        np.testing.assert_allclose(mi_classification(same, pd.Series(y), method="neighbors"), expected)


def test_neighbors_agree_with_scikit_learn():
    x, y = load_wine(return_X_y=True)
    theirs = mutual_info_classif(x, y, random_state=0)
    ours = mi_classification(x, y, method="neighbors")
    assert np.corrcoef(theirs, ours)[0, 1] > 0.97
    np.testing.assert_allclose(ours, theirs, atol=0.08)


def test_a_search_selects_columns():
    x, y = load_wine(return_X_y=True)
    x = np.hstack([x[:, [0, 5, 6]], np.random.default_rng(0).normal(size=(len(x), 3))])
    score = partial(mi_classification, method="neighbors")
    assert pickle.loads(pickle.dumps(score)).keywords == score.keywords
    steps = [("select", SelectKBest(score)), ("scale", StandardScaler()), ("fit", LogisticRegression())]
    search = GridSearchCV(Pipeline(steps), {"select__k": [1, 3]}, cv=2).fit(x, np.array(["a", "b", "c"])[y])
    assert search.best_params_ == {"select__k": 3}
    assert search.best_score_ > 0.85
    chosen = search.best_estimator_["select"]
    assert chosen.scores_.shape == (6,)
    assert chosen.get_support().tolist() == [True] * 3 + [False] * 3  # alcohol, phenols, flavanoids; noise


def test_missing_values_are_refused_or_dropped():
    x = normals(2, 100)
    y = x[:, 0].copy()
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"X has 1 missing or infinite values, in column 'X\[1\]'"):
        mi_regression(x, y)
    with pytest.warns(UserWarning, match="1 of 100 rows were dropped"):
        dropped = mi_regression(x, y, method="neighbors", nan="drop")
    kept = np.arange(100) != 3
    np.testing.assert_allclose(dropped, mi_regression(x[kept], y[kept], method="neighbors"))
    labels = np.where(y > 0, "a", None)
    with pytest.raises(ValueError, match="y has .* missing"):
        mi_classification(normals(2, 100), labels)


def test_what_cannot_be_used_is_refused():
    x = normals(3, 60)
    y = x[:, 0]
    with pytest.raises(ValueError, match="method is 'knn': expected 'auto', 'critic' or 'neighbors'"):
        mi_regression(x, y, method="knn")
    with pytest.raises(ValueError, match="groups has 2 names, and X has 3 columns"):
        mi_regression(x, y, groups=["a", "b"])
    with pytest.raises(ValueError, match="discrete_features is 'all'"):
        mi_regression(x, y, discrete_features="all")
    with pytest.raises(ValueError, match="discrete_features has 2 entries, and X has 3 columns"):
        mi_regression(x, y, discrete_features=[True, False])
    with pytest.raises(ValueError, match="x has 60 rows and y has 59"):
        mi_regression(x, y[:59])
    with pytest.raises(ValueError, match="49 complete rows are too few"):
        mi_classification(x[:49], y[:49] > 0)
    with pytest.raises(TypeError, match="y: column .* holds text"):
        mi_regression(x, np.full(60, "a"))
    with pytest.raises(ValueError, match=r"y has shape \(60, 2, 2\), and continuous columns are expected: flatten it"):
        mi_regression(x, np.zeros((60, 2, 2)))
    with pytest.raises(TypeError, match=r"mi_regression has no argument 'sample_weight': .*, sample_weight=w\)"):
        mi_regression(x, y, sample_weight=y)
    with pytest.raises(TypeError, match=r"mi_regression has no argument 'n_folds'. Did you mean 'folds'\?"):
        mi_regression(x, y, n_folds=2)
    with pytest.raises(ValueError, match="steps is 0: expected a whole number of at least 1"):
        mi_classification(x, y > 0, steps=0)


@pytest.mark.parametrize(
    ("settings", "unused"),
    [({"steps": 20}, "steps has"), ({"recipe": "quick"}, "recipe has"), ({"lr": 0.1, "folds": 2}, "lr, folds have")],
)
def test_settings_of_a_training_are_refused_where_there_is_none(settings, unused):
    x = normals(2, 60)
    for score, y in ((mi_regression, x[:, 0]), (mi_classification, np.arange(60) % 2)):
        with pytest.raises(TypeError, match=f"^{unused} no effect, since method='neighbors' trains no critics"):
            score(x, y, method="neighbors", **settings)
        assert score(x, y, method="neighbors", seed=1, progress=False).shape == (2,)


def test_labels_are_of_one_kind():
    x, labels = normals(1, 60), [1 if i % 2 else "1" for i in range(60)]
    with pytest.raises(TypeError, match="y: column 'y' holds number and text: expected"):
        mi_classification(x, labels)
    with pytest.raises(TypeError, match="X: column 'X' holds number and text: expected"):
        mi_classification(labels, np.arange(60) % 2, discrete_features=True)


def test_an_identifier_has_a_score_and_a_warning_that_names_no_other_argument():
    x = normals(2, 60)
    for score, options, names in (
        (mi_regression, {"discrete_features": True}, ["X[0]", "X[1]"]),
        (mi_regression, {"discrete_features": [1]}, ["X[1]"]),
        (mi_classification, {"discrete_features": False}, ["y"]),
    ):
        with pytest.warns(mi.MIWarning) as caught:
            assert len(score(x, x[:, 0], **options)) == 2
        texts = [str(one.message) for one in caught if one.message.code == "identifier"]
        assert [text.split("'")[1] for text in texts] == names
        assert all(text.endswith("no sample can measure: scores with it mean nothing.") for text in texts)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_both_functions_have_the_arguments_and_the_defaults_of_a_small_recipe():
    first, second = (inspect.signature(function).parameters for function in (mi_regression, mi_classification))
    assert first == second
    assert {"X", "y", "discrete_features", "groups", "method", "nan", "recipe"} < {*first}
    recipe = {name: first[name].default for name in ("steps", "folds", "hidden", "lr", "test_negatives")}
    x = normals(2, 100)
    expected = mi_regression(x, x[:, 0], recipe=mi.Recipe(**recipe))
    np.testing.assert_array_equal(mi_regression(x, x[:, 0], method="critic"), expected)
    assert first["weight_decay"].default == mi.Recipe().weight_decay


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_preset_takes_the_place_of_the_small_recipe():
    x = normals(1, 200)
    y = np.abs(x[:, 0])
    quick = mi.Recipe.preset("quick").replace(steps=50)
    scores = mi_regression(x, y, recipe="quick", steps=50)
    np.testing.assert_array_equal(scores, mi_regression(x, y, recipe=quick))
    assert scores[0] != mi_regression(x, y, steps=50)[0]


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_each_column_has_a_checkpoint(tmp_path):
    x = normals(2, 100)
    options = {"steps": 5, "checkpoint": tmp_path}
    scores = mi_regression(x, x[:, 0], **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["X[0]", "X[1]"]
    np.testing.assert_array_equal(mi_regression(x, x[:, 0], resume=True, **options), scores)


def test_warnings_are_issued_at_the_line_of_the_call():
    x = normals(2, 100)
    y = x[:, 0].copy()
    x[3, 1] = np.nan
    with pytest.warns(mi.warnings.RowsDroppedWarning) as caught:
        mi_regression(x, y, method="neighbors", nan="drop")
    assert [one.filename for one in caught] == [__file__]


@pytest.mark.parametrize("name, x, y", list(independent_pairs()), ids=lambda one: one if isinstance(one, str) else "")
def test_ties_on_both_sides_add_no_information(name, x, y):
    assert abs(mi_regression(x[:, None], y, discrete_features=False)[0]) < 0.08
    assert abs(mi_regression(x[:, None], y, discrete_features=True)[0]) < 0.08
    if len(np.unique(y)) < 15:
        assert abs(mi_classification(x[:, None], y, discrete_features=False)[0]) < 0.08


def test_dependent_counts_agree_with_the_mixed_estimator():
    rng = np.random.default_rng(0)
    rate = np.exp(rng.normal(size=1000) + 1)
    x, y = rng.poisson(rate), rng.poisson(rate)
    assert mi_regression(x[:, None], y)[0] == pytest.approx(mixed_ksg(x, y), abs=0.05)
    code = rng.integers(0, 5, 600)
    assert mi_regression(code[:, None], code + rng.integers(0, 2, 600), discrete_features=False)[0] == pytest.approx(
        mixed_ksg(code, code + rng.integers(0, 2, 600)), abs=0.15
    )


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # of more than 200 labels
@pytest.mark.parametrize(
    "count, rows, least", [(100, 3, 4.1), (100, 5, 4.2), (50, 6, 3.5), (20, 15, 2.8), (300, 2, 5.0)]
)
def test_labels_of_few_rows_keep_their_information(count, rows, least):
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(count), rows)
    fine, coarse = (one + 0.2 * rng.random(len(label)) for one in (label, label // 5))
    noise = rng.normal(size=len(label))
    scores = mi_classification(np.stack([fine, coarse, noise], 1), label)
    assert least < scores[0] <= np.log(count) + 1e-9
    assert scores[0] > scores[1] > scores[2]
    assert abs(scores[2]) < 0.2
    for target, score in ((fine, scores[0]), (noise, scores[2])):  # the label as a declared column of X
        found = mi_regression(label[:, None], target, discrete_features=[0])[0]
        assert found == pytest.approx(score, abs=0.15)


def test_labels_are_counted_although_rare_ones_have_no_column_of_their_own():
    label = np.repeat(np.arange(250), 4)
    with pytest.warns(mi.MIWarning, match="the 199 most frequent are kept"):
        found = mi_classification(label[:, None], label, discrete_features=True)
    assert found[0] == pytest.approx(np.log(250))


def test_a_group_of_labels_and_numbers_for_a_label():
    rng = np.random.default_rng(0)
    code, y = rng.integers(0, 4, (2, 800))
    x = np.column_stack([code, 10 * ((code + y) % 4) + rng.normal(size=800)])
    score = partial(mi_classification, y=y, method="neighbors")
    assert np.abs(score(x)).max() < 0.03
    np.testing.assert_allclose(score(x, groups=["both", "both"]), np.log(4), atol=0.03)
    assert score(np.column_stack([code, normals(1, 800)]), groups=[0, 0])[0] < 0.06


def test_scores_of_a_critic_are_at_least_zero_and_warned_of_where_it_fails():
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(50), 6)
    x = np.stack([label + 0.2 * rng.random(300), rng.normal(size=300)], 1)
    with pytest.warns(mi.MIWarning) as caught:
        scores = mi_classification(x, label, method="critic", steps=60)
    assert 0 <= scores[1] < 0.3 < scores[0] <= np.log(50)
    few = [str(one.message) for one in caught if one.message.code == "small-sample"]
    assert len(few) == 1
    assert few[0].startswith("2 scores, those of 'X[0]', 'X[1]'. Of the first: 300 rows of 51 columns are few")


@pytest.mark.parametrize("value", [-408.8, 9.0])
def test_a_score_of_a_label_lies_between_zero_and_its_entropy(monkeypatch, value):
    monkeypatch.setattr("mibounds.inference.BoundEvaluation.value", lambda *_: value)
    y = np.arange(300) % 2
    with contextlib.suppress(mi.MIWarning), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (score,) = mi_classification(normals(1, 300), y, method="critic", steps=5)
        assert score == pytest.approx(0.0 if value < 0 else np.log(2))


@pytest.mark.parametrize("flag", [np.True_, np.False_])
def test_flags_of_numpy_are_flags(flag):
    x = np.arange(120).reshape(60, 2) % 7
    expected = mi_regression(x, x[:, 0], discrete_features=bool(flag))
    np.testing.assert_array_equal(mi_regression(x, x[:, 0], discrete_features=flag), expected)


@pytest.mark.parametrize("given", [None, 1, 0.5, np.int64(1), np.array(1)])
def test_what_is_no_choice_of_columns_is_refused(given):
    x = normals(2, 60)
    with pytest.raises(TypeError, match=r"^discrete_features is .*: expected 'auto', True, False, a mask or a list"):
        mi_regression(x, x[:, 0], discrete_features=given)


@pytest.mark.parametrize("groups", [[[1], [2]], [{}, "a"], [("a", [1]), "b"], 3, "ab"])
def test_names_of_groups_that_are_no_names_are_refused(groups):
    x = normals(2, 60)
    with pytest.raises(TypeError, match="^groups (holds|is) .*a name for each column of X|^groups holds .* one name"):
        mi_regression(x, x[:, 0], groups=groups)
    assert len(mi_regression(x, x[:, 0], groups=iter([("a", 1), "b"]))) == 2


def test_missing_values_with_an_indicator():
    x = normals(2, 300)
    y = x[:, 0].copy()
    x[:60, 1] = np.nan
    y[:60] += 5  # that the second column is missing says so
    scores = mi_regression(x, y, nan="indicator")
    assert np.isfinite(scores).all() and scores[1] > 0.3


@pytest.mark.parametrize("by_name", [dict, pd.Series], ids=["dictionary", "series"])
def test_what_is_given_by_the_names_of_columns_goes_by_them(by_name):
    """Keys were taken for values, and a series by its order."""
    rng, score = np.random.default_rng(0), partial(mi_regression, method="neighbors")
    table = pd.DataFrame(
        {"label": rng.permuted(np.arange(100) % 5), "a": rng.normal(size=100), "b": 1.0 * rng.random(100)}
    )
    y = table["a"] + table["label"]
    in_order = score(table, y, discrete_features=[True, False, False], groups=["u", "v", "u"])
    named = {"b": "u", "label": "u", "a": "v"}
    mask = by_name({"b": False, "a": False, "label": True})
    np.testing.assert_array_equal(score(table, y, discrete_features=mask, groups=by_name(named)), in_order)
    if by_name is dict:
        with pytest.raises(ValueError, match="groups has no entry for column 'b' of X"):
            score(table, y, groups={"label": "u", "a": "v"})


@pytest.mark.parametrize("target", ["numbers", "labels"])
@pytest.mark.parametrize("options", [{"method": "neighbors"}, {"method": "critic", "steps": 20}, {"groups": [0] * 5}])
def test_the_order_of_rows_does_not_change_a_score(target, options):
    x = normals(5).round(1)  # ties are broken by noise, which is drawn row by row
    y = x[:, 0] + 0.5 * normals(1, seed=1)[:, 0]
    if target == "labels":
        y, x[:, 1] = np.where(y > 0, "b", "a"), x[:, 1].round()
    score = partial(mi_regression if target == "numbers" else mi_classification, discrete_features=[1], **options)
    order = np.random.default_rng(0).permutation(len(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mi.MIWarning)
        np.testing.assert_allclose(score(x[order], y[order]), score(x, y), atol=1e-6)
