import math
import warnings

import pytest
import torch

import mibounds as mi
from mibounds import Telescope
from mibounds.tasks import CorrelatedGaussian

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

DIM, NATS, BRIDGES = 3, 6.0, 5
TASK = CorrelatedGaussian.with_information(DIM, NATS)


def log_ratio(x, y, rho):
    """Of standard normal pairs of that correlation, by the textbook."""
    square = rho**2 * (x**2 + y**2) - 2 * rho * x * y
    return (-square / (2 * (1 - rho**2)) - math.log(1 - rho**2) / 2).sum(-1)


@pytest.fixture
def exact():
    """A telescope with the ratios of that Gaussian set by hand: f_k is a sum of x_i y_i, x_i^2 and y_i^2."""
    telescope = Telescope(DIM, DIM, bridges=BRIDGES, information=NATS, hidden=(), features=DIM)
    critic = telescope.critic
    rho = telescope.shares.sqrt() * TASK.rho
    cross, square = (part.diff() for part in (rho / (1 - rho**2), -(rho**2) / (2 * (1 - rho**2))))
    constant = (-(1 - rho**2).log() / 2).diff() * DIM
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.zero_()
        for linear in (critic.linear_x, critic.linear_y):
            linear.weight.copy_(torch.eye(DIM))
        critic.weight.copy_(cross[:, None].expand(-1, DIM))
        for alone in (critic.alone_x, critic.alone_y):
            alone.weight[:, DIM:] = square[:, None]
        critic.alone_x.bias.copy_(constant)
    return telescope


def test_waymarks_lead_from_the_y_of_other_samples_to_y_itself(generator):
    telescope = Telescope(DIM, DIM, bridges=BRIDGES, information=NATS)
    x, y = TASK.sample(20_000, generator)
    way = telescope.waymarks(y, y.roll(1, 0))
    assert torch.equal(way[0], y.roll(1, 0))
    assert torch.equal(way[-1], y)
    correlation = (x * way).mean((1, 2))  # a_k rho, and a variance of 1 all the way
    assert torch.allclose(correlation, telescope.shares.sqrt() * TASK.rho, atol=0.02)
    assert torch.allclose(way.square().mean((1, 2)), torch.ones(BRIDGES + 1), atol=0.02)


def test_waymarks_split_a_gaussian_into_equal_parts():
    telescope = Telescope(DIM, DIM, bridges=BRIDGES, information=NATS)
    information = -DIM / 2 * (1 - telescope.shares * TASK.rho**2).log()
    assert torch.allclose(information.diff(), torch.full((BRIDGES,), NATS / BRIDGES), atol=1e-3)


def test_optimal_bridges_add_up_to_the_exact_ratio(exact, generator):
    x, y = TASK.sample(50, generator)
    bridges = exact.critic.bridges(x, y)
    rho = exact.shares.sqrt() * TASK.rho
    for k in range(BRIDGES):
        ratio = log_ratio(x, y, float(rho[k + 1])) - log_ratio(x, y, float(rho[k]))
        assert torch.allclose(bridges[:, k], ratio, atol=1e-3)
    assert torch.allclose(exact.critic(x, y), TASK.log_ratio(x, y), atol=1e-3)
    assert exact.value(x, y).item() == pytest.approx(float(TASK.log_ratio(x, y).mean()), abs=1e-3)


def test_the_loss_is_least_at_the_exact_ratio(exact, generator):
    """Its gradient vanishes there, bridge by bridge, and with a wrong waymark formula it does not."""
    x, y = TASK.sample(20_000, generator)

    def steepest(waymarks=None):
        if waymarks is not None:
            exact.waymarks = waymarks
        exact.zero_grad()
        exact.loss(x, y, torch.Generator().manual_seed(1)).backward()
        critic = exact.critic
        return max(float(part.grad.abs().max()) for part in (critic.weight, critic.alone_x.bias, critic.alone_y.weight))

    right = Telescope.waymarks
    assert steepest() < 0.02
    own = exact.shares[:, None, None]
    assert steepest(lambda y, other: own * y + (1 - own) * other) > 0.05
    assert steepest(lambda y, other: own * y + (1 - own**2).sqrt() * other) > 0.05
    assert steepest(lambda y, other: right(exact, other, y)) > 0.05


