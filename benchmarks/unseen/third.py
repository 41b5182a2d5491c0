"""A third set of relations, written after the default had been frozen: curves, designs, grades, counts, pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from relations import Array, Relation
from scipy import stats
from scipy.special import expit, gammaln, log_ndtr, log_softmax, logsumexp

Draw = Callable[[np.random.Generator, int], Array]
_CHUNK = 20_000


@dataclass(frozen=True)
class Exact(Relation):
    """A relation whose density of y is known; y may have several columns.

    Attributes:
        log_marginal: of y.
        given: what the estimator sees of x, as text or without a latent column.
        chunks: of 20,000 samples, for the truth.
    """

    log_marginal: Callable[[Array], Array] = lambda y: 0 * y
    given: Callable[[Array], Any] = lambda x: x
    chunks: int = 50

    def sample(self, n: int, seed: int) -> tuple[Any, Array]:
        """Both variables."""
        x, y = super().sample(n, seed)
        return self.given(x), y

    def ratio(self, n: int, seed: int) -> Array:
        """The log-ratio of n samples."""
        x, y = super().sample(n, seed)
        return self.log_density(y, x) - self.log_marginal(y)

    def truth(self) -> tuple[float, float]:
        """The information in nats, and the standard deviation of the log-ratio."""
        ratio = np.concatenate([self.ratio(_CHUNK, seed) for seed in range(10_000, 10_000 + self.chunks)])
        return float(ratio.mean()), float(ratio.std())


class _TwoNormals:
    """Four of five values from a narrow normal distribution, the others from a wide and shifted one."""

    def rvs(self, size: int, random_state: np.random.Generator) -> Array:
        wide = random_state.uniform(size=size) < 0.2
        return np.where(wide, 2.0, -0.5) + np.where(wide, 1.5, 0.5) * random_state.normal(size=size)

    def logpdf(self, e: Array) -> Array:
        return np.logaddexp(np.log(0.8) + stats.norm.logpdf(e, -0.5, 0.5), np.log(0.2) + stats.norm.logpdf(e, 2.0, 1.5))


_NORMAL, _LAPLACE, _T3, _MIXTURE = stats.norm(), stats.laplace(), stats.t(3), _TwoNormals()
_GUMBEL, _GAMMA, _DELAY = stats.gumbel_r(), stats.gamma(2), stats.exponnorm(2.5)


def _curve(x: Draw, f: Callable[[Array], Array], noise: Any, scale: Any) -> Relation:
    """The sum f(x) + scale(x) e."""
    size = scale if callable(scale) else lambda _: scale
    return Relation(
        x,
        lambda generator, x: f(x) + size(x) * noise.rvs(size=len(x), random_state=generator),
        lambda y, x: noise.logpdf((y - f(x)) / size(x)) - np.log(size(x)),
    )


def _table(*columns: Callable[[np.random.Generator, int], Array], idle: int = 0) -> Draw:
    """Independent columns, then idle ones of normal values."""

    def draw(generator: np.random.Generator, n: int) -> Array:
        return np.stack(
            [column(generator, n) for column in columns] + [generator.normal(size=n) for _ in range(idle)], 1
        )

    return draw


def _between(low: float, high: float) -> Draw:
    return lambda generator, n: generator.uniform(low, high, n)


def _around(mean: float = 0.0, deviation: float = 1.0) -> Draw:
    return lambda generator, n: generator.normal(mean, deviation, n)


def _integer(low: int, high: int) -> Draw:
    return lambda generator, n: generator.integers(low, high + 1, n).astype(float)


def _heating(x: Array) -> Array:
    return x[:, 1] / 80 * (2 + np.maximum(15 - x[:, 0], 0))


def _logistic_growth(x: Array) -> Array:
    return 20 * expit(0.8 * (x[:, 0] - 5 - x[:, 1]))


def _gompertz(x: Array) -> Array:
    return 5 * np.exp(-np.exp(1 + x[:, 1] - 0.3 * x[:, 0]))


def _treatment(x: Array) -> Array:
    z = (x[:, 1] - 50) / 12
    return np.where(x[:, 0] == 1, 0.8 - 0.9 * z, 0.6 * z)


def _surface(x: Array) -> Array:
    a, b = x[:, 0], x[:, 1]
    return 1 + a - 1.5 * b + 1.5 * a * b - 1.2 * a**2 + 0.8 * b**2


def _weight_and_height(generator: np.random.Generator, n: int) -> Array:
    height = generator.normal(1.71, 0.09, n)
    weight = np.exp(generator.normal(4.32, 0.18, n)) * (height / 1.71) ** 1.5
    return np.stack([weight, height, generator.integers(18, 80, n), generator.normal(size=n)], 1)


def _traffic(x: Array) -> Array:
    hour = x[:, 0]
    working = 3 * np.exp(-((hour - 8) ** 2) / 4) + 2.5 * np.exp(-((hour - 17) ** 2) / 8)
    return np.where(x[:, 1] < 5, working, 1.5 * np.exp(-((hour - 14) ** 2) / 20))


def _six_terms(x: Array) -> Array:
    return 0.5 * x[:, 0] ** 2 + abs(x[:, 1]) + np.exp(0.6 * x[:, 2]) + (x[:, 3] > 0.5) + np.tanh(2 * x[:, 4]) - x[:, 5]


_INDEX = np.random.default_rng(30).normal(size=10)
_INDEX /= np.linalg.norm(_INDEX)


def _single_index(x: Array) -> Array:
    return np.maximum(x[:, :10] @ _INDEX + 0.5, 0) ** 1.5


def _label(x: Draw, log_weights: Callable[[Array], Array]) -> Relation:
    """A label whose probabilities are in proportion to exp(log_weights)."""

    def draw(generator: np.random.Generator, x: Array) -> Array:
        weights = log_weights(x)
        return (weights + generator.gumbel(size=weights.shape)).argmax(1).astype(float)

    return Relation(
        x,
        draw,
        lambda y, x: np.take_along_axis(log_softmax(log_weights(x), 1), y.astype(int)[:, None], 1)[:, 0],
        "label",
    )


def _probit(x: Array) -> Array:
    index = 1.5 * (x[:, 0] - 0.8 * x[:, 1] + 0.5 * x[:, 2])
    return np.stack([log_ndtr(-index), log_ndtr(index)], 1)


_CLASS_SHARE = np.array([0.35, 0.25, 0.2, 0.12, 0.08])
_CLASS_MEAN = np.random.default_rng(31).normal(size=(5, 3)) * 1.3
_CLASS_ROOT = np.random.default_rng(32).normal(size=(5, 3, 3)) * 0.7 + 0.3 * np.eye(3)  # of the covariances


def _five_normals(generator: np.random.Generator, n: int) -> Array:
    k = generator.choice(5, n, p=_CLASS_SHARE)
    return _CLASS_MEAN[k] + np.einsum("nij,nj->ni", _CLASS_ROOT[k], generator.normal(size=(n, 3)))


def _class_weights(x: Array) -> Array:
    return np.stack(
        [
            np.log(share) + stats.multivariate_normal.logpdf(x, mean, root @ root.T)
            for share, mean, root in zip(_CLASS_SHARE, _CLASS_MEAN, _CLASS_ROOT, strict=True)
        ],
        1,
    )


def _grades(x: Array) -> Array:
    latent = 1.2 * x[:, :1] + 0.8 * np.maximum(x[:, 1:2], 0)
    upper = (np.array([[-0.9, 0.2, 1.4]]) - latent) / 0.6
    below = np.concatenate([np.full((len(x), 1), -np.inf), upper, np.full((len(x), 1), np.inf)], 1)
    flip = (below[:, 1:] + below[:, :-1]) > 0  # the tail where the difference keeps its digits
    high, low = np.where(flip, -below[:, :-1], below[:, 1:]), np.where(flip, -below[:, 1:], below[:, :-1])
    return log_ndtr(high) + np.log1p(-np.exp(np.minimum(log_ndtr(low) - log_ndtr(high), -1e-15)))


def _rare(x: Array) -> Array:
    index = -5.6 + 1.4 * x[:, 0] + 1.8 * (x[:, 1] > 1) + 0.6 * x[:, 2] ** 2
    return np.stack([0 * index, index], 1)


def _annulus(generator: np.random.Generator, n: int) -> Array:
    radius, angle = np.sqrt(generator.uniform(1, 4, n)), generator.uniform(-np.pi, np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), *generator.normal(size=(2, n))], 1)


def _sectors(x: Array) -> Array:
    """Six sectors have three labels in turn; one label of six is drawn evenly from the three."""
    sector = np.floor((np.arctan2(x[:, 1], x[:, 0]) + np.pi) / (np.pi / 3)).astype(int) % 3
    return np.log(np.where(np.arange(3) == sector[:, None], 5 / 6 + 1 / 18, 1 / 18))


def _count(x: Draw, log_probability: Callable[[Array, Array], Array], most: int) -> Relation:
    """A count up to most, drawn by its cumulative probabilities."""
    levels = np.arange(most + 1.0)

    def draw(generator: np.random.Generator, x: Array) -> Array:
        found = []
        for part in np.array_split(x, -(-len(x) // 10_000)):
            p = np.exp(log_probability(np.tile(levels, len(part)), np.repeat(part, most + 1, 0)))
            total = p.reshape(len(part), most + 1).cumsum(1)
            found.append((generator.uniform(size=(len(part), 1)) > total).sum(1))
        return np.minimum(np.concatenate(found), most).astype(float)

    return Relation(x, draw, log_probability, "count")


def _visits(y: Array, x: Array) -> Array:
    """Zero, or Poisson: the age decides which, the illness how many."""
    log_never, log_ever = -np.logaddexp(0, (x[:, 0] - 50) / 8), -np.logaddexp(0, -(x[:, 0] - 50) / 8)
    counted = log_ever + stats.poisson.logpmf(y, np.exp(1 + 0.6 * x[:, 1]))
    return np.where(y == 0, np.logaddexp(log_never, counted), counted)


def _guessed(y: Array, x: Array) -> Array:
    return stats.binom.logpmf(y, 12, 0.2 + 0.8 * expit(1.7 * (x[:, 0] - x[:, 1])))


def _hurdle(y: Array, x: Array) -> Array:
    """Zero with a probability of its own, or a Poisson count above zero."""
    index, rate = 1.5 * np.sin(1.5 * x[:, 0]), np.exp(0.8 + 0.5 * x[:, 1] - 0.4 * x[:, 2])
    positive = -np.logaddexp(0, -index) + stats.poisson.logpmf(y, rate) - np.log(-np.expm1(-rate))
    return np.where(y == 0, -np.logaddexp(0, index), positive)


_DISPERSION = 0.6
_COM_RATES = np.linspace(-0.5, 1.5, 2_001)  # logarithms
_COM_COUNTS = np.arange(251.0)[:, None]
_COM_TOTAL = logsumexp(_COM_COUNTS * _COM_RATES - _DISPERSION * gammaln(_COM_COUNTS + 1), 0)


def _conway(y: Array, x: Array) -> Array:
    rate = 0.6 + 0.8 * np.tanh(x[:, 0] + x[:, 1])
    return y * rate - _DISPERSION * gammaln(y + 1) - np.interp(rate, _COM_RATES, _COM_TOTAL)


_LATENT = np.linspace(-5.5, 5.5, 161)
_LATENT_WEIGHT = stats.norm.logpdf(_LATENT) + np.log(_LATENT[1] - _LATENT[0])


def _measured(generator: np.random.Generator, n: int) -> Array:
    """Three measurements, and the latent value."""
    z = generator.normal(size=n)
    e = generator.normal(size=(3, n))
    return np.stack([z + 0.5 * e[0], z**2 + 0.5 * e[1], (z + 0.3 * e[2] > 0.4).astype(float), z], 1)


def _log_x_of_latent(x: Array) -> Array:
    yes = (_LATENT - 0.4) / 0.3
    return (
        stats.norm.logpdf(x[:, :1], _LATENT, 0.5)
        + stats.norm.logpdf(x[:, 1:2], _LATENT**2, 0.5)
        + np.where(x[:, 2:3] == 1, log_ndtr(yes), log_ndtr(-yes))
    )


def _log_y_of_latent(y: Array) -> Array:
    return stats.norm.logpdf(y[:, :1], np.tanh(1.5 * _LATENT), 0.25) + stats.laplace.logpdf(y[:, 1:], _LATENT, 0.4)


def _outcomes(generator: np.random.Generator, x: Array) -> Array:
    z = x[:, 3]
    return np.stack([np.tanh(1.5 * z) + 0.25 * generator.normal(size=len(z)), z + generator.laplace(0, 0.4, len(z))], 1)


def _log_outcomes(y: Array, x: Array) -> Array:
    given_x, given_y = _log_x_of_latent(x) + _LATENT_WEIGHT, _log_y_of_latent(y)
    return logsumexp(given_x + given_y, 1) - logsumexp(given_x, 1)


_ROTATION = np.linalg.qr(np.random.default_rng(33).normal(size=(3, 3)))[0]


def _exponential(generator: np.random.Generator, n: int) -> Array:
    return generator.exponential(size=(n, 3))


def _one_outcome(x: Array) -> Array:
    return np.floor(x[:, 0] / 10) % 3 - 1 + 0 * x[:, 1]


def _two_columns(generator: np.random.Generator, x: Array) -> Array:
    return np.stack(
        [_one_outcome(x) + 0.35 * generator.normal(size=len(x)), 2 * generator.standard_t(3, size=len(x))], 1
    )


_SHARE = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
_SHAPE = np.array([1.0, 4.0, 9.0, 2.0, 30.0, 6.0])
_SCALE = np.array([1.0, 1.0, 0.25, 4.0, 0.3, 0.6])
_DIETS = np.array(["none", "low salt", "vegan", "keto", "fasting", "other"])


def _log_levels(y: Array) -> Array:
    """The log density in each of six categories."""
    return stats.gamma.logpdf(y[:, None], _SHAPE, scale=_SCALE)


def _region_and_income(generator: np.random.Generator, n: int) -> Array:
    region = generator.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    income = np.exp(generator.normal(0, 0.6, n) + 0.2 * region)
    return np.stack([region, income, generator.normal(size=n)], 1)


def _region(x: Array) -> Array:
    region, size = x[:, 0].astype(int), np.log(x[:, 1])
    return np.choose(region, [size, 1.5 + 0 * size, -1.2 * size - 1, size**2 - 1])


def _clayton(u: Array, v: Array, strength: float) -> Array:
    """The log density of Clayton's copula."""
    a, b = -strength * np.log(u), -strength * np.log(v)
    largest = np.maximum(a, b)  # the sum u^-t + v^-t - 1 may overflow
    total = largest + np.log(np.exp(a - largest) + np.exp(b - largest) - np.exp(-largest))
    return np.log1p(strength) + (1 + 1 / strength) * (a + b) - (2 + 1 / strength) * total


