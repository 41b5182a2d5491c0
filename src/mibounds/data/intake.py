"""Intake: anything with rows and columns becomes a variable, float32 columns (N, D) with names and kinds.

NumPy arrays, torch tensors, lists, and any dataframe that narwhals knows (pandas, polars, pyarrow and others), of
numbers, dates, booleans, text and categories; `mibounds.data.encoding` says how each becomes numbers. What cannot be
used is refused here, with one sentence that says what came, what was expected and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import counted, nearest
from mibounds.data.encoding import Categorical, Continuous, Encoding, fit_encoding, kind_names
from mibounds.data.sources import columns_of, is_mapping, title_of
from mibounds.data.unclear_text import UnclearTextError
from mibounds.data.values import (
    Array,
    check_numbers,
    families,
    inferred_kind,
    is_labels,
    is_missing,
    is_text,
    numbered,
    numbers,
    numbers_in_text,
    texts,
)
from mibounds.data.variable import MissingPolicy, Schema, Variable, encoded, shown
from mibounds.warnings import ColumnsLeftOutWarning, MIWarning

__all__ = [
    "Kinds",
    "check_labels",
    "check_real",
    "check_table",
    "check_values",
    "group_codes",
    "intake",
    "intake_again",
    "intake_columns",
    "is_empty",
    "table_of",
    "unseen_categories",
]

_MOST_LABELS = 12  # the features of a column of `mi.matrix` are as many functions of its values, and a constant
Kinds = str | Mapping[str, str] | None
"""What the columns are: all of them, or some by name; the others, and None, are inferred."""


def table_of(data: Any, name: str) -> tuple[dict[str, Array], bool]:
    """The columns of a table by their names, and whether these are its own, as `columns_of` finds them.

    Raises:
        TypeError, ValueError: with one sentence that names the variable.
    """
    check_table(data, name)
    return columns_of(data, name)


def check_values(data: Any, name: str) -> None:
    """Raise a TypeError for a tensor without values, or a tuple or list with one in it."""
    for part in data if isinstance(data, tuple | list) else (data,):
        if isinstance(part, Tensor) and part.is_meta:
            raise TypeError(f"{name} is a tensor on the meta device, which holds no values: pass one on the CPU.")


def check_table(data: Any, name: str) -> None:
    """The same, and for a nested tensor, which holds sequences and no table."""
    check_values(data, name)
    if isinstance(data, Tensor) and data.is_nested:
        raise TypeError(f"{name} is a nested tensor: pass the list of its parts, {name}.unbind().")


def check_real(column: Array, label: str) -> None:
    """Raise a TypeError for a column of objects that are complex numbers."""
    present = [value for value in column if not is_missing(value)] if column.dtype.kind == "O" else []
    if present and all(isinstance(value, complex | np.complexfloating) for value in present):
        raise TypeError(
            f"{label} is complex: give real numbers, for example its real and imaginary parts as two columns."
        )


def is_empty(data: Any) -> bool:
    """Has it no rows, or no values in them? So has None."""
    if data is None:
        return True
    if is_mapping(data):
        return all(is_empty(column) for column in data.values())
    if isinstance(data, list | tuple):
        return all(isinstance(row, list | tuple) and not row for row in data)
    if isinstance(data, type) or (isinstance(data, Tensor) and data.is_nested):  # which are refused
        return False
    shape = getattr(data, "shape", None)
    if isinstance(shape, tuple):
        return 0 in shape
    return hasattr(data, "__len__") and len(data) == 0


def check_labels(column: Array, label: str) -> None:
    """Raise a TypeError for labels (N,) of several kinds: the number 1 and the text "1" would be one value.

    Arguments:
        column: of a table.
        label: what the sentence calls it.
    """
    held = _families(column)
    if len(held) > 1 and held != {"number", "boolean"}:
        raise TypeError(
            f"{label} holds {' and '.join(sorted(held))}: expected numbers, dates, booleans or text, one of them "
            "throughout. Convert it, for example by str."
        )


def _families(column: Array) -> set[str]:
    """What the values of a column of objects are, bytes beside text among them; nothing of other columns."""
    held = families(column) if column.dtype.kind == "O" else set()
    both = "text" in held and len({isinstance(value, bytes) for value in column if isinstance(value, str | bytes)}) > 1
    return held | {"bytes"} if both else held


def intake(data: Any, name: str, kinds: Kinds = None, nan: MissingPolicy = "raise") -> Variable:
    """One table as a variable. Non-finite values are let through; `Sample.of` deals with them.

    Arguments:
        data: NumPy array, tensor, list, series or table.
        name: "x" or "y", for sentences and for columns without a name.
        kinds: what its columns are. With "continuous" numbers stay as they are, and text is refused.
        nan: with "indicator", missing values get a column of their own.

    Raises:
        TypeError: if the data are complex, or hold something else than numbers, dates, booleans or text.
        ValueError: if the data are empty, have three or more dimensions, or a column has no values.
    """
    columns, named = table_of(data, name)
    wanted = _wanted(kinds, [*columns], name)
    encodings = _distinct(_fitted(columns, wanted, name, nan == "indicator"))
    rows = len(next(iter(columns.values())))
    used = [one for one in encodings if one.name in wanted or not one.is_identifier(rows)] or encodings
    names = tuple(made for encoding in used for made in encoding.names)
    held = tuple(_held(column) for column in columns.values())
    return encoded(name, columns, Schema("table", names, encodings, named, held))


def group_codes(groups: Any, given: int, kept: Tensor) -> Tensor | None:
    """The groups of the kept rows, numbered from 0: (N,); None for None.

    Raises:
        ValueError: if there are not as many groups as rows were given, or some are missing.
    """
    if groups is None:
        return None
    columns, _ = table_of(groups, "groups")
    column = next(iter(columns.values()))
    try:
        found = texts(column)
    except TypeError as error:
        raise TypeError(f"groups: {error}") from error
    check_labels(column, "groups")
    if len(columns) > 1 or len(found) != given:
        raise ValueError(
            f"groups has {counted(len(found), 'row')} and {counted(len(columns), 'column')}: expected one value for "
            f"each of the {given} rows."
        )
    held = [found[i] for i in kept.tolist()]
    if None in held:
        raise ValueError("groups has missing values: every row belongs to some group.")
    return torch.from_numpy(numbered(held))


def intake_again(data: Any, name: str, schema: Schema) -> Variable:
    """New rows of a table, encoded as a schema says: by the names of its columns, whatever else it holds, or by their
    number where they had no names. Non-finite values are let through; a category that is new is not informative.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    columns, named = table_of(data, name)
    used = schema.used
    if not (named and schema.named):
        if len(columns) != len(schema.encodings):
            raise ValueError(
                f"{name} has {counted(len(columns), 'column')}, and the critics were trained on "
                f"{counted(len(schema.encodings), 'column')}: give the same, in the same order."
            )
        columns = dict(zip((encoding.name for encoding in schema.encodings), columns.values(), strict=True))
    for encoding in used:
        if encoding.name not in columns:
            raise ValueError(
                f"{name} has no column {encoding.name!r}, which the critics were trained on. "
                f"{nearest(encoding.name, columns)}"
            )
    before = dict(zip((encoding.name for encoding in schema.encodings), schema.held, strict=False))
    for encoding in used:
        _check_again(columns[encoding.name], encoding, before.get(encoding.name), name)
    return encoded(name, columns, replace(schema, encodings=used))


