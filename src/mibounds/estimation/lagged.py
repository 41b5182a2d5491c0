r"""Lagged mutual information of two series:
:math:`I(X_{t-\ell}; Y_t)`.

Rows of a series resemble their neighbors, so the folds are contiguous blocks with a gap between the rows that train
and those that test. The gap is the correlation time of the series and the longest lag together: a row of pairs reaches
back over the lag, and without it the x of a training row would be the x of a test row's neighbor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from typing_extensions import Unpack

from mibounds._checks import check_fraction, check_integer
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.estimation._estimate import _estimate
from mibounds.results import LaggedResult
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results
from mibounds.training.progress_bars import progress_bar
from mibounds.training.recipe import SPLIT_SETTINGS, Recipe, SeriesSettings, takes_settings
from mibounds.warnings import MaybeIndependentWarning, issue

__all__ = ["check_reach", "lagged", "series_recipe"]

_MEMORY = 0.01  # of the rows


@takes_settings(without=SPLIT_SETTINGS)
def lagged(
    x: Any,
    y: Any,
    lags: int | Iterable[int] = range(11),
    *,
    gap: int | None = None,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    x_type: VariableType = None,
    y_type: VariableType = None,
    nan: MissingPolicy = "raise",
    **settings: Unpack[SeriesSettings],
) -> LaggedResult:
    r"""Mutual information of two series by the lag between them.

    .. math:: I(X_{t-\ell}; Y_t), \qquad \ell = \ell_1, \dots, \ell_k

    Rows are in the order of time and evenly spaced: lags count rows. A pandas index of times is checked. Every lag is
    estimated from the same rows of y, on contiguous folds. In an autocorrelated series information spreads over lags
    around the true one; the information that x adds to y's own past is `transfer_entropy`.

    Fails when the series drift: a trend that both share is not information between them, and blocks give low values for
    it. Take differences first.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it, a row for each time.
        y: (N,) or (N, D_y), likewise.
        lags: whole numbers of rows: positive where x leads, negative where y does; one number is one lag.
        gap: the number of rows over which the series are correlated; by default that of the recipe, or 1 % of the rows.
            The longest lag is added.
        recipe: "quick", "default", "thorough" or a `Recipe`, of each estimate.
        unit: "nats" or "bits".
        level: of the intervals.
        x_type: what the columns of x are; see `estimate`.
        y_type: likewise.
        nan: "raise"; "drop" the times that miss a value of x or of y, with no other time moved; or "indicator".
        settings: single settings of `Recipe` as keywords.

    Returns:
        A `LaggedResult`; `plot()` draws it.

    Raises:
        TypeError, ValueError: as `estimate` does; for lags that leave too few rows, and an index of times that is not
            in increasing order.

    Example:
        >>> x, noise = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0))
        >>> y = x.roll(2) + 0.5 * noise
        >>> lagged(x, y, range(1, 4), steps=50, folds=2, hidden=(16,)).best
        2
    """
    nats_in(unit)
    check_fraction("level", level)
    chosen = _checked(lags)
    settled = Recipe.of(recipe, settings)
    series = Sample.of(x=x, y=y, nan=nan, types={"x": x_type, "y": y_type}, series=True)
    series.check_tables("xy")
    reach = max(map(abs, chosen))
    first, stop = max(0, chosen[-1]), series.n + min(0, chosen[0])
    check_reach(f"lags reach from {chosen[0]} to {chosen[-1]}", series.n, stop - first)
    blocked = series_recipe(settled, series.n, gap, reach)
    times = torch.arange(first, stop)
    results = []
    with no_partial_results():
        for lag in progress_bar(settled.progress, chosen, unit="lag"):
            pairs = series.shift(times, x=("x", [lag]), y=("y", [0]))
            results.append(_estimate(pairs, replace(blocked.part(f"lag {lag}"), progress=False)))
    result = LaggedResult(lags=chosen, results=tuple(results))
    # Some lags may well have no information, and what is true of the series is issued once.
    distinct = {(one.code, str(one)): one for one in result.warnings if not isinstance(one, MaybeIndependentWarning)}
    issue(distinct.values())
    return result.to(unit, level=level)


def series_recipe(recipe: Recipe, n: int, gap: int | None, reach: int) -> Recipe:
    """The recipe with contiguous folds of which no two share a value of the series.

    Arguments:
        recipe: of the user.
        n: rows of the series.
        gap: number of rows over which they are correlated; None takes that of the recipe, or 1 %.
        reach: how many rows back a pair goes.

    Raises:
        ValueError: if the recipe has a splitter.
    """
    if recipe.cv is not None:
        raise ValueError("recipe has cv, and the folds of series are contiguous blocks with a gap: leave it out.")
    gap = recipe.gap if gap is None else check_integer("gap", gap, 0)
    memory = math.ceil(_MEMORY * n) if gap is None else gap
    return replace(recipe, split="blocked", cv=None, gap=memory + reach)


def check_reach(what: str, rows: int, left: int) -> None:
    """Raise a ValueError if what reaches too far back for series of so many rows."""
    if left < MINIMUM_ROWS:
        raise ValueError(
            f"{what}, which leaves {max(left, 0)} of {rows} rows: expected at least {MINIMUM_ROWS}. "
            "Use shorter lags, or longer series."
        )


def _checked(lags: int | Iterable[int]) -> tuple[int, ...]:
    given: Any = lags.tolist() if hasattr(lags, "tolist") else lags  # an array or a tensor, maybe of one number
    try:
        wanted = [check_integer("a lag", lag) for lag in (given if isinstance(given, Iterable) else [given])]
    except TypeError:
        raise TypeError(f"lags is {lags!r}: expected whole numbers of rows, like range(10) or [0, 1, 5].") from None
    if not wanted:
        raise ValueError(f"lags is {lags!r}, which holds no lag: give whole numbers of rows, like range(10).")
    return tuple(sorted(set(wanted)))
