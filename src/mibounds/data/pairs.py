"""Pairs of batches: rows of x and of y, tensors or tuples of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mibounds._checks import check_paired
from mibounds._variables import Tensors, map_tensors, row_count, take_rows, tuple_like

__all__ = ["LABELS", "Pair", "as_column", "as_pair", "first_rows", "joined"]

Pair = tuple[Tensors, Tensors]
LABELS = (torch.int32, torch.int64)
"""What layers of torch take as labels and tokens."""


def as_pair(batch: Any) -> Pair:
    """The two sides of a batch, of as many rows.

    Raises:
        TypeError: if it is no pair, or complex.
        ValueError: if its sides do not pair.
    """
    if not isinstance(batch, list | tuple) or len(batch) != 2:
        came = type(batch).__name__ + (f" of {len(batch)}" if isinstance(batch, list | tuple) else "")
        raise TypeError(f"the source yields a {came}, and must yield pairs (x, y): wrap it so that it does.")
    x, y = (map_tensors(as_column, torch.as_tensor(side) if not isinstance(side, tuple) else side) for side in batch)
    check_paired(row_count(x), row_count(y))
    return x, y


def as_column(part: Tensor) -> Tensor:
    """Numbers in single precision, single ones as a column."""
    if part.is_complex():
        raise TypeError("a tensor of complex numbers came: expected real ones, for example torch.view_as_real of it.")
    part = part.float()
    return part.unsqueeze(1) if part.dim() == 1 else part


def joined(pairs: Sequence[Pair]) -> Pair:
    """The rows of one pair after another."""

    def cat(sides: Sequence[Tensors]) -> Tensors:
        first = sides[0]
        if isinstance(first, Tensor):
            return torch.cat([side for side in sides if isinstance(side, Tensor)])
        return tuple_like(first, [cat([side[k] for side in sides]) for k in range(len(first))])

    return cat([x for x, _ in pairs]), cat([y for _, y in pairs])


def first_rows(pair: Pair, n: int) -> tuple[Pair, Pair]:
    """The first n rows, and the others."""
    first, others = ((take_rows(pair[0], part), take_rows(pair[1], part)) for part in (slice(n), slice(n, None)))
    return first, others
