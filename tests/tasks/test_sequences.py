"""The hidden state: its moments, and its information against the Gaussian formula of all steps at once."""

import math

import pytest
import torch

from mibounds.tasks import HiddenState


@pytest.mark.parametrize("steps, memory, noise", [(1, 0.5, 1.0), (7, 0.9, 0.4), (30, 0.99, 2.0), (5, 0.0, 0.7)])
def test_the_filter_agrees_with_the_covariance_of_all_steps(steps, memory, noise):
    gap = (torch.arange(steps)[:, None] - torch.arange(steps)).abs().double()
    hidden = memory**gap if memory else torch.eye(steps, dtype=torch.float64)
    record = hidden + noise**2 * torch.eye(steps, dtype=torch.float64)
    explained = hidden[-1] @ torch.linalg.solve(record, hidden[-1])
    expected = -math.log1p(-float(explained)) / 2
    assert HiddenState(steps, memory, noise).mutual_information == pytest.approx(expected, rel=1e-9)


def test_states_have_unit_variance_and_remember():
    x, y = HiddenState(40, 0.8, 0.5).sample(20_000, torch.Generator().manual_seed(0))
    assert float(y.var()) == pytest.approx(1, abs=0.04)
    assert float(x[:, 3].var()) == pytest.approx(1.25, abs=0.05)
    assert float((x[:, -3, 0] * y[:, 0]).mean()) == pytest.approx(0.8**2, abs=0.04)


@pytest.mark.parametrize("arguments", [(0, 0.5, 1.0), (5, 1.0, 1.0), (5, -0.1, 1.0), (5, 0.5, 0.0)])
def test_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match=r"steps|memory"):
        HiddenState(*arguments)
