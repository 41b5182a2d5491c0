import math

import pytest
import torch

from mibounds.tasks import JointTable, symmetric_channel


def test_the_binary_channel_by_hand():
    entropy = -0.1 * math.log(0.1) - 0.9 * math.log(0.9)
    assert JointTable.symmetric(2, 0.1).mutual_information == pytest.approx(math.log(2) - entropy)


@pytest.mark.parametrize("symbols, flip", [(3, 0.0), (4, 0.2), (10, 0.9), (2, 1.0)])
def test_the_symmetric_formula(symbols, flip):
    entropy = -sum(p * math.log(p) for p in (flip, 1 - flip) if p)
    expected = math.log(symbols) - entropy - flip * math.log(symbols - 1)
    assert JointTable.symmetric(symbols, flip).mutual_information == pytest.approx(expected, abs=1e-12)


def test_channels_are_conditional_distributions():
    channel = symmetric_channel(7, 0.3)
    assert torch.allclose(channel.sum(1), torch.ones(7).double())
    assert float(channel[2, 2]) == pytest.approx(0.7)
    assert float(channel[2, 3]) == pytest.approx(0.05)


def test_a_table_by_hand(generator):
    table = JointTable(torch.tensor([[0.5, 0.0, 0.25], [0.0, 0.25, 0.0]]))
    # p(x) = 3/4, 1/4 and p(y) = 1/2, 1/4, 1/4: y tells x, so the information is the entropy of x.
    entropy = 0.75 * math.log(4 / 3) + 0.25 * math.log(4)
    assert table.mutual_information == pytest.approx(entropy)
    x, y = torch.tensor([[0.0], [1.0], [1.0]]), torch.tensor([[0.0], [1.0], [2.0]])
    assert table.log_ratio(x, y).tolist() == pytest.approx([math.log(4 / 3), math.log(4), -math.inf])
    x, y = table.sample(10_000, generator)
    assert float(((x == 0) & (y == 2)).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert not ((x == 0) & (y == 1)).any()


@pytest.mark.parametrize(
    "table, message",
    [
        (torch.ones(2, 2), "sum to 4"),
        (torch.tensor([[1.5, -0.5], [0.0, 0.0]]), "non-negative"),
        (torch.tensor([0.5, 0.5]), "matrix"),
        (torch.tensor([[0.5, 0.5], [0.0, 0.0]]), "never occur"),
    ],
)
def test_what_is_no_table(table, message):
    with pytest.raises(ValueError, match=message):
        JointTable(table)


@pytest.mark.parametrize("symbols, flip", [(1, 0.1), (3, 1.1), (3, -0.1), (3, math.nan)])
def test_what_is_no_channel(symbols, flip):
    with pytest.raises(ValueError, match="symbols|flip"):
        symmetric_channel(symbols, flip)