_STRENGTH = 3.0
_LOSS, _CLAIM = stats.lognorm(0.8), stats.gamma(1.5, scale=2.0)


def _claims(generator: np.random.Generator, x: Array) -> Array:
    u, w = _LOSS.cdf(x[:, 0]), generator.uniform(size=len(x))
    v = (1 + u**-_STRENGTH * (w ** (-_STRENGTH / (1 + _STRENGTH)) - 1)) ** (-1 / _STRENGTH)
    return _CLAIM.ppf(v)


# weight, mean of x and y, deviation of x and y, correlation
_PARTS = np.array([[0.6, 0, 0, 1.5, 1.0, 0.93], [0.25, 0.5, 0.3, 0.8, 1.6, -0.9], [0.15, -2.0, 2.0, 0.5, 0.5, 0.0]]).T


def _parts(generator: np.random.Generator, n: int) -> Array:
    k = generator.choice(3, n, p=_PARTS[0])
    return generator.normal(_PARTS[1, k], _PARTS[3, k])[:, None]


def _part_given(x: Array) -> tuple[Array, Array, Array]:
    """The log-probability of each part given x, and the mean and the deviation of y in it."""
    share, mean_x, mean_y, sd_x, sd_y, rho = _PARTS
    return (
        log_softmax(np.log(share) + stats.norm.logpdf(x, mean_x, sd_x), 1),
        mean_y + rho * sd_y / sd_x * (x - mean_x),
        sd_y * np.sqrt(1 - rho**2) + 0 * x,
    )


