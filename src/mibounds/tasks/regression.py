"""Regression tasks: one column of y is a function of some columns of x plus noise, and other columns are idle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mibounds._checks import check_at_least, check_choice
from mibounds.tasks._quadrature import (
    INPUTS,
    LogTable,
    average_density,
    convolved_density,
    draw_inputs,
    entropy,
    input_nodes,
)
from mibounds.tasks.functions import Function
from mibounds.tasks.noises import Noise
from mibounds.tasks.task import Task

__all__ = ["Regression"]

_NODES, _POINTS = 1000, 3000  # of x and of y, where the scale of the noise varies


@dataclass(frozen=True)
class Regression(Task):
    r"""Y = f(X) + s(X) E: a function of the first columns of x plus noise; the other columns of x are idle.

    .. math:: I(X;Y) = h(Y) - h(E) - E \ln s(X), \qquad p(y) = E\, p(y \mid X)

    The density of y is an average over x, by the midpoint rule over the columns that matter. Trees do well where f has
    steps, networks where it is smooth; idle columns hide the others from methods of nearest neighbors.

    Arguments:
        function: f, of `mibounds.tasks.functions`.
        noise: the distribution of E, of `mibounds.tasks.noises`.
        idle: columns of x that y does not depend on, at least 0.
        inputs: "normal", standard, or "uniform" between -2 and 2: the distribution of every column of x.
        scale: s, a positive function of one column, where f is one of one column; None is 1.

    Raises:
        ValueError: if `inputs` is unknown, `idle` negative, or `scale` given with a function of several columns.

    Example:
        >>> from mibounds.tasks.functions import LINEAR
        >>> from mibounds.tasks.noises import Normal
        >>> round(Regression(LINEAR, Normal(0.75)).mutual_information, 4)  # ln(1 + 1/0.75^2)/2
        0.5108
    """

    function: Function
    noise: Noise
    idle: int = 0
    inputs: str = "normal"
    scale: Function | None = None

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        check_choice("inputs", self.inputs, INPUTS)
        if self.scale is not None and self.function.columns + self.scale.columns > 2:
            raise ValueError(
                f"scale is {self.scale!r} and function {self.function!r}: with a scale, both must take one column."
            )

    def __repr__(self) -> str:
        inputs = "" if self.inputs == "normal" else f", {self.inputs}"
        scale = "" if self.scale is None else f" x {self.scale!r}"
        return f"Regression({self.function!r} + {self.noise!r}{scale}, idle={self.idle}{inputs})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = draw_inputs(self.inputs, n, self.function.columns + self.idle, generator)
        noise = self.noise.sample(n, generator)
        wide = x.double()
        y = self.function(wide) + (noise if self.scale is None else self.scale(wide) * noise)
        return x, y[:, None].float()

    @cached_property
    def mutual_information(self) -> float:
        spread = 0.0
        if self.scale is not None:
            nodes, weights = input_nodes(self.inputs, 1)
            spread = float(weights @ self.scale(nodes).log())
        return entropy(self._density) - self.noise.entropy - spread

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        wide, value = x.double(), y[..., 0].double()
        noise = value - self.function(wide)
        if self.scale is None:
            given = self.noise.log_density(noise)
        else:
            scale = self.scale(wide)
            given = self.noise.log_density(noise / scale) - scale.log()
        return (given - self._density(value)).to(x.dtype)

    @cached_property
    def _density(self) -> LogTable:
        """Log p(y)."""
        if self.scale is None:
            nodes, weights = input_nodes(self.inputs, self.function.columns)
            return convolved_density(self.function(nodes), weights, self.noise.cdf, self.noise.reach)
        nodes, weights = input_nodes(self.inputs, 1, _NODES)
        location, scale = self.function(nodes), self.scale(nodes)
        low, high = ((location + scale * end) for end in self.noise.reach)
        return average_density(
            lambda y: self.noise.log_density((y - location) / scale) - scale.log(),
            weights,
            float(low.min()),
            float(high.max()),
            _POINTS,
        )
