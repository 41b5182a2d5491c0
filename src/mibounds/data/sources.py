"""From any container of rows to columns: arrays, tensors, lists, dictionaries, and dataframes that narwhals knows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import IOBase
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import counted
from mibounds.data.objects import EXACT, as_labels, narrowed, objects
from mibounds.data.values import Array, in_microseconds, is_missing

__all__ = [
    "MINIMUM_ROWS",
    "array_of",
    "column_titles",
    "columns_of",
    "in_memory",
    "index_of",
    "is_frame",
    "is_mapping",
    "title_of",
    "with_distinct_names",
    "without_column",
]

MINIMUM_ROWS = 50
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
    if is_mapping(data):
        return _of_mapping(data, name), True
    if isinstance(data, list | tuple | range):
        return _of_sequence(data, name)
    if not isinstance(data, Tensor | np.ndarray):
        frame = _of_frame(data, name)
        if frame is not None:
            return frame, True
    return _of_array(array_of(data, name), name), False


def is_mapping(data: Any) -> bool:
    """Is it a dictionary of columns? One of SciPy's sparse matrices is a dictionary of its entries."""
    return isinstance(data, Mapping) and not _is_sparse(data)


def _is_sparse(data: Any) -> bool:
    return hasattr(data, "toarray") and hasattr(data, "nnz")


def index_of(data: Any) -> Any:
    """The index of a pandas object; None for anything else."""
    index = getattr(data, "index", None)
    return index if hasattr(index, "equals") and hasattr(data, "iloc") else None


def column_titles(data: Any) -> list[str]:
    """The names of a table's columns, as text; none of anything else."""
    if is_mapping(data):
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
    if _is_sparse(data):
        return np.asarray(data.toarray())
    _refuse(data, name)
    try:
        return _unmasked(np.asanyarray(data))
    except TypeError as error:  # a table of pyarrow, whose columns NumPy does not bring together
        raise TypeError(f"{name} holds columns of different types: expected numbers alone.") from error
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
    _check_rows(array.shape, name)
    columns = array.reshape(len(array), -1).T
    titles = [name] if len(columns) == 1 else [f"{name}[{i}]" for i in range(len(columns))]
    return {title: narrowed(column, title) for title, column in zip(titles, columns, strict=True)}


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
        records = {key: objects([row.get(key) for row in data]) for key in keys}
        return {str(key): narrowed(column, f"column {str(key)!r}") for key, column in records.items()}, True
    if isinstance(first, Tensor):
        data = [_of_tensor(one) if isinstance(one, Tensor) else one for one in data]
    try:
        array = np.asarray(data)
        if (array.dtype.kind in "US" and not _holds_text(data)) or (array.dtype.kind == "f" and _any_long(data)):
            array = np.asarray(data, dtype=object)  # or numbers beside text would become text, and long ones floats
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} is ragged (rows of different lengths): expected a rectangle of values.") from error
    return _of_array(_unmasked(array), name), False


def _holds_text(data: Iterable[Any]) -> bool:
    """Does NumPy's text hold these values as they are? It would make text of numbers and of bytes, cut members of an
    `Enum` of text to their first letters, and drop zeros at the end."""
    leaves = [*_leaves(data)]
    return all(type(one) in (str, np.str_) and not one.endswith("\0") for one in leaves) or all(
        isinstance(one, bytes) and not one.endswith(b"\0") for one in leaves
    )


def _leaves(data: Iterable[Any]) -> Iterator[Any]:
    for value in data:
        if isinstance(value, list | tuple | np.ndarray):
            yield from _leaves(value)
        else:
            yield value


def _any_long(data: Iterable[Any]) -> bool:
    """Is there a whole number that a float does not hold?"""
    return any(
        (type(value) is int and abs(value) > EXACT) or (isinstance(value, list | tuple) and _any_long(value))
        for value in data
    )


