import math

import numpy as np
import pytest
import torch
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression

from mibounds.classical import ksg, mixed_ksg
from mibounds.tasks import CorrelatedGaussian, MultivariateGaussian, UniformDiscrete


def sample(task, n=400, seed=0):
    x, y = task.sample(n, torch.Generator().manual_seed(seed))
    return x.double(), y.double()


def naive(x, y, k, variant):
    """The definition, by loops over all distances."""
    x, y = x.reshape(len(x), -1).numpy(), y.reshape(len(y), -1).numpy()
    n = len(x)
    dx, dy = (np.abs(side[:, None] - side).max(-1) for side in (x, y))
    joint = np.maximum(dx, dy)
    total = 0.0
    for i in range(n):
        near = [j for j in np.argsort(joint[i], kind="stable") if j != i][:k]
        others = np.arange(n) != i
        if variant == 1:
            eps = joint[i, near[-1]]
            total += digamma((dx[i][others] < eps).sum() + 1) + digamma((dy[i][others] < eps).sum() + 1)
        else:
            total += digamma((dx[i][others] <= dx[i, near].max()).sum())
            total += digamma((dy[i][others] <= dy[i, near].max()).sum())
    return digamma(k) - (1 / k if variant == 2 else 0) + digamma(n) - total / n


@pytest.mark.parametrize("variant", [1, 2])
@pytest.mark.parametrize("neighbors", [1, 3, 5])
def test_ksg_is_its_definition(variant, neighbors):
    for x, y in (sample(CorrelatedGaussian(1, 0.7), 120), sample(MultivariateGaussian.dense(2, 0.5), 120)):
        assert ksg(x, y, neighbors=neighbors, variant=variant) == pytest.approx(
            naive(x, y, neighbors, variant), abs=1e-9
        )


@pytest.mark.parametrize("rho", [0.3, 0.9])
def test_ksg_is_that_of_scikit_learn_on_one_column(rho):
    x, y = sample(CorrelatedGaussian(1, rho), 1000)
    # scikit-learn divides by the standard deviation, which leaves the order of the distances in each column.
    x, y = x / x.std(correction=0), y / y.std(correction=0)
    theirs = mutual_info_regression(
        x.numpy(), y.numpy().ravel(), n_neighbors=3, discrete_features=False, random_state=0
    )
    assert ksg(x, y) == pytest.approx(theirs[0], abs=1e-6)


@pytest.mark.parametrize("estimator", [ksg, mixed_ksg, lambda x, y: ksg(x, y, variant=2)])
def test_nearest_neighbors_are_near_the_truth(estimator):
    task = CorrelatedGaussian(1, 0.8)
    errors = []
    for seed in range(4):
        x, y = sample(task, 2000, seed)
        errors.append(estimator(x, y) - float(task.log_ratio(x, y).mean()))
    assert sum(errors) / 4 == pytest.approx(0, abs=0.025)


def test_mixed_ksg_counts_where_values_are_tied():
    x = torch.arange(1200) % 4
    y = torch.div(x, 2, rounding_mode="floor")
    assert mixed_ksg(x, y) == pytest.approx(math.log(2), abs=0.01)
    assert mixed_ksg(x, torch.arange(1200) // 4 % 3) == pytest.approx(0, abs=0.01)


def test_mixed_ksg_takes_one_side_of_each_kind():
    task = UniformDiscrete(5)
    values = [mixed_ksg(*sample(task, 2000, seed)) for seed in range(3)]
    assert sum(values) / 3 == pytest.approx(task.mutual_information, abs=0.04)


def test_threads_change_nothing():
    x, y = sample(MultivariateGaussian.dense(2, 0.5))
    assert ksg(x, y, workers=2) == ksg(x, y)


def test_what_cannot_be_used_is_refused():
    x = torch.randn(3, 1)
    with pytest.raises(ValueError, match="only 2 others: give fewer"):
        ksg(x, x)
    with pytest.raises(ValueError, match="x has 3 rows and y has 2"):
        mixed_ksg(x, x[:2])
    with pytest.raises(ValueError, match="variant is 3"):
        ksg(x, x, variant=3)
