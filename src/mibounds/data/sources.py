"""From whatever holds columns to columns: arrays, tensors, lists, and any dataframe that narwhals knows."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from mibounds.data.encoding import Array

__all__ = ["MINIMUM_ROWS", "columns_of"]

MINIMUM_ROWS = 50


def columns_of(data: Any, name: str) -> tuple[dict[str, Array], bool]:
    """The columns of an array, a list, a series or a table, each an array (N,) of numbers, dates or objects, and
    whether their names are their own.

    Raises:
        TypeError: if the data are complex.
        ValueError: if they are empty, ragged or have three or more dimensions, or two columns of a table have the same
            name.
    """
    if isinstance(data, Tensor):
        return _of_array(data.detach().cpu().numpy(), name), False
    if isinstance(data, np.ndarray | list | tuple):
        try:
            return _of_array(np.asarray(data), name), False
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            raise ValueError(
                f"{name} is ragged (rows of different lengths): expected a rectangle of numbers."
            ) from error
    import narwhals as nw
    from narwhals.exceptions import DuplicateError

    try:
        frame = nw.from_native(data, allow_series=True, pass_through=True)
    except DuplicateError as error:
        raise ValueError(f"{name} has columns of the same name: rename them. {' '.join(str(error).split())}") from error
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.Series):
        frame = frame.rename(frame.name or name).to_frame()
    if not isinstance(frame, nw.DataFrame):
        return _of_array(np.asarray(data), name), False
    if not len(frame) or not frame.columns:
        raise ValueError(f"{name} is empty (shape {frame.shape}): expected at least {MINIMUM_ROWS} rows.")
    titles = [_title(title) for title in frame.columns]
    if len(set(titles)) < len(titles):
        raise ValueError(f"{name} has columns of the same name: rename them. The names are {titles}.")
    return {title: _of_series(column) for title, column in zip(titles, frame.iter_columns(), strict=True)}, True


def _title(name: Any) -> str:
    """The name of a column as text; pandas also has numbers, and tuples of names."""
    return ".".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _of_array(array: Array, name: str) -> dict[str, Array]:
    if np.iscomplexobj(array):
        raise TypeError(
            f"{name} is complex: give real numbers, for example its real and imaginary parts as two columns."
        )
    if array.ndim > 2:
        raise ValueError(
            f"{name} has shape {array.shape}: expected (rows,) or (rows, columns). "
            "Flatten it, x.reshape(len(x), -1), or compose an MIEstimator whose critic has an encoder for it."
        )
    if array.ndim == 0 or not array.size:
        raise ValueError(f"{name} is empty (shape {array.shape}): expected at least {MINIMUM_ROWS} rows.")
    columns = array.reshape(len(array), -1).T
    if len(columns) == 1:
        return {name: columns[0]}
    return {f"{name}[{i}]": column for i, column in enumerate(columns)}


def _of_series(series: Any) -> Array:
    """A dataframe's column; integers and booleans keep their dtype where nothing is missing."""
    import narwhals as nw

    dtype, missing = series.dtype, bool(series.is_null().any())
    if dtype.is_numeric():
        whole = dtype.is_integer() and not missing
        return np.asarray(series.cast(nw.Int64 if whole else nw.Float64).to_numpy())
    if dtype.is_temporal() and dtype != nw.Time:
        return np.asarray(series.to_numpy()).astype("timedelta64[us]" if dtype == nw.Duration else "datetime64[us]")
    if dtype == nw.Boolean and not missing:
        return np.asarray(series.to_numpy()).astype(bool)
    if dtype in (nw.Categorical, nw.Enum):
        series = series.cast(nw.String)
    return np.array([*series.to_list(), None], dtype=object)[:-1]  # the None keeps lists from becoming a matrix
