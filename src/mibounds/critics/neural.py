"""Trained critics: joint, separable and bilinear."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mibounds.critics.critic import Critic, inner_product
from mibounds.networks import MLP, Activation, activation_module

__all__ = ["BilinearCritic", "JointCritic", "SeparableCritic"]


class JointCritic(Critic):
    r"""A multilayer perceptron on the concatenated pair, :math:`f(x,y) = \mathrm{MLP}([x; y])`.

    The most expressive per parameter. N^2 pairs cost N^2 passes through all layers but the first, which is a sum,
    :math:`W[x;y] = W_x x + W_y y`, and is computed once per row. Use it with few negatives, or small batches.

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.
        hidden: widths of the hidden layers, at least one.
        activation: a torch name, a class or a module.
        layer_norm: normalize before each activation after the first.
        residual: add the input of every hidden layer of equal width.

    Example:
        >>> JointCritic(2, 3, hidden=(16, 16)).pairwise(torch.zeros(4, 2), torch.zeros(5, 3)).shape
        torch.Size([4, 5])
    """

    network_per_pair = True
    standardizes = True

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        hidden: Sequence[int] = (256, 256, 256),
        activation: Activation = "silu",
        layer_norm: bool = False,
        residual: bool = False,
    ):
        super().__init__()
        if not hidden:
            raise ValueError(
                "hidden is empty: a joint critic needs at least one hidden layer, or it could not relate x to y."
            )
        first = nn.Linear(dim_x + dim_y, hidden[0])  # initialized as one layer on the concatenated pair
        self.from_x = nn.Linear(dim_x, hidden[0], bias=False)
        self.from_y = nn.Linear(dim_y, hidden[0])
        with torch.no_grad():
            self.from_x.weight.copy_(first.weight[:, :dim_x])
            self.from_y.weight.copy_(first.weight[:, dim_x:])
            self.from_y.bias.copy_(first.bias)
        self.first = activation_module(activation)
        self.network = MLP(
            hidden[0], hidden[1:], 1, activation=activation, layer_norm=layer_norm, residual=residual, zero_output=True
        )

    def encode_x(self, x: Tensor) -> Tensor:
        projected: Tensor = self.from_x(x)
        return projected

    def encode_y(self, y: Tensor) -> Tensor:
        projected: Tensor = self.from_y(y)
        return projected

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        scores: Tensor = self.network(self.first(hx + hy))
        return scores.squeeze(-1)


class SeparableCritic(Critic):
    r"""Two towers and an inner product, :math:`f(x,y) = g(x)^\top h(y)`.

    All N^2 pairs of a batch cost 2N tower passes and one matrix product, so every step can use every pair of the batch;
    so many negatives matter more than the form of the critic.

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.
        hidden: widths of the hidden layers of both towers.
        embedding: E, width of the inner product.
        activation: a torch name, a class or a module.
        layer_norm: normalize before each activation.
        residual: add the input of every hidden layer of equal width.

    Example:
        >>> SeparableCritic(2, 3, hidden=(16,)).pairwise(torch.zeros(4, 2), torch.zeros(5, 3)).shape
        torch.Size([4, 5])
    """

    standardizes = True

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        hidden: Sequence[int] = (256, 256, 256),
        embedding: int = 64,
        activation: Activation = "silu",
        layer_norm: bool = False,
        residual: bool = False,
    ):
        super().__init__()

        def tower(inputs: int, zero_output: bool) -> MLP:
            return MLP(
                inputs,
                hidden,
                embedding,
                activation=activation,
                layer_norm=layer_norm,
                residual=residual,
                zero_output=zero_output,
            )

        # One tower starts at zero, so the first score is exactly 0, the log-ratio of independent variables: training
        # starts from the validation loss of independence.
        self.tower_x = tower(dim_x, zero_output=True)
        self.tower_y = tower(dim_y, zero_output=False)
        self.scale = 1 / math.sqrt(embedding)

    def encode_x(self, x: Tensor) -> Tensor:
        embedded: Tensor = self.tower_x(x)
        return embedded * self.scale

    def encode_y(self, y: Tensor) -> Tensor:
        embedded: Tensor = self.tower_y(y)
        return embedded

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)


class BilinearCritic(Critic):
    r"""A bilinear form, :math:`f(x,y) = x^\top W y`, the critic of contrastive predictive coding.

    For embeddings that are already good. It represents only relations that are bilinear in its inputs, and fails on raw
    images and text.

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.

    Example:
        >>> BilinearCritic(2, 3)(torch.ones(4, 2), torch.ones(4, 3))
        tensor([0., 0., 0., 0.], grad_fn=...)
    """

    standardizes = True

    def __init__(self, dim_x: int, dim_y: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(dim_x, dim_y))

    def encode_x(self, x: Tensor) -> Tensor:
        return x @ self.weight

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)
