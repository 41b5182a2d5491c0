import math

import pytest
import torch

from mibounds.tasks import GaussianMixture, MultivariateGaussian


def test_the_cross_against_quadrature():
    task, rho = GaussianMixture.cross(0.9), 0.9
    line = torch.linspace(-8, 8, 1201, dtype=torch.float64)
    x, y = line[:, None], line[None]
    product = torch.exp(-(x**2 + y**2) / 2) / (2 * math.pi)
    joint = sum(
        torch.exp(-(x**2 - 2 * r * x * y + y**2) / (2 * (1 - r**2))) / (4 * math.pi * math.sqrt(1 - r**2))
        for r in (rho, -rho)
    )
    step = float(line[1] - line[0])
    truth = float((joint * (joint / product).log()).sum()) * step**2
    assert truth == pytest.approx(0.4084, abs=1e-4)
    assert abs(task.mutual_information - truth) < 4 * task.standard_error
    expected = (joint / product).log()[700, 500]
    assert float(task.log_ratio(line[700:701], line[500:501])) == pytest.approx(float(expected), abs=1e-6)


def test_the_cross_does_not_correlate(generator):
    x, y = GaussianMixture.cross(0.9).sample(20_000, generator)
    assert float((x * y).mean()) == pytest.approx(0, abs=0.05)
    assert float((x * y).square().mean()) == pytest.approx(1 + 2 * 0.81, abs=0.2)


def test_one_component_is_a_gaussian(generator):
    gaussian = MultivariateGaussian.dense(2, 0.5)
    mixture = GaussianMixture(torch.ones(1), torch.ones(1, 4), gaussian.covariance[None], 2, draws=20_000)
    x, y = gaussian.sample(100, generator)
    assert torch.allclose(mixture.log_ratio(x + 1, y + 1), gaussian.log_ratio(x, y), atol=1e-5)
    assert abs(mixture.mutual_information - gaussian.mutual_information) < 4 * mixture.standard_error


def test_far_clusters_tell_their_label():
    means = torch.tensor([[-20.0, -20.0, 0.0], [20.0, 20.0, 0.0]])
    weights = torch.tensor([0.25, 0.75])
    task = GaussianMixture(weights, means, torch.eye(3).expand(2, 3, 3), 1)
    entropy = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    assert abs(task.mutual_information - entropy) < 4 * task.standard_error
    assert [part.shape[1] for part in task.sample(5)] == [1, 2]


def test_the_log_ratio_integrates_to_one(generator):
    x, y = GaussianMixture.cross(0.6).sample(1500, generator)
    ratios = GaussianMixture.cross(0.6).log_ratio(x[:, None], y[None])
    assert float(ratios.exp().mean()) == pytest.approx(1, abs=0.05)


def test_more_draws_tell_more():
    few, many = (
        GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.tensor([[[1.0, 0.5], [0.5, 1.0]]]), 1, draws=n)
        for n in (1_000, 16_000)
    )
    assert few.standard_error == pytest.approx(4 * many.standard_error, rel=0.2)


def test_shapes_and_weights_that_do_not_fit():
    with pytest.raises(ValueError, match="shapes"):
        GaussianMixture(torch.ones(2) / 2, torch.zeros(2, 2), torch.eye(2), 1)
    with pytest.raises(ValueError, match="dim_x is 2"):
        GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.eye(2)[None], 2)
    with pytest.raises(ValueError, match="weights sum to 2"):
        GaussianMixture(torch.ones(2), torch.zeros(2, 2), torch.eye(2).expand(2, 2, 2), 1)
    with pytest.raises(ValueError, match="covariance"):
        GaussianMixture(torch.ones(1), torch.zeros(1, 2), -torch.eye(2)[None], 1)
    with pytest.raises(ValueError, match="none may be negative"):
        GaussianMixture(torch.tensor([1.5, -0.5]), torch.zeros(2, 2), torch.eye(2).expand(2, 2, 2), 1)
