"""How variables come together: columns by their names, indexes, and weights."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from mibounds._checks import nearest
from mibounds.data.sources import (
    MINIMUM_ROWS,
    column_titles,
    columns_of,
    index_of,
    is_mapping,
    title_of,
    without_column,
)
from mibounds.data.variable import shown
from mibounds.warnings import IndexMismatchWarning, MIWarning, UnevenTimesWarning, UnevenWeightsWarning

__all__ = ["check_order", "columns_by_name", "index_warnings", "time_warnings", "weight_warnings"]

_NAME = (str, tuple, datetime.date)  # of columns, as pandas knows them; numbers would be data

_UNEVEN, _FEW = 1.25, 0.01  # times the median step in time, of the steps


def columns_by_name(variables: Mapping[str, Any]) -> dict[str, Any]:
    """A variable that is the name of a column of x, or a list of names, is that column, and x the others."""
    table = variables.get("x")
    titles = column_titles(table)
    wanted: dict[str, list[str]] = {}
    for name, data in variables.items():
        if isinstance(data, int) and str(data) in titles:
            raise TypeError(
                f"{name} is the number {data!r}: pass {name}={str(data)!r} for the column of x with that name, or the "
                f"column itself, for example table[{data!r}]."
            )
        if name == "x" or not titles:
            continue
        named = [[title_of(one) for one in names] for names in _names(data)]
        found = next((names for names in named if set(names) <= set(titles)), None)
        if found is not None:
            wanted[name] = found
        elif isinstance(data, _NAME) and not isinstance(data, tuple):
            raise ValueError(f"{name} is {data!r}, which is no column of x. {nearest(title_of(data), titles)}")
    if not wanted:
        return dict(variables)
    rest, taken = without_column(table, [title for titles in wanted.values() for title in titles], "x")
    if not rest:
        raise ValueError(f"no column is left for x: {shown([*taken])} are all that there are.")
    own = {name: {title: taken[title] for title in titles} for name, titles in wanted.items()}
    return {**variables, "x": rest, **own}


def _names(data: Any) -> list[list[Any]]:
    """The lists of names that it can be: several names, or one, which may be a tuple; none if it is data."""
    if hasattr(data, "tolist") and index_of(data) is None:  # an array, or pandas' Index
        data = data.tolist() if getattr(data, "ndim", 0) == 1 and len(data) < MINIMUM_ROWS else None
    one = [[data]] if isinstance(data, _NAME) else []
    if not isinstance(data, list | tuple) or not 0 < len(data) < MINIMUM_ROWS:
        return one
    return [*([[*data]] if all(isinstance(part, _NAME) for part in data) else []), *one]


def index_warnings(variables: Mapping[str, Any]) -> list[MIWarning]:
    """A warning of each variable whose pandas index differs from the first one, since rows are paired by position.

    Raises:
        ValueError: if they hold the same labels in another order.
    """
    indices = _indices(variables)
    if len(indices) < 2:
        return []
    found: list[MIWarning] = []
    (first, one), *others = indices.items()
    for name, other in others:
        if one.equals(other) or len(one) != len(other):
            continue
        if one.is_unique and set(one) == set(other):
            raise ValueError(
                f"{first} and {name} have the same index in another order, and rows are paired by position: align "
                f"them, {name}.loc[{first}.index], or drop the index, {name}.reset_index(drop=True)."
            )
        found.append(
            IndexMismatchWarning(
                f"{first} and {name} have different indexes, and rows are paired by position: check that row i of one "
                "belongs to row i of the other."
            )
        )
    return found


def _indices(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The pandas indexes of variables, and of the columns of a dictionary, by their names in code."""
    indices: dict[str, Any] = {}
    for name, data in variables.items():
        parts = {f"{name}[{key!r}]": one for key, one in data.items()} if is_mapping(data) else {name: data}
        indices |= {label: index for label, one in parts.items() if (index := index_of(one)) is not None}
    return indices


def check_order(variables: Mapping[str, Any]) -> None:
    """Raise a ValueError unless the times of a pandas index are in one order, of which blocks of rows are parts."""
    for name, index in _times(variables).items():
        if not index.is_monotonic_decreasing:
            _check_increasing(name, index, "blocks of rows are")


def time_warnings(variables: Mapping[str, Any]) -> list[MIWarning]:
    """A warning if the rows of a series have a pandas index of times that are not evenly spaced.

    Raises:
        ValueError: if the times are not in increasing order, or are those of several series.
    """
    for name, index in _indices(variables).items():
        _check_one_series(name, index)
    for name, index in _times(variables).items():
        _check_increasing(name, index, "rows of a series are")
        steps = index[1:] - index[:-1]
        median = steps.to_series().median()
        if float(((steps > _UNEVEN * median) | (steps < median / _UNEVEN)).mean()) > _FEW:
            shortest, longest = (str(step).removeprefix("0 days ") for step in (steps.min(), steps.max()))
            return [
                UnevenTimesWarning(
                    f"The rows of {name} are {shortest} to {longest} apart, and lags count rows: a lag of 2 is two "
                    f"rows, whatever the time between them. Space the rows evenly, {name}.asfreq(...) or "
                    f'{name}.resample(...), with nan="drop".'
                )
            ]
    return []


def _times(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The indexes that are times, of two rows or more; of several levels none is."""
    found = {
        name: index.to_timestamp() if hasattr(index, "to_timestamp") else index  # periods
        for name, index in _indices(variables).items()
    }
    return {name: index for name, index in found.items() if _holds_times(index) and len(index) > 1}


def _check_increasing(name: str, index: Any, what: str) -> None:
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"the index of {name} holds times that are not in increasing order, and {what} taken in their order: sort "
            f"all variables by it, {name}.sort_index()."
        )


def _check_one_series(name: str, index: Any) -> None:
    """Raise a ValueError for a panel: an index of several levels, times and names or numbers of units."""
    levels = [index.get_level_values(i) for i in range(index.nlevels)] if index.nlevels > 1 else []
    times = [level for level in levels if _holds_times(level)]
    units = [level for level in levels if level.dtype.kind == "O" and not _holds_times(level) and level.nunique() > 1]
    if times and (units or not times[0].is_monotonic_increasing):
        raise ValueError(
            f"the index of {name} has {index.nlevels} levels and the times of several series: a lag would lead from "
            f"one into the next. Measure one at a time, for example {name}.xs(key, level=0)."
        )


def _holds_times(index: Any) -> bool:
    return getattr(index.dtype, "kind", None) in ("m", "M") or hasattr(index, "to_timestamp")


def weight_warnings(weights: Any, stay: Tensor) -> list[MIWarning]:
    """A warning if weights cost more than half of the rows."""
    n, left = len(stay), int(stay.sum())
    if 2 * left >= n:
        return []
    (column,) = columns_of(weights, "sample_weight")[0].values()
    values = np.asarray(column, dtype=float)
    values = values[np.isfinite(values)]  # those of dropped rows may be missing
    values = values / values.max()  # whose squares neither overflow nor vanish
    effective = values.sum() ** 2 / np.square(values).sum()
    return [
        UnevenWeightsWarning(
            f"sample_weight keeps {left:,} of {n:,} rows, each with a probability in proportion to its weight, since "
            f"the largest weight is {1 / values.mean():.3g} times the mean. The effective sample size of "
            f"the weights is {effective:,.0f}: trim the largest ones."
        )
    ]
