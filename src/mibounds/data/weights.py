"""Rows that count unequally: of a sample with weights, a plain sample of the population that the weights mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import counted
from mibounds.data.sources import MINIMUM_ROWS, columns_of
from mibounds.data.values import families, numbers

__all__ = ["rows_by_weight"]

_KINDS = {"M": "date", "m": "duration", "U": "text", "S": "text"}  # of dtypes that are no numbers


def rows_by_weight(weights: Any, given: int, kept: Tensor, generator: torch.Generator) -> Tensor:
    r"""Which of the kept rows stay, each by a draw of its own with the chance :math:`w_i / \max_j w_j`: (N,) booleans.

    If the rows are draws from p, those that stay are independent draws from a law proportional to w p. So nothing
    that is done with them needs to know of weights, and their errors and intervals are those of a plain sample. Equal
    weights keep all rows; one that is far above the others leaves few.

    References:
        von Neumann, Various techniques used in connection with random digits, 1951 (rejection sampling).

    Arguments:
        weights: one number for each row that was given, on any scale.
        given: how many rows came.
        kept: (N,) the numbers of those that have not been dropped.
        generator: makes the draws.

    Raises:
        ValueError: if they are no numbers, or not as many as rows were given, if one is missing or negative, or if too
            few rows stay.

    Example:
        >>> rows_by_weight([1.0, 1.0, 0.0] * 50, 150, torch.arange(150), torch.Generator())[:6]
        tensor([ True,  True, False,  True,  True, False])
    """
    columns, _ = columns_of(weights, "sample_weight")
    found = next(iter(columns.values()))
    if len(columns) > 1 or len(found) != given:
        raise ValueError(
            f"sample_weight has {counted(len(found), 'row')} and {counted(len(columns), 'column')}: expected one "
            f"number for each of the {given} rows."
        )
    held = families(found) if found.dtype.kind == "O" else {_KINDS.get(found.dtype.kind, "number")}
    if not held <= {"number", "boolean"}:
        raise ValueError(
            f"sample_weight holds {' and '.join(sorted(held))}: expected one number for each of the {given} rows."
        )
    weight = torch.from_numpy(numbers(found).astype(np.float64))[kept]
    if not bool((weight.isfinite() & (weight >= 0)).all()):
        raise ValueError("sample_weight has missing, infinite or negative numbers: a weight is 0 or more.")
    if not bool((weight > 0).any()):
        raise ValueError("sample_weight is 0 throughout: some rows must count.")
    share = weight / weight.max()  # products with the smallest weights would be rounded
    stay = torch.rand(len(weight), generator=generator, dtype=torch.float64) < share
    if int(stay.sum()) < MINIMUM_ROWS:
        raise ValueError(
            f"sample_weight leaves {int(stay.sum())} of {len(weight)} rows, each kept as its share of the largest "
            f"weight: expected at least {MINIMUM_ROWS}. Trim the largest weights, or give more rows."
        )
    return stay
