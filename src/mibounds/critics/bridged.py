r"""The critic of a telescoping estimator: a sum of log density ratios between consecutive distributions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mibounds._checks import check_at_least
from mibounds.critics.critic import Critic, inner_product
from mibounds.networks import MLP, Activation

__all__ = ["BridgedCritic"]


class BridgedCritic(Critic):
    r"""Log-ratios of K consecutive bridges on shared features; the score is their sum.

    .. math:: f(x,y) = \sum_{k=1}^K f_k(x,y), \qquad
              f_k(x,y) = \sum_e w_{ke}\, g_e(x) h_e(y) + a_k(x) + b_k(y),

    where g and h are a linear map plus a network each, and :math:`a_k, b_k` are linear in the features and in their
    squares. Between Gaussians every bridge is exactly of this form. A bridge is trained on its own two distributions
    and evaluated on matched pairs, and a sum of few products of features extrapolates better there than a network on
    the concatenated pair. All bridges cost what one does, and all pairs one matrix product.

    Trained by `mibounds.Telescope`. Under any other objective it is a separable critic, and only the sum of its
    bridges has a meaning.

    References:
        Rhodes, Xu and Gutmann, Telescoping density-ratio estimation, 2020, arXiv:2006.12204, section 3.3 (shared
        bodies, quadratic heads).

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.
        bridges: K.
        hidden: widths of the hidden layers of both networks.
        features: E, products in a bridge.
        activation: a torch name, a class or a module.

    Raises:
        ValueError: if there are no bridges or no features.

    Example:
        >>> critic = BridgedCritic(2, 3, bridges=4, hidden=(16,))
        >>> critic.bridges(torch.zeros(5, 2), torch.zeros(5, 3)).shape
        torch.Size([5, 4])
        >>> critic.pairwise(torch.zeros(5, 2), torch.zeros(6, 3)).shape
        torch.Size([5, 6])
    """

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        bridges: int = 12,
        hidden: Sequence[int] = (128, 128),
        features: int = 32,
        activation: Activation = "silu",
    ):
        super().__init__()
        check_at_least("bridges", bridges, 1)
        check_at_least("features", features, 1)
        self.linear_x, self.linear_y = nn.Linear(dim_x, features), nn.Linear(dim_y, features)
        self.network_x = MLP(dim_x, hidden, features, activation=activation)
        self.network_y = MLP(dim_y, hidden, features, activation=activation)
        # All output weights start at zero, so the first score is exactly 0.
        self.weight = nn.Parameter(torch.zeros(bridges, features))
        self.alone_x, self.alone_y = (_zero(nn.Linear(2 * features, bridges)) for _ in range(2))
        self.features = features

    def encode_x(self, x: Tensor) -> Tensor:
        return _with_alone(self.linear_x(x) + self.network_x(x), self.alone_x)

    def encode_y(self, y: Tensor) -> Tensor:
        return _with_alone(self.linear_y(y) + self.network_y(y), self.alone_y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        products = inner_product(hx[..., : self.features] * self.weight.sum(0), hy[..., : self.features])
        return products + hx[..., self.features :].sum(-1) + hy[..., self.features :].sum(-1)

    def bridges(self, x: Tensor, y: Tensor) -> Tensor:
        """The log-ratio of each bridge for rows that broadcast: (..., N, D_x), (..., N, D_y) -> (..., N, K)."""
        hx, hy = self.encode_x(x), self.encode_y(y)
        products = (hx[..., : self.features] * hy[..., : self.features]) @ self.weight.mT
        return products + hx[..., self.features :] + hy[..., self.features :]


def _with_alone(features: Tensor, alone: nn.Module) -> Tensor:
    """Features, and the terms of the bridges that depend on this variable only: (..., E) -> (..., E + K)."""
    return torch.cat([features, alone(torch.cat([features, features.square()], -1))], -1)


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
