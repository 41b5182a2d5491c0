import math

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import NWJ, DonskerVaradhan
from mibounds.critics import (
    Calibrated,
    DiagonalGaussianCritic,
    Encoded,
    FunctionCritic,
    GaussianCritic,
    MixedWithIndependence,
    Normalized,
    SeparableCritic,
    WeightedSum,
    WithOffset,
)
from mibounds.critics.wrappers import acceptance_ratio, piecewise_slopes
from mibounds.inference import BoundEvaluation, evaluate_grid, pool
from mibounds.tasks import CorrelatedGaussian


def test_an_offset_is_added_with_a_learnt_gain(generator):
    x, y = CorrelatedGaussian(2, 0.8).sample(1000, generator)
    critic = WithOffset(SeparableCritic(2, 2, hidden=(8,)), GaussianCritic())
    critic.prepare(x, y)
    assert torch.allclose(critic(x, y), critic.offset(x, y))
    critic.gain.data.fill_(0.5)
    assert torch.allclose(critic(x, y), critic.offset(x, y) / 2)
    critic(x, y).sum().backward()
    assert critic.gain.grad is not None
    assert not list(WithOffset(critic, critic.offset, gain=False).offset.parameters())


def test_a_mixture_with_independence_stays_normalized_and_bounds_what_one_pair_costs(generator):
    task = CorrelatedGaussian(1, 0.9)
    x, y = task.sample(4000, generator)
    exact = FunctionCritic(task.log_ratio)
    mixed = MixedWithIndependence(exact, 0.05)
    ratio = exact(x, y).exp()
    assert torch.allclose(mixed(x, y).exp(), 0.95 * ratio + 0.05, rtol=1e-4)
    shuffled = y[torch.randperm(len(y), generator=generator)]
    assert float(mixed(x, shuffled).exp().mean()) == pytest.approx(1, abs=0.1)
    far = torch.tensor([[-9.0]])
    assert float(exact(far, -far)) < -300
    assert float(mixed(far, -far)) == pytest.approx(math.log(0.05))
    assert float((exact(x, y) - mixed(x, y)).max()) < -math.log(0.95) + 1e-4
    assert float((ratio < 0.05).float().mean()) < 0.05  # so seldom is a matched pair below the share


def test_tuba_is_nwj_over_a_critic_with_a_baseline(generator):
    """1 + E[f - log a(y)] - E[e^f / a(y)], with the baseline on the right axis."""
    x, y = CorrelatedGaussian(1, 0.8).sample(6, generator)
    f = FunctionCritic(lambda x, y: (x * y).sum(-1))
    minus_log_a = FunctionCritic(lambda x, y: (0 * x - y.square()).sum(-1))
    grid = WithOffset(f, minus_log_a).pairwise(x, y).detach()
    value = float(NWJ()(grid.diagonal(), off_diagonal(grid.mT)))
    joint = sum(float(x[i] * y[i] - y[i] ** 2) for i in range(6)) / 6
    product = sum(math.exp(float(x[j] * y[i] - y[i] ** 2)) for i in range(6) for j in range(6) if i != j) / 30
    assert value == pytest.approx(1 + joint - product, rel=1e-5)


@pytest.mark.parametrize("information, tolerance", [(0.5, 0.02), (6.0, 0.1), (20.0, 1.0)])
def test_the_acceptance_ratio_finds_a_constant_even_where_no_negative_resembles_a_pair(
    exact_grid, information, tolerance
):
    """The log-mean-exp is off by nats at 20 nats and 2,000 rows; Bennett's constant is not."""
    constants = [float(acceptance_ratio(exact_grid(information, 2000, seed) + 7)) - 7 for seed in range(3)]
    assert sum(constants) / 3 == pytest.approx(0, abs=tolerance)


def test_the_acceptance_ratio_solves_its_equation(generator):
    grid = torch.randn(40, 40, generator=generator) + 2 * torch.eye(40)
    c, odds = acceptance_ratio(grid), math.log(39)
    matched = (c + odds - grid.diagonal()).sigmoid().sum()
    mismatched = (off_diagonal(grid) - c - odds).sigmoid().sum()
    assert float(matched) == pytest.approx(float(mismatched), rel=1e-3)


