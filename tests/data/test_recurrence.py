"""Test samples of a stream that are drawn again for training."""

import pytest
import torch

from mibounds.data.recurrence import Recurrence

G = torch.Generator().manual_seed(0)
TABLE = torch.randn(300, 3, generator=G), (torch.randn(300, 1, generator=G) > 0).float()


def drawn_again(draw, batches=40):
    """Of a stream, of which 300 samples test and batches of 128 train."""
    seen = Recurrence(*draw(300))
    for _ in range(batches):
        seen.look(*draw(128))
    return seen.drawn_again()


def bootstrap(n):
    rows = torch.randint(300, (n,), generator=G)
    return TABLE[0][rows], TABLE[1][rows]


def epochs():
    """A table, row after row, and again."""
    at = 0

    def draw(n):
        nonlocal at
        rows, at = (at + torch.arange(n)) % 3000, at + n
        return torch.stack([rows, rows**2], 1).float(), rows.float()[:, None].sin()

    return draw


@pytest.mark.parametrize(
    "draw",
    [
        bootstrap,
        epochs(),
        lambda n: bootstrap(n)[::-1],
        lambda n: (bootstrap(n), torch.zeros(n)),
    ],
    ids=["bootstrap", "epochs", "labels", "tuple"],
)
def test_rows_of_a_table_come_again(draw):
    again, tested = drawn_again(draw)
    assert tested > 100
    assert again > tested / 4


def fresh(n, kind):
    normal = torch.randn(n, 2, generator=G)
    x, y = normal[:, :1], normal.sum(1, keepdim=True)
    return {
        "continuous": (x, y),
        "labels": (x, (y > 0).long().flatten()),
        "binary": ((x > 0).float(), (y > 0).float()),
        "rounded": ((10 * x).round() / 10, (10 * y).round() / 10),
        "equal classes": ((x > 0).float(), (x > 0).float()),
        "zeros": (x.relu(), x.relu() * y),
        "constants": (0 * x, 0 * y),
    }[kind]


@pytest.mark.parametrize("kind", ["continuous", "labels", "binary", "rounded", "equal classes", "zeros", "constants"])
def test_fresh_samples_do_not_however_discrete(kind):
    assert drawn_again(lambda n: fresh(n, kind)) == (0, 0)


def test_a_few_repeats_in_a_large_table_are_none():
    table = torch.randn(200_000, 2, generator=G)

    def draw(n):
        return table[torch.randint(len(table), (n,), generator=G)].split(1, 1)

    assert drawn_again(draw) == (0, 0)