def _part_values(generator: np.random.Generator, x: Array) -> Array:
    log_p, mean, deviation = _part_given(x)
    k = (log_p + generator.gumbel(size=log_p.shape)).argmax(1)
    row = np.arange(len(x))
    return mean[row, k] + deviation[row, k] * generator.normal(size=len(x))


def _part_density(y: Array, x: Array) -> Array:
    log_p, mean, deviation = _part_given(x)
    return logsumexp(log_p + stats.norm.logpdf(y[:, None], mean, deviation), 1)


THIRD: dict[str, Relation] = {
    "heating below 15 degrees": _curve(
        _table(_around(11, 7), lambda g, n: np.exp(g.normal(4.4, 0.35, n)), idle=2), _heating, _NORMAL, 2.0
    ),
    "exponential decay, t3": _curve(
        _table(_between(0, 10), idle=1), lambda x: 10 * np.exp(-0.4 * x[:, 0]) + 0.5, _T3, 0.4
    ),
    "logistic growth, spread by mean": _curve(
        _table(_between(0, 12), _around(), idle=1), _logistic_growth, _NORMAL, lambda x: 0.4 + 0.1 * _logistic_growth(x)
    ),
    "Gompertz curve, Gumbel": _curve(_table(_between(0, 20), _around(0, 0.5)), _gompertz, _GUMBEL, 0.3),
    "damped oscillation, Laplace": _curve(
        _table(_between(0, 10), idle=2), lambda x: np.exp(-0.2 * x[:, 0]) * np.cos(2.5 * x[:, 0]), _LAPLACE, 0.08
    ),
    "treatment reverses the slope, 12 idle": _curve(
        _table(lambda g, n: (g.uniform(size=n) < 0.4).astype(float), _around(50, 12), idle=12),
        _treatment, _MIXTURE, 0.25,
    ),
    "minimum plus maximum, delays": _curve(
        _table(*[_around()] * 4, idle=2), lambda x: x[:, :2].min(1) + x[:, 2:4].max(1), _DELAY, 0.2
    ),
    "response surface, t3": _curve(_table(*[_between(-1, 1)] * 2, idle=4), _surface, _T3, 0.25),
    "log of a distance in three, two normals": _curve(
        _table(*[_around()] * 3, idle=5), lambda x: np.log(0.2 + (x[:, :3] ** 2).sum(1)), _MIXTURE, 0.25
    ),
    "body mass index, Gumbel": _curve(_weight_and_height, lambda x: x[:, 0] / x[:, 1] ** 2, _GUMBEL, 1.0),
    "month and trend": _curve(
        _table(_integer(1, 12), _between(0, 10), idle=1),
        lambda x: 3 * np.cos(2 * np.pi * (x[:, 0] - 7) / 12) + 0.25 * x[:, 1], _NORMAL, 0.9,
    ),
    "rush hours on working days, gamma": _curve(_table(_integer(0, 23), _integer(0, 6)), _traffic, _GAMMA, 0.25),
    "six unlike terms": _curve(_table(*[_around()] * 6, idle=2), _six_terms, _LAPLACE, 0.5),
    "single index of ten": _curve(_table(*[_around()] * 10, idle=3), _single_index, _NORMAL, 0.4),
    "label: probit of three": _label(_table(*[_around()] * 3, idle=3), _probit),
    "label: five normals of unlike covariance": _label(_five_normals, _class_weights),
    "label: four grades, 6 idle": _label(_table(_around(), _around(), idle=6), _grades),
    "label: one in thirty": _label(_table(*[_around()] * 3, idle=2), _rare),
    "label: sectors of an annulus": _label(_annulus, _sectors),
    "count: visits, many of none": _count(_table(_around(50, 15), _around(), idle=2), _visits, 200),
    "count: correct of twelve, guesses": _count(_table(_around(), _around(), idle=2), _guessed, 12),
    "count: hurdle": _count(_table(*[_around()] * 3, idle=1), _hurdle, 200),
    "count: Conway-Maxwell": _count(_table(_around(), _around(), idle=1), _conway, 250),
    "two outcomes of a latent": Exact(
        _measured, _outcomes, _log_outcomes,
        log_marginal=lambda y: logsumexp(_LATENT_WEIGHT + _log_y_of_latent(y), 1),
        given=lambda x: x[:, :3],
        chunks=10,
    ),
    "rotation of three exponentials": Exact(
        _exponential,
        lambda generator, x: x @ _ROTATION.T + 0.5 * generator.normal(size=x.shape),
        lambda y, x: stats.norm.logpdf(y, x @ _ROTATION.T, 0.5).sum(1),
        log_marginal=lambda y: stats.exponnorm.logpdf(y @ _ROTATION, 2.0, 0, 0.5).sum(1),
    ),
    "one of two outcomes": Exact(
        _table(_between(0, 60), idle=2),
        _two_columns,
        lambda y, x: stats.norm.logpdf(y[:, 0], _one_outcome(x), 0.35) + stats.t.logpdf(y[:, 1], 3, 0, 2),
        log_marginal=lambda y: (
            logsumexp(stats.norm.logpdf(y[:, :1], np.array([-1, 0, 1]), 0.35), 1) - np.log(3)
            + stats.t.logpdf(y[:, 1], 3, 0, 2)
        ),
    ),
    "six diets": Exact(
        lambda generator, n: generator.choice(6, (n, 1), p=_SHARE),
        lambda generator, x: generator.gamma(_SHAPE[x[:, 0]], _SCALE[x[:, 0]]),
        lambda y, x: _log_levels(y)[np.arange(len(y)), x[:, 0]],
        log_marginal=lambda y: logsumexp(np.log(_SHARE) + _log_levels(y), 1),
        given=lambda x: _DIETS[x],
    ),
    "curves of four regions": _curve(_region_and_income, _region, _LAPLACE, 0.3),
    "Clayton, skewed margins": Exact(
        lambda generator, n: _LOSS.ppf(generator.uniform(size=(n, 1))),
        _claims,
        lambda y, x: _clayton(_LOSS.cdf(x[:, 0]), _CLAIM.cdf(y), _STRENGTH) + _CLAIM.logpdf(y),
        log_marginal=_CLAIM.logpdf,
    ),
    "two normals crossing, and a cluster": Exact(
        _parts, _part_values, _part_density,
        log_marginal=lambda y: logsumexp(np.log(_PARTS[0]) + stats.norm.logpdf(y[:, None], _PARTS[2], _PARTS[4]), 1),
    ),
}  # fmt: skip
