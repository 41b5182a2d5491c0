"""The regularized Gaussian copula: more columns than rows, sparse or of few factors."""

import math

import numpy as np
import pytest
import torch

from mibounds.classical import gaussian_copula_full, gaussian_copula_regularized, regularized
from mibounds.classical._rows import normal_scores
from mibounds.classical.regularized import GaussianFit, of_scores
from mibounds.tasks import MultivariateGaussian

DENSE = MultivariateGaussian.dense(25, 0.5)
SPARSE = MultivariateGaussian.two_pairs(25, 0.8)


def values(task, n, seeds=6):
    return np.array(
        [gaussian_copula_regularized(*task.sample(n, torch.Generator().manual_seed(s))) for s in range(seeds)]
    )


def scored(*sides):
    return [torch.from_numpy(normal_scores(np.asarray(side))) for side in sides]


@pytest.mark.parametrize("task", [DENSE, SPARSE], ids=["factor", "sparse"])
def test_of_as_many_columns_as_rows_it_is_the_exact_value_within_its_error(task):
    found = values(task, 100)
    assert abs(found.mean() - task.mutual_information) < 0.15
    pairs = [task.sample(100, torch.Generator().manual_seed(s)) for s in range(6)]
    full = np.array([gaussian_copula_full(*pair) for pair in pairs])
    truth = task.mutual_information
    assert np.abs(found - truth).mean() < np.abs(full - truth).mean()


def test_margins_do_not_matter():
    x, y = SPARSE.sample(80, torch.Generator().manual_seed(0))
    assert gaussian_copula_regularized(x.exp(), y**3) == pytest.approx(gaussian_copula_regularized(x, y), abs=1e-9)


@pytest.mark.parametrize("rows", [60, 100, 200])
def test_of_independent_columns_the_value_is_within_two_and_a_half_errors_of_zero(rows):
    for seed in range(12):
        generator = np.random.default_rng(seed)
        x, y = (generator.normal(size=(rows, 1)) + generator.normal(size=(rows, 25)) for _ in "xy")
        value, error = of_scores(*scored(x, y))
        assert value <= max(2.5 * error, 1e-3)


def test_the_value_and_its_error_have_half_of_the_optimism(monkeypatch):
    held_out = torch.tensor([0.4, 0.6]).double()
    monkeypatch.setattr(regularized, "log_ratios", lambda *_: (held_out + 0.3, held_out))
    value, error = of_scores(*scored(*np.random.default_rng(0).normal(size=(2, 40, 3))))
    assert value == pytest.approx(0.5 + 0.15)
    assert error == pytest.approx(float(held_out.std()) / math.sqrt(40) + 0.15)
    monkeypatch.setattr(regularized, "log_ratios", lambda *_: (held_out - 0.3, held_out))
    assert of_scores(*scored(*np.random.default_rng(0).normal(size=(2, 40, 3))))[0] == pytest.approx(0.5)


def test_the_matrix_that_describes_other_rows_best_is_chosen(monkeypatch):
    means = iter([0.1, 0.2, 0.7, 0.3, 0.5, 0.4])  # of two sparse ones and four numbers of factors

    def made_up(*_):
        return torch.tensor([1.0]), torch.full((4,), next(means)).double()

    monkeypatch.setattr(regularized, "log_ratios", made_up)
    assert of_scores(*scored(*np.random.default_rng(0).normal(size=(2, 40, 9))))[0] == pytest.approx(0.7 + 0.15)


def test_the_log_ratio_is_that_of_gaussian_densities():
    from scipy import stats

    matrix = np.array([[1, 0.3, 0.5], [0.3, 1, 0.2], [0.5, 0.2, 1]])
    rows = np.random.default_rng(0).normal(size=(7, 3))
    found = GaussianFit(torch.from_numpy(matrix)).log_ratio(torch.from_numpy(rows), 2)
    joint, x, y = (
        stats.multivariate_normal(cov=matrix[part, part]).logpdf(rows[:, part])
        for part in (slice(None), slice(2), slice(2, None))
    )
    assert found.numpy() == pytest.approx(joint - x - y, abs=1e-9)


def test_constants_and_copies_are_no_error():
    x, y = np.random.default_rng(0).normal(size=(2, 30, 20))
    assert gaussian_copula_regularized(np.zeros(30), y) == 0.0
    assert math.isfinite(gaussian_copula_regularized(np.hstack([x, x]), y))
    assert gaussian_copula_regularized(x, x) > 2


def test_the_order_of_rows_does_not_matter():
    x, y = (side.numpy() for side in SPARSE.sample(100, torch.Generator().manual_seed(1)))
    order = np.argsort(x[:, 0])
    first, second = gaussian_copula_regularized(x, y), gaussian_copula_regularized(x[order], y[order])
    assert first == pytest.approx(second, abs=1e-9)


def test_wrong_input_gets_one_sentence():
    with pytest.raises(ValueError, match="the number of rows is 9"):
        gaussian_copula_regularized(np.arange(9.0), np.arange(9.0))
