"""A fourth set of relations: rates, fares, doses, clusters, censored times, shares, angles, and odd margins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from relations import Array, Relation
from scipy import stats
from scipy.special import expit, gammaln, i0e, ive, log_softmax, logsumexp
from third import Draw, _around, _between, _integer, _table

_CHUNK, _CHUNKS = 100_000, 10  # samples of the truth
_STATES, _NODES, _OTHERS = 2_000, 4_000, 20_000  # values of a summary: most that are counted, quantiles, drawn ones
_TAIL = np.geomspace(1e-6, 5e-3, 60)  # quantiles of y


def _same(values: Array) -> Array:
    return values


@dataclass(frozen=True)
class Summarized(Relation):
    """A relation in which y depends on x by a summary t of a few numbers, of which `y` and `log_density` are functions.

    `log_density` broadcasts y (...) and t (..., k), and may leave out a function of y alone. The density of y is its
    mean over all values of t with their frequencies, over quantiles of a single number, or over 20,000 values; an error
    of the frequencies changes the information in the second order only.

    Attributes:
        summary: of x (n, D), (n, k).
        log_marginal: of y, where it is known.
        given: what the estimator sees of x.
        shown: what the estimator sees of y, a function that loses nothing.
        kind: "number" (its log density is interpolated), "count" or "label"; of several columns "event" (a number and a
            code) or "vector".
    """

    summary: Callable[[Array], Array] = _same
    log_marginal: Callable[[Array], Array] | None = None
    given: Callable[[Array], Any] = _same
    shown: Callable[[Array], Array] = _same

    def draw(self, n: int, seed: int) -> tuple[Array, Array, Array]:
        """The columns of x, the summary, and y."""
        generator = np.random.default_rng(seed)
        x = self.x(generator, n)
        t = self.summary(x)
        return x, t, self.y(generator, t)

    def sample(self, n: int, seed: int) -> tuple[Any, Array]:
        """Both variables."""
        x, _, y = self.draw(n, 1000 + seed)
        return self.given(x), self.shown(y)

    def truth(self) -> tuple[float, float]:
        """The information in nats, with a standard error of some 0.001, and the standard deviation of the log-ratio.

        Of independent variables a stand-in of 0.2, as of 0.02 nats, because the deviation is 0.
        """
        drawn = [self.draw(_CHUNK, 10_000 + seed)[1:] for seed in range(_CHUNKS)]
        t, y = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        ratio = self.log_density(y, t) - (self.log_marginal(y) if self.log_marginal else self._marginal(y, t))
        return float(ratio.mean()), float(ratio.std()) or 0.2

    def _marginal(self, y: Array, t: Array) -> Array:
        """The log density of y by a mean over summaries."""
        if self.kind == "label":
            return (logsumexp(t, 0) - np.log(len(t)))[y.astype(int)]
        states, counts = np.unique(t[:_CHUNK], axis=0, return_counts=True)
        if len(states) > _STATES:
            every = len(t) // _NODES
            states = np.sort(t, 0)[every // 2 :: every] if t.shape[1] == 1 else t[:_OTHERS]
            counts = np.ones(len(states))
        log_weight = np.log(counts / counts.sum())

        def exact(values: Array) -> Array:
            parts = np.array_split(values, -(-len(values) * len(states) // 1_000_000))
            return np.concatenate([logsumexp(self.log_density(one[:, None], states) + log_weight, 1) for one in parts])

        if self.kind == "vector":
            return exact(y)
        if self.kind == "count":
            values, place = np.unique(y, return_inverse=True)
            return exact(values)[place]
        inner = np.linspace(0.005, 0.995, min(max(2_000_000 // len(states), 600), 4_000))
        quantiles = np.concatenate([[0, 1], _TAIL, inner, 1 - _TAIL])
        found, code = np.empty(len(y)), y[:, 1] if self.kind == "event" else np.zeros(len(y))
        for one in np.unique(code):
            number = y[code == one, 0] if self.kind == "event" else y
            grid = np.unique(np.quantile(number, quantiles))
            column = np.stack([grid, 0 * grid + one], 1) if self.kind == "event" else grid
            found[code == one] = np.interp(number, grid, exact(column))
        return found


class _Noise(NamedTuple):
    """A distribution, as those of SciPy."""

    rvs: Callable[..., Array]
    logpdf: Callable[[Array], Array]


_PEAKS = _Noise(  # near -1 or near 1
    lambda size, random_state: random_state.choice([-1.0, 1.0], size) + 0.35 * random_state.normal(size=size),
    lambda e: np.logaddexp(stats.norm.logpdf(e, -1, 0.35), stats.norm.logpdf(e, 1, 0.35)) - np.log(2),
)
_TIP = _Noise(  # the logarithm of one plus a share between 0 and 0.6
    lambda size, random_state: np.log1p(0.6 * random_state.beta(1.2, 3, size)),
    lambda e: stats.beta.logpdf(np.expm1(e) / 0.6, 1.2, 3) + e - np.log(0.6),
)
_NORMAL, _LAPLACE, _LOGISTIC = stats.norm(), stats.laplace(), stats.logistic()
_T4, _SKEWED, _LOG_GAMMA = stats.t(4), stats.skewnorm(6), stats.loggamma(4)


def _curve(x: Draw, f: Callable[[Array], Array], noise: Any, scale: Any, **others: Any) -> Summarized:
    """The sum f(x) + scale(x) e."""

    def size(t: Array) -> Any:
        return t[..., 1] if callable(scale) else scale

    return Summarized(
        x,
        lambda generator, t: t[:, 0] + size(t) * noise.rvs(size=len(t), random_state=generator),
        lambda y, t: noise.logpdf((y - t[..., 0]) / size(t)) - np.log(size(t)),
        summary=lambda x: np.stack([f(x), scale(x)] if callable(scale) else [f(x)], 1),
        **others,
    )


def _branches(x: Draw, share: Any, means: Callable[[Array], Array], deviation: Any, **others: Any) -> Summarized:
    """One of several normal distributions with means (..., branches) of the first column, whichever it is."""

    def draw(generator: np.random.Generator, t: Array) -> Array:
        k = generator.choice(len(share), len(t), p=share)
        return (means(t[..., :1]) + deviation * generator.normal(size=(len(t), 1)))[np.arange(len(t)), k]

    def log_density(y: Array, t: Array) -> Array:
        return logsumexp(np.log(share) + stats.norm.logpdf(y[..., None], means(t[..., :1]), deviation), -1)

    return Summarized(x, draw, log_density, **others)


def _label(x: Draw, log_weights: Callable[[Array], Array], **others: Any) -> Summarized:
    """A label whose probabilities are in proportion to exp(log_weights)."""
    return Summarized(
        x,
        lambda generator, t: (t + generator.gumbel(size=t.shape)).argmax(1).astype(float),
        lambda y, t: t[np.arange(len(t)), y.astype(int)],
        "label",
        lambda x: log_softmax(log_weights(x), 1),
        **others,
    )


def _plane(x: Draw, parameters: Callable[[Array], list[Array]], **others: Any) -> Summarized:
    """Two normal columns of y: x gives two means, two deviations and a correlation."""

    def draw(generator: np.random.Generator, t: Array) -> Array:
        e, other = generator.normal(size=(2, len(t)))
        return t[:, :2] + t[:, 2:4] * np.stack([e, t[:, 4] * e + np.sqrt(1 - t[:, 4] ** 2) * other], 1)

    def log_density(y: Array, t: Array) -> Array:
        (a, b), rho = np.moveaxis((y - t[..., :2]) / t[..., 2:4], -1, 0), t[..., 4]
        rest = 1 - rho**2
        return -(a**2 - 2 * rho * a * b + b**2) / (2 * rest) - np.log(t[..., 2] * t[..., 3] * np.sqrt(rest))

    return Summarized(x, draw, log_density, "vector", lambda x: np.stack(parameters(x), 1), **others)


def _copula(draw: Any, log_density: Any, x_margin: Any, y_margin: Any) -> Summarized:
    """A copula by v given u and its log density, under two margins."""
    return Summarized(
        lambda generator, n: generator.uniform(size=(n, 1)),
        lambda generator, t: draw(t[:, 0], generator.uniform(size=len(t))),
        lambda y, t: log_density(t[..., 0], y),
        log_marginal=np.zeros_like,
        given=x_margin.ppf,
        shown=y_margin.ppf,
    )


def _named(**columns: Any) -> Callable[[Array], pd.DataFrame]:
    """A table: a column for each list of words, or as it is."""
    return lambda x: pd.DataFrame(
        {
            name: x[:, j] if words is None else np.array(words)[x[:, j].astype(int)]
            for j, (name, words) in enumerate(columns.items())
        }
    )


def _arrhenius(x: Array) -> Array:
    energy, factor = np.array([[50.0, 65.0, 80.0], [19.0, 24.0, 31.5]])[:, x[:, 0].astype(int)]
    return factor - energy / (0.008314 * (x[:, 1] + 273.15))


def _four_alike(generator: np.random.Generator, n: int) -> Array:
    x = generator.normal(size=(n, 6))
    x[:, :4] = 0.7 * generator.normal(size=(n, 1)) + 0.51**0.5 * x[:, :4]
    return x


_DECILE = 1.1 * np.sqrt(np.arange(10))


def _age_and_decile(generator: np.random.Generator, n: int) -> Array:
    """The decile of the income is -1 where it is missing, which depends on the age."""
    age, decile = generator.integers(18, 81, n), generator.integers(0, 10, n)
    missing = generator.uniform(size=n) < expit((38 - age) / 6)
    return np.stack([age, np.where(missing, -1, decile), generator.normal(size=n)], 1).astype(float)


def _saved(generator: np.random.Generator, t: Array) -> Array:
    decile = np.where(t[:, 1] < 0, generator.integers(0, 10, len(t)), t[:, 1]).astype(int)
    return t[:, 0] + _DECILE[decile] + 0.4 * generator.normal(size=len(t))


def _saved_density(y: Array, t: Array) -> Array:
    known = stats.norm.logpdf(y - t[..., 0], _DECILE[t[..., 1].astype(int)], 0.4)
    mixed = logsumexp(stats.norm.logpdf((y - t[..., 0])[..., None], _DECILE, 0.4), -1) - np.log(10)
    return np.where(t[..., 1] < 0, mixed, known)


def _ratings(x: Array) -> Array:
    """Seven ordered levels of a latent value with Cauchy noise."""
    latent = (x[:, :1] - 45) / 15 + 0.8 * np.where(x[:, 2:3] > 0, x[:, 1:2] - 2, 0)
    edges = np.array([-np.inf, -2.5, -1.2, -0.4, 0.4, 1.2, 2.8, np.inf])
    return np.log(np.diff(stats.cauchy.cdf((edges - latent) / 0.3), axis=1))


def _sorting(x: Array) -> Array:
    """Three classes at the leaves of a tree on color, weight and day."""
    unripe = (x[:, 0] == 0) | ((x[:, 0] == 2) & (x[:, 2] < 10))
    leaf = np.where(unripe, np.where(x[:, 1] > 170, 1, 0), np.where(x[:, 1] < 120, 2, np.where(x[:, 2] > 24, 3, 4)))
    return np.log(np.array([[85, 10, 5], [35, 60, 5], [10, 15, 75], [5, 40, 55], [2, 90, 8]]) / 100)[leaf]


_CLUSTERS = np.random.default_rng(40).uniform(-5, 5, (20, 3))  # two of each of ten classes
_WIDTHS = np.random.default_rng(41).uniform(0.5, 1.1, 20)


def _in_clusters(generator: np.random.Generator, n: int) -> Array:
    k = generator.integers(0, 20, n)
    return _CLUSTERS[k] + _WIDTHS[k, None] * generator.laplace(size=(n, 3))


def _class_of_clusters(x: Array) -> Array:
    each = -abs(x[:, None] - _CLUSTERS).sum(2) / _WIDTHS - 3 * np.log(_WIDTHS)
    return np.logaddexp(each[:, :10], each[:, 10:])


def _binomial(y: Array, t: Array) -> Array:
    n, p, k = t[..., 0], t[..., 1], np.minimum(y, t[..., 0])
    choices = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.where(y <= n, choices + k * np.log(p) + (n - k) * np.log1p(-p), -np.inf)


def _goal_difference(y: Array, t: Array) -> Array:
    """Skellam's distribution."""
    home, away = t[..., 0], t[..., 1]
    middle = 2 * np.sqrt(home * away)
    return middle - home - away + y / 2 * np.log(home / away) + np.log(ive(abs(y), middle))


