"""The data of the GAN demonstration and the metrics."""

import math

import pytest
import torch

from mibounds.demos.targets import Metrics, gaussians, measure, spirals


def test_the_targets():
    target = gaussians(5000)
    assert target.rows.shape == (5000, 2)
    assert len(target.centers) == 25
    assert {tuple(c) for c in target.centers.tolist()} == {(a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)}
    result = measure(target.rows, target)
    assert result.modes == 25
    assert result.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.005)  # a plane Gaussian within 3 sd
    assert result.reverse_kl < 0.01
    arms = spirals(5000)
    assert measure(arms.rows, arms).modes == 250
    assert float(arms.rows.abs().max()) < 4.4


def test_the_metrics_by_hand():
    target = gaussians(100)
    at = torch.tensor([[-4.0, -4.0]] * 6 + [[2.0, 0.14]] * 2 + [[2.0, 0.16]] + [[1.0, 1.0]])
    result = measure(at, target)
    assert result.modes == 2
    assert result.high_quality == pytest.approx(0.8)
    share = (0.75, 0.25)
    assert result.reverse_kl == pytest.approx(sum(q * math.log(25 * q) for q in share))
    assert measure(torch.full((10, 2), 9.0), target) == Metrics(0, 0.0, math.log(25))
