"""Splits of the rows: every row is tested once, by a critic that neither trained on it nor was selected by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

__all__ = ["Fold", "split", "split_blocked", "split_by", "split_groups"]

_FEWEST = 16  # rows; the smallest automatic batch


@dataclass(frozen=True)
class Fold:
    """Row indices: `train` moves the weights, `valid` stops and selects, `test` is reported."""

    train: Tensor
    valid: Tensor
    test: Tensor


def split(n: int, folds: int, validation_fraction: float, generator: torch.Generator) -> list[Fold]:
    """`folds` random folds of n samples; `validation_fraction` of the samples outside a test part validate.

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
        cut = max(1, round(validation_fraction * len(rest)))
        result.append(Fold(rest[cut:], rest[:cut], test))
    return result


def split_blocked(n: int, folds: int, validation_fraction: float, gap: int, generator: torch.Generator) -> list[Fold]:
    """`folds` contiguous blocks of n rows in their order, for rows that resemble their neighbors.

    Each fold tests one block and validates on another right after it (before it, where no room is left). `gap` rows on
    both sides of either block are left out, so no row that trains is within `gap` rows of one that tests or
    selects, and neither are those two of each other.

    Arguments:
        n: number of rows.
        folds: number of test blocks.
        validation_fraction: share of the rows outside the test block and its gaps that validate.
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
        count = max(1, round(validation_fraction * rest))
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


def split_groups(groups: Tensor, folds: int, validation_fraction: float, generator: torch.Generator) -> list[Fold]:
    """`folds` folds of about equal size that no group is divided between, nor between training and validation.

    Arguments:
        groups: (N,) the group of every row, numbered from 0.
        folds: number of test parts.
        validation_fraction: share of the rows outside the test part that validate.
        generator: orders groups of equal size, and the rows.

    Raises:
        ValueError: if there are not two groups more than folds.

    Example:
        >>> groups = torch.arange(6).repeat_interleave(10)
        >>> [sorted({*groups[f.test].tolist()}) for f in split_groups(groups, 3, 0.2, torch.Generator().manual_seed(0))]
        [[0, 2], [1, 5], [3, 4]]
    """
    count = int(groups.max()) + 1
    if count < folds + 2:
        raise ValueError(
            f"groups has {count} groups, and {folds} folds need {folds + 2}, as whole groups test, validate and train: "
            "give fewer folds."
        )
    sizes = torch.bincount(groups, minlength=count)
    order = torch.randperm(count, generator=generator)
    filled, fold_of = [0] * folds, torch.empty(count, dtype=torch.long)
    for group in order[sizes[order].argsort(descending=True, stable=True)].tolist():
        smallest = filled.index(min(filled))
        fold_of[group] = smallest
        filled[smallest] += int(sizes[group])
    tests = [(fold_of[groups] == i).nonzero().flatten() for i in range(folds)]
    return [_fold(test, torch.arange(len(groups)), groups, validation_fraction, generator) for test in tests]


def split_by(
    splitter: Any, n: int, groups: Tensor | None, validation_fraction: float, generator: torch.Generator
) -> list[Fold]:
    """The folds of a splitter in scikit-learn's manner, an object with `split(X, y, groups)`, or of pairs of training
    and test rows. Validation rows are taken from the training rows, in whole groups if there are groups.

    Raises:
        TypeError: if it is no splitter.
        ValueError: if a row is tested twice, or trains a critic that tests it.
    """
    if hasattr(splitter, "split"):
        pairs = splitter.split(range(n), None, None if groups is None else groups.numpy())
    elif isinstance(splitter, Iterable):
        pairs = splitter
    else:
        raise TypeError(
            f"cv is a {type(splitter).__name__}: expected a splitter with split(X, y, groups), or pairs of training "
            "and test rows. For a number of folds pass folds=."
        )
    result, seen = [], torch.zeros(n, dtype=torch.bool)
    for train, test in pairs:
        kept, tested = (torch.as_tensor(rows, dtype=torch.long) for rows in (train, test))
        if seen[tested].any() or len(torch.unique(tested)) < len(tested):
            raise ValueError("cv tests some rows twice: expected test rows that do not overlap, as KFold gives them.")
        if len(kept) < _FEWEST or not len(tested):
            raise ValueError(f"cv gives a fold of {len(kept)} training and {len(tested)} test rows: that is too few.")
        if torch.isin(tested, kept).any():
            raise ValueError("cv has rows that both train and test in one fold: keep them apart.")
        seen[tested] = True
        result.append(_fold(tested, kept, groups, validation_fraction, generator))
    if len(result) < 2:
        raise ValueError(f"cv gives {len(result)} folds: expected at least two.")
    return result


def _fold(
    test: Tensor, kept: Tensor, groups: Tensor | None, validation_fraction: float, generator: torch.Generator
) -> Fold:
    """A fold that tests these rows; of the kept ones whole groups validate until their share is reached."""
    rest = kept[~torch.isin(kept, test)]
    rest = rest[torch.randperm(len(rest), generator=generator)]
    wanted = max(1, round(validation_fraction * len(rest)))
    if groups is None:
        return Fold(rest[wanted:], rest[:wanted], test)
    present = torch.unique(groups[rest])
    present = present[torch.randperm(len(present), generator=generator)]
    cumulative = torch.bincount(groups[rest], minlength=int(groups.max()) + 1)[present].cumsum(0)
    enough = int((cumulative < wanted).sum()) + 1
    valid = torch.isin(groups[rest], present[: min(enough, len(present) - 1)])
    return Fold(rest[~valid], rest[valid], test)
