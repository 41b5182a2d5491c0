"""The training of a GAN with an information term."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from mibounds.demos import adversarial
from mibounds.demos.adversarial import Training, draw_latent, fit

TINY = Training(steps=8, batch_size=32, critic_layers=(16,), code=3, noise=2)


def run(training, seed=0, after=lambda step, draws: None, real=None):
    """The networks after a training on points around (3, 3)."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(training.code + training.noise, 16), nn.Tanh(), nn.Linear(16, 2))
    discriminator = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    draw_real = real or (lambda n, draws: 3 + torch.randn(n, 2, generator=draws))
    fit(generator, discriminator, draw_real, training, seed, after)
    return generator, discriminator


def weights(network):
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def test_the_code_is_of_fair_signs_or_uniform():
    draws = torch.Generator().manual_seed(0)
    signs = draw_latent(TINY, 4000, draws)
    assert signs.shape == (4000, 5)
    assert set(signs[:, :3].flatten().tolist()) == {-1.0, 1.0}
    assert signs[:, :3].mean(0).abs().max() < 0.06
    assert len(signs[:, 3:].unique()) > 7000
    uniform = draw_latent(replace(TINY, bits=False), 4000, draws)
    assert uniform.abs().max() <= 1
    assert uniform.std(0).sub(3**-0.5).abs().max() < 0.02


@pytest.mark.parametrize("regularizer", ["mine", "nwj", "dv", "nce"])
@pytest.mark.parametrize("scheduling", ["constant", "half", "cosine", "late"])
def test_every_term_trains_and_is_repeatable(regularizer, scheduling):
    training = replace(TINY, regularizer=regularizer, scheduling=scheduling, critic_type="separable")
    generator, discriminator = run(training)
    assert weights(generator).isfinite().all()
    assert torch.equal(weights(generator), weights(run(training)[0]))
    assert not torch.equal(weights(generator), weights(run(replace(training, beta=0.0))[0]))
    assert not torch.equal(weights(generator), weights(run(training, seed=1)[0]))
    assert all(weight.requires_grad for weight in discriminator.parameters())


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, 1),
        ({"regularizer": "dv"}, 1),
        ({"regularizer": "nce"}, 8),
        ({"regularizer": "nce", "critic_type": "separable"}, "all"),
        ({"critic_type": "separable"}, 1),
        ({"regularizer": "nce", "negative_samples": 3}, 3),
        ({"regularizer": "nce", "critic_type": "separable", "negative_samples": 3}, 3),
    ],
)
def test_mismatched_pairs_by_the_bound_and_the_critic(options, expected, monkeypatch):
    built = []
    regularizer = adversarial.MIRegularizer
    monkeypatch.setattr(adversarial, "MIRegularizer", lambda *a, **k: built.append(regularizer(*a, **k)) or built[-1])
    run(replace(TINY, steps=1, **options))
    assert [one.negatives for one in built] == [expected]


def test_an_unknown_regularizer():
    with pytest.raises(ValueError, match="regularizer is 'mime', and must be 'mine', 'nwj', 'dv' or 'nce'"):
        run(replace(TINY, regularizer="mime"))


def test_the_generator_moves_to_the_data_and_the_steps_are_counted():
    counted = []
    training = replace(TINY, steps=300, beta=0.0, gen_lr=3e-3, disc_lr=3e-3)
    generator, _ = run(training, after=lambda step, draws: counted.append(step))
    assert counted == list(range(1, 301))
    with torch.no_grad():
        mean = generator(draw_latent(training, 500, torch.Generator().manual_seed(1))).mean(0)
    assert (mean - 3).abs().max() < 1.2  # 3 before; the two players still oscillate


def test_the_information_term_spreads_the_samples_of_the_codes():
    """All data at one point: the plain generator has no reason to tell its codes apart."""

    def spread(beta):
        training = replace(TINY, steps=300, beta=beta, scheduling="constant", code=1, instance_noise=0.0)
        generator, _ = run(training, real=lambda n, draws: 3 + 0.3 * torch.randn(n, 2, generator=draws))
        with torch.no_grad():
            z = draw_latent(training, 1000, torch.Generator().manual_seed(1))
            samples = generator(z)
        return float((samples[z[:, 0] > 0].mean(0) - samples[z[:, 0] < 0].mean(0)).norm() / samples.std(0).norm())

    assert spread(1.0) > 1.5 > 1.2 * spread(0.0)


def test_schedules_by_hand():
    at = (0.0, 0.25, 0.5, 0.75, 1.0)
    expected = {
        "constant": (1, 1, 1, 1, 1),
        "half": (1, 1, 0, 0, 0),
        "cosine": (1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125), 0),
        "late": (1, 1, 1, 0.5, 0),
    }
    for schedule, values in expected.items():
        assert [adversarial._weight(schedule, progress) for progress in at] == pytest.approx(values)


def test_the_gradient_penalty_falls_geometrically_and_is_as_strong_on_average():
    training = Training(steps=100, gradient_penalty=1.0, penalty_end=0.01, penalty_every=4)
    assert adversarial._penalty(training, 0) == 4.0
    assert adversarial._penalty(training, 52) == pytest.approx(4 * 0.01**0.52)
    assert adversarial._penalty(training, 53) == 0.0
    assert adversarial._penalty(replace(training, gradient_penalty=0.0), 0) == 0.0


def test_the_discriminator_step_by_hand():
    """One weight w: scores w x; the loss is softplus(-w r) + softplus(w f) + penalty / 2 w^2."""
    network = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(2.0)
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    adversarial._discriminator_step(network, optimizer, torch.tensor([[0.5]]), torch.tensor([[-1.0]]), 0.3)
    slope = -0.5 / (1 + math.exp(1.0)) - 1 / (1 + math.exp(2.0)) + 0.3 * 2.0
    assert float(network.weight.detach()) == pytest.approx(2.0 - slope)
