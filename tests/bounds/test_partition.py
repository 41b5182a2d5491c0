"""Donsker–Varadhan, MINE, NWJ and the interpolated bound: hand-computed numbers, naive loops, the exact critic."""

import math
import statistics

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import MINE, NWJ, DonskerVaradhan, InfoNCE, Interpolated

JOINT = torch.tensor([2.0, 0.5])
PRODUCT = torch.tensor([[0.0, 1.0], [-1.0, 0.5]])
MEAN_EXP = (1 + math.e + math.exp(-1) + math.exp(0.5)) / 4


def test_by_hand():
    assert float(DonskerVaradhan()(JOINT, PRODUCT)) == pytest.approx(1.25 - math.log(MEAN_EXP))
    assert float(MINE()(JOINT, PRODUCT)) == pytest.approx(1.25 - math.log(MEAN_EXP))
    assert float(NWJ()(JOINT, PRODUCT)) == pytest.approx(2.25 - MEAN_EXP)


def test_donsker_varadhan_is_nwj_at_the_best_constant():
    best = math.log(MEAN_EXP)
    assert float(NWJ()(JOINT - best, PRODUCT - best)) == pytest.approx(float(DonskerVaradhan()(JOINT, PRODUCT)))


def test_the_exact_critic_over_all_pairs(exact_grid):
    """I = 6 nats, n = 2,000: within .06 in the mean of 8 draws, each within .3 of its own mean log-ratio."""
    values = {"dv": [], "nwj": []}
    for seed in range(8):
        grid = exact_grid(6.0, 2000, seed)
        joint, product = grid.diagonal(), off_diagonal(grid.mT)
        values["dv"].append(float(DonskerVaradhan()(joint, product)))
        values["nwj"].append(float(NWJ()(joint, product)))
        for value in (values["dv"][-1], values["nwj"][-1]):
            assert value == pytest.approx(float(joint.mean()), abs=0.3)
    for readings in values.values():
        assert statistics.mean(readings) == pytest.approx(6, abs=0.06)


def test_the_partition_term_leaves_out_the_matched_pairs(exact_grid):
    grid = exact_grid(4.0, 500, 0)
    right = float(DonskerVaradhan()(grid.diagonal(), off_diagonal(grid.mT)))
    with_diagonal = float(DonskerVaradhan()(grid.diagonal(), grid.mT))
    assert right - with_diagonal > 0.3


def mine_gradient(bound, joint, product):
    product = product.clone().requires_grad_()
    bound.objective(*bound.reduce(joint, product)).backward()
    return product.grad


def test_the_average_starts_at_the_first_batch_and_moves_in_log_space():
    bound = MINE(decay=0.9)
    assert bound.log_average.isnan()
    bound.objective(*bound.reduce(JOINT, PRODUCT))
    assert float(bound.log_average.exp()) == pytest.approx(MEAN_EXP)
    bound.objective(*bound.reduce(JOINT, PRODUCT + 1))
    assert float(bound.log_average.exp()) == pytest.approx(0.9 * MEAN_EXP + 0.1 * MEAN_EXP * math.e)
    bound.objective(*bound.reduce(JOINT, PRODUCT + 500))
    assert bound.log_average.isfinite()


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_scores_that_are_not_finite_do_not_stay_in_the_average(bad):
    mine = MINE()
    mine.loss(torch.zeros(2), torch.zeros(2, 1))
    mine.loss(torch.zeros(2), torch.full((2, 1), bad))
    assert mine.log_average == 0


def test_the_gradient_divides_by_the_average_and_not_by_the_batch():
    bound = MINE(decay=0.9)
    first = mine_gradient(bound, JOINT, PRODUCT)
    assert torch.allclose(first, PRODUCT.exp() / 4 / MEAN_EXP)  # the average is the batch's own
    second = mine_gradient(bound, JOINT, PRODUCT + 1)
    average = 0.9 * MEAN_EXP + 0.1 * MEAN_EXP * math.e
    assert torch.allclose(second, (PRODUCT + 1).exp() / 4 / average)


def test_the_value_is_straight_through():
    bound = MINE(decay=0.5)
    bound.objective(*bound.reduce(JOINT, PRODUCT + 3))
    product = PRODUCT.clone().requires_grad_()
    value = bound(JOINT, product)
    assert value.item() == pytest.approx(float(DonskerVaradhan()(JOINT, PRODUCT)))
    value.backward()
    assert torch.allclose(product.grad, -PRODUCT.exp() / 4 / bound.log_average.exp())


def test_a_lagging_average_neither_overflows_nor_loses_the_number():
    bound = MINE()
    bound.objective(*bound.reduce(JOINT, PRODUCT))
    product = (PRODUCT + 200).requires_grad_()
    value = bound(JOINT, product)
    assert value.item() == pytest.approx(float(DonskerVaradhan()(JOINT, PRODUCT + 200)), rel=1e-5)
    value.backward()
    assert product.grad.isfinite().all()


def test_the_average_is_saved_and_loaded():
    bound = MINE()
    bound.objective(*bound.reduce(JOINT, PRODUCT))
    other = MINE()
    other.load_state_dict(bound.state_dict())
    assert torch.equal(other.log_average, bound.log_average)


@pytest.mark.parametrize("decay", [0.0, 1.0, 1.5])
def test_decay_is_checked(decay):
    with pytest.raises(ValueError, match="decay is .* strictly between 0 and 1"):
        MINE(decay=decay)


def test_interpolated_has_its_two_limits():
    assert float(Interpolated(alpha=0.0)(JOINT, PRODUCT)) == pytest.approx(float(NWJ()(JOINT, PRODUCT)))
    assert float(Interpolated(alpha=1.0)(JOINT, PRODUCT)) == pytest.approx(float(InfoNCE()(JOINT, PRODUCT)))
    assert Interpolated(alpha=1.0).unidentified == "function of y"


def test_interpolated_by_naive_loops():
    alpha = 0.3
    gain, partition = 0.0, 0.0
    for joint, others in zip(JOINT.tolist(), PRODUCT.tolist(), strict=True):
        with_matched = (math.exp(joint) + sum(map(math.exp, others))) / 3
        without = sum(map(math.exp, others)) / 2
        gain += (joint - math.log(alpha * with_matched + 1 - alpha)) / 2
        partition += without / (alpha * without + 1 - alpha) / 2
    assert float(Interpolated(alpha=alpha)(JOINT, PRODUCT)) == pytest.approx(1 + gain - partition)


def test_interpolated_raises_the_ceiling():
    assert Interpolated(alpha=0.01).ceiling(99) == pytest.approx(math.log(100 / 0.01) + 1)
    assert Interpolated(alpha=1.0).ceiling(99) == pytest.approx(math.log(100))
    assert Interpolated(alpha=0.0).ceiling(99) == math.inf
    with pytest.raises(ValueError, match="alpha is 2, and must lie between 0"):
        Interpolated(alpha=2)


def test_nwj_pays_for_scores_of_mismatched_pairs_without_limit():
    scores = torch.tensor([[0.0], [6.0]])
    assert float(NWJ()(torch.tensor([1.0, 2.0]), scores)) == pytest.approx(1 + 1.5 - (1 + math.exp(6)) / 2, rel=1e-6)
