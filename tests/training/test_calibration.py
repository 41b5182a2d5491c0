import math

import pytest
import torch

from mibounds._math import infonce_loss
from mibounds.critics import Calibrated, FunctionCritic, WeightedSum
from mibounds.tasks import AdditiveUniformNoise, CorrelatedGaussian
from mibounds.training.calibration import _halves, _independent, calibration, stacking_weights, weighted_sum

TASK = CorrelatedGaussian(2, 0.8)
EXACT = FunctionCritic(TASK.log_ratio)


def grid(critic, n=512, task=TASK, seed=0):
    return critic.pairwise(*task.sample(n, torch.Generator().manual_seed(seed)))


def exact_of(nats, n):
    task = CorrelatedGaussian.with_information(20, nats)
    return grid(FunctionCritic(task.log_ratio), n, task)


def summands(n, seed=0):
    """The exact scores of either pair of columns, whose sum is exact."""
    x, y = TASK.sample(n, torch.Generator().manual_seed(seed))
    task = CorrelatedGaussian(1, 0.8)
    return torch.stack([task.log_ratio(x[:, None, k : k + 1], y[None, :, k : k + 1]) for k in (0, 1)])


def test_noise_has_no_weight_and_equal_critics_have_equal_weights():
    exact = grid(EXACT)
    noise = torch.randn((3, *exact.shape), generator=torch.Generator().manual_seed(1))
    weights = stacking_weights(torch.stack([exact + noise[0], noise[1], exact + noise[2]]))
    assert float(weights[1]) < 0.1
    assert float(weights[0]) == pytest.approx(float(weights[2]), abs=0.1)
    assert float(weights[0]) > 0.3


def test_the_best_critics_are_averaged_where_a_sum_gains_nothing():
    exact = grid(EXACT)
    assert stacking_weights(torch.stack([exact / 2, exact])).tolist() == [0, 1]
    close = stacking_weights(torch.stack([exact / 2, exact, 0.95 * exact]))
    assert close[0] == 0
    assert close[2] > 0.1
    assert float(close.sum()) == pytest.approx(1), "what is left out does not lower the scale"
    assert stacking_weights(exact[None]).tolist() == [1]


def test_critics_of_nearly_the_same_loss_are_averaged():
    """By a factor e for what chance makes of so many samples."""
    exact = grid(EXACT)
    noise = torch.randn((2, *exact.shape), generator=torch.Generator().manual_seed(1))
    grids = torch.stack([exact, exact + 0.2 * noise[0], exact + 0.3 * noise[1]])
    losses = [float(infonce_loss(one)) for one in grids]
    powers = [math.exp(-(loss - losses[0]) * math.sqrt(len(exact)) / 0.3) for loss in losses]
    assert 0.05 < powers[2] < powers[1] < 0.9, "none of them weighs all"
    assert stacking_weights(grids).tolist() == pytest.approx([one / sum(powers) for one in powers], rel=1e-3)


@pytest.mark.parametrize("count", [2, 5])
def test_independence_weighs_as_much_as_all_critics_that_are_no_better(count):
    assert stacking_weights(torch.zeros(count, 64, 64)).tolist() == pytest.approx([0.5 / count] * count)


def test_both_summands_of_a_score_have_weight_one():
    weights = stacking_weights(summands(512))
    assert weights.tolist() == pytest.approx([1, 1], abs=0.2)
    x, y = TASK.sample(512, torch.Generator().manual_seed(0))
    total = WeightedSum([FunctionCritic(lambda x, y: x[..., 0] * y[..., 0])] * 2, torch.tensor([2.0, 1.0]))
    assert torch.allclose(total(x, y), 3 * x[:, 0] * y[:, 0])


def test_nearly_identical_critics_have_similar_weights():
    """The loss hardly depends on how the weight is divided between them: without the penalty one of them gets 0.02,
    with ten times the penalty 0.40."""
    first, second = summands(256)
    noise = torch.randn(3, 256, 256, generator=torch.Generator().manual_seed(1))[1]
    weights = stacking_weights(torch.stack([first, first + 0.02 * noise, second]))
    assert 0.15 < float(weights[1]) < 0.35
    assert float(weights[0] + weights[1]) == pytest.approx(0.83, abs=0.05)


def test_the_weighted_sum_by_hand():
    grids = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[10.0, 0.0], [0.0, 10.0]]])
    assert weighted_sum(torch.tensor([2.0, 0.5]), grids).tolist() == [[7, 4], [6, 13]]


def test_an_exact_critic_is_not_calibrated():
    assert calibration(grid(EXACT, 1024)) is None


def test_a_critic_of_twice_the_scale_is_halved():
    steep = FunctionCritic(lambda x, y: 2 * TASK.log_ratio(x, y))
    knots, slopes, gain = calibration(grid(steep, 1024))
    before, after = (infonce_loss(grid(c, 1024, seed=1)) for c in (steep, Calibrated(steep, knots, slopes)))
    exact = infonce_loss(grid(EXACT, 1024, seed=1))
    assert float(before - exact) > 0.1
    assert gain == pytest.approx(float(before - after), abs=0.1)
    assert float(after - exact) < 0.03


