import pytest
import torch
from torch import nn

from mibounds.critics import DiagonalGaussianCritic, Encoded


def test_it_is_a_normalized_density(generator):
    critic = DiagonalGaussianCritic(2, 1, hidden=(8,))
    y = torch.linspace(-40, 40, 8001)[:, None]
    x = torch.randn(3, 2, generator=generator)
    total = critic.pairwise(x, y).exp().sum(1) * 0.01
    assert torch.allclose(total, torch.ones(3), atol=1e-3)


def test_it_fits_by_likelihood(generator):
    """y = 2 x + noise of scale .5: the fitted mean and scale are found."""
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
    assert critic.density
    assert Encoded(critic, nn.Linear(2, 4)).density


def test_columns_are_summed_and_scales_are_not_squashed():
    critic = DiagonalGaussianCritic(1, 2, hidden=())
    nn.init.zeros_(critic.network.output.weight)
    critic.network.output.bias.data = torch.tensor([1.0, -2.0, 2.0, -3.0])  # means, then log-scales
    y = torch.tensor([[0.5, -1.9]])
    scales = torch.tensor([2.0, -3.0]).exp()
    expected = torch.distributions.Normal(torch.tensor([1.0, -2.0]), scales).log_prob(y).sum(-1)
    assert torch.allclose(critic(torch.zeros(1, 1), y), expected, atol=1e-4)
