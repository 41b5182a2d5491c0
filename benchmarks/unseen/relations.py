"""Two sets of relations that the default recipe was not tuned on when they were first measured.

Samplers, log densities, and the information by simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import log_softmax, logsumexp

Array = NDArray[Any]
_TRUTH, _MARGINAL = 200_000, 20_000  # samples of x and y, and of x for the density of y
_GRID = 1_000  # quantiles of y between which its log density is interpolated


@dataclass(frozen=True)
class Relation:
    """How x is drawn from a generator, y from x, and ln p(y|x) of single values or of one value and many x.

    Attributes:
        x: (generator, n) to (n, D).
        y: (generator, x) to (n,).
        log_density: of y (n,) given x (n, D).
        kind: "number", "count" or "label"; a "number" may be 0 with a positive probability.
    """

    x: Callable[[np.random.Generator, int], Array]
    y: Callable[[np.random.Generator, Array], Array]
    log_density: Callable[[Array, Array], Array]
    kind: str = "number"

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """Both variables."""
        generator = np.random.default_rng(1000 + seed)
        x = self.x(generator, n)
        return x, self.y(generator, x)

    def truth(self) -> tuple[float, float]:
        """The information in nats, with a standard error of some 0.002, and the standard deviation of the log-ratio."""
        generator = np.random.default_rng(7)
        x = self.x(generator, _TRUTH)
        y = self.y(generator, x)
        others = self.x(generator, _MARGINAL)

        def log_marginal(values: Array) -> Array:
            return np.array([logsumexp(self.log_density(np.full(len(others), one), others)) for one in values])

        if self.kind == "number":
            quantiles = np.concatenate([np.geomspace(1e-5, 1e-2, _GRID // 10), np.linspace(0.01, 0.99, _GRID)])
            inner = np.quantile(y[y != 0], np.concatenate([[0, 1], quantiles, 1 - quantiles[: _GRID // 10]]))
            grid = np.unique(inner)
            marginal = np.interp(y, grid, log_marginal(grid))
            if (y == 0).any():
                marginal[y == 0] = log_marginal(np.zeros(1))
        else:
            values, place = np.unique(y, return_inverse=True)
            marginal = log_marginal(values)[place]
        ratio = self.log_density(y, x) - marginal + np.log(_MARGINAL)
        return float(ratio.mean()), float(ratio.std())


def _normal(columns: int) -> Callable[[np.random.Generator, int], Array]:
    return lambda generator, n: generator.normal(size=(n, columns))


def _uniform(columns: int, low: float = -1.0, high: float = 1.0) -> Callable[[np.random.Generator, int], Array]:
    return lambda generator, n: generator.uniform(low, high, size=(n, columns))


_NOISES = {
    "normal": stats.norm,
    "laplace": stats.laplace,
    "student": stats.t(2),
    "exponential": stats.expon,
    "uniform": stats.uniform(-1, 2),
    "logistic": stats.logistic,
}


def _regression(x: Any, f: Callable[[Array], Array], scale: Any, noise: str = "normal") -> Relation:
    """The sum f(x) + scale(x) e."""
    e = _NOISES[noise]
    size = scale if callable(scale) else lambda _: scale
    return Relation(
        x,
        lambda generator, x: f(x) + size(x) * e.rvs(size=len(x), random_state=generator),
        lambda y, x: e.logpdf((y - f(x)) / size(x)) - np.log(size(x)),
    )


def _two_signs(x: Any, f: Callable[[Array], Array], scale: float) -> Relation:
    """Either f(x) or -f(x), plus normal noise."""

    def log_density(y: Array, x: Array) -> Array:
        both = [stats.norm.logpdf(y, sign * f(x), scale) for sign in (1, -1)]
        return np.logaddexp(*both) - np.log(2)

    return Relation(
        x,
        lambda generator, x: generator.choice([-1, 1], len(x)) * f(x) + scale * generator.normal(size=len(x)),
        log_density,
    )


def _label(x: Any, logits: Callable[[Array], Array]) -> Relation:
    return Relation(
        x,
        lambda generator, x: (logits(x) + generator.gumbel(size=logits(x).shape)).argmax(1).astype(float),
        lambda y, x: np.take_along_axis(log_softmax(logits(x), 1), y.astype(int)[:, None], 1)[:, 0],
        "label",
    )


def _binary(x: Any, logit: Callable[[Array], Array]) -> Relation:
    return _label(x, lambda x: np.stack([logit(x), 0 * x[:, 0]], 1))


def _poisson(x: Any, rate: Callable[[Array], Array]) -> Relation:
    return Relation(
        x,
        lambda generator, x: generator.poisson(rate(x)).astype(float),
        lambda y, x: stats.poisson.logpmf(y, rate(x)),
        "count",
    )


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _hour_and_weekday(generator: np.random.Generator, n: int) -> Array:
    return np.stack([generator.integers(0, 24, n), generator.integers(0, 7, n)], 1).astype(float)


def _rounded(generator: np.random.Generator, n: int) -> Array:
    return np.stack([np.round(generator.normal(size=n) * 2) / 2, generator.normal(size=n)], 1)


def _zero_or_lognormal(generator: np.random.Generator, x: Array) -> Array:
    zero = generator.uniform(size=len(x)) < _sigmoid(2 * x[:, 0])
    return np.where(zero, 0.0, np.exp(x[:, 1] + 0.3 * generator.normal(size=len(x))))


def _zero_or_lognormal_density(y: Array, x: Array) -> Array:
    zero, size = _sigmoid(2 * x[:, 0]), np.log(np.where(y > 0, y, 1.0))
    return np.where(y == 0, np.log(zero), np.log1p(-zero) + stats.norm.logpdf(size, x[:, 1], 0.3) - size)


def _tree(x: Array) -> Array:
    return np.where(x[:, 0] > 0.2, np.where(x[:, 1] > 0, 2.0, -1.0), np.where(x[:, 2] > -0.3, 0.0, 1.0))


def _hourly(x: Array) -> Array:
    return np.sin(2 * np.pi * x[:, 0] / 24) * (1 + 0.5 * (x[:, 1] > 4))


_WEIGHTS = np.random.default_rng(0).normal(size=(5, 4)) * 2
_MEANS = np.random.default_rng(1).normal(size=8) * 1.5
_SPREADS = np.random.default_rng(2).uniform(0.2, 1.2, 8)

FIRST: dict[str, Relation] = {
    "tanh product": _regression(_normal(2), lambda x: np.tanh(3 * x[:, 0]) * x[:, 1], 0.2),
    "abs difference, exponential noise": _regression(_normal(3), lambda x: abs(x[:, 0] - x[:, 1]), 0.4, "exponential"),
    "sum of squares, 4 idle": _regression(_normal(6), lambda x: x[:, 0] ** 2 + x[:, 1] ** 2, 0.5),
    "max of three, Laplace": _regression(_normal(4), lambda x: x[:, :3].max(1), 0.25, "laplace"),
    "sign switch": _regression(_normal(3), lambda x: x[:, 0] * np.sign(x[:, 1]), 0.3),
    "heteroscedastic only": _regression(_normal(2), lambda x: 0 * x[:, 0], lambda x: np.exp(np.sin(2 * x[:, 0]))),
    "linear, t2 noise": _regression(_normal(3), lambda x: x[:, 0] + x[:, 1], 0.3, "student"),
    "weak linear": _regression(_normal(3), lambda x: 0.2 * x[:, 0], 1.0),
    "ratio": _regression(_normal(3), lambda x: x[:, 0] / (1 + x[:, 1] ** 2), 0.1),
    "cubic, logistic noise": _regression(_normal(2), lambda x: x[:, 0] ** 3 - 2 * x[:, 0], 0.3, "logistic"),
    "sine of sum of three": _regression(_normal(4), lambda x: np.sin(1.5 * x[:, :3].sum(1)), 0.3),
    "sparse linear of 20": _regression(_normal(20), lambda x: x[:, :5].sum(1) / 5**0.5, 0.8),
    "exp of linear": _regression(_normal(3), lambda x: np.exp(x[:, 0] + 0.5 * x[:, 1]), 0.5),
    "hour and weekday": _regression(_hour_and_weekday, _hourly, 0.3),
    "rounded x": _regression(_rounded, lambda x: np.cos(2 * x[:, 0]), 0.3),
    "uniform noise, parabola": _regression(_uniform(2), lambda x: 2 * x[:, 0] ** 2, 0.4, "uniform"),
    "sum of 8 sines (additive)": _regression(_normal(8), lambda x: np.sin(2 * x).sum(1) / 2, 0.4),
    "if-else tree": _regression(_uniform(4), _tree, 0.3),
    "plus-minus root": _two_signs(_normal(2), lambda x: np.sqrt(abs(x[:, 0])), 0.2),
    "cross": _two_signs(_normal(1), lambda x: x[:, 0], 0.2),
    "label: softmax of 4": _label(_normal(5), lambda x: x @ _WEIGHTS),
    "label: logistic of sine": _binary(_normal(3), lambda x: 4 * np.sin(2 * x[:, 0])),
    "label: stripes": _binary(_uniform(3), lambda x: 6 * np.sign(np.sin(8 * x[:, 0]))),
    "label: quadratic boundary 10 cols": _binary(_normal(10), lambda x: 2 * ((x[:, :4] ** 2).sum(1) - 4)),
    "label: rare": _binary(_normal(4), lambda x: 2 * x[:, 0] + x[:, 1] - 5),
    "count: poisson of product": _poisson(_normal(3), lambda x: np.exp(0.7 * x[:, 0] * x[:, 1] + 1)),
    "count: poisson large": _poisson(_normal(2), lambda x: np.exp(x[:, 0] * 0.5 + 4)),
    "count: geometric": Relation(
        _normal(2),
        lambda generator, x: generator.geometric(_sigmoid(x[:, 0])).astype(float),
        lambda y, x: stats.geom.logpmf(y, _sigmoid(x[:, 0])),
        "count",
    ),
    "uniform below x": Relation(
        _uniform(1, 0.0),
        lambda generator, x: generator.uniform(0, 1, len(x)) * x[:, 0],
        lambda y, x: np.where((y >= 0) & (y <= x[:, 0]), -np.log(x[:, 0]), -np.inf),
    ),
    "gamma shape": Relation(
        _uniform(2, 0.0),
        lambda generator, x: generator.gamma(np.exp(2 * x[:, 0])),
        lambda y, x: stats.gamma.logpdf(y, np.exp(2 * x[:, 0])),
    ),
    "beta": Relation(
        _uniform(2, 0.0),
        lambda generator, x: generator.beta(1 + 5 * x[:, 0], 6 - 5 * x[:, 0]),
        lambda y, x: stats.beta.logpdf(y, 1 + 5 * x[:, 0], 6 - 5 * x[:, 0]),
    ),
    "angle doubled": Relation(
        _uniform(1, 0.0, 2 * np.pi),
        lambda generator, x: np.mod(x[:, 0] * 2 + generator.vonmises(0, 4, len(x)), 2 * np.pi),
        lambda y, x: stats.vonmises.logpdf(y - 2 * x[:, 0], 4),
    ),
    "zero or lognormal": Relation(_normal(3), _zero_or_lognormal, _zero_or_lognormal_density),
    "8 categories as codes": Relation(
        lambda generator, n: generator.integers(0, 8, (n, 1)).astype(float),
        lambda generator, x: (
            _MEANS[x[:, 0].astype(int)] + _SPREADS[x[:, 0].astype(int)] * generator.normal(size=len(x))
        ),
        lambda y, x: stats.norm.logpdf(y, _MEANS[x[:, 0].astype(int)], _SPREADS[x[:, 0].astype(int)]),
    ),
}


def _ordered(x: Array) -> Array:
    """Logits of five ordered levels."""
    cumulative = _sigmoid(np.array([-2.0, -0.7, 0.7, 2.0]) - 2 * (x[:, :1] + x[:, 1:2] * x[:, 2:3]))
    edges = np.concatenate([np.zeros((len(x), 1)), cumulative, np.ones((len(x), 1))], 1)
    return np.log(np.diff(edges, axis=1) + 1e-12)


def _rounding(scale: float, f: Callable[[Array], Array]) -> Relation:
    """f(x) plus normal noise, rounded to halves."""

    def log_density(y: Array, x: Array) -> Array:
        upper, lower = (stats.norm.logsf((y + step - f(x)) / scale) for step in (-0.25, 0.25))
        mirrored = [stats.norm.logcdf((y + step - f(x)) / scale) for step in (0.25, -0.25)]
        right = y > f(x)  # the tail where the difference keeps its digits
        larger, smaller = np.where(right, upper, mirrored[0]), np.where(right, lower, mirrored[1])
        return larger + np.log1p(-np.exp(np.minimum(smaller - larger, -1e-300)))

    return Relation(
        _normal(3),
        lambda generator, x: np.round(2 * (f(x) + scale * generator.normal(size=len(x)))) / 2,
        log_density,
        "count",
    )


def _copies(generator: np.random.Generator, n: int) -> Array:
    x = generator.normal(size=(n, 1))
    return np.concatenate([x, x + 0.3 * generator.normal(size=(n, 3)), generator.normal(size=(n, 2))], 1)


def _near_copy(generator: np.random.Generator, n: int) -> Array:
    x = generator.normal(size=(n, 4))
    x[:, 1] = 0.95 * x[:, 0] + (1 - 0.95**2) ** 0.5 * x[:, 1]
    return x


def _lognormal(generator: np.random.Generator, n: int) -> Array:
    return np.exp(1.5 * generator.normal(size=(n, 3)))


def _group_and_number(generator: np.random.Generator, n: int) -> Array:
    return np.stack([generator.integers(0, 5, n).astype(float), generator.normal(size=n), generator.normal(size=n)], 1)


def _dose(generator: np.random.Generator, n: int) -> Array:
    return np.stack([generator.integers(18, 90, n), generator.choice([0, 5, 10, 20], n)], 1).astype(float)


def _ring(x: Array) -> Array:
    return 2 * np.exp(-6 * (np.hypot(x[:, 0], x[:, 1]) - 1.2) ** 2)


def _censored(x: Array) -> Array:
    return x[:, 0] + 0.7 * x[:, 1] ** 2 - 0.5


_SLOPES = np.random.default_rng(3).normal(size=5) * 1.5
_LOADINGS = np.random.default_rng(4).normal(size=30) / 30**0.5
_CENTERS = np.random.default_rng(5).normal(size=(6, 2)) * 1.5


def _overdispersed(x: Array) -> Array:
    """The probability of a negative binomial."""
    return 1 / (1 + np.exp(x[:, 0] + np.sin(2 * x[:, 1])))


SECOND: dict[str, Relation] = {
    "product of three": _regression(_uniform(4, -1.5, 1.5), lambda x: x[:, :3].prod(1), 0.2),
    "ridge around a circle": _regression(_normal(4), _ring, 0.25),
    "floor of a sum": _regression(_normal(3), lambda x: np.floor(x[:, 0] + x[:, 1]), 0.2),
    "clipped line, Laplace": _regression(_normal(3), lambda x: np.clip(x[:, 0], -0.5, 0.5), 0.15, "laplace"),
    "volatility of two": _regression(
        _normal(4), lambda x: 0 * x[:, 0], lambda x: np.exp(0.7 * x[:, 0] + 0.4 * x[:, 1])
    ),
    "slopes of five groups": _regression(
        _group_and_number, lambda x: _SLOPES[x[:, 0].astype(int)] * x[:, 1], 0.4
    ),
    "near copies, their difference": _regression(_near_copy, lambda x: 4 * (x[:, 0] - x[:, 1]), 0.5),
    "square of a column with noisy copies": _regression(_copies, lambda x: x[:, 0] ** 2, 0.3),
    "median of five, logistic": _regression(_normal(6), lambda x: np.median(x[:, :5], 1), 0.1, "logistic"),
    "distance to the nearest center": _regression(
        _normal(3), lambda x: np.hypot(*(x[:, None, :2] - _CENTERS).transpose(2, 0, 1)).min(1), 0.15
    ),
    "chirp": _regression(_uniform(2), lambda x: np.sin(9 * x[:, 0] ** 2), 0.25),
    "angle of t2 columns": _regression(
        lambda generator, n: generator.standard_t(2, size=(n, 3)), lambda x: np.arctan(x[:, 0] - x[:, 1]), 0.4
    ),
    "log of lognormal": _regression(_lognormal, lambda x: np.log(x[:, 0] + x[:, 1]), 0.5),
    "sum of 30 weak": _regression(_normal(30), lambda x: 1.2 * x @ _LOADINGS, 1.0),
    "product among 40": _regression(_normal(40), lambda x: x[:, 0] * x[:, 1], 0.4),
    "age and dose": _regression(_dose, lambda x: np.sqrt(x[:, 1]) * (1 - (x[:, 0] - 18) / 100), 0.4),
    "sine, uniform noise, 3 idle": _regression(_normal(4), lambda x: np.sin(3 * x[:, 0]), 0.5, "uniform"),
    "waiting time": Relation(
        _normal(4),
        lambda generator, x: np.exp(0.8 * x[:, 0] - 0.5 * x[:, 1]) * generator.weibull(1.5, len(x)),
        lambda y, x: stats.weibull_min.logpdf(y, 1.5, scale=np.exp(0.8 * x[:, 0] - 0.5 * x[:, 1])),
    ),
    "tail index": Relation(
        _uniform(2),
        lambda generator, x: generator.pareto(np.exp(1 + x[:, 0])) + 1,
        lambda y, x: stats.pareto.logpdf(y, np.exp(1 + x[:, 0])),
    ),
    "share of ten": Relation(
        _normal(3),
        lambda generator, x: generator.binomial(10, _sigmoid(1.5 * x[:, 0] * x[:, 1])).astype(float),
        lambda y, x: stats.binom.logpmf(y, 10, _sigmoid(1.5 * x[:, 0] * x[:, 1])),
        "count",
    ),
    "count: negative binomial": Relation(
        _normal(3),
        lambda generator, x: generator.negative_binomial(2, _overdispersed(x)).astype(float),
        lambda y, x: stats.nbinom.logpmf(y, 2, _overdispersed(x)),
        "count",
    ),
    "rounded to halves": _rounding(0.4, lambda x: np.abs(x[:, 0]) + 0.5 * x[:, 1]),
    "censored at zero": Relation(
        _normal(3),
        lambda generator, x: np.maximum(_censored(x) + 0.4 * generator.normal(size=len(x)), 0),
        lambda y, x: np.where(
            y == 0, stats.norm.logcdf(-_censored(x) / 0.4), stats.norm.logpdf(y, _censored(x), 0.4)
        ),
    ),
    "label: spiral": _binary(
        _normal(2), lambda x: 5 * np.sin(np.arctan2(x[:, 0], x[:, 1]) + 3 * np.hypot(x[:, 0], x[:, 1]))
    ),
    "label: nearest of six centers": _label(
        _normal(6), lambda x: -3 * ((x[:, None, :2] - _CENTERS) ** 2).sum(2)
    ),
    "label: additive in 15": _binary(_normal(15), lambda x: np.sin(2 * x).sum(1)),
    "label: five ordered levels": _label(_normal(4), _ordered),
    "label: parity of three": _binary(_normal(5), lambda x: 3 * np.sign(x[:, :3].prod(1))),
}  # fmt: skip
