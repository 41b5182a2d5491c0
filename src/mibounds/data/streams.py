"""Rows that stay where they are: memory-mapped arrays, datasets and Parquet files as samplers for `Trainer.fit_stream`.

The first draw is set aside: those rows are read in the end, and never handed out again. Later draws go through the
other rows in a new order each time round, so that every row trains equally often.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

from mibounds._checks import check_paired, nearest, no_such_file
from mibounds._extras import require
from mibounds._variables import Tensors, check_finite, flat, map_tensors, row_count, take_rows
from mibounds.data.arrays import check_precision, real_numbers
from mibounds.data.pairing import index_warnings
from mibounds.data.pairs import LABELS, Pair, as_column, as_pair, first_rows, joined
from mibounds.data.recurrence import Recurrence
from mibounds.data.sources import array_of, columns_of
from mibounds.data.tensors import as_tensors
from mibounds.data.values import Array, numbers
from mibounds.warnings import issue

__all__ = ["Drawn", "Resumable", "Sampler", "sampler"]

Sampler = Callable[[int, torch.Generator], tuple[Tensors, Tensors]]
"""Draws n paired rows: `sampler(n, generator)` -> (x, y), as `Task.sample` does."""


@runtime_checkable
class Resumable(Protocol):
    """A sampler that can say where it is and go on from there: in torch's manner, numbers, text and tensors."""

    def state_dict(self) -> dict[str, Any]:
        """Where it is."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""


_BLOCK = 65_536  # rows of a file that are read at once
_BUFFER = 4  # blocks among which rows are shuffled
_CHECKED = 1000  # rows whose numbers are looked at before all
_FEW = 50  # of these in one place of a file, of which any row costs the reading of many


def sampler(source: Any, y: Any = None, *, columns: tuple[Sequence[str], Sequence[str]] | None = None) -> Sampler:
    """A sampler of paired rows for `Trainer.fit_stream`, of data that need not fit into memory.

    Arguments:
        source: one of
            - x, (N, ...) numbers that slice by row numbers: `numpy.memmap`, an array, a tensor, a table; `y` goes with
              it. All become float32, dates as days, but for tensors of 32 or 64 bit integers, which may be labels or
              tokens;
            - a `torch.utils.data.Dataset` of pairs (x, y), or a `DataLoader` of it, whose `collate_fn` makes batches;
              an iterable dataset is read from its beginning again when it ends, then in the same order;
            - the path of a Parquet file, with `columns`.
        y: (N, ...) rows that pair with x.
        columns: the names of the columns of x and of y, of a Parquet file.

    Returns:
        `draw(n, generator)` -> (x, y). The rows of the first draw never come again.

    Raises:
        TypeError: if the source is none of these, holds values that are no real numbers, or yields no pairs.
        ValueError: if x and y do not pair, columns are missing, there are too few rows, or float32 does not tell the
            values apart.

    Example:
        >>> import mibounds as mi
        >>> x, y = mi.tasks.CorrelatedGaussian(1, 0.8).sample(20_000, torch.Generator().manual_seed(0))
        >>> draw = sampler(x.numpy(), y.numpy())
        >>> estimator = mi.MIEstimator(mi.critics.SeparableCritic(1, 1, hidden=(32,)), mi.bounds.InfoNCE())
        >>> result = mi.Trainer(steps=200).fit_stream(estimator, draw, test_rows=1000)
        >>> 0.3 < result.value < 0.7  # truth 0.51
        True
    """
    if isinstance(source, str | Path):
        if columns is None:
            raise ValueError('a Parquet file needs columns=(["a", "b"], ["c"]), the names of those of x and of y.')
        return _Blocks(Path(source), columns)
    if y is not None and not isinstance(source, Mapping) and not isinstance(y, Mapping):
        source, y = (np.asarray(side) if isinstance(side, list | tuple) else side for side in (source, y))
        issue(index_warnings({"x": source, "y": y}))
        check_paired(len(source), len(y))
        for name, side in (("x", source), ("y", y)):
            _check_values(side, name)
        return _Indexed(len(source), lambda rows: (_rows(source, rows, "x"), _rows(y, rows, "y")))
    loader = source if isinstance(source, DataLoader) else None
    dataset = source if loader is None else loader.dataset
    collate = default_collate if loader is None else loader.collate_fn
    if isinstance(dataset, IterableDataset):
        return _Iterated(loader if loader is not None else DataLoader(dataset, batch_size=256))
    if hasattr(dataset, "__len__") and (loader is not None or isinstance(dataset, Dataset)):
        return _Indexed(len(dataset), lambda rows: as_pair(collate([dataset[i] for i in rows.tolist()])))
    raise TypeError(
        f"the source is a {type(source).__name__}: expected x and y that slice by rows, a Dataset or DataLoader of "
        "pairs, or the path of a Parquet file."
    )


class Drawn:
    """A sampler whose rows are checked and go to a device; it goes on from where it was if the sampler can.

    Arguments:
        sampler: of the user.
        device: to which rows go.
        numbers: the critic takes columns of numbers, so that integers are neither labels nor tokens.

    Raises:
        TypeError: if the sampler cannot be called with (n, generator).
    """

    def __init__(self, sampler: Sampler, device: torch.device, *, numbers: bool = False):
        _check_sampler(sampler)
        self.sampler, self.device, self.numbers = sampler, device, numbers
        self.recurrence: Recurrence | None = None

    def __call__(self, n: int, generator: torch.Generator) -> Pair:
        """The next n rows, there, floating-point numbers in float32 and single numbers as a column."""
        came = self.sampler(n, generator)
        if not isinstance(came, list | tuple) or len(came) != 2:
            what = f"{type(came).__name__} of {len(came)}" if isinstance(came, list | tuple) else type(came).__name__
            raise TypeError(f"sampler({n}, generator) returned a {what}: expected a pair (x, y) of {n} rows each.")
        x, y = (self._taken(name, side, n) for name, side in zip("xy", came, strict=True))
        if self.recurrence is not None:
            self.recurrence.look(x, y)
        return x, y

    def _taken(self, name: str, side: Any, n: int) -> Tensors:
        side = map_tensors(self._part, as_tensors(side, name))
        for part in flat(side):
            if not part.dim() or len(part) != n:
                raise ValueError(
                    f"sampler({n}, generator) returned {name} of shape {tuple(part.shape)}: expected {n} paired rows."
                )
        check_finite(name, side)
        return map_tensors(lambda part: part.to(self.device), side)

    def _part(self, part: Tensor) -> Tensor:
        return as_column(part.detach()) if self.numbers or part.dtype not in LABELS else part

    def state_dict(self) -> dict[str, Any]:
        """Where the sampler is, if it can say so."""
        return self.sampler.state_dict() if isinstance(self.sampler, Resumable) else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        if isinstance(self.sampler, Resumable):
            self.sampler.load_state_dict(state)


class _Indexed:
    """Rows that can be taken by their numbers."""

    def __init__(self, n: int, take: Callable[[Tensor], Pair]):
        self.n, self.take = n, take
        self.rest = self.order = torch.empty(0, dtype=torch.long)
        self.started = False

    def __call__(self, n: int, generator: torch.Generator) -> Pair:
        if not self.started:
            _check_left(self.n, n)
            self.started = True
            self.rest = torch.randperm(self.n, generator=generator)
            held, self.rest = self.rest[:n], self.rest[n:]
            return self.take(held)
        if len(self.order) < n:
            self.order = self.rest[torch.randperm(len(self.rest), generator=generator)]
        if len(self.order) < n:
            raise ValueError(f"{len(self.rest)} rows are left to train on, fewer than a batch of {n}: give more rows.")
        rows, self.order = self.order[:n], self.order[n:]
        return self.take(rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows to come before the next order is drawn; which are set aside follows from the first draw."""
        return {"order": self.order.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with these rows."""
        self.order = state["order"]


class _Iterated:
    """Rows that come one batch after another."""

    def __init__(self, batches: Any):
        self.batches = batches
        self.running = iter(batches)
        self.held = 0
        self.left: Pair | None = None

    def __call__(self, n: int, generator: torch.Generator) -> Pair:
        while self.left is None or row_count(self.left[0]) < n:
            batch = self._next()
            self.left = batch if self.left is None else joined([self.left, batch])
        rows, self.left = first_rows(self.left, n)
        self.held = self.held or n
        return rows

    def _next(self) -> Pair:
        try:
            return as_pair(next(self.running))
        except StopIteration:
            if not self.held:
                raise ValueError(
                    "the source ended before the first rows were drawn: give more rows, or hold them in memory and "
                    "call mibounds.estimate."
                ) from None
        self.running = iter(self.batches)
        seen = 0
        for batch in self.running:  # past the rows that were set aside
            pair = as_pair(batch)
            seen += row_count(pair[0])
            if seen > self.held:
                return first_rows(pair, row_count(pair[0]) - (seen - self.held))[1]
        raise ValueError(f"the source has {seen} rows, all of which were set aside to be read: give more rows.")


class _Blocks:
    """A Parquet file, read in blocks of rows."""

    def __init__(self, path: Path, columns: tuple[Sequence[str], Sequence[str]]):
        require("polars", extra="cli", purpose="Reading .parquet files")
        import polars as pl

        path = path.expanduser()
        if not path.is_file():
            raise ValueError(no_such_file(path, (".parquet",)))
        self.path = path
        self.columns = [[names] if isinstance(names, str) else list(names) for names in columns]
        try:
            scan = pl.scan_parquet(path)
            known = scan.collect_schema().names()
            self.n = int(scan.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise ValueError(f"{path.name} is damaged, or no Parquet file: write it again.") from error
        used = dict.fromkeys(name for names in self.columns for name in names)
        if not all(self.columns):
            raise ValueError('columns has no names for x or for y: expected some of each, (["a", "b"], ["c"]).')
        for name in used:
            if name not in known:
                raise ValueError(f"{path.name} has no column {name!r}. {nearest(name, known)}")
        self.scan = scan
        self.starts = torch.arange(0, self.n, _BLOCK)
        self._check([*used])
        self.training: list[int] = []
        self.ahead: Iterator[int] = iter(())
        self.buffer: Pair | None = None
        self.started = False

    def __call__(self, n: int, generator: torch.Generator) -> Pair:
        if not self.started:
            return self._hold(n, generator)
        while self.buffer is None or row_count(self.buffer[0]) < n:
            fresh = joined([self._read(start) for start in self._next_starts(generator)])
            order = torch.randperm(row_count(fresh[0]), generator=generator)
            fresh = take_rows(fresh[0], order), take_rows(fresh[1], order)
            self.buffer = fresh if self.buffer is None else joined([self.buffer, fresh])
        rows, self.buffer = first_rows(self.buffer, n)
        return rows

    def _check(self, names: list[str]) -> None:
        """Raise an error unless rows of some blocks are real numbers that single precision tells apart."""
        import polars as pl

        places = dict.fromkeys(np.linspace(0, max(0, self.n - _FEW), _CHECKED // _FEW).astype(int).tolist())
        rows = pl.concat([self.scan.slice(start, _FEW).select(names).collect() for start in places])
        _check_types(rows)
        for name, column in columns_of(rows, self.path.name)[0].items():
            check_precision(column, f"column {name!r} of {self.path.name}")

    def _hold(self, n: int, generator: torch.Generator) -> Pair:
        """Whole blocks are set aside, so that what is read in the end shares none with what trains."""
        _check_left(self.n, n)
        order = self.starts[torch.randperm(len(self.starts), generator=generator)].tolist()
        held: list[Pair] = []
        while sum(row_count(x) for x, _ in held) < n:
            held.append(self._read(order.pop()))
        if not order:
            raise ValueError(
                f"{self.path.name} has {self.n} rows, too few to set {n} aside in blocks of {_BLOCK}: "
                "read it into memory and call mibounds.estimate."
            )
        self.training, self.started = order, True
        x, y = joined(held)
        kept = torch.randperm(row_count(x), generator=generator)[:n]
        return take_rows(x, kept), take_rows(y, kept)

    def _next_starts(self, generator: torch.Generator) -> list[int]:
        found = [start for _, start in zip(range(_BUFFER), self.ahead, strict=False)]
        if not found:
            order = torch.randperm(len(self.training), generator=generator)
            self.ahead = iter([self.training[i] for i in order.tolist()])
            return self._next_starts(generator)
        return found

    def _read(self, start: int) -> Pair:
        part = self.scan.slice(start, _BLOCK)
        x, y = (part.select(names).collect() for names in self.columns)
        return _numbers(x), _numbers(y)


def _check_types(frame: Any) -> None:
    for name, dtype in frame.schema.items():
        if not (dtype.is_numeric() or (dtype.is_temporal() and str(dtype) != "Time")):
            raise TypeError(f"column {name!r} holds {dtype} where numbers are due: encode it first, or leave it out.")


def _numbers(frame: Any) -> Tensor:
    columns = [numbers(series.to_numpy()) for series in frame.iter_columns()]
    return torch.from_numpy(np.stack(columns, 1).astype(np.float32))


def _check_sampler(sampler: Any) -> None:
    """Raise a TypeError unless it can be called with a number of rows and a generator."""
    expected = "expected a function sampler(n, generator) -> (x, y)"
    if not callable(sampler):
        advice = (
            "pass its method, task.sample"
            if hasattr(sampler, "sample")
            else "mi.sampler(...) makes one of two arrays, a Dataset, a DataLoader or a Parquet file"
        )
        raise TypeError(f"sampler is a {type(sampler).__name__}: {expected}; {advice}.")
    try:
        signature = inspect.signature(sampler)
    except ValueError:  # of a function that is not written in Python
        return
    try:
        signature.bind(1, None)
    except TypeError as error:
        raise TypeError(f"sampler has the arguments {signature}: {expected}.") from error


def _rows(source: Any, rows: Tensor, name: str) -> Tensor:
    """Rows of an array by their numbers, read in the order in which they lie."""
    if isinstance(source, Tensor):
        taken = source.detach()[rows]
        return taken if taken.dtype in LABELS else as_column(taken)
    sorted_rows, back = torch.sort(rows)
    values = _numbers_at(source, sorted_rows, name).astype(np.float32)
    return as_column(torch.from_numpy(values)[torch.argsort(back)])


def _taken(source: Any, rows: Tensor) -> Any:
    return (source.iloc if hasattr(source, "iloc") else source)[rows.numpy()]  # pandas by number


def _numbers_at(source: Any, rows: Tensor, name: str) -> Array:
    """Real numbers of an array or a table, dates as days, what is masked or missing as NaN."""
    values = array_of(_taken(source, rows), name)
    if np.iscomplexobj(values):
        raise TypeError(f"{name} is complex: give real numbers, for example its real and imaginary parts as columns.")
    return numbers(values) if values.dtype.kind in "Mm" else real_numbers(values, name)


def _check_values(source: Any, name: str) -> None:
    """Raise an error unless evenly spaced rows are real numbers that single precision tells apart."""
    if not len(source) or (isinstance(source, Tensor) and source.dtype in LABELS):
        return
    rows = torch.linspace(0, len(source) - 1, min(len(source), _CHECKED), dtype=torch.float64).long()
    wide = _numbers_at(source, rows, name)
    for column in columns_of(_taken(source, rows), name)[0].values() if wide.ndim < 3 else [wide.ravel()]:
        check_precision(column, name)


def _check_left(rows: int, n: int) -> None:
    if rows < 2 * n:
        raise ValueError(
            f"the source has {rows} rows, and {n} are set aside first: expected at least {2 * n}. Give fewer "
            "test_rows, or hold them in memory and call mibounds.estimate."
        )
