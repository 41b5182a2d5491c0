"""Estimates of mutual information for all pairs of columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mibounds.results.measurement import INFORMATION, Measurement
from mibounds.results.printing import Content, Line, Table, number, percent
from mibounds.results.units import Unit
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MatrixResult", "Pair"]

Floats = NDArray[np.float64]
_SHOWN = 10  # pairs


class Pair(NamedTuple):
    """One entry of a `MatrixResult`: two names, the value and its standard error in the unit of the result, and the
    p-values if they were computed; the number of samples, None where it is that of the result."""

    x: str
    y: str
    value: float
    stderr: float
    pvalue: float | None = None
    adjusted: float | None = None
    n: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class MatrixResult(Measurement):
    """Estimates of mutual information for all pairs of columns, or of groups of columns.

    Attributes:
        values: (D, D) in `unit`, symmetric, NaN on the diagonal. They are not clipped: for independent pairs they may
            be slightly negative.
        stderr: (D, D) the standard errors in `unit`.
        names: of the D columns or groups.
        n: number of samples.
        counts: (D, D) the number of samples of each pair, in which neither of its two is missing; None if it is n for
            all of them.
        unit: "nats" or "bits".
        pvalues: (D, D) the p-value of each pair under the null hypothesis of independence; None if not computed.
        adjusted: (D, D) the p-values adjusted by Benjamini and Hochberg. Of the pairs with at most 0.05, no more than
            5 % are expected to be independent.
        level: 1 less the false discovery rate at which pairs are counted as dependent and marked in the figure.
        warnings: diagnostics, each with a stable `code`.
        seed: of the random numbers.
        versions: of mibounds, torch and Python.

    Example:
        >>> values = np.array([[np.nan, 0.5], [0.5, np.nan]])
        >>> MatrixResult(values=values, stderr=values / 50, names=("a", "b"), n=1000)
        I(X;Y) of 1 pair of 2 variables in nats, n = 1,000
          pair    estimate   standard error
          a - b        0.5             0.01
    """

    values: Floats = field(metadata=INFORMATION)
    stderr: Floats = field(metadata=INFORMATION)
    names: tuple[str, ...]
    n: int
    counts: Floats | None = None
    unit: Unit = "nats"
    pvalues: Floats | None = None
    adjusted: Floats | None = None
    level: float = 0.95
    warnings: tuple[MIWarning, ...] = ()
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    _instead: ClassVar[str] = "values or pairs()"

    def _number(self) -> None:
        return None

    def pairs(self) -> list[Pair]:
        """All pairs, the largest value first."""
        found = []
        for i, j in zip(*np.triu_indices(len(self.names), 1), strict=True):
            pvalue, adjusted = (None if one is None else float(one[i, j]) for one in (self.pvalues, self.adjusted))
            value, stderr = float(self.values[i, j]), float(self.stderr[i, j])
            count = None if self.counts is None else int(self.counts[i, j])
            found.append(Pair(self.names[i], self.names[j], value, stderr, pvalue, adjusted, count))
        return sorted(found, key=lambda pair: math.inf if math.isnan(pair.value) else -pair.value)

    @property
    def _false_discovery_rate(self) -> float:
        return round(1 - self.level, 12)  # 0.05, and not 0.05000000000000004

    def _content(self) -> Content:
        pairs = self.pairs()
        counts = f"{len(pairs):,} pair{'' if len(pairs) == 1 else 's'} of {len(self.names)} variables"
        header = ("pair", "estimate", "standard error") + (("p", "adjusted p") if self.pvalues is not None else ())
        header += ("n",) if self.counts is not None else ()
        table = Table(header, tuple(_row(pair) for pair in pairs[:_SHOWN]))
        blocks: list[Line | Table] = [table]
        if len(pairs) > _SHOWN:
            blocks.append(Line(f"and {len(pairs) - _SHOWN:,} more: pairs() lists them, plot() draws them"))
        if self.adjusted is not None:
            rate = self._false_discovery_rate
            found = sum(pair.adjusted is not None and pair.adjusted <= rate for pair in pairs)
            blocks.append(Line(f"independence rejected for {found:,} at a false discovery rate of {percent(rate)}"))
        return Content(f"I(X;Y) of {counts} in {self.unit}, n = {self.n:,}", tuple(blocks), self.warnings)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A heat map; pairs for which independence is rejected have a dot, if there are p-values.

        Arguments:
            ax: draw there.
        """
        from mibounds.plots import plot_matrix

        rate = self._false_discovery_rate
        dots: Any = None if self.adjusted is None else (self.adjusted <= rate).tolist()
        note = f"dot: independence rejected, false discovery rate {percent(rate)}"
        return plot_matrix(self.values.tolist(), self.names, self.unit, dots, note=note, ax=ax)


def _row(pair: Pair) -> tuple[str, ...]:
    tested = [f"{value:.2g}" for value in (pair.pvalue, pair.adjusted) if value is not None]
    count = [f"{pair.n:,}"] if pair.n is not None else []
    return (f"{pair.x} - {pair.y}", number(pair.value), f"{pair.stderr:.2g}", *tested, *count)
