"""The information of every pair of columns of a table, or of groups of columns."""

from __future__ import annotations

import math
import os
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mibounds._checks import check_at_least, check_device
from mibounds._files import write_json
from mibounds.data import MissingPolicy, intake_table
from mibounds.estimation.false_discovery import benjamini_hochberg
from mibounds.estimation.pairwise.column_matrix import doubts, measure_columns
from mibounds.estimation.pairwise.group_matrix import measure_groups, take_groups
from mibounds.results.units import Unit, nats_in
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MatrixResult", "Pair", "matrix"]

Floats = NDArray[np.float64]
_SHOWN = 10


class Pair(NamedTuple):
    """One entry of a `MatrixResult`: the two names, the value and its standard error in the result's unit, and the
    p-values if they were asked for."""

    x: str
    y: str
    value: float
    stderr: float
    pvalue: float | None = None
    adjusted: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class MatrixResult:
    """The information of every pair, symmetric, with NaN on the diagonal.

    Attributes:
        values: (D, D) in `unit`; never clipped, so independent pairs may read slightly below zero.
        stderr: (D, D), their standard errors in `unit`.
        names: of the D columns or groups.
        rows: N.
        unit: "nats" or "bits".
        pvalues: (D, D), each pair's own p-value for independence, if asked for.
        adjusted: (D, D), the same after Benjamini and Hochberg: the pairs with at most .05 are a list of which
            no more than 5 % are expected to be false.
        warnings: reasons to doubt it.
        seed: what made the run repeatable.
    """

    values: Floats
    stderr: Floats
    names: tuple[str, ...]
    rows: int
    unit: Unit = "nats"
    pvalues: Floats | None = None
    adjusted: Floats | None = None
    warnings: tuple[MIWarning, ...] = ()
    seed: int | None = None

    def pairs(self) -> list[Pair]:
        """All pairs, the largest value first."""
        found = []
        for i, j in zip(*np.triu_indices(len(self.names), 1), strict=True):
            tested = [None if m is None else float(m[i, j]) for m in (self.pvalues, self.adjusted)]
            numbers = float(self.values[i, j]), float(self.stderr[i, j])
            found.append(Pair(self.names[i], self.names[j], *numbers, *tested))
        return sorted(found, key=lambda pair: -pair.value)

    def to(self, unit: Unit) -> MatrixResult:
        """The same in another unit."""
        factor = nats_in(self.unit) / nats_in(unit)
        return replace(self, unit=unit, values=self.values * factor, stderr=self.stderr * factor)

    def to_dict(self) -> dict[str, Any]:
        """Numbers, text and lists of lists, for JSON; the diagonal is None."""
        record: dict[str, Any] = {"names": list(self.names), "unit": self.unit, "rows": self.rows, "seed": self.seed}
        for name in ("values", "stderr", "pvalues", "adjusted"):
            entries = getattr(self, name)
            record[name] = None if entries is None else _plain(entries)
        record["warnings"] = [warning.to_dict() for warning in self.warnings]
        return record

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as JSON; the file is complete or not there at all."""
        write_json(path, self.to_dict())

    def plot(self) -> Figure:
        """A heat map; with p-values, pairs whose adjusted one is at most .05 have a dot."""
        from mibounds.plots import plot_matrix

        found = None if self.adjusted is None else (self.adjusted <= 0.05).tolist()
        return plot_matrix(self.values.tolist(), self.names, self.unit, found)

    def __repr__(self) -> str:
        pairs = self.pairs()
        lines = [f"I of {len(pairs):,} pairs of {len(self.names)} variables, {self.rows:,} rows, in {self.unit}"]
        if self.adjusted is not None:
            found = sum(pair.adjusted is not None and pair.adjusted <= 0.05 for pair in pairs)
            lines[0] += f"; {found:,} found at a false discovery rate of 5%"
        width = max(len(f"{pair.x} - {pair.y}") for pair in pairs[:_SHOWN])
        for pair in pairs[:_SHOWN]:
            tested = "" if pair.pvalue is None else f"   p {pair.pvalue:.2g}, adjusted {pair.adjusted:.2g}"
            lines.append(f"  {f'{pair.x} - {pair.y}':<{width}}   {pair.value:.4g} +- {pair.stderr:.2g}{tested}")
        if len(pairs) > _SHOWN:
            lines.append(f"  and {len(pairs) - _SHOWN:,} smaller ones: pairs() lists them, plot() draws them")
        lines += [f"  warning {warning.code}: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def matrix(
    table: Any,
    *,
    columns: Sequence[Any] | None = None,
    groups: Mapping[str, Sequence[Any]] | None = None,
    pvalues: bool = False,
    unit: Unit = "nats",
    folds: int | None = None,
    nan: MissingPolicy = "raise",
    seed: int = 0,
    workers: int | None = None,
    device: str | torch.device | None = None,
    progress: bool = False,
    **options: Any,
) -> MatrixResult:
    r"""I of every pair of columns of a table, trained many pairs at once: all dependence, not only the linear one.

    On normal scores the critic of a pair of columns is :math:`\phi(x)^\top W \psi(y)`, with features that belong to the
    columns and are shared by all their pairs; stacks of pairs are trained together in batched products. Each starts as
    the Gaussian copula and leaves it only as far as validation rows confirm. Rows are split into folds, and every row
    is read by critics that never saw it.

    Fails on dependences finer than a tenth of the ranks (several periods of a sine; sharp edges cost some hundredths
    of a nat), where it reads low; above some 3 nats, where columns are nearly copies, it is rough. Measure such pairs
    by `estimate`. Rows must be independent.

    References:
        Donsker and Varadhan, Asymptotic evaluation of certain Markov process expectations for large time, 1983, for the
        objective; van den Oord, Li and Vinyals, Representation learning with contrastive predictive coding, 2018,
        arXiv:1807.03748, for the reading; Benjamini and Hochberg, 1995, for the false discovery rate.

    Arguments:
        table: (N, D) numbers: NumPy array, torch tensor, list, or a pandas, polars or pyarrow table, of which columns
            without numbers are left out.
        columns: names of the columns to take (of an array, their numbers); all by default.
        groups: names to lists of columns: measures all pairs of groups instead, by one `estimate` each.
        pvalues: test each pair for independence, too, against a null of shuffled columns, with false discovery control.
        unit: "nats" or "bits".
        folds: by default 5 up to 20,000 rows and 2 above.
        nan: "raise", or "drop" the rows with missing or infinite values in any of the columns.
        seed: the same seed gives the same numbers, whatever the number of workers.
        workers: threads; by default as many as torch has.
        device: "cpu", "cuda", ...
        progress: show a bar.
        options: with `groups`, further arguments of `estimate`.

    Returns:
        A `MatrixResult`.

    Raises:
        TypeError: if a column that was asked for is not numeric; for options without groups.
        ValueError: for fewer than two columns that vary, unknown names, groups that share a column, missing values.

    Example:
        >>> x, a, b = torch.randn(3, 1000, generator=torch.Generator().manual_seed(0))
        >>> found = matrix(torch.stack([x, x + a, b], 1), folds=2)
        >>> found.values.shape, round(float(found.values[0, 1]), 1)  # truth .35
        ((3, 3), 0.3)
    """
    nats_in(unit)
    if folds is not None:
        check_at_least("folds", folds, 2)
    if workers is not None:
        check_at_least("workers", workers, 1)
    threads = workers if workers is not None else torch.get_num_threads()
    on = check_device(device)
    if groups is not None:
        taken, caught = take_groups(table, columns, groups, nan)
        trained = {**options, "seed": seed, "device": device}
        trained |= {} if folds is None else {"folds": folds}
        found, told = measure_groups(taken, pvalues, threads, progress, trained)
        names, rows = tuple(taken), len(next(iter(taken.values())))
        caught += told
    else:
        if options:
            raise TypeError(f"{', '.join(options)}: these are arguments of estimate, which only groups= calls.")
        data, caught = intake_table(table, columns, nan)
        caught += doubts(data)
        found = measure_columns(data.values.to(on), pvalues, folds, threads if on.type == "cpu" else 1, progress, seed)
        names, rows = data.names, len(data.values)
    for warning in caught:
        python_warnings.warn(warning, stacklevel=2)
    size = len(names)
    values, stderr = (_square(numbers, size) for numbers in found[:2])
    result = MatrixResult(values, stderr, names, rows, warnings=tuple(caught), seed=seed)
    if pvalues:
        adjusted = benjamini_hochberg(found[2])
        result = replace(result, pvalues=_square(found[2], size), adjusted=_square(adjusted, size))
    return result.to(unit)


def _square(numbers: Floats, size: int) -> Floats:
    square = np.full((size, size), np.nan)
    upper = np.triu_indices(size, 1)
    square[upper] = numbers
    square.T[upper] = numbers
    return square


def _plain(entries: Floats) -> list[list[float | None]]:
    return [[None if math.isnan(number) else number for number in row] for row in entries.tolist()]
