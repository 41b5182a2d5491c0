"""Tasks with uniform noise, whose densities have bounded supports."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks.task import Task

__all__ = ["AdditiveUniformNoise", "UniformDiscrete"]


@dataclass(frozen=True)
class AdditiveUniformNoise(Task):
    r"""X uniform on (0, 1), and Y = X + U with U uniform on (-e, e).

    .. math:: I(X;Y) = e - \ln 2e \text{ for } e \le \tfrac{1}{2}, \qquad \tfrac{1}{4e} \text{ otherwise}

    The log-ratio is minus infinity outside of a band: critics smooth its edges, and estimates are a little too low.

    References:
        Czyż et al., Beyond normal, 2023, arXiv:2306.11078, additive noise.

    Arguments:
        noise: e, half the width of the noise, above 0.

    Example:
        >>> round(AdditiveUniformNoise(0.1).mutual_information, 4)
        1.7094
    """

    noise: float

    def __post_init__(self) -> None:
        if not 0 < self.noise < math.inf:
            raise ValueError(
                f"noise is {self.noise!r}, and must be positive and finite: at 0 the information is infinite."
            )

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x, u = torch.rand(2, n, 1, generator=generator)
        return x, x + self.noise * (2 * u - 1)

    @property
    def mutual_information(self) -> float:
        e = self.noise
        return e - math.log(2 * e) if e <= 0.5 else 1 / (4 * e)

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        e, left, right = self.noise, x[..., 0].double(), y[..., 0].double()
        overlap = (right + e).clamp(max=1) - (right - e).clamp(min=0)  # p(y) is this over 2e
        inside = (right - left).abs() <= e + 1e-6  # y was rounded to float32
        return torch.where(inside, -overlap.clamp(min=1e-12).log(), -math.inf).to(x.dtype)


@dataclass(frozen=True)
class UniformDiscrete(Task):
    r"""A discrete X and a continuous Y: X uniform on {0, ..., m - 1}, and Y uniform on [X, X + 2].

    .. math:: I(X;Y) = \ln m - \frac{m - 1}{m} \ln 2

    Nearest-neighbor estimators for continuous data fail on it, because distances in x are often 0.

    References:
        Gao, Kannan, Oh and Viswanath, Estimating mutual information for discrete-continuous mixtures, 2017,
        arXiv:1709.06212, the experiment of a discrete x and a continuous y.

    Arguments:
        symbols: m, at least 1.

    Example:
        >>> round(UniformDiscrete(5).mutual_information, 4)
        1.0549
    """

    symbols: int

    def __post_init__(self) -> None:
        check_at_least("symbols", self.symbols, 1)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = torch.randint(self.symbols, (n, 1), generator=generator).float()
        return x, x + 2 * torch.rand(n, 1, generator=generator)

    @property
    def mutual_information(self) -> float:
        return math.log(self.symbols) - (self.symbols - 1) / self.symbols * math.log(2)

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        gap, y = (y - x)[..., 0], y[..., 0]
        sources = torch.where((y >= 1) & (y < self.symbols), 2.0, 1.0)  # symbols that can give this y
        inside = (gap >= 0) & (gap <= 2)
        return torch.where(inside, math.log(self.symbols) - sources.log(), -math.inf).to(x.dtype)
