"""Relations of three variables with known conditional information, which no default was tuned on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, gammaln, log_softmax, logsumexp, softmax

from mibounds.tasks import VectorAutoregression

Array = NDArray[Any]
_CHUNK, _CHUNKS = 100_000, 10  # samples of the truth
_NODES = np.linspace(-6, 6, 121)  # of a normal variable, dense enough for the trapezoidal rule
_LOG_WEIGHTS = log_softmax(-(_NODES**2) / 2)


def _same(*variables: Any) -> tuple[Any, ...]:
    return variables


@dataclass(frozen=True)
class Triple:
    """How x, y and z are drawn, and what x and y share given z.

    Attributes:
        draw: (generator, n) to x, y and z, or to the series x and y of a transfer entropy; (n,) or (n, D) each.
        information: in nats; or a function of what is drawn, ln p(y|x,z) - ln p(y|z) of each row.
        shown: what the estimator sees of what is drawn, such as words for codes.
        verb: the function of `mibounds` that measures it, "conditional" or "transfer_entropy".
        settings: its keywords.
    """

    draw: Callable[[np.random.Generator, int], tuple[Array, ...]]
    information: float | Callable[..., Array]
    shown: Callable[..., tuple[Any, ...]] = _same
    verb: str = "conditional"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def sample(self, n: int, seed: int) -> tuple[Any, ...]:
        """The variables as the estimator sees them."""
        return self.shown(*self.draw(np.random.default_rng(1000 + seed), n))

    def ratios(self, n: int, seed: int) -> Array:
        """The log-ratio of n rows, if it is a function."""
        assert callable(self.information)
        return self.information(*self.draw(np.random.default_rng(10_000 + seed), n))

    def truth(self) -> tuple[float, float]:
        """The information in nats and its standard error: 0 where it is known, else that of 1,000,000 log-ratios."""
        if not callable(self.information):
            return float(self.information), 0.0
        ratio = np.concatenate([self.ratios(_CHUNK, seed) for seed in range(_CHUNKS)])
        return float(ratio.mean()), float(ratio.std() / np.sqrt(len(ratio)))


def _normal(e: Array, deviation: float) -> Array:
    """The log density of a centered normal variable."""
    return -((e / deviation) ** 2) / 2 - np.log(deviation * np.sqrt(2 * np.pi))


def _over_normal(log_density: Callable[[Array], Array]) -> Array:
    """The logarithm of the mean of a density over a standard normal variable, which is its last axis."""
    return logsumexp(log_density(_NODES) + _LOG_WEIGHTS, -1)


def _words(codes: Array, *words: str) -> Array:
    return np.array(words)[codes.astype(int)]


def _gaussian_cause(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.normal(size=(n, 1))
    x = z * np.array([1.0, 0.6]) + 0.7 * generator.normal(size=(n, 2))
    return x, -0.8 * z[:, 0] + 0.6 * generator.normal(size=n), z


def _curved_cause(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.uniform(-2, 2, n)
    return z**2 + 0.3 * generator.standard_t(3, n), np.sin(2 * z) + generator.laplace(0, 0.2, n), z


_CITIES = ("Bern", "Cork", "Lyon", "Oslo", "Turin")


def _label_cause(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.choice(5, n, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    x = np.array([0.0, 1.5, -1.0, 3.0, 0.5])[z] + np.array([0.5, 0.8, 0.4, 1.0, 0.2])[z] * generator.normal(size=n)
    return x, generator.gamma(np.array([1.0, 6.0, 3.0, 9.0, 2.0])[z]), z


def _mixed_cause(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    kind, number = generator.integers(0, 4, n), generator.normal(size=n)
    logits = np.stack([1.5 * number, 0.8 * kind - 1.5, -number * (kind > 1)], 1)
    x = (logits + generator.gumbel(size=logits.shape)).argmax(1)
    y = generator.poisson(np.exp(0.3 + 0.6 * number + 0.4 * kind * (number > 0)))
    return x, y.astype(float), np.stack([kind, number], 1)


def _show_mixed_cause(x: Array, y: Array, z: Array) -> tuple[Any, ...]:
    kind = _words(z[:, 0], "bus", "car", "train", "walk")
    return _words(x, "early", "late", "on time"), y, pd.DataFrame({"kind": kind, "number": z[:, 1]})


def _five_causes(generator: np.random.Generator, n: int) -> Array:
    return 0.5 * generator.normal(size=(n, 1)) + 0.75**0.5 * generator.normal(size=(n, 5))


def _wide_cause(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = _five_causes(generator, n)
    e, u = 0.5 * generator.normal(size=(2, n))
    return z[:, 0] + z[:, 1] * z[:, 2] + e, z[:, 0] + abs(z[:, 3]) + u, z


def _heavy_chain(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    x = generator.normal(size=(n, 2))
    z = x.sum(1) + 0.4 * generator.logistic(size=n)
    return x, 0.8 * z + 0.5 * generator.standard_t(3, n), z


def _chain_by_stage(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    x = generator.normal(size=(n, 2))
    z = np.searchsorted([-1.0, 0.2, 1.3], x[:, 0] + 0.5 * x[:, 1] ** 2 - 0.4 + 0.4 * generator.normal(size=n))
    return x, np.array([0.0, 1.0, 3.0, 2.0])[z] + generator.laplace(0, 0.5, n), z


def _near_function(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.normal(size=n)
    return np.tanh(z) + 0.05 * generator.normal(size=n), z**2 + 0.5 * generator.normal(size=n), z


def _direct(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.normal(size=(n, 3))
    x = np.stack([z[:, 0] + z[:, 1], z[:, 2] - 0.5 * z[:, 0]], 1) + generator.normal(size=(n, 2))
    return x, 0.7 * x[:, 0] - 0.5 * x[:, 1] + z[:, 0] + z[:, 1] + 0.8 * generator.normal(size=n), z


_FIRST, _SECOND = 0.8, 0.5  # scales of Laplace noise


def _direct_laplace(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.normal(size=(n, 2))
    x = 2 * z[:, 0] + generator.laplace(0, _FIRST, n)
    return x, x - z[:, 0] ** 2 + z[:, 1] + generator.laplace(0, _SECOND, n), z


def _direct_laplace_ratio(x: Array, y: Array, z: Array) -> Array:
    """The density of a sum of two Laplace variables is in closed form."""
    last = y + z[:, 0] ** 2 - z[:, 1]
    both = abs(last - 2 * z[:, 0])
    given_z = _FIRST * np.exp(-both / _FIRST) - _SECOND * np.exp(-both / _SECOND)
    return stats.laplace.logpdf(last - x, 0, _SECOND) - np.log(given_z / (2 * (_FIRST**2 - _SECOND**2)))


_LOADINGS = np.array([0.6, -0.4, 0.3, 0.5, -0.2])


def _sine_beside_five(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = _five_causes(generator, n)
    x = z @ _LOADINGS + 0.8 * generator.normal(size=n)
    return x, 1.5 * np.sin(1.5 * x) + z[:, 0] * z[:, 1] + 0.4 * generator.normal(size=n), z


def _sine_beside_five_ratio(x: Array, y: Array, z: Array) -> Array:
    left, center = y - z[:, 0] * z[:, 1], z @ _LOADINGS
    given_z = _over_normal(lambda e: _normal(left[:, None] - 1.5 * np.sin(1.5 * (center[:, None] + 0.8 * e)), 0.4))
    return _normal(left - 1.5 * np.sin(1.5 * x), 0.4) - given_z


_SHIFT = np.array([-0.8, 0.0, 1.0])


def _two_outcomes(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    """The first outcome depends on z alone."""
    kind, number = generator.integers(0, 3, n), generator.normal(size=n)
    x = 0.5 * number + _SHIFT[kind] + 0.7 * generator.normal(size=n)
    first = number + 0.5 * generator.standard_t(4, n)
    second = 0.7 * x**2 - _SHIFT[kind] + 0.5 * generator.normal(size=n)
    return x, np.stack([first, second], 1), np.stack([kind, number], 1)


def _two_outcomes_ratio(x: Array, y: Array, z: Array) -> Array:
    shift = _SHIFT[z[:, 0].astype(int)]
    left, center = y[:, 1] + shift, 0.5 * z[:, 1] + shift
    given_z = _over_normal(lambda e: _normal(left[:, None] - 0.7 * (center[:, None] + 0.7 * e) ** 2, 0.5))
    return _normal(left - 0.7 * x**2, 0.5) - given_z


def _label_and_number(number: str, *words: str) -> Callable[..., tuple[Any, ...]]:
    """Shows z as a table of a label and a number of that name."""
    return lambda x, y, z: (x, y, pd.DataFrame({"group": _words(z[:, 0], *words), number: z[:, 1]}))


def _poisson(y: Array, log_rate: Array) -> Array:
    return y * log_rate - np.exp(log_rate) - gammaln(y + 1)


def _exposed(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    """The exposure and an idle column; x is larger where the exposure is."""
    log_exposure = generator.normal(0.5, 0.7, n)
    x = 0.6 * log_exposure + 0.8 * generator.normal(size=n)
    y = generator.poisson(np.exp(log_exposure + 0.7 * x))
    return x, y.astype(float), np.stack([np.exp(log_exposure), generator.normal(size=n)], 1)


def _exposed_ratio(x: Array, y: Array, z: Array) -> Array:
    size = np.log(z[:, 0])
    given_z = _over_normal(lambda e: _poisson(y[:, None], 1.42 * size[:, None] + 0.56 * e))
    return _poisson(y, size + 0.7 * x) - given_z


_WORD_SLOPES = np.array([-2.0, 0.0, 2.5])


def _log_word(z: Array) -> Array:
    """The log-probabilities of three words given the first column of z."""
    return log_softmax(np.stack([-z[:, 0], 0 * z[:, 0], z[:, 0]], 1), 1)


def _word_and_number(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.normal(size=(n, 2))
    word = (_log_word(z) + generator.gumbel(size=(n, 3))).argmax(1)
    number = 0.7 * z[:, 0] + 0.7 * generator.normal(size=n)
    y = generator.uniform(size=n) < expit(_WORD_SLOPES[word] * number + z[:, 0] - 0.5)
    return np.stack([word, number], 1), y, z


def _word_and_number_ratio(x: Array, y: Array, z: Array) -> Array:
    sign, shift = np.where(y, -1, 1), z[:, 0] - 0.5

    def log_probability(slope: Any, number: Array) -> Array:
        s, c = (sign, shift) if number.ndim == 1 else (sign[:, None], shift[:, None])
        return -np.logaddexp(0, s * (slope * number + c))

    numbers = 0.7 * z[:, :1] + 0.7 * _NODES
    each = [logsumexp(log_probability(slope, numbers) + _LOG_WEIGHTS, 1) for slope in _WORD_SLOPES]
    given_z = logsumexp(_log_word(z) + np.stack(each, 1), 1)
    return log_probability(_WORD_SLOPES[x[:, 0].astype(int)], x[:, 1]) - given_z


def _show_word_and_number(x: Array, y: Array, z: Array) -> tuple[Any, ...]:
    plan = _words(x[:, 0], "basic", "free", "team")
    return pd.DataFrame({"plan": plan, "number": x[:, 1]}), _words(y, "left", "stayed"), z


_DOSES = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
_DOSE_OF_GROUP = np.array([[0.6, 0.2, 0.1, 0.05, 0.05], [0.2, 0.2, 0.2, 0.2, 0.2], [0.05, 0.1, 0.15, 0.3, 0.4]])
_SLOPE_OF_GROUP, _LEVEL_OF_GROUP = np.array([0.1, 0.9, -0.6]), np.array([0.0, -1.0, 2.0])


def _dosed(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.choice(3, n, p=[0.3, 0.4, 0.3])
    dose = (np.log(_DOSE_OF_GROUP)[z] + generator.gumbel(size=(n, 5))).argmax(1)
    y = _LEVEL_OF_GROUP[z] + _SLOPE_OF_GROUP[z] * np.sqrt(_DOSES[dose]) + 0.5 * generator.normal(size=n)
    return _DOSES[dose], y, z


def _dosed_ratio(x: Array, y: Array, z: Array) -> Array:
    left = y - _LEVEL_OF_GROUP[z]
    each = _normal(left[:, None] - _SLOPE_OF_GROUP[z][:, None] * np.sqrt(_DOSES), 0.5)
    given_z = logsumexp(each + np.log(_DOSE_OF_GROUP)[z], 1)
    return _normal(left - _SLOPE_OF_GROUP[z] * np.sqrt(x), 0.5) - given_z


_EFFECTS = np.array([0.0, 0.8, 2.0])


def _dosed_by_age(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    group, age = generator.integers(0, 3, n), generator.uniform(20, 80, n)
    x = 0.03 * (age - 50) + 0.6 * generator.normal(size=n)
    y = _EFFECTS[group] * x + 0.05 * (age - 50) + 0.5 * generator.normal(size=n)
    return x, y, np.stack([group, age], 1)


def _hidden_part(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    """What z does not tell about x is small, and y follows it."""
    z, e, u = generator.normal(size=(3, n))
    return np.sin(2 * z) + 0.15 * e, z + 0.8 * e + 0.6 * u, z


_PRODUCTS = np.linspace(0, 60, 12_001)  # sizes of z, between which its log density is interpolated


def _product_collider(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    x, y, e = generator.normal(size=(3, n))
    return x, y, x * y + 0.3 * e


def _product_collider_ratio(x: Array, y: Array, z: Array) -> Array:
    """The log-ratio of p(z|x,y) p(z) and p(z|x) p(z|y), for x and y are independent."""
    marginal = _over_normal(lambda e: _normal(_PRODUCTS[:, None], np.sqrt(e**2 + 0.09)))
    given_one = [_normal(z, np.sqrt(one**2 + 0.09)) for one in (x, y)]
    return _normal(z - x * y, 0.3) + np.interp(abs(z), _PRODUCTS, marginal) - given_one[0] - given_one[1]


def _exclusive_or(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    x, y = generator.integers(0, 2, (2, n))
    return x, y, x ^ y ^ (generator.uniform(size=n) < 0.1)


def _sign_collider(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    x, y = generator.normal(size=(n, 3)), generator.normal(size=n)
    return x, y, (x[:, 0] * y > 0) ^ (generator.uniform(size=n) < 0.15)


def _flipped(share: float) -> float:
    """What a fair bit shares with its copy that is flipped at random."""
    return float(np.log(2) + share * np.log(share) + (1 - share) * np.log(1 - share))


_STAGE = np.array([0.4, 0.3, 0.2, 0.1])
_TREATED = np.array([0.15, 0.35, 0.6, 0.85])  # in each stage
_COURSE = softmax(  # worse, alike, well: by stage, without and with treatment
    [[[0, 1, 3], [0, 1, 3]], [[0, 1, 1], [0, 1, 2.5]], [[1, 1, 0], [0, 1, 2]], [[3, 1, 0], [1, 1.5, 1]]], 2
)


def _patients(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    z = generator.choice(4, n, p=_STAGE)
    x = (generator.uniform(size=n) < _TREATED[z]).astype(int)
    return x, (np.log(_COURSE)[z, x] + generator.gumbel(size=(n, 3))).argmax(1), z


def _counted() -> float:
    """The information of treatment and course given the stage, by all probabilities."""
    treatment = np.stack([1 - _TREATED, _TREATED], 1)
    course = (treatment[:, :, None] * _COURSE).sum(1, keepdims=True)
    return float((_STAGE[:, None, None] * treatment[:, :, None] * _COURSE * np.log(_COURSE / course)).sum())


def _show_patients(x: Array, y: Array, z: Array) -> tuple[Any, ...]:
    return _words(x, "no", "yes"), _words(y, "worse", "alike", "well"), _words(z, "I", "II", "III", "IV")


def _linear_series(process: VectorAutoregression) -> Callable[[np.random.Generator, int], tuple[Array, ...]]:
    def draw(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
        x, y = process.sample(n, torch.Generator().manual_seed(int(generator.integers(2**31))))
        return x.numpy(), y.numpy()

    return draw


_DRIVEN = VectorAutoregression(
    torch.tensor([[0.6, 0.2, 0.0], [-0.3, 0.5, 0.0], [0.5, -0.4, 0.5]], dtype=torch.float64), 2
)
_DRIVES = VectorAutoregression(torch.tensor([[0.5, 0.8], [0.0, 0.6]], dtype=torch.float64), 1)  # y drives x
_BURN = 100
_LEGENDRE, _LEGENDRE_WEIGHT = np.polynomial.legendre.leggauss(100)


def _push(x: Any, last: Any) -> Any:
    """What x adds to the next y: another sign and size where y is negative."""
    return np.tanh(3 * x) * np.where(last > 0, 1.2, -0.5)


def _threshold_series(generator: np.random.Generator, n: int) -> tuple[Array, ...]:
    """White noise x, and a process y whose response to the last x depends on the last y."""
    x, u = generator.uniform(-1, 1, n + _BURN), generator.normal(size=n + _BURN)
    high, low = (_push(x, sign) for sign in (1.0, -1.0))
    y = np.zeros(n + _BURN)
    for t in range(1, n + _BURN):
        last = y[t - 1]
        y[t] = 0.5 * last + (high if last > 0 else low)[t - 1] + 0.4 * u[t]
    return x[_BURN:], y[_BURN:]


def _threshold_series_ratio(x: Array, y: Array) -> Array:
    past, last, left = x[:-1], y[:-1], y[1:] - 0.5 * y[:-1]
    each = _normal(left[:, None] - _push(_LEGENDRE, last[:, None]), 0.4)
    return _normal(left - _push(past, last), 0.4) - logsumexp(each + np.log(_LEGENDRE_WEIGHT / 2), 1)


RELATIONS: dict[str, Triple] = {
    "common cause, linear": Triple(_gaussian_cause, 0.0),
    "common cause, curves": Triple(_curved_cause, 0.0),
    "common cause, a label": Triple(_label_cause, 0.0, lambda x, y, z: (x, y, _words(z, *_CITIES))),
    "common cause, a label and a number": Triple(_mixed_cause, 0.0, _show_mixed_cause),
    "common causes, five": Triple(_wide_cause, 0.0),
    "mediation, heavy tails": Triple(_heavy_chain, 0.0),
    "mediation by a label": Triple(_chain_by_stage, 0.0, lambda x, y, z: (x, y, _words(z, "a", "b", "c", "d"))),
    "x nearly a function of z": Triple(_near_function, 0.0),
    "x nearly a function of z, y of the rest": Triple(_hidden_part, np.log(1 / 0.36) / 2),
    "direct effect of two beside three, linear": Triple(_direct, np.log1p((0.7**2 + 0.5**2) / 0.8**2) / 2),
    "direct effect, Laplace": Triple(_direct_laplace, _direct_laplace_ratio),
    "direct effect beside five, sine": Triple(_sine_beside_five, _sine_beside_five_ratio),
    "direct effect on one of two outcomes": Triple(
        _two_outcomes, _two_outcomes_ratio, _label_and_number("income", "north", "south", "west")
    ),
    "direct effect on a count, exposure": Triple(_exposed, _exposed_ratio),
    "direct effect on a label, word and number": Triple(
        _word_and_number, _word_and_number_ratio, _show_word_and_number
    ),
    "dose by group": Triple(
        _dosed, _dosed_ratio, lambda x, y, z: (x, y, _words(z, "control", "mild", "severe"))
    ),
    "dose by group and age": Triple(
        _dosed_by_age, float(np.log1p(_EFFECTS**2 * 0.36 / 0.25).mean() / 2),
        _label_and_number("age", "placebo", "half", "full"),
    ),
    "collider, product": Triple(_product_collider, _product_collider_ratio),
    "collider, exclusive or": Triple(
        _exclusive_or, _flipped(0.1), lambda *each: tuple(_words(one, "no", "yes") for one in each)
    ),
    "collider, label of a sign": Triple(
        _sign_collider, _flipped(0.15), lambda x, y, z: (x, y, _words(z, "minus", "plus"))
    ),
    "three labels": Triple(_patients, _counted(), _show_patients),
    "series, linear": Triple(
        _linear_series(_DRIVEN), _DRIVEN.transfer_entropy(history=2), verb="transfer_entropy", settings={"history": 2}
    ),
    "series, threshold": Triple(_threshold_series, _threshold_series_ratio, verb="transfer_entropy"),
    "series, only the other way": Triple(_linear_series(_DRIVES), 0.0, verb="transfer_entropy"),
}  # fmt: skip
