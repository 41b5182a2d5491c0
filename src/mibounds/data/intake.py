"""Intake: anything with rows and columns becomes a float32 tensor (N, D) with column names.

NumPy arrays, torch tensors, lists, and any dataframe that narwhals knows (pandas, polars, pyarrow and others), of
numbers, dates, booleans, text and categories; `mibounds.data.encoding` says how each becomes numbers. What cannot be
taken is refused here, with one sentence that says what came, what was expected and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import nearest
from mibounds.data.columns import Columns, MissingPolicy, Schema, encoded, shown, varying, whole_rows
from mibounds.data.encoding import MOST_CATEGORIES, Array, Encoding, fit_encoding, texts
from mibounds.data.sources import columns_of
from mibounds.warnings import ColumnsLeftOutWarning, IdentifierWarning, MIWarning, RareCategoriesWarning

__all__ = [
    "Kinds", "intake", "intake_again", "intake_groups", "intake_pair", "intake_rows", "intake_table",
]  # fmt: skip

Kinds = str | Mapping[str, str] | None
"""What the columns are: all of them, or some by name; the others, and None, are found out."""

_IDENTIFIES = 0.5  # of the rows
_KINDS = ("continuous", "categorical")


def intake(data: Any, name: str, kinds: Kinds = None, nan: MissingPolicy = "raise") -> Columns:
    """One variable as columns of numbers. Non-finite values are let through; `intake_rows` deals with them.

    Arguments:
        data: whatever a person has.
        name: "x" or "y", for sentences and for columns without a name.
        kinds: what its columns are. With "continuous" numbers stay as they are, and text is refused.
        nan: with "indicator", missing values get a column of their own.

    Raises:
        TypeError: if the data are complex, or hold something else than numbers, dates, booleans or text.
        ValueError: if the data are empty, have three or more dimensions, or a column has no values.
    """
    columns, named = columns_of(data, name)
    wanted = _wanted(kinds, [*columns], name)
    encodings = _fitted(columns, wanted, name, nan == "indicator")
    names = tuple(made for encoding in encodings for made in encoding.names)
    return encoded(columns, Schema("table", names, encodings, named))


def intake_groups(groups: Any, given: int, kept: Tensor) -> Tensor | None:
    """The groups of the kept rows, numbered from 0: (N,); None for None.

    Raises:
        ValueError: if there are not as many groups as rows were given, or some are missing.
    """
    if groups is None:
        return None
    columns, _ = columns_of(groups, "groups")
    found = texts(next(iter(columns.values())))
    if len(columns) > 1 or len(found) != given:
        raise ValueError(
            f"groups has {len(found)} rows and {len(columns)} columns: expected one value for each of the {given} rows."
        )
    held = [found[i] for i in kept.tolist()]
    if None in held:
        raise ValueError("groups has missing values: every row belongs to some group.")
    return torch.from_numpy(np.unique(np.array(held, dtype=str), return_inverse=True)[1])


def intake_again(data: Any, name: str, schema: Schema) -> Columns:
    """New rows of a table that was taken before: by the names of its columns, whatever else it holds, or by their
    number where they had no names. Non-finite values are let through; a category that is new tells nothing.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    columns, named = columns_of(data, name)
    used = [encoding for encoding in schema.encodings if not set(schema.names).isdisjoint(encoding.names)]
    if not (named and schema.named):
        if len(columns) != len(schema.encodings):
            raise ValueError(
                f"{name} has {_count(len(columns))}, and the critics were trained on {_count(len(schema.encodings))}: "
                "give the same, in the same order."
            )
        columns = dict(zip((encoding.name for encoding in schema.encodings), columns.values(), strict=True))
    for encoding in used:
        if encoding.name not in columns:
            raise ValueError(
                f"{name} has no column {encoding.name!r}, which the critics were trained on. "
                f"{nearest(encoding.name, columns)}"
            )
    try:
        return encoded(columns, replace(schema, encodings=tuple(used)))
    except ValueError as error:
        raise ValueError(f"{name} holds text where the critics were trained on numbers: {error}.") from error


def intake_pair(
    x: Any,
    y: Any,
    nan: MissingPolicy = "raise",
    drop_constant: bool = True,
    *,
    kinds: tuple[Kinds, Kinds] = (None, None),
) -> tuple[Columns, Columns, list[MIWarning]]:
    """Two variables, row by row: `intake_rows` of x and y.

    Returns:
        The columns of x and of y, and the warnings to raise.
    """
    (first, second), caught = intake_rows({"x": x, "y": y}, nan, drop_constant, dict(zip("xy", kinds, strict=True)))
    return first, second, caught


