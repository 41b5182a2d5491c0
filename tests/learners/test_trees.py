import numpy as np
import pytest
import torch
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from mibounds.learners import BoostedClasses, BoostedTrees, TreeEnsemble
from mibounds.learners.bins import FineBins
from mibounds.learners.learner import inner_folds
from mibounds.learners.trees import _BOOSTING, _CLASSES, Tree, boosted_tree, forest_tree
from mibounds.training.modules import describe, rebuild


def table(n=400, columns=3, seed=0):
    return torch.randn(n, columns, generator=torch.Generator().manual_seed(seed))


def whole_numbers(n=400, seed=0):
    """Columns of whole numbers, whose splits are at halves, and samples that lie on the splits."""
    x = torch.randint(0, 9, (n, 2), generator=torch.Generator().manual_seed(seed)).float()
    on_splits = torch.cartesian_prod(torch.arange(-1, 10, 0.5), torch.arange(-1, 10, 0.5))
    return x, on_splits


def step(x):
    return (x[:, :1] > 0).float() + x[:, 1:2].round()


def indicators(codes, classes):
    return torch.nn.functional.one_hot(codes.long(), classes).float()


def boosted(model, places, outputs):
    trees = [
        boosted_tree(one.nodes, place, outputs, 1.0)
        for step in model._predictors
        for one, place in zip(step, places, strict=True)
    ]
    constant = torch.zeros(outputs)
    constant[list(places)] = torch.from_numpy(np.ravel(model._baseline_prediction)).float()
    return TreeEnsemble(trees, constant)