def _guests(generator: np.random.Generator, t: Array) -> Array:
    """Poisson counts above zero: the first arrival is in time, and the others follow it."""
    first = -np.log1p(generator.uniform(size=len(t)) * np.expm1(-t[:, 0]))
    return 1.0 + generator.poisson(t[:, 0] - first)


def _followed(generator: np.random.Generator, t: Array) -> Array:
    """Log-logistic times, ended at random by exponential dropout: the time, and 1 where it is complete."""
    time, end = np.exp(t[:, 0] + t[:, 1] * generator.logistic(size=len(t))), generator.exponential(4, len(t))
    return np.stack([np.minimum(time, end), time <= end], 1)


def _followed_density(y: Array, t: Array) -> Array:
    z = (np.log(y[..., 0]) - t[..., 0]) / t[..., 1]
    return np.where(y[..., 1] == 1, z - 2 * np.logaddexp(0, z) - np.log(t[..., 1]), -np.logaddexp(0, z))


def _wind(x: Array) -> Array:
    """The direction, its concentration, and the logarithm of the Bessel function of this."""
    strength = 4 * np.hypot(x[:, 0] + 0.5, x[:, 1])
    return np.stack([np.arctan2(x[:, 1], x[:, 0] + 0.5), strength, np.log(i0e(strength)) + strength], 1)


