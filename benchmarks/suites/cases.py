"""Scenarios of other packages' test suites with an exactly known mutual information, in own code.

`CASES` lists them: which package's suite has such a scenario, what it is, samples, sampler and truth in nats. Truths
are closed forms, sums over tables, or integrals by quadrature. At most 2,000 samples are drawn where a suite has more.
Left out are conditional information, fewer than 50 samples, more than four columns a side, binned values, and scenarios
whose information is not known exactly.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[Any]
Draw = Callable[[np.random.Generator, int], tuple[Array, Array]]
MOST = 2_000  # samples of a case


@dataclass(frozen=True)
class Case:
    """A scenario.

    Attributes:
        package: whose test suite has it.
        scenario: what is drawn; unique within a package and number of samples.
        n: samples.
        draw: (generator, n) to x and y.
        truth: I(X;Y) in nats.
    """

    package: str
    scenario: str
    n: int
    draw: Draw
    truth: float

    @property
    def name(self) -> str:
        """Unique."""
        return f"{self.package}: {self.scenario}, {self.n:,}"

    def sample(self, seed: int) -> tuple[Array, Array]:
        """Both variables."""
        return self.draw(np.random.default_rng([seed, zlib.crc32(self.name.encode())]), self.n)


# Information of densities and tables


def normal_nats(correlation: float) -> float:
    """Of two normal columns: -ln(1 - r²)/2."""
    return -math.log1p(-(correlation**2)) / 2


def covariance_nats(covariance: Array, columns: int) -> float:
    """Of the first columns and the others, jointly normal: ln(det X det Y / det XY)/2."""
    x, y = covariance[:columns, :columns], covariance[columns:, columns:]
    return float(np.linalg.slogdet(x)[1] + np.linalg.slogdet(y)[1] - np.linalg.slogdet(covariance)[1]) / 2


def table_nats(table: Array) -> float:
    """Of a joint distribution in rows and columns."""
    table = np.asarray(table, float) / np.sum(table)
    independent = table.sum(1, keepdims=True) * table.sum(0, keepdims=True)
    return float(special.rel_entr(table, independent).sum())


def entropy_nats(probabilities: Array) -> float:
    """Of a label that the other variable determines."""
    return float(stats.entropy(probabilities))


def binary_nats(probability: Array, weights: Array) -> float:
    """Of a binary label and a variable on a grid of these weights, given the probability of the label at each point."""
    both = np.stack([probability * weights, (1 - probability) * weights])
    return table_nats(both)


def unit_grid(points: int = 400) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights on (0, 1)."""
    points_, weights = np.polynomial.legendre.leggauss(points)
    return (points_ + 1) / 2, weights / 2


# Samplers that several suites share


def normal_pair(correlation: float, x_scale: float = 1.0, y_scale: float = 1.0) -> Draw:
    """Two normal columns."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x, noise = rng.normal(size=(2, n))
        return x_scale * x, y_scale * (correlation * x + math.sqrt(1 - correlation**2) * noise)

    return draw


def normal_columns(covariance: Array, columns: int) -> Draw:
    """Jointly normal columns, of which the first are x."""
    root = np.linalg.cholesky(covariance)

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        rows = rng.normal(size=(n, len(root))) @ root.T
        return rows[:, :columns], rows[:, columns:]

    return draw


def from_table(table: Array) -> Draw:
    """Two whole numbers with this joint distribution."""
    table = np.asarray(table, float) / np.sum(table)

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        return np.divmod(rng.choice(table.size, n, p=table.ravel()), table.shape[1])

    return draw


def shifted_uniforms(probabilities: list[float], starts: list[float], lengths: list[float]) -> Draw:
    """A number uniform on the interval of a class, and the class."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        y = rng.choice(len(starts), n, p=probabilities)
        return np.take(starts, y) + np.take(lengths, y) * rng.random(n), y

    return draw


def shifted_uniforms_nats(probabilities: list[float], starts: list[float], lengths: list[float]) -> float:
    """Exact: densities are constant between the ends of intervals."""
    ends = np.unique(np.concatenate([starts, np.add(starts, lengths)]).round(12))
    middle, width = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    inside = (middle > np.array(starts)[:, None]) & (middle < np.add(starts, lengths)[:, None])
    return table_nats(inside / np.array(lengths)[:, None] * np.array(probabilities)[:, None] * width)


