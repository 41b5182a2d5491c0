r"""How much an earlier row of one series tells of a later row of another, by the lag between them:
:math:`I(X_{t-\ell}; Y_t)`.

Rows of a series resemble their neighbors, so the folds are contiguous blocks with a gap between the rows that train
and those that test. The gap is the memory of the series and the longest lag together: a row of pairs reaches back over
the lag, and without it the x of a training row would be the x of a test row's neighbor.
"""

from __future__ import annotations

import math
import operator
import os
import warnings as python_warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mibounds._checks import check_at_least, check_paired
from mibounds._files import write_json
from mibounds.data import MissingPolicy, intake, intake_pair
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.estimation.estimate import estimate
from mibounds.results.result import Result
from mibounds.results.units import Unit
from mibounds.training.checkpoints import part
from mibounds.training.interrupts import no_partial_results
from mibounds.training.workers import progress_bar
from mibounds.warnings import MaybeIndependentWarning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LaggedResult", "blocked", "check_reach", "lagged", "series"]

_MEMORY = 0.01  # of the rows


@dataclass(frozen=True, repr=False)
class LaggedResult:
    """Estimates of I(X[t - lag]; Y[t]), one a lag, all of the same rows of y and on the same folds.

    Attributes:
        lags: in rows, rising; of a positive lag x leads.
        results: the estimate of each. `found[lag]` is that of a lag.
    """

    lags: tuple[int, ...]
    results: tuple[Result, ...]

    @property
    def best(self) -> int:
        """The lag of the largest value. The largest of many values is too large by chance: measure this lag on other
        rows before its value is reported."""
        return max(self.lags, key=lambda lag: self[lag].value)

    @property
    def values(self) -> tuple[float, ...]:
        """The value at each lag, in `unit`."""
        return tuple(result.value for result in self.results)

    @property
    def unit(self) -> Unit:
        """Nats or bits."""
        return self.results[0].unit

    def __getitem__(self, lag: int) -> Result:
        if lag not in self.lags:
            raise KeyError(f"lag {lag} was not measured. Known: {', '.join(map(str, self.lags))}.")
        return self.results[self.lags.index(lag)]

    def to(self, unit: Unit | None = None, *, level: float | None = None) -> LaggedResult:
        """The same in another unit, or with intervals at another level."""
        return replace(self, results=tuple(result.to(unit, level=level) for result in self.results))

    def to_dict(self) -> dict[str, Any]:
        """The lags with their results, for JSON."""
        results = [result.to_dict() for result in self.results]
        return {"best": self.best, "unit": self.unit, "lags": list(self.lags), "results": results}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as JSON; the file is complete or not there at all."""
        write_json(path, self.to_dict())

    def plot(self) -> Figure:
        """A figure: the values with their intervals against the lag."""
        from mibounds.plots import plot_lags

        return plot_lags(self.lags, self.values, [result.interval for result in self.results], self.best, self.unit)

    def __repr__(self) -> str:
        first = self.results[0]
        lines = [f"I(X[t - lag]; Y[t]) in {self.unit} with {first.level:.0%} intervals, {first.rows:,} rows"]
        for lag, result in zip(self.lags, self.results, strict=True):
            low, high = result.interval
            notes = ["largest"] * (lag == self.best) + [warning.code for warning in result.warnings]
            lines.append(f"  lag {lag:>4}  {result.value:>8.4f}  [{low:.4f}, {high:.4f}]  {', '.join(notes)}".rstrip())
        return "\n".join(lines)


def lagged(
    x: Any,
    y: Any,
    lags: Iterable[int] = range(11),
    *,
    gap: int | None = None,
    nan: MissingPolicy = "raise",
    progress: bool = False,
    **options: Any,
) -> LaggedResult:
    r"""Information between two series by the lag from one to the other: which past of x tells most of y?

    .. math:: I(X_{t-\ell}; Y_t), \qquad \ell = \ell_1, \dots, \ell_k

    Rows are in the order of time. Every lag is estimated from the same rows of y, on contiguous folds. A series that
    remembers itself tells of its neighbors too, so information spreads over lags around the true one; what x adds to
    y's own past is `transfer_entropy`.

    Fails when the series drift: what a trend in both shares is not information between them, and blocks read
    it low. Take differences first.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it, a row for each time.
        y: (N,) or (N, D_y), likewise.
        lags: whole numbers of rows, rising: positive where x leads, negative where y does.
        gap: the rows after which the series forget; by default 1 % of them. The longest lag is added.
        nan: "raise"; or "drop" the times that miss a value of x or of y, with no other time moved.
        progress: show a bar.
        options: further arguments of `estimate`.

    Returns:
        A `LaggedResult`; `plot()` draws it.

    Raises:
        TypeError, ValueError: as `estimate` does; for lags that do not rise, repeat, or leave too few rows.

    Example:
        >>> x, noise = torch.randn(2, 600, generator=torch.Generator().manual_seed(0))
        >>> y = x.roll(2) + 0.5 * noise
        >>> lagged(x, y, range(4), steps=50, folds=2, hidden=(16,)).best
        2
    """
    chosen = _checked(lags)
    x, y = series(x, y, nan)
    reach = max(map(abs, chosen))
    first, stop = max(0, chosen[-1]), len(x) + min(0, chosen[0])
    check_reach(f"lags reach from {chosen[0]} to {chosen[-1]}", len(x), stop - first)
    times = torch.arange(first, stop)
    options = {**blocked(options, len(x), gap, reach), "nan": nan}
    results = []
    with python_warnings.catch_warnings(), no_partial_results():
        python_warnings.simplefilter("ignore", MaybeIndependentWarning)  # some lags may well hold nothing
        for lag in progress_bar(progress, chosen, unit="lag"):
            results.append(estimate(x[times - lag], y[times], **part(options, f"lag {lag}")))
    return LaggedResult(chosen, tuple(results))


def series(x: Any, y: Any, nan: MissingPolicy) -> tuple[Tensor, Tensor]:
    """Two series as columns, row by row. Rows that miss a value stay in their place, or time would close up over
    them."""
    if nan != "drop":
        intake_pair(x, y, nan, drop_constant=False)
    sides = [intake(side, name).values for name, side in (("x", x), ("y", y))]
    check_paired(*map(len, sides))
    return sides[0], sides[1]


def blocked(options: Mapping[str, Any], rows: int, gap: int | None, reach: int) -> dict[str, Any]:
    """The options of an estimate on contiguous folds, none of whose rows share a value of the series.

    Arguments:
        options: of the user.
        rows: of the series.
        gap: after which they forget; None takes 1 %.
        reach: how many rows back a pair goes.
    """
    if options.get("split", "blocked") != "blocked":
        raise ValueError(
            f"split is {options['split']!r}, which tests rows of a series beside those that trained: leave it out."
        )
    memory = math.ceil(_MEMORY * rows) if gap is None else gap
    check_at_least("gap", memory, 0)
    return {**options, "split": "blocked", "gap": memory + reach}


def check_reach(what: str, rows: int, left: int) -> None:
    """Raise a ValueError if what reaches too far back for series of so many rows."""
    if left < MINIMUM_ROWS:
        raise ValueError(
            f"{what}, which leaves {max(left, 0)} of {rows} rows: expected at least {MINIMUM_ROWS}. "
            "Reach less far, or give longer series."
        )


def _checked(lags: Iterable[int]) -> tuple[int, ...]:
    try:
        chosen = tuple(operator.index(lag) for lag in lags)
    except TypeError:
        raise TypeError(f"lags is {lags!r}: expected whole numbers of rows, like range(10) or [0, 1, 5].") from None
    if not chosen or list(chosen) != sorted(set(chosen)):
        raise ValueError(f"lags is {list(chosen)}: expected at least one, rising and without repeats.")
    return chosen
