"""Splits of the rows: every row is tested once, by a critic that neither trained on it nor was selected by it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

__all__ = ["Fold", "split", "split_blocked"]

_FEWEST = 16  # rows; the smallest automatic batch


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


def split_blocked(n: int, folds: int, valid_share: float, gap: int, generator: torch.Generator) -> list[Fold]:
    """`folds` contiguous blocks of n rows in their order, for rows that resemble their neighbors.

    Each fold tests one block and validates on another right after it (before it, where no room is left). `gap` rows on
    both sides of either block are left out, so no row that trains is within `gap` rows of one that tests or
    selects, and neither are those two of each other.

    Arguments:
        n: number of rows.
        folds: number of test blocks.
        valid_share: share of the rows outside the test block and its gaps that validate.
        gap: rows left out on each side of a block.
        generator: shuffles the rows that train and validate.

    Raises:
        ValueError: if the gaps leave a fold too few rows to train on.

    Example:
        >>> [(f.test[0].item(), f.test[-1].item()) for f in split_blocked(60, 3, 0.2, 1, torch.Generator())]
        [(0, 19), (20, 39), (40, 59)]
    """
    edges = [round(i * n / folds) for i in range(folds + 1)]
    rows = torch.arange(n)
    result = []
    for start, stop in pairwise(edges):
        rest = n - (stop - start) - min(gap, start) - min(gap, n - stop)
        count = max(1, round(valid_share * rest))
        after = stop + gap + count <= n
        first = stop + gap if after else start - gap - count
        last = first + count
        near_test = (rows >= start - gap) & (rows < stop + gap)
        near_valid = (rows >= first - gap) & (rows < last + gap)
        train = rows[~near_test & ~near_valid]
        if first < 0 or len(train) < _FEWEST:
            raise ValueError(
                f"gap is {gap}, and leaves a fold of {n} rows with {len(train)} rows to train on: "
                "give a smaller gap, or more folds."
            )
        valid = rows[first:last]
        train, valid = (part[torch.randperm(len(part), generator=generator)] for part in (train, valid))
        result.append(Fold(train, valid, rows[start:stop]))
    return result
