"""Supervised features: their layout, what they find, and that they tell nothing about the y of a training sample."""

import pytest
import torch
from scipy.optimize import nnls

from mibounds.data import RankGaussianize
from mibounds.learners import BoostedClasses, BoostedTrees, SupervisedFeatures
from mibounds.training.modules import describe, rebuild

THREE = torch.eye(3)


def table(n, columns, seed=0):
    return torch.randn(n, columns, generator=torch.Generator().manual_seed(seed))


def label(n, seed=0):
    """Indicators of three classes."""
    return THREE[torch.randint(0, 3, (n,), generator=torch.Generator().manual_seed(seed))]


COLUMNS = {
    "one column": (3, 1, {}, "score 0, value 0, scale 0"),
    "without values": (3, 1, {"values": False}, "score 0, scale 0"),
    "two columns": (3, 2, {}, "score 0, score 1, scale 0, scale 1"),
    "as many as trees are fitted to": (
        2,
        4,
        {},
        "score 0, score 1, score 2, score 3, scale 0, scale 1, scale 2, scale 3",
    ),
    "more columns than that": (2, 5, {}, "score 0, score 1, score 2, score 3, score 4"),
    "many columns": (41, 1, {}, "score 0, value 0, scale 0"),
    "many of both": (41, 5, {}, "score 0, score 1, score 2, score 3, score 4"),
    "too many columns for trees": (301, 1, {}, "score 0, value 0"),
    "too many columns": (1001, 1, {}, ""),
    "too many targets": (2, 33, {}, ""),
}
LABELS = {
    "a label": (2, THREE, "indicator 0, indicator 1, indicator 2, class 0, class 1, class 2"),
    "a label of many columns": (41, THREE, "indicator 0, indicator 1, indicator 2, class 0, class 1, class 2"),
    "a label of too many columns for trees": (301, THREE, "indicator 0, indicator 1, indicator 2"),
    "a label of too many columns": (1001, THREE, ""),
    "a label of too many classes": (2, torch.eye(21), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", COLUMNS)
def test_the_layout_of_columns(case):
    columns, targets, options, names = COLUMNS[case]
    features = SupervisedFeatures(columns, targets, **options)
    assert features.names == tuple(names.split(", ") if names else ())
    x, y = table(60, columns), table(60, targets, 1)
    fitted = features.fit_transform(x, y)
    assert fitted.shape == (60, columns + len(features.names)) == features(x).shape
    assert torch.equal(fitted[:, :columns], x)
    assert torch.equal(features(x[:7])[:, :columns], x[:7])
    assert fitted.isfinite().all()
    assert isinstance(features.trees, BoostedTrees) == ("scale" in names)


@pytest.mark.parametrize("case", LABELS)
def test_the_layout_of_labels(case):
    columns, classes, names = LABELS[case]
    features = SupervisedFeatures(columns, classes.shape[1], classes=classes)
    assert features.names == tuple(names.split(", ") if names else ())
    x, y = table(80, columns), classes[torch.arange(80) % len(classes)]
    fitted = features.fit_transform(x, y)
    assert fitted.shape == (80, columns + len(features.names)) == features(x).shape
    assert torch.equal(fitted[:, :columns], x)
    assert isinstance(features.trees, BoostedClasses) == ("class" in names)


def test_the_columns_are_what_their_names_say():
    """A value, its normal score, and the log size of the residuals, up to a constant."""
    x = 2 * torch.rand(600, 2, generator=torch.Generator().manual_seed(0)) - 1
    noise = table(600, 1, 1)
    size = torch.where(x[:, 1:] > 0, 1.0, 0.1)
    y = (3 * x[:, :1]) + size * noise + 50
    features = SupervisedFeatures(2, 1)
    fitted = features.fit_transform(x, y)
    score, value, scale = fitted[:, 2:].T
    assert torch.allclose(value, 3 * x[:, 0] + 50, atol=1.0)
    assert float((value - 3 * x[:, 0] - 50).square().mean().sqrt()) < 0.2
    scores = RankGaussianize().fit(y)(y)[:, 0]
    assert float(torch.corrcoef(torch.stack([score, scores]))[0, 1]) > 0.9
    assert abs(float(score.mean())) < 0.05
    above = scale[x[:, 1] > 0].mean() - scale[x[:, 1] <= 0].mean()
    assert 1.5 < float(above) < 2.8, "ln 10 is 2.3"
    assert float((features(x)[:, 3] - 3 * x[:, 0] - 50).square().mean().sqrt()) < 0.2


def test_the_columns_of_a_label_are_probabilities_and_scores():
    x = table(300, 2)
    codes = (x[:, 0] > 0).long() + (x[:, 1] > 1).long()
    features = SupervisedFeatures(2, 2, classes=torch.tensor([[5.0, 1.0], [0.0, 3.0], [2.0, 2.0]]))
    fitted = features.fit_transform(x, features.classes[codes])
    assert float((fitted[:, 2:5].argmax(1) == codes).float().mean()) > 0.9
    assert float((fitted[:, 2:5].sum(1) - 1).abs().max()) < 0.1
    assert float((fitted[:, 5:].argmax(1) == codes).float().mean()) > 0.93
    linear, trees, informed = (features.learners[role] for role in ("linear", "trees", "informed"))
    both = [trees(x), informed(torch.cat([x, linear(x)], 1))]
    assert torch.allclose(features(x)[:, 5:], (both[0] + both[1]) / 2)
    assert features.trees is trees


def test_trees_of_a_label_see_a_linear_regression():
    """A boundary across many columns, which single trees approximate by stairs."""
    generator = torch.Generator().manual_seed(0)
    x, weights = table(500, 12), torch.randn(12, 3, generator=generator)
    codes = (x @ weights).argmax(1)
    features = SupervisedFeatures(12, 3, classes=THREE)
    scores = features.fit_transform(x, THREE[codes])[:, -3:]
    losses = [
        float(torch.nn.functional.cross_entropy(one, codes))
        for one in (scores, features.learners["trees"].fit_transform(x, THREE[codes]))
    ]
    assert losses[0] < 0.75 * losses[1]


def test_a_linear_regression_takes_the_place_of_the_process_in_many_columns():
    x = table(400, 45)
    y = x[:, :10].sum(1, keepdim=True) + 0.3 * table(400, 1, 1)
    features = SupervisedFeatures(45, 1, values=False)
    scores = features.fit_transform(x, y)[:, 45]
    assert set(features.learners) == {"linear", "trees", "informed"}
    assert float(torch.corrcoef(torch.stack([scores, RankGaussianize().fit(y)(y)[:, 0]]))[0, 1]) > 0.97


def test_the_better_learner_weighs_more_and_none_is_negative():
    x = table(500, 2)
    smooth, steps = (2 * x[:, :1]).sin(), (x[:, :1] > 0).float() * 2 + (x[:, :1] > 1).float()
    features = SupervisedFeatures(2, 2)
    features.fit_transform(x, torch.cat([smooth, steps], 1))
    assert float(features.weights.min()) >= 0
    process, *trees = features.weights
    assert float(process[0]) > float(sum(trees)[0])
    assert float(sum(trees)[1]) > float(process[1])


def test_trees_of_columns_see_both_smooth_learners():
    x, new = table(200, 3), table(50, 3, seed=5)
    features = SupervisedFeatures(3, 1)
    features.fit_transform(x, x[:, :1] + x[:, 1:2].sign())
    assert list(features.learners) == ["process", "linear", "trees", "informed"]
    process, linear, trees, informed = features.learners.values()
    seen = [process(new), linear(new), trees(new), informed(torch.cat([new, process(new), linear(new)], 1))]
    score = torch.stack([one[:, 0] for one in seen], 1) @ features.weights[:, 0] + features.intercept[0]
    assert torch.allclose(features(new)[:, 3], score, atol=1e-5)
    assert features.weights[3, 0] > 0


def test_a_threshold_of_a_sum_is_learned_by_trees_on_the_regression():
    x, new = table(1000, 8), table(3000, 8, seed=5)

    def passed(rows):
        return 2 * (rows.sum(1, keepdim=True) > 1).float()

    noise = 0.5 * torch.randn(1000, 1, generator=torch.Generator().manual_seed(9))
    features = SupervisedFeatures(8, 1)
    features.fit_transform(x, passed(x) + noise)
    value = features(new)[:, 8 + features.names.index("value 0")]
    error = float((value - passed(new)[:, 0]).square().mean())
    process = float((features.learners["process"](new)[:, 1] - passed(new)[:, 0]).square().mean())
    assert error < 0.5 * process


def test_steps_of_a_smooth_function_are_learned_by_trees_on_the_process():
    """Neither learner alone finds them: the process rounds them off, trees cut along columns."""
    x, new = table(1000, 3), table(2000, 3, seed=5)

    def steps(rows):
        return (rows[:, :1] + rows[:, 1:2]).floor()

    features = SupervisedFeatures(3, 1, values=False)
    inside = features.fit_transform(x, steps(x))[:, 3:4]
    scores = RankGaussianize().fit(steps(x))
    errors = [float((one - scores(steps(new))).square().mean()) for one in (features(new)[:, 3:4], features.trees(new))]
    assert errors[0] < 0.75 * errors[1]
    process = float((features.learners["process"](new) - scores(steps(new))).square().mean())
    assert errors[0] < 0.85 * process
    assert 0.75 < float((inside - scores(steps(x))).square().mean()) / errors[0] < 2, "out of sample"


def test_the_combination_by_hand():
    features = SupervisedFeatures(2, 1)
    one, other = table(40, 1), table(40, 1, 1)
    wanted = 0.25 + 0.5 * one - 0.75 * other
    features._stack([one, other], wanted)
    centered = (one - one.mean()).double().numpy()
    expected, _ = nnls(centered, (wanted - wanted.mean()).double().numpy()[:, 0])
    assert features.weights[:, 0].tolist() == pytest.approx([expected[0], 0], abs=1e-2), "no negative weight"
    features._stack([one, other], 0.25 + 0.5 * one + 0.75 * other)
    assert features.weights[:, 0].tolist() == pytest.approx([0.5, 0.75], abs=1e-5)
    assert features.intercept.tolist() == pytest.approx([0.25], abs=1e-5)
    assert torch.allclose(features._combined([one, other]), 0.25 + 0.5 * one + 0.75 * other, atol=1e-5)


def correlation(a, b):
    if a.std() < 1e-5 or b.std() < 1e-5:
        return 0.0
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])


