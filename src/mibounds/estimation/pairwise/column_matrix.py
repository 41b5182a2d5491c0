"""All pairs of columns: folds and stacks of pairs side by side, and a null of shuffled columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mibounds._math import twice_mid_ranks
from mibounds.data import Variable
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.data.values import entropy_of
from mibounds.estimation.false_discovery import pooled_pvalues
from mibounds.estimation.pairwise.pair_evaluations import (
    FoldColumns,
    evaluate_pairs,
    fit_pairs,
    independence_statistics,
    prepare_fold,
)
from mibounds.training.diagnostics import serial_dependence
from mibounds.training.folds import Fold, split
from mibounds.training.progress_bars import Progress
from mibounds.training.workers import fast_arithmetic
from mibounds.warnings import MIWarning, SerialCorrelationWarning, SmallSampleWarning

__all__ = ["column_warnings", "measure_columns"]

Floats = NDArray[np.float64]
_VALID_SHARE = 0.15
_MANY = 20_000  # rows, from which two folds are enough
_STACK = 64  # pairs trained at once: what a core's cache holds
_NULL_COLUMNS = 33, 50  # at least and at most: 528 to 1,225 pairs of them
_FEW, _SERIAL = 200, 0.3
_LARGEST_KEY = 1 << 40  # sums of whole numbers below it are exact, and hardly ever equal by chance
_MOST_LABELS = 12  # different values of a column whose entropy limits its pairs: as many as text may have to be taken


@dataclass(frozen=True)
class _Part:
    """Pairs of columns that have the same samples.

    Attributes:
        table: (n, d) these samples of the columns that the pairs need.
        first: the column of the part that each pair takes for x, (P,).
        second: and for y, (P,).
        pairs: the places of the pairs among all, (P,).
        splits: the folds of the samples.
    """

    table: Tensor
    first: Tensor
    second: Tensor
    pairs: Tensor
    splits: list[Fold]


def measure_columns(
    table: Tensor, tested: bool, folds: int | None, threads: int, progress: bool | str, seed: int
) -> list[Floats]:
    """Of the pairs i < j of the columns of a table (N, D): values, standard errors, numbers of samples and, if asked
    for, p-values. No value is above the entropy of a column with few values.

    A pair leaves out the samples in which one of its columns is not finite; pairs of the same samples are trained
    together. It is not measured, and its value is NaN, where fewer than 50 are left. The standard error is the larger
    of the sampling of rows and the spread of the folds.

    Raises:
        ValueError: if no pair has as many.
    """
    d = table.shape[1]
    first, second = torch.triu_indices(d, d, 1, device=table.device)
    counts, parts = _parts(table, first, second, folds, seed)
    null = _null(table, folds, seed) if tested else None
    total = sum(len(part.splits) * len(part.pairs) for part in ([*parts, null] if null is not None else parts))
    found = torch.full((3, len(first)), math.nan, dtype=torch.float64)  # values, standard errors, statistics
    with Progress(progress, total) as bar:
        for part in parts:
            means, variances, observed = _each(part, _moments_and_statistic, threads, bar, "pairs")
            sizes = torch.tensor([len(fold.test) for fold in part.splits], dtype=torch.float64)
            sampling = (variances * sizes).sum(-1).sqrt() / len(part.table)
            spread = means.std(-1) / math.sqrt(len(part.splits))
            value = torch.minimum((means * sizes).sum(-1) / len(part.table), _limits(part))
            found[:, part.pairs.cpu()] = torch.stack([value, torch.maximum(sampling, spread), _pooled(observed)])
        numbers = [found[0].numpy(), found[1].numpy(), counts.double().cpu().numpy()]
        if null is not None:
            (shuffled,) = _each(null, _statistic, threads, bar, "shuffled pairs")
            numbers.append(pooled_pvalues(found[2].numpy(), _pooled(shuffled).numpy()))
    return numbers


def _parts(table: Tensor, first: Tensor, second: Tensor, folds: int | None, seed: int) -> tuple[Tensor, list[_Part]]:
    """The number of samples of each pair, (P,), and the pairs by their samples."""
    known = table.isfinite()
    if bool(known.all()):
        pairs = torch.arange(len(first), device=table.device)
        whole = _Part(_ordered(table), first, second, pairs, _splits(len(table), folds, seed))
        return torch.full_like(pairs, len(table)), [whole]
    patterns, pattern = torch.unique(known, dim=1, return_inverse=True)  # columns often lack the same samples
    one, other = pattern[first], pattern[second]
    key = torch.minimum(one, other) * patterns.shape[1] + torch.maximum(one, other)
    of_samples: dict[bytes, tuple[Tensor, list[Tensor]]] = {}
    for number in torch.unique(key).tolist():
        samples = patterns[:, number // patterns.shape[1]] & patterns[:, number % patterns.shape[1]]
        _, members = of_samples.setdefault(samples.cpu().numpy().tobytes(), (samples, []))
        members.append((key == number).nonzero().flatten())
    counts, parts = torch.zeros_like(first), []
    for samples, members in of_samples.values():
        pairs, n = torch.cat(members).sort().values, int(samples.sum())
        counts[pairs] = n
        if n >= max(MINIMUM_ROWS, 2 * (folds or 0)):
            columns, place = torch.unique(torch.stack([first[pairs], second[pairs]]), return_inverse=True)
            own = _ordered(table[samples][:, columns])
            parts.append(_Part(own, place[0], place[1], pairs, _splits(n, folds, seed)))
    if not parts:
        raise ValueError(
            f"table has at most {int(counts.max())} rows in which two columns have values: expected at least "
            f"{MINIMUM_ROWS}, and some thousands for a precise estimate."
        )
    return counts, parts


def _ordered(table: Tensor) -> Tensor:
    """The rows (n, d) in an order that their values decide, by a sum over columns of random numbers for the ranks, the
    same for all columns: the folds depend neither on the order in which rows came nor on that of the columns."""
    drawn = torch.randint(_LARGEST_KEY, (2 * len(table) + 1,), generator=torch.Generator().manual_seed(0))
    drawn, keys = drawn.to(table.device), torch.zeros(len(table), dtype=torch.long, device=table.device)
    for ranks in twice_mid_ranks(table):
        keys += drawn[ranks]
    return table[keys.argsort(stable=True)]


def _null(table: Tensor, folds: int | None, seed: int) -> _Part:
    """Pairs of which nothing depends on anything: shuffled columns."""
    count = min(max(table.shape[1], _NULL_COLUMNS[0]), _NULL_COLUMNS[1])
    shuffled = _shuffled(table, count, seed)
    first, second = torch.triu_indices(count, count, 1, device=table.device)
    pairs = torch.arange(len(first), device=table.device)
    return _Part(shuffled, first, second, pairs, _splits(len(shuffled), folds, seed))


def _splits(n: int, folds: int | None, seed: int) -> list[Fold]:
    return split(n, folds or (5 if n <= _MANY else 2), _VALID_SHARE, torch.Generator().manual_seed(seed))


def _each(part: _Part, evaluate: Callable[..., Tensor], threads: int, bar: Progress, doing: str) -> Tensor:
    """What `evaluate` gives of each pair and fold, (K, P, F)."""
    table = part.table

    def prepare(fold: Fold) -> FoldColumns:
        with fast_arithmetic(table.device):
            return prepare_fold(table, fold)

    def run(fold: FoldColumns, pairs: Tensor) -> Tensor:
        with fast_arithmetic(table.device):
            x, y = part.first[pairs], part.second[pairs]
            done = evaluate(fold, x, y, fit_pairs(fold, x, y)).cpu()
        bar.advance(len(pairs), doing)
        return done

    parallel = joblib.Parallel(n_jobs=threads, prefer="threads")
    prepared = parallel(joblib.delayed(prepare)(fold) for fold in part.splits)
    stacks = torch.split(torch.arange(len(part.first), device=table.device), _STACK)
    done = parallel(joblib.delayed(run)(fold, pairs) for fold in prepared for pairs in stacks)
    return torch.stack([torch.cat(done[i : i + len(stacks)], -1) for i in range(0, len(done), len(stacks))], -1)


def _limits(part: _Part) -> Tensor:
    """The smaller entropy of each pair's columns in nats, (P,); a column of many values has none that matters."""
    limits = []
    for column in part.table.unbind(1):
        _, counts = torch.unique(column, return_counts=True)
        few = len(counts) <= _MOST_LABELS
        limits.append(entropy_of(counts.tolist()) if few else math.inf)
    entropies = torch.tensor(limits, dtype=torch.float64)
    return torch.minimum(entropies[part.first.cpu()], entropies[part.second.cpu()])


