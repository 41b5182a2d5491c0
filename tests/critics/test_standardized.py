"""Running statistics of inputs, and scores that do not depend on units."""

import copy

import pytest
import torch

from mibounds.critics import DiagonalGaussianCritic, FlowCritic, SeparableCritic, Standardized


def rows(n=256, seed=0):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def test_statistics_are_the_mean_over_ten_batches_and_then_an_average_that_forgets():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    for seed in range(10):
        critic.observe(3 * rows(seed=seed) + 5, rows(seed=seed))
    every = torch.cat([3 * rows(seed=seed) + 5 for seed in range(10)])
    assert torch.allclose(critic.x.mean, every.mean(0), atol=1e-4)
    assert torch.allclose(critic.x.variance, every.var(0, correction=0), rtol=1e-3)
    for seed in range(100):
        critic.observe(30 * rows(seed=seed) - 7, rows(seed=seed))
    assert torch.allclose(critic.x.mean, torch.tensor([-7.0, -7.0]), atol=2)
    assert torch.allclose(critic.x.variance.sqrt(), torch.tensor([30.0, 30.0]), rtol=0.05)


def test_before_the_first_batch_each_is_standardized_by_its_own():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    before = copy.deepcopy(critic.state_dict())
    scaled = critic.x(1e3 * rows() + 1e5)
    assert scaled.mean(0).abs().max() < 1e-3
    assert torch.allclose(scaled.std(0, correction=0), torch.ones(2), atol=1e-3)
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())


def test_a_constant_column_is_centered():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    x = rows()
    x[:, 1] = 0.1
    critic.observe(x, x)
    assert critic.x(x)[:, 1].abs().max() < 1e-6


def test_channels_of_images_have_a_statistic_each():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), (3, 4, 5), 2)
    images = torch.randn(32, 3, 4, 5) * torch.tensor([1.0, 10.0, 100.0])[:, None, None]
    critic.observe(images, rows(32))
    assert torch.allclose(critic.x(images).std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4)
    with pytest.raises(ValueError, match="expected 3"):
        critic.observe(images[:, :2], rows(32))


def test_labels_and_tuples_pass_unchanged():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    labels = torch.arange(4)
    assert critic.x(labels) is labels
    pair = (rows(4), labels)
    assert critic.x(pair) is pair
    critic.observe(labels, pair)
    assert not critic.x.fitted


@pytest.mark.parametrize("kind", [DiagonalGaussianCritic, FlowCritic])
def test_a_density_is_one_of_y_in_its_own_units(kind):
    """log q(a y | x) is log q(y | x) - sum of ln a."""
    scale = torch.tensor([2.0, 50.0])
    torch.manual_seed(0)
    first = kind(2, 2, hidden=(8,))
    plain, scaled = Standardized(first, 2, 2), Standardized(copy.deepcopy(first), 2, 2)
    x, y = rows(), rows(seed=1)
    plain.prepare(x, y)
    scaled.prepare(x, scale * y)
    assert torch.allclose(scaled(x, scale * y), plain(x, y) - scale.log().sum(), atol=1e-4)


def test_a_state_restores_the_statistics():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    critic.observe(5 * rows(), rows() - 3)
    fresh = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    fresh.load_state_dict(critic.state_dict())
    assert torch.equal(fresh.x(rows()), critic.x(rows()))
    assert fresh.y.fitted