@pytest.mark.parametrize("columns", [1, 6])
def test_features_of_noise_are_not_informative(columns):
    """Neither of y nor of its size: a critic trained on them would otherwise find information where there is none."""
    found = []
    for seed in range(3):
        x, y = table(300, columns, seed), table(300, 1, 100 + seed)
        features = SupervisedFeatures(columns, 1, seed=seed).fit_transform(x, y)[:, columns:]
        found.append([[correlation(one, side) for one in features.T] for side in (y[:, 0], y[:, 0].abs())])
    found = torch.tensor(found)
    assert float(found.abs().max()) < 5 / 300**0.5
    assert float(found.mean(0).abs().max()) < 2.5 / 300**0.5


def test_features_of_noise_are_not_informative_about_a_label():
    found = []
    for seed in range(2):
        x, y = table(300, 2, seed), label(300, 100 + seed)
        features = SupervisedFeatures(2, 3, classes=THREE, seed=seed).fit_transform(x, y)[:, 2:]
        found.append([[correlation(one, side) for one in features.T] for side in y.T])
    found = torch.tensor(found)
    assert float(found.abs().max()) < 4.5 / 300**0.5
    assert float(found.mean(0).diagonal().abs().max()) < 2.5 / 300**0.5


def test_in_sample_predictions_would_fail_the_test_of_noise():
    """What the two tests above guard against: predictions of samples by models that trained on them."""
    x, y = table(300, 6), table(300, 1, 100)
    trees = BoostedTrees()
    trees.fit_transform(x, y)
    assert correlation(trees(x)[:, 0], y[:, 0]) > 8 / 300**0.5


def test_they_are_deterministic_and_depend_on_the_seed():
    x = table(80, 2)
    y = x[:, :1] + 0.5 * table(80, 1, 1)
    first, same, other = (SupervisedFeatures(2, 1, seed=seed).fit_transform(x, y) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_few_samples_and_constant_columns():
    x = table(6, 2)
    for y in (x[:, :1], torch.zeros(6, 1), torch.cat([x, torch.ones(6, 1)], 1)):
        features = SupervisedFeatures(2, y.shape[1])
        assert features.fit_transform(x, y).isfinite().all()
        assert features(table(9, 2, 1)).isfinite().all()


@pytest.mark.parametrize("classes", [None, THREE])
def test_they_are_saved_and_loaded(classes):
    x = table(120, 2)
    y = x[:, :1] if classes is None else label(120)
    features = SupervisedFeatures(2, y.shape[1], classes=classes)
    features.fit_transform(x, y)
    again = rebuild(*describe(features))
    assert torch.equal(again(table(20, 2, 1)), features(table(20, 2, 1)))
    assert again.names == features.names
    assert type(again.trees) is type(features.trees)
    assert all(buffer.is_meta for buffer in features.to("meta").buffers())
