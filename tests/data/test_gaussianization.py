import copy

import pytest
import torch
from sklearn.decomposition import FastICA

from mibounds._math import infonce_loss
from mibounds.critics import GaussianCritic
from mibounds.data import Gaussianize, RankGaussianize
from mibounds.tasks.maps import HALF_CUBE, mixing


def excess(z):
    """Distance of the columns from independent Gaussians: the largest correlation of squares."""
    squares = z.square()
    return float((torch.corrcoef(squares.T) - torch.eye(z.shape[1])).abs().max())


@pytest.fixture
def sources(generator):
    return HALF_CUBE.forward(torch.randn(4000, 4, generator=generator))


@pytest.fixture
def mixed(sources):
    return mixing(4, seed=0).forward(sources)


def test_mixed_columns_are_separated(mixed, sources):
    """Every column of the result is correlated with one of the sources."""
    z = Gaussianize().fit(mixed)(mixed)
    correlation = torch.corrcoef(torch.cat([z, RankGaussianize().fit(sources)(sources)], 1).T)[:4, 4:].abs()
    assert (correlation.max(1).values > 0.95).all()
    assert sorted(correlation.argmax(1).tolist()) == [0, 1, 2, 3]


def test_the_result_is_white_and_more_gaussian(mixed):
    z, ranks = Gaussianize().fit(mixed)(mixed), RankGaussianize().fit(mixed)(mixed)
    assert torch.allclose(torch.cov(z.T), torch.eye(4), atol=0.05)
    assert excess(z) < excess(ranks) / 2


def test_the_components_are_those_of_fast_ica(mixed):
    ranks = RankGaussianize().fit(mixed)(mixed).double()
    matrix = Gaussianize().fit(mixed).unmixing[0].double()
    components = (ranks - ranks.mean(0)) @ matrix
    assert torch.allclose(components.T @ components / len(ranks), torch.eye(4).double(), atol=1e-5)
    ica = FastICA(algorithm="parallel", fun="logcosh", whiten="unit-variance", random_state=0, tol=1e-8, max_iter=1000)
    reference = torch.from_numpy(ica.fit_transform(ranks.numpy()))
    correlation = torch.corrcoef(torch.cat([components, reference], 1).T)[:4, 4:].abs()
    assert (correlation.max(1).values > 1 - 1e-5).all()
    assert sorted(correlation.argmax(1).tolist()) == [0, 1, 2, 3]


def test_one_round_is_the_rank_transformation(mixed):
    assert torch.equal(Gaussianize(rounds=1).fit(mixed)(mixed), RankGaussianize().fit(mixed)(mixed))


def test_rounds_are_applied_one_after_the_other(mixed):
    fitted = Gaussianize(rounds=3).fit(mixed)
    x = mixed
    for ranks, matrix in zip(fitted.ranks, fitted.unmixing, strict=False):
        x = ranks(x) @ matrix
    assert torch.equal(fitted(mixed), fitted.ranks[2](x))
    assert fitted.unmixing.shape == (2, 4, 4)


def test_it_is_fitted_to_training_samples_only_and_deterministic(mixed):
    train, test = mixed[:3000], mixed[3000:]
    fitted = Gaussianize(rounds=3).fit(train)
    assert torch.allclose(fitted(test)[:7], fitted(test[:7]), atol=1e-5)
    again = copy.deepcopy(Gaussianize(rounds=3)).fit(train)
    assert torch.equal(again(test), fitted(test))
    assert torch.equal(copy.deepcopy(fitted)(test), fitted(test))


def test_the_first_20000_samples_determine_the_matrices(generator):
    x = torch.rand(21_000, 2, generator=generator) @ torch.tensor([[1.0, 1.0], [-1.0, 1.0]])
    few = RankGaussianize().fit(x)
    fitted, moved = Gaussianize().fit(x), x.clone()
    moved[20_000:] = moved[20_000:].flip(0)  # the ranks of the others do not change
    assert torch.equal(Gaussianize().fit(moved).unmixing, fitted.unmixing)
    ranks = few(x)[:20_000].double()
    components = (ranks - ranks.mean(0)) @ fitted.unmixing[0].double()
    assert torch.allclose(components.T @ components / 20_000, torch.eye(2).double(), atol=1e-5)


def test_a_constant_and_a_doubled_column_stay_finite(mixed):
    x = torch.cat([mixed, mixed[:, :1], torch.ones(len(mixed), 1)], 1)
    fitted = Gaussianize().fit(x)
    assert fitted(x).isfinite().all()
    components = RankGaussianize().fit(x)(x) @ fitted.unmixing[0]
    assert (components.std(0) < 1.01).all()
    assert torch.equal(fitted(x)[:, 4:], torch.zeros(len(x), 2))  # null directions are not scaled up
    assert fitted.unmixing.abs().max() < 1e2


def clock(n, generator):
    """Hours and the time as a number: 100 hours + minutes."""
    hours, minutes = torch.randint(24, (n,), generator=generator), torch.randint(60, (n,), generator=generator)
    return torch.stack([hours + minutes / 1e4, 100 * hours + minutes, minutes], 1)


def two_units(n, generator):
    """A temperature in two units, one of them rounded, beside another column."""
    celsius = 100 * torch.rand(n, generator=generator)
    return torch.stack([celsius, (1.8 * celsius + 32).round(decimals=1), torch.randn(n, generator=generator)], 1)


def two_sensors(n, generator):
    """A column and a copy with a thousandth of noise, beside another column."""
    first, noise, other = torch.randn(3, n, generator=generator)
    return torch.stack([first, first + 1e-3 * noise, other], 1)


@pytest.mark.parametrize("table", [clock, two_units, two_sensors])
def test_a_direction_of_nearly_no_variance_is_not_scaled_up(table, generator):
    x, new = table(1500, generator), table(500, generator)
    fitted = Gaussianize().fit(x)
    z = fitted(new)
    assert torch.equal(z[:, 2], torch.zeros(500))
    assert torch.allclose(torch.cov(z[:, :2].T), torch.eye(2), atol=0.15)
    assert fitted.unmixing.abs().max() < 10


@pytest.mark.parametrize("table", [clock, two_units, two_sensors])
def test_a_gaussian_of_the_components_holds_on_new_rows(table, generator):
    """With that direction scaled up, one table of a clock was estimated at -6.7 nats."""
    x = table(1000, generator)
    y = RankGaussianize().fit(x)(x)[:, :1] + torch.randn(1000, 2, generator=generator)
    fitted, ranks = Gaussianize().fit(x[:500]), RankGaussianize().fit(y[:500])
    critic = GaussianCritic()
    critic.prepare(fitted(x[:500]), ranks(y[:500]))
    assert -float(infonce_loss(critic.pairwise(fitted(x[500:]), ranks(y[500:])))) > 0.25  # of 0.35


def test_a_nearly_collinear_column_stays_finite(generator):
    a, b = torch.rand(2, 1000, generator=generator)
    x = torch.stack([a, b, 20 * a + b], 1)
    z = Gaussianize().fit(x)(x)
    assert z.isfinite().all()
    assert torch.allclose(torch.cov(z.T).diagonal(), torch.ones(3), atol=0.05)


def test_fewer_samples_than_columns(generator):
    x = torch.randn(20, 50, generator=generator)
    assert Gaussianize().fit(x)(x).isfinite().all()


def test_rounds_are_positive():
    with pytest.raises(ValueError, match="rounds is 0"):
        Gaussianize(rounds=0)
