"""What a regularizer takes: tensors of any floating-point type, labels, and tuples of tensors."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from mibounds._checks import check_paired
from mibounds._variables import Tensors, map_tensors, row_count

__all__ = ["taken"]

Sizes = tuple[int, ...]


def taken(x: Any, z: Any, shapes: tuple[Sizes | None, Sizes | None]) -> tuple[Tensors, Tensors]:
    """Both variables in float32, of the shapes that a critic takes.

    Arguments:
        x: (N, ...), a tensor or a tuple of tensors.
        z: (N, ...), likewise.
        shapes: of a sample of each, which are checked; None for a critic that takes anything.

    Returns:
        The variables: a single column with its dimension, labels (N,) with K classes as one-hot columns (N, K).

    Raises:
        TypeError: if one is no tensor.
        ValueError: if lengths or shapes differ from what was expected.

    Example:
        >>> x, z = taken(torch.zeros(2), torch.tensor([0, 2]), ((1,), (3,)))
        >>> x.shape, z.tolist()
        (torch.Size([2, 1]), [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    """
    x, z = (_tensors(name, side) for name, side in (("x", x), ("z", z)))
    check_paired(row_count(x), row_count(z), name_y="z")
    return _shaped("x", x, shapes[0], shapes), _shaped("z", z, shapes[1], shapes)


def _tensors(name: str, side: Any) -> Tensors:
    """The same in float32."""
    if isinstance(side, tuple) and side:
        return tuple(_tensors(name, part) for part in side)
    if not isinstance(side, Tensor):
        raise TypeError(f"{name} is a {type(side).__name__}: pass a tensor, for example torch.as_tensor({name}).")
    if not side.dim():
        raise ValueError(f"{name} is a single number: pass a batch (N, ...) of paired samples.")
    return side.float() if side.is_floating_point() or side.dtype == torch.bool else side


def _shaped(name: str, side: Tensors, shape: Sizes | None, shapes: tuple[Sizes | None, Sizes | None]) -> Tensors:
    """The variable in the shape of a sample that was announced."""
    if shape is None or not isinstance(side, Tensor):
        return map_tensors(
            lambda part: part.unsqueeze(1) if part.dim() == 1 and part.is_floating_point() else part, side
        )
    if not side.is_floating_point():
        return _labels(name, side, shape)
    if side.dim() == 1 and shape == (1,):
        return side.unsqueeze(1)
    if tuple(side.shape[1:]) != shape:
        other = {"x": "z", "z": "x"}[name]
        swapped = tuple(side.shape[1:]) == shapes[name == "x"]
        advice = f"x and z are in the wrong order ({other} has that shape)" if swapped else "give its shape without N"
        raise ValueError(
            f"{name} has samples of shape {tuple(side.shape[1:])}, and {name}_shape is {_shown(shape)}: {advice}."
        )
    return side


def _labels(name: str, side: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Integer labels as one-hot columns."""
    classes = math.prod(sizes)
    if side.dim() != 1 or classes < 2:
        raise ValueError(
            f"{name} has integers of shape {tuple(side.shape)}: for labels (N,) let {name}_shape be the number of "
            f"classes, for tokens pass a critic that embeds them (mi.critics.Encoded), for numbers {name}.float()."
        )
    return one_hot(side.long(), classes).float()


def _shown(sizes: Sizes) -> str:
    return str(sizes[0] if len(sizes) == 1 else sizes)
