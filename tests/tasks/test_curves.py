import math

import pytest
import torch

from mibounds.tasks import BANANA, EIGHT, Curve, NoisyCurve, NoisyProduct

LINE = Curve("line", torch.clone, torch.zeros_like)


def test_a_line_by_hand():
    task = NoisyCurve(0.5, curve=LINE)
    assert task.mutual_information == pytest.approx(0.5 * math.log(5), abs=1e-4)
    x, y = torch.tensor([[1.0]]), torch.tensor([[1.5, 9.0]])
    expected = -0.5 + 1.5**2 / 2.5 + 0.5 * math.log(5)  # the second coordinate is noise
    assert float(task.log_ratio(x, y)) == pytest.approx(expected, abs=1e-4)


def test_points_lie_near_the_curve(generator):
    x, y = NoisyCurve(1e-3, 2, BANANA).sample(100, generator)
    assert torch.allclose(y, torch.stack([x[:, 0], x[:, 0] ** 2], 1), atol=0.01)
    x, y = NoisyCurve(1e-3, 0, EIGHT).sample(100, generator)
    assert torch.allclose(y, torch.stack([x[:, 0].sin(), (2 * x[:, 0]).sin()], 1), atol=0.01)
    x, y = NoisyProduct(1e-3, 1).sample(100, generator)
    assert torch.allclose(y, torch.stack([x[:, 0], x[:, 0] * x[:, 1]], 1), atol=0.01)


def test_a_product_has_more_than_its_first_column():
    """I((X1, X2); Y) = I(X1; Y1) + ...: at least what the first coordinates share."""
    assert NoisyProduct(0.3).mutual_information > 0.5 * math.log(1 + 1 / 0.09)


@pytest.mark.parametrize("kind", [NoisyCurve, NoisyProduct])
def test_arguments_out_of_range(kind):
    with pytest.raises(ValueError, match="noise"):
        kind(0.0)
    with pytest.raises(ValueError, match="idle"):
        kind(1.0, -1)
