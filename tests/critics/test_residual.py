import math

import pytest
import torch

from mibounds.critics import CopulaDensityCritic, ResidualCritic
from mibounds.tasks import CorrelatedGaussian

NOISE = 0.5


def normal(value, mean, scale):
    return -0.5 * ((value - mean) / scale) ** 2 - math.log(scale) - 0.5 * math.log(2 * math.pi)


def exact(x, y):
    """Of y = x + 0.5 noise."""
    return normal(y, x, NOISE) - normal(y, 0.0, math.sqrt(1 + NOISE**2))


def draw(n=6000, seed=0):
    x, noise = torch.randn(2, n, 1, generator=torch.Generator().manual_seed(seed))
    return x, x + NOISE * noise


def fitted(critic, x, y):
    critic.prepare(x, y)
    return critic


GRID_X = torch.linspace(-1.5, 1.5, 13)[:, None]
GRID_Z = torch.linspace(-0.75, 0.75, 7)[:, None]


def pairs():
    """Pairs of the grid whose residuals are at most one and a half times the noise."""
    x = GRID_X.repeat_interleave(len(GRID_Z), 0)
    return x, x + GRID_Z.repeat(len(GRID_X), 1)


def test_gaussian_noise_has_the_exact_log_ratio():
    critic = fitted(ResidualCritic(0), *draw())
    x, y = pairs()
    error = (critic(x, y) - exact(x, y)[:, 0]).abs()
    assert float(error.max()) < 0.12
    assert float(error.mean()) < 0.05
    new = draw(2000, 1)
    assert float(critic(*new).mean()) == pytest.approx(0.5 * math.log(1 + 1 / NOISE**2), abs=0.05)
    product = critic.pairwise(*new).exp()
    assert float(product.mean()) == pytest.approx(1, abs=0.05)
    assert float(product.mean(0).median()) == pytest.approx(1, abs=0.05), "the marginal of y is that of the mixture"


def test_the_place_of_the_columns():
    x, y = draw()
    other = torch.randn(6000, 2, generator=torch.Generator().manual_seed(3))
    critic = fitted(ResidualCritic(2, target=1), torch.cat([other, x], 1), torch.cat([other[:, :1], y], 1))
    alone = fitted(ResidualCritic(0), x, y)
    assert torch.equal(critic(torch.cat([other, x], 1), torch.cat([other[:, :1], y], 1)), alone(x, y))


def test_the_size_of_residuals_is_used_up_to_a_factor():
    x, noise = torch.randn(2, 8000, 1, generator=torch.Generator().manual_seed(0))
    log_size = torch.where(torch.arange(8000)[:, None] % 2 == 0, -2.0, 0.0)
    y = x + log_size.exp() * noise
    found = [fitted(ResidualCritic(0, 1), torch.cat([x, log_size + c], 1), y) for c in (0.0, 7.0)]
    plain = fitted(ResidualCritic(0), x, y)
    size = 1.0, math.exp(-2.0)
    grid = torch.linspace(-1, 1, 9)[:, None]
    marginal = torch.logsumexp(torch.stack([normal(grid, 0.0, math.sqrt(1 + s * s)) for s in size]), 0) - math.log(2)
    for log, s in ((0.0, size[0]), (-2.0, size[1])):
        near = grid + s * torch.linspace(-1, 1, 9).roll(4)[:, None]
        truth = normal(grid, near, s) - marginal
        sides = [torch.cat([near, torch.full_like(grid, log + c)], 1) for c in (0.0, 7.0)]
        scores = [critic(side, grid) for critic, side in zip(found, sides, strict=True)]
        assert torch.allclose(scores[0], truth[:, 0], atol=0.15)
        assert torch.allclose(*scores, atol=1e-3)
    assert float(found[0](torch.cat([x, log_size], 1), y).mean()) > float(plain(x, y).mean()) + 0.2


