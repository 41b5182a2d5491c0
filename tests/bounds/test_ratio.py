import math
import statistics

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import GANDIME, HDDIME, KLDIME, NWJ, SMILE, DonskerVaradhan, InfoNCE, JensenShannon, PlugIn

JOINT = torch.tensor([2.0, 0.5])
PRODUCT = torch.tensor([[0.0, 1.0], [-1.0, 0.5]])


def softplus(score):
    return math.log1p(math.exp(score))


CLASSIFICATION = (softplus(-2) + softplus(-0.5)) / 2 + (softplus(0) + softplus(1) + softplus(-1) + softplus(0.5)) / 4


@pytest.mark.parametrize("bound", [JensenShannon(), JensenShannon(NWJ()), SMILE(), GANDIME()], ids=repr)
def test_both_classes_have_equal_weight(bound):
    assert float(bound.loss(JOINT, PRODUCT)) == pytest.approx(CLASSIFICATION)


def test_readings_by_hand():
    assert float(JensenShannon()(JOINT, PRODUCT)) == pytest.approx(float(DonskerVaradhan()(JOINT, PRODUCT)))
    assert float(JensenShannon(NWJ())(JOINT, PRODUCT)) == pytest.approx(float(NWJ()(JOINT, PRODUCT)))
    for bound in (PlugIn(), KLDIME(), GANDIME(), HDDIME(), JensenShannon(PlugIn())):
        assert float(bound(JOINT, PRODUCT)) == pytest.approx(1.25)


def test_a_jensen_shannon_critic_read_by_nwj_gives_i_and_not_i_minus_1_over_e(exact_grid):
    """The exact critic is this objective's optimum; the unshifted form of NWJ would read .368 nats too little."""
    readings = []
    for seed in range(5):
        grid = exact_grid(2.0, 1000, seed)
        joint, product = grid.diagonal(), off_diagonal(grid.mT)
        readings.append(float(JensenShannon(NWJ())(joint, product)) - float(joint.mean()))
    assert statistics.mean(readings) == pytest.approx(0, abs=0.03)


def test_ceilings_follow_the_reading():
    assert JensenShannon(InfoNCE()).ceiling(9) == pytest.approx(math.log(10))
    assert JensenShannon().ceiling(9) == math.inf
    assert JensenShannon(PlugIn()).side == "neither"


def test_smile_clips_the_partition_term_only():
    """A matched score of 9 counts in full; mismatched ones beyond the clip do not."""
    joint, product = torch.tensor([9.0, 9.0]), torch.tensor([[7.0], [-8.0]])
    expected = 9 - math.log((math.exp(5) + math.exp(-5)) / 2)
    assert float(SMILE(clip=5.0)(joint, product)) == pytest.approx(expected)


def test_smile_without_clip_is_donsker_varadhan():
    assert float(SMILE(clip=math.inf)(JOINT, PRODUCT)) == pytest.approx(float(DonskerVaradhan()(JOINT, PRODUCT)))
    with pytest.raises(ValueError, match="clip is 0, and must be above 0"):
        SMILE(clip=0)


def test_smile_reads_the_exact_critic_too_high(exact_grid):
    excess = []
    for seed in range(5):
        grid = exact_grid(6.0, 2000, seed)
        excess.append(float(SMILE()(grid.diagonal(), off_diagonal(grid.mT))) - float(grid.diagonal().mean()))
    assert statistics.mean(excess) == pytest.approx(0.69, abs=0.04)


def test_dime_objectives_by_hand():
    mean_exp = (1 + math.e + math.exp(-1) + math.exp(0.5)) / 4
    assert float(KLDIME().loss(JOINT, PRODUCT)) == pytest.approx(mean_exp - 2.25)
    half = sum(math.exp(s / 2) for row in PRODUCT.tolist() for s in row) / 4
    assert float(HDDIME().loss(JOINT, PRODUCT)) == pytest.approx((math.exp(-1) + math.exp(-0.25)) / 2 + half)