# ennemi


def exponential_sum(first: float, second: float) -> Draw:
    """X exponential and Y = X + W, W exponential of another rate."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x = rng.exponential(1 / first, n)
        return x, x + rng.exponential(1 / second, n)

    return draw


def exponential_sum_nats(first: float, second: float) -> float:
    """The entropy of the sum less that of the second variable, in closed form."""
    ratio = (second - first) / first
    return float(np.euler_gamma + math.log(ratio) + special.digamma(second / (second - first)))


def gamma_exponential(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """X gamma of shape 3.4, and Y exponential with a mean that is proportional to X."""
    x = rng.gamma(3.4, 1 / 1.2, n)
    return x, rng.exponential(0.56 * x)


def log_gamma_exponential(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """The same in logarithms."""
    x, y = gamma_exponential(rng, n)
    return np.log(x), np.log(y)


def gamma_exponential_nats(shape: float) -> float:
    """By quadrature: the entropy of ln X + ln E, E exponential, less that of ln E.

    The closed form that ennemi's test has, digamma(a) - ln a + 1/a, is of an exponential Y of rate X, that is of
    ln E - ln X: 0.140 instead of 0.128 nats.
    """
    values, step = np.linspace(-40, 40, 8_001, retstep=True)
    gamma = np.exp(shape * values - np.exp(values) - special.gammaln(shape))
    exponential = np.exp(values - np.exp(values))
    both = np.convolve(gamma, exponential) * step
    return float((special.entr(both).sum() - special.entr(exponential).sum()) * step)


def independent_uniform(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Two uniform columns."""
    x, y = rng.random((2, n))
    return x, y


