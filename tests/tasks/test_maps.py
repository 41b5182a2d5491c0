import math

import pytest
import torch

from mibounds.tasks import maps
from mibounds.tasks.maps import Map, mixing, spiral

COLUMNS = [getattr(maps, name) for name in maps.__all__ if name.isupper() and name != "SWISS_ROLL"]


def distance(sample, distribution):
    """Kolmogorov's, of a sample from a distribution function."""
    levels = torch.arange(1, len(sample) + 1, dtype=torch.float64) / len(sample)
    return float((distribution(sample.double().flatten().sort().values) - levels).abs().max())


@pytest.mark.parametrize("over", [*COLUMNS, spiral(3, (1, 2), 0.7), mixing(3, 5)], ids=repr)
def test_round_trips(over, generator):
    x = 8 * torch.rand(2, 200, 3, generator=generator, dtype=torch.float64) - 4
    assert torch.allclose(over.inverse(over.forward(x)), x, atol=1e-5)
    assert over.forward(x).shape == x.shape


@pytest.mark.parametrize("over", COLUMNS, ids=repr)
def test_maps_of_columns_increase(over):
    image = over.forward(torch.linspace(-5, 5, 2001, dtype=torch.float64))
    assert (image.diff() > 0).all()


def test_numbers_by_hand():
    x = torch.tensor([-4.0, 0.0, 2.25])
    assert torch.allclose(maps.HALF_CUBE.forward(x), torch.tensor([-8.0, 0.0, 3.375]))
    assert torch.allclose(maps.CUBIC.forward(x), x**3)
    assert torch.allclose(maps.ASINH.forward(torch.tensor([math.sinh(1.5)])), torch.tensor([1.5]))
    origin = torch.zeros(1)
    expected = 0.2 * math.sin(1) + 0.03 * math.sin(-2.5)
    assert float(maps.WIGGLY_X.forward(origin)) == pytest.approx(expected, abs=1e-6)
    expected = 0.17 * math.sin(3.5) + 0.02 * math.sin(-2.5)
    assert float(maps.WIGGLY_Y.forward(origin)) == pytest.approx(expected, abs=1e-6)
    assert float(maps.BIMODAL_Y.forward(origin)) == pytest.approx(1, abs=1e-6)  # the median, by symmetry


def test_marginals(generator):
    n = 20_000
    x = torch.randn(n, 1, generator=generator, dtype=torch.float64)
    critical = 1.63 / math.sqrt(n)  # of Kolmogorov's test at one percent
    assert distance(maps.NORMAL_CDF.forward(x), lambda u: u) < critical
    normal = torch.distributions.Normal(0.0, 1.0).cdf
    assert distance(maps.BIMODAL_X.forward(x), lambda v: 0.3 * normal(v) + 0.7 * normal(v - 5)) < critical
    assert distance(maps.BIMODAL_Y.forward(x), lambda v: 0.5 * normal(v + 1) + 0.5 * normal(v - 3)) < critical
    assert distance(maps.BIMODAL_X.forward(x), normal) > 10 * critical


def test_quantiles_of_rounded_tails_are_finite():
    assert maps.NORMAL_CDF.inverse(torch.tensor([0.0, 1.0])).abs().max() < 6


def test_the_swiss_roll_lies_on_its_curve():
    u = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
    point = maps.SWISS_ROLL.forward(u)
    assert point.shape == (101, 2)
    t = 1.5 * math.pi * (1 + 2 * u[:, 0])
    assert torch.allclose(21 * point.norm(dim=1), t)
    assert torch.allclose(torch.atan2(point[:, 1], point[:, 0]).cos(), t.cos())
    assert torch.allclose(maps.SWISS_ROLL.inverse(point), u)


def test_the_spiral_is_a_matrix_exponential(generator):
    x = torch.randn(4, generator=generator)
    turn = torch.zeros(4, 4)
    turn[1, 3], turn[3, 1] = -1, 1
    expected = torch.linalg.matrix_exp(0.25 * x.square().sum() * turn) @ x
    assert torch.allclose(spiral(4, (1, 3), 0.25).forward(x), expected, atol=1e-6)


def test_a_spiral_does_not_change_its_input(generator):
    x = torch.randn(3, 2, generator=generator)
    before = x.clone()
    spiral(2, (0, 1), 1.0).forward(x)
    assert torch.equal(x, before)


def test_a_mixing_is_well_conditioned():
    matrix = mixing(20, seed=0).forward(torch.eye(20, dtype=torch.float64))
    assert float(torch.linalg.cond(matrix)) == pytest.approx(4)
    assert not torch.equal(matrix, mixing(20, seed=1).forward(torch.eye(20, dtype=torch.float64)))


@pytest.mark.parametrize("plane", [(0, 0), (0, 2), (-1, 0)])
def test_planes_that_are_none(plane):
    with pytest.raises(ValueError, match="plane"):
        spiral(2, plane, 1.0)


def test_the_name_is_the_repr():
    assert repr(Map("shift", lambda x: x + 1)) == "shift"
    with pytest.raises(ValueError, match="dim"):
        mixing(0, 0)
