import math

import numpy as np
import pytest
import torch

from mibounds.classical import conditional_gaussian, gaussian, gaussian_copula_full
from mibounds.tasks import MultivariateGaussian


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def log_determinant(*sides):
    return np.linalg.slogdet(np.atleast_2d(np.cov(np.column_stack(sides), rowvar=False)))[1]


def test_one_column_a_side_is_the_correlation():
    x, noise = normal(2, 50)
    y = x + noise
    rho = np.corrcoef(x, y)[0, 1]
    assert gaussian(x, y) == pytest.approx(-0.5 * math.log(1 - rho**2), abs=1e-12)


def test_several_columns_are_log_determinants():
    x, y, z = normal(60, 3), normal(60, 2, seed=1), normal(60, 2, seed=2)
    x, y = x + z.sum(1, keepdims=True), y + x[:, :1] + z[:, 1:]
    plain = (log_determinant(x) + log_determinant(y) - log_determinant(x, y)) / 2
    assert gaussian(x, y) == pytest.approx(plain, abs=1e-12)
    given = (log_determinant(x, z) + log_determinant(y, z) - log_determinant(z) - log_determinant(x, y, z)) / 2
    assert conditional_gaussian(x, y, z) == pytest.approx(given, abs=1e-12)
    chain = gaussian(x, np.hstack([y, z])) - gaussian(x, z)
    assert conditional_gaussian(x, y, z) == pytest.approx(chain, abs=1e-12)


def test_one_column_each_is_the_partial_correlation():
    x, y, z = normal(3, 80)
    x, y = x + z, y - z + 0.5 * x
    r = np.corrcoef([x, y, z])
    partial = (r[0, 1] - r[0, 2] * r[1, 2]) / math.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert conditional_gaussian(x, y, z) == pytest.approx(-0.5 * math.log(1 - partial**2), abs=1e-12)


def test_the_truth_of_gaussians():
    task = MultivariateGaussian.dense(3, 0.5)
    x, y = task.sample(20_000, torch.Generator().manual_seed(0))
    assert gaussian(x, y) == pytest.approx(task.mutual_information, abs=0.02)
    z, a, b = normal(3, 20_000)
    assert conditional_gaussian(z + a, z + b, z) < 0.001 < gaussian(z + a, z + b)


def test_redundant_columns_and_units_do_not_matter():
    x, y, z = normal(3, 40)
    y = y + x
    expected, given = gaussian(x, y), conditional_gaussian(x, y, z)
    assert gaussian(np.stack([x, 2 * x, 0 * x], 1), 1e-200 * y) == pytest.approx(expected, abs=1e-10)
    assert gaussian(1e200 * x, 1e3 * y + 1e9) == pytest.approx(expected, abs=1e-6)
    assert conditional_gaussian(x, y, np.stack([z, -z], 1)) == pytest.approx(given, abs=1e-10)
    assert gaussian(y, x) == pytest.approx(expected, abs=1e-12)


def test_nothing_and_infinity():
    x, y = normal(2, 40)
    assert gaussian(x, np.full(40, 0.1)) == 0
    assert conditional_gaussian(x, y, x) == conditional_gaussian(x, y, np.stack([y, x], 1)) == 0
    assert conditional_gaussian(x, x, x) == 0
    assert gaussian(x, 3 * x - 1) == gaussian_copula_full(x, np.exp(x)) == math.inf
    assert conditional_gaussian(x, x, y) == math.inf
    for z in (None, [], np.zeros(40), np.empty((40, 0))):
        assert conditional_gaussian(x, y, z) == gaussian(x, y)


def test_too_few_rows_are_refused():
    x = normal(5, 2)
    with pytest.raises(ValueError, match=r"gaussian is given 5 rows: expected at least 6 rows for 4 columns that"):
        gaussian(x, normal(5, 2, seed=1))
    with pytest.raises(ValueError, match=r"gaussian_copula_full is given 9 rows: expected at least 10 rows for 8 col"):
        gaussian_copula_full(normal(9, 4), normal(9, 4, seed=1))
    with pytest.raises(ValueError, match="conditional_gaussian is given 5 rows"):
        conditional_gaussian(x[:, :1], x[:, 1:], normal(5, 2, seed=1))
    assert math.isfinite(gaussian(x[:, 0], x[:, 1]))
    with pytest.raises(TypeError, match="z holds text"):
        conditional_gaussian([0.0, 1.0], [1.0, 0.0], ["a", "b"])
