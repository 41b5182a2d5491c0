import threading

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from mibounds.learners import BoostedTrees, Learner
from mibounds.learners.learner import inner_folds, one_thread


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
