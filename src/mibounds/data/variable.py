"""A variable of a sample: encoded values, and how they were made, so that new data can be encoded alike."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from mibounds._checks import check_choice, check_paired
from mibounds._variables import Tensors, row_count, take_rows
from mibounds.data.encoding import Encoding
from mibounds.data.values import Array

__all__ = ["MISSING_POLICIES", "MissingPolicy", "Schema", "Variable", "complete_rows", "encoded", "shown"]

MissingPolicy = Literal["raise", "drop", "indicator"]
MISSING_POLICIES = ("raise", "drop", "indicator")
_SHOWN = 5


@dataclass(frozen=True)
class Schema:
    """How a variable was encoded, so that new data can be encoded alike.

    Attributes:
        kind: "table", "image" or "sequence".
        names: of the encoded columns that are used.
        encodings: one for each column that was given.
        named: True if the columns came with names, by which new ones are then taken.
        held: "number", "date" or "duration" for each encoding, which new rows have to hold, too; empty where that is
            not known.
    """

    kind: str
    names: tuple[str, ...] = ()
    encodings: tuple[Encoding, ...] = ()
    named: bool = False
    held: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[Encoding, ...]:
        """The encodings of which at least one encoded column is used."""
        names = set(self.names)
        return tuple(one for one in self.encodings if not names.isdisjoint(one.names))


@dataclass(frozen=True)
class Variable:
    """One variable of a sample.

    Attributes:
        name: "x", "y", "z" or what the caller calls it.
        values: (N, D) float32 columns of a table; images (N, C, H, W); sequences (N, T, D); or, with an `encoder` or
            a critic of the user's own, a tensor or tuple of tensors as it came.
        schema: how the values were encoded; None where they are as they came.
        encoder: a module of the user's that is trained with the critic and maps values to columns.
        width: columns of the table, or of what the encoder returns; 0 where a critic encodes the values.
    """

    name: str
    values: Tensors
    schema: Schema | None = None
    encoder: nn.Module | None = None
    width: int = 0

    @property
    def kind(self) -> str:
        """What it is: "table", "image", "sequence", or "encoded" for values as they came."""
        return "encoded" if self.schema is None else self.schema.kind

    @property
    def table(self) -> Tensor | None:
        """The columns (N, D) of a table, None for other kinds."""
        return self.values if self.kind == "table" and isinstance(self.values, Tensor) else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the encoded columns that are used."""
        return () if self.schema is None else self.schema.names

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """The encodings of the given columns of which at least one encoded column is used."""
        return () if self.schema is None else self.schema.used

    @property
    def origins(self) -> dict[str, str]:
        """For each encoded column the given column that it was made of."""
        made = {name: encoding.name for encoding in self.encodings for name in encoding.names}
        return {name: made[name] for name in self.columns}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each given column that is used, or of the variable as a whole."""
        if self.kind == "table":
            return tuple(encoding.kind for encoding in self.encodings)
        if self.kind == "encoded":
            return () if self.encoder is None else (f"encoded by {type(self.encoder).__name__}",)
        assert isinstance(self.values, Tensor)
        sizes = [str(size) for size in self.values.shape[1:]]
        if self.kind == "image":
            return (f"image {' x '.join(sizes)}",)
        padded = "up to " if bool(self.values.isnan().any()) else ""
        return (f"sequence of {padded}{sizes[0]} steps x {sizes[1]}",)

    @property
    def is_label(self) -> bool:
        """Is it one categorical column?"""
        return self.kind == "table" and [encoding.is_label for encoding in self.encodings] == [True]

    @property
    def label_entropy(self) -> float | None:
        """The plug-in entropy in nats of a label, None if it is none. Where categories were merged, of which some rows
        have been left out, it is the largest possible one."""
        if not self.is_label or self.table is None:
            return None
        (encoding,) = self.encodings
        _, counts = torch.unique(self.table, dim=0, return_counts=True)
        frequencies = counts.double() / counts.sum()
        entropy = float(-(frequencies * frequencies.log()).sum())
        shared = encoding.shared()
        if shared is not None and shared.column in self.columns:
            fraction = float(self.table[:, self.columns.index(shared.column)].double().mean())
            if math.isclose(fraction, shared.fraction):
                return shared.entropy
            entropy += fraction * math.log(shared.number)
        return entropy

    def take(self, rows: Tensor) -> Variable:
        """The variable of these rows, in their order."""
        if len(rows) == row_count(self.values) and bool((rows == torch.arange(len(rows))).all()):
            return self
        return replace(self, values=take_rows(self.values, rows))

    def only(self, columns: Collection[str]) -> Variable:
        """The variable of these encoded columns of a table."""
        assert self.schema is not None and isinstance(self.values, Tensor)
        kept = [i for i, name in enumerate(self.columns) if name in columns]
        names = tuple(self.columns[i] for i in kept)
        return replace(self, values=self.values[:, kept], schema=replace(self.schema, names=names), width=len(kept))

    def constant_columns(self) -> list[str]:
        """The encoded columns of a table that have one value throughout, whatever is missing."""
        if self.table is None:
            return []
        known = self.table.isfinite()
        first = self.table.gather(0, known.int().argmax(0, keepdim=True))  # the first known value of each column
        varies = (known & (self.table != first)).any(0).tolist()
        return [name for name, one in zip(self.columns, varies, strict=True) if not one]

    def renamed(self, name: str, columns: Mapping[str, str]) -> Variable:
        """The variable under another name, with new names for given columns."""
        assert self.schema is not None
        encodings = tuple(replace(one, name=columns.get(one.name, one.name)) for one in self.schema.encodings)
        made = {
            old: new
            for one, other in zip(self.schema.encodings, encodings, strict=True)
            for old, new in zip(one.names, other.names, strict=True)
        }
        schema = replace(self.schema, names=tuple(made[old] for old in self.columns), encodings=encodings)
        return replace(self, name=name, schema=schema)


def encoded(name: str, columns: Mapping[str, Array], schema: Schema) -> Variable:
    """A table from columns (N,) by their names, encoded as a schema says."""
    made = {
        title: part
        for encoding in schema.used
        for title, part in zip(encoding.names, encoding(columns[encoding.name]).T, strict=True)
    }
    values = torch.from_numpy(np.stack([made[title] for title in schema.names], 1))
    return Variable(name, values, schema, width=len(schema.names))


def complete_rows(tables: Sequence[Variable], nan: MissingPolicy = "raise", *, indicator: bool = True) -> Tensor:
    """Which rows are finite in all tables, (N,).

    Arguments:
        tables: of the same rows.
        nan: "raise" refuses rows that are not finite.
        indicator: can missing values have a column of their own? The sentence says so.

    Raises:
        ValueError: if the tables have different numbers of rows; if any row is not finite and `nan` is "raise".
    """
    check_choice("nan", nan, MISSING_POLICIES)
    finite = torch.ones(row_count(tables[0].values), dtype=torch.bool)
    for table in tables:
        assert isinstance(table.values, Tensor)
        check_paired(len(finite), len(table.values), name_y=table.name)
        good = table.values.isfinite()
        if nan == "raise" and not good.all():
            raise ValueError(_missing_sentence(table, ~good, indicator))
        finite &= good.all(1)
    return finite


def _missing_sentence(table: Variable, bad: Tensor, indicator: bool) -> str:
    """Which columns lack values, and what to do."""
    counts: dict[str, int] = {}
    for column, count in zip(table.columns, bad.sum(0).tolist(), strict=True):
        origin = table.origins[column]
        counts[origin] = max(counts.get(origin, 0), count)
    counts = {origin: count for origin, count in counts.items() if count}
    where = ", ".join(f"{origin!r} ({count})" for origin, count in [*counts.items()][:_SHOWN])
    other = ', or nan="indicator" to encode being missing as a column of its own' if indicator else ""
    return (
        f"{table.name} has {sum(counts.values())} missing or infinite values, in column {where}: fill them in, or pass "
        f'nan="drop" to leave out their rows{other}.'
    )


def shown(titles: Sequence[str]) -> str:
    """The first few of some names, for a sentence."""
    return ", ".join(map(repr, titles[:_SHOWN])) + (", ..." if len(titles) > _SHOWN else "")
