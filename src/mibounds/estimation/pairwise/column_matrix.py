"""All pairs of columns: folds and stacks of pairs side by side, and a null of shuffled columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mibounds.data import Variable
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


def measure_columns(
    table: Tensor, tested: bool, folds: int | None, threads: int, progress: bool | str, seed: int
) -> list[Floats]:
    """Of the pairs i < j of the columns of a table (N, D): values, standard errors and, if asked for, p-values.

    The standard error is the larger of the sampling of rows and the spread of the folds.
    """
    n, d = table.shape
    splits = split(n, folds or (5 if n <= _MANY else 2), _VALID_SHARE, torch.Generator().manual_seed(seed))
    first, second = torch.triu_indices(d, d, 1, device=table.device)
    null_columns = min(max(d, _NULL_COLUMNS[0]), _NULL_COLUMNS[1]) if tested else 0
    total = len(first) + null_columns * (null_columns - 1) // 2
    with Progress(progress, len(splits) * total) as bar:

        def each(table: Tensor, first: Tensor, second: Tensor, evaluate: Callable[..., Tensor], doing: str) -> Tensor:
            """What `evaluate` gives of each pair and fold, (K, P, F)."""

            def prepare(fold: Fold) -> FoldColumns:
                with fast_arithmetic(table.device):
                    return prepare_fold(table, fold)

            def run(fold: FoldColumns, pairs: Tensor) -> Tensor:
                with fast_arithmetic(table.device):
                    x, y = first[pairs], second[pairs]
                    done = evaluate(fold, x, y, fit_pairs(fold, x, y)).cpu()
                bar.advance(len(pairs), doing)
                return done

            parallel = joblib.Parallel(n_jobs=threads, prefer="threads")
            prepared = parallel(joblib.delayed(prepare)(fold) for fold in splits)
            stacks = torch.split(torch.arange(len(first), device=table.device), _STACK)
            done = parallel(joblib.delayed(run)(fold, pairs) for fold in prepared for pairs in stacks)
            return torch.stack([torch.cat(done[i : i + len(stacks)], -1) for i in range(0, len(done), len(stacks))], -1)

        means, variances, observed = each(table, first, second, _moments_and_statistic, "pairs")
        if tested:
            x, y = torch.triu_indices(null_columns, null_columns, 1, device=table.device)
            (null,) = each(_shuffled(table, null_columns, seed), x, y, _statistic, "shuffled pairs")
    sizes = torch.tensor([len(fold.test) for fold in splits], dtype=torch.float64)
    sampling = (variances * sizes).sum(-1).sqrt() / n
    spread = means.std(-1) / math.sqrt(len(splits))
    found = [(means * sizes).sum(-1) / n, torch.maximum(sampling, spread)]
    numbers = [part.numpy() for part in found]
    if tested:
        together = (part.sum(-1).numpy() / math.sqrt(len(splits)) for part in (observed, null))
        numbers.append(pooled_pvalues(*together))
    return numbers


def column_warnings(table: Variable) -> list[MIWarning]:
    """Diagnostics of the columns of a table."""
    found: list[MIWarning] = []
    values = table.table
    assert values is not None
    n = len(values)
    if n < _FEW:
        found.append(SmallSampleWarning(f"{n} rows: weak dependences are not detected. Some thousands detect them."))
    serial = [serial_dependence(column[:, None]) for column in values.unbind(1)]
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
    on anything."""
    n, d = table.shape
    generator = torch.Generator().manual_seed(seed + 1)
    columns = table[:, torch.arange(count, device=table.device) * d // count]
    orders = torch.stack([torch.randperm(n, generator=generator) for _ in range(count)], 1)
    return columns.gather(0, orders.to(table.device))
