"""A fifth set of relations: loans, sensors, matches, ratings, tides, queues, baskets, genes, and digits."""

from __future__ import annotations

import numpy as np
from fourth import _LAPLACE, _LOGISTIC, _NORMAL, Summarized, _curve, _label, _named, _plane
from relations import Array, Relation
from scipy import stats
from scipy.special import betaln, expit, gammaln, i0e
from third import _around, _between, _integer, _table

_GUMBEL, _LEFT, _T4, _TRIANGLE = stats.gumbel_r(), stats.gumbel_l(), stats.t(4), stats.triang(0.5, -1, 2)


def _first(y: Array) -> Array:
    """The number of an event, which tells its code."""
    return y[:, 0]


_JOBS = {"clerk": -0.3, "driver": 0.4, "nurse": -1.2, "seller": 0.9, "teacher": -0.8}


def _borrowers(generator: np.random.Generator, n: int) -> Array:
    income = np.exp(generator.normal(10.4, 0.5, n))
    debt = income * np.exp(generator.normal(-1.2, 0.7, n))
    return np.stack([income, debt, generator.integers(0, 5, n), generator.integers(0, 31, n)], 1)


def _default(x: Array) -> Array:
    burden = np.tanh(1.5 * (np.log(x[:, 1] / x[:, 0]) + 1.2))
    return np.stack([0 * burden, 2.5 * burden - 1.5 + np.array([*_JOBS.values()])[x[:, 2].astype(int)]], 1)


_LOSS = 0.7  # the deviation of the logarithm


def _paid(generator: np.random.Generator, t: Array) -> Array:
    """What a loss is above the deductible, and 1 where it is."""
    over = np.exp(t[:, 0] + _LOSS * generator.normal(size=len(t))) - t[:, 1]
    return np.stack([np.maximum(over, 0), over > 0], 1)


def _paid_density(y: Array, t: Array) -> Array:
    size = np.log(y[..., 0] + t[..., 1])
    none = stats.norm.logcdf((np.log(t[..., 1]) - t[..., 0]) / _LOSS)
    return np.where(y[..., 1] == 1, stats.norm.logpdf(size, t[..., 0], _LOSS) - size, none)


def _volts(generator: np.random.Generator, t: Array) -> Array:
    """A voltage that is clipped at 0 and 5, and which end it is at."""
    volts = t[:, 0] + generator.laplace(0, 0.3, len(t))
    return np.stack([volts.clip(0, 5), (volts >= 5) * 1.0 - (volts <= 0)], 1)


def _volts_density(y: Array, t: Array) -> Array:
    low, high = _LAPLACE.logcdf(-t[..., 0] / 0.3), _LAPLACE.logsf((5 - t[..., 0]) / 0.3)
    inner = _LAPLACE.logpdf((y[..., 0] - t[..., 0]) / 0.3) - np.log(0.3)
    return np.where(y[..., 1] < 0, low, np.where(y[..., 1] > 0, high, inner))


_ERRORS = np.array([0.5, 0.8, 1.0, 1.5, 2.0])
_PRECISION = 1 + (1 / _ERRORS**2).sum()
_FOLDED = np.sqrt(1 / _PRECISION + 0.09)  # the deviation of y before its sign is lost


def _thermometers(generator: np.random.Generator, n: int) -> Array:
    return generator.normal(size=(n, 1)) + _ERRORS * generator.normal(size=(n, 5))


def _folded_density(y: Array, t: Array) -> Array:
    return np.logaddexp(stats.norm.logpdf(y, t[..., 0], _FOLDED), stats.norm.logpdf(-y, t[..., 0], _FOLDED))


_PERSON = stats.loggamma(1.5)


def _visitors(x: Array) -> Array:
    """The log-odds that a visitor is a program, and the size of a person's time."""
    return np.stack([1.5 * x[:, 2] - 1.5 - 2 * x[:, 1], 3 + 0.7 * np.log(x[:, 0])], 1)


