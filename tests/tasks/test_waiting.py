import math

import pytest
import torch

from mibounds.tasks import Regression, WaitingTime
from mibounds.tasks.functions import ABSOLUTE, LINEAR, SINE
from mibounds.tasks.noises import Gumbel


def test_log_times_are_a_regression():
    """ln T = (ln E - f(x)) / shape."""
    assert WaitingTime(LINEAR).mutual_information == pytest.approx(
        Regression(LINEAR, Gumbel(1.0)).mutual_information, abs=1e-4
    )
    assert WaitingTime(SINE, 2.0, shape=2.0).mutual_information == pytest.approx(
        Regression(SINE, Gumbel(0.5)).mutual_information, abs=1e-4
    )


@pytest.mark.parametrize("late", [{"limit": 1e7}, {"dropout": 1e-9}], ids=repr)
def test_late_ends_cost_nothing(late):
    assert WaitingTime(LINEAR, **late).mutual_information == pytest.approx(
        WaitingTime(LINEAR).mutual_information, abs=1e-3
    )


def test_an_early_limit_leaves_a_label():
    """With a tiny limit almost only P(T > limit | x) informs, that is nothing."""
    assert WaitingTime(LINEAR, limit=1e-9).mutual_information == pytest.approx(0, abs=1e-6)


def test_an_atom_and_an_event(generator):
    x, y = WaitingTime(ABSOLUTE, 1.5, limit=0.5, idle=2).sample(20_000, generator)
    assert x.shape == (20_000, 3)
    atom = y[:, 0] == 0.5
    expected = torch.exp(-0.5 * torch.exp(1.5 * x[:, 0].abs())).mean()
    assert float(atom.float().mean()) == pytest.approx(float(expected), abs=0.02)
    task = WaitingTime(ABSOLUTE, 1.5, dropout=0.5)
    _, y = task.sample(20_000, generator)
    assert y.shape == (20_000, 2)
    assert set(y[:, 1].tolist()) == {0.0, 1.0}
    assert task.integer_columns == ((), (1,))


def test_a_log_ratio_of_the_atom_by_hand():
    task = WaitingTime(LINEAR, limit=1.0)
    nodes = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    weights = torch.softmax(-(nodes**2) / 2, 0)
    expected = -1 - math.log(float(weights @ torch.exp(-nodes.exp())))
    assert float(task.log_ratio(torch.zeros(1, 1), torch.ones(1, 1))) == pytest.approx(expected, abs=1e-4)


def test_names_and_arguments():
    assert repr(WaitingTime(LINEAR, limit=1.0)) == "WaitingTime(1.0 linear, shape=1.0, limit=1.0, idle=0)"
    for wrong in ({"shape": 0.0}, {"limit": -1.0}, {"dropout": math.inf}, {"idle": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            WaitingTime(LINEAR, **wrong)
    with pytest.raises(ValueError, match="one of them"):
        WaitingTime(LINEAR, limit=1.0, dropout=1.0)
