"""The two sides of an estimate: what kind of data each is, and by which maps it reaches a critic.

Columns are ranked or standardized. Images, sequences, and whatever comes with an encoder of its own, are encoded by a
network that is trained with the critic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mibounds._checks import check_paired
from mibounds._random import seeded
from mibounds._variables import Tensors, check_finite, map_tensors, row_count, take_rows
from mibounds.data import (
    Columns,
    MissingPolicy,
    Preprocessing,
    RankGaussianize,
    Schema,
    StandardizeChannels,
    intake_array,
    intake_groups,
    intake_rows,
    is_ragged,
    rows_by_weight,
)
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.networks import MLP, ConvEncoder, SequenceEncoder
from mibounds.warnings import MIWarning

__all__ = ["Side", "Taken", "VariableType", "take_in"]

VariableType = str | Mapping[str, str] | None
"""What a variable is: "continuous" or "categorical" columns, all or by name; "image"; "sequence". None finds out."""

_CODE = 128  # columns that an image or a sequence becomes
_FEWEST_PIXELS = 8  # of height and width, where three axes could be images or sequences


@dataclass(frozen=True)
class Side:
    """One variable: its `rows`, `what` it is in words, the `width` of its columns or of its code, its `columns` if it
    is a table, what it passes through first, the `encoder` that is trained with the critic if it is no table, and how
    new rows are to be taken."""

    rows: Tensors
    what: str
    width: int
    columns: Columns | None = None
    preprocessing: Preprocessing | None = None
    encoder: nn.Module | None = None
    schema: Schema | None = None

    @property
    def label(self) -> bool:
        """Is it one categorical column?"""
        encodings = () if self.columns is None else self.columns.encodings
        return len(encodings) == 1 and encodings[0].kind == "categorical"

    def coded(self, hidden: Sequence[int], seed: int) -> tuple[nn.Module, int]:
        """What makes a code of a row for a critic that needs no towers, and how wide the code is."""
        if self.encoder is not None:
            return self.encoder, self.width
        if self.label:
            return nn.Identity(), self.width
        with seeded(seed):
            return MLP(self.width, hidden, _CODE), _CODE


class Taken(NamedTuple):
    """The sides; how many rows were given, and the numbers of those kept; the groups of these, numbered from 0; and
    warnings to raise."""

    sides: list[Side]
    given: int
    kept: Tensor
    groups: Tensor | None
    warnings: list[MIWarning]


def take_in(
    variables: Mapping[str, Any],
    nan: MissingPolicy,
    types: Mapping[str, VariableType],
    encoders: Mapping[str, nn.Module | None],
    seed: int,
    groups: Any = None,
    weights: Any = None,
) -> Taken:
    """Variables row by row, each as its kind.

    Arguments:
        variables: whatever a person has, by name.
        nan: what to do about missing values in tables.
        types: what each is, where it is not to be found out.
        encoders: a module that maps a variable's rows to columns; it takes the variable as it is, a tensor or a tuple.
        seed: for the first weights of encoders that are built here, and for the rows that weights choose.
        groups: (N,) what rows belong together.
        weights: (N,) how much each row counts.

    Returns:
        The sides of the rows that were kept.

    Raises:
        TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
    """
    kinds = {name: _kind(data, name, types.get(name), encoders.get(name)) for name, data in variables.items()}
    sides: dict[str, Side] = {}
    for name, kind in kinds.items():
        if kind == "image":
            sides[name] = _images(variables[name], name, seed)
        elif kind == "sequence":
            sides[name] = _sequences(variables[name], name, seed)
        elif kind == "custom":
            sides[name] = _encoded(variables[name], name, encoders[name])
    tables = {name: variables[name] for name, kind in kinds.items() if kind == "table"}
    caught: list[MIWarning] = []
    kept = torch.arange(row_count(next(iter(sides.values())).rows) if sides else 0)
    if tables:
        columns, caught = intake_rows(tables, nan, kinds={name: types.get(name) for name in tables})
        for name, side in zip(tables, columns, strict=True):
            sides[name] = _columns(side)
        kept = columns[0].kept
    first, *others = variables
    for name in others:
        check_paired(_given(sides[first]), _given(sides[name]), name_y=name)
    given = _given(sides[first])
    taken = [side if side.columns else _only(side, kept) for side in (sides[name] for name in variables)]
    if weights is not None:
        stay = rows_by_weight(weights, given, kept, torch.Generator().manual_seed(seed)).nonzero().flatten()
        taken, kept = [_only(side, stay) for side in taken], kept[stay]
    return Taken(taken, given, kept, intake_groups(groups, given, kept), caught)


def _kind(data: Any, name: str, given: VariableType, encoder: nn.Module | None) -> str:
    if encoder is not None:
        if not isinstance(encoder, nn.Module):
            raise TypeError(f"encoder_{name} is a {type(encoder).__name__}, and must be a torch.nn.Module.")
        return "custom"
    if isinstance(given, str) and given in ("image", "sequence"):
        return given
    if given is not None and not isinstance(given, Mapping) and given not in ("continuous", "categorical"):
        raise ValueError(
            f"{name}_type is {given!r}, and must be 'continuous', 'categorical', 'image', 'sequence', or the kinds of "
            "columns by name."
        )
    ragged = is_ragged(data)
    if given is None and ragged:
        return "sequence"
    shape = getattr(data, "shape", None)
    if shape is None and isinstance(data, list | tuple) and not ragged:
        shape = np.shape(data)
    if shape is None or len(shape) < 3:
        return "table"
    if len(shape) == 4:
        return "image"
    if len(shape) == 3:
        return "image" if min(shape[1:]) >= _FEWEST_PIXELS else "sequence"
    raise ValueError(
        f"{name} has shape {tuple(shape)}: expected (rows,), (rows, columns), images (rows, height, width) or "
        "(rows, channels, height, width), or sequences (rows, steps, features). Flatten it, or pass a module that "
        f"takes it as encoder_{name}."
    )


def _images(data: Any, name: str, seed: int) -> Side:
    schema = Schema("image")
    images = intake_array(data, name, schema, MINIMUM_ROWS)
    channels, height, width = images.shape[1:]
    with seeded(seed):
        encoder = ConvEncoder((channels, height, width), _CODE)
    return Side(
        images,
        f"images {channels} x {height} x {width}",
        _CODE,
        preprocessing=StandardizeChannels(1),
        encoder=encoder,
        schema=schema,
    )


def _sequences(data: Any, name: str, seed: int) -> Side:
    schema = Schema("sequence")
    sequences = intake_array(data, name, schema, MINIMUM_ROWS)
    steps, features = sequences.shape[1:]
    with seeded(seed):
        encoder = SequenceEncoder(features, _CODE)
    what = f"sequences of {'up to ' if sequences.isnan().any() else ''}{steps} steps x {features}"
    return Side(sequences, what, _CODE, preprocessing=StandardizeChannels(-1), encoder=encoder, schema=schema)


def _encoded(data: Any, name: str, encoder: nn.Module | None) -> Side:
    """A variable with an encoder of the user's own, as it is."""
    assert encoder is not None
    rows: Tensors = data if isinstance(data, tuple) else torch.as_tensor(data)
    rows = map_tensors(lambda part: part.detach().float() if part.is_floating_point() else part.detach(), rows)
    check_finite(name, rows)
    encoder.eval()
    with torch.no_grad():
        code = encoder(take_rows(rows, slice(2)))
    encoder.train()
    if not isinstance(code, Tensor) or code.dim() != 2 or len(code) != min(2, row_count(rows)):
        shape = tuple(code.shape) if isinstance(code, Tensor) else type(code).__name__
        raise ValueError(f"encoder_{name} maps two rows to {shape}: expected a tensor (rows, columns).")
    return Side(rows, f"encoded by {type(encoder).__name__}", code.shape[1], encoder=encoder)


def _columns(columns: Columns) -> Side:
    kinds = [encoding.kind for encoding in columns.encodings]
    what = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("continuous", "categorical") if kind in kinds)
    return Side(columns.values, what, len(columns.names), columns, RankGaussianize(), schema=columns.schema)


def _given(side: Side) -> int:
    """How many rows came, before any were dropped."""
    return row_count(side.rows) if side.columns is None else side.columns.given


def _only(side: Side, kept: Tensor) -> Side:
    if len(kept) == row_count(side.rows):
        return side
    columns = side.columns
    if columns is not None:
        columns = replace(columns, values=columns.values[kept], kept=columns.kept[kept])
    return replace(side, rows=take_rows(side.rows, kept), columns=columns)
