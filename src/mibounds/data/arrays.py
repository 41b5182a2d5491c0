"""Intake of what has more axes than a table: images and sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds.data.intake import intake
from mibounds.data.sources import array_of
from mibounds.data.values import Array, center_of, numbers
from mibounds.data.variable import Schema

__all__ = ["check_precision", "intake_array", "intake_images", "intake_sequences", "is_ragged", "real_numbers"]

_CHANNELS = (1, 3, 4)
_BULK = (0.05, 0.95)  # quantiles
_RESOLVED = 1000  # values that the bulk of a feature should at least have room for


def intake_images(data: Any, name: str, least: int) -> Tensor:
    """Images as a float32 tensor (N, ..., H, W).

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are not (N, H, W) or (N, C, H, W), fewer than `least`, or not finite.
    """
    pixels = real_numbers(data, name)
    shape = pixels.shape
    if len(shape) not in (3, 4):
        raise ValueError(f"{name} has shape {tuple(shape)}: expected (images, height, width) or one with channels.")
    if len(shape) == 4 and shape[3] in _CHANNELS and shape[1] not in _CHANNELS:
        raise ValueError(
            f"{name} has shape {tuple(shape)} and looks like images with the channel last: expected "
            f"(images, channels, height, width). Pass numpy.moveaxis({name}, -1, 1)."
        )
    if shape[0] < least:
        raise ValueError(f"{name} holds {shape[0]} images: expected at least {least}.")
    if not np.isfinite(pixels).all():
        raise ValueError(f"{name} has missing or infinite pixels: fill them in, or leave those images out.")
    columns = intake(pixels.reshape(shape[0], -1), name, "continuous").table
    assert columns is not None
    return columns.reshape(shape)


def intake_sequences(data: Any, name: str, least: int) -> Tensor:
    """Sequences as a float32 tensor (N, T, D), the shorter ones filled up with NaN at their end.

    Arguments:
        data: (N, T) or (N, T, D) numbers, in which NaN at the end of a sequence means that it is over; or a list of N
            sequences (T_i,) or (T_i, D), of any lengths.
        name: for sentences.
        least: the fewest sequences.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if shapes do not fit, a sequence is empty, or values are missing inside one.

    Example:
        >>> intake_sequences([[1.0, 2.0], [3.0]], "x", 2).shape
        torch.Size([2, 2, 1])
    """
    if not isinstance(data, list | tuple | np.ndarray | Tensor):
        data = array_of(data, name)  # a loop over a table would go over its columns
    parts = [_sequence(part, name, i) for i, part in enumerate(data)]
    if len(parts) < least:
        raise ValueError(f"{name} holds {len(parts)} sequences: expected at least {least}.")
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise ValueError(
            f"{name} holds sequences of {widths[0]} and of {widths[-1]} features a step: expected the same number "
            "in every step of every sequence."
        )
    padded = torch.full((len(parts), max(map(len, parts)), widths[0]), torch.nan, dtype=torch.float64)
    for row, part in zip(padded, parts, strict=True):
        row[: len(part)] = part
    for feature in padded.flatten(0, 1).unbind(1):
        check_precision(feature.numpy(), name)
    return padded.float()


def intake_array(data: Any, name: str, schema: Schema, least: int = 1) -> Tensor:
    """Images with their channels (N, C, H, W), or sequences (N, T, D), as an encoder takes them: at least `least`.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    if schema.kind == "sequence":
        return intake_sequences(data, name, least)
    images = intake_images(data, name, least)
    return images.unsqueeze(1) if images.dim() == 3 else images


def is_ragged(data: Any) -> bool:
    """Is it a list of sequences of different lengths, or of sequences of several features?"""
    if not isinstance(data, list | tuple) and not (isinstance(data, np.ndarray) and data.dtype == object):
        return False
    if not len(data) or not all(isinstance(part, list | tuple) or getattr(part, "ndim", 0) > 0 for part in data):
        return False
    return len({len(part) for part in data}) > 1


def real_numbers(data: Any, name: str) -> Array:
    """An array of real numbers, missing ones as NaN.

    Raises:
        TypeError: if it holds something else.
        ValueError: if a number is too large for a float.
    """
    array = array_of(data, name)
    if array.dtype.kind == "O":  # numbers beside None, decimals
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} does not hold numbers: encode them as numbers first.") from error
        except OverflowError as error:
            raise ValueError(f"{name} holds whole numbers beyond the largest float, 1.8e308: divide them.") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} does not hold real numbers ({array.dtype}): encode them as numbers first.")
    return array


def check_precision(column: Array, name: str) -> None:
    """Raise a ValueError if single precision does not hold the numbers of a column (N,), or not their differences;
    those that are missing or infinite are left out."""
    single = np.finfo(np.float32)
    values = _finite(numbers(column))
    if not len(values):
        return
    (low, high), most = np.quantile(values, _BULK), np.abs(values).max()
    largest = max(abs(low), abs(high))
    first, last = np.quantile(_finite(numbers(column, center_of(column))), _BULK)  # exact for long whole numbers
    if most > single.max or 0 < largest < single.tiny:
        raise ValueError(
            f"{name} holds values of the order of {most:.2g}, and single precision is from "
            f"{single.tiny:.2g} to {single.max:.2g}: give them in another unit, or their logarithms."
        )
    if first < last and last - first < _RESOLVED * single.eps * largest:
        raise ValueError(
            f"{name} lies between {low:.12g} and {high:.12g}, which single precision does not tell apart: subtract an "
            f"offset, such as {low:.12g}."
        )


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)].astype(np.float64)


def _sequence(part: Any, name: str, i: int) -> Tensor:
    """One sequence (T, D) without the NaN at its end, in double precision."""
    values = real_numbers(part, f"{name}: sequence {i}")
    if values.ndim not in (1, 2):
        raise ValueError(f"{name}: sequence {i} has shape {values.shape}: expected (steps,) or (steps, features).")
    steps = torch.from_numpy(values.astype(np.float64).reshape(len(values), values.shape[1] if values.ndim == 2 else 1))
    there = ~steps.isnan().all(1)
    if not there.any():
        raise ValueError(f"{name}: sequence {i} is empty: leave its row out.")
    length = int(there.nonzero().max()) + 1
    if not steps[:length].isfinite().all():
        raise ValueError(
            f"{name}: sequence {i} has missing or infinite values before its end: fill them in, or cut it there."
        )
    return steps[:length]
