"""Critics that are conditional densities log q(y|x), for the bounds that train by maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mibounds.critics.critic import Critic
from mibounds.networks import MLP, Activation

__all__ = ["DiagonalGaussianCritic"]


class DiagonalGaussianCritic(Critic):
    r"""A Gaussian density of y with independent columns, whose mean and scale are networks of x.

    .. math:: f(x,y) = \log q(y|x) = \sum_d \log \mathcal N\big(y_d;\, \mu_d(x), \sigma_d(x)^2\big)

    What `CLUB` and `LeaveOneOut` need. Dependence among the columns of y given x is out of its reach, and makes the
    upper bounds loose. The scale is free between e^-7 and e^7; squashing it, as published code does, caps what can
    be represented.

    References:
        Cheng et al., 2020, arXiv:2006.12013, section 3.2.

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.
        hidden: widths of the hidden layers.
        activation: a torch name, a class or a module.

    Example:
        >>> DiagonalGaussianCritic(2, 1, hidden=(8,))(torch.zeros(3, 2), torch.zeros(3, 1)).shape
        torch.Size([3])
    """

    density = True

    def __init__(self, dim_x: int, dim_y: int, *, hidden: Sequence[int] = (256, 256), activation: Activation = "silu"):
        super().__init__()
        self.network = MLP(dim_x, hidden, 2 * dim_y, activation=activation)

    def encode_x(self, x: Tensor) -> Any:
        mean, log_scale = self.network(x).chunk(2, -1)
        return mean, log_scale.clamp(-7, 7)

    def combine(self, hx: Any, hy: Tensor) -> Tensor:
        mean, log_scale = hx
        standard = (hy - mean) * torch.exp(-log_scale)
        densities: Tensor = standard.square() / 2 + log_scale + math.log(2 * math.pi) / 2
        return -densities.sum(-1)
