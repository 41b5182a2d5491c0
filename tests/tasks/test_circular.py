import math

import pytest
import torch

from mibounds.tasks import CircularNoise


def test_the_truth_against_a_sum_over_the_circle():
    angles = 2 * math.pi * torch.arange(1000, dtype=torch.float64) / 1000
    p = torch.softmax(3.0 * angles.cos(), 0)
    expected = math.log(1000) - float(torch.special.entr(p).sum())
    assert CircularNoise(3.0).mutual_information == pytest.approx(expected)
    assert CircularNoise(1e-3).mutual_information == pytest.approx(1e-6 / 4, rel=1e-3)
    assert CircularNoise(3.0, 5).mutual_information == CircularNoise(3.0, 1, 7).mutual_information


def test_angles(generator):
    x, y = CircularNoise(5.0, 2, 3).sample(5000, generator)
    assert x.shape == (5000, 4)
    for angle in (x, y):
        assert float(angle.min()) >= 0
        assert float(angle.max()) <= 2 * math.pi
        assert float(angle.mean()) == pytest.approx(math.pi, abs=0.15)
    assert float((y - 2 * x[:, :1]).cos().mean()) == pytest.approx(0.893, abs=0.02)  # I1(5)/I0(5)


@pytest.mark.parametrize("arguments", [{"concentration": 0.0}, {"winding": 0}, {"idle": -1}])
def test_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        CircularNoise(**{"concentration": 1.0, **arguments})