@pytest.mark.parametrize("whole", [False, True])
def test_an_ensemble_predicts_as_the_regressor_it_is_of(whole):
    x, new = whole_numbers() if whole else (table(), table(seed=1))
    model = HistGradientBoostingRegressor(max_iter=40).fit(x, step(x)[:, 0])
    found = boosted(model, [0], 1)(new)[:, 0]
    assert torch.allclose(found, torch.from_numpy(model.predict(new)).float(), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("whole", [False, True])
def test_an_ensemble_scores_as_the_classifier_it_is_of(classes, whole):
    x, new = whole_numbers() if whole else (table(), table(seed=1))
    codes = x.sum(1).mul(1.5).long() % classes
    model = HistGradientBoostingClassifier(max_iter=20).fit(x, codes)
    scores = boosted(model, range(classes) if classes > 2 else [1], classes)(new)
    expected = torch.from_numpy(model.predict_proba(new)).float()
    assert torch.allclose(scores.softmax(1), expected, atol=1e-5)


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
@pytest.mark.parametrize("whole", [False, True])
def test_an_ensemble_predicts_as_the_forest_it_is_of(kind, whole):
    x, new = whole_numbers() if whole else (table(), table(seed=1))
    y = torch.cat([step(x), x[:, :1]], 1)
    model = kind(15, min_samples_leaf=3, random_state=0).fit(x, y)
    found = TreeEnsemble([forest_tree(one.tree_, 1 / 15) for one in model.estimators_], torch.zeros(2))(new)
    assert torch.allclose(found, torch.from_numpy(model.predict(new)).float(), atol=1e-5)


def test_trees_by_hand():
    """A leaf alone, and a tree in which the left child is a leaf and the right one splits the second column."""
    lone = Tree(np.array([0]), np.array([0.0]), np.array([0]), np.array([0]), np.array([[100.0, 0.0]]))
    deep = Tree(
        np.array([0, 0, 1, 0, 0]),
        np.array([1.0, 0.0, 2.0, 0.0, 0.0]),
        np.array([1, 1, 3, 3, 4]),
        np.array([2, 1, 4, 3, 4]),
        np.array([[0, 0], [1, 10], [0, 0], [2, 20], [3, 30]]),
    )
    ensemble = TreeEnsemble([lone, deep], torch.tensor([0.5, 0.25]))
    x = torch.tensor([[1.0, 9.0], [1.1, 2.0], [1.1, 2.1]])  # on a threshold is left of it
    expected = torch.tensor([[101.5, 10.25], [102.5, 20.25], [103.5, 30.25]])
    assert torch.equal(ensemble(x), expected)
    assert torch.equal(ensemble(x.repeat(3000, 1)), expected.repeat(3000, 1)), "more than go down at a time"
    assert torch.equal(TreeEnsemble((), torch.tensor([2.0]))(x), torch.full((3, 1), 2.0))


def test_predictions_of_training_samples_do_not_depend_on_their_own_targets():
    """With another y, samples change the predictions of the other folds, and none of their own; but for those of the
    first fold, they also have a say in the number of trees."""
    x, y = table(200), step(table(200))
    folds = inner_folds(len(x), 0)
    other = y.clone()
    other[folds[0][1]] += 100.0
    before, after = (BoostedTrees().fit_transform(x, targets) for targets in (y, other))
    assert torch.equal(before[folds[0][1]], after[folds[0][1]])
    for fold in folds[1:]:
        assert float((before[fold[1]] - after[fold[1]]).abs().mean()) > 1
    label = indicators(x[:, 0] > 0, 2)
    flipped = label.clone()
    flipped[folds[0][1]] = label[folds[0][1]].flip(1)
    before, after = (BoostedClasses().fit_transform(x, targets) for targets in (label, flipped))
    assert torch.equal(before[folds[0][1]], after[folds[0][1]])
    assert not torch.equal(before[folds[1][1]], after[folds[1][1]])


def models_of(kind, folds, x, y, seed, boosting=_BOOSTING):
    """The first model stops early, and the others have a tenth more trees than it needed."""
    settings, models = boosting, []
    for train, _ in folds:
        models.append(kind(**settings, random_state=seed).fit(x[train].double(), y[train].double()))
        trees = max(round(1.1 * (models[0].n_iter_ - 12)), 3)
        settings = {**boosting, "early_stopping": False, "max_iter": trees}
    return models


def test_new_samples_have_the_mean_of_the_folds():
    """A training sample's four predictions: out-of-sample, and of three folds that it trained."""
    x = table(n=300)
    bins = FineBins(x.double().numpy())
    y = torch.cat([step(x), x[:, 2:]], 1)
    trees = BoostedTrees()
    trees.fit_transform(x, y)
    new, expected = table(50, seed=1), []
    codes = torch.from_numpy(bins.codes(x.double().numpy()))
    for j in range(2):
        models = models_of(HistGradientBoostingRegressor, inner_folds(300, 0), codes, y[:, j], 0)
        assert len({model.n_iter_ for model in models}) == 2
        expected.append(np.mean([model.predict(bins.codes(new.double().numpy())) for model in models], 0))
    assert torch.allclose(trees(new), torch.tensor(np.stack(expected, 1)).float(), atol=1e-5)


def test_out_of_sample_predictions_are_those_of_scikit_learn():
    x = table(n=300)
    y = indicators((x[:, 0] > 0).long() + (x[:, 1] > 0).long(), 3)
    scores = BoostedClasses(seed=4).fit_transform(x, y)
    folds = inner_folds(300, 4)
    models = models_of(HistGradientBoostingClassifier, folds, x, y.argmax(1), 4, _CLASSES)
    for (_, test), model in zip(folds, models, strict=True):
        expected = torch.from_numpy(model.predict_proba(x[test].double())).float()
        assert torch.allclose(scores[test].softmax(1), expected, atol=1e-5)


def test_scores_of_rare_classes_do_not_diverge():
    """Without a penalty on the leaves the log loss is 49 nats."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.multinomial(0.4 ** torch.arange(8), 1000, True, generator=generator)
    centers = 1.5 * torch.randn(8, 3, generator=generator)
    x = centers[codes] + 0.3 * torch.randn(1000, 3, generator=generator)
    scores = BoostedClasses().fit_transform(x, indicators(codes, 8))
    assert float(torch.nn.functional.cross_entropy(scores, codes)) < 0.1


def test_steps_are_placed_more_finely_than_in_255_bins():
    """A saw tooth of twenty jumps: where a bin holds rows of both sides of a jump, they are predicted wrongly."""

    def saw(x):
        return torch.remainder(20 * x, 1)

    x, new = (torch.rand(3000, 1, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    trees = BoostedTrees()
    predicted = trees.fit_transform(x, saw(x))
    model = HistGradientBoostingRegressor(**_BOOSTING, random_state=0).fit(x, saw(x)[:, 0])
    coarse = float(np.square(model.predict(new) - saw(new)[:, 0].numpy()).mean())
    for found, truth in ((predicted, saw(x)), (trees(new), saw(new))):
        assert float((found - truth).square().mean()) < 0.5 * coarse


def test_noise_is_not_predicted():
    found = []
    for seed in range(4):
        x, y = table(300, 2, seed), table(300, 2, seed + 100)
        predictions = BoostedTrees(seed=seed).fit_transform(x, y)
        found += [float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in zip(predictions.T, y.T, strict=True)]
    assert abs(np.mean(found)) < 0.1


@pytest.mark.parametrize("rare", [0, 1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_classes_may_be_absent_or_rare_in_a_fold(rare):
    """One sample of a class cannot be divided between training and validation: it counts as absent."""
    x = table()
    codes = (x[:, 0] > 0).long()
    codes[torch.randperm(len(x), generator=torch.Generator().manual_seed(1))[:rare]] = 2
    trees = BoostedClasses()
    scores = trees.fit_transform(x, indicators(codes, 3))
    assert scores.isfinite().all()
    common = codes < 2
    assert float((scores.argmax(1) == codes)[common].float().mean()) > 0.9
    new = trees(table(seed=1)).softmax(1)
    assert float(new[:, 2].mean()) < 0.1
    assert float((new.argmax(1) == (table(seed=1)[:, 0] > 0).long()).float().mean()) > 0.9


def test_a_binary_label_with_an_absent_class_has_its_scores_in_place():
    """Of classes 0, 1 and 2 the first does not occur."""
    x = table()
    codes = 1 + (x[:, 0] > 0).long()
    trees = BoostedClasses()
    scores = trees.fit_transform(x, indicators(codes, 3))
    assert float((scores.argmax(1) == codes).float().mean()) > 0.95
    assert float((trees(x).argmax(1) == codes).float().mean()) > 0.95
    assert float(trees(x)[:, 0].max()) == pytest.approx(-10)


def test_a_single_class_and_few_samples_have_even_scores():
    x = table()
    trees = BoostedClasses()
    assert not trees.fit_transform(x, indicators(torch.zeros(400), 2)).any()
    assert not trees(x).any()
    few = BoostedClasses()
    assert few.fit_transform(x[:6], indicators(torch.arange(6) % 3, 3)).isfinite().all()
    assert few(x).isfinite().all()


@pytest.mark.parametrize("kind", [BoostedTrees, BoostedClasses])
def test_trees_are_saved_and_loaded(kind):
    x = table()
    trees = kind()
    trees.fit_transform(x, indicators(x[:, 0] > 0, 2))
    new = table(seed=1)
    assert torch.equal(rebuild(*describe(trees))(new), trees(new))
    fresh = kind()
    fresh.load_state_dict(trees.state_dict())
    assert torch.equal(fresh(new), trees(new))
