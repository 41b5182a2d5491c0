"""How variables come together: columns by their names, indexes, and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from mibounds._checks import nearest
from mibounds.data.sources import MINIMUM_ROWS, column_titles, columns_of, has_column, index_of, without_column
from mibounds.data.variable import shown
from mibounds.warnings import IndexMismatchWarning, MIWarning, UnevenWeightsWarning

__all__ = ["columns_by_name", "index_warnings", "weight_warnings"]


def columns_by_name(variables: Mapping[str, Any]) -> dict[str, Any]:
    """A variable that is the name of a column of x, or a list of names, is that column, and x the others."""
    table = variables.get("x")
    wanted: dict[str, list[str]] = {}
    for name, data in variables.items():
        if isinstance(data, int) and has_column(table, str(data)):
            raise TypeError(
                f"{name} is the number {data!r}: pass {name}={str(data)!r} for the column of x with that name, or the "
                f"column itself, for example table[{data!r}]."
            )
        names = [data] if isinstance(data, str) else data
        if name == "x" or not isinstance(names, list | tuple) or not 0 < len(names) < MINIMUM_ROWS:
            continue
        if all(isinstance(one, str) and has_column(table, one) for one in names):
            wanted[name] = list(names)
        elif isinstance(data, str) and (titles := column_titles(table)):
            raise ValueError(f"{name} is {data!r}, which is no column of x. {nearest(data, titles)}")
    if not wanted:
        return dict(variables)
    rest, taken = without_column(table, [title for titles in wanted.values() for title in titles], "x")
    if not rest:
        raise ValueError(f"no column is left for x: {shown([*taken])} are all that there are.")
    own = {name: {title: taken[title] for title in titles} for name, titles in wanted.items()}
    return {**variables, "x": rest, **own}


def index_warnings(variables: Mapping[str, Any]) -> list[MIWarning]:
    """A warning if pandas indexes differ, since rows are paired by position.

    Raises:
        ValueError: if they hold the same labels in another order.
    """
    indices = {name: index for name, data in variables.items() if (index := index_of(data)) is not None}
    if len(indices) < 2:
        return []
    (first, one), *others = indices.items()
    for name, other in others:
        if one.equals(other) or len(one) != len(other):
            continue
        if one.is_unique and one.sort_values().equals(other.sort_values()):
            raise ValueError(
                f"{first} and {name} have the same index in another order, and rows are paired by position: align "
                f"them, {name}.loc[{first}.index], or drop the index, {name}.reset_index(drop=True)."
            )
        return [
            IndexMismatchWarning(
                f"{first} and {name} have different indexes, and rows are paired by position: check that row i of one "
                "belongs to row i of the other."
            )
        ]
    return []


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