def test_a_smooth_critic_of_a_hard_edge_gets_the_edge():
    """The best Gaussian fit of a uniform noise loses ln(2 pi e / 12) / 2 = 0.176 nats; most of that is recovered."""
    task = AdditiveUniformNoise(0.1)
    smooth = FunctionCritic(lambda x, y: -150 * (x - y).square().sum(-1))
    knots, slopes, _ = calibration(grid(smooth, 1024, task))
    before, after = (-float(infonce_loss(grid(c, 2048, task, 1))) for c in (smooth, Calibrated(smooth, knots, slopes)))
    assert before == pytest.approx(task.mutual_information - 0.176, abs=0.03)
    assert after > task.mutual_information - 0.06


def test_changes_of_slope_are_penalized():
    """Without the penalty the largest change is 4.0, with ten times the penalty 0.09."""
    found = calibration(0.3 * grid(EXACT, 256))
    assert 0.3 < float(found.slopes[1:].abs().max()) < 2


def test_the_knots_are_quantiles_of_all_and_of_matched_scores():
    scores = 2 * grid(EXACT, 120)  # one block
    knots, slopes, _ = calibration(scores)
    assert len(slopes) == len(knots) + 1 == 14
    every, matched = scores.flatten(), scores.diagonal()
    expected = [every.quantile(q) for q in (0.1, 0.5, 0.8)]
    expected += [matched.quantile(0.02 + 0.96 * k / 9) for k in range(10)]
    assert knots.tolist() == pytest.approx(sorted(map(float, expected)), abs=1e-4)


def test_near_the_ceiling_nothing_is_calibrated():
    """InfoNCE within 2.5 nats of ln N does not identify the scale of the scores. Twice the exact scores are 0.3 nats
    too low in either case, and a calibration without the guard gains that in cross-validation."""
    assert calibration(2 * exact_of(5.0, 256)) is None
    assert calibration(2 * exact_of(5.0, 512)) is None  # at 3.77 of ln 512 - 2.5 = 3.74
    assert calibration(2 * exact_of(3.5, 512)).gain > 0.1
    assert calibration(2 * exact_of(4.5, 512)).gain > 0.1  # at 3.42


def test_near_the_ceiling_the_weights_are_one_hot():
    noise = torch.randn((2, 512, 512), generator=torch.Generator().manual_seed(1))
    assert sorted(stacking_weights(exact_of(5.0, 512) + noise).tolist()) == [0, 1]  # although their mean has less loss
    assert min(stacking_weights(exact_of(3.0, 512) + noise).tolist()) > 0.2
    far = exact_of(23.0, 512)
    assert stacking_weights(torch.stack([far, far / 3])).tolist() == [1, 0]
    sharp, less, blunt = (scale * torch.eye(64) for scale in (9.0, 8.0, 7.0))
    assert stacking_weights(torch.stack([less, sharp])).tolist() == [1, 0], "0.013 nats apart: the first, simpler one"
    assert stacking_weights(torch.stack([blunt, sharp])).tolist() == [0, 1], "0.05 nats apart"


def test_fewer_than_four_samples_are_not_calibrated():
    for n in range(1, 4):
        assert calibration(torch.zeros(n, n)) is None
        assert calibration(-10 * torch.eye(n)) is None
    assert calibration(-10 * torch.eye(4)).gain > 1


def chance(groups=4, copies=30, critics=6):
    """Grids of scores of critics of independent pairs, each of which is repeated, and the group of each row."""
    scores = torch.randn(critics, groups, groups, generator=torch.Generator().manual_seed(3))
    scores[:3] += torch.eye(groups)  # by chance, some score the few pairs well
    rows = torch.arange(groups * copies) % groups
    return scores[:, rows][:, :, rows], rows


def test_nothing_is_fitted_to_a_few_groups_of_equal_rows():
    grids, groups = chance()
    assert stacking_weights(grids).sum() > 1.5, "what is to be avoided: repetitions pass for evidence"
    assert calibration(grids[0]) is not None
    assert stacking_weights(grids, groups).sum() < 1
    assert calibration(grids[0], groups) is None
    assert calibration(grids[0], torch.zeros(120)) is None, "a single group"


def test_groups_of_independent_rows_count_as_rows():
    x, y = torch.randn(2, 600, generator=torch.Generator().manual_seed(0))
    grid = (x[:, None] * (x + y)).float()
    groups = torch.arange(600) % 12
    assert 200 < _independent(grid, groups) <= 600
    assert _independent(grid, None) == 600
    repeated = grid.repeat_interleave(5, 0).repeat_interleave(5, 1)
    assert 400 < _independent(repeated, torch.arange(3000) // 5) < 800
    assert _independent(torch.zeros(600, 600), groups) == 12, "a constant critic says nothing of how alike rows are"


def test_halves_are_of_whole_groups():
    groups = torch.tensor([0, 0, 1, 1, 2, 2, 2])
    grid = (groups[:, None] * 10 + groups).float()
    first, second = _halves(grid, groups)
    assert {*first.flatten().tolist()} == {22.0}
    assert {*second.flatten().tolist()} == {0.0, 1.0, 10.0, 11.0}
