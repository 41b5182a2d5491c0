"""34 relations that the default recipe was not tuned on: samplers, log densities, and the information by simulation."""

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

RELATIONS: dict[str, Relation] = {
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
