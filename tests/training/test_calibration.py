import pytest
import torch

from mibounds._math import infonce_loss
from mibounds.critics import Calibrated, FunctionCritic, WeightedSum
from mibounds.tasks import AdditiveUniformNoise, CorrelatedGaussian
from mibounds.training.calibration import calibration, stacking_weights

TASK = CorrelatedGaussian(2, 0.8)


def grid(critic, n=512, task=TASK, seed=0):
    return critic.pairwise(*task.sample(n, torch.Generator().manual_seed(seed)))


def test_noise_gets_no_weight_and_equals_share():
    exact = grid(FunctionCritic(TASK.log_ratio))
    noise = torch.randn((3, *exact.shape), generator=torch.Generator().manual_seed(1))
    weights = stacking_weights(torch.stack([exact + noise[0], noise[1], exact + noise[2]]))
    assert float(weights[1]) < 0.1
    assert float(weights[0]) == pytest.approx(float(weights[2]), abs=0.1)
    assert float(weights[0]) > 0.3


def test_the_best_critic_stands_alone_where_a_sum_gains_nothing():
    exact = grid(FunctionCritic(TASK.log_ratio))
    assert stacking_weights(torch.stack([exact / 2, exact])).tolist() == [0, 1]
    assert stacking_weights(exact[None]).tolist() == [1]


def test_near_the_ceiling_nothing_is_weighted_or_calibrated():
    """At 23 nats all pairs are told apart, whatever the scale: the score says nothing about nats."""
    task = CorrelatedGaussian.with_information(20, 23.0)
    exact = grid(FunctionCritic(task.log_ratio), 512, task)
    assert stacking_weights(torch.stack([exact, exact / 3])).tolist() == [1, 0]
    assert calibration(exact / 3) is None
    task = CorrelatedGaussian.with_information(20, 5.0)
    exact = grid(FunctionCritic(task.log_ratio), 512, task)
    noise = torch.randn((2, *exact.shape), generator=torch.Generator().manual_seed(1))
    assert sorted(stacking_weights(exact + noise).tolist()) == [0, 1]  # although their mean scores better


def test_halves_of_a_score_are_both_needed():
    x, y = TASK.sample(512, torch.Generator().manual_seed(0))
    halves = [CorrelatedGaussian(1, 0.8).log_ratio(x[:, None, k : k + 1], y[None, :, k : k + 1]) for k in (0, 1)]
    weights = stacking_weights(torch.stack(halves))
    assert weights.tolist() == pytest.approx([1, 1], abs=0.2)
    total = WeightedSum([FunctionCritic(lambda x, y: x[..., 0] * y[..., 0])] * 2, torch.tensor([2.0, 1.0]))
    assert torch.allclose(total(x, y), 3 * x[:, 0] * y[:, 0])


def test_an_exact_critic_is_left_alone():
    assert calibration(grid(FunctionCritic(TASK.log_ratio), 1024)) is None


def test_a_critic_that_is_twice_too_sure_is_halved():
    sure = FunctionCritic(lambda x, y: 2 * TASK.log_ratio(x, y))
    knots, slopes, gain = calibration(grid(sure, 1024))
    before, after = (infonce_loss(grid(c, 1024, seed=1)) for c in (sure, Calibrated(sure, knots, slopes)))
    exact = infonce_loss(grid(FunctionCritic(TASK.log_ratio), 1024, seed=1))
    assert float(before - exact) > 0.1
    assert gain == pytest.approx(float(before - after), abs=0.1)
    assert float(after - exact) < 0.03


def test_a_smooth_critic_of_a_hard_edge_gets_the_edge():
    """The best Gaussian fit of a uniform noise is short by ln(2 pi e / 12) / 2 = .176 nats; most of that comes back."""
    task = AdditiveUniformNoise(0.1)
    smooth = FunctionCritic(lambda x, y: -150 * (x - y).square().sum(-1))
    knots, slopes, _ = calibration(grid(smooth, 1024, task))
    before, after = (-float(infonce_loss(grid(c, 2048, task, 1))) for c in (smooth, Calibrated(smooth, knots, slopes)))
    assert before == pytest.approx(task.mutual_information - 0.176, abs=0.03)
    assert after > task.mutual_information - 0.06


def test_a_few_rows_are_not_calibrated():
    assert calibration(torch.zeros(3, 3)) is None
