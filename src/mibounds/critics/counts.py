r"""The log-ratio of two labels from counts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds._math import indicators
from mibounds.critics.critic import Critic, inner_product

__all__ = ["CountsCritic"]

_PRIORS = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0)  # rows that independence counts as, in each row of the table


class CountsCritic(FittedBuffers, Critic):
    r"""The log-ratio of two labels by their counts :math:`n_{ab}`, drawn towards independence,

    .. math:: f(a,b) = \log \frac{n_{ab} + \alpha p_b}{(n_a + \alpha)\, p_b}, \qquad p_b = \frac{n_b}{N}.

    The prior :math:`\alpha` is chosen by the leave-one-out likelihood. For labels with several rows in most
    combinations no other critic can say more; with fewer it says too little.

    References:
        Good, The estimation of probabilities: an essay on modern Bayesian methods, 1965.

    Example:
        >>> coin = torch.arange(100.0)[:, None] % 2
        >>> critic = CountsCritic()
        >>> critic.prepare(coin, coin)
        >>> critic(torch.tensor([[0.0], [0.0]]), torch.tensor([[0.0], [1.0]])).round(decimals=2)
        tensor([ 0.6900, -8.5200])
    """

    values_x: Tensor
    values_y: Tensor
    log_ratio: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("values_x", "values_y", "log_ratio"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        self.values_x, a = torch.unique(x, dim=0, return_inverse=True)
        self.values_y, b = torch.unique(y, dim=0, return_inverse=True)
        counts = torch.zeros(len(self.values_x), len(self.values_y), dtype=torch.float64, device=x.device)
        counts.index_put_((a, b), counts.new_ones(len(a)), accumulate=True)
        of_row, frequency = counts.sum(1, keepdim=True), counts.sum(0) / len(a)

        def likelihood(prior: float) -> float:
            # Of a row that is left out the others: its own cell and its own row of the table have one less.
            share = (counts - 1 + prior * frequency).clamp_min(1e-9) / (of_row - 1 + prior)
            return float((counts * share.log()).sum())

        prior = max(_PRIORS, key=likelihood)
        self.log_ratio = ((counts + prior * frequency) / ((of_row + prior) * frequency)).log().to(x.dtype)

    def encode_x(self, x: Tensor) -> Tensor:
        return indicators(x, self.values_x) @ self.log_ratio

    def encode_y(self, y: Tensor) -> Tensor:
        return indicators(y, self.values_y)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return inner_product(hx, hy)
