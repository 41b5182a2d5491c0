"""The contract of every task: shapes, determinism, and a truth that the mean log-ratio confirms."""

import math

import pytest
import torch

from mibounds.tasks import CorrelatedGaussian, Task

TASKS = [CorrelatedGaussian(1, 0.0), CorrelatedGaussian(3, -0.7), CorrelatedGaussian.with_information(20, 6.0)]


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_contract(task):
    x, y = task.sample(20_000, torch.Generator().manual_seed(0))
    again = task.sample(20_000, torch.Generator().manual_seed(0))
    assert torch.equal(x, again[0])
    assert torch.equal(y, again[1])
    assert x.shape[0] == y.shape[0] == 20_000
    assert x.dtype == torch.float32
    assert type(task).__name__ in repr(task)
    ratios = task.log_ratio(x, y)
    stderr = float(ratios.std()) / math.sqrt(len(ratios))
    assert float(ratios.mean()) == pytest.approx(task.mutual_information, abs=4 * stderr + 1e-6)
    grid = task.log_ratio(x[:50, None], y[None, :60])
    assert grid.shape == (50, 60)
    assert torch.allclose(grid[3, 4], task.log_ratio(x[3], y[4]))


def test_a_task_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Task()


def test_a_task_may_lack_a_log_ratio():
    class Mystery(Task):
        def sample(self, n, generator=None):
            return torch.zeros(n, 1), torch.zeros(n, 1)

        mutual_information = 0.0

    with pytest.raises(NotImplementedError, match="no log-ratio in closed form"):
        Mystery().log_ratio(torch.zeros(1), torch.zeros(1))
