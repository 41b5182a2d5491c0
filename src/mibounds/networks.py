"""Multilayer perceptrons and convolutional encoders of images and sequences, from which critics are built."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mibounds._checks import nearest
from mibounds._math import full_precision, single_precision

__all__ = ["MLP", "Activation", "ConvEncoder", "SequenceEncoder", "WithRadius", "activation_module"]

Activation = str | nn.Module | Callable[[], nn.Module]


def activation_module(choice: Activation) -> nn.Module:
    """A new activation module from its torch name without case ("silu", "relu", "leakyrelu"), a class, or a module.

    >>> activation_module("silu")
    SiLU()
    """
    if isinstance(choice, nn.Module):
        return choice
    if not isinstance(choice, str):
        return choice()
    names = {name.lower(): name for name in nn.modules.activation.__all__} | {"swish": "SiLU"}
    wanted = choice.lower().replace("_", "")
    if wanted not in names:
        raise ValueError(f"activation is {choice!r}, which torch.nn does not have. {nearest(wanted, names)}")
    module: nn.Module = getattr(nn, names[wanted])()
    return module


class MLP(nn.Module):
    r"""A multilayer perceptron: linear, (layer norm), activation for each hidden width, then a linear output.

    With `residual=True` every hidden layer whose input has the same width adds that input, :math:`h + a(W h + b)`:
    networks of six and more layers then train where plain ones collapse to a constant. `layer_norm=True` normalizes
    before each activation and makes the result less sensitive to the learning rate. There is no batch normalization,
    because its statistics mix matched and mismatched pairs.

    Arguments:
        inputs: width of the input.
        hidden: widths of the hidden layers; empty gives a linear map.
        outputs: width of the output.
        activation: a torch name ("silu"), a class or a module.
        layer_norm: normalize before each activation.
        residual: add the input of every hidden layer of equal width.
        zero_output: start the output layer at zero, so that the first output is exactly 0.

    Example:
        >>> import torch
        >>> MLP(3, (8, 8), 2)(torch.zeros(5, 3)).shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        *,
        activation: Activation = "silu",
        layer_norm: bool = False,
        residual: bool = False,
        zero_output: bool = False,
    ):
        super().__init__()
        widths = [inputs, *hidden]
        self.residual = residual
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in hidden if layer_norm)
        self.activations = nn.ModuleList(activation_module(activation) for _ in hidden)
        self.output = nn.Linear(widths[-1], outputs)
        if zero_output:
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(self.output.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        hidden = inputs
        for i, (layer, act) in enumerate(zip(self.layers, self.activations, strict=True)):
            linear = layer(hidden)
            after: Tensor = act(self.norms[i](linear) if self.norms else linear)
            hidden = hidden + after if self.residual and after.shape == hidden.shape else after
        with full_precision(hidden):  # under autocast only the hidden layers are in half precision
            result: Tensor = self.output(single_precision(hidden))
        return result

    def extra_repr(self) -> str:
        return f"residual={self.residual}"


class WithRadius(nn.Module):
    r"""Append the squared radius :math:`(\|x\|^2 - D) / \sqrt{2D}` to columns of unit variance.

    A scale common to all columns (of a Student distribution) and rotations that depend on the radius are functions of
    it, and a network learns the sum of many squares slowly.

    Example:
        >>> import torch
        >>> WithRadius()(torch.tensor([[1.0, -1.0], [2.0, 2.0]]))
        tensor([[ 1., -1.,  0.],
                [ 2.,  2.,  3.]])
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, D + 1)."""
        dim = x.shape[-1]
        radius = (x.square().sum(-1, keepdim=True) - dim) / math.sqrt(2 * dim)
        return torch.cat([x, radius], -1)


class ConvEncoder(nn.Sequential):
    """A small convolutional encoder of images: two strided convolutions and a linear layer.

    Arguments:
        shape: (C, H, W) of the images, at least 2 x 2 pixels.
        outputs: width of the code.

    Example:
        >>> import torch
        >>> ConvEncoder((1, 28, 28), 64)(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 64])
    """

    def __init__(self, shape: tuple[int, int, int], outputs: int = 128):
        channels, height, width = shape
        pixels = -(-height // 4) * -(-width // 4)  # each stride of two rounds up
        super().__init__(
            nn.Conv2d(channels, 32, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(64 * pixels, outputs),
            nn.SiLU(),
        )


class SequenceEncoder(nn.Module):
    """A small temporal convolutional encoder of sequences of any length: three convolutions, two of them strided, then
    the mean, the largest and the last value of every channel.

    Its receptive field is about 30 steps, and a sequence is represented by statistics over these windows and by the
    last one. This is enough for local patterns and for states with a short memory; the order of distant events needs
    another encoder. Shorter sequences are padded by NaN, and the length of the padding does not matter.

    Arguments:
        features: D of sequences (N, T, D).
        outputs: width of the code.

    Example:
        >>> encoder = SequenceEncoder(2, 64)
        >>> long = torch.cat([torch.ones(5, 9, 2), torch.full((5, 4, 2), torch.nan)], 1)
        >>> encoder(long).shape, torch.allclose(encoder(long), encoder(long[:, :9]))
        (torch.Size([5, 64]), True)
    """

    _CHANNELS = (32, 64, 64)
    _STRIDES = (1, 2, 2)

    def __init__(self, features: int, outputs: int = 128):
        super().__init__()
        widths = [features, *self._CHANNELS]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, 5, stride=stride, padding=2)
            for (before, after), stride in zip(pairwise(widths), self._STRIDES, strict=True)
        )
        self.output = nn.Linear(3 * widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, D) -> (N, outputs)."""
        present = ~x.isnan().any(-1)
        hidden = x.nan_to_num(0.0).mT
        for stride, convolution in zip(self._STRIDES, self.convolutions, strict=True):
            present = present[:, ::stride]
            hidden = nn.functional.silu(convolution(hidden)) * present.unsqueeze(1)
        count = present.sum(1)
        mean = hidden.sum(-1) / count.unsqueeze(1)
        largest = hidden.masked_fill(~present.unsqueeze(1), -torch.inf).amax(-1)
        last = hidden.gather(-1, (count - 1)[:, None, None].expand(-1, hidden.shape[1], 1)).squeeze(-1)
        return nn.functional.silu(self.output(torch.cat([mean, largest, last], 1)))
