"""Running statistics of inputs, and scores that do not depend on units."""

import copy

import pytest
import torch

from mibounds.critics import DiagonalGaussianCritic, FlowCritic, FullGaussianCritic, SeparableCritic, Standardized


def rows(n=256, seed=0):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def test_statistics_are_those_of_the_first_batches_and_then_follow_a_change():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    for seed in range(10):
        critic.observe(3 * rows(seed=seed) + 5, rows(seed=seed))
    every = torch.cat([3 * rows(seed=seed) + 5 for seed in range(10)])
    assert torch.allclose(critic.x.origin + critic.x.mean, every.mean(0), atol=1e-4)
    assert torch.allclose(critic.x.scale, every.std(0, correction=0), rtol=0.01)
    for seed in range(100):
        critic.observe(30 * rows(seed=seed) - 7, rows(seed=seed))
    assert torch.allclose(critic.x.origin + critic.x.mean, torch.tensor([-7.0, -7.0]), atol=3)
    assert torch.allclose(critic.x.scale, torch.tensor([30.0, 30.0]), rtol=0.2)


def test_a_batch_that_agrees_moves_the_statistics_little():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    for seed in range(100):
        critic.observe(rows(128, seed), rows(128, seed))
    before = critic.x.mean.clone(), critic.x.scale.clone()
    critic.observe(rows(128, 100), rows(128, 100))
    assert (critic.x.mean - before[0]).abs().max() < 0.01
    assert (critic.x.scale - before[1]).abs().max() < 0.01


@pytest.mark.parametrize("first", [1e3, 1e-3])
def test_other_units_at_first_are_gone_after_a_hundred_batches(first):
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    for seed in range(100):
        critic.observe(rows(seed=seed), rows(seed=seed) * (first if seed < 20 else 1))
    assert torch.allclose(critic.y.scale, torch.ones(2), rtol=0.5)


@pytest.mark.parametrize("when", [2, 40])
def test_an_outlier_does_not_stay_in_the_statistics(when):
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    for seed in range(when + 120):
        y = rows(128, seed)
        if seed == when:
            y[0] = 1e6
        critic.observe(rows(128, seed), y)
    assert torch.allclose(critic.y.scale, torch.ones(2), rtol=1)
    assert critic.y(rows()).mean(0).abs().max() < 1


@pytest.mark.parametrize("scale", [1e30, 1e20, 1e-16, 1e-30])
def test_scales_may_be_huge_and_tiny(scale):
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    for _ in range(2):  # before the first batch, and after it
        assert torch.allclose(critic.x(scale * rows()), critic.y(rows()), atol=1e-4)
        critic.observe(scale * rows(), rows())
    assert torch.allclose(critic.x(scale * rows()).std(0, correction=0), torch.ones(2), atol=1e-4)


def test_time_stamps_in_float64_keep_their_digits():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    stamps = 1.7e9 + 10 * rows().double()
    for _ in range(2):
        assert torch.allclose(critic.x(stamps), critic.y(rows()), atol=1e-4)
        assert critic.x(stamps).dtype == torch.float32
        critic.observe(stamps, rows())


def test_a_batch_with_missing_values_is_not_observed():
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    critic.observe(rows(), rows())
    before = critic.x(rows())
    critic.observe(rows().fill_(torch.nan), rows())
    critic.observe(rows().fill_(torch.inf), rows())
    assert torch.allclose(critic.x(rows()), before, atol=1e-6)


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
    assert torch.allclose(critic.x(images).std((0, 2, 3), correction=0), torch.ones(3), atol=0.02)
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


def test_other_shapes_have_a_statistic_for_each_entry():
    """Time series (T, C) whose columns have units."""
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), (2, 3), 2)
    series = torch.randn(64, 2, 3) * torch.tensor([1.0, 10.0, 1000.0])
    critic.observe(series, rows(64))
    assert torch.allclose(critic.x(series).std(0, correction=0), torch.ones(2, 3), atol=1e-4)


@pytest.mark.parametrize("kind", [DiagonalGaussianCritic, FullGaussianCritic, FlowCritic])
def test_constant_columns_are_left_out_of_a_density(kind):
    """Whatever the density has learned of them; a wholly constant y is worth nothing."""
    torch.manual_seed(0)
    critic = Standardized(kind(2, 3, hidden=(8,)), 2, 3)
    for parameter in critic.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    y = torch.cat([rows(seed=1)[:, :1], torch.full((256, 1), 0.1), rows(seed=1)[:, 1:]], 1)
    critic.prepare(rows(), y)
    other = y.clone()
    other[:, 1] = 7.0
    assert torch.allclose(critic(rows(), other), critic(rows(), y), atol=1e-5)
    assert critic.residual(rows(), y).shape == (256, 2)
    restored = Standardized(kind(2, 3, hidden=(8,)), 2, 3)
    restored.load_state_dict(critic.state_dict())
    assert torch.allclose(restored(rows(), other), critic(rows(), y), atol=1e-5)
    critic.observe(rows(), torch.ones(256, 3))
    grid = critic.pairwise(rows(4), torch.ones(5, 3))
    assert torch.allclose(grid, grid[0, 0].expand(4, 5), atol=1e-5)


def test_between_the_regular_observations_only_a_side_that_moved_is_measured():
    generator = torch.Generator().manual_seed(0)
    critic = Standardized(SeparableCritic(2, 2, hidden=(4,)), 2, 2)
    batch = torch.randn(4_000, 2, generator=generator)
    for update in range(1, 21):
        critic.observe(batch, batch, update)
    critic.observe(batch, batch + 1, 30)  # every tenth: both, and y has moved
    assert (float(critic.x.batches), float(critic.y.batches)) == (21, 21)
    assert (bool(critic.x.apart), bool(critic.y.apart)) == (False, True)
    critic.observe(batch, batch + 1, 31)
    assert (float(critic.x.batches), float(critic.y.batches)) == (21, 22)
    critic.observe(batch, batch + 1, 40)
    assert (float(critic.x.batches), float(critic.y.batches)) == (22, 23)
