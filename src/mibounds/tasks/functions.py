"""Functions of one or two columns for regression tasks, from smooth ones to steps.

>>> import torch
>>> STEPS, STEPS(torch.tensor([[0.7], [-0.2]]))
(steps, tensor([ 0.5000, -0.5000]))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "ABSOLUTE",
    "BUMPS",
    "FAST_SINE",
    "LINEAR",
    "LOG_ABSOLUTE",
    "MAXIMUM",
    "PRODUCT",
    "RIPPLE",
    "ROOT",
    "SAW",
    "SIGMOID",
    "SINE",
    "SPREAD",
    "SQUARE",
    "STEPS",
    "ZERO",
    "Function",
]


@dataclass(frozen=True)
class Function:
    """A function of the first columns of a row.

    Arguments:
        name: the repr.
        columns: how many it takes.
        call: (..., columns) to (...).

    Example:
        >>> PRODUCT(torch.tensor([2.0, 3.0, 9.0]))
        tensor(6.)
    """

    name: str
    columns: int
    call: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """The values (...) at rows x (..., D), which may have more columns."""
        return self.call(x[..., : self.columns])

    def __repr__(self) -> str:
        return self.name


def _linear(x: Tensor) -> Tensor:
    return x[..., 0]


def _zero(x: Tensor) -> Tensor:
    return torch.zeros_like(x[..., 0])


def _sine(x: Tensor) -> Tensor:
    return (2 * x[..., 0]).sin()


def _fast_sine(x: Tensor) -> Tensor:
    return (6 * x[..., 0]).sin()


def _product(x: Tensor) -> Tensor:
    return x[..., 0] * x[..., 1]


def _ripple(x: Tensor) -> Tensor:
    return (3 * x[..., 0]).cos() * x[..., 1]


def _maximum(x: Tensor) -> Tensor:
    return torch.maximum(x[..., 0], x[..., 1])


def _square(x: Tensor) -> Tensor:
    return x[..., 0].square()


def _absolute(x: Tensor) -> Tensor:
    return x[..., 0].abs()


def _log_absolute(x: Tensor) -> Tensor:
    return x[..., 0].abs().clamp(min=1e-12).log()


def _steps(x: Tensor) -> Tensor:
    return (2 * x[..., 0]).floor() / 2


def _saw(x: Tensor) -> Tensor:
    return x[..., 0] - x[..., 0].floor()


def _sigmoid(x: Tensor) -> Tensor:
    return (4 * x[..., 0]).sigmoid()


def _root(x: Tensor) -> Tensor:
    return x[..., 0].sign() * x[..., 0].abs().sqrt()


def _bumps(x: Tensor) -> Tensor:
    centers, heights = x.new_tensor([-1.5, -0.7, 0.0, 0.4, 1.3]), x.new_tensor([1.0, -0.8, 1.5, -1.0, 0.7])
    return (heights * torch.exp(-(((x - centers) / 0.2) ** 2))).sum(-1)


def _spread(x: Tensor) -> Tensor:
    return 0.2 + 0.5 * x[..., 0].abs()


LINEAR = Function("linear", 1, _linear)
"""x."""
ZERO = Function("zero", 1, _zero)
"""0: what y depends on is the scale of its noise."""
SINE = Function("sine", 1, _sine)
"""sin(2x)."""
FAST_SINE = Function("fast sine", 1, _fast_sine)
"""sin(6x)."""
PRODUCT = Function("product", 2, _product)
"""x1 x2: neither column alone correlates."""
RIPPLE = Function("ripple", 2, _ripple)
"""cos(3 x1) x2."""
MAXIMUM = Function("maximum", 2, _maximum)
"""max(x1, x2)."""
SQUARE = Function("square", 1, _square)
"""x squared."""
ABSOLUTE = Function("absolute", 1, _absolute)
"""|x|."""
LOG_ABSOLUTE = Function("log absolute", 1, _log_absolute)
"""ln |x|: after `EXP`, noise multiplies |x|."""
STEPS = Function("steps", 1, _steps)
"""floor(2x)/2."""
SAW = Function("saw", 1, _saw)
"""x - floor(x)."""
SIGMOID = Function("sigmoid", 1, _sigmoid)
"""1/(1 + exp(-4x))."""
ROOT = Function("root", 1, _root)
"""The square root of |x| with the sign of x, of infinite slope at 0."""
BUMPS = Function("bumps", 1, _bumps)
"""Five narrow bumps of both signs."""
SPREAD = Function("spread", 1, _spread)
"""0.2 + 0.5 |x|: a scale of noise."""
