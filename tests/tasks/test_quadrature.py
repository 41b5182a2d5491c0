import math

import pytest
import torch

from mibounds.tasks._quadrature import (
    LogTable,
    average_density,
    convolved_density,
    draw_inputs,
    entropy,
    input_nodes,
    value_nodes,
)
from mibounds.tasks.noises import Normal


def test_a_table_is_linear_between_its_points_and_constant_beyond():
    table = LogTable(1.0, 0.5, torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64))
    assert table(torch.tensor([0.0, 1.25, 1.75, 2.0, 9.0])).tolist() == pytest.approx([0.0, 0.5, 2.0, 3.0, 3.0])
    assert table(torch.ones(2, 1)).shape == (2, 1)


@pytest.mark.parametrize("kind, variance", [("normal", 1.0), ("uniform", 4 / 3)])
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_nodes_have_the_moments_of_the_draws(kind, variance, columns, generator):
    nodes, weights = input_nodes(kind, columns)
    assert float(weights.sum()) == pytest.approx(1)
    assert (weights @ nodes.square()).tolist() == pytest.approx([variance] * columns, rel=1e-3)
    x = draw_inputs(kind, 20_000, columns, generator)
    assert x.shape == (20_000, columns)
    assert x.square().mean(0).tolist() == pytest.approx([variance] * columns, rel=0.05)


def test_nodes_of_values_have_the_moments_of_the_function():
    values, weights = value_nodes(lambda x: x[..., 0] * x[..., 1], "normal", 2)
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights @ values) == pytest.approx(0, abs=1e-6)
    assert float(weights @ values.square()) == pytest.approx(1, abs=1e-3)
    values, weights = value_nodes(lambda x: 0 * x[..., 0], "normal", 1)
    assert values.tolist() == [0]
    assert weights.tolist() == [1]


def test_a_convolution_of_normal_variables_is_normal():
    nodes, weights = input_nodes("normal", 1)
    noise = Normal(0.5)
    table = convolved_density(nodes[:, 0], weights, noise.cdf, noise.reach)
    variance, y = 1.25, torch.linspace(-4, 4, 9, dtype=torch.float64)
    expected = -(y**2) / (2 * variance) - 0.5 * math.log(2 * math.pi * variance)
    assert table(y).tolist() == pytest.approx(expected.tolist(), abs=1e-4)
    assert entropy(table) == pytest.approx(0.5 * math.log(2 * math.pi * math.e * variance), abs=1e-5)


def test_an_average_of_two_normal_densities():
    table = average_density(
        lambda y: -((y - torch.tensor([-1.0, 1.0])) ** 2) / 2 - 0.5 * math.log(2 * math.pi),
        torch.tensor([0.25, 0.75], dtype=torch.float64),
        -10,
        10,
    )
    expected = math.log((0.25 * math.exp(-0.5) + 0.75 * math.exp(-0.5)) / math.sqrt(2 * math.pi))
    assert float(table(torch.zeros(()))) == pytest.approx(expected, abs=1e-5)
