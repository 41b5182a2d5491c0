"""Runs of a benchmark: fits in parallel, each written to a file when it finishes, none made twice."""

from __future__ import annotations

import math
import time
import warnings
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import joblib
import torch
from torch import Tensor

from mibounds._checks import check_at_least, check_integer
from mibounds._version import versions
from mibounds.benchmark.backends import use_backend
from mibounds.benchmark.presets import estimator_named, suite_named
from mibounds.benchmark.records import Failed, Key, Measured, Record, append_record, drop_half_line, read_records
from mibounds.data import Standardize
from mibounds.results.result import Result
from mibounds.tasks import Task
from mibounds.training.interrupts import no_partial_results
from mibounds.training.workers import fast_arithmetic
from mibounds.warnings import MIWarning

__all__ = ["plan", "run", "sample_rows"]

Rows = Tensor | dict[str, Tensor]
"""A variable, or columns by name."""


def run(
    suite: str,
    estimators: Iterable[str],
    n: Iterable[int],
    seeds: int,
    out: Path,
    *,
    tasks: Iterable[int] = (),
    jobs: int = 1,
    backend: str = "loky",
    done: Callable[[Record], None] = lambda record: None,
) -> list[Record]:
    """Fit every estimator to every task of a suite, at every sample size and seed.

    Each fit is a line of `out`, written when it finishes. An interrupted run is continued: fits in the file, failed
    ones too, are not made again. The samples depend only on task, n and seed, so all estimators get the same; columns
    are standardized over the sample, as Czyż et al., 2023, arXiv:2306.11078 do, and images are flattened into columns.
    Columns of whole numbers stay as they are: a variable of both kinds is a table, by the names of its columns.

    Arguments:
        suite: name of a suite, such as "quick".
        estimators: names of `PRESETS`.
        n: sample sizes.
        seeds: number of seeds, which are 0, 1, ...
        out: the file of records, continued if it exists.
        tasks: numbers of the suite's tasks, counted from 1; none stands for all.
        jobs: fits at a time; the values do not depend on it.
        backend: "loky" (processes), "threading", "dask" or "ray".
        done: called with every record: first those of the file, then each new one.

    Returns:
        The records of these fits.

    Raises:
        ValueError: if a name is unknown, a number too small, or a backend's package missing.
    """
    fits = plan(suite, estimators, n, seeds, tasks)
    records = [record for record in read_records(out) if record.key in fits]
    with warnings.catch_warnings(), use_backend(backend, jobs) as parallel:
        out.parent.mkdir(parents=True, exist_ok=True)
        drop_half_line(out)
        for record in records:
            done(record)
        finished = {record.key for record in records}
        missing = {key: task for key, task in fits.items() if key not in finished}
        for task in missing.values():
            _ = task.mutual_information  # once: tasks that compute it take it along to other processes
        fit = joblib.delayed(_fit)
        new_records = parallel(fit(key, task, estimator_named(key.estimator)) for key, task in missing.items())
        for record in new_records:
            append_record(out, record)
            records.append(record)
            done(record)
    return records


def plan(
    suite: str, estimators: Iterable[str], n: Iterable[int], seeds: int, tasks: Iterable[int] = ()
) -> dict[Key, Task]:
    """The fits of a run with their tasks, seed by seed, so that an interrupted run includes every task.

    Raises:
        ValueError: if a name is unknown or a number too small.
    """
    of_suite, chosen, estimators, n = suite_named(suite), list(tasks), list(estimators), list(n)
    for number in chosen:
        if not 1 <= check_integer("task", number) <= len(of_suite):
            raise ValueError(f"task is {number}, and {suite} has tasks 1 to {len(of_suite)}.")
    for name in estimators:
        estimator_named(name)
    for rows in n:
        check_at_least("n", rows, 1)
    check_at_least("seeds", seeds, 1)
    return {
        Key(suite, repr(task), name, rows, seed): task
        for seed in range(seeds)
        for rows in n
        for name in estimators
        for number, task in enumerate(of_suite, 1)
        if not chosen or number in chosen
    }


def _fit(key: Key, task: Task, estimator: Callable[..., Result]) -> Record:
    """One fit, in any process or thread; an exception becomes a record, too."""
    warnings.simplefilter("ignore", MIWarning)  # their codes are in the record; `run` restores the filters
    start = time.perf_counter()
    try:
        # One thread, because sums of many rows depend on the number of threads that a backend gives a fit. Sequential,
        # because the backend would distribute the folds of this fit over its workers, too.
        config = joblib.parallel_config(backend="sequential")
        with fast_arithmetic(torch.device("cpu")), config, no_partial_results():
            return _measure(key, task, estimator)
    except Exception as error:
        seconds = time.perf_counter() - start
        return Failed(*key, task.mutual_information, seconds, versions(), f"{type(error).__name__}: {error}")


def _measure(key: Key, task: Task, estimator: Callable[..., Result]) -> Measured:
    x, y = sample_rows(key, task)
    start = time.perf_counter()
    result = estimator(x, y, seed=key.seed, workers=1).to("nats", level=0.95)
    seconds = time.perf_counter() - start
    numbers = (result.value, result.stderr, *result.interval)
    if not all(map(math.isfinite, numbers)):
        raise ArithmeticError(f"value, standard error and interval are {numbers}: they must be finite.")
    return Measured(
        *key,
        task.mutual_information,
        seconds,
        versions(),
        *numbers,
        result.method,
        result.extrapolated,
        [warning.code for warning in result.warnings],
        result.lower_bound,
    )


def sample_rows(key: Key, task: Task) -> tuple[Rows, Rows]:
    """The sample of a task, n and seed: standardized columns, whole numbers as they are."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{key.task}, {key.n} rows, seed {key.seed}".encode()))
    x, y = (rows.flatten(1) for rows in task.sample(key.n, generator))
    whole_x, whole_y = task.integer_columns
    return _standardized(x, "x", whole_x), _standardized(y, "y", whole_y)


def _standardized(rows: Tensor, name: str, whole: tuple[int, ...]) -> Rows:
    if not rows.is_floating_point():
        return rows
    standard: Tensor = Standardize().fit(rows)(rows)
    if not whole:
        return standard
    columns = range(rows.shape[1])
    return {f"{name}{k}": rows[:, k].long() if k in whole else standard[:, k] for k in columns}
