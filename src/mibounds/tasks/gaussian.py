"""Gaussian tasks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks.task import Task

__all__ = ["CorrelatedGaussian"]


@dataclass(frozen=True)
class CorrelatedGaussian(Task):
    r"""Two standard Gaussian vectors whose coordinates are correlated in pairs, the field's yardstick.

    .. math:: I(X;Y) = -\tfrac{d}{2} \ln(1 - \rho^2)

    Arguments:
        dim: d, columns of x and of y.
        rho: correlation of x_k and y_k, strictly between -1 and 1.

    Example:
        >>> round(CorrelatedGaussian(20, 0.5).mutual_information, 3)
        2.877
    """

    dim: int
    rho: float

    def __post_init__(self) -> None:
        check_at_least("dim", self.dim, 1)
        if not -1 < self.rho < 1:
            raise ValueError(
                f"rho is {self.rho!r}, and must lie strictly between -1 and 1: at +-1 the information is infinite."
            )

    @classmethod
    def with_information(cls, dim: int, information: float) -> CorrelatedGaussian:
        """The task of that many nats: rho = sqrt(1 - exp(-2 I/d))."""
        return cls(dim, math.sqrt(-math.expm1(-2 * information / dim)))

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, self.dim, generator=generator)
        noise = torch.randn(n, self.dim, generator=generator)
        return x, self.rho * x + math.sqrt(1 - self.rho**2) * noise

    @property
    def mutual_information(self) -> float:
        return -self.dim / 2 * math.log1p(-(self.rho**2))

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        square = self.rho**2
        quadratic = square * (x.square() + y.square()) - 2 * self.rho * x * y
        return self.mutual_information - quadratic.sum(-1) / (2 * (1 - square))
