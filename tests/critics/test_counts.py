"""The log-ratio of two labels by counts."""

import math

import pytest
import torch

from mibounds.critics import CountsCritic


def table(counts):
    """Rows of x and y that occur as often as a matrix says."""
    pairs = [(a, b) for a, row in enumerate(counts) for b, n in enumerate(row) for _ in range(n)]
    x, y = torch.tensor(pairs, dtype=torch.float32).unbind(1)
    return x[:, None], y[:, None]


def test_with_many_rows_it_is_the_log_ratio_of_the_counts():
    x, y = table([[300, 100], [50, 550]])
    critic = CountsCritic()
    critic.prepare(x, y)
    assert critic(torch.zeros(1, 1), torch.zeros(1, 1)).item() == pytest.approx(math.log(0.3 / (0.4 * 0.35)), abs=5e-3)
    assert critic(torch.ones(1, 1), torch.zeros(1, 1)).item() == pytest.approx(math.log(0.05 / (0.6 * 0.35)), abs=3e-2)
    ratio = critic.log_ratio.double().exp() * torch.tensor([0.35, 0.65])  # q(b|a)
    assert ratio.sum(1).tolist() == pytest.approx([1, 1], abs=1e-6)


def test_the_prior_is_that_of_the_leave_one_out_likelihood():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randint(0, 4, (2, 60, 1), generator=generator).float()
    critic = CountsCritic()
    critic.prepare(x, y)
    assert critic.log_ratio.abs().max() < 0.2  # independent: the largest prior
    critic.prepare(x, x)
    assert critic.log_ratio.min() < -5  # determined: the smallest one
    one_hot = torch.nn.functional.one_hot(x[:, 0].long()).float()
    critic.prepare(one_hot, x)
    assert critic(one_hot, x).min() > 1


def test_leaving_one_out_takes_it_from_its_row_of_the_table_as_well():
    x, y = table([[3, 1], [1, 3]])
    expected = {}
    for prior in (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0):
        expected[prior] = 6 * math.log((2 + prior / 2) / (3 + prior)) + 2 * math.log((prior / 2) / (3 + prior))
    best = max(expected, key=expected.get)
    critic = CountsCritic()
    critic.prepare(x, y)
    assert critic.log_ratio[0, 0].item() == pytest.approx(math.log((3 + best / 2) / ((4 + best) / 2)), abs=1e-6)


def test_a_class_that_was_not_seen_is_the_nearest_one_that_was():
    x, y = table([[30, 10], [10, 30]])
    critic = CountsCritic()
    critic.prepare(x, y)
    assert critic(torch.tensor([[7.0]]), torch.ones(1, 1)).equal(critic(torch.ones(1, 1), torch.ones(1, 1)))
