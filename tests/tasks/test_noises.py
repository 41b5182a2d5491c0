import math

import pytest
import torch

from mibounds.tasks.noises import Gumbel, Laplace, Normal, Uniform

KINDS = [Normal(0.5), Laplace(0.5), Uniform(0.5), Gumbel(0.5)]


@pytest.mark.parametrize("noise", KINDS, ids=repr)
def test_density_distribution_function_and_entropy_agree(noise):
    low, high = noise.reach
    line = torch.linspace(low, high, 40_001, dtype=torch.float64)
    log_p = noise.log_density(line)
    assert float(torch.trapezoid(log_p.exp(), line)) == pytest.approx(1, abs=1e-4)
    assert -float(torch.trapezoid(log_p.exp() * log_p, line)) == pytest.approx(noise.entropy, abs=1e-3)
    below = torch.cumulative_trapezoid(log_p.exp(), line)
    assert torch.allclose(below, noise.cdf(line[1:]), atol=1e-4)


@pytest.mark.parametrize("noise", KINDS, ids=repr)
def test_samples_follow_the_distribution_function(noise, generator):
    values = noise.sample(20_000, generator)
    assert values.dtype == torch.float64
    assert float(noise.cdf(values).mean()) == pytest.approx(0.5, abs=0.01)
    assert float(noise.cdf(values).std()) == pytest.approx(math.sqrt(1 / 12), abs=0.01)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_that_is_none(scale):
    with pytest.raises(ValueError, match="scale is"):
        Laplace(scale)