def _shares(generator: np.random.Generator, t: Array) -> Array:
    parts = generator.gamma(t)
    return parts / parts.sum(1, keepdims=True)


def _pressures(x: Array) -> list[Array]:
    decade, male = x[:, 0], x[:, 1]
    upper, lower = 105 + 6.5 * decade + 7 * male, 68 + 9 * decade - 1.3 * decade**2 + 4 * male
    return [upper, lower, 7 + 2 * decade, 7 + 0 * decade, 0.75 - 0.5 * male]


_ODDS, _FGM = 14.0, 0.8


def _plackett(u: Array, w: Array) -> Array:
    a, less = w * (1 - w), _ODDS - 1
    root = np.sqrt(_ODDS * (_ODDS + 4 * a * u * (1 - u) * less**2))
    return (2 * a * (u * _ODDS**2 + 1 - u) + _ODDS * (1 - 2 * a) - (1 - 2 * w) * root) / (2 * (_ODDS + a * less**2))


def _plackett_density(u: Array, v: Array) -> Array:
    less = _ODDS - 1
    inner = (1 + less * (u + v)) ** 2 - 4 * u * v * _ODDS * less
    return np.log(_ODDS) + np.log1p(less * (u + v - 2 * u * v)) - 1.5 * np.log(inner)


