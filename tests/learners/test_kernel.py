import math

import pytest
import torch

from mibounds.learners.kernel import COLUMNS_ALONE, LEAST_NOISE, MarginalLikelihood, kernel, start


def draws(columns, n=40, targets=2):
    """Samples, targets and parameters near a start, in double precision."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(n, width, generator=generator).double() for width in (columns, targets))
    logs = start(columns, -0.3).double()
    return x, y, logs + 0.3 * torch.randn(len(logs), generator=generator)


def test_the_kernel_by_hand():
    a, b = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 3.0]])
    scales, single, sizes = [1.0, 2.0], [0.5, 1.0], [2.0, 3.0]
    found = kernel(a, b, torch.tensor([*scales, *single, *sizes, 0.7, 1.5, 0.4]).log())
    square, t = 1 + 1, math.sqrt(2.5 * 2)
    together = 0.49 * math.exp(-square / 2) + 2.25 * (1 + t + t**2 / 3) * math.exp(-t)
    alone = 4 * math.exp(-4 / 2) + 9 * math.exp(-4 / 2)
    assert float(found) == pytest.approx(together + alone + 0.16 * (0 * 1 + 1 * 3) / 2, rel=1e-5)


@pytest.mark.parametrize("columns", [3, COLUMNS_ALONE + 1])
def test_the_likelihood_is_that_of_a_normal_distribution(columns):
    x, y, logs = draws(columns)
    covariance = kernel(x, x, logs[:-1]) + ((2 * logs[-1]).exp() + LEAST_NOISE) * torch.eye(40).double()
    normal = torch.distributions.MultivariateNormal(torch.zeros(40).double(), covariance)
    expected = -normal.log_prob(y.T).mean() / 40 - math.log(2 * math.pi) / 2 + 1e-3 * logs.square().mean()
    assert MarginalLikelihood(x, y).negative_log(logs)[0] == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("columns", [1, 3, COLUMNS_ALONE + 1])
def test_the_gradient_is_that_of_differences(columns):
    x, y, logs = draws(columns)
    likelihood = MarginalLikelihood(x, y)
    _, gradient = likelihood.negative_log(logs)
    steps = 1e-5 * torch.eye(len(logs)).double()
    differences = [likelihood.negative_log(logs + s)[0] - likelihood.negative_log(logs - s)[0] for s in steps]
    assert gradient.tolist() == pytest.approx([d / 2e-5 for d in differences], rel=1e-5, abs=1e-8)


def test_a_covariance_that_has_no_factor_is_infinitely_unlikely():
    x, y, logs = draws(2)
    loss, gradient = MarginalLikelihood(x.float() * math.nan, y.float()).negative_log(logs.float())
    assert loss == math.inf
    assert not gradient.any()
