"""Estimates of mutual information between two time series by the lag between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mibounds.results.composite import Composite
from mibounds.results.measurement import Measurement
from mibounds.results.printing import Content, Line, Table, percent
from mibounds.results.result import Result
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LaggedResult"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class LaggedResult(Composite):
    """Estimates of I(X[t - lag]; Y[t]), one for each lag, from the same rows of y and with the same folds.

    As a number it is the value at the best lag. `lag in result` asks whether a lag was estimated, and a loop over the
    result runs over its lags.

    Attributes:
        lags: in rows, increasing; x leads for positive lags.
        results: the estimate at each lag. `result[lag]` is the one at that lag.

    Example:
        >>> at = [Result(value=v, stderr=0.01, estimates={"a": v}, method="a", n=500) for v in (0.1, 0.4)]
        >>> lagged = LaggedResult(lags=(0, 1), results=tuple(at))
        >>> lagged.best, float(lagged)
        (1, 0.4)
        >>> lagged
        I(X[t - lag]; Y[t]) in nats, n = 500
          lag    value   95% interval       notes
            0   0.1000   [0.0804, 0.1196]
            1   0.4000   [0.3804, 0.4196]   largest
    """

    lags: tuple[int, ...]
    results: tuple[Result, ...]

    _derived: ClassVar[tuple[str, ...]] = ("best", "value", "stderr", "interval", "unit", "level", "n")

    @property
    def _main(self) -> Result:
        return self[self.best]

    @property
    def best(self) -> int:
        """The lag with the largest value. The largest of several values is biased upwards: estimate at this lag from
        other data before reporting its value."""
        return max(self.lags, key=lambda lag: self[lag].value)

    @property
    def values(self) -> tuple[float, ...]:
        """The value at each lag, in `unit`."""
        return tuple(result.value for result in self.results)

    @property
    def value(self) -> float:
        """The value at the best lag, in `unit`."""
        return self[self.best].value

    @property
    def stderr(self) -> float:
        """The standard error at the best lag, in `unit`."""
        return self[self.best].stderr

    @property
    def warnings(self) -> tuple[MIWarning, ...]:
        """The diagnostics of all lags, each with a stable `code`."""
        return tuple(warning for result in self.results for warning in result.warnings)

    def __getitem__(self, lag: int) -> Result:
        """The estimate at a lag.

        Raises:
            KeyError: if the lag was not estimated.
        """
        if lag not in self.lags:
            raise KeyError(f"lag {lag!r} was not estimated. Known: {', '.join(map(str, self.lags))}.")
        return self.results[self.lags.index(lag)]

    def __iter__(self) -> Iterator[int]:
        """The lags."""
        return iter(self.lags)

    def __contains__(self, lag: object) -> bool:
        """Was a lag estimated?"""
        return lag in self.lags

    def __len__(self) -> int:
        """The number of lags."""
        return len(self.lags)

    def _named_parts(self) -> Iterator[tuple[str, Measurement]]:
        yield from ((f"lag {lag}", result) for lag, result in zip(self.lags, self.results, strict=True))

    def _content(self) -> Content:
        rows = []
        for lag, result in zip(self.lags, self.results, strict=True):
            low, high = result.interval
            notes = ["largest"] * (lag == self.best) + list(dict.fromkeys(one.code for one in result.warnings))
            rows.append((str(lag), f"{result.value:.4f}", f"[{low:.4f}, {high:.4f}]", ", ".join(notes)))
        table = Table(("lag", "value", f"{percent(self.level)} interval", "notes"), tuple(rows))
        blocks: tuple[Line | Table, ...] = (table,)
        if self.warnings:
            blocks += (Line("warnings are noted by code: their texts are in result[lag].warnings"),)
        return Content(f"I(X[t - lag]; Y[t]) in {self.unit}, n = {self.n:,}", blocks)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of the values with their intervals against the lag.

        Arguments:
            ax: draw there.
        """
        from mibounds.plots import plot_lags

        intervals = [result.interval for result in self.results]
        return plot_lags(self.lags, self.values, intervals, self.best, self.unit, ax=ax)
