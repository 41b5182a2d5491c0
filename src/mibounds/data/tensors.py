"""Intake of what an encoder or a critic of the user's own takes as it came."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mibounds._checks import layer_widths
from mibounds._variables import (
    Tensors,
    check_finite,
    flat,
    map_tensors,
    refuse_packed,
    row_count,
    take_rows,
    tuple_like,
)
from mibounds.data.sources import MINIMUM_ROWS, array_of, is_mapping
from mibounds.data.variable import Variable

__all__ = ["as_tensors", "check_parts", "intake_tensors"]


_MANY = 10  # entries of a list, which are sequences


def intake_tensors(data: Any, name: str, encoder: nn.Module | None) -> Variable:
    """A variable that an encoder or a critic of the user's own takes as it came.

    Arguments:
        data: a tensor, an array or a table of numbers, or a tuple of these.
        name: for sentences.
        encoder: maps its rows to columns; it is tried on two of them.

    Raises:
        TypeError: if the data hold something else than numbers.
        ValueError: if values are missing or infinite, or the encoder cannot take the rows, or maps them to something
            else than columns of numbers.
    """
    values = as_tensors(data, name)
    check_finite(name, values)
    if encoder is None:
        return Variable(name, values)
    values = map_tensors(lambda part: part.detach().float() if part.is_floating_point() else part.detach(), values)
    try:
        with torch.no_grad():
            code = copy.deepcopy(encoder).eval()(take_rows(values, slice(2)))
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
        widths = layer_widths(error)
        why = (
            " ".join(str(error).split()).rstrip(".")
            if widths is None
            else f"a layer of {widths[1]} inputs gets {widths[0]}"
        )
        shapes = " and ".join(f"{tuple(part.shape[1:])} of {part.dtype}" for part in flat(values))
        raise ValueError(
            f"encoder_{name} cannot encode {name}, whose rows have shape {shapes}: {why}. Expected a module that maps "
            "such rows to columns."
        ) from error
    if not isinstance(code, Tensor) or code.dim() != 2 or len(code) != min(2, row_count(values)):
        shape = tuple(code.shape) if isinstance(code, Tensor) else type(code).__name__
        raise ValueError(f"encoder_{name} maps two rows to {shape}: expected a tensor (rows, columns).")
    if not bool(code.isfinite().all()):
        raise ValueError(f"encoder_{name} maps rows of {name} to values that are NaN or infinite: expected numbers.")
    return Variable(name, values, encoder=encoder, width=code.shape[1])


def check_parts(data: Any, name: str, encoder: nn.Module | None) -> None:
    """Raise a TypeError for several tensors or arrays in place of one, which only an encoder takes, as a tuple."""
    refuse_packed(name, data, encoded=encoder is not None)
    parts = list(data.values()) if is_mapping(data) else data
    if not isinstance(parts, list | tuple) or not 0 < len(parts) < _MANY:
        return
    lengths = {len(part) if isinstance(part, Tensor | np.ndarray) and part.ndim else 0 for part in parts}
    if len(lengths) > 1 or min(lengths) < MINIMUM_ROWS:  # no rows of one length
        return
    what = f"{name} is a {type(data).__name__} of {len(parts)} {type(parts[0]).__name__}s of {min(lengths)} rows"
    if encoder is None and not isinstance(data, Mapping):  # a dictionary of columns is a table
        module = "torch" if isinstance(parts[0], Tensor) else "numpy"
        raise TypeError(f"{what}: join them, {module}.column_stack({name}), or pass a module as encoder_{name}.")
    if encoder is not None and not isinstance(data, tuple):
        values = f"{name}.values()" if isinstance(data, Mapping) else name
        raise TypeError(f"{what}: pass encoder_{name} a tuple, tuple({values}).")


def as_tensors(data: Any, name: str) -> Tensors:
    """Tensors as they are, and arrays and tables of numbers as tensors.

    Raises:
        TypeError, ValueError: for something else, a table with text and rows of different lengths.
    """
    refuse_packed(name, data)
    if isinstance(data, tuple):
        return tuple_like(data, [as_tensors(part, name) for part in data])
    if isinstance(data, Tensor):
        return data
    array = array_of(data, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} holds no numbers ({array.dtype}): expected a tensor, an array or a table of numbers.")
    return torch.as_tensor(np.require(array, requirements=["C", "W"]))
