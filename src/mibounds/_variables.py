"""A variable: a tensor whose first dimension counts the rows, or a tuple of variables with the same rows.

Only encoders look inside a variable; everything else handles it through this page. Encodings nest the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Union

from torch import Tensor

__all__ = ["Tensors", "check_finite", "flat", "like", "map_tensors", "row_count", "shape_of", "take_rows"]

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
    return tuple(map_tensors(function, part) for part in variable)


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
