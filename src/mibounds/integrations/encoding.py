"""Columns of numbers and of labels as numbers, new rows like the first ones."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoding", "is_label", "label_codes"]

Floats = NDArray[np.float64]
_SHOWN = 5


class Encoding:
    """Numbers less their median, so that float32 keeps their differences; labels one-hot. Missing values stay missing.

    Arguments:
        values: (N, D) rows to fit to; columns may differ in kind if they are objects.
        names: of the D columns; by default `name`, with an index if there are several.
        name: of the variable.

    Example:
        >>> encode = Encoding(np.array([[1.0, "a"], [3.0, "b"], [2.0, "c"]], dtype=object), None, "y")
        >>> encode.names
        ('y0', 'y1=a', 'y1=b', 'y1=c')
        >>> encode(np.array([[2.5, "c"]], dtype=object))
        array([[0.5, 0. , 0. , 1. ]])
    """

    def __init__(self, values: NDArray[Any], names: Iterable[str] | None, name: str):
        width = values.shape[1]
        given = [name] if width == 1 else [f"{name}{i}" for i in range(width)]
        self.given = given if names is None else list(names)
        self.fitted = [_labels(column) if is_label(column) else _median(column) for column in values.T]
        self.names = tuple(
            title
            for column, fitted in zip(self.given, self.fitted, strict=True)
            for title in ([column] if isinstance(fitted, float) else [f"{column}={v}" for v in _shown(fitted)])
        )
        self.kept = np.ones(len(self.names), dtype=bool)

    def only(self, names: Iterable[str]) -> Encoding:
        """Itself, from now on without the columns that are not among these names."""
        self.kept = np.isin(self.names, list(names))
        return self

    def __call__(self, values: NDArray[Any]) -> Floats:
        """(N, D) -> (N, columns).

        Raises:
            ValueError: if there is a label that the first rows did not have, or other columns.
        """
        if values.shape[1] != len(self.fitted):
            raise ValueError(f"y has {values.shape[1]} columns, and was fitted with {len(self.fitted)}.")
        columns = [
            (column.astype(np.float64) - fitted)[:, None]
            if isinstance(fitted, float)
            else _one_hot(column, fitted, name)
            for column, fitted, name in zip(values.T, self.fitted, self.given, strict=True)
        ]
        return np.concatenate(columns, 1)[:, self.kept]


def is_label(column: NDArray[Any]) -> bool:
    """Does a column hold text, and so labels?"""
    return column.dtype.kind in "US" or (column.dtype.kind == "O" and any(isinstance(v, str | bytes) for v in column))


def label_codes(column: NDArray[Any]) -> Floats:
    """A column (N,) of labels as the numbers 0, 1, ... in their order; missing ones stay missing."""
    missing = _missing(column)
    codes = np.full(len(column), np.nan)
    codes[~missing] = np.unique(column[~missing], return_inverse=True)[1]
    return codes


def _one_hot(column: NDArray[Any], labels: NDArray[Any], name: str) -> Floats:
    """A column (N,) as one column of 0 and 1 per label; two labels need only one column.

    Raises:
        ValueError: if it holds other labels.
    """
    missing = _missing(column)
    unknown = ~np.isin(column, labels) & ~missing
    if unknown.any():
        shown = ", ".join(map(repr, sorted(map(str, set(column[unknown])))[:_SHOWN]))
        raise ValueError(f"{name} holds {shown}, which fit did not see: there is no score for a new label.")
    hot: Floats = (column[:, None] == _shown(labels)).astype(np.float64)
    hot[missing] = np.nan
    return hot


def _shown(labels: NDArray[Any]) -> NDArray[Any]:
    return labels[1:] if len(labels) == 2 else labels


def _labels(column: NDArray[Any]) -> NDArray[Any]:
    return np.unique(column[~_missing(column)])


def _missing(column: NDArray[Any]) -> NDArray[np.bool_]:
    return np.array([value is None or (isinstance(value, float) and math.isnan(value)) for value in column], dtype=bool)


def _median(column: NDArray[Any]) -> float:
    numbers = column.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    return float(np.median(finite)) if len(finite) else 0.0