def _stay(generator: np.random.Generator, t: Array) -> Array:
    person = t[:, 1] + _PERSON.rvs(len(t), random_state=generator)
    program = generator.uniform(size=len(t)) < expit(t[:, 0])
    return np.where(program, 0.5 + 0.3 * generator.normal(size=len(t)), person)


def _stay_density(y: Array, t: Array) -> Array:
    program = stats.norm.logpdf(y, 0.5, 0.3) - np.logaddexp(0, -t[..., 0])
    e = y - t[..., 1]
    return np.logaddexp(program, 1.5 * e - np.exp(e) - gammaln(1.5) - np.logaddexp(0, t[..., 0]))


def _views(generator: np.random.Generator, n: int) -> Array:
    views = np.ceil(np.exp(generator.normal(3, 0.7, n))).clip(max=300)
    return np.stack([views, generator.integers(0, 3, n), *generator.normal(size=(3, n))], 1)


def _clicked(x: Array) -> Array:
    share = expit(np.array([-0.2, -1.0, -2.0])[x[:, 1].astype(int)] + 0.9 * x[:, 2])
    return np.stack([x[:, 0], 8 * share, 8 * (1 - share)], 1)


def _beta_binomial(y: Array, t: Array) -> Array:
    n, a, b = t[..., 0], t[..., 1], t[..., 2]
    rest = np.maximum(n - y, 0)
    choices = gammaln(n + 1) - gammaln(y + 1) - gammaln(rest + 1)
    return np.where(y <= n, choices + betaln(y + a, rest + b) - betaln(a, b), -np.inf)


def _teams(generator: np.random.Generator, n: int) -> Array:
    """Two ratings of the same league, whether the ground is neutral, and days of rest."""
    ratings = 1500 + 180 * generator.normal(size=(n, 1)) + 130 * generator.normal(size=(n, 2))
    return np.concatenate([ratings, generator.integers(0, 2, (n, 1)), generator.integers(2, 9, (n, 2))], 1)


def _won(x: Array) -> Array:
    ahead = (x[:, 0] - x[:, 1]) / 130 + 0.5 * (1 - x[:, 2])
    return np.stack([ahead, 0 * ahead - 0.2, -ahead], 1)


def _customers(generator: np.random.Generator, n: int) -> Array:
    """Four answers that are alike, an age, and one idle column."""
    answers = generator.normal(size=(n, 1)) + 0.7 * generator.normal(size=(n, 4))
    return np.concatenate([answers, generator.integers(18, 91, (n, 1)), generator.normal(size=(n, 1))], 1)


def _five_points(x: Array) -> Array:
    """Probabilities of ordered levels; some customers always tick the middle, and more of the old."""
    edges = np.array([-np.inf, -2.4, -1.0, 0.8, 2.2, np.inf])
    considered = np.diff(expit(edges - 1.6 * x[:, :4].mean(1, keepdims=True) - 0.8 * abs(x[:, 1:2] - x[:, 2:3])))
    always = 0.1 + 0.35 * (x[:, 4:5] > 62)
    return (1 - always) * considered + always * (np.arange(5) == 2)


def _germination(x: Array) -> Array:
    """The mean share of seeds, and the probability of all."""
    mean = np.exp(-(((x[:, 0] - 22) / 11) ** 2) - 0.4 * x[:, 1] * (1 - 0.8 * x[:, 2])).clip(0.08, 0.95)
    return np.stack([mean, expit(7 * mean - 5.5)], 1)


def _seeds(generator: np.random.Generator, t: Array) -> Array:
    full = generator.uniform(size=len(t)) < t[:, 1]
    return np.stack([np.where(full, 1.0, generator.beta(12 * t[:, 0], 12 * (1 - t[:, 0]))), full], 1)


def _seeds_density(y: Array, t: Array) -> Array:
    full, mean = y[..., 1] == 1, t[..., 0]
    share, a = np.where(full, 0.5, y[..., 0]), 12 * mean
    some = (a - 1) * np.log(share) + (11 - a) * np.log1p(-share) - betaln(a, 12 - a)
    return np.where(full, np.log(t[..., 1]), np.log1p(-t[..., 1]) + some)


