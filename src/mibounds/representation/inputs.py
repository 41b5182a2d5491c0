"""What a regularizer takes: tensors of any floating-point type, labels, and tuples of tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from mibounds._checks import check_paired
from mibounds._variables import Tensors, flat, map_tensors, refuse_packed, row_count, tuple_like
from mibounds.critics.categorical import as_labels

__all__ = ["detached", "guarded", "no_term", "taken"]

Sizes = tuple[int, ...]


def taken(
    x: Any,
    z: Any,
    shapes: tuple[Sizes | None, Sizes | None],
    *,
    wide: bool = False,
    tuples: bool = True,
    label_z: bool = True,
) -> tuple[Tensors, Tensors]:
    """Both variables in float32, of the shapes that a critic takes.

    Arguments:
        x: (N, ...), a tensor or a tuple of tensors.
        z: (N, ...), likewise.
        shapes: of a sample of each, which are checked; None for a critic that takes anything.
        wide: leave float64 as it is, for a critic that standardizes.
        tuples: the critic takes tuples.
        label_z: z may be labels; not under a density of numbers.

    Returns:
        The variables: a single column with its dimension, labels (N,) with K classes as one-hot columns (N, K).

    Raises:
        TypeError: if one is no tensor, or complex, sparse or without values.
        ValueError: if lengths, shapes or labels differ from what was expected.

    Example:
        >>> x, z = taken(torch.zeros(2), torch.tensor([0, 2]), ((1,), (3,)))
        >>> x.shape, z.tolist()
        (torch.Size([2, 1]), [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    """
    for name, side in (("x", x), ("z", z)):
        if isinstance(side, tuple) and not tuples:
            refuse_packed(name, side)
            raise ValueError(
                f"{name} is a tuple of {len(side)}, and a critic by name takes one tensor: concatenate them "
                "(torch.cat), or pass a critic that takes tuples."
            )
    if not label_z and isinstance(z, Tensor) and shapes[1] is not None and not _is_number(z):
        raise ValueError(
            'z has labels, and the critic is a density of numbers: for labels use critic="categorical", with z_shape '
            "the number of classes, and z.long(); for numbers pass z.float()."
        )
    x, z = (_tensors(name, side, wide) for name, side in (("x", x), ("z", z)))
    check_paired(row_count(x), row_count(z), name_y="z")
    return _shaped("x", x, shapes[0], shapes), _shaped("z", z, shapes[1], shapes, label_z)


def _is_number(side: Tensor) -> bool:
    return side.is_floating_point() or side.is_complex()


def _tensors(name: str, side: Any, wide: bool) -> Tensors:
    """The same in float32, but for labels."""
    if isinstance(side, tuple) and side:
        refuse_packed(name, side)
        return tuple_like(side, [_tensors(name, part, False) for part in side])
    if not isinstance(side, Tensor):
        raise TypeError(f"{name} is a {type(side).__name__}: pass a tensor, for example {_as_tensor(name, side)}.")
    if side.is_nested:
        raise TypeError(f"{name} is a nested tensor: pad it, {name}.to_padded_tensor(0.0).")
    if side.layout != torch.strided:
        raise TypeError(f"{name} is a tensor of layout {side.layout}, not a dense one: pass {name}.to_dense().")
    if side.is_meta:
        raise TypeError(f"{name} is a tensor on the meta device, which holds no values: pass one on the critic's.")
    if side.is_complex():
        raise TypeError(f"{name} is complex: pass its real and imaginary parts, torch.view_as_real({name}).flatten(1).")
    if not side.dim():
        raise ValueError(f"{name} is a single number: pass a batch (N, ...) of paired samples.")
    # No gradient can pass a tensor of inference mode, but it can pass a copy. The compiler cannot ask for it.
    foreign = torch.is_grad_enabled() and not torch.compiler.is_compiling() and side.is_inference()
    own: Tensor = side.clone() if foreign else side
    kept = own.dtype == torch.float64 and wide
    return own.float() if own.is_floating_point() and not kept else own


def _as_tensor(name: str, side: Any) -> str:
    """A tensor of what is none, for a sentence."""
    if isinstance(side, Mapping):
        return f"{name}[{next(iter(side), 'key')!r}]"
    if isinstance(side, list) and side and isinstance(side[0], Tensor):
        return f"torch.stack({name})"
    return f"torch.as_tensor({name})"


def _shaped(
    name: str, side: Tensors, shape: Sizes | None, shapes: tuple[Sizes | None, Sizes | None], labels: bool = False
) -> Tensors:
    """The variable in the shape of a sample that was announced; numbers in place of `labels` get other advice."""
    if shape is None or not isinstance(side, Tensor):
        return map_tensors(_column, side)
    if not side.is_floating_point() and (side.dtype != torch.bool or (side.dim() == 1 and shape != (1,))):
        return _labels(name, side, shape)
    column = _column(side)
    came = tuple(column.shape[1:])
    if came == shape:
        return column
    if labels and came == (1,) and len(shape) == 1:
        advice = _label_advice(name, side, shape[0])
    elif came == shapes[name == "x"]:
        advice = f"x and z are in the wrong order ({'z' if name == 'x' else 'x'} has that shape)"
    else:
        advice = _advice(name, came, shape)
    raise ValueError(f"{name} has samples of shape {came}, and {name}_shape is {_shown(shape)}: {advice}.")


def _column(part: Tensor) -> Tensor:
    """Booleans as numbers, and single numbers as a column."""
    part = part.float() if part.dtype == torch.bool else part
    return part.unsqueeze(1) if part.dim() == 1 and part.is_floating_point() else part


def _label_advice(name: str, numbers: Tensor, classes: int) -> str:
    """What to do about floating-point numbers (N,) or (N, 1) where labels of some classes may be meant."""
    labels = as_labels(name, numbers, classes)
    if labels is not None:
        return f"labels are whole numbers of an integer type, pass {labels}"
    return f"for labels pass integers from 0 to {classes - 1}, for numbers give {name}_shape=1"


def _advice(name: str, sample: Sizes, shape: Sizes) -> str:
    """What to do about samples of another shape than was announced."""
    images = len(shape) == 3
    if sample == shape[1:] and images and shape[0] == 1:
        return f"the channel axis is missing, pass {name}.unsqueeze(1)"
    if sample == shape[1:]:
        return f"give its shape without N, {name}_shape={_shown(sample)}"
    for axes, moved in (("-1, 1", sample[-1:] + sample[:-1]), ("1, -1", sample[1:] + sample[:1])):
        if moved == shape:
            what = "the channel axis is last, move it" if images and axes == "-1, 1" else "move its axes"
            return f"{what}, {name}.movedim({axes})"
    if math.prod(sample) == math.prod(shape):
        return f"reshape it, {name}.reshape(-1, {', '.join(map(str, shape))}), or give {name}_shape={_shown(sample)}"
    if len(sample) == len(shape) > 1 and not (images and sample[1:] == shape[1:]):
        return "pad or crop its samples, or pass a critic with an encoder of your own (mi.critics.Encoded)"
    return f"give {name}_shape={_shown(sample)}"


def _labels(name: str, side: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Integer labels as one-hot columns."""
    classes = math.prod(sizes)
    if tuple(side.shape[1:]) == sizes and classes > 1:
        raise ValueError(
            f"{name} has integers of shape {tuple(side.shape)}: for one-hot rows pass the labels, {name}.argmax(1), "
            f"for numbers {name}.float()."
        )
    if side.dim() != 1 or classes < 2:
        raise ValueError(
            f"{name} has integers of shape {tuple(side.shape)}: for labels (N,) let {name}_shape be the number of "
            f"classes, for tokens pass a critic that embeds them (mi.critics.Encoded), for numbers {name}.float()."
        )
    try:
        return one_hot(side.long(), classes).float()
    except RuntimeError as error:
        raise ValueError(
            f"{name} has labels from {int(side.min())} to {int(side.max())}, and {name}_shape announces {classes} "
            f"classes: number them from 0 to {classes - 1}, and leave out rows without a label."
        ) from error


def _shown(sizes: Sizes) -> str:
    return str(sizes[0] if len(sizes) == 1 else sizes)


def detached(tensor: Tensor) -> Tensor:
    """Without its graph; a tensor of inference mode takes part in none, and is copied."""
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def guarded(side: Tensors) -> Tensors:
    """The same values; entries of their gradients that are not finite become 0."""

    def guard(tensor: Tensor) -> Tensor:
        if not tensor.requires_grad:
            return tensor
        alias = tensor.view_as(tensor)
        alias.register_hook(_finite)  # type: ignore[no-untyped-call]
        return alias

    return map_tensors(guard, side)


def _finite(gradient: Tensor) -> Tensor:
    return gradient.nan_to_num(0.0, 0.0, 0.0)


def no_term(x: Tensors, z: Tensors) -> Tensor:
    """0 with a zero gradient."""
    tensors = flat((x, z))
    sums = [0.0 * tensor.nan_to_num(0.0, 0.0, 0.0).sum() for tensor in tensors if tensor.is_floating_point()]
    return torch.stack([*sums, torch.zeros((), device=tensors[0].device)]).sum()
