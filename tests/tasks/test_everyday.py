"""The suite of everyday data: log-ratios are normalized. `test_task.py` checks the contract of all tasks."""

import pytest
import torch

from mibounds.tasks.everyday import FAMILIES
from mibounds.tasks.suites import EVERYDAY

ROWS = 5_000


def test_families_make_the_suite():
    assert len(EVERYDAY) >= 60
    assert list(EVERYDAY) == [task for family in FAMILIES.values() for task in family]


@pytest.mark.parametrize("task", EVERYDAY, ids=repr)
def test_the_ratio_of_independent_pairs_has_mean_one(task):
    """E exp(log-ratio) = 1 over p(x) p(y), to five standard errors; the second sample keeps heavy tails apart."""
    x, _ = task.sample(ROWS, torch.Generator().manual_seed(0))
    _, y = task.sample(ROWS, torch.Generator().manual_seed(1))
    ratios = task.log_ratio(x, y).double().exp()
    stderr = float(ratios.std()) / ROWS**0.5
    assert float(ratios.mean()) == pytest.approx(1, abs=5 * stderr + 1e-3)
    assert stderr < 0.2


@pytest.mark.parametrize("task", EVERYDAY, ids=repr)
def test_truths_are_exact_to_a_thousandth(task):
    assert task.standard_error <= 1e-3
    assert 0.03 < task.mutual_information < 2.5
