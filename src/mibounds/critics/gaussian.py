r"""The log density ratio of a fitted Gaussian, in canonical coordinates.

With canonical pairs (u_k, v_k) of correlation rho_k,

.. math:: \log r = \sum_k -\tfrac12 \log(1-\rho_k^2)
          - \frac{\rho_k^2 (u_k^2 + v_k^2) - 2\rho_k u_k v_k}{2(1-\rho_k^2)} .

Sample canonical correlations are too large: with c_x = D_x/N and c_y = D_y/N, pure noise reaches
2 sqrt(c(1-c)) for c_x = c_y = c, and a little beyond. A population correlation rho shows up in the sample at

.. math:: \hat\rho^2 = \big(\rho^2(1-c_x)+c_x\big)\big(\rho^2(1-c_y)+c_y\big)/\rho^2

as long as it stands above that edge. `GaussianCritic` solves this for rho, and sets to zero what Johnstone's test
of the largest canonical correlation would call noise at the 5 % level.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds._math import canonical_pairs
from mibounds.critics.critic import Critic, inner_product

__all__ = ["GaussianCritic"]


class GaussianCritic(Critic):
    r"""The log density ratio of the Gaussian that fits the training rows best, shrunk against noise.

    Exact for Gaussian data at any information and any dimension below the number of rows, where no network is; on
    rank-Gaussianized columns it is the Gaussian copula. On other data it is the starting point that a network
    corrects (`WithOffset`). It promises large ratios where bounded data have none, so let a validation score decide
    whether to use it. `prepare` fits it; nothing in it is trained by gradients.

    References:
        Bao, Hu, Pan and Zhou, Canonical correlation coefficients of high-dimensional Gaussian vectors: finite rank
        case, 2019, arXiv:1704.02408, for the bias. Johnstone, Multivariate analysis and Jacobi ensembles: largest
        eigenvalue, Tracy-Widom limits and rates of convergence, 2008, arXiv:0803.3408, for the edge. Ince et al., A
        statistical framework for neuroimaging data analysis based on mutual information estimated via a Gaussian
        copula, 2017.

    Example:
        >>> x = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = GaussianCritic()
        >>> critic.prepare(x, x + torch.randn(1000, 1, generator=torch.Generator().manual_seed(1)))
        >>> round(float(critic.correlation[0]), 1)
        0.7
    """

    mean_x: Tensor
    mean_y: Tensor
    to_u: Tensor
    to_v: Tensor
    correlation: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("mean_x", "mean_y", "to_u", "to_v", "correlation"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        pairs = canonical_pairs(x, y)
        correlation = _population_correlation(pairs.correlation, x.shape[1] / len(x), y.shape[1] / len(y))
        kept = (correlation > 0) & (pairs.correlation > _noise_edge(len(x), x.shape[1], y.shape[1]))
        self.mean_x, self.mean_y = pairs.mean_x, pairs.mean_y
        self.to_u, self.to_v = pairs.to_u[:, kept], pairs.to_v[:, kept]
        self.correlation = correlation[kept]

    def encode_x(self, x: Tensor) -> Tensor:
        self._require_prepared()
        u, rho = (x - self.mean_x) @ self.to_u, self.correlation
        square = (u.square() * self._curvature()).sum(-1, keepdim=True)
        one = torch.ones_like(square)
        return torch.cat([u * (rho / (1 - rho.square())), square, one], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        self._require_prepared()
        v = (y - self.mean_y) @ self.to_v
        constant = -torch.log1p(-self.correlation.square()).sum() / 2
        square = (v.square() * self._curvature()).sum(-1, keepdim=True) + constant
        return torch.cat([v, torch.ones_like(square), square], -1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)

    def _curvature(self) -> Tensor:
        square = self.correlation.square()
        return -square / (2 * (1 - square))

    def _require_prepared(self) -> None:
        if not self.mean_x.numel():
            raise RuntimeError("This GaussianCritic has no covariances yet: call prepare(x, y) on training rows first.")

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: object) -> None:
        # The buffers take the shape of the data they were fitted on, so they are replaced and not copied into.
        for name in list(self._buffers):
            if prefix + name in state_dict:
                setattr(self, name, state_dict[prefix + name].clone())
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _population_correlation(sample: Tensor, ratio_x: float, ratio_y: float) -> Tensor:
    """The population correlations behind sample ones, zero under the noise edge; D/N are the two ratios."""
    ratio_x, ratio_y = min(ratio_x, 0.99), min(ratio_y, 0.99)
    square = sample.double().square()
    leading = (1 - ratio_x) * (1 - ratio_y)
    middle = ratio_x * (1 - ratio_y) + ratio_y * (1 - ratio_x) - square
    discriminant = middle.square() - 4 * leading * ratio_x * ratio_y
    population = (-middle + discriminant.clamp_min(0).sqrt()) / (2 * leading)
    above = (middle < 0) & (discriminant > 0)
    # A perfect correlation has an infinite ratio; 1 - 1e-6 keeps float32 scores finite (6.9 nats a pair).
    return torch.where(above, population.clamp(0, 1 - 1e-6).sqrt(), 0).to(sample.dtype)


def _noise_edge(n: int, dim_x: int, dim_y: int) -> float:
    """The 95 % quantile of the largest canonical correlation of n independent rows (Johnstone 2008, equations 5 to
    7)."""
    if dim_x + dim_y >= n - 1:
        return 1.0
    gamma, phi = (2 * math.asin(math.sqrt((dim - 0.5) / (n - 2))) for dim in (dim_x, dim_y))
    center = 2 * math.log(math.tan((phi + gamma) / 2))
    spread = (16 / (n - 2) ** 2 / (math.sin(phi + gamma) ** 2 * math.sin(phi) * math.sin(gamma))) ** (1 / 3)
    tracy_widom = 0.9793  # 95 % quantile of the Tracy-Widom law of order one
    return math.sqrt(1 / (1 + math.exp(-(center + spread * tracy_widom))))
