"""A conditional distribution of labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from mibounds._checks import check_integer
from mibounds.critics.critic import Critic, inner_product
from mibounds.networks import MLP, Activation

__all__ = ["CategoricalCritic"]

_ROUNDING = 0.01  # of the sum of probabilities in half precision


class CategoricalCritic(Critic):
    r"""A distribution of labels whose logits are a network of x, :math:`f(x,y) = \log q(y|x)`: a classifier.

    Under `BarberAgakov` with the entropy of the labels it is InfoGAN's bound for a discrete code; under `InfoNCE` or
    `LeaveOneOut` the entropy need not be known.

    References:
        Chen et al., InfoGAN: interpretable representation learning by information maximizing generative adversarial
        nets, 2016, arXiv:1606.03657.

    Arguments:
        dim_x: columns of x.
        dim_y: number of classes; y are labels (N,) from 0, or probabilities (N, dim_y) such as one-hot columns.
        hidden: widths of the hidden layers.
        activation: a torch name, a class or a module.

    Example:
        >>> CategoricalCritic(2, 3, hidden=(8,))(torch.zeros(4, 2), torch.tensor([0, 1, 2, 0])).shape
        torch.Size([4])
    """

    is_conditional_density = True
    standardizes = True
    continuous_y = False

    def __init__(self, dim_x: int, dim_y: int, *, hidden: Sequence[int] = (256, 256), activation: Activation = "silu"):
        super().__init__()
        self.classes = check_integer("dim_y", dim_y, 1)
        self.network = MLP(dim_x, hidden, self.classes, activation=activation)

    def encode_x(self, x: Tensor) -> Tensor:
        return torch.log_softmax(self.network(x), -1)

    def prepare(self, x: Tensor, y: Tensor) -> None:
        _check_probabilities(y, self.classes)

    def encode_y(self, y: Tensor) -> Tensor:
        if y.device.type == "cpu" and not torch.compiler.is_compiling():  # on a GPU every look would wait for it
            _check_probabilities(y, self.classes)
        return y if y.is_floating_point() else one_hot(y, self.classes).float()

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)


def _check_probabilities(y: Tensor, classes: int) -> None:
    """Raise a ValueError unless y is labels, or rows of probabilities up to the rounding of half precision."""
    if not y.is_floating_point():
        return
    with torch.no_grad():  # missing values are not looked for
        wrong = y.shape[-1:] != (classes,) or ((y < -_ROUNDING).any() | ((y.sum(-1) - 1).abs() > _ROUNDING).any())
    if wrong:
        labels = as_labels("y", y, classes)
        advice = "pass one-hot rows or logits.softmax(-1)" if labels is None else f"labels are integers, pass {labels}"
        raise ValueError(
            f"CategoricalCritic takes labels or rows of {classes} probabilities, and got other numbers of shape "
            f"{tuple(y.shape)}: {advice}, to mi.Trainer with preprocessing=None."
        )


def as_labels(name: str, numbers: Tensor, classes: int) -> str | None:
    """What makes labels of numbers (N,) or (N, 1) that are whole, from 0 to classes - 1; None for other numbers.

    >>> as_labels("z", torch.tensor([0.0, 2.0]), 3)
    'z.long()'
    """
    if numbers.dim() > 2 or numbers.shape[1:].numel() != 1:
        return None
    if not ((numbers >= 0) & (numbers < classes) & (numbers == numbers.long())).all():
        return None
    return f"{name}.long()" if numbers.dim() == 1 else f"{name}.flatten().long()"
