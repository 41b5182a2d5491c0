import threading

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from mibounds.learners import (
    BoostedClasses,
    BoostedTrees,
    GaussianProcess,
    Learner,
    RidgeRegression,
    SupervisedFeatures,
)
from mibounds.learners.learner import in_parts, inner_folds, one_thread


def test_a_learner_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Learner()


@pytest.mark.parametrize("n", [2, 3, 4, 7, 300])
def test_every_sample_is_tested_by_one_fold(n):
    folds = inner_folds(n, 5)
    assert torch.cat([test for _, test in folds]).sort().values.tolist() == list(range(n))
    for train, test in folds:
        assert torch.cat([train, test]).sort().values.tolist() == list(range(n))
        assert abs(len(test) - n / min(n, 4)) < 1
    assert all(torch.equal(a[1], b[1]) for a, b in zip(folds, inner_folds(n, 5), strict=True))


def test_folds_are_in_random_order():
    (_, first), *_ = inner_folds(300, 0)
    assert not torch.equal(first, inner_folds(300, 1)[0][1])
    assert not torch.equal(first.sort().values, torch.arange(0, 300, 4))
    assert float(first.float().mean()) == pytest.approx(149.5, abs=25)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 40])
def test_no_cluster_is_divided_between_folds(count):
    clusters = torch.randint(0, count, (300,), generator=torch.Generator().manual_seed(0))
    folds = inner_folds(300, 5, clusters)
    assert torch.cat([test for _, test in folds]).sort().values.tolist() == list(range(300))
    assert len(folds) == (min(count, 4) if count > 1 else 4)
    for train, test in folds:
        assert torch.cat([train, test]).sort().values.tolist() == list(range(300))
        assert count == 1 or not set(clusters[train].tolist()) & set(clusters[test].tolist())
        assert count < 9 or 50 <= len(test) <= 100, "of about equal size"


def test_parts_are_of_whole_clusters_and_never_more_than_samples():
    assert [len(part) for part in in_parts(torch.arange(10) // 2, 2)] == [6, 4]
    assert [part.tolist() for part in in_parts(torch.zeros(3), 5)] == [[0], [1], [2]]


def repeated(label=False):
    """Independent pairs, each of them ten times, and which rows repeat each other."""
    x, y = torch.randn(2, 40, 1, generator=torch.Generator().manual_seed(0))
    y = torch.cat([y < 0, y >= 0], 1).float() if label else y
    return *(torch.repeat_interleave(side, 10, 0) for side in (x, y)), torch.arange(400) // 10


def error(kind, *rows):
    """Of out-of-sample predictions, relative to those of the mean."""
    predicted, y = kind().fit_transform(*rows), rows[1]
    if kind is BoostedClasses:
        predicted = predicted.softmax(1)
    return float((predicted - y).square().mean() / y.var(0).mean())


@pytest.mark.parametrize("kind", [BoostedTrees, BoostedClasses, GaussianProcess])
def test_a_repeated_row_is_predicted_without_its_repetitions(kind):
    x, y, clusters = repeated(label=kind is BoostedClasses)
    assert error(kind, x, y) < 0.3, "what is to be avoided: it is known from its repetitions"
    assert 0.9 < error(kind, x, y, clusters) < 2.5


def test_a_ridge_regression_leaves_out_whole_clusters():
    _, y, clusters = repeated()
    x = torch.nn.functional.one_hot(clusters).float()
    assert error(RidgeRegression, x, y) < 0.3
    assert 0.9 < error(RidgeRegression, x, y, clusters) < 1.1


def test_features_of_repeated_rows_are_uninformative_where_the_rows_are_independent():
    x, y, clusters = repeated()
    plain, grouped = (SupervisedFeatures(1, 1).fit_transform(x, y, *given)[:, 1] for given in ((), (clusters,)))
    explained = [1 - float((one - y[:, 0]).var() / y.var()) for one in (plain, grouped)]
    assert explained[0] > 0.8
    assert explained[1] < 0.2


@pytest.mark.parametrize("kind", [BoostedTrees, GaussianProcess])
def test_a_dependence_is_learned_from_clusters_as_from_samples(kind):
    x = torch.rand(600, 1, generator=torch.Generator().manual_seed(0))
    y = (6 * x).sin()
    assert error(kind, x, y, torch.arange(600) // 20) < 0.05
    assert error(kind, x, y, torch.zeros(600)) < 0.05, "a single cluster is divided"


def test_labels_that_one_cluster_alone_has_are_predicted_as_improbable():
    x, y, _ = repeated(label=True)
    found = BoostedClasses().fit_transform(x, y, y[:, 0])  # each class is a cluster
    assert found.shape == y.shape
    assert found.isfinite().all()


def threads_of(api):
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == api}


def test_trees_have_one_thread_and_the_limits_come_back():
    with threadpool_limits(2):
        before = threads_of("blas")
        with one_thread():
            assert threads_of("openmp") == {1}
            assert threads_of("blas") == before, "of the whole process: folds that overlap would not give it back"
        assert 2 in threads_of("openmp")
        with pytest.raises(ZeroDivisionError), one_thread():
            1 / 0  # noqa: B018
        assert 2 in threads_of("openmp")


def test_predictions_do_not_depend_on_threads_that_run_side_by_side():
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    alone = BoostedTrees().fit_transform(x, x[:, :1])
    found = [None, None]

    def fit(i):
        found[i] = BoostedTrees().fit_transform(x, x[:, :1])

    with threadpool_limits(2):
        folds = [threading.Thread(target=fit, args=(i,)) for i in range(2)]
        for fold in folds:
            fold.start()
        for fold in folds:
            fold.join()
    assert all(torch.equal(one, alone) for one in found)
