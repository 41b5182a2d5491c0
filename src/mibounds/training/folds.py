"""Cross-fitting splits: each test sample is evaluated by a critic that was neither trained nor selected on it."""

# Own splits and not those of `sklearn.model_selection`: each fold has a third set (validation), gaps on both sides of
# two blocks, and randomness from a `torch.Generator`; `split_by` takes the splitters of scikit-learn.

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Fold", "split", "split_blocked", "split_by", "split_groups"]

_FEWEST = 16  # training samples; the smallest automatic batch
_FEWEST_TESTED = 2  # samples, of which one is paired with the other


@dataclass(frozen=True)
class Fold:
    """Indices of samples: `train` fits the critic, `valid` stops and selects it, `test` evaluates it."""

    train: Tensor
    valid: Tensor
    test: Tensor


def split(n: int, folds: int, validation_fraction: float, generator: torch.Generator) -> list[Fold]:
    """`folds` random folds of n samples; `validation_fraction` of the samples outside a test set validate.

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
        cut = _validation_count(validation_fraction, len(rest))
        result.append(Fold(rest[cut:], rest[:cut], test))
    return result


def split_blocked(n: int, folds: int, validation_fraction: float, gap: int, generator: torch.Generator) -> list[Fold]:
    """`folds` contiguous blocks of n samples in their order, for samples that depend on their neighbors.

    Each fold tests on one block and validates on another right after it (before it, where no room is left). `gap`
    samples on both sides of either block are left out, so no training sample is within `gap` samples of a test or
    validation sample, and no validation sample of a test sample.

    Arguments:
        n: number of samples.
        folds: number of test blocks.
        validation_fraction: fraction of the samples outside the test block and its gaps that validate.
        gap: samples left out on each side of a block.
        generator: shuffles the training and the validation samples.

    Raises:
        ValueError: if the gaps leave a fold too few training samples, or no room for the validation samples.

    Example:
        >>> [(f.test[0].item(), f.test[-1].item()) for f in split_blocked(60, 3, 0.2, 1, torch.Generator())]
        [(0, 19), (20, 39), (40, 59)]
    """
    edges = [round(i * n / folds) for i in range(folds + 1)]
    index = torch.arange(n)
    result = []
    for start, stop in pairwise(edges):
        rest = n - (stop - start) - min(gap, start) - min(gap, n - stop)
        count = _validation_count(validation_fraction, rest)
        after = stop + gap + count <= n
        first = stop + gap if after else start - gap - count
        last = first + count
        near_test = (index >= start - gap) & (index < stop + gap)
        near_valid = (index >= first - gap) & (index < last + gap)
        train = index[~near_test & ~near_valid]
        if first < 0:
            raise ValueError(
                f"gap is {gap}, and leaves a fold of {n} rows no room for {count} validation rows beside its "
                "test block: give a smaller gap, or more folds."
            )
        if len(train) < _FEWEST:
            raise ValueError(
                f"gap is {gap}, and leaves a fold of {n} rows with {len(train)} rows to train on: "
                "give a smaller gap, or more folds."
            )
        valid = index[first:last]
        train, valid = (some[torch.randperm(len(some), generator=generator)] for some in (train, valid))
        result.append(Fold(train, valid, index[start:stop]))
    return result


def split_groups(groups: Tensor, folds: int, validation_fraction: float, generator: torch.Generator) -> list[Fold]:
    """`folds` folds of about equal size of whole groups: no group is in two of test, validation and training.

    Arguments:
        groups: (N,) the group of every sample, numbered from 0.
        folds: number of test sets.
        validation_fraction: fraction of the samples outside the test set that validate.
        generator: orders groups of equal size, and the samples.

    Raises:
        ValueError: if there are not two groups more than folds, or a fold has one group outside its test set.

    Example:
        >>> groups = torch.arange(6).repeat_interleave(10)
        >>> [sorted({*groups[f.test].tolist()}) for f in split_groups(groups, 3, 0.2, torch.Generator().manual_seed(0))]
        [[0, 2], [1, 5], [3, 4]]
    """
    count = int(groups.max()) + 1
    if count < folds + 2:
        if count >= 4:
            advice = f"pass folds={count - 2}{' or fewer' if count > 4 else ''}"
        else:
            advice = "give 4 groups or more" if folds == 2 else f"give {folds + 2} groups or more, or 4 and folds=2"
        raise ValueError(
            f"groups has {count} {'group' if count == 1 else 'groups'}, and {folds} folds need {folds + 2}, as whole "
            f"groups test, validate and train: {advice}."
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
    """The folds of a scikit-learn splitter, an object with `split(X, y, groups)`, or of pairs of training and test
    indices. Validation samples are drawn from the training samples, as whole groups if there are groups.

    Arguments:
        splitter: the splitter, or the pairs.
        n: number of samples.
        groups: (N,) the group of every sample, numbered from 0.
        validation_fraction: fraction of the training samples that validate.
        generator: orders the samples and the groups.

    Raises:
        TypeError: if it does not give pairs of rows.
        ValueError: if it needs what it is not given, a row is not there, in two test sets, or in the training and the
            test set of a fold, or a fold is too small.

    Example:
        >>> from sklearn.model_selection import KFold
        >>> folds = split_by(KFold(2), 40, None, 0.2, torch.Generator().manual_seed(0))
        >>> [(len(f.train), len(f.valid), f.test.min().item()) for f in folds]
        [(16, 4, 0), (16, 4, 20)]
    """
    result, tested = [], torch.zeros(n, dtype=torch.bool)
    for train, test in _pairs(splitter, n, groups):
        if tested[test].any() or len(torch.unique(test)) < len(test):
            raise ValueError("cv tests some rows twice: expected test rows that do not overlap, as KFold gives them.")
        if len(train) < _FEWEST or len(test) < _FEWEST_TESTED:
            raise ValueError(
                f"cv gives a fold of {len(train)} training and {len(test)} test rows: expected at least {_FEWEST} and "
                f"{_FEWEST_TESTED}, as KFold(5) gives them."
            )
        if torch.isin(test, train).any():
            raise ValueError("cv has rows that both train and test in one fold: expected two sets without overlap.")
        tested[test] = True
        result.append(_fold(test, train, groups, validation_fraction, generator))
    if len(result) < 2:
        raise ValueError(f"cv gives {len(result)} fold{'' if len(result) == 1 else 's'}: expected at least two.")
    return result


def _pairs(splitter: Any, n: int, groups: Tensor | None) -> list[tuple[Tensor, Tensor]]:
    """The training and test rows of each fold, as indices."""
    if not hasattr(splitter, "split"):
        given = splitter
    else:
        try:
            given = list(splitter.split(range(n), None, None if groups is None else groups.numpy()))
        except (TypeError, ValueError) as error:  # it needs labels, groups, or more rows
            raise ValueError(
                f"cv, a {type(splitter).__name__}, cannot split {n} rows ({str(error).rstrip('.')}): pass groups= if "
                "it needs them, a splitter that needs no labels, such as KFold(5), or pairs of training and test rows."
            ) from error
    pairs = []
    for pair in given:
        parts = list(pair) if isinstance(pair, Iterable) else []
        if len(parts) != 2:
            raise TypeError(f"cv holds {pair!r:.60}: expected pairs of training and test rows.")
        pairs.append((_rows(parts[0], n), _rows(parts[1], n)))
    return pairs


def _rows(indices: Any, n: int) -> Tensor:
    """Indices of n samples."""
    rows = np.asarray(indices)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise TypeError(f"cv holds {indices!r:.60}: expected the numbers of rows, from 0 to {n - 1}.")
    beyond = rows[(rows < 0) | (rows >= n)]
    if len(beyond):
        raise ValueError(f"cv has row {beyond[0]}, and there are {n} rows: expected numbers from 0 to {n - 1}.")
    return torch.from_numpy(rows.astype(np.int64))


def _validation_count(fraction: float, available: int) -> int:
    return max(1, round(fraction * available))


def _fold(
    test: Tensor, available: Tensor, groups: Tensor | None, validation_fraction: float, generator: torch.Generator
) -> Fold:
    """A fold with this test set. Of the other available samples, whole groups are moved to validation, one after the
    other, until it has the fraction asked for; one group at least is left for training.

    All three are in random order: samples may be sorted, and what looks at some of a set takes the first ones."""
    rest = available[~torch.isin(available, test)]
    rest = rest[torch.randperm(len(rest), generator=generator)]
    test = test[torch.randperm(len(test), generator=generator)]
    wanted = _validation_count(validation_fraction, len(rest))
    if groups is None:
        return Fold(rest[wanted:], rest[:wanted], test)
    present = torch.unique(groups[rest])
    if len(present) < 2:
        raise ValueError(
            f"groups has one group in the {len(rest)} rows that a fold trains and validates on: expected two or more, "
            "as whole groups validate. Give more folds, or groups of similar size."
        )
    present = present[torch.randperm(len(present), generator=generator)]
    cumulative = torch.bincount(groups[rest], minlength=int(groups.max()) + 1)[present].cumsum(0)
    enough = int((cumulative < wanted).sum()) + 1
    valid = torch.isin(groups[rest], present[: min(enough, len(present) - 1)])
    return Fold(rest[~valid], rest[valid], test)