def test_a_function_of_y_is_removed(generator):
    task = CorrelatedGaussian(2, 0.7)
    shifted = FunctionCritic(lambda x, y: task.log_ratio(x, y) + 5 * y.sum(-1))
    normalized = Normalized(shifted, task.sample(4000, generator), unidentified="function of y")
    x, y = task.sample(300, generator)
    off = normalized.pairwise(x, y) - FunctionCritic(task.log_ratio).pairwise(x, y)
    assert off.abs().mean() < 0.08
    assert normalized.pairwise(x[:3], y).shape == (3, 300)


def test_folds_with_different_constants_are_pooled_only_when_normalized(generator):
    """Five folds of the exact critic, each with another constant, which spoils the pooled Donsker–Varadhan value."""
    task = CorrelatedGaussian(1, 0.8)  # 0.51 nats
    raw, normalized = [], []
    for constant in (-2.0, -1.0, 0.0, 1.0, 2.0):
        critic = FunctionCritic(lambda x, y, constant=constant: task.log_ratio(x, y) + constant)
        bank, (x, y) = task.sample(1000, generator), task.sample(400, generator)
        for kind, parts in ((critic, raw), (Normalized(critic, bank), normalized)):
            parts.append(evaluate_grid(kind.pairwise(x, y), [DonskerVaradhan()])[0])
    fold = torch.arange(5).repeat_interleave(400)
    values = [BoundEvaluation(DonskerVaradhan(), pool(parts), fold, math.inf).value() for parts in (raw, normalized)]
    assert values[0] < 0.1
    assert values[1] == pytest.approx(task.mutual_information, abs=0.05)


def test_a_sum_weights_critics_that_see_different_encodings(generator):
    x, y = torch.randn(5, 2, generator=generator), torch.randn(6, 2, generator=generator)
    product = FunctionCritic(lambda x, y: (x * y).sum(-1))
    doubled = Encoded(product, encoder_x=Double())
    total = WeightedSum([product, doubled], torch.tensor([0.5, 0.25]))
    assert torch.allclose(total.pairwise(x, y), x @ y.T)
    assert torch.allclose(total(x, y[:5]), (x * y[:5]).sum(-1))


class Double(torch.nn.Module):
    def forward(self, x):
        return 2 * x


def test_slopes_are_hinges_at_the_knots():
    scores, knots = torch.linspace(-3, 3, 50), torch.tensor([-1.0, 0.5, 2.0])
    slopes = torch.tensor([0.7, 1.0, -2.0, 0.3])
    naive = slopes[0] * scores + sum(c * (scores - t).clamp_min(0) for c, t in zip(slopes[1:], knots, strict=True))
    assert torch.allclose(piecewise_slopes(scores, knots, slopes), naive, atol=1e-5)


def test_a_calibrated_critic_bends_all_pairs_alike(generator):
    x, y = torch.randn(5, 1, generator=generator), torch.randn(6, 1, generator=generator)
    product = FunctionCritic(lambda x, y: (x * y).sum(-1))
    bent = Calibrated(product, torch.tensor([0.0]), torch.tensor([1.0, -1.0]))
    assert torch.allclose(bent.pairwise(x, y), product.pairwise(x, y).clamp_max(0))


def test_scores_too_large_for_the_tolerance_end_all_the_same(generator):
    """Neighboring float32 numbers near 1e5 are 0.008 apart."""
    grid = torch.randn(20, 20, generator=generator) + 1e5 + 10 * torch.eye(20)
    near = acceptance_ratio(grid - 1e5)
    assert float(acceptance_ratio(grid) - 1e5) == pytest.approx(float(near), abs=0.1)


def test_a_bank_of_nested_encodings_moves_with_the_critic(generator):
    x, y = CorrelatedGaussian(1, 0.8).sample(20, generator)
    density = DiagonalGaussianCritic(1, 1, hidden=(4,))  # its encodings of x are pairs of tensors
    critic = Normalized(WithOffset(density, density), (x, y), unidentified="function of y")
    assert len([name for name, _ in critic.named_buffers() if name.startswith("bank")]) == 4
    before = critic(x, y)
    other = Normalized(WithOffset(density, density), (y, x), unidentified="function of y")
    assert not torch.equal(other(x, y), before)
    other.load_state_dict(critic.state_dict())
    assert torch.equal(other(x, y), before)
    assert all(buffer.is_meta for buffer in critic.to("meta").buffers())
