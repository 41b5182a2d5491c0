"""Splits of the rows: every row is tested once, by a critic that neither trained on it nor was selected by it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Fold", "split"]


@dataclass(frozen=True)
class Fold:
    """Row indices: `train` moves the weights, `valid` stops and selects, `test` is reported."""

    train: Tensor
    valid: Tensor
    test: Tensor


def split(n: int, folds: int, valid_share: float, generator: torch.Generator) -> list[Fold]:
    """`folds` random folds of n rows; each takes its own test rows, and `valid_share` of the others to validate.

    Example:
        >>> [len(f.test) for f in split(10, 3, 0.2, torch.Generator())]
        [4, 3, 3]
    """
    order = torch.randperm(n, generator=generator)
    tests = [order[i::folds] for i in range(folds)]
    result = []
    for i, test in enumerate(tests):
        rest = torch.cat([other for j, other in enumerate(tests) if j != i])
        rest = rest[torch.randperm(len(rest), generator=generator)]
        cut = max(1, round(valid_share * len(rest)))
        result.append(Fold(rest[cut:], rest[:cut], test))
    return result
