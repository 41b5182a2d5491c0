"""Results as records that JSON can hold, and back: decoding follows the annotations of the fields."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from mibounds.warnings import MIWarning, warning_from

__all__ = ["decode", "decode_fields", "encode", "subclasses"]

_INFINITIES = ("inf", "-inf")


def encode(value: Any, *, strict: bool = True) -> Any:
    """A value as numbers, text, lists and dictionaries.

    Arguments:
        value: a field of a result: numbers, text, None; tuples, mappings and NumPy arrays of these; dataclasses, other
            results and warnings.
        strict: write what JSON has no number for in other words: NaN as None, infinities as "inf" and "-inf".

    Raises:
        TypeError: for any other value.

    Example:
        >>> encode({"a": (0.5, float("nan"))}), encode(np.array([[float("inf")]]))
        ({'a': [0.5, None]}, [['inf']])
    """
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, float):
        return _encode_float(value) if strict else float(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): encode(entry, strict=strict) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(entry, strict=strict) for entry in value]
    return _encode_object(value, strict)


def _encode_float(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def _encode_object(value: Any, strict: bool) -> Any:
    if isinstance(value, MIWarning):
        return value.to_dict()
    if hasattr(value, "_record"):  # another result
        return value._record(strict=strict)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name), strict=strict) for field in fields(value)}
    raise TypeError(f"A {type(value).__name__} has no form in JSON.")


def decode(value: Any, hint: Any) -> Any:
    """The value that `encode` wrote, by the type that it had.

    Arguments:
        value: as `encode` returned it, or as it came back from a JSON file.
        hint: the annotation of the field.

    Raises:
        TypeError, ValueError: if the value cannot have come from such a field.

    Example:
        >>> decode([0.5, None], tuple[float, ...]), decode({"3": "inf"}, Mapping[int, float])
        ((0.5, nan), {3: inf})
    """
    if hint is Any:
        return value
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (some,) = (one for one in inner if one is not type(None))  # an optional field, the only union there is
        return None if value is None else decode(value, some)
    if origin is Literal:
        return _decode_literal(value, inner)
    return _decode_class(value, hint) if origin is None else _decode_container(value, origin, inner)


def subclasses(kind: Any) -> Iterator[Any]:
    """All classes below a class, which records name."""
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def decode_fields(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass that a record holds, decoded by their annotations.

    Arguments:
        kind: the dataclass.
        record: encoded fields by name; further names are ignored.

    Raises:
        TypeError, ValueError: if a field is missing that has no default, or cannot be decoded.
    """
    hints = get_type_hints(kind)
    known = [field for field in fields(kind) if field.init]
    required = [one.name for one in known if one.default is MISSING and one.default_factory is MISSING]
    missing = [name for name in required if name not in record]
    if missing:
        raise ValueError(f"the record of a {kind.__name__} lacks {', '.join(missing)}")
    decoded = {}
    for name in (one.name for one in known if one.name in record):
        try:
            decoded[name] = decode(record[name], hints[name])
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise ValueError(f"{name} of a {kind.__name__}: {error}") from error
    return decoded


def _decode_class(value: Any, hint: Any) -> Any:
    if hint is float:
        if value is None:
            return math.nan
        return float(value) if value in _INFINITIES else float(_checked(value, (int, float)))
    if hint in (int, str, bool):
        return _checked(value, hint)
    record = _checked(value, Mapping)
    if issubclass(hint, MIWarning):
        return warning_from({"code": record["code"], "message": record["message"]})
    if hasattr(hint, "from_dict"):
        return hint.from_dict(record)
    return hint(**decode_fields(hint, record))


def _decode_container(value: Any, origin: Any, inner: tuple[Any, ...]) -> Any:
    if origin is tuple:
        return _decode_tuple(value, inner)
    if origin is np.ndarray:
        return np.array(_checked(value, list), dtype=float)  # None becomes NaN
    return {
        int(key) if inner[0] is int else key: decode(entry, inner[1]) for key, entry in _checked(value, Mapping).items()
    }


def _decode_tuple(value: Any, inner: tuple[Any, ...]) -> tuple[Any, ...]:
    entries = _checked(value, (list, tuple))
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(decode(entry, inner[0]) for entry in entries)
    if len(entries) != len(inner):
        raise ValueError(f"expected {len(inner)} entries, found {len(entries)}")
    return tuple(decode(entry, hint) for entry, hint in zip(entries, inner, strict=True))


def _decode_literal(value: Any, known: tuple[Any, ...]) -> Any:
    if value not in known:
        raise ValueError(f"expected one of {', '.join(map(repr, known))}, found {value!r}")
    return value


def _checked(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        raise TypeError(f"expected {names}, found {value!r:.40}")
    return value
