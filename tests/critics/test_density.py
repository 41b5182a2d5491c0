import math

import pytest
import torch
from torch import nn

from mibounds.critics import (
    DensityCritic,
    DiagonalGaussianCritic,
    Encoded,
    FlowCritic,
    FullGaussianCritic,
    WeightedSum,
    WithOffset,
)
from mibounds.tasks import CorrelatedGaussian


def test_it_is_a_normalized_density(generator):
    critic = DiagonalGaussianCritic(2, 1, hidden=(8,))
    y = torch.linspace(-40, 40, 8001)[:, None]
    x = torch.randn(3, 2, generator=generator)
    total = critic.pairwise(x, y).exp().sum(1) * 0.01
    assert torch.allclose(total, torch.ones(3), atol=1e-3)


def test_it_fits_by_likelihood(generator):
    """y = 2 x + noise of scale 0.5: the fitted mean and scale are found."""
    torch.manual_seed(0)
    x = torch.randn(2000, 1, generator=generator)
    y = 2 * x + 0.5 * torch.randn(2000, 1, generator=generator)
    critic = DiagonalGaussianCritic(1, 1, hidden=(32,))
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        (-critic(x, y).mean()).backward()
        optimizer.step()
    mean, log_scale = critic.encode_x(torch.tensor([[1.0]]))
    assert mean.item() == pytest.approx(2, abs=0.15)
    assert log_scale.exp().item() == pytest.approx(0.5, abs=0.08)


def test_a_density_behind_an_encoder_is_still_one():
    critic = DiagonalGaussianCritic(4, 1)
    assert critic.is_conditional_density
    assert Encoded(critic, nn.Linear(2, 4)).is_conditional_density


def test_columns_are_summed_and_scales_are_not_squashed():
    critic = DiagonalGaussianCritic(1, 2, hidden=())
    nn.init.zeros_(critic.network.output.weight)
    critic.network.output.bias.data = torch.tensor([1.0, -2.0, 2.0, -3.0])  # means, then log-scales
    y = torch.tensor([[0.5, -1.9]])
    scales = torch.tensor([2.0, -3.0]).exp()
    expected = torch.distributions.Normal(torch.tensor([1.0, -2.0]), scales).log_prob(y).sum(-1)
    assert torch.allclose(critic(torch.zeros(1, 1), y), expected, atol=1e-4)


def rough(critic):
    """The critic after a random push, far from its start."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return critic


def dependent(n=2000, seed=0):
    """y in two columns that share noise and bend with x."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 2, generator=generator)
    noise = torch.randn(n, 2, generator=generator) @ torch.tensor([[1.0, 0.8], [0.0, 0.4]])
    return x, x[:, :1].square() + x + 0.5 * noise


@pytest.mark.parametrize("dim_x", [0, 2])
@pytest.mark.parametrize("kind", [FullGaussianCritic, FlowCritic])
def test_one_column_integrates_to_one(kind, dim_x):
    if kind is FullGaussianCritic and dim_x == 0:
        pytest.skip("only a flow has a marginal form")
    critic = kind(dim_x, 1, hidden=(16,))
    x, y = dependent(200)
    if kind is FlowCritic:
        critic.prepare(x, y[:, :1])
    rough(critic)
    grid = torch.linspace(-60, 60, 24001)[:, None]
    total = critic.pairwise(x[:3], grid).exp().sum(-1) * 0.005
    assert torch.allclose(total.expand(3), torch.ones(3), atol=2e-3)


@pytest.mark.parametrize("kind", [FullGaussianCritic, FlowCritic])
def test_two_columns_integrate_to_one(kind):
    torch.manual_seed(1)
    critic = kind(2, 2, hidden=(16,))
    x, y = dependent(200)
    critic.prepare(x, y)
    rough(critic)
    axis = torch.linspace(-25, 25, 251)
    grid = torch.cartesian_prod(axis, axis)
    total = critic.pairwise(x[:1], grid).exp().sum() * 0.2**2
    assert total.item() == pytest.approx(1, abs=0.01)


def test_a_full_gaussian_is_the_multivariate_normal_of_torch():
    critic = rough(FullGaussianCritic(2, 3, hidden=(8,)))
    x, y = torch.randn(4, 2), torch.randn(4, 3)
    mean, log_scale, below = critic.network(x).tensor_split((3, 6), -1)
    for i in range(4):
        factor = torch.diag(torch.exp(-log_scale[i]))
        factor[[1, 2, 2], [0, 0, 1]] = below[i]
        normal = torch.distributions.MultivariateNormal(mean[i], precision_matrix=factor.T @ factor)
        assert torch.allclose(critic(x[i : i + 1], y[i : i + 1])[0], normal.log_prob(y[i]), atol=1e-3)


