"""Upper bounds that are wrong are reported, and right ones are not."""

import warnings

import pytest
import torch
from torch import nn

from mibounds import MIRegularizer
from mibounds.critics import DiagonalGaussianCritic, FullGaussianCritic
from mibounds.representation import critic_checks
from mibounds.representation.critic_checks import misfit
from mibounds.tasks import CorrelatedGaussian
from mibounds.warnings import CriticLagsWarning, DensityMisfitWarning, UpperBoundBelowZeroWarning

KINDS = (CriticLagsWarning, DensityMisfitWarning, UpperBoundBelowZeroWarning)


def regularizer(bound="leaveoneout", critic="diagonalgaussian", **options):
    return MIRegularizer(2, 2, **{"bound": bound, "critic": critic, "hidden": (32,), "lr": 5e-3, **options})


def reported(reg, batches):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        for x, z in batches:
            reg.update(x, z)
    return {type(one.message) for one in record}


@pytest.fixture
def often(monkeypatch):
    """A check at every fifth update: sixteen, which are looked at together, take 80 updates and not 320."""
    monkeypatch.setattr(critic_checks, "_EVERY", 5)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("bound", "critic"),
    [
        ("leaveoneout", "fullgaussian"),
        ("club", "diagonalgaussian"),
        ("leaveoneout", "diagonalgaussian"),
        ("club", "fullgaussian"),
    ],
)
@pytest.mark.parametrize("rho", [pytest.param(0.0, marks=pytest.mark.slow), 0.8])
def test_a_critic_that_follows_is_not_reported(bound, critic, rho):
    g = torch.Generator().manual_seed(0)
    task = CorrelatedGaussian(2, rho)
    assert reported(regularizer(bound, critic, lr=5e-3), (task.sample(128, g) for _ in range(200))) == set()


def moving(steps, speed):
    """Pairs whose relation rotates by an angle at every step."""
    g = torch.Generator().manual_seed(0)
    for step in range(steps):
        x, noise = torch.randn(128, 2, generator=g), torch.randn(128, 2, generator=g)
        c, s = torch.tensor(step * speed).cos(), torch.tensor(step * speed).sin()
        yield x, x @ torch.stack([torch.stack([c, -s]), torch.stack([s, c])]) + 0.3 * noise


@pytest.mark.usefixtures("often")
def test_a_critic_that_lags_is_reported_and_more_steps_cure_it():
    assert CriticLagsWarning in reported(regularizer(lr=1e-3), moving(200, 0.02))
    assert CriticLagsWarning not in reported(regularizer(lr=5e-3, steps=5), moving(200, 0.002))


def test_an_upper_bound_below_zero_is_reported():
    reg = regularizer()
    reported(reg, moving(1, 0.0))
    reg._values.extend([torch.tensor(-86.0)] * 100)
    assert UpperBoundBelowZeroWarning in reported(reg, moving(20, 0.0))


@pytest.mark.usefixtures("often")
def test_a_density_that_does_not_fit_is_reported():
    """z = +x or -x: uncorrelated, and no Gaussian given x."""
    g = torch.Generator().manual_seed(0)

    def batches():
        for _ in range(200):
            x = torch.randn(128, 2, generator=g)
            sign = (torch.rand(128, 1, generator=g) < 0.5).float() * 2 - 1
            yield x, sign * x + 0.1 * torch.randn(128, 2, generator=g)

    assert DensityMisfitWarning in reported(regularizer(), batches())


@pytest.mark.parametrize("kind", [DiagonalGaussianCritic, FullGaussianCritic])
def test_residuals_give_the_density(kind):
    torch.manual_seed(0)
    critic = kind(2, 2, hidden=(8,))
    x, y = torch.randn(5, 2), torch.randn(5, 2)
    mean = critic.encode_x(x)[0] if kind is DiagonalGaussianCritic else critic.encode_x(x)[:, :2]
    assert torch.allclose(critic.residual(x, mean), torch.zeros(5, 2), atol=1e-6)
    difference = critic(x, mean) - critic(x, y)
    assert torch.allclose(difference, critic.residual(x, y).square().sum(1) / 2, atol=1e-5)


def test_the_misfit_of_correlated_residuals_is_their_information():
    x = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0))
    x[:, 1] = 0.6 * x[:, 0] + 0.8 * x[:, 1]
    assert misfit(5 * x - 3) == pytest.approx(0.223, abs=0.02)


def test_nothing_is_held_back_where_nothing_is_checked():
    reg = regularizer(check=False)
    assert reported(reg, moving(150, 0.2)) == set()
    assert not reg._checks.critic.gains


@pytest.mark.usefixtures("often")
def test_a_network_that_outruns_its_critic():
    """The example of the documentation: an encoder at a rate of 2e-2 minimizes the bound of a slower critic."""
    torch.manual_seed(0)
    encoder = nn.Linear(4, 2)
    optimizer = torch.optim.Adam(encoder.parameters(), 2e-2)
    reg = MIRegularizer(4, 2, bound="leaveoneout", critic="diagonalgaussian", hidden=(32,), lr=2e-4)
    g = torch.Generator().manual_seed(0)
    with pytest.warns() as record:
        for _ in range(200):
            x = torch.randn(128, 4, generator=g)
            z = encoder(x) + 0.1 * torch.randn(128, 2, generator=g)
            optimizer.zero_grad()
            (reg(x, z) + 3 * (z - x[:, :2]).square().mean()).backward()
            optimizer.step()
            reg.update(x, z)
    assert {type(one.message) for one in record} & set(KINDS)
