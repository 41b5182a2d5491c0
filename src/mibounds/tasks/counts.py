"""Counts y whose rate depends on x."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks._quadrature import draw_inputs, value_nodes
from mibounds.tasks.functions import Function
from mibounds.tasks.task import Task

__all__ = ["Counts"]

_NODES = 500  # of the rate
_MOST = 40_000  # counts in a table
_DEVIATIONS = 8  # standard deviations above the largest rate that the table holds


@dataclass(frozen=True)
class Counts(Task):
    r"""A count Y, Poisson, negative binomial or zero-inflated, whose rate is exp(a + b f(X)).

    .. math:: Y \mid X \sim \pi \delta_0 + (1 - \pi)\, \mathrm{NB}(\lambda(X), k),
              \quad I(X;Y) = E \sum_y p(y \mid X) \ln \frac{p(y \mid X)}{p(y)}

    The negative binomial has mean lambda and variance lambda + lambda^2/k; without k it is the Poisson distribution.
    The sum over y is exact, and the average over x is by the midpoint rule.

    Arguments:
        function: f, of `mibounds.tasks.functions`.
        log_rate: a.
        effect: b.
        dispersion: k, above 0; None is infinite.
        zeros: pi, the probability of a zero that is none of the distribution's.
        idle: columns of x that y does not depend on, at least 0.
        inputs: "normal", standard, or "uniform" between -2 and 2: the distribution of every column of x.

    Example:
        >>> from mibounds.tasks.functions import ZERO
        >>> abs(Counts(ZERO).mutual_information) < 1e-9  # the rate is constant
        True
    """

    function: Function
    log_rate: float = 1.0
    effect: float = 1.0
    dispersion: float | None = None
    zeros: float = 0.0
    idle: int = 0
    inputs: str = "normal"

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        if not 0 <= self.zeros < 1:
            raise ValueError(f"zeros is {self.zeros!r}, and must be at least 0 and below 1.")
        if self.dispersion is not None and not 0 < self.dispersion < math.inf:
            raise ValueError(f"dispersion is {self.dispersion!r}, and must be positive and finite, or None.")

    def __repr__(self) -> str:
        rate = f"exp({self.log_rate} + {self.effect} {self.function!r})"
        kind = "Poisson" if self.dispersion is None else f"dispersion={self.dispersion}"
        zeros = f", zeros={self.zeros}" if self.zeros else ""
        return f"Counts({rate}, {kind}{zeros}, idle={self.idle}{'' if self.inputs == 'normal' else ', uniform'})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = draw_inputs(self.inputs, n, self.function.columns + self.idle, generator)
        # The samplers of torch that are needed take no generator, so NumPy's is seeded from it.
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        rate = self._rate(x).numpy()
        if self.dispersion is not None:
            rate = rate * rng.gamma(self.dispersion, 1 / self.dispersion, n)
        counts = rng.poisson(rate) * (rng.random(n) >= self.zeros)
        return x, torch.from_numpy(counts)[:, None]

    @cached_property
    def mutual_information(self) -> float:
        rates, weights = self._rates
        given = self._log_table(rates)
        return float(weights @ (given.exp() * (given - self._log_counts)).sum(1))

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        count = y[..., 0].double()
        marginal = self._log_counts[y[..., 0].long().clamp(max=len(self._log_counts) - 1)]
        return (self._log_probability(count, self._rate(x)) - marginal).to(x.dtype)

    def _rate(self, x: Tensor) -> Tensor:
        return (self.log_rate + self.effect * self.function(x.double())).exp()

    def _log_probability(self, count: Tensor, rate: Tensor) -> Tensor:
        log_rate = rate.log()
        if self.dispersion is None:
            given = count * log_rate - rate - torch.lgamma(count + 1)
        else:
            k = self.dispersion
            binomial = torch.lgamma(count + k) - torch.lgamma(count + 1) - math.lgamma(k)
            given = binomial + k * math.log(k) + count * log_rate - (count + k) * torch.log(rate + k)
        if not self.zeros:
            return given
        given = given + math.log1p(-self.zeros)
        zero = torch.logaddexp(given, torch.full_like(given, math.log(self.zeros)))
        return torch.where(count == 0, zero, given)

    def _log_table(self, rate: Tensor) -> Tensor:
        return self._log_probability(torch.arange(self._counts, dtype=torch.float64), rate[:, None])

    @cached_property
    def _rates(self) -> tuple[Tensor, Tensor]:
        """Nodes and weights."""
        values, weights = value_nodes(self.function, self.inputs, self.function.columns, _NODES)
        return (self.log_rate + self.effect * values).exp(), weights

    @cached_property
    def _counts(self) -> int:
        """Counts in the table: all that the largest rate gives."""
        rate = float(self._rates[0].max())
        spread = math.sqrt(rate + (0 if self.dispersion is None else rate**2 / self.dispersion))
        return min(_MOST, math.ceil(rate + _DEVIATIONS * (1 + spread)))

    @cached_property
    def _log_counts(self) -> Tensor:
        """The logarithm ln p(y) of 0, 1, ..."""
        rates, weights = self._rates
        return (self._log_table(rates) + weights.log()[:, None]).logsumexp(0)
