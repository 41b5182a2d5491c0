import math
import statistics

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import CLUB, LeaveOneOut, PlugIn
from mibounds.critics import FunctionCritic
from mibounds.tasks import CorrelatedGaussian

JOINT = torch.tensor([2.0, 0.5])
PRODUCT = torch.tensor([[0.0, 1.0], [-1.0, 0.5]])
RHO = 0.9


def conditional(rho):
    """The exact log q(y|x) of a Gaussian pair."""
    scale = math.sqrt(1 - rho**2)
    return FunctionCritic(lambda x, y: torch.distributions.Normal(rho * x, scale).log_prob(y).sum(-1))


def read(bound, rho, n=2000, seed=0):
    x, y = CorrelatedGaussian(1, rho).sample(n, torch.Generator().manual_seed(seed))
    grid = conditional(rho).pairwise(x, y)
    return float(bound(grid.diagonal(), off_diagonal(grid.mT)))


def test_by_naive_loops():
    assert float(PlugIn()(JOINT, PRODUCT)) == pytest.approx(1.25)
    assert float(CLUB()(JOINT, PRODUCT)) == pytest.approx(1.25 - 0.125)
    logs = [math.log((1 + math.e) / 2), math.log((math.exp(-1) + math.exp(0.5)) / 2)]
    assert float(LeaveOneOut()(JOINT, PRODUCT)) == pytest.approx(1.25 - sum(logs) / 2)


@pytest.mark.parametrize("bound", [PlugIn(), CLUB(), LeaveOneOut()], ids=repr)
def test_they_train_by_likelihood(bound):
    assert bound.needs_density
    assert float(bound.loss(JOINT, PRODUCT)) == pytest.approx(-1.25)


def test_club_of_a_gaussian_pair_is_rho_squared_over_one_minus_rho_squared():
    value = statistics.mean(read(CLUB(), RHO, seed=seed) for seed in range(10))
    assert value == pytest.approx(RHO**2 / (1 - RHO**2), rel=0.04)


def test_leave_one_out_is_tight_and_is_not_club():
    truth = CorrelatedGaussian(1, RHO).mutual_information
    value = statistics.mean(read(LeaveOneOut(), RHO, seed=seed) for seed in range(10))
    assert value == pytest.approx(truth, abs=0.03)
    assert read(CLUB(), RHO) > 3 * value