def _fringes(generator: np.random.Generator, t: Array) -> Array:
    """Places under a normal envelope, kept in proportion to 1 + 0.95 cos(t y)."""
    found = np.empty(len(t))
    left = np.arange(len(t))
    while len(left):
        place = generator.normal(size=len(left))
        kept = 1.95 * generator.uniform(size=len(left)) < 1 + 0.95 * np.cos(t[left, 0] * place)
        found[left[kept]] = place[kept]
        left = left[~kept]
    return found


def _fringes_density(y: Array, t: Array) -> Array:
    """Over the normal envelope."""
    return np.log1p(0.95 * np.cos(t[..., 0] * y)) - np.log1p(0.95 * np.exp(-(t[..., 0] ** 2) / 2))


def _first_passage(y: Array, t: Array) -> Array:
    """An inverse normal distribution of mean t[0] and shape t[1]."""
    return (np.log(t[..., 1]) - t[..., 1] * (y / t[..., 0] - 1) ** 2 / y) / 2


def _market(generator: np.random.Generator, n: int) -> Array:
    """A volatility, the last return, and three noisy copies of the volatility."""
    volatility = np.exp(generator.normal(2.9, 0.5, n))
    copies = volatility * np.exp(0.3 * generator.normal(size=(3, n)))
    return np.stack([volatility, volatility / 16 * generator.standard_t(3, n), *copies], 1)


def _heart_rate(x: Array) -> Array:
    return np.minimum(68 + 0.5 * x[:, 2] * (1 + 0.25 * x[:, 1]), 208 - 0.7 * x[:, 0])


def _vitals(generator: np.random.Generator, n: int) -> Array:
    return 0.5 * generator.normal(size=(n, 1)) + 0.75**0.5 * generator.normal(size=(n, 8))


def _urgency(x: Array) -> Array:
    worst = abs(x[:, :5]).max(1)
    return np.stack([0 * worst, 4 * (worst - 1.4), 9 * (worst - 1.7)], 1)


def _tide(x: Array) -> Array:
    day = 2 * np.pi * x[:, 1] / 29.53
    return (1 + 0.4 * np.cos(2 * day)) * np.cos(2 * np.pi * x[:, 0] / 12.42 - 2 * day)


def _ants(generator: np.random.Generator, t: Array) -> Array:
    """Along a direction, or, one of three, back."""
    back = np.pi * (generator.uniform(size=len(t)) < 1 / 3)
    return np.mod(generator.vonmises(t[:, 0] + back, t[:, 1]), 2 * np.pi)


def _ants_density(y: Array, t: Array) -> Array:
    """Over the uniform density."""
    along = t[..., 1] * np.cos(y - t[..., 0])
    return np.logaddexp(along + np.log(2 / 3), -along + np.log(1 / 3)) - t[..., 2]


def _flight(x: Array) -> list[Array]:
    """Where a bird is after an hour: the error along its heading grows with its speed."""
    cosine, sine = np.cos(np.radians(x[:, 0])), np.sin(np.radians(x[:, 0]))
    along, across = (0.6 + 0.2 * x[:, 1]) ** 2, 0.9**2
    east, north = along * sine**2 + across * cosine**2, along * cosine**2 + across * sine**2
    rho = (along - across) * sine * cosine / np.sqrt(east * north)
    return [x[:, 1] * sine, x[:, 1] * cosine, np.sqrt(east), np.sqrt(north), rho]


def _basket(generator: np.random.Generator, t: Array) -> Array:
    """What is paid, and for how many items."""
    items = generator.poisson(t[:, 0])
    return np.stack([generator.gamma(2 * items, t[:, 1]), items], 1)


def _basket_density(y: Array, t: Array) -> Array:
    paid, items = y[..., 0], y[..., 1]
    return items * np.log(t[..., 0]) - t[..., 0] - paid / t[..., 1] - 2 * items * np.log(t[..., 1])


