"""From any container of rows to columns: arrays, tensors, lists, dictionaries, and dataframes that narwhals knows."""

from __future__ import annotations

import datetime
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds.data.values import Array, as_text, family, in_microseconds, is_missing

__all__ = [
    "MINIMUM_ROWS",
    "array_of",
    "column_titles",
    "columns_of",
    "has_column",
    "index_of",
    "is_frame",
    "title_of",
    "with_distinct_names",
    "without_column",
]

MINIMUM_ROWS = 50
_EXACT = 2**53  # up to which floats hold every whole number
_LONGEST = 60  # characters of a name
_WANTED = "expected rows of numbers or text: an array, a tensor, a list or a table."

Columns = dict[str, Array]


def columns_of(data: Any, name: str) -> tuple[Columns, bool]:
    """The columns of an array, a list, a series or a table, each an array (N,) of numbers, dates or objects, and
    whether their names are their own.

    Arguments:
        data: what holds the rows.
        name: of the variable, for sentences and for columns without a name.

    Raises:
        TypeError: if the data are complex, or no rows of anything.
        ValueError: if they are empty, ragged or have three or more dimensions.
    """
    if isinstance(data, np.ndarray) and data.dtype.names is not None:
        return _of_mapping({field: data[field] for field in data.dtype.names}, name), True
    if isinstance(data, Mapping):
        return _of_mapping(data, name), True
    if isinstance(data, list | tuple | range):
        return _of_sequence(data, name)
    if not isinstance(data, Tensor | np.ndarray):
        frame = _of_frame(data, name)
        if frame is not None:
            return frame, True
    return _of_array(array_of(data, name), name), False


def index_of(data: Any) -> Any:
    """The index of a pandas object; None for anything else."""
    index = getattr(data, "index", None)
    return index if hasattr(index, "equals") and hasattr(data, "iloc") else None


def column_titles(data: Any) -> list[str]:
    """The names of a table's columns, as text; none of anything else."""
    if isinstance(data, Mapping):
        titles: Any = data
    elif isinstance(data, list) and data and isinstance(data[0], Mapping):
        titles = data[0]
    elif isinstance(data, np.ndarray):
        titles = data.dtype.names or ()
    elif hasattr(data, "collect_schema"):  # of a lazy frame the attribute would warn
        titles = data.collect_schema().names()
    else:
        titles = data.column_names if hasattr(data, "column_names") else getattr(data, "columns", ())
    return _titles(titles, "x") if isinstance(titles, Iterable) else []


def has_column(data: Any, title: Any) -> bool:
    """Is it a table with a column of that name?"""
    return title in column_titles(data)


def without_column(data: Any, titles: Sequence[str], name: str) -> tuple[Columns, Columns]:
    """The columns of a table without those, and those."""
    columns, _ = columns_of(data, name)
    return {t: c for t, c in columns.items() if t not in titles}, {t: columns[t] for t in titles}


def array_of(data: Any, name: str) -> Array:
    """A tensor, a sparse matrix, or what else NumPy knows, as an array in which masked values are missing."""
    if isinstance(data, Tensor):
        return _of_tensor(data)
    if isinstance(data, list | tuple):
        data = [_of_tensor(one) if isinstance(one, Tensor) else one for one in data]
    if hasattr(data, "toarray") and hasattr(data, "nnz"):  # SciPy's sparse matrices
        return np.asarray(data.toarray())
    _refuse(data, name)
    try:
        return _unmasked(np.asanyarray(data))
    except ValueError as error:
        if not isinstance(data, Sequence):
            raise TypeError(f"{name} is of type {type(data).__name__}: {_WANTED}") from error
        raise ValueError(f"{name} is ragged (rows of different lengths): expected a rectangle of values.") from error


def _of_tensor(tensor: Tensor) -> Array:
    if tensor.is_meta:
        raise TypeError("A tensor on the meta device holds no values: pass one on the CPU.")
    if tensor.is_nested:
        raise TypeError("A nested tensor has rows of different lengths: pass one of equal rows.")
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()  # bfloat16 and smaller, which NumPy lacks
    return tensor.numpy()


