"""The multivariate Student t distribution: heavy tails, and dependence without correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mibounds.tasks.gaussian import MultivariateGaussian
from mibounds.tasks.task import Task

__all__ = ["Student"]


@dataclass(frozen=True, eq=False)
class Student(Task):
    r"""A Student vector: a Gaussian vector (X, Y) divided by one common :math:`\sqrt{\chi^2_\nu / \nu}`.

    .. math:: I(X;Y) = I_{Gauss} + c(\nu) + c(\nu + D_x + D_y) - c(\nu + D_x) - c(\nu + D_y),
              \quad c(n) = \ln\Gamma(\tfrac{n}{2}) - \tfrac{n}{2} \psi(\tfrac{n}{2})

    The common scale makes x and y dependent even with the identity as dispersion. With df = 1 there is no mean and with
    df <= 2 no variance: columns standardized by sample moments change from sample to sample.

    References:
        Arellano-Valle, Contreras-Reyes and Genton, Shannon entropy and mutual information for multivariate
        skew-elliptical distributions, Scandinavian Journal of Statistics 40, 2013. Czyż et al., Beyond normal, 2023,
        arXiv:2306.11078, appendix.

    Arguments:
        gaussian: the Gaussian vector; its covariance is the dispersion.
        df: degrees of freedom, above 0; the tails lighten as it grows.

    Raises:
        ValueError: if df is not positive.

    Example:
        >>> round(Student.identity(1, df=1).mutual_information, 4)
        0.2242
    """

    gaussian: MultivariateGaussian
    df: float

    def __post_init__(self) -> None:
        if not 0 < self.df < math.inf:
            raise ValueError(f"df is {self.df!r}, and must be positive and finite; MultivariateGaussian is its limit.")

    @classmethod
    def identity(cls, dim: int, df: float) -> Student:
        """Identity as dispersion, dim columns each: all information is in the common scale."""
        return cls(MultivariateGaussian(torch.eye(2 * dim, dtype=torch.float64), dim, "identity"), df)

    def __repr__(self) -> str:
        dim_y = len(self.gaussian.covariance) - self.gaussian.dim_x
        return f"Student({self.gaussian.dim_x}x{dim_y}, {self.gaussian.name}, df={self.df})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x, y = self.gaussian.sample(n, generator)
        # The gamma sampler of torch takes no generator, so NumPy's is seeded from it.
        seed = int(torch.randint(2**62, (), generator=generator))
        chi2 = torch.from_numpy(np.random.default_rng(seed).chisquare(self.df, (n, 1)))
        scale = (chi2 / self.df).sqrt()
        return (x / scale).float(), (y / scale).float()

    @property
    def mutual_information(self) -> float:
        c = [math.lgamma(n / 2) - n / 2 * _digamma(n / 2) for n in self._degrees]
        return self.gaussian.mutual_information + c[0] + c[3] - c[1] - c[2]

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        length_x, length_y, length = (torch.log1p(q / self.df) for q in self.gaussian.mahalanobis(x, y))
        _, only_x, only_y, both = self._degrees
        g = [math.lgamma(n / 2) for n in self._degrees]
        constant = self.gaussian.mutual_information + g[0] + g[3] - g[1] - g[2]
        return (constant + (only_x * length_x + only_y * length_y - both * length) / 2).to(x.dtype)

    @property
    def _degrees(self) -> tuple[float, float, float, float]:
        dim_x, dim = self.gaussian.dim_x, len(self.gaussian.covariance)
        return self.df, self.df + dim_x, self.df + dim - dim_x, self.df + dim


def _digamma(value: float) -> float:
    return float(torch.special.digamma(torch.tensor(value, dtype=torch.float64)))