def _turbine(x: Array) -> Array:
    """Megawatts by the wind and the density of the air: none below 3 or above 25 m/s, at most 3."""
    power = 0.0034 * (x[:, 0] ** 3 - 27) * (1.2 - 0.004 * x[:, 1]) * (abs(x[:, 0] - 14) < 11)
    return power.clip(0, 3)


def _genes(generator: np.random.Generator, n: int) -> Array:
    """Logarithms that share a factor."""
    return 0.6 * generator.normal(size=(n, 1)) + 0.8 * generator.normal(size=(n, 12))


def _expression(x: Array) -> Array:
    """The logarithm: an activator, and two repressors either of which is enough."""
    return np.log(0.05 + 3 * expit(x[:, 2]) * expit(-2 * x[:, 0]) * expit(-3 * x[:, 1]))


def _desks(x: Array) -> Array:
    """The probability of a queue, and the rate at which it ends."""
    served = np.maximum(9.0 * x[:, 1], x[:, 0] / 0.95)
    return np.stack([x[:, 0] / served, (served - x[:, 0]) / 60], 1)


def _wait(generator: np.random.Generator, t: Array) -> Array:
    queue = generator.uniform(size=len(t)) < t[:, 0]
    return np.stack([queue * generator.exponential(1 / t[:, 1]), queue], 1)


def _wait_density(y: Array, t: Array) -> Array:
    return np.where(y[..., 1] == 1, np.log(t[..., 0] * t[..., 1]) - t[..., 1] * y[..., 0], np.log1p(-t[..., 0]))


def _leading_digit(x: Array) -> Array:
    """Logarithms of amounts; a quarter of the digits are misread."""
    place = x[:, 0] / np.log(10)
    digit = np.floor(10 ** (place - np.floor(place))).clip(1, 9)
    return np.log(np.where(np.arange(1, 10) == digit[:, None], 0.75, 0.25 / 8))


_LANGUAGE = np.array([0.4, 0.3, 0.2, 0.1])
_LETTERS = np.random.default_rng(50).uniform(1, 6, (4, 6))


def _texts(generator: np.random.Generator, n: int) -> Array:
    """Shares of six letters, which sum to one."""
    parts = generator.gamma(_LETTERS[generator.choice(4, n, p=_LANGUAGE)])
    return parts / parts.sum(1, keepdims=True)


def _language(x: Array) -> Array:
    total = gammaln(_LETTERS.sum(1)) - gammaln(_LETTERS).sum(1)
    return np.log(_LANGUAGE) + np.log(x) @ (_LETTERS - 1).T + total


_STEPS = np.array([20, 50, 100, 500, 1000, 2000])
_PRICES = np.array([0.9, 1.1, 1.7, 2.9, 4.8, 7.0, 9.9])


def _postage(x: Array) -> Array:
    return _PRICES[np.searchsorted(_STEPS, x[:, 1])] * np.array([1, 1.4, 1.9, 2.7])[x[:, 0].astype(int)]