def _unmasked(array: Array) -> Array:
    """A masked array with missing values in place of its mask."""
    if not isinstance(array, np.ma.MaskedArray):
        return np.asarray(array)
    mask = np.ma.getmaskarray(array)
    if not mask.any():
        return np.asarray(array.data)
    if array.dtype.kind == "f":
        return np.where(mask, np.nan, array.data)
    values = array.data.astype(object)
    values[mask] = None
    return values


def _of_array(array: Array, name: str) -> Columns:
    if np.iscomplexobj(array):
        raise TypeError(
            f"{name} is complex: give real numbers, for example its real and imaginary parts as two columns."
        )
    if array.ndim > 2:
        raise ValueError(
            f"{name} has shape {array.shape}: expected (rows,) or (rows, columns). "
            "Flatten it, x.reshape(len(x), -1), or compose an MIEstimator whose critic has an encoder for it."
        )
    if array.dtype.kind == "T":  # NumPy's text of any length
        array = array.astype(object)
    if array.dtype.kind == "V":
        raise TypeError(f"{name} holds bytes of no type ({array.dtype}): expected numbers, dates, booleans or text.")
    if array.ndim == 0:
        raise ValueError(f"{name} is a single value (shape ()): expected at least {MINIMUM_ROWS} rows.")
    if not array.size:
        raise ValueError(f"{name} is empty (shape {array.shape}): expected at least {MINIMUM_ROWS} rows.")
    columns = [_tight(column) for column in array.reshape(len(array), -1).T]
    if len(columns) == 1:
        return {name: columns[0]}
    return {f"{name}[{i}]": column for i, column in enumerate(columns)}


def _of_mapping(data: Mapping[Any, Any], name: str) -> Columns:
    """A dictionary of columns."""
    columns: Columns = {}
    for title, key in zip(_titles(data, name), data, strict=True):
        made, _ = columns_of(data[key], f"column {title!r} of {name}")
        if len(made) > 1:
            raise ValueError(f"{name}: column {title!r} has {len(made)} columns itself: expected one value per row.")
        columns[title] = next(iter(made.values()))
    lengths = {title: len(column) for title, column in columns.items()}
    if not lengths:
        raise ValueError(f"{name} is an empty dictionary: expected columns by name.")
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{name} has columns of different lengths, {lengths}: expected one value per row in each.")
    return columns


def _of_sequence(data: Sequence[Any], name: str) -> tuple[Columns, bool]:
    """A list of values, of rows, of tensors or of records."""
    first = data[0] if len(data) else None
    if isinstance(first, np.void) and first.dtype.names is not None and len({row.dtype for row in data}) == 1:
        return columns_of(np.array(data), name)
    if any(value is np.ma.masked for value in data):
        data = [None if value is np.ma.masked else value for value in data]
    if isinstance(first, Mapping) and all(isinstance(row, Mapping) for row in data):
        keys = dict.fromkeys(key for row in data for key in row)
        table = {str(key): _tight(_objects([row.get(key) for row in data])) for key in keys}
        return table, True
    if isinstance(first, Tensor):
        data = [_of_tensor(one) if isinstance(one, Tensor) else one for one in data]
    try:
        array = np.asarray(data)
        if (array.dtype.kind in "US" and not _all_text(data)) or (array.dtype.kind == "f" and _any_long(data)):
            array = np.asarray(data, dtype=object)  # or numbers beside text would become text, and long ones floats
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} is ragged (rows of different lengths): expected a rectangle of values.") from error
    return _of_array(_unmasked(array), name), False


def _all_text(data: Iterable[Any]) -> bool:
    return all(
        isinstance(value, str | bytes) or (isinstance(value, list | tuple | np.ndarray) and _all_text(value))
        for value in data
    )


def _any_long(data: Iterable[Any]) -> bool:
    """Is there a whole number that a float does not hold?"""
    return any(
        (type(value) is int and abs(value) > _EXACT) or (isinstance(value, list | tuple) and _any_long(value))
        for value in data
    )


