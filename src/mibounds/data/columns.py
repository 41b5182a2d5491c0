"""Columns of numbers: what they are, how they were taken, and which of them and of their rows are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import check_paired
from mibounds.data.encoding import Array, Encoding
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.warnings import ConstantColumnWarning, MIWarning, RowsDroppedWarning

__all__ = ["Columns", "MissingPolicy", "Schema", "complete_rows", "encoded", "shown", "varying", "whole_rows"]

MissingPolicy = Literal["raise", "drop", "indicator"]

_SHOWN = 5
_POLICIES = ("raise", "drop", "indicator")


@dataclass(frozen=True)
class Schema:
    """How a variable was taken, so that new rows can be taken alike.

    Attributes:
        kind: "table", "image" or "sequence".
        names: of the columns of numbers that are used.
        encodings: what made them, a column each of what was given.
        named: True if the columns came with names, by which new ones are then taken.
    """

    kind: str
    names: tuple[str, ...] = ()
    encodings: tuple[Encoding, ...] = ()
    named: bool = False


@dataclass(frozen=True)
class Columns:
    """Columns of numbers: `values` (N, D) float32; how they were taken; how many rows were `given`, and the numbers of
    those that were `kept` (N,)."""

    values: Tensor
    schema: Schema
    given: int
    kept: Tensor

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return self.schema.names

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """What made them, a column each of what was given."""
        return self.schema.encodings

    @property
    def origins(self) -> dict[str, str]:
        """For each name the column that it was made of."""
        made = {name: encoding.name for encoding in self.encodings for name in encoding.names}
        return {name: made[name] for name in self.names}


def encoded(columns: Mapping[str, Array], schema: Schema) -> Columns:
    """Columns (N,) by their names as the numbers that a schema makes of them."""
    made = {
        name: part
        for encoding in schema.encodings
        for name, part in zip(encoding.names, encoding(columns[encoding.name]).T, strict=True)
    }
    values = torch.from_numpy(np.stack([made[name] for name in schema.names], 1))
    return Columns(values, schema, len(values), torch.arange(len(values)))


def complete_rows(sides: Mapping[str, Columns], nan: MissingPolicy = "raise") -> Tensor:
    """Which rows are finite in all variables, (N,).

    Raises:
        ValueError: if the variables have different numbers of rows; if any row is not finite and `nan` is "raise".
    """
    if nan not in _POLICIES:
        raise ValueError(f"nan is {nan!r}, and must be 'raise', 'drop' or 'indicator'.")
    first = len(next(iter(sides.values())).values)
    for name, side in sides.items():
        check_paired(first, len(side.values), name_y=name)
    finite = torch.ones(first, dtype=torch.bool)
    for name, side in sides.items():
        good = side.values.isfinite()
        if not good.all() and nan == "raise":
            raise ValueError(_missing_sentence(side, name, ~good))
        finite &= good.all(1)
    return finite


def whole_rows(sides: Mapping[str, Columns], nan: MissingPolicy, caught: list[MIWarning]) -> list[Columns]:
    """The rows without missing values, at least 50."""
    finite = complete_rows(sides, nan)
    kept = finite.nonzero().flatten()
    if len(kept) < len(finite):
        dropped = f"{len(finite) - len(kept)} of {len(finite)} rows were dropped for missing or infinite values."
        caught.append(RowsDroppedWarning(dropped))
    if len(kept) < MINIMUM_ROWS:
        raise ValueError(
            f"{len(kept)} complete rows are too few: expected at least {MINIMUM_ROWS}, "
            "and some thousands for a number worth having."
        )
    if len(kept) == len(finite):
        return [*sides.values()]
    return [replace(side, values=side.values[kept], kept=kept) for side in sides.values()]


def varying(side: Columns, name: str, caught: list[MIWarning]) -> Columns:
    """The columns that change; a warning names the others.

    Raises:
        ValueError: if none changes.
    """
    varies = (side.values != side.values[0]).any(0)
    if not varies.any():
        raise ValueError(f"{name} is constant in every column: a constant shares no information with anything.")
    if varies.all():
        return side
    constant = [column for column, kept in zip(side.names, varies.tolist(), strict=True) if not kept]
    caught.append(ConstantColumnWarning(f"{name}: constant columns were dropped: {shown(constant)}."))
    kept_names = tuple(column for column in side.names if column not in constant)
    return replace(side, values=side.values[:, varies], schema=replace(side.schema, names=kept_names))


def _missing_sentence(side: Columns, name: str, bad: Tensor) -> str:
    """Which columns lack values, and what to do."""
    counts: dict[str, int] = {}
    for column, count in zip(side.names, bad.sum(0).tolist(), strict=True):
        origin = side.origins[column]
        counts[origin] = max(counts.get(origin, 0), count)
    counts = {origin: count for origin, count in counts.items() if count}
    where = ", ".join(f"{origin!r} ({count})" for origin, count in [*counts.items()][:_SHOWN])
    return (
        f"{name} has {sum(counts.values())} missing or infinite values, in column {where}: fill them in, or pass "
        'nan="drop" to leave out their rows, or nan="indicator" to count being missing as a value.'
    )


def shown(titles: Sequence[str]) -> str:
    """The first few of some names, for a sentence."""
    return ", ".join(map(repr, titles[:_SHOWN])) + (", ..." if len(titles) > _SHOWN else "")
