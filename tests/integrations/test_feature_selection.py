import inspect
import pickle
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
from mibounds.integrations import mi_classification, mi_regression

METHODS = pytest.mark.parametrize("method", ["critic", "neighbors"])


def normals(count, n=600, seed=0):
    return torch.randn(n, count, generator=torch.Generator().manual_seed(seed)).numpy()


@METHODS
def test_the_score_of_a_column_is_its_information(method):
    rhos = np.array([0.0, 0.6, 0.9])
    y = normals(1)
    x = rhos * y + np.sqrt(1 - rhos**2) * normals(3, seed=1)
    scores = mi_regression(np.exp(x), y, method=method)
    np.testing.assert_allclose(scores, -np.log(1 - rhos**2) / 2, atol=0.12)


def test_a_dependence_without_correlation():
    x = normals(2)
    scores = mi_regression(x, np.sin(3 * x[:, 0]) + 0.3 * normals(1, seed=1)[:, 0])
    assert scores[0] > 0.4
    assert abs(scores[1]) < 0.05


def test_columns_get_neighbors_and_groups_of_many_or_settings_of_a_training_a_critic(monkeypatch):
    used = []
    module = "mibounds.integrations.feature_selection."
    monkeypatch.setattr(module + "_by_critic", lambda x, y, recipe: used.append("critic") or 0.0)
    monkeypatch.setattr(module + "_by_neighbors", lambda x, y, seed: used.append("neighbors") or 0.0)
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


@pytest.mark.parametrize("pairs", [100, pytest.param(400, marks=pytest.mark.slow)])
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
    scores = mi_regression(x, y, method=method)
    assert scores[0] == pytest.approx(0.5 * np.log(1 + 3 / 0.25), abs=0.2)
    assert scores[0] > mi_regression(x, y[:, 0], method=method)[0] + 0.2
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
    scores = mi_classification(x, y, method=method)
    np.testing.assert_allclose(scores, [entropy, 0], atol=0.06)
    noisy = y + 0.1 * normals(1, seed=2)[:, 0]
    assert mi_regression(x[:, :1], noisy, method=method)[0] == pytest.approx(entropy, abs=0.12)


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
    with pytest.raises(TypeError, match="y is sequence of 2 steps x 2"):
        mi_regression(x, np.zeros((60, 2, 2)))
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


def test_both_functions_have_the_arguments_and_the_defaults_of_a_small_recipe():
    first, second = (inspect.signature(function).parameters for function in (mi_regression, mi_classification))
    assert first == second
    assert {"X", "y", "discrete_features", "groups", "method", "nan", "recipe"} < {*first}
    recipe = {name: first[name].default for name in ("steps", "folds", "hidden", "lr", "test_negatives")}
    x = normals(2, 100)
    expected = mi_regression(x, x[:, 0], recipe=mi.Recipe(**recipe))
    np.testing.assert_array_equal(mi_regression(x, x[:, 0], method="critic"), expected)
    assert first["weight_decay"].default == mi.Recipe().weight_decay


def test_a_preset_takes_the_place_of_the_small_recipe():
    x = normals(2, 200)
    y = np.abs(x[:, 0])
    quick = mi.Recipe.preset("quick").replace(steps=50)
    scores = mi_regression(x, y, recipe="quick", steps=50)
    np.testing.assert_array_equal(scores, mi_regression(x, y, recipe=quick))
    assert scores[0] != mi_regression(x, y, steps=50)[0]


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