def unseen_categories(data: Any, name: str, variable: Variable) -> list[tuple[Categorical, Tensor]]:
    """The categorical columns of new rows with categories that did not occur in the fit, and in which rows (N,)."""
    assert variable.schema is not None
    columns, named = table_of(data, name)
    if not (named and variable.schema.named):
        columns = dict(zip((one.name for one in variable.schema.encodings), columns.values(), strict=False))
    found = []
    for encoding in variable.encodings:
        if isinstance(encoding, Categorical):
            unseen = torch.from_numpy(encoding.unseen(columns[encoding.name]))
            if bool(unseen.any()):
                found.append((encoding, unseen))
    return found


def intake_columns(
    table: Any, columns: Sequence[Any] | None = None, *, labels: bool = False
) -> tuple[Variable, list[MIWarning]]:
    """The numeric columns of a table by their names, or their numbers where they have none; other text only if it is
    asked for, and then refused. Text that is numbers and words for a missing value, such as NA, is numeric.

    Arguments:
        table: rows and columns.
        columns: names of the columns to take; all by default.
        labels: take columns of text with 2 to 12 different values, too, which are numbered.

    Returns:
        The variable, called "table", and the warnings to issue.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    given, named = table_of(table, "table")
    found = given if named else {str(i): column for i, column in enumerate(given.values())}
    found = {title: _read(column) for title, column in found.items()}
    if labels:
        found = {title: _numbered(column) for title, column in found.items()}
    warnings: list[MIWarning] = []
    if columns is None:
        chosen = [title for title, column in found.items() if _is_numeric(column)]
        others = [title for title in found if title not in chosen]
        if others and chosen:
            few = f" (or text with 2 to {_MOST_LABELS} different values)" if labels else ""
            said = f"Columns without numbers{few} were left out: {shown(others)}."
            warnings.append(ColumnsLeftOutWarning(" ".join([said, *_nearly_numbers(found, others)])))
        chosen = chosen or others
    else:
        if isinstance(columns, str) or not isinstance(columns, Iterable):
            raise TypeError(f"columns is {columns!r}: expected the names of columns, for example [{columns!r}].")
        chosen = list(dict.fromkeys(map(title_of, columns)))
        if not chosen:
            raise ValueError("columns is empty: expected the names of at least two columns.")
        for title in chosen:
            if title not in found:
                raise ValueError(f"table has no column {title!r}. {nearest(title, found)}")
    encodings = _fitted({title: found[title] for title in chosen}, dict.fromkeys(chosen, "continuous"), "table")
    return encoded("table", found, Schema("table", tuple(chosen), encodings, named)), warnings


def _nearly_numbers(columns: Mapping[str, Array], titles: Sequence[str]) -> list[str]:
    """A sentence about each text column that is mostly numbers or dates."""
    said = []
    for title in titles:
        try:
            inferred_kind(columns[title], title)
        except UnclearTextError as error:
            text = error.undeclared  # categories would be left out, too
            said.append(text[:1].upper() + text[1:])
        except TypeError:
            continue  # it is left out, whatever it holds
    return said


def _read(column: Array) -> Array:
    """A column of text that is numbers and words for a missing value as numbers; any other column, and one of a type of
    categories, as it is."""
    is_read = is_text(column) and families(column) <= {"text", "number"} and not is_labels(column)
    found = numbers_in_text(column) if is_read else None
    return column if found is None else found


def _numbered(column: Array) -> Array:
    """A column of text with few values as the places of its values in alphabetical order, nan where one is missing; any
    other column as it is, one of text and numbers among them."""
    if not is_text(column) or len(_families(column)) > 1:
        return column
    held = texts(column)
    places = {text: float(i) for i, text in enumerate(sorted({text for text in held if text is not None}))}
    if not 2 <= len(places) <= _MOST_LABELS:
        return column
    return np.array([math.nan if text is None else places[text] for text in held])


def _is_numeric(column: Array) -> bool:
    """Does it hold numbers or booleans? Where one is missing, whole numbers and booleans come as objects."""
    if column.dtype.kind != "O":
        return column.dtype.kind in "biuf"
    held = families(column)
    return bool(held) and held <= {"number", "boolean"}


def _held(column: Array) -> str:
    return {"M": "date", "m": "duration"}.get(column.dtype.kind, "number")


def _check_again(column: Array, encoding: Encoding, held: str | None, name: str) -> None:
    """Raise an error if new values are of another kind than those of the fit, which were numbers, dates or durations,
    as far as that is known."""
    if not isinstance(encoding, Continuous):
        return
    label, now = f"{name}: column {encoding.name!r}", _held(column)
    check_real(column, label)
    if is_text(column):
        text = next(value for value in column.tolist() if isinstance(value, str | bytes))
        of = "" if held in (None, "number") else f" ({held}s)"
        raise ValueError(
            f"{name} holds text where the critics were trained on numbers{of}, in column {encoding.name!r}, "
            f"like {text!r}: convert it, or leave its rows out."
        )
    check_numbers(column, encoding.name)
    if held is not None and held != now and np.isfinite(numbers(column)).any():
        raise TypeError(f"{label} holds {now}s, and the critics were trained on {held}s: give {held}s.")


def _fitted(
    columns: Mapping[str, Array], kinds: Mapping[str, str], name: str, indicator: bool = False
) -> tuple[Encoding, ...]:
    """An encoding for each column; an error names the variable."""
    try:
        for title, column in columns.items():
            check_real(column, f"column {title!r}")
        encodings = tuple(fit_encoding(column, title, kinds.get(title), indicator) for title, column in columns.items())
        for encoding in encodings:
            if encoding.is_label:
                check_labels(columns[encoding.name], f"column {encoding.name!r}")
        return encodings
    except (TypeError, ValueError) as error:
        raise (TypeError if isinstance(error, TypeError) else ValueError)(f"{name}: {error}") from error


def _distinct(encodings: tuple[Encoding, ...]) -> tuple[Encoding, ...]:
    """The encodings, with a suffix where two would give their columns the same name."""
    found: list[Encoding] = []
    made: set[str] = set()
    for encoding in encodings:
        number, unique = 1, encoding
        while made & set(unique.names):
            number += 1
            unique = replace(encoding, suffix=f" ({number})")
        made |= set(unique.names)
        found.append(unique)
    return tuple(found)


def _wanted(kinds: Kinds, titles: list[str], name: str) -> dict[str, str]:
    """The kinds of the columns that have been given one."""
    named = {} if kinds is None or isinstance(kinds, str) else {title_of(one): kind for one, kind in kinds.items()}
    given = dict.fromkeys(titles, kinds) if isinstance(kinds, str) else named
    for title, kind in given.items():
        if title not in titles:
            raise ValueError(
                f"{name}_type names a column {title!r} that {name} does not have. {nearest(title, titles)}"
            )
        if kind not in kind_names():
            expected = ", ".join(map(repr, kind_names()))
            raise ValueError(f"{name}_type is {kind!r} for column {title!r}: expected one of {expected}.")
    return given
