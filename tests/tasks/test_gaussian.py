import math

import pytest
import torch

from mibounds.tasks import CorrelatedGaussian, MultivariateGaussian


def test_the_curve_of_the_yardstick():
    assert CorrelatedGaussian(20, 0.95).mutual_information == pytest.approx(23.279, abs=1e-3)
    assert CorrelatedGaussian.with_information(20, 6.0).mutual_information == pytest.approx(6.0)


def test_samples_have_the_correlation(generator):
    x, y = CorrelatedGaussian(2, -0.6).sample(50_000, generator)
    assert float((x * y).mean()) == pytest.approx(-0.6, abs=0.02)
    assert float((x[:, 0] * y[:, 1]).mean()) == pytest.approx(0, abs=0.02)
    assert float(y.var()) == pytest.approx(1, abs=0.03)


def test_the_log_ratio_against_densities():
    rho = 0.6
    joint = torch.distributions.MultivariateNormal(torch.zeros(2), torch.tensor([[1.0, rho], [rho, 1.0]]))
    x, y = torch.tensor([0.7]), torch.tensor([-1.2])
    expected = joint.log_prob(torch.cat([x, y])) - torch.distributions.Normal(0, 1).log_prob(torch.cat([x, y])).sum()
    assert float(CorrelatedGaussian(1, rho).log_ratio(x, y)) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("dim, rho", [(0, 0.5), (1, 1.0), (1, -1.0), (1, math.nan)])
def test_bad_parameters(dim, rho):
    with pytest.raises(ValueError, match="dim|rho"):
        CorrelatedGaussian(dim, rho)


def test_a_multivariate_gaussian_of_pairs_is_the_yardstick(generator):
    pairs, yardstick = MultivariateGaussian.two_pairs(2, 0.8), CorrelatedGaussian(2, 0.8)
    assert pairs.mutual_information == pytest.approx(yardstick.mutual_information)
    x, y = pairs.sample(100, generator)
    assert torch.allclose(pairs.log_ratio(x, y), yardstick.log_ratio(x, y), atol=1e-4)


def test_dense_information_by_hand():
    # Equicorrelated: |S_d| = (1 - rho)^(d-1) (1 + (d-1) rho), so for d = 2 and rho = 1/2 it is 3/4, and 5/16 for all 4.
    expected = math.log(0.75 * 0.75 / 0.3125) / 2
    assert MultivariateGaussian.dense(2, 0.5).mutual_information == pytest.approx(expected)


def test_unequal_sides_against_densities(generator):
    factor = torch.randn(5, 5, generator=generator, dtype=torch.float64)
    covariance = factor @ factor.T + torch.eye(5)
    task = MultivariateGaussian(covariance, 2)
    x, y = task.sample(50_000, generator)
    assert (x.shape[1], y.shape[1]) == (2, 3)
    assert torch.allclose(torch.cat([x, y], 1).T.cov().double(), covariance, rtol=0.05, atol=0.1)

    def log_density(rows, sigma):
        return torch.distributions.MultivariateNormal(torch.zeros(len(sigma)).double(), sigma).log_prob(rows.double())

    expected = log_density(torch.cat([x, y], 1), covariance)
    expected = expected - log_density(x, covariance[:2, :2]) - log_density(y, covariance[2:, 2:])
    assert torch.allclose(task.log_ratio(x, y), expected.float(), atol=1e-4)


@pytest.mark.parametrize(
    "covariance, dim_x",
    [
        (torch.eye(3), 0),
        (torch.eye(3), 3),
        (torch.ones(2, 3), 1),
        (torch.ones(2, 2), 1),
        (torch.tensor([[1.0, 0.5], [0.4, 1.0]]), 1),
    ],
)
def test_what_is_no_covariance(covariance, dim_x):
    with pytest.raises(ValueError, match="covariance"):
        MultivariateGaussian(covariance, dim_x)


def test_dense_correlations_have_a_lower_limit():
    with pytest.raises(ValueError, match="positive definite"):
        MultivariateGaussian.dense(2, -0.5)
