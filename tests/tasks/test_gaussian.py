import math

import pytest
import torch

from mibounds.tasks import CorrelatedGaussian


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