def _fgm(u: Array, w: Array) -> Array:
    a = 1 + _FGM * (1 - 2 * u)
    return 2 * w / (a + np.sqrt(a**2 - 4 * (a - 1) * w))


_TWO_RHO = np.array([0.95, -0.6])
_STATIONS = [f"{place} {side}" for place in "ABCDE" for side in ("north", "east", "south", "west", "hill")]
_LEVELS = np.random.default_rng(42).permutation(25) + np.random.default_rng(43).uniform(-0.3, 0.3, 25)

FOURTH: dict[str, Relation] = {
    "enzyme with an inhibitor, factor": _curve(
        _table(lambda g, n: np.exp(g.normal(1, 1, n)), lambda g, n: g.exponential(1.5, n), idle=2),
        lambda x: np.log(10 * x[:, 0] ** 2 / ((2 + 1.5 * x[:, 1]) ** 2 + x[:, 0] ** 2)), _NORMAL, 0.5, shown=np.exp,
    ),
    "strong: Arrhenius rate of three resins": _curve(
        _table(_integer(0, 2), _integer(10, 60), idle=1), _arrhenius, _NORMAL, 0.07, shown=np.exp,
        given=_named(resin=["epoxy", "phenolic", "polyester"], temperature=None, humidity=None),
    ),
    "dead zone of a sum, Laplace": _curve(
        _table(*[_around()] * 2, idle=4),
        lambda x: (total := x[:, 0] + 0.7 * x[:, 1]) - total.clip(-0.8, 0.8), _LAPLACE, 0.3,
    ),
    "ratio of sums, gamma factor": _curve(
        _table(*[lambda g, n: g.exponential(size=n)] * 4, idle=1),
        lambda x: np.log((x[:, 0] + x[:, 1]) / (x[:, 2] + x[:, 3])), _LOG_GAMMA, 1.0, shown=np.exp,
    ),
    "sawtooth of a sum": _curve(
        _table(*[_around()] * 2, idle=3), lambda x: np.mod(0.6 * (x[:, 0] + x[:, 1]), 1), _NORMAL, 0.15
    ),
    "egg crate, logistic": _curve(
        _table(*[_between(-2, 2)] * 2, idle=6), lambda x: np.sin(2 * x[:, 0]) * np.cos(2 * x[:, 1]), _LOGISTIC, 0.15
    ),
    "Mexican hat, skewed": _curve(
        _table(*[_around()] * 2, idle=2),
        lambda x: (1 - (square := (x[:, :2] ** 2).sum(1))) * np.exp(-square / 2), _SKEWED, 0.3,
    ),
    "threshold of a sum, two peaks": _curve(
        _table(*[_around()] * 4, idle=8), lambda x: 3 * (x[:, :3].sum(1) > 0.5) + 0.7 * x[:, 3], _PEAKS, 0.7
    ),
    "second largest of four alike, t4": _curve(_four_alike, lambda x: np.sort(x[:, :4], 1)[:, 2], _T4, 0.4),
    "pairs of five, unequal spread, 15 idle": _curve(
        _table(*[_around()] * 5, idle=15),
        lambda x: (x[:, :3] * x[:, 1:4]) @ np.array([1, 1, -0.8]) + 0.5 * x[:, 4] ** 2,
        _NORMAL, lambda x: 0.3 + 0.3 * abs(x[:, 0]),
    ),
    "taxi fare and tip": _curve(
        _table(lambda g, n: np.round(0.5 + g.exponential(6, n), 1), _integer(0, 23), idle=2),
        lambda x: np.log(
            (4 + 2 * x[:, 0].clip(max=10) + 1.2 * (x[:, 0] - 10).clip(0)) * (1 + 0.3 * (abs(x[:, 1] - 13.5) > 8))
        ),
        _TIP, 1.0, shown=np.exp,
    ),
    "weak: spread by age": _curve(
        _table(_integer(20, 80)), lambda x: 0 * x[:, 0], _LOGISTIC, lambda x: np.exp(0.012 * (x[:, 0] - 50))
    ),
    "strong: thermistor": _curve(
        _table(_between(-20, 100)), lambda x: expit(3900 * (1 / (x[:, 0] + 273.15) - 1 / 298.15)), _NORMAL, 0.01
    ),
    "strong: level at 25 stations": _curve(
        _table(_integer(0, 24)), lambda x: _LEVELS[x[:, 0].astype(int)], _NORMAL, 0.25, given=_named(station=_STATIONS)
    ),
    "three branches": _branches(
        _table(_between(-2, 2)), [0.4, 0.35, 0.25],
        lambda t: np.concatenate([t, t**2 - 1.5, 0 * t - 2.2], -1), 0.15,
    ),
    "two Gaussian copulas, lognormal and cubes": _branches(
        _table(_around()), [0.6, 0.4], lambda t: _TWO_RHO * t, np.sqrt(1 - _TWO_RHO**2),
        log_marginal=stats.norm.logpdf, given=np.exp, shown=lambda y: y**3,
    ),
    "Plackett, Pareto and arcsine": _copula(_plackett, _plackett_density, stats.pareto(1.5), stats.arcsine),
    "weak: Farlie-Gumbel-Morgenstern": _copula(
        _fgm, lambda u, v: np.log1p(_FGM * (1 - 2 * u) * (1 - 2 * v)), stats.gumbel_r, stats.gamma(0.7)
    ),
    "decile missing for the young": Summarized(
        _age_and_decile, _saved, _saved_density, summary=lambda x: np.stack([0.03 * (x[:, 0] - 50), x[:, 1]], 1)
    ),
    "label: four brands, products": _label(
        _table(*[_around()] * 4, idle=4),
        lambda x: np.stack(
            [1.8 * x[:, 0] * x[:, 1], 1.5 * x[:, 2] - 0.5, 1.5 * abs(x[:, 3]) - 0.8 * x[:, 2], 0 * x[:, 0]], 1
        ),
    ),
    "label: seven ratings, Cauchy": _label(_table(_integer(18, 80), _integer(0, 5), _around(), idle=1), _ratings),
    "label: tree on color, weight, day": _label(
        _table(_integer(0, 3), _around(145, 30), _integer(1, 31), _around()), _sorting,
        given=_named(color=["green", "red", "white", "yellow"], weight=None, day=None, other=None),
    ),
    "weak label: one of two is high": _label(
        _table(*[_around()] * 2, idle=3),
        lambda x: np.stack([0 * x[:, 0], 2.3 * ((x[:, 0] > 0.7) ^ (x[:, 1] > 0.7)) - 4.2], 1),
    ),
    "label: ten classes of two clusters": _label(_in_clusters, _class_of_clusters),
    "count: claims by exposure": Summarized(
        _table(_between(0.2, 5), *[_around()] * 2, idle=3),
        lambda g, t: g.poisson(t[:, 0]).astype(float),
        lambda y, t: y * np.log(t[..., 0]) - t[..., 0], "count",
        lambda x: (x[:, :1] * np.exp(-0.3 + 0.8 * x[:, 1:2] * x[:, 2:3])).clip(max=500),
    ),
    "count: of a varying number of trials": Summarized(
        _table(_integer(1, 25), *[_around()] * 2, idle=2),
        lambda g, t: g.binomial(t[:, 0].astype(int), t[:, 1]).astype(float), _binomial, "count",
        lambda x: np.stack([x[:, 0], expit(1.3 * x[:, 1] + (x[:, 2] > 0.5) - 0.6)], 1),
    ),
    "count: goal difference": Summarized(
        _table(*[_around()] * 4, idle=1),
        lambda g, t: (g.poisson(t[:, 0]) - g.poisson(t[:, 1])).astype(float), _goal_difference, "count",
        lambda x: np.exp(np.stack([0.6 + 0.6 * (x[:, 0] - x[:, 3]), 0.3 + 0.6 * (x[:, 2] - x[:, 1])], 1)),
    ),
    "count: guests, at least one": Summarized(
        _table(*[_around()] * 2, idle=2), _guests,
        lambda y, t: y * np.log(t[..., 0]) - np.log(np.expm1(t[..., 0])), "count",
        lambda x: np.exp(0.3 + np.sin(2 * x[:, :1]) + 0.4 * x[:, 1:2]),
    ),
    "censored log-logistic times": Summarized(
        _table(_integer(0, 1), *[_around()] * 2, idle=4), _followed, _followed_density, "event",
        lambda x: np.stack(
            [0.4 + 0.9 * x[:, 0] * x[:, 1] - 0.6 * np.maximum(x[:, 2], 0), 0.3 + 0.3 * x[:, 0]], 1
        ),
    ),
    "wind direction, cosine and sine": Summarized(
        _table(*[_around()] * 2, idle=1),
        lambda g, t: np.mod(g.vonmises(t[:, 0], t[:, 1]), 2 * np.pi),
        lambda y, t: t[..., 1] * np.cos(y - t[..., 0]) - t[..., 2],
        summary=_wind, shown=lambda y: np.stack([np.cos(y), np.sin(y)], 1),
    ),
    "shares of three": Summarized(
        _table(_integer(0, 20), idle=1), _shares,
        lambda y, t: ((t - 1) * np.log(y)).sum(-1) + gammaln(t.sum(-1)) - gammaln(t).sum(-1), "vector",
        lambda x: np.stack([2 + 0.5 * x[:, 0], 12 - 0.5 * x[:, 0], 2 + 0.075 * (x[:, 0] - 10) ** 2], 1),
    ),
    "two blood pressures": _plane(
        _table(_integer(2, 8), _integer(0, 1)), _pressures, given=_named(decade=None, sex=["female", "male"])
    ),
    "correlation by one column": _plane(
        _table(_integer(-10, 10)),
        lambda x: [0 * x[:, 0], 0 * x[:, 0], 1 + 0 * x[:, 0], 1 + 0 * x[:, 0], 0.98 * np.sin(np.pi * x[:, 0] / 20)],
    ),
    "independent: forty columns": Summarized(
        lambda g, n: g.normal(size=(n, 40)) + g.normal(size=(n, 1)), lambda g, t: _PEAKS.rvs(len(t), g),
        lambda y, t: 0 * y, log_marginal=np.zeros_like,
    ),
    "independent: Cauchy": Summarized(
        lambda g, n: g.standard_cauchy((n, 3)), lambda g, t: g.standard_cauchy(len(t)),
        lambda y, t: 0 * y, log_marginal=np.zeros_like,
    ),
}  # fmt: skip
