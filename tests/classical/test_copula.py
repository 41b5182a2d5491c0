import math

import numpy as np
import pytest
import torch

from mibounds.classical import gaussian_copula, gaussian_copula_full
from mibounds.tasks import CorrelatedGaussian


def sample(task, n=2000, seed=0):
    return task.sample(n, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("estimator", [gaussian_copula, gaussian_copula_full])
def test_monotone_maps_of_gaussians_have_the_right_value(estimator):
    task = CorrelatedGaussian(3, 0.7)
    values = []
    for seed in range(5):
        x, y = sample(task, seed=seed)
        values.append(estimator(x.exp(), y**3))
    assert sum(values) / 5 == pytest.approx(task.mutual_information, abs=0.05)


def test_it_is_a_lower_bound_where_the_copula_is_not_gaussian():
    x = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0))
    y = x.square() + 0.1 * torch.randn(2000, 1, generator=torch.Generator().manual_seed(1))
    assert gaussian_copula(x, y) < 0.1


def test_independent_columns_share_nothing_even_when_there_are_many():
    x, y = torch.randn(2, 300, 40, generator=torch.Generator().manual_seed(0))
    assert -0.15 < gaussian_copula(x, y) < 0.1


def test_the_full_copula_has_no_bias_from_many_columns():
    values = [gaussian_copula_full(*np.random.default_rng(seed).normal(size=(2, 300, 20))) for seed in range(10)]
    assert np.mean(values) == pytest.approx(0, abs=0.06)  # without the correction 0.7


def test_the_full_copula_depends_on_ranks_only():
    x, y = (side.double() for side in sample(CorrelatedGaussian(1, 0.6), 300))
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    value = gaussian_copula_full(x, y)
    assert gaussian_copula_full(x.exp(), y**3) == value
    assert gaussian_copula_full(x[order], y[order]) == pytest.approx(value, abs=1e-12)
    assert gaussian_copula_full(y, x) == pytest.approx(value, abs=1e-12)


def test_the_split_is_the_generators():
    x, y = sample(CorrelatedGaussian(1, 0.5), 200)
    one, two = (gaussian_copula(x, y, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    assert one != two
    assert gaussian_copula(x, y) == gaussian_copula(x, y)
    with pytest.raises(ValueError, match="at least 4"):
        gaussian_copula(x[:3], y[:3])


def test_without_a_generator_the_order_of_rows_does_not_matter():
    x, y = sample(CorrelatedGaussian(2, 0.5), 200)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    assert gaussian_copula(x[order], y[order]) == pytest.approx(gaussian_copula(x, y), abs=1e-9)
    one, two = (gaussian_copula(a, b, generator=torch.Generator()) for a, b in ((x, y), (x[order], y[order])))
    assert one != two, "a generator takes the rows as they come"


@pytest.mark.parametrize("positives", [1, 2, 3])
@pytest.mark.parametrize("rows", [5, 12, 400])
def test_a_rare_event_in_both_columns_is_finite(positives, rows):
    for seed in range(3):
        x = np.zeros(rows)
        x[np.random.default_rng(seed).permutation(rows)[:positives]] = 1
        value = gaussian_copula(x, 3 * x, generator=torch.Generator().manual_seed(seed))
        assert math.isfinite(value)


def test_singular_matrices_and_few_rows_are_finite():
    x = np.random.default_rng(0).normal(size=400)
    assert gaussian_copula(x, 3 * x) > 1
    assert gaussian_copula(np.stack([x, x, x], 1), np.stack([x, -x], 1)) > 1
    assert gaussian_copula(x, np.full(400, 0.1)) == gaussian_copula_full(x, np.full(400, 0.1)) == 0
    assert -1 < gaussian_copula(x[:5], x[5:10]) < 2
    assert math.isfinite(gaussian_copula(np.random.default_rng(1).normal(size=(6, 50)), x[:6]))


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1.7e308])
def test_the_scale_of_the_numbers_changes_nothing(scale):
    x, noise = np.random.default_rng(0).uniform(-1, 1, (2, 100))
    y = (x + noise) / 2
    assert gaussian_copula(scale * x, scale * y) == pytest.approx(gaussian_copula(x, y), rel=1e-6)