def test_a_flow_starts_as_the_gaussian_that_fits():
    x, y = dependent()
    critic = FlowCritic(2, 2, hidden=(8,))
    critic.prepare(x, y)
    design = torch.cat([x, torch.ones(len(x), 1)], 1)
    left = y - design @ torch.linalg.lstsq(design, y).solution
    normal = torch.distributions.MultivariateNormal(torch.zeros(2), left.T.cov(correction=0))
    assert torch.allclose(critic(x, y), normal.log_prob(left), atol=1e-2)
    z = critic.residual(x, y)
    assert torch.allclose(z.T.cov(), torch.eye(2), atol=1e-2)
    marginal = FlowCritic(0, 2, hidden=(8,))
    marginal.prepare(x, y)
    assert torch.equal(marginal(x, y), marginal(x + 1, y))


@pytest.mark.parametrize("kind, least", [(FullGaussianCritic, 0.5), (FlowCritic, 0.5)])
def test_training_by_likelihood_beats_the_start(kind, least):
    torch.manual_seed(0)
    (x, y), (new_x, new_y) = dependent(300), dependent(500, seed=1)
    critic = kind(2, 2, hidden=(32, 32))
    critic.prepare(x, y)
    start = critic(new_x, new_y).mean().item()
    optimizer = torch.optim.Adam(critic.parameters(), lr=5e-3)
    for _ in range(80):
        optimizer.zero_grad()
        (-critic(x, y).mean()).backward()
        optimizer.step()
    assert critic(new_x, new_y).mean().item() > start + least


def test_the_plug_in_of_two_densities_is_the_difference_of_entropies():
    """Both flows at their Gaussian start: the entropies are Gaussian, and so is their difference."""
    x, y = CorrelatedGaussian(1, 0.8).sample(4000, torch.Generator().manual_seed(0))
    conditional, marginal = FlowCritic(1, 1, hidden=(8,)), FlowCritic(0, 1, hidden=(8,))
    both = WithOffset(conditional, WeightedSum([marginal], torch.tensor([-1.0])), gain=False)
    both.prepare(x, y)
    value = both(x, y).mean().item()
    assert value == pytest.approx(-0.5 * math.log(1 - 0.8**2), abs=0.04)
    rho = float(torch.corrcoef(torch.cat([x, y], 1).T)[0, 1])
    assert value == pytest.approx(-0.5 * math.log(1 - rho**2), abs=1e-3)


def test_a_log_density_has_one_number_for_each_pair():
    x = torch.zeros(4, 2)
    for density, given in (
        (lambda mean, y: -(mean - y).square(), r"shape \(4, 4, 2\)"),
        (lambda mean, y: -(mean - y).square().sum(), r"shape \(\)"),
        (lambda mean, y: 1.0, "a float"),
    ):
        with pytest.raises(ValueError, match=rf"log_density returns {given} where \(4, 4\) was expected"):
            DensityCritic(density).pairwise(x, x)
    assert DensityCritic(lambda mean, y: -y.square().sum(-1)).pairwise(x, x).shape == (4, 4)


def test_the_regression_of_a_flow_follows_a_training_loop():
    """More columns than rows, an outlier, and another noise: the residuals become standard normal again."""
    torch.manual_seed(0)
    x, critic = torch.randn(64, 100), FlowCritic(100, 1, hidden=(8,))
    critic.prepare(x, x[:, :1] + 0.1 * torch.randn(64, 1))
    for step in range(150):
        x, noise = torch.randn(2, 64, 100)
        y = x[:, :1] + noise[:, :1]
        if step == 20:
            x[0], y[1] = 1e20, 1e20
        critic.observe(x, y)
    assert critic.slope[0].item() == pytest.approx(1, abs=0.3)
    x, noise = torch.randn(2, 500, 100)
    assert 0.7 < critic.residual(x, x[:, :1] + noise[:, :1]).std() < 1.3


def test_torch_goes_on_checking_distributions_as_before(monkeypatch):
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", True)  # other packages switch it off
    FlowCritic(1, 1, hidden=(8,))
    with pytest.raises(ValueError):
        torch.distributions.Normal(0.0, -1.0)
