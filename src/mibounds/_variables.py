"""A variable: a tensor whose first dimension counts the rows, or a tuple of variables with the same rows.

Only encoders look inside a variable; everything else handles it through this page. Encodings nest the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Union

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

__all__ = [
    "Tensors",
    "check_finite",
    "flat",
    "identity",
    "like",
    "map_tensors",
    "refuse_packed",
    "row_count",
    "shape_of",
    "take_rows",
    "tuple_like",
]

Tensors = Union[Tensor, tuple["Tensors", ...]]


def check_finite(name: str, variable: Tensors) -> None:
    """Raise a ValueError if a variable holds missing or infinite values."""
    if isinstance(variable, tuple):
        for part in variable:
            check_finite(name, part)
    elif bad := int((~variable.isfinite()).sum()):
        raise ValueError(f"{name} has {bad} missing or infinite values: fill them in, or leave out their rows.")


def map_tensors(function: Callable[[Tensor], Tensor], variable: Tensors) -> Tensors:
    """`function` applied to every tensor of a variable (or of an encoding)."""
    if isinstance(variable, Tensor):
        return function(variable)
    return tuple_like(variable, [map_tensors(function, part) for part in variable])


def tuple_like(variable: tuple[Any, ...], parts: Sequence[Any]) -> tuple[Any, ...]:
    """Parts in a tuple of the type of this one: an encoder may take the fields of a named tuple by their names.

    >>> from typing import NamedTuple
    >>> tuple_like(NamedTuple("Batch", [("steps", int), ("mask", int)])(1, 2), [3, 4])
    Batch(steps=3, mask=4)
    """
    named: Any = variable
    return named._make(parts) if hasattr(variable, "_fields") else tuple(parts)


def identity(*variables: Tensors) -> tuple[Any, ...]:
    """What tells the tensors of two calls apart: where their numbers lie, and how often they were changed; nothing
    while they are traced.

    >>> import torch
    >>> x = torch.zeros(3)
    >>> identity(x) == identity(x.detach()), identity(x) == identity(x.clone())
    (True, False)
    """
    if torch.compiler.is_compiling():
        return ()
    return tuple((one.data_ptr(), one.shape, 0 if one.is_inference() else one._version) for one in flat(variables))


def refuse_packed(name: str, data: Any, *, encoded: bool = True) -> None:
    """Raise a TypeError for a `PackedSequence`, a tuple whose tensors have no row for each sample."""
    if isinstance(data, PackedSequence):
        function, what = (
            ("pad_packed_sequence({}, batch_first=True)", "a tuple of the padded sequences and their lengths")
            if encoded
            else ("unpack_sequence({})", "the list of its sequences")
        )
        raise TypeError(
            f"{name} is a PackedSequence, whose tensors have no row for each sample: pass {what}, "
            f"torch.nn.utils.rnn.{function.format(name)}."
        )


def flat(variable: Tensors) -> list[Tensor]:
    """The tensors of a variable."""
    return [variable] if isinstance(variable, Tensor) else [tensor for part in variable for tensor in flat(part)]


def like(variable: Tensors, tensors: Sequence[Tensor]) -> Tensors:
    """A variable that nests as this one does, of other tensors in the order of `flat`."""
    following = iter(tensors)
    return map_tensors(lambda _: next(following), variable)


def shape_of(variable: Tensors) -> Tensors:
    """A variable that nests as this one does, for `like`; it keeps no rows alive."""
    return map_tensors(lambda part: part.new_empty(0), variable)


def row_count(variable: Tensors) -> int:
    """N, the number of rows."""
    return len(variable) if isinstance(variable, Tensor) else row_count(variable[0])


def take_rows(variable: Tensors, index: Tensor | slice) -> Tensors:
    """The rows `index` of a variable."""
    if isinstance(index, slice):
        return map_tensors(lambda part: part[index], variable)
    return map_tensors(lambda part: part.index_select(0, index.to(part.device)), variable)