def test_a_ranked_prediction_does_not_depend_on_the_values_of_y():
    x, y = draw()
    spread = math.sqrt(1 + NOISE**2)
    one, other = (fitted(ResidualCritic(0, ranked=True), x / spread, side) for side in (y, (3 * y).exp()))
    assert torch.allclose(one(x / spread, y), other(x / spread, (3 * y).exp()), atol=5e-3)
    grid_x, grid_y = pairs()
    inside = (grid_y.abs() < 1.8)[:, 0]
    assert torch.allclose(one(grid_x / spread, grid_y)[inside], exact(grid_x, grid_y)[inside, 0], atol=0.2)


@pytest.mark.parametrize("far", [100.0, 1e6, 1e15, -1e15])
def test_one_far_value_does_not_change_the_other_scores(far):
    x, y = draw()
    y[5] = far
    critic = fitted(ResidualCritic(0), x, y)
    grid_x, grid_y = pairs()
    assert torch.allclose(critic(grid_x, grid_y), exact(grid_x, grid_y)[:, 0], atol=0.2)
    assert critic.pairwise(x[:50], y[:50]).isfinite().all()


def test_far_residuals_have_finite_scores():
    """Beyond what was seen the density falls off; the square of a residual may be too large for a number."""
    critic = fitted(ResidualCritic(0), *draw())
    x = torch.zeros(6, 1)
    y = torch.tensor([[5.0], [50.0], [1e6], [1e25], [1e30], [-1e30]])
    scores = critic(x, y)
    assert scores.isfinite().all()
    assert (critic(torch.tensor([[1e25]]), torch.zeros(1, 1)) < -10).all()


def test_noise_of_another_shape():
    """Uniform noise of width 0.2 is sharper than a Gaussian of its variance, by 0.176 nats."""
    x = torch.randn(8000, 1, generator=torch.Generator().manual_seed(0))
    y = x + 0.2 * torch.rand(8000, 1, generator=torch.Generator().manual_seed(1))
    critic = fitted(ResidualCritic(0), x, y)
    entropy_of_y = 0.5 * math.log(2 * math.pi * math.e * (1 + 0.04 / 12))
    assert float(critic(x, y).mean()) == pytest.approx(entropy_of_y - math.log(0.2), abs=0.1)


def test_columns_without_information_score_zero():
    x, y = torch.randn(2, 4000, 1, generator=torch.Generator().manual_seed(0))
    critic = fitted(ResidualCritic(0), torch.zeros_like(x), y)
    assert critic(torch.zeros_like(x), y).abs().max() < 0.3  # at the far ends
    assert critic(torch.zeros_like(x), y).abs().mean() < 0.02
    constant = fitted(ResidualCritic(0), torch.full_like(x, 3.0), torch.full_like(x, 3.0))
    assert constant(torch.full_like(x, 3.0), torch.full_like(x, 3.0)).abs().max() < 0.1


@pytest.mark.parametrize("value", [0.0, 3.0, -1e8])
@pytest.mark.parametrize("ranked", [False, True])
def test_a_target_that_is_constant_in_a_fold_has_finite_scores(value, ranked):
    x = torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    y = torch.full_like(x, value)
    critic = fitted(ResidualCritic(0, ranked=ranked), x, y)
    assert critic.pairwise(x, torch.cat([y[:3], y[:3] + 1])).isfinite().all()


def test_saved_weights_hold_the_whole_density():
    x, y = draw(500)
    critic = fitted(ResidualCritic(0), x, y)
    fresh = ResidualCritic(0)
    fresh.load_state_dict(critic.state_dict())
    assert torch.equal(fresh(x, y), critic(x, y))
    assert all(buffer.is_meta for buffer in critic.to("meta").buffers())