def test_the_loss_by_naive_loops(exact, generator):
    x, y = TASK.sample(9, generator)
    shift = mi.critics.shifts(9, 1, torch.Generator().manual_seed(3)).squeeze(1)
    way = exact.waymarks(y, y[shift])
    expected = 0.0
    for k in range(BRIDGES):
        for i in range(9):
            low, high = (exact.critic.bridges(x[i], way[k + end, i])[k].item() for end in (0, 1))
            expected += (math.log1p(math.exp(low)) + math.log1p(math.exp(-high))) / 9
    assert exact.loss(x, y, torch.Generator().manual_seed(3)).item() == pytest.approx(expected, rel=1e-4)


def test_the_validation_loss_repeats_and_is_least_at_the_exact_ratio(exact, generator):
    x, y = TASK.sample(2000, generator)
    assert exact.validation_loss(x, y) == exact.validation_loss(x, y)
    assert Telescope(DIM, DIM, bridges=BRIDGES).validation_loss(x, y) == pytest.approx(0.0, abs=1e-4)
    best = exact.validation_loss(x, y)
    assert best < 0
    for factor in (0.8, 1.2):
        with torch.no_grad():
            exact.critic.weight.mul_(factor)
        assert exact.validation_loss(x, y) > best
        with torch.no_grad():
            exact.critic.weight.div_(factor)


def small():
    torch.manual_seed(0)
    return Telescope(8, 8, bridges=4, information=8, hidden=(), features=10)


@pytest.fixture(scope="module")
def rows():
    return CorrelatedGaussian.with_information(8, 8).sample(2000, torch.Generator().manual_seed(0))


def trainer(**changes):
    return mi.Trainer(**{"steps": 300, "lr": 2e-2, "folds": 2, "preprocessing": mi.RankGaussianize(), **changes})


def test_a_trainer_estimates_more_than_infonce_can(rows):
    telescope = small()
    before = {name: value.clone() for name, value in telescope.state_dict().items()}
    result = trainer().fit(telescope, *rows)
    assert result.value == pytest.approx(8, abs=1.0)
    assert result.estimates["InfoNCE"] < math.log(1000)
    assert (result.method, result.extrapolated) == ("PlugIn", True)
    assert result.interval[0] < result.estimates["InfoNCE"]
    assert result.curves[0].validation_loss[0] == pytest.approx(0, abs=1e-4)
    assert min(result.curves[0].validation_loss) < -1
    assert all(torch.equal(before[name], value) for name, value in telescope.state_dict().items())


def test_the_same_seed_gives_the_same_number(rows):
    x, y = (side[:500] for side in rows)
    values = [trainer(steps=20, workers=workers).fit(small(), x, y).value for workers in (1, 1, 2)]
    assert values[0] == values[1] == values[2]
    assert trainer(steps=20, seed=1).fit(small(), x, y).value != values[0]


def test_independent_samples_have_no_information(generator):
    x, y = torch.randn(600, 3, generator=generator), torch.randn(600, 3, generator=generator)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = trainer(steps=50).fit(Telescope(3, 3, bridges=4, hidden=(16,)), x, y)
    assert abs(result.value) < 0.1


@pytest.mark.parametrize(
    "make, error, sentence",
    [
        (lambda: Telescope(2, 2, bridges=0), ValueError, "bridges"),
        (lambda: Telescope(2, 2, bridges=1.5), TypeError, r"bridges is 1.5 \(a float\): expected a whole number"),
        (lambda: Telescope(0, 2), ValueError, "dim_x is 0: expected a whole number of at least 1"),
        (lambda: Telescope(2, 2, features="a"), TypeError, "features is 'a'"),
        (
            lambda: Telescope(2, 2, hidden=8),
            TypeError,
            r"hidden is 8: give the widths of the layers, for example \(8,\)",
        ),
        (lambda: Telescope(2, 2, information=0), ValueError, "information is 0: expected a finite number above 0"),
        (lambda: Telescope(2, 2, information=math.inf), ValueError, "information is inf: expected a finite number"),
        (lambda: Telescope(2, 2, information="much"), TypeError, "information is 'much'"),
        (
            lambda: Telescope(2, 2).loss((torch.zeros(3, 2),), torch.zeros(3, 2)),
            TypeError,
            "x and y must be tensors",
        ),
    ],
)
def test_misuse(make, error, sentence):
    with pytest.raises(error, match=sentence):
        make()