def independent_exponents(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A uniform column, and e to the power of another."""
    x, y = rng.random((2, n))
    return 10 * x, np.exp(y)


def normal_and_classes(classes: int) -> Draw:
    """A normal column and an independent label."""
    return lambda rng, n: (rng.normal(size=n), rng.integers(classes, size=n))


def sign_of_normal(noise: float) -> Draw:
    """A normal column plus noise, and the sign of the column."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x = rng.normal(size=n)
        return x + noise * rng.normal(size=n), np.sign(x)

    return draw


def sign_of_normal_nats(noise: float) -> float:
    """By quadrature over the sum, in units of its standard deviation: X given the sum is normal."""
    points, weights = np.polynomial.hermite_e.hermegauss(200)
    return binary_nats(stats.norm.cdf(points / noise), weights)


def gamma_levels(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """X gamma of shape 1.5; X plus normal noise, and which of three levels X has."""
    x = rng.gamma(1.5, size=n)
    return x + rng.normal(size=n), np.select([x < 0.5, x > 2], [1e-4, 4.0], 0.0)


def gamma_levels_nats() -> float:
    """By quadrature: over x within each level, by its square root, and over the sum on a grid."""
    w = np.linspace(-8, 50, 1_161)
    points, weights = unit_grid()
    rows = []
    for low, high in ((0, 0.5), (0.5, 2), (2, 40)):
        root = math.sqrt(low) + (math.sqrt(high) - math.sqrt(low)) * points
        mass = weights * (math.sqrt(high) - math.sqrt(low)) * 2 * root * stats.gamma.pdf(root**2, 1.5)
        rows.append(stats.norm.pdf(w[:, None] - root**2) @ mass)
    return table_nats(np.array(rows))


def normal_mixture(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """One of two normal distributions of two columns, equally often."""
    x, noise = rng.normal(size=(2, n))
    first = rng.random(n) < 0.5
    r = np.where(first, 0.6, -0.4)
    return x + np.where(first, -1, 2), r * x + np.sqrt(1 - r * r) * noise + np.where(first, -1, 0.5)


def normal_mixture_nats() -> float:
    """By quadrature on a grid."""
    x, y = np.linspace(-9, 10, 951), np.linspace(-9, 9, 901)
    both = np.zeros((len(x), len(y)))
    for r, mean_x, mean_y in ((0.6, -1, -1), (-0.4, 2, 0.5)):
        given = stats.norm.pdf(y, mean_y + r * (x[:, None] - mean_x), math.sqrt(1 - r * r))
        both += stats.norm.pdf(x, mean_x)[:, None] * given
    return table_nats(both)


def censored_normal(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Normal columns with correlation 0.6; the first has mean 1, and 0 stands for its negative values."""
    x, y = normal_pair(0.6)(rng, n)
    return np.maximum(x + 1, 0), y


def censored_normal_nats() -> float:
    """By quadrature: of positive values on a grid, and the atom at 0."""
    y, step = np.linspace(-9, 9, 901, retstep=True)
    points, weights = unit_grid()
    x, s = 10 * points, math.sqrt(1 - 0.6**2)
    density = stats.norm.pdf(x, 1)[:, None] * stats.norm.pdf(y, 0.6 * (x[:, None] - 1), s)
    positive = density * 10 * weights[:, None] * step
    atom = stats.norm.pdf(y) * stats.norm.cdf((-1 - 0.6 * y) / s) * step
    return table_nats(np.vstack([positive, atom]))


def three_normals(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A number from one of three normal distributions, and which one."""
    y = rng.choice(3, n, p=np.array(WAVES) / sum(WAVES))
    return rng.normal(np.take([0.4, 0.5, 0.8], y), np.take([0.2, 0.3, 0.25], y)), y


def three_normals_nats() -> float:
    """By quadrature on a grid."""
    x = np.linspace(-3, 4, 7_001)
    parts = zip(WAVES, (0.4, 0.5, 0.8), (0.2, 0.3, 0.25), strict=True)
    return table_nats(np.array([weight * stats.norm.pdf(x, mean, scale) for weight, mean, scale in parts]))


WAVES = [0.2, 1.0, 0.5]


def ennemi() -> list[Case]:
    """Of its tests of estimators and its integration tests."""
    sizes = ((0.0, 200), (0.0, 2000), (0.5, 200), (0.5, 2000), (-0.9, 200), (-0.9, 2000))
    found = [Case("ennemi", f"normal pair, {r}", n, normal_pair(r), normal_nats(r)) for r, n in sizes]
    found += [
        Case("ennemi", f"sum of exponentials {a:g}, {b:g}", 1000, exponential_sum(a, b), exponential_sum_nats(a, b))
        for a, b in ((1, 2), (0.2, 0.3), (3, 3.1))
    ]
    found += [
        Case("ennemi", f"normal and {k} independent classes", n, normal_and_classes(k), 0.0)
        for k, n in ((2, 200), (2, 400), (2, 800), (4, 2000))
    ]
    third, waves = [1 / 3] * 3, [p / sum(WAVES) for p in WAVES]
    uniforms = (
        ("two disjoint uniforms", 800, [0.5, 0.5], [0, 2], [1, 1]),
        ("three disjoint uniforms", 800, third, [0, 2, 5], [1, 1, 1]),
        ("two overlapping uniforms", 2000, [1 / 3, 2 / 3], [0, 0.7], [1, 1]),
        ("three square waves", MOST, waves, [0, 0.1, 0.2], [1, 1.1, 1.1]),
    )
    found += [
        Case("ennemi", name, n, shifted_uniforms(p, starts, lengths), shifted_uniforms_nats(p, starts, lengths))
        for name, n, p, starts, lengths in uniforms
    ]
    shared = gamma_exponential_nats(3.4)
    return [
        *found,
        Case("ennemi", "independent uniforms", 1024, independent_uniform, 0.0),
        Case("ennemi", "uniform and independent exponent", 1024, independent_exponents, 0.0),
        Case("ennemi", "gamma and exponential", 1000, gamma_exponential, shared),
        Case("ennemi", "gamma and exponential, logarithms", 1000, log_gamma_exponential, shared),
        Case("ennemi", "normal and its sign", 800, sign_of_normal(0), math.log(2)),
        Case("ennemi", "normal with noise and its sign", 1500, sign_of_normal(0.3), sign_of_normal_nats(0.3)),
        Case("ennemi", "noisy gamma and its level", 2000, gamma_levels, gamma_levels_nats()),
        Case("ennemi", "mixture of two normals", 200, normal_mixture, normal_mixture_nats()),
        Case("ennemi", "mixture of two normals", MOST, normal_mixture, normal_mixture_nats()),
        Case("ennemi", "censored normal", MOST, censored_normal, censored_normal_nats()),
        Case("ennemi", "three normal classes", MOST, three_normals, three_normals_nats()),
    ]


# scikit-learn


def class_of_two(probability: float) -> list[Any]:
    """Arguments of uniform numbers on (-1, 1) or, with this probability, (0, 2)."""
    return [[1 - probability, probability], [-1, 0], [2, 2]]


def threshold_feature(which: int) -> Draw:
    """A label, half of a uniform number plus another above 1/2, and: the first number, the first with noise, or whether
    the second is above 1/2.
    """

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        first, noise, second = rng.random((3, n))
        features = first, first + noise, (second > 0.5).astype(int)
        return features[which], (0.5 * first + second > 0.5).astype(int)

    return draw


def threshold_nats(which: int) -> float:
    """By quadrature: the label has probability (1 + u)/2 given the first number u, and (1 + s/2)/2 given the sum s."""
    if which == 2:
        return table_nats(np.array([[1, 1], [0, 2]]))
    points, weights = unit_grid()
    if which == 0:
        return binary_nats((1 + points) / 2, weights)
    s = np.concatenate([points, 1 + points])
    return binary_nats((1 + s / 2) / 2, np.concatenate([weights * points, weights * (1 - points)]))


def scikit_learn() -> list[Case]:
    """Of its tests of feature selection."""
    name = "scikit-learn"
    found = [Case(name, "normal pair, 0.5, scales 1 and 10", 1000, normal_pair(0.5, 1, 10), normal_nats(0.5))]
    for p, n in ((0.3, 1000), (0.5, 1000), (0.7, 1000), (0.5, 100)):
        arguments = class_of_two(p)
        truth = shifted_uniforms_nats(*arguments)
        found.append(Case(name, f"overlapping uniforms, class of {p}", n, shifted_uniforms(*arguments), truth))
    mixing = np.array([[1, 0.5, 2, 1], [0, 1, 0.1, 0], [0, 0.1, 1, 0.1], [0, 0.1, 0.1, 1]])
    covariance = mixing @ mixing.T
    for feature in (1, 2, 3):
        pair = covariance[np.ix_([feature, 0], [feature, 0])]
        draw = normal_columns(pair, 1)
        found.append(Case(name, f"feature {feature} of mixed normals", 1000, draw, covariance_nats(pair, 1)))
    features = "uniform of a threshold", "noisy uniform of a threshold", "binary feature of a threshold"
    return found + [
        Case(name, feature, 1000, threshold_feature(which), threshold_nats(which))
        for which, feature in enumerate(features)
    ]


# NPEET

PAIR = np.array([[4.0, 3.0], [3.0, 4.0]])  # of its three normals, the first two


def digits(kind: str) -> Draw:
    """Ten digits, and: an independent one of five, their squares, or their squares plus another digit."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x, other = rng.integers(10, size=(2, n))
        return x, {"five": 53 + other % 5, "squares": x**2, "noisy squares": x**2 + other}[kind]

    return draw


def noisy_squares_nats() -> float:
    """By counting."""
    table = np.zeros((10, 91))
    for x in range(10):
        table[x, x**2 : x**2 + 10] = 1
    return table_nats(table)


def npeet() -> list[Case]:
    """Of its test script."""
    normal = normal_columns(PAIR, 1)
    return [
        *(Case("NPEET", "two of three normals", n, normal, covariance_nats(PAIR, 1)) for n in (100, 200)),
        Case("NPEET", "independent normals", 200, normal_pair(0, 2, 2), 0.0),
        Case("NPEET", "digit and independent label", 1000, digits("five"), 0.0),
        Case("NPEET", "digit and its square", 1000, digits("squares"), math.log(10)),
        Case("NPEET", "digit and its square plus a digit", 1000, digits("noisy squares"), noisy_squares_nats()),
    ]


# knncmi

SIGNS = np.array([[0.4, 0.1], [0.1, 0.4]])
COUNTS = np.arange(200)


def signs(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Two signs that agree in eight of ten samples."""
    x, y = from_table(SIGNS)(rng, n)
    return 2 * x - 1, 2 * y - 1


def normals_or_signs(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Half of the samples signs, half normal with correlation 0.8."""
    (x, y), (first, second) = normal_pair(0.8)(rng, n), signs(rng, n)
    as_sign = rng.random(n) < 0.5
    return np.where(as_sign, first, x), np.where(as_sign, second, y)


def whole_and_uniform(values: int, length: float) -> Draw:
    """A whole number, and a number uniform on an interval that starts there."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        y, x = shifted_uniforms([1 / values] * values, [*range(values)], [length] * values)(rng, n)
        return x, y

    return draw


def whole_and_uniform_nats(values: int) -> float:
    """Of intervals of length 2: ln m - (m - 1) ln 2 / m."""
    return math.log(values) - (values - 1) * math.log(2) / values


def whole_and_independent(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """One of three whole numbers, and a uniform column."""
    return rng.integers(3, size=n), rng.uniform(0, 3, n)


def independent_counts(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A binomial and a Poisson count."""
    return rng.binomial(3, 0.2, n), rng.poisson(2, n)


def counts_of_one(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A binomial and a Poisson count of the same whole number, 1 to 10."""
    common = rng.integers(1, 11, size=n)
    return rng.binomial(common, 0.5), rng.poisson(common)


def counts_of_one_nats() -> float:
    """By the table of both counts."""
    common = np.arange(1, 11)
    binomial = stats.binom.pmf(np.arange(11)[:, None], common, 0.5)
    return table_nats(binomial @ stats.poisson.pmf(COUNTS, common[:, None]))


def rate_and_count(mean: float, zeros: float = 0.0) -> Draw:
    """An exponential rate, and a Poisson count of this rate that is 0 instead in a share of the samples."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        rate = rng.exponential(mean, n)
        return rate, np.where(rng.random(n) < zeros, 0, rng.poisson(rate))

    return draw


def rate_and_count_nats(mean: float, zeros: float = 0.0) -> float:
    """By quadrature over the square root of the rate, and the sum over counts."""
    points, weights = unit_grid()
    longest = math.sqrt(40 * mean)
    rate = (longest * points) ** 2
    mass = weights * 2 * longest**2 * points * stats.expon.pdf(rate, scale=mean)
    counts = (1 - zeros) * stats.poisson.pmf(np.arange(round(80 * mean) + 100), rate[:, None])
    counts[:, 0] += zeros
    return table_nats(counts * mass[:, None])


def knncmi() -> list[Case]:
    """Of its simulations, without the variable that they condition on."""
    name, agree = "knncmi", table_nats(SIGNS)
    common = np.linalg.inv([[1, 0, 0.5], [0, 1, 0.5], [0.5, 0.5, 1]])[:2, :2]
    both = math.log(2) + (normal_nats(0.8) + agree) / 2  # each value tells which half its sample belongs to
    return [
        Case(name, "normal pair, 0.8", 1000, normal_pair(0.8), normal_nats(0.8)),
        Case(name, "normals with a common cause", 500, normal_columns(common, 1), covariance_nats(common, 1)),
        Case(name, "signs that often agree", 100, signs, agree),
        Case(name, "signs that often agree", 1000, signs, agree),
        Case(name, "independent counts", 500, independent_counts, 0.0),
        Case(name, "counts of the same number", 1000, counts_of_one, counts_of_one_nats()),
        Case(name, "normals or signs", 1000, normals_or_signs, both),
        Case(name, "whole number and uniform from there, 3", 1000, whole_and_uniform(3, 2), whole_and_uniform_nats(3)),
        Case(name, "whole number and independent uniform", 1000, whole_and_independent, 0.0),
        Case(name, "exponential rate and count", 1000, rate_and_count(10), rate_and_count_nats(10)),
    ]


# IDTxl


def autoregression_covariance(first: float, second: float) -> Array:
    """Of two past values and the present one, by the equations of Yule and Walker, up to a factor."""
    one = first / (1 - second)
    two = first * one + second
    return np.array([[1, one, two], [one, 1, one], [two, one, 1]])


def coins(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Two independent coins."""
    x, y = rng.integers(2, size=(2, n))
    return x, y


def idtxl() -> list[Case]:
    """Of its tests of estimators; samples of series are drawn independently."""
    name, r = "IDTxl", 0.4 / math.hypot(0.4, 0.6)
    past = autoregression_covariance(0.95 * math.sqrt(2), -0.9025)
    memory = np.array([[0.15, 0.85], [0.85, 0.15]])
    return [
        Case(name, "normal and noise, 0.4 and 0.6", MOST, normal_pair(r, 1, 0.72), normal_nats(r)),
        Case(name, "independent normals", MOST, normal_pair(0), 0.0),
        Case(name, "two past values of an autoregression", MOST, normal_columns(past, 2), covariance_nats(past, 2)),
        Case(name, "two past values of white noise", MOST, normal_columns(np.eye(3), 2), 0.0),
        Case(name, "coin with memory", MOST, from_table(memory), table_nats(memory)),
        Case(name, "independent coins", MOST, coins, 0.0),
    ]


# JIDT


def two_normal_classes(distance: float) -> Draw:
    """A normal column whose mean depends on a coin, and the coin."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        y = rng.integers(2, size=n)
        return rng.normal(size=n) + distance * y, y

    return draw


def two_normal_classes_nats(distance: float) -> float:
    """By quadrature on a grid."""
    x = np.linspace(-10, 10 + distance, 10_001)
    return table_nats(np.array([stats.norm.pdf(x), stats.norm.pdf(x, distance)]))


def normals_and_coin(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Two normal columns and a coin, independent."""
    return rng.normal(size=(n, 2)), rng.integers(2, size=n)


def jidt() -> list[Case]:
    """Of its unit tests; tables are sampled at random instead of repeated."""
    both, exclusive = np.array([[2, 0], [1, 1]]), np.array([[1, 0], [0, 1], [0, 1], [1, 0]])
    tables = ("copied coin", np.eye(2)), ("AND and an input", both), ("XOR and both inputs", exclusive)
    classes = (2, MOST), (4, 1000), (8, MOST)
    return [
        *(
            Case("JIDT", f"two normal classes, distance {d}", n, two_normal_classes(d), two_normal_classes_nats(d))
            for d, n in classes
        ),
        Case("JIDT", "independent normals, 2 + 2 columns", 100, normal_columns(np.eye(4), 2), 0.0),
        Case("JIDT", "two normals and independent coin", 100, normals_and_coin, 0.0),
        *(Case("JIDT", name, 400, from_table(table), table_nats(table)) for name, table in tables),
        Case("JIDT", "XOR and an input", 400, coins, 0.0),
    ]


# infomeasure, torch-mist, tigramite


def normal_pairs() -> list[Case]:
    """Correlated normals of three suites."""
    of = [("infomeasure", r, 1000, math.sqrt(10)) for r in (0.1, 0.3, 0.6)]
    of += [("torch-mist", 0.9, MOST, 1.0), ("tigramite", 0.3, 1000, 1.0), ("tigramite", 0.9, 1000, 1.0)]
    return [
        Case(name, f"normal pair, {r}", n, normal_pair(r, scale, scale), normal_nats(r)) for name, r, n, scale in of
    ]


# bmi


def random_covariance(size: int) -> Array:
    """A product of normal numbers with a little added."""
    root = np.random.default_rng(0).normal(size=(size, size))
    return root @ root.T + 0.01 * np.eye(size)


def noisy_parabola(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A normal number and its square, both with noise of 0.1."""
    u, first, second = rng.normal(size=(3, n))
    return u + 0.1 * first, u**2 + 0.1 * second


def noisy_parabola_nats() -> float:
    """By quadrature: the joint density on a grid, from a grid of the number without noise."""
    u, x, y = np.arange(-5.5, 5.5, 0.0125), np.arange(-6, 6, 0.05), np.arange(-1, 31.5, 0.05)
    given_y = stats.norm.pdf(y, u[:, None] ** 2, 0.1)
    return table_nats((stats.norm.pdf(x[:, None], u, 0.1) * stats.norm.pdf(u)) @ given_y)


def uniform_noise(width: float) -> Draw:
    """X uniform on (0, 1) and Y = X + U(-e, e)."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x = rng.random(n)
        return x, x + rng.uniform(-width, width, n)

    return draw


def uniform_noise_nats(width: float) -> float:
    """Closed form: e - ln 2e up to 1/2, 1/(4e) from there."""
    return width - math.log(2 * width) if width <= 0.5 else 1 / (4 * width)


def several_wholes(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Whole numbers below 4 and 5 in two columns, and numbers uniform on intervals of length 2 that start there."""
    x = rng.integers((4, 5), size=(n, 2))
    return x, x + rng.uniform(0, 2, (n, 2))


def student(correlation: float, freedom: int) -> Draw:
    """Two columns of a Student distribution."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        scale = np.sqrt(rng.chisquare(freedom, n) / freedom)
        x, y = normal_pair(correlation)(rng, n)
        return x / scale, y / scale

    return draw


def student_nats(correlation: float, freedom: int) -> float:
    """That of normals, and twice the entropy of one standard column less that of two uncorrelated ones."""
    two = (freedom + 2) / 2 * (special.digamma((freedom + 2) / 2) - special.digamma(freedom / 2))
    two += math.log(2 * math.pi)  # ln(v pi) + ln gamma(v/2) - ln gamma(v/2 + 1)
    return normal_nats(correlation) + 2 * float(stats.t(freedom).entropy()) - float(two)


def bmi() -> list[Case]:
    """Of its tests of KSG and of samplers."""
    found = [Case("bmi", f"normal pair, {r}", 200, normal_pair(r), normal_nats(r)) for r in (0.0, 0.5, 0.8)]
    for y in (2, 3):
        covariance, columns = random_covariance(2 + y - 1), 1 if y == 2 else 2
        shape = f"normals, {columns} + 2 columns"
        found.append(Case("bmi", shape, 450, normal_columns(covariance, columns), covariance_nats(covariance, columns)))
    parabola = noisy_parabola_nats()
    found += [Case("bmi", "noisy parabola", n, noisy_parabola, parabola) for n in (100, 200)]
    found += [
        Case("bmi", f"uniform noise {e:g}", MOST, uniform_noise(e), uniform_noise_nats(e)) for e in (0.1, 0.5, 2.0, 5.0)
    ]
    found += [
        Case(
            "bmi", f"whole number and uniform from there, {m}", MOST, whole_and_uniform(m, 2), whole_and_uniform_nats(m)
        )
        for m in (3, 5)
    ]
    several = whole_and_uniform_nats(4) + whole_and_uniform_nats(5)
    found.append(Case("bmi", "two whole numbers and uniforms from there", MOST, several_wholes, several))
    found += [
        Case("bmi", f"rate and count, {zeros:g} zeros", MOST, rate_and_count(1, zeros), rate_and_count_nats(1, zeros))
        for zeros in (0.0, 0.15, 0.7)
    ]
    return found + [
        Case("bmi", f"Student pair, {r}, {v} degrees", MOST, student(r, v), student_nats(r, v))
        for r, v in ((0.3, 2), (0.8, 2), (0.3, 5), (0.8, 5), (0.8, 10))
    ]


# causal-learn


def chain(noise: str, steps: int) -> Draw:
    """A column, and the same plus half of each of `steps` others."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        columns = {"normal": rng.normal, "exponential": rng.exponential, "uniform": rng.uniform}[noise](
            size=(steps + 1, n)
        )
        return columns[0], columns[0] + 0.5 * columns[1:].sum(0)

    return draw


def exponential_chain_nats() -> float:
    """Of two steps: the entropy of the sum, with density 4 exp(-z) (1 - (1 + z) exp(-z)), less that of the noise."""
    z = np.linspace(0, 60, 600_001)
    density = 4 * np.exp(-z) * (1 - (1 + z) * np.exp(-z))
    return float(special.entr(density).sum() * (z[1] - z[0]) - stats.gamma(2, scale=0.5).entropy())


def causal_learn() -> list[Case]:
    """Of its tests of conditional independence, without a condition."""
    name = "causal-learn"
    truths = {
        ("normal", 1): normal_nats(1 / math.sqrt(1.25)),
        ("normal", 2): normal_nats(1 / math.sqrt(1.5)),
        ("exponential", 1): exponential_sum_nats(1, 2),
        ("exponential", 2): exponential_chain_nats(),
        ("uniform", 1): uniform_noise_nats(0.25),
    }
    found = [
        Case(name, f"{noise} and a sum, {steps} noise", 300, chain(noise, steps), nats)
        for (noise, steps), nats in truths.items()
    ]
    return [Case(name, "independent normals", 300, normal_pair(0), 0.0), *found]


CASES: list[Case] = [
    *ennemi(),
    *scikit_learn(),
    *npeet(),
    *knncmi(),
    *idtxl(),
    *jidt(),
    *normal_pairs(),
    *bmi(),
    *causal_learn(),
]
