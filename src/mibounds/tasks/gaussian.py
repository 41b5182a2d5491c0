"""Gaussian tasks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks.task import Task

__all__ = ["CorrelatedGaussian", "MultivariateGaussian"]


@dataclass(frozen=True)
class CorrelatedGaussian(Task):
    r"""Two standard Gaussian vectors whose coordinates are correlated in pairs, the standard benchmark.

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
        """The task with this information in nats: rho = sqrt(1 - exp(-2 I/d))."""
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


@dataclass(frozen=True, eq=False)
class MultivariateGaussian(Task):
    r"""A Gaussian vector with any covariance: x is its first coordinates, y the others.

    .. math:: I(X;Y) = \tfrac{1}{2} \ln \frac{|\Sigma_x| |\Sigma_y|}{|\Sigma|}

    The mean is zero without loss of generality. For a nearly singular covariance the determinants, and so the
    information, are inaccurate.

    References:
        Czyż et al., Beyond normal: on the evaluation of mutual information estimators, 2023, arXiv:2306.11078.

    Arguments:
        covariance: (D_x + D_y, D_x + D_y), symmetric and positive definite.
        dim_x: D_x.
        name: description of the covariance in the repr.

    Raises:
        ValueError: if the covariance is not symmetric and positive definite, or leaves no column for x or for y.

    Example:
        >>> round(MultivariateGaussian(torch.tensor([[1.0, 0.75], [0.75, 1.0]]), 1).mutual_information, 4)
        0.4133
    """

    covariance: Tensor
    dim_x: int
    name: str = "covariance"

    def __post_init__(self) -> None:
        shape = tuple(self.covariance.shape)
        if len(shape) != 2 or shape[0] != shape[1] or not 0 < self.dim_x < shape[0]:
            raise ValueError(
                f"covariance has shape {shape} and dim_x is {self.dim_x}: it must be square, with at least "
                "one column for x and one for y."
            )
        if not torch.allclose(self.covariance, self.covariance.T) or torch.linalg.cholesky_ex(self.covariance)[1]:
            raise ValueError("covariance is not symmetric and positive definite: a covariance matrix must be both.")

    @classmethod
    def dense(cls, dim: int, rho: float) -> MultivariateGaussian:
        """All 2 dim coordinates have correlation rho with each other."""
        covariance = torch.full((2 * dim, 2 * dim), rho, dtype=torch.float64).fill_diagonal_(1)
        return cls(covariance, dim, f"dense {rho}")

    @classmethod
    def two_pairs(cls, dim: int, rho: float) -> MultivariateGaussian:
        """Only (x_0, y_0) and (x_1, y_1) are correlated; the other dim - 2 columns of x and of y are noise."""
        check_at_least("dim", dim, 2)
        covariance = torch.eye(2 * dim, dtype=torch.float64)
        for k in range(2):
            covariance[k, dim + k] = covariance[dim + k, k] = rho
        return cls(covariance, dim, f"two pairs {rho}")

    def __repr__(self) -> str:
        return f"MultivariateGaussian({self.dim_x}x{len(self.covariance) - self.dim_x}, {self.name})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        noise = torch.randn(n, len(self.covariance), generator=generator, dtype=torch.float64)
        both = (noise @ torch.linalg.cholesky(self.covariance.double()).T).float()
        return both[:, : self.dim_x], both[:, self.dim_x :]

    @cached_property
    def mutual_information(self) -> float:
        sigma = self.covariance.double()
        parts = sigma[: self.dim_x, : self.dim_x], sigma[self.dim_x :, self.dim_x :], sigma
        log_x, log_y, log_both = (float(torch.logdet(part)) for part in parts)
        return (log_x + log_y - log_both) / 2

    def mahalanobis(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Squared Mahalanobis lengths of x, of y and of (x, y), each (...) in float64."""
        x, y = x.double(), y.double()
        inverse_x, inverse_y, inverse = self._precisions
        cross = (x @ inverse[: self.dim_x, self.dim_x :] * y).sum(-1)
        square_x = _quadratic(x, inverse[: self.dim_x, : self.dim_x])
        square_y = _quadratic(y, inverse[self.dim_x :, self.dim_x :])
        return _quadratic(x, inverse_x), _quadratic(y, inverse_y), square_x + square_y + 2 * cross

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        length_x, length_y, length = self.mahalanobis(x, y)
        return (self.mutual_information + (length_x + length_y - length) / 2).to(x.dtype)

    @cached_property
    def _precisions(self) -> tuple[Tensor, Tensor, Tensor]:
        sigma = self.covariance.double()
        blocks = sigma[: self.dim_x, : self.dim_x], sigma[self.dim_x :, self.dim_x :]
        return torch.linalg.inv(blocks[0]), torch.linalg.inv(blocks[1]), torch.linalg.inv(sigma)


def _quadratic(rows: Tensor, matrix: Tensor) -> Tensor:
    return (rows @ matrix * rows).sum(-1)