def _of_frame(data: Any, name: str) -> Columns | None:
    """The columns of a dataframe or series; None if it is none."""
    import narwhals as nw

    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.api.extensions.ExtensionArray):
        data = pandas.Series(data)
    if hasattr(data, "iloc"):  # pandas and its like, whose column names may be anything, and repeat
        if not hasattr(data, "columns"):
            title = name if getattr(data, "name", None) is None else title_of(data.name)
            _check_rows(data.shape, name)
            return {title: _of_series(nw.from_native(data, series_only=True))}
        _check_rows(data.shape, name)
        titles = _titles(data.columns, name)
        return {title: _of_series(nw.from_native(data.iloc[:, i], series_only=True)) for i, title in enumerate(titles)}
    frame = nw.from_native(with_distinct_names(data, name), allow_series=True, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.Series):
        frame = frame.rename(str(frame.name) if frame.name not in (None, "") else name).to_frame()
    if not isinstance(frame, nw.DataFrame):
        return None
    _check_rows(frame.shape, name)
    return {str(series.name): _of_series(series) for series in frame.iter_columns()}


def is_frame(data: Any) -> bool:
    """Is it a table with columns of any kind? Their names may repeat."""
    import narwhals as nw

    known = _is_like_pandas(data) or _is_like_pyarrow(data)
    return known or isinstance(nw.from_native(data, pass_through=True), nw.DataFrame)


def with_distinct_names(data: Any, name: str) -> Any:
    """A table, renamed where names of its columns repeat: pandas, and its like, and pyarrow allow that."""
    if _is_like_pandas(data):
        return data if data.columns.is_unique else data.set_axis(_titles(data.columns, name), axis=1)
    return data.rename_columns(_titles(data.column_names, name)) if _is_like_pyarrow(data) else data


def _is_like_pandas(data: Any) -> bool:
    return hasattr(data, "iloc") and hasattr(data, "columns")


def _is_like_pyarrow(data: Any) -> bool:
    return hasattr(data, "rename_columns") and hasattr(data, "column_names")


def _check_rows(shape: tuple[int, ...], name: str) -> None:
    if not all(shape):
        raise ValueError(f"{name} is empty (shape {tuple(shape)}): expected at least {MINIMUM_ROWS} rows.")


def _titles(titles: Iterable[Any], name: str) -> list[str]:
    """Names as text, each once: of a repeated one the second is called "age (2)"."""
    found: list[str] = []
    for i, title in enumerate(titles):
        text = f"{name}[{i}]" if is_missing(title) else title_of(title)
        number, unique = 1, text
        while unique in found:
            number += 1
            unique = f"{text} ({number})"
        found.append(unique)
    return found


def title_of(title: Any) -> str:
    """The name of a column as text: of levels ("p", "mean") it is "p.mean"."""
    if isinstance(title, tuple):
        return ".".join(str(part) for part in title if part != "")
    return str(title)


def _of_series(series: Any) -> Array:
    """A dataframe's column; integers and booleans keep their dtype where nothing is missing."""
    import narwhals as nw

    dtype, missing = series.dtype, bool(series.is_null().any())
    if dtype.is_integer() and not missing and "128" not in str(dtype):  # integers of 128 bits, which NumPy lacks
        return np.asarray(series.to_numpy())
    if dtype.is_numeric() and not dtype.is_integer():
        wide = np.asarray(series.cast(nw.Float64).to_numpy())
        if dtype != nw.Decimal or not (np.abs(wide) > _EXACT).any():
            return wide
    if dtype.is_temporal() and dtype != nw.Time:
        moments = np.asarray(series.to_numpy())
        return in_microseconds(moments) if moments.dtype.kind in "Mm" else _tight(moments)
    if dtype == nw.Boolean and not missing:
        return np.asarray(series.to_numpy()).astype(bool)
    if dtype in (nw.Categorical, nw.Enum):  # labels, whatever their values are
        return _objects([as_text(value) for value in series.to_list()])
    return _tight(_objects(series.to_list()))


