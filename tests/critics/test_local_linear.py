import math

import pytest
import torch

from mibounds import tasks
from mibounds.critics import CopulaDensityCritic, LocalLinearCritic, Transposed
from mibounds.critics.critic import pairwise_shared


def held_out(critic, x, y):
    """The mean log-ratio of the second half under a critic of the first."""
    half = len(x) // 2
    critic.prepare(x[:half], y[:half])
    return float(critic(x[half:], y[half:]).mean())


@pytest.mark.parametrize("nats", [0.5, 2.0, 5.0])
def test_the_log_ratio_of_correlated_columns(nats):
    task = tasks.CorrelatedGaussian.with_information(1, nats)
    x, y = task.sample(8000, torch.Generator().manual_seed(0))
    exact = float(task.log_ratio(x, y)[4000:].mean())
    assert held_out(LocalLinearCritic(), x, y) == pytest.approx(exact, abs=0.04 + 0.01 * nats)
    assert held_out(Transposed(LocalLinearCritic()), x, y) == pytest.approx(exact, abs=0.04 + 0.01 * nats)
    if nats == 5:
        assert held_out(CopulaDensityCritic(0), x, y) < 3.5


def test_scores_are_normalized_log_ratios():
    """The mean of e^f over mismatched pairs is 1, as far as few pairs show it."""
    task = tasks.CorrelatedGaussian(1, 0.9)
    x, y = task.sample(3000, torch.Generator().manual_seed(0))
    critic = LocalLinearCritic()
    critic.prepare(x[:2000], y[:2000])
    assert float(pairwise_shared(critic, x[2000:], y[2000:]).exp().mean()) == pytest.approx(1, abs=0.1)


def test_noise_of_any_shape_and_size():
    """Uniform noise, whose size depends on x: the entropy of y by a histogram, less that of the noise."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(20_000, 1, generator=generator)
    size = 0.02 + 0.2 * x
    y = x.sin() + size * (2 * torch.rand(20_000, 1, generator=generator) - 1)
    counts = torch.histc(y, 200)
    probability = counts[counts > 0] / counts.sum()
    entropy = -(probability * probability.log()).sum() + ((y.max() - y.min()) / 200).log()
    exact = float(entropy - (2 * size).log().mean())
    assert held_out(LocalLinearCritic(), x, y) == pytest.approx(exact, abs=0.08)


def test_columns_and_targets_are_chosen():
    x, y = tasks.CorrelatedGaussian(1, 0.9).sample(1000, torch.Generator().manual_seed(0))
    noise = torch.randn(1000, 2, generator=torch.Generator().manual_seed(1))
    plain, chosen = LocalLinearCritic(), LocalLinearCritic(1, target=1)
    plain.prepare(x, y)
    wide_x, wide_y = torch.cat([noise[:, :1], x], 1), torch.cat([noise[:, 1:], y], 1)
    chosen.prepare(wide_x, wide_y)
    assert torch.equal(plain(x, y), chosen(wide_x, wide_y))


def test_independent_columns_and_copies_score_finite_numbers():
    x, y = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
    assert held_out(LocalLinearCritic(), x, y) == pytest.approx(0, abs=0.03)
    assert math.isfinite(held_out(LocalLinearCritic(), x, x))
    assert held_out(LocalLinearCritic(), x, x) > 5
    assert math.isfinite(held_out(LocalLinearCritic(), x, 0 * x))
