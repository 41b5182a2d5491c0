"""The order of rows by their content."""

import numpy as np
import pytest
import torch

from mibounds.data.row_order import content_order

N = 300


def table(seed=0, columns=2):
    return torch.randn(N, columns, generator=torch.Generator().manual_seed(seed))


def ordered(x, y, order=None):
    order = content_order(x, y) if order is None else order
    return torch.cat([x, y], 1)[order]


@pytest.mark.parametrize("kind", ["numbers", "labels", "repeated rows"])
def test_permuted_rows_come_in_the_same_order(kind):
    x, y = table(), table(1, 1)
    if kind == "labels":
        x, y = (x > 0).float(), (y > 0).float()
    if kind == "repeated rows":
        x, y = (torch.cat([side[: N // 2]] * 2) for side in (x, y))
    for seed in range(3):
        shuffled = torch.randperm(N, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(ordered(x, y), ordered(x[shuffled], y[shuffled]))


@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: (y, x),
        lambda x, y: (x.flip(1), y),
        lambda x, y: (-3 * x + 1, y),
        lambda x, y: (x, y.exp()),
        lambda x, y: (torch.cat([x, 5 - x[:, :1]], 1), y),
    ],
    ids=["exchanged", "columns", "mirrored", "exp", "repeated column"],
)
def test_what_keeps_the_information_keeps_the_order(change):
    x, y = table(), table(1, 1)
    changed, plain = content_order(*change(x, y)), content_order(x, y)
    assert int((changed != plain).sum()) <= 4  # (1, 2) and (2, 1) are the same up to the order of columns


def test_other_content_is_another_order_and_it_resembles_a_random_one():
    x, y = table(), table(1, 1)
    order = content_order(x, y)
    assert torch.equal(order.sort().values, torch.arange(N))
    assert not torch.equal(order, content_order(x, table(2, 1)))
    for column in (torch.arange(N), x[:, 0], x[:, 0].abs(), y[:, 0], x[:, 0] * y[:, 0]):
        correlation = np.corrcoef(order.argsort(), column.argsort().argsort())[0, 1]
        assert abs(correlation) < 3.5 / N**0.5
