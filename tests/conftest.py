"""Shared fixtures: seeded generators, and the exact critic of a Gaussian task."""

import pytest
import torch

from mibounds.critics import FunctionCritic
from mibounds.tasks import CorrelatedGaussian

torch.set_num_threads(1)  # the tests' networks are too small for two, and two wait for each other on a busy machine


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def exact_grid():
    """Scores of all pairs of n draws by the exact log-ratio critic of a d-dimensional Gaussian with that
    information."""

    def grid(information, n, seed, dim=20):
        task = CorrelatedGaussian.with_information(dim, information)
        x, y = task.sample(n, torch.Generator().manual_seed(seed))
        return FunctionCritic(task.log_ratio).pairwise(x, y)

    return grid
