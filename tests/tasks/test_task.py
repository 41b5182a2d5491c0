"""The contract of every task of every suite: shapes, determinism, and a truth that the mean log-ratio confirms."""

import math
import pickle
from dataclasses import dataclass

import pytest
import torch

from mibounds.tasks import CorrelatedGaussian, HiddenState, Task, suites

EXTRA = [CorrelatedGaussian(3, -0.7), CorrelatedGaussian.with_information(20, 6.0), HiddenState(20, 0.9, 0.7)]
TASKS = {repr(task): task for task in [*EXTRA, *(task for name in suites.__all__ for task in getattr(suites, name))]}


def confirm_truth(task, ratios):
    """The mean of exact log-ratios is the information, to within four standard errors of both."""
    stderr = math.hypot(float(ratios.std()) / math.sqrt(len(ratios)), task.standard_error)
    assert float(ratios.mean()) == pytest.approx(task.mutual_information, abs=4 * stderr + 1e-6)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_contract(task):
    n = 20_000
    x, y = task.sample(n, torch.Generator().manual_seed(0))
    again = pickle.loads(pickle.dumps(task)).sample(n, torch.Generator().manual_seed(0))  # as a worker sees it
    other = task.sample(n, torch.Generator().manual_seed(1))
    for variable, same, different in zip((x, y), again, other, strict=True):
        assert variable.dtype in {torch.float32, torch.int64}
        assert variable.ndim in {2, 3, 4}
        assert len(variable) == n
        assert variable.isfinite().all()
        assert torch.equal(variable, same)
        assert not torch.equal(variable, different)
    assert type(task).__name__ in repr(task)
    assert task.mutual_information >= 0
    ratios = task.log_ratio(x, y)
    assert ratios.shape == (n,)
    assert ratios.isfinite().all()
    confirm_truth(task, ratios)
    for variable, whole in zip((x, y), task.integer_columns, strict=True):
        assert torch.equal(variable[:, list(whole)], variable[:, list(whole)].round())
    grid = task.log_ratio(x[:50, None], y[None, :60])
    assert grid.shape == (50, 60)
    assert torch.allclose(grid[3, 4], task.log_ratio(x[3], y[4]))


def test_a_wrong_truth_fails():
    @dataclass(frozen=True)
    class Boastful(CorrelatedGaussian):
        @property
        def mutual_information(self):
            return 0.05 - self.dim / 2 * math.log1p(-(self.rho**2))

    honest, boastful = CorrelatedGaussian(1, 0.75), Boastful(1, 0.75)
    ratios = honest.log_ratio(*honest.sample(20_000, torch.Generator().manual_seed(0)))
    confirm_truth(honest, ratios)
    with pytest.raises(AssertionError):
        confirm_truth(boastful, ratios)


def test_a_task_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Task()


class Mystery(Task):
    def sample(self, n, generator=None):
        return torch.zeros(n, 1), torch.zeros(n, 1)

    mutual_information = 0.0


def test_a_task_may_lack_a_log_ratio():
    with pytest.raises(NotImplementedError, match="no log-ratio in closed form"):
        Mystery().log_ratio(torch.zeros(1), torch.zeros(1))


def test_a_truth_is_exact_unless_it_says_otherwise():
    assert Mystery().standard_error == 0


def test_numbers_are_no_codes_unless_a_task_says_otherwise():
    assert Mystery().integer_columns == ((), ())
