import math

import pytest
import torch

from mibounds.tasks import MultivariateGaussian, Student


def test_the_bivariate_cauchy_by_hand():
    task = Student.identity(1, df=1)
    assert task.mutual_information == pytest.approx(math.log(8 * math.pi) - 3)
    x, y = 0.7, -3.0
    joint = (1 + x**2 + y**2) ** -1.5 / (2 * math.pi)
    marginals = 1 / (math.pi**2 * (1 + x**2) * (1 + y**2))
    ratio = task.log_ratio(torch.tensor([x]), torch.tensor([y]))
    assert float(ratio) == pytest.approx(math.log(joint / marginals), abs=1e-5)


def test_cauchy_quartiles(generator):
    x, y = Student.identity(1, df=1).sample(50_000, generator)
    assert float(x.abs().median()) == pytest.approx(1, abs=0.03)
    assert float((x.abs() > 10).float().mean()) == pytest.approx(2 / math.pi * math.atan(0.1), abs=0.005)
    both = ((x.abs() > 10) & (y.abs() > 10)).float().mean()
    assert float(both) > 0.01  # outliers come together; apart it would be 0.004


@pytest.mark.parametrize("df", [0.5, 2.5, 8.0])
def test_any_dispersion_against_monte_carlo(df, generator):
    covariance = torch.tensor([[2.0, 0.3, 0.9], [0.3, 1.0, -0.2], [0.9, -0.2, 1.5]], dtype=torch.float64)
    task = Student(MultivariateGaussian(covariance, 2), df)
    ratios = task.log_ratio(*task.sample(50_000, generator))
    assert float(ratios.mean()) == pytest.approx(task.mutual_information, abs=4 * float(ratios.std()) / 50_000**0.5)


def test_the_log_ratio_integrates_to_one(generator):
    task = Student.identity(1, df=5)
    x, y = task.sample(1500, generator)
    assert float(task.log_ratio(x[:, None], y[None].roll(1, 1)).exp().mean()) == pytest.approx(1, abs=0.05)


def test_the_limit_is_gaussian():
    gaussian = MultivariateGaussian.dense(3, 0.5)
    assert Student(gaussian, 1e6).mutual_information == pytest.approx(gaussian.mutual_information, abs=1e-4)


@pytest.mark.parametrize("df", [0, -1, math.inf, math.nan])
def test_bad_degrees_of_freedom(df):
    with pytest.raises(ValueError, match="df"):
        Student.identity(1, df)
