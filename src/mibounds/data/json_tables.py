"""Tables of JSON: a list of objects, an object of columns, or objects one after another."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mibounds.data.values import as_float

if TYPE_CHECKING:
    import polars as pl

__all__ = ["read_json"]

_BLANK = re.compile(r"[ \t\n\r]*")
_LIKE = '{"x": 1, "y": 2}'


class _RepeatedNameError(Exception):
    """An object has a name twice."""


def read_json(text: str, label: str, *, lines: bool) -> pl.DataFrame:
    """The table of JSON. Columns of several types, or of long whole numbers, become text, which is converted later.

    Arguments:
        text: of the file.
        label: what messages call the file.
        lines: a single object is a row, as in files of one object on each line, and not an object of columns.

    Raises:
        ValueError: if it is no valid JSON, or no table.
    """
    import polars as pl

    documents = _documents(text, label)
    content = documents if len(documents) > 1 or (lines and isinstance(documents[0], dict)) else documents[0]
    columns = _columns(content, label)
    try:
        return pl.DataFrame({name: _column(name, values) for name, values in columns.items()})
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{label} has half a character, {error.object[error.start]!r}, in {error.object[:40]!r}: write the text "
            "again, with both halves."
        ) from None


def _documents(text: str, label: str) -> list[Any]:
    """The values one after another, mostly a single one.

    Raises:
        ValueError: if one is no valid JSON, nested too deep, has a name twice, or a number that Python does not make.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    found: list[Any] = []
    place = _next(text, 0)
    try:
        while place < len(text):
            value, end = decoder.raw_decode(text, place)
            found.append(value)
            place = _next(text, end)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"line {error.lineno} of {label} is no valid JSON: {error.msg} at character {error.colno}."
        ) from None
    except RecursionError:
        raise ValueError(f"{label} is no table but nested too deep: expected objects, like {_LIKE}.") from None
    except _RepeatedNameError as error:
        line = text.count("\n", 0, place) + 1
        raise ValueError(
            f"{label} has an object with the name {error.args[0]!r} twice, in what begins in line {line}: give each "
            "value a name of its own."
        ) from None
    except ValueError:  # of a whole number with more digits than Python converts
        raise ValueError(
            f"{label} has a whole number of more than 4,300 digits: write it as text, in quotes, or with an exponent."
        ) from None
    return found


def _next(text: str, place: int) -> int:
    """The place of the next character that is not blank."""
    blank = _BLANK.match(text, place)
    return place if blank is None else blank.end()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, of which no value is lost."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedNameError(next(name for name in names if names.count(name) > 1))
    return made


def _columns(content: Any, label: str) -> dict[str, list[Any]]:
    """The columns of a list of objects, of an object of columns, or of a single row."""
    if isinstance(content, dict) and content and all(isinstance(one, dict) for one in content.values()):
        rows = _rows(list(content.values()))  # pandas' default: {column: {row: value}}
        return {name: [column.get(row) for row in rows] for name, column in content.items()}
    if isinstance(content, dict) and content and not any(isinstance(one, list | dict) for one in content.values()):
        content = [content]
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        names = list(dict.fromkeys(name for row in content for name in row))
        return {name: [row.get(name) for row in content] for name in names}
    if isinstance(content, dict) and all(isinstance(one, list) for one in content.values()):
        if len({len(one) for one in content.values()}) > 1:
            raise ValueError(f"{label} has columns of different lengths: expected a value for each row.")
        return content
    raise ValueError(f"{label} is no table: expected a list of objects, like [{_LIKE}].")


def _rows(columns: Sequence[dict[str, Any]]) -> list[str]:
    """The rows that any column has, in their order; by their numbers where the columns have different ones."""
    rows = list(dict.fromkeys(row for column in columns for row in column))
    same = all(len(column) == len(rows) for column in columns)
    return rows if same or not all(row.isdecimal() for row in rows) else sorted(rows, key=int)


def _column(name: str, values: list[Any]) -> pl.Series:
    import polars as pl

    values = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
    types = {type(value) for value in values} - {type(None)}
    if types == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if types <= {int, float} and types != {int}:
        return pl.Series(name, [None if one is None else as_float(one) for one in values], dtype=pl.Float64)
    if types == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if types & {list, dict}:
        return pl.Series(name, values, dtype=pl.Object)
    return pl.Series(name, [None if one is None else str(one) for one in values], dtype=pl.String)