def _of_frame(data: Any, name: str) -> Columns | None:
    """The columns of a dataframe or series; None if it is none."""
    import narwhals as nw

    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.api.extensions.ExtensionArray | pandas.CategoricalIndex):
        data = pandas.Series(data)
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is not None and isinstance(data, pyarrow.Array):
        data = pyarrow.chunked_array([data])
    if pyarrow is not None and isinstance(data, pyarrow.RecordBatch):
        data = pyarrow.Table.from_batches([data])
    data = _computed(data)
    if hasattr(data, "iloc"):  # pandas and its like, whose column names may be anything, and repeat
        _check_rows(data.shape, name)
        if not hasattr(data, "columns"):
            title = name if getattr(data, "name", None) is None else title_of(data.name)
            return {title: _of_series(nw.from_native(data, series_only=True), title)}
        titles = _titles(data.columns, name)
        every = (nw.from_native(data.iloc[:, i], series_only=True) for i in range(len(titles)))
        return {title: _of_series(series, title) for title, series in zip(titles, every, strict=True)}
    frame = nw.from_native(with_distinct_names(data, name), allow_series=True, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.Series):
        frame = frame.rename(str(frame.name) if frame.name not in (None, "") else name).to_frame()
    if not isinstance(frame, nw.DataFrame):
        return None
    _check_rows(frame.shape, name)
    return {str(series.name): _of_series(series, str(series.name)) for series in frame.iter_columns()}


def _computed(data: Any) -> Any:
    """Dask's tables as those of pandas; anything else as it is."""
    return data.compute() if hasattr(data, "iloc") and hasattr(data, "compute") else data


def in_memory(data: Any) -> Any:
    """The rows of a lazy table; anything else as it is."""
    import narwhals as nw

    data = _computed(data)
    if _is_like_pandas(data) or _is_like_pyarrow(data):  # names of their columns may repeat
        return data
    frame = nw.from_native(data, pass_through=True)
    return frame.collect().to_native() if isinstance(frame, nw.LazyFrame) else data


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
    if shape[0] and not all(shape):
        raise ValueError(f"{name} has {counted(shape[0], 'row')} and no columns: expected at least one.")
    if not shape[0]:
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


def _of_series(series: Any, name: str) -> Array:
    """A dataframe's column; integers and booleans keep their dtype where nothing is missing."""
    import narwhals as nw

    dtype, missing = series.dtype, bool(series.is_null().any())
    if dtype.is_integer() and not missing and "128" not in str(dtype):  # integers of 128 bits, which NumPy lacks
        return np.asarray(series.to_numpy())
    if dtype.is_numeric() and not dtype.is_integer():
        wide = np.asarray(series.cast(nw.Float64).to_numpy())
        exact = dtype == nw.Decimal and ((np.abs(wide) > EXACT).any() or len(np.unique(wide)) < series.n_unique())
        if not exact:
            return wide
    if dtype.is_temporal() and dtype != nw.Time:
        moments = np.asarray(series.to_numpy())
        return in_microseconds(moments) if moments.dtype.kind in "Mm" else narrowed(moments, f"column {name!r}")
    if dtype == nw.Boolean and not missing:
        return np.asarray(series.to_numpy()).astype(bool)
    if dtype in (nw.Categorical, nw.Enum):
        return as_labels(series.to_list(), name)
    return narrowed(objects(series.to_list()), f"column {name!r}")


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
    if isinstance(data, IOBase):
        raise TypeError(f"{name} is an open file: pass the table in it, as pandas.read_csv or numpy.load returns it.")
    if isinstance(data, Iterator):
        raise TypeError(f"{name} is a {type(data).__name__}, which can be read only once: pass list({name}).")
    has_rows = hasattr(data, "__array__") or (hasattr(data, "__len__") and hasattr(data, "__getitem__"))
    if not has_rows or isinstance(data, type | ModuleType):
        raise TypeError(f"{name} is of type {type(data).__name__}: {_WANTED}")