def _pooled(statistics: Tensor) -> Tensor:
    """Statistics of the folds (P, F) that are nearly standard normal, as one."""
    return statistics.sum(-1) / math.sqrt(statistics.shape[-1])


def column_warnings(table: Variable) -> list[MIWarning]:
    """Diagnostics of the columns of a table."""
    found: list[MIWarning] = []
    values = table.table
    assert values is not None
    n = len(values)
    if n < _FEW:
        found.append(SmallSampleWarning(f"{n} rows: weak dependences are not detected. Some thousands detect them."))
    serial = [serial_dependence(column[column.isfinite(), None]) for column in values.unbind(1)]
    like = [name for name, one in zip(table.columns, serial, strict=True) if one > max(_SERIAL, 4 / math.sqrt(n))]
    if len(like) > 1:
        found.append(
            SerialCorrelationWarning(
                f"Neighboring rows resemble each other in {len(like)} columns ({', '.join(map(repr, like[:3]))}"
                f"{', ...' if len(like) > 3 else ''}), whose pairs then have too high values. If the table was merely "
                'sorted, shuffle it; if it is a time series, estimate pairs with split="blocked".'
            )
        )
    return found


def _moments_and_statistic(fold: FoldColumns, x: Tensor, y: Tensor, critics: Any) -> Tensor:
    rows = evaluate_pairs(fold, x, y, critics).double()
    return torch.cat([torch.stack([rows.mean(1), rows.var(1)]), _statistic(fold, x, y, critics)])


def _statistic(fold: FoldColumns, x: Tensor, y: Tensor, critics: Any) -> Tensor:
    return independence_statistics(fold, x, y, critics).double()[None]


def _shuffled(table: Tensor, count: int, seed: int) -> Tensor:
    """So many columns of the table, some more than once if it has fewer, each in an order of its own: nothing depends
    on anything. Of columns that lack values all have as many as that with the fewest; those with fewer than 50 are left
    out."""
    generator = torch.Generator().manual_seed(seed + 1)
    known = [column[column.isfinite()].sort().values for column in table.unbind(1)]
    known = [column for column in known if len(column) >= min(MINIMUM_ROWS, len(table))]
    chosen = [known[i * len(known) // count] for i in range(count)]
    fewest = min(map(len, known))
    orders = [torch.randperm(len(column), generator=generator)[:fewest].to(table.device) for column in chosen]
    return torch.stack([column[order] for column, order in zip(chosen, orders, strict=True)], 1)
