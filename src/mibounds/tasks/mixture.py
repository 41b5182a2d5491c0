"""Gaussian mixtures, whose information is a Monte Carlo mean of the exact log-ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from mibounds._checks import check_at_least
from mibounds.tasks.task import Task

__all__ = ["GaussianMixture"]


@dataclass(frozen=True, eq=False)
class GaussianMixture(Task):
    r"""A mixture of K Gaussian vectors (X, Y).

    .. math:: I(X;Y) = E \ln \frac{\sum_k w_k p_k(x,y)}{\sum_k w_k p_k(x) \sum_k w_k p_k(y)}

    The densities are exact and the expectation is a mean over `draws` fixed pairs, so the information has a
    `standard_error`. Mixtures approximate any smooth density; linear and monotone measures of dependence fail on them.

    References:
        Czyż et al., On the properties and estimation of pointwise mutual information profiles, 2023, arXiv:2310.10240.

    Arguments:
        weights: (K,), positive, sum 1.
        means: (K, D_x + D_y).
        covariances: (K, D_x + D_y, D_x + D_y), positive definite.
        dim_x: D_x.
        name: description of the mixture in the repr.
        draws: pairs of the Monte Carlo mean; four times as many halve its error.

    Raises:
        ValueError: if the shapes do not agree, or the weights or covariances are not valid.

    Example:
        >>> task = GaussianMixture.cross(0.9)
        >>> abs(task.mutual_information - 0.4084) < 4 * task.standard_error  # by quadrature
        True
    """

    weights: Tensor
    means: Tensor
    covariances: Tensor
    dim_x: int
    name: str = "components"
    draws: int = 200_000

    def __post_init__(self) -> None:
        check_at_least("draws", self.draws, 2)
        k, dim = self.means.shape
        if self.weights.shape != (k,) or self.covariances.shape != (k, dim, dim) or not 0 < self.dim_x < dim:
            raise ValueError(
                f"weights, means and covariances have shapes {tuple(self.weights.shape)}, {(k, dim)} and "
                f"{tuple(self.covariances.shape)}, and dim_x is {self.dim_x}: expected (K,), (K, D) and (K, D, D), "
                "and 0 < dim_x < D."
            )
        if abs(float(self.weights.sum()) - 1) > 1e-6:
            raise ValueError(f"weights sum to {float(self.weights.sum()):.6g}, and must sum to 1.")
        if (self.weights < 0).any():
            raise ValueError(f"weights are {self.weights.tolist()}, and none may be negative.")
        symmetric = torch.equal(self.covariances, self.covariances.mT)
        if not symmetric or torch.linalg.cholesky_ex(self.covariances).info.any():
            raise ValueError("covariances must be symmetric and positive definite, every one of them.")

    @classmethod
    def cross(cls, rho: float) -> GaussianMixture:
        """Two standard pairs of correlation rho and -rho with equal weights; x and y are uncorrelated."""
        signs = torch.tensor([[[1.0, rho], [rho, 1.0]], [[1.0, -rho], [-rho, 1.0]]], dtype=torch.float64)
        return cls(torch.tensor([0.5, 0.5]), torch.zeros(2, 2), signs, 1, f"cross {rho}")

    def __repr__(self) -> str:
        return f"GaussianMixture({self.dim_x}x{self.means.shape[1] - self.dim_x}, {self.name})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        component = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.means.shape[1], 1, generator=generator, dtype=torch.float64)
        factors = torch.linalg.cholesky(self.covariances.double())
        both = (self.means.double()[component] + (factors[component] @ noise).squeeze(-1)).float()
        return both[:, : self.dim_x], both[:, self.dim_x :]

    @property
    def mutual_information(self) -> float:
        return self._truth[0]

    @property
    def standard_error(self) -> float:
        return self._truth[1]

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        left, right = x.double(), y.double()
        lead = (left[..., 0] + right[..., 0]).shape
        both = torch.cat([left.expand(*lead, -1), right.expand(*lead, -1)], -1)
        joint, only_x, only_y = self._densities
        ratio: Tensor = joint.log_prob(both) - only_x.log_prob(left) - only_y.log_prob(right)  # type: ignore[no-untyped-call]
        return ratio.to(x.dtype)

    @cached_property
    def _truth(self) -> tuple[float, float]:
        ratios = self.log_ratio(*self.sample(self.draws, torch.Generator().manual_seed(20_230_611))).double()
        return float(ratios.mean()), float(ratios.std()) / math.sqrt(self.draws)

    @cached_property
    def _densities(self) -> tuple[MixtureSameFamily, MixtureSameFamily, MixtureSameFamily]:
        x, y = slice(None, self.dim_x), slice(self.dim_x, None)
        return self._density(slice(None)), self._density(x), self._density(y)

    def _density(self, part: slice) -> MixtureSameFamily:
        """The density of these coordinates: a marginal of a mixture is the mixture of the marginals."""
        components = MultivariateNormal(self.means.double()[:, part], self.covariances.double()[:, part, part])
        return MixtureSameFamily(Categorical(self.weights.double()), components)