def intake_rows(
    variables: Mapping[str, Any],
    nan: MissingPolicy = "raise",
    drop_constant: bool = True,
    kinds: Mapping[str, Kinds] | None = None,
) -> tuple[list[Columns], list[MIWarning]]:
    """Several variables, row by row: rows agree in number, values are finite, columns vary.

    Arguments:
        variables: whatever a person has, by name.
        nan: what to do about missing and infinite values: "raise", "drop" their rows, or fill them in and say in a
            column of its own where they were, "indicator".
        drop_constant: leave out columns that never change.
        kinds: what the columns of each variable are.

    Returns:
        The columns of each, and the warnings to raise.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    kinds = kinds or {}
    sides = [intake(data, name, kinds.get(name), nan) for name, data in variables.items()]
    caught = [warning for name, side in zip(variables, sides, strict=True) for warning in _suspects(side, name)]
    sides = whole_rows(dict(zip(variables, sides, strict=True)), nan, caught)
    if drop_constant:
        sides = [varying(side, name, caught) for side, name in zip(sides, variables, strict=True)]
    return sides, caught


def intake_table(
    table: Any, columns: Sequence[Any] | None = None, nan: MissingPolicy = "raise"
) -> tuple[Columns, list[MIWarning]]:
    """The columns of numbers of a table by their names, or their numbers where they have none; text only if it is asked
    for, and then refused.

    Returns:
        At least two columns, and the warnings to raise.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    given, named = columns_of(table, "table")
    found = given if named else {str(i): column for i, column in enumerate(given.values())}
    caught: list[MIWarning] = []
    if columns is None:
        chosen = [title for title, column in found.items() if column.dtype.kind in "biuf"]
        others = [title for title in found if title not in chosen]
        if others and chosen:
            caught.append(ColumnsLeftOutWarning(f"Columns without numbers were left out: {shown(others)}."))
        chosen = chosen or others
    else:
        chosen = list(dict.fromkeys(map(str, columns)))
        for title in chosen:
            if title not in found:
                raise ValueError(f"table has no column {title!r}. {nearest(title, found)}")
    encodings = _fitted({title: found[title] for title in chosen}, dict.fromkeys(chosen, "continuous"), "table")
    taken = encoded(found, Schema("table", tuple(chosen), encodings, named))
    (taken,) = whole_rows({"table": taken}, nan, caught)
    taken = varying(taken, "table", caught)
    if len(taken.names) < 2:
        raise ValueError(
            f"table has one column that varies, {taken.names[0]!r}: expected at least two, to make a pair."
        )
    return taken, caught


def _fitted(
    columns: Mapping[str, Array], kinds: Mapping[str, str], name: str, indicator: bool = False
) -> tuple[Encoding, ...]:
    """An encoding for each column; what is wrong with one is said with the name of the variable."""
    try:
        return tuple(fit_encoding(column, title, kinds.get(title), indicator) for title, column in columns.items())
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error


def _wanted(kinds: Kinds, titles: list[str], name: str) -> dict[str, str]:
    """The kinds of the columns that have been given one."""
    given = dict.fromkeys(titles, kinds) if isinstance(kinds, str) else dict(kinds or {})
    for title, kind in given.items():
        if title not in titles:
            raise ValueError(
                f"{name}_type names a column {title!r} that {name} does not have. {nearest(title, titles)}"
            )
        if kind not in _KINDS:
            raise ValueError(f"{name}_type is {kind!r} for column {title!r}, and must be one of {', '.join(_KINDS)}.")
    return given


def _suspects(side: Columns, name: str) -> list[MIWarning]:
    """Columns that look like identifiers, and categories too many to keep apart."""
    found: list[MIWarning] = []
    rows = len(side.values)
    for encoding in side.encodings:
        distinct, title = encoding.distinct, encoding.name
        if encoding.kind == "continuous":
            column = side.values[:, side.names.index(title)]
            if _numbers_rows(column):
                found.append(
                    IdentifierWarning(
                        f"{name}: column {title!r} numbers the rows one by one: leave it out, or sort by it."
                    )
                )
        elif distinct > _IDENTIFIES * rows:
            found.append(
                IdentifierWarning(
                    f"{name}: column {title!r} has {distinct} values in {rows} rows and looks like an identifier, of "
                    "which no sample can say what it tells: leave it out."
                )
            )
        elif distinct > MOST_CATEGORIES:
            found.append(
                RareCategoriesWarning(
                    f"{name}: column {title!r} has {distinct} categories: the {MOST_CATEGORIES - 1} most frequent are "
                    "kept apart and the others taken as one, so the value may be low. Group them as you mean it."
                )
            )
    return found


def _numbers_rows(column: Tensor) -> bool:
    """Is it every whole number from one to another, once each?"""
    low, high = column.min(), column.max()
    if float(high - low) != len(column) - 1 or not bool((column == column.round()).all()):
        return False
    return len(torch.unique(column)) == len(column)


def _count(columns: int) -> str:
    return "1 column" if columns == 1 else f"{columns} columns"
