"""Waiting times y whose hazard depends on x, complete or censored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks._quadrature import LogTable, average_density, draw_inputs, value_nodes
from mibounds.tasks.functions import Function
from mibounds.tasks.task import Task

__all__ = ["WaitingTime"]

_NODES = 600
_POINTS = 2000
_REACH = (-24.0, 4.0)  # of the logarithm of a standard exponential time
_ATOM = 1e-5  # relative distance within which a time is the limit


@dataclass(frozen=True)
class WaitingTime(Task):
    r"""A time Y = (E exp(-b f(X)))^{1/k} with E standard exponential: Weibull of shape k, whose hazard depends on X.

    .. math:: P(Y > t \mid X) = \exp\bigl(-t^k e^{b f(X)}\bigr), \qquad
              I(X;Y) = E \ln \frac{p(Y \mid X)}{E_{X'} p(Y \mid X')}

    With a `limit`, observation ends then: y is the smaller of both, with an atom at the limit. With a `dropout` rate,
    it ends at an independent exponential time, and y has two columns, the time and whether the event happened; the
    information of a time that was not observed is that of the survival function. The average over x is by the midpoint
    rule, on a grid of log times.

    Arguments:
        function: f, of `mibounds.tasks.functions`.
        effect: b.
        shape: k, above 0; 1 is the exponential time.
        limit: end of the observation, above 0, or None.
        dropout: rate of independent censoring, above 0, or None.
        idle: columns of x that y does not depend on, at least 0.

    Raises:
        ValueError: if a number is out of range, or both a limit and a dropout are given.

    Example:
        >>> from mibounds.tasks.functions import LINEAR
        >>> whole, censored = WaitingTime(LINEAR), WaitingTime(LINEAR, limit=1.0)
        >>> whole.mutual_information > censored.mutual_information > 0
        True
    """

    function: Function
    effect: float = 1.0
    shape: float = 1.0
    limit: float | None = None
    dropout: float | None = None
    idle: int = 0

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        for name in ("shape", "limit", "dropout"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} is {value!r}, and must be positive and finite.")
        if self.limit is not None and self.dropout is not None:
            raise ValueError("limit and dropout are both given: give one of them.")

    def __repr__(self) -> str:
        ends = "".join(
            f", {name}={getattr(self, name)}" for name in ("limit", "dropout") if getattr(self, name) is not None
        )
        return f"WaitingTime({self.effect} {self.function!r}, shape={self.shape}{ends}, idle={self.idle})"

    @property
    def integer_columns(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return ((), ()) if self.dropout is None else ((), (1,))

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = draw_inputs("normal", n, self.function.columns + self.idle, generator)
        u = torch.rand(2, n, generator=generator, dtype=torch.float64).clamp(1e-16, 1 - 1e-16)
        time = ((-u[0].log()).log() - self._risk(x)).div(self.shape).exp()
        if self.dropout is not None:
            end = -u[1].log() / self.dropout
            return x, torch.stack([torch.minimum(time, end), (time <= end).double()], 1).float()
        return x, time.clamp(max=math.inf if self.limit is None else self.limit)[:, None].float()

    @cached_property
    def mutual_information(self) -> float:
        (risk, weights), (density, survival) = self._risks, self._tables
        log_time = density.low + density.step * torch.arange(_POINTS, dtype=torch.float64)
        events = survivors = log_time.new_zeros(_POINTS)
        for one, weight in zip(torch.split(risk, 200), torch.split(weights, 200), strict=True):
            given, staying = self._log_density(log_time[:, None], one), self._log_survival(log_time[:, None], one)
            events = events + (given.exp() * (given - density.values[:, None])) @ weight
            survivors = survivors + (staying.exp() * (staying - survival.values[:, None])) @ weight
        if self.dropout is not None:
            exposure = self.dropout * log_time.exp()
            events = events * torch.exp(-exposure) + survivors * exposure * torch.exp(-exposure)
        total = float(torch.trapezoid(events, dx=density.step))
        return total if self.limit is None else total + float(survivors[-1])

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        density, survival = self._tables
        log_time, risk = y[..., 0].double().log(), self._risk(x)
        event = self._log_density(log_time, risk) - density(log_time)
        survived = self._log_survival(log_time, risk) - survival(log_time)
        if self.dropout is not None:
            return torch.where(y[..., 1] > 0.5, event, survived).to(x.dtype)
        if self.limit is not None:
            return torch.where(y[..., 0] < self.limit * (1 - _ATOM), event, survived).to(x.dtype)
        return event.to(x.dtype)

    def _risk(self, x: Tensor) -> Tensor:
        return self.effect * self.function(x.double())

    def _log_survival(self, log_time: Tensor, risk: Tensor) -> Tensor:
        return -(self.shape * log_time + risk).exp()

    def _log_density(self, log_time: Tensor, risk: Tensor) -> Tensor:
        """Of the logarithm of the time."""
        whole = self.shape * log_time + risk
        return math.log(self.shape) + whole - whole.exp()

    @cached_property
    def _risks(self) -> tuple[Tensor, Tensor]:
        """Nodes and weights."""
        values, weights = value_nodes(self.function, "normal", self.function.columns, _NODES)
        return self.effect * values, weights

    @cached_property
    def _tables(self) -> tuple[LogTable, LogTable]:
        """Log density and log survival function of the log time, averaged over x."""
        risk, weights = self._risks
        low = (_REACH[0] - float(risk.max())) / self.shape
        high = (_REACH[1] - float(risk.min())) / self.shape if self.limit is None else math.log(self.limit)
        density, survival = (
            average_density(lambda v, of=of: of(v, risk), weights, low, high, _POINTS)  # type: ignore[misc]
            for of in (self._log_density, self._log_survival)
        )
        return density, survival
