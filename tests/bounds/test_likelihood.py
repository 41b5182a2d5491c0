import math
import statistics

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import CLUB, BarberAgakov, LeaveOneOut, PlugIn
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
    assert float(BarberAgakov(entropy=0.5)(JOINT, PRODUCT)) == pytest.approx(1.75)
    assert float(CLUB()(JOINT, PRODUCT)) == pytest.approx(1.25 - 0.125)
    logs = [math.log((1 + math.e) / 2), math.log((math.exp(-1) + math.exp(0.5)) / 2)]
    assert float(LeaveOneOut()(JOINT, PRODUCT)) == pytest.approx(1.25 - sum(logs) / 2)


@pytest.mark.parametrize("bound", [PlugIn(), CLUB(), LeaveOneOut(), BarberAgakov(entropy=1)], ids=repr)
def test_they_train_by_likelihood(bound):
    assert bound.needs_conditional_density
    assert float(bound.loss(JOINT, PRODUCT)) == pytest.approx(-1.25)


def test_club_of_a_gaussian_pair_is_rho_squared_over_one_minus_rho_squared():
    value = statistics.mean(read(CLUB(), RHO, seed=seed) for seed in range(10))
    assert value == pytest.approx(RHO**2 / (1 - RHO**2), rel=0.04)


def test_leave_one_out_is_tight_and_is_not_club():
    truth = CorrelatedGaussian(1, RHO).mutual_information
    value = statistics.mean(read(LeaveOneOut(), RHO, seed=seed) for seed in range(10))
    assert value == pytest.approx(truth, abs=0.03)
    assert read(CLUB(), RHO) > 3 * value


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("dim", [1, 4])
@pytest.mark.parametrize("bound", [CLUB(), LeaveOneOut()], ids=repr)
def test_with_the_exact_conditional_they_do_not_fall_below_the_truth(bound, dim, rho):
    task = CorrelatedGaussian(dim, rho)
    values = []
    for seed in range(12):
        x, y = task.sample(400, torch.Generator().manual_seed(seed))
        grid = conditional(rho).pairwise(x, y)
        values.append(float(bound(grid.diagonal(), off_diagonal(grid.mT))))
    stderr = statistics.stdev(values) / math.sqrt(len(values))
    assert statistics.mean(values) >= task.mutual_information - 4 * stderr


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_club_adds_up_over_dimensions(rho):
    x, y = CorrelatedGaussian(3, rho).sample(2500, torch.Generator().manual_seed(0))
    grid = conditional(rho).pairwise(x, y)
    value = float(CLUB()(grid.diagonal(), off_diagonal(grid.mT)))
    assert value == pytest.approx(3 * rho**2 / (1 - rho**2), rel=0.06)


def test_barber_agakov_is_below_the_truth_by_the_divergence_of_q():
    """y uniform on four labels, x equal to it but for one draw in five; q is exact, then too sure of itself."""
    keep, n = 0.85, 20_000  # .8 + .2 / 4
    truth = math.log(4) + keep * math.log(keep) + 0.15 * math.log(0.05)
    right = torch.rand(n, generator=torch.Generator().manual_seed(0)) < keep
    for sure, gap in ((keep, 0.0), (0.97, keep * math.log(keep / 0.97) + 0.15 * math.log(0.05 / 0.01))):
        joint = torch.where(right, math.log(sure), math.log((1 - sure) / 3))
        value = float(BarberAgakov(entropy=math.log(4))(joint, torch.zeros(n, 1)))
        assert value == pytest.approx(truth - gap, abs=0.04)


def test_the_entropy_has_to_be_given():
    with pytest.raises(TypeError, match="entropy"):
        BarberAgakov()
    assert BarberAgakov(entropy=2).side == "lower"
    assert repr(BarberAgakov(entropy=2)) == "BarberAgakov(entropy=2.0)"
