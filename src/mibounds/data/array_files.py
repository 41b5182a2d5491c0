"""Arrays of NumPy in files: .npy and .npz."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mibounds.data.values import Array

__all__ = ["array_names", "read_array", "read_arrays"]

_UNREADABLE = (
    OSError,
    EOFError,
    BadZipFile,
    ValueError,
    LookupError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
    SyntaxError,
    TypeError,
    zlib.error,
)  # of damaged, encrypted and foreign files


def read_array(path: Path) -> Array:
    """The array of a .npy file.

    Raises:
        ValueError: if it cannot be read, or is no array of rows.
    """
    with _loaded(path, "NPY") as array:
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{path.name} holds several arrays: give it the ending .npz.")
    _refuse_array(array, path.name)
    return array


def array_names(path: Path) -> list[str]:
    """The names of the arrays of a .npz file.

    Raises:
        ValueError: if it cannot be read, or has none.
    """
    with _loaded(path, "NPZ") as arrays:
        if isinstance(arrays, np.ndarray):
            raise ValueError(f"{path.name} holds a single array: give it the ending .npy.")
        names = list(arrays.files)
    if not names:
        raise ValueError(f"{path.name} holds no arrays.")
    return names


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, Array]:
    """These arrays of a .npz file.

    Raises:
        ValueError: if one cannot be read, or is no array of rows.
    """
    found = {}
    with _loaded(path, "NPZ") as arrays:
        for name in names:
            label = f"array {name!r} of {path.name}"
            found[name] = _guarded(partial(arrays.__getitem__, name), label, "NPZ")
            if not isinstance(found[name], np.ndarray):
                raise ValueError(
                    f"{path.name} holds {name!r}, which is no array of NumPy: name the arrays, or leave it out of the "
                    "file."
                )
            _refuse_array(found[name], label)
    return found


@contextmanager
def _loaded(path: Path, kind: str) -> Iterator[Any]:
    """What numpy.load returns; the arrays of a .npz file are read from the open file."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}.") from error
    with file:
        if not file.read(1):
            raise ValueError(f"{path.name} is empty.")
        file.seek(0)
        yield _guarded(partial(np.load, file, allow_pickle=False), path.name, kind)


def _guarded(load: Callable[[], Any], label: str, kind: str) -> Any:
    """What a loader of NumPy returns."""
    try:
        return load()
    except _UNREADABLE as error:
        if "allow_pickle" in str(error) and "Object arrays" in str(error):
            raise ValueError(
                f"{label} holds Python objects, which are not loaded because they can run code: save numbers or text."
            ) from None
        raise ValueError(f"{label} is damaged, or no {kind} file: write it again with NumPy.") from error


def _refuse_array(array: Any, label: str) -> None:
    """Raise unless an array has rows and a plain dtype."""
    if array.dtype.names is not None:
        raise ValueError(f"{label} is a structured array: save its fields as the arrays of a .npz file.")
    if array.ndim == 0:
        raise ValueError(f"{label} is a single value: expected rows.")
    if not array.size:
        raise ValueError(f"{label} is empty (shape {array.shape}): expected rows.")
