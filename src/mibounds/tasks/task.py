"""The interface of tasks: samplers with known mutual information."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

__all__ = ["Task"]


class Task(ABC):
    """A joint distribution of (X, Y) with known mutual information. Write it as a frozen dataclass; its repr is its
    name."""

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """N independent pairs in float32: x (n, D_x) and y (n, D_y); images are (n, 1, H, W), sequences
        (n, T, D), labels (n, 1). Labels and counts may be int64."""

    @property
    @abstractmethod
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""

    @property
    def standard_error(self) -> float:
        """Standard error of `mutual_information` in nats: 0 where it is exact, positive for a Monte Carlo mean."""
        return 0.0

    @property
    def integer_columns(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Columns of x and of y that hold whole numbers, such as codes of categories: a table has them as integers.
        Variables that are int64 as a whole, such as labels, need not be named."""
        return (), ()

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        """Log p(x,y)/(p(x)p(y)) of x (..., D_x) and y (..., D_y) that broadcast against each other, (...)."""
        raise NotImplementedError(f"{self!r} has no log-ratio in closed form.")