def _objects(values: Sequence[Any]) -> Array:
    return np.array([*values, None], dtype=object)[:-1]  # the None keeps lists from becoming a matrix


def _tight(column: Array) -> Array:  # noqa: PLR0911  (one for each dtype)
    """A column of objects as the narrowest dtype that holds them: numbers, booleans and dates, if it is of one of
    these; whole numbers with missing values stay objects, so that they can be categories."""
    if column.dtype.kind != "O":
        return column
    column = _without_decimals(column)
    present = [value for value in column if not is_missing(value)]
    kinds = {family(value) for value in present}
    if kinds == {"date"}:
        return _in_one_unit([_instant(value) for value in column], "datetime64[us]")
    if kinds == {"duration"}:
        return _in_one_unit([_duration(value) for value in column], "timedelta64[us]")
    whole = all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in present)
    if kinds == {"boolean"} and len(present) == len(column):
        return column.astype(bool)
    if kinds == {"number"} and whole and len(present) == len(column):
        try:
            return column.astype(np.int64)
        except OverflowError:
            return column
    if kinds and kinds <= {"number", "boolean"} and not whole and kinds != {"boolean"}:
        return np.array([np.nan if is_missing(value) else float(value) for value in column])
    return column


def _without_decimals(column: Array) -> Array:
    """The column with whole numbers in place of decimals and fractions, if they are whole and have more digits than a
    float."""
    exact: list[Any] = [value for value in column if isinstance(value, Decimal | Fraction) and not is_missing(value)]
    if all(abs(value) <= _EXACT for value in exact) or any(abs(value) == math.inf or value % 1 for value in exact):
        return column
    is_exact = [isinstance(value, Decimal | Fraction) and not is_missing(value) for value in column]
    return _objects([int(value) if whole else value for value, whole in zip(column, is_exact, strict=True)])


def _in_one_unit(values: Sequence[Any], coarse: str) -> Array:
    """Dates or durations in the finest of their units, if it reaches as far as they do; otherwise in microseconds."""
    fine, held = np.array(values), np.array(values, dtype=coarse)
    return in_microseconds(fine) if np.array_equal(fine.astype(coarse), held, equal_nan=True) else held


def _instant(value: Any) -> Any:
    if is_missing(value):
        return np.datetime64("NaT")
    if hasattr(value, "to_timestamp"):  # pandas' Period
        value = value.to_timestamp()
    if hasattr(value, "to_datetime64"):  # pandas' Timestamp
        return value.to_datetime64()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return value if isinstance(value, np.datetime64) else np.datetime64(value, "us")


def _duration(value: Any) -> Any:
    if is_missing(value):
        return np.timedelta64("NaT")
    if hasattr(value, "to_timedelta64"):  # pandas' Timedelta
        return value.to_timedelta64()
    return value if isinstance(value, np.timedelta64) else np.timedelta64(value, "us")


def _refuse(data: Any, name: str) -> None:
    """Raise a TypeError for what holds no rows."""
    if data is None:
        raise TypeError(f"{name} is None: {_WANTED}")
    if isinstance(data, str | bytes):
        if len(data) > _LONGEST:
            raise TypeError(f"{name} is a text of {len(data):,} characters: {_WANTED}")
        raise TypeError(f"{name} is the text {data!r}: pass the column itself, for example table[{data!r}].")
    if isinstance(data, set | frozenset):
        raise TypeError(
            f"{name} is a {type(data).__name__}, whose values have no order: pass a list, paired row by row."
        )
    if isinstance(data, Iterator):
        raise TypeError(f"{name} is a {type(data).__name__}, which can be read only once: pass list({name}).")
    has_rows = hasattr(data, "__array__") or (hasattr(data, "__len__") and hasattr(data, "__getitem__"))
    if not has_rows or isinstance(data, type | ModuleType):
        raise TypeError(f"{name} is of type {type(data).__name__}: {_WANTED}")
