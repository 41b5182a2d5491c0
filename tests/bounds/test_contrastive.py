import math
import statistics

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import InfoNCE, InfoNCEAnchor, JensenShannon

JOINT = torch.tensor([2.0, 0.5])
PRODUCT = torch.tensor([[0.0, 1.0], [-1.0, 0.5]])


def test_infonce_by_naive_loops():
    total = 0.0
    for joint, others in zip(JOINT.tolist(), PRODUCT.tolist(), strict=True):
        total += joint - math.log((math.exp(joint) + sum(map(math.exp, others))) / 3)
    assert float(InfoNCE()(JOINT, PRODUCT)) == pytest.approx(total / 2)


def test_infonce_does_not_see_a_function_of_y():
    shift = torch.tensor([3.0, -7.0])
    assert float(InfoNCE()(JOINT + shift, PRODUCT + shift[:, None])) == pytest.approx(
        float(InfoNCE()(JOINT, PRODUCT)), abs=1e-5
    )


def test_infonce_counts_the_matched_pair_and_so_has_a_ceiling(exact_grid):
    """6 nats, n = 2,000: 5.43 with the exact critic, and never above ln n."""
    readings = []
    for seed in range(5):
        grid = exact_grid(6.0, 2000, seed)
        readings.append(float(InfoNCE()(grid.diagonal(), off_diagonal(grid.mT))))
    assert statistics.mean(readings) == pytest.approx(5.43, abs=0.08)
    assert InfoNCE().ceiling(1999) == pytest.approx(math.log(2000))


def test_anchor_with_one_candidate_is_binary_cross_entropy():
    anchor = InfoNCEAnchor(nu=1.0).loss(JOINT, PRODUCT[:, :1])
    assert float(anchor) == pytest.approx(float(JensenShannon().loss(JOINT, PRODUCT[:, :1])) / 2)


def test_anchor_without_weight_is_infonce_over_its_candidates():
    """K candidates: the matched pair and K - 1 others."""
    anchor = InfoNCEAnchor(nu=0.0)
    assert float(anchor.loss(JOINT, PRODUCT)) == pytest.approx(
        math.log(2) - float(InfoNCE()(JOINT, PRODUCT[:, 1:])), abs=1e-6
    )
    assert anchor.unidentified == "function of y"


def test_anchor_by_naive_loops():
    nu, total = 0.7, 0.0
    for joint, others in zip(JOINT.tolist(), PRODUCT.tolist(), strict=True):
        positives = math.exp(joint) + sum(map(math.exp, others[1:]))
        negatives = sum(map(math.exp, others))
        total -= 2 / (2 + nu) * math.log(math.exp(joint) / (nu + positives))
        total -= nu / (2 + nu) * math.log(nu / (nu + negatives))
    assert float(InfoNCEAnchor(nu=nu).loss(JOINT, PRODUCT)) == pytest.approx(total / 2)


def test_anchor_is_read_by_the_plug_in():
    assert float(InfoNCEAnchor()(JOINT, PRODUCT)) == pytest.approx(1.25)
    with pytest.raises(ValueError, match="nu is -1, and must be at least 0"):
        InfoNCEAnchor(nu=-1)