def test_the_copula_density_of_a_gaussian():
    task = CorrelatedGaussian(1, 0.8)
    critic = fitted(CopulaDensityCritic(0), *task.sample(8000, torch.Generator().manual_seed(0)))
    x = torch.linspace(-1.5, 1.5, 11)[:, None].repeat_interleave(7, 0)
    y = 0.8 * x + 0.6 * torch.linspace(-1.5, 1.5, 7)[:, None].repeat(11, 1)
    assert torch.allclose(critic(x, y), task.log_ratio(x, y), atol=0.25)
    assert float((critic(x, y) - task.log_ratio(x, y)).abs().mean()) < 0.06
    new = task.sample(2000, torch.Generator().manual_seed(1))
    assert float(critic(*new).mean()) == pytest.approx(task.mutual_information, abs=0.04)
    assert float(critic.pairwise(*new).exp().mean()) == pytest.approx(1, abs=0.04)


def test_the_copula_density_depends_on_ranks_and_takes_its_columns():
    x, y = CorrelatedGaussian(1, -0.8).sample(2000, torch.Generator().manual_seed(0))
    other = torch.randn(2000, 1, generator=torch.Generator().manual_seed(3))
    plain = fitted(CopulaDensityCritic(0), x, y)
    wide_x, wide_y = torch.cat([other, x.exp()], 1), torch.cat([other, y**3], 1)
    critic = fitted(CopulaDensityCritic(1, 1), wide_x, wide_y)
    assert torch.allclose(critic(wide_x, wide_y), plain(x, y), atol=1e-4)


def test_the_copula_density_of_any_shape_and_of_noise():
    """A circle has no correlation."""
    angle = 2 * math.pi * torch.rand(4000, 1, generator=torch.Generator().manual_seed(0))
    noise = 0.1 * torch.randn(4000, 2, generator=torch.Generator().manual_seed(1))
    x, y = angle.cos() + noise[:, :1], angle.sin() + noise[:, 1:]
    critic = fitted(CopulaDensityCritic(0), x[:3000], y[:3000])
    assert float(critic(x[3000:], y[3000:]).mean()) > 0.5
    u, v = torch.randn(2, 3000, 1, generator=torch.Generator().manual_seed(2))
    independent = fitted(CopulaDensityCritic(0), u[:2000], v[:2000])
    assert float(independent(u[2000:], v[2000:]).mean()) == pytest.approx(0, abs=0.01)
    constant = fitted(CopulaDensityCritic(0), torch.zeros_like(u), v)
    assert constant(torch.zeros_like(u), v).abs().max() < 1e-4


def test_the_copula_density_of_tied_columns():
    """Their normal scores are no normal numbers."""
    generator = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, 6000, 1, generator=generator)
    y = (x + noise > 1.5).float()
    critic = fitted(CopulaDensityCritic(0), x[:4000], y[:4000])
    product = critic.pairwise(x[4000:], y[4000:]).exp()
    assert float(product.mean()) == pytest.approx(1, abs=0.03)
    share = y.mean()
    above = 0.5 * torch.erfc((1.5 - x[4000:]) / math.sqrt(2))
    information = above * (above / share).log() + (1 - above) * ((1 - above) / (1 - share)).log()
    assert float(critic(x[4000:], y[4000:]).mean()) == pytest.approx(float(information.mean()), abs=0.03)


def test_the_copula_density_between_grid_points_is_bilinear():
    x, y = CorrelatedGaussian(1, 0.6).sample(500, torch.Generator().manual_seed(0))
    critic = fitted(CopulaDensityCritic(0), x, y)
    u, v = critic.rank_x(x)[:20, 0], critic.rank_y(y)[:20, 0]
    place_u, place_v = ((side + 3.8) * 95 / 7.6 for side in (u, v))
    grid = critic.log_ratio
    for i in range(20):
        a, b = int(place_u[i]), int(place_v[i])
        s, t = float(place_u[i]) - a, float(place_v[i]) - b
        near = grid[a : a + 2, b : b + 2]
        expected = torch.tensor([1 - s, s]) @ near @ torch.tensor([1 - t, t])
        assert float(critic(x[i : i + 1], y[i : i + 1])) == pytest.approx(float(expected), abs=1e-4)