def _ring(generator: np.random.Generator, t: Array) -> Array:
    angle = generator.uniform(0, 2 * np.pi, len(t))
    return (3 + 0.3 * generator.normal(size=len(t)))[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def _nothing(y: Array, t: Array | None = None) -> Array:
    """The log density of y over itself."""
    return 0 * (y if y.ndim == 1 else y[:, 0])


_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

FIFTH: dict[str, Relation] = {
    "label: loan, burden and job": _label(
        _borrowers, _default, given=_named(income=None, debt=None, job=[*_JOBS], years=None)
    ),
    "payment above a deductible": Summarized(
        _table(_around(), _integer(0, 15), lambda g, n: g.choice([100.0, 250.0, 500.0, 1000.0], n), idle=2),
        _paid, _paid_density, "event",
        lambda x: np.stack([6 + 0.8 * x[:, 0] - 0.06 * (x[:, 1] - 7), x[:, 2]], 1), shown=_first,
    ),
    "voltage clipped at both ends": Summarized(
        _table(*[_around()] * 3, idle=1), _volts, _volts_density, "event",
        lambda x: 2.5 + 1.8 * x[:, :1] + 1.5 * x[:, 1:2] * (x[:, 2:3] > 0), shown=_first,
    ),
    "amount of a change, five thermometers": Summarized(
        _thermometers, lambda g, t: abs(t[:, 0] + _FOLDED * g.normal(size=len(t))), _folded_density,
        summary=lambda x: x @ (1 / _ERRORS**2)[:, None] / _PRECISION,
        log_marginal=lambda y: stats.norm.logpdf(y, 0, 1.09**0.5) + np.log(2),
    ),
    "time on a page, programs among people": Summarized(
        _table(lambda g, n: g.geometric(0.2, n).clip(max=60), _integer(0, 1), _around(), idle=2),
        _stay, _stay_density, summary=_visitors, shown=np.exp,
        given=_named(pages=None, device=["desk", "phone"], score=None, hour=None, delay=None),
    ),
    "count: clicks of views, overdispersed": Summarized(
        _views, lambda g, t: g.binomial(t[:, 0].astype(int), g.beta(t[:, 1], t[:, 2])).astype(float),
        _beta_binomial, "count", _clicked,
        given=_named(views=None, place=["top", "side", "end"], match=None, length=None, age=None),
    ),
    "label: won, drawn, lost": _label(
        _teams, _won, given=_named(ours=None, theirs=None, ground=["home", "neutral"], rest=None, their_rest=None)
    ),
    "count: five points, some always the middle": Summarized(
        _customers, lambda g, t: (g.uniform(size=(len(t), 1)) > t.cumsum(1)[:, :4]).sum(1) + 1.0,
        lambda y, t: np.log((t * (np.arange(1, 6) == y[..., None])).sum(-1)), "count", _five_points,
    ),
    "share of seeds, often all": Summarized(
        _table(_between(0, 40), lambda g, n: g.exponential(2, n), _integer(0, 1), idle=1),
        _seeds, _seeds_density, "event", _germination, shown=_first,
        given=_named(temperature=None, salt=None, seed=["raw", "treated"], tray=None),
    ),
    "count: photons behind a polarizer": Summarized(
        _table(lambda g, n: 5.0 * g.integers(0, 72, n), _integer(0, 2), idle=2),
        lambda g, t: g.poisson(t[:, 0]).astype(float), lambda y, t: y * np.log(t[..., 0]) - t[..., 0], "count",
        lambda x: 2 + np.cos(np.radians(x[:, :1])) ** 2 * np.array([30.0, 15.0, 5.0])[x[:, 1:2].astype(int)],
        given=_named(degrees=None, filter=["clear", "gray", "dark"], heat=None, time=None),
    ),
    "fringes of two slits": Summarized(
        _table(_between(0.5, 1.5), _between(1, 4), idle=1), _fringes, _fringes_density,
        summary=lambda x: 2 * x[:, 1:2] / x[:, :1],
    ),
    "first passage of a stock": Summarized(
        _table(lambda g, n: np.exp(g.normal(1, 0.6, n)), lambda g, n: 0.2 + g.gamma(3, 1 / 3, n), idle=3),
        lambda g, t: g.wald(t[:, 0], t[:, 1]), _first_passage,
        summary=lambda x: np.stack([x[:, 0] / x[:, 1], 2 * x[:, 0] ** 2], 1),
    ),
    "return by volatility and loss": _curve(
        _market, lambda x: 0.4 * np.maximum(-x[:, 1], 0), _T4, lambda x: x[:, 0] / 16
    ),
    "heart rate up to its maximum, Gumbel": _curve(
        _table(_integer(18, 80), _integer(0, 1), lambda g, n: 25.0 * g.integers(0, 13, n), idle=2),
        _heart_rate, _GUMBEL, 9.0, given=_named(age=None, sex=["male", "female"], watts=None, height=None, day=None),
    ),
    "label: urgency by the worst of five": _label(_vitals, _urgency),
    "tide by hour and moon, skewed": _curve(_table(_between(0, 24), _between(0, 29.53), idle=1), _tide, _LEFT, 0.25),
    "ants, along and back": Summarized(
        _table(_between(0, 2 * np.pi), lambda g, n: np.exp(g.normal(1.5, 0.8, n)), idle=1), _ants, _ants_density,
        summary=lambda x: np.stack([x[:, 0], x[:, 1], np.log(i0e(x[:, 1])) + x[:, 1]], 1),
        log_marginal=np.zeros_like, given=lambda x: np.stack([np.degrees(x[:, 0]), x[:, 1], x[:, 2]], 1),
        shown=np.degrees,
    ),
    "place after an hour of flight": _plane(
        _table(lambda g, n: 15.0 * g.integers(0, 24, n), _integer(1, 8), idle=2), _flight
    ),
    "basket: paid and items": Summarized(
        _table(*[_around()] * 2, _integer(0, 3), idle=1), _basket, _basket_density, "event",
        lambda x: np.stack([np.exp(0.9 + 0.7 * x[:, 0]).clip(max=15), np.exp(0.6 * x[:, 1] + 0.3 * x[:, 2])], 1),
        given=_named(visits=None, income=None, store=["north", "mall", "port", "airport"], hour=None),
    ),
    "wind turbine": _curve(
        _table(lambda g, n: 9 * g.weibull(2, n), _around(12, 8), _between(0, 360)), _turbine, _LOGISTIC,
        lambda x: 0.04 + 0.08 * (abs(x[:, 0] - 8) < 4),
    ),
    "expression of a gene, two repressors": _curve(_genes, _expression, _LAPLACE, 0.3, given=np.exp),
    "wait, or none": Summarized(
        _table(_integer(2, 40), _integer(1, 5), idle=2), _wait, _wait_density, "event", _desks, shown=_first
    ),
    "label: leading digit, misread": _label(_table(_around(3, 1.5), idle=2), _leading_digit, given=np.exp),
    "label: language by letters": _label(_texts, _language),
    "weak count: defects of a Monday": Summarized(
        _table(_integer(0, 6), _integer(0, 2), idle=1),
        lambda g, t: g.poisson(t[:, 0]).astype(float), lambda y, t: y * np.log(t[..., 0]) - t[..., 0], "count",
        lambda x: 1.1 * (1 + 0.6 * (x[:, :1] == 0)) * (1 + 0.3 * (x[:, 1:2] == 2)),
        given=_named(day=_DAYS, shift=["early", "late", "night"], line=None),
    ),
    "order of two Cauchy columns, triangular": _curve(
        lambda g, n: g.standard_cauchy((n, 3)),
        lambda x: x[:, 0].clip(-2, 2) / 2 + 0.6 * np.sign(x[:, 1] - x[:, 0]), _TRIANGLE, 0.7,
    ),
    "strong: postage by zone and weight": _curve(
        _table(_integer(0, 3), lambda g, n: np.exp(g.normal(4.8, 1.6, n)), idle=2), _postage, _NORMAL, 0.12,
        given=_named(zone=["city", "country", "continent", "world"], grams=None, hour=None, tax=None),
    ),
    "independent: three labels, zero or Pareto": Summarized(
        _table(_integer(0, 3), _integer(0, 11), lambda g, n: g.geometric(0.4, n).clip(max=7) - 1.0),
        lambda g, t: np.where(g.uniform(size=len(t)) < 0.6, 0, g.pareto(1.1, len(t))),
        _nothing, log_marginal=_nothing,
        given=_named(color=["blue", "red", "tan", "white"], size=list("abcdefghijkl"), day=_DAYS),
    ),
    "independent: four Pareto columns, a ring": Summarized(
        lambda g, n: g.pareto(0.9, (n, 4)) * np.exp(g.normal(size=(n, 1))), _ring, _nothing, log_marginal=_nothing
    ),
    "independent: ties, two peaks of an angle": Summarized(
        _table(lambda g, n: g.geometric(0.3, n), lambda g, n: np.round(2 * g.standard_t(3, n)) / 2),
        lambda g, t: np.mod(g.vonmises(np.pi * g.integers(0, 2, len(t)), 6), 2 * np.pi),
        _nothing, log_marginal=_nothing,
    ),
}  # fmt: skip
