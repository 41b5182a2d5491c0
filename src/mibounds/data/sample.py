"""The sample: the data of one call, taken in once. Parts, joins and shifts of a sample need no second intake."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mibounds._checks import check_choice, check_paired
from mibounds._random import noise_seed
from mibounds._variables import row_count
from mibounds.data.arrays import intake_array, is_ragged
from mibounds.data.encoding import kind_names
from mibounds.data.intake import check_table, check_values, group_codes, intake, intake_columns
from mibounds.data.pairing import check_order, columns_by_name, index_warnings, time_warnings, weight_warnings
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.data.tensors import check_parts, intake_tensors
from mibounds.data.variable import MISSING_POLICIES, MissingPolicy, Schema, Variable, complete_rows, shown
from mibounds.data.weights import rows_by_weight
from mibounds.warnings import (
    ConstantColumnWarning,
    MIWarning,
    RowsDroppedWarning,
)

__all__ = ["Sample", "VariableType"]

VariableType = str | Mapping[str, str] | None
"""What a variable is: a kind for all columns, or kinds by name; "image"; "sequence". None infers it."""

_ARRAYS = ("image", "sequence")
_AS_GIVEN = "as given"  # tensors that a critic of the user's own encodes
_FEWEST_PIXELS = 8  # of height and width, where three axes could be images or sequences


@dataclass(frozen=True)
class Sample:
    """Paired variables, encoded, without missing values.

    Attributes:
        variables: by name, each of N rows.
        given: number of rows that came.
        kept: (N,) the index of each row in the data that came.
        groups: (N,) the group of each row, numbered from 0, where rows of one group are dependent; or None.
        warnings: what is to be known of the data.

    Example:
        >>> sample = Sample.of(x=np.arange(60.0) ** 2, y=["a", "b", "b"] * 20)
        >>> sample.n, sample.variables["y"].kinds, sample[torch.arange(10)].n
        (60, ('categorical',), 10)
        >>> sample.select(x="x", y=("x", "y")).variables["y"].columns
        ('x', 'y=b')
    """

    variables: Mapping[str, Variable]
    given: int
    kept: Tensor
    groups: Tensor | None = None
    warnings: tuple[MIWarning, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        groups: Any = None,
        weights: Any = None,
        nan: MissingPolicy = "raise",
        types: Mapping[str, VariableType] | None = None,
        encoders: Mapping[str, nn.Module | None] | None = None,
        seed: int = 0,
        drop_constant: bool = True,
        series: bool = False,
        blocked: bool = False,
        **variables: Any,
    ) -> Sample:
        """Take in variables row by row, each as its kind.

        Arguments:
            groups: (N,) which rows are dependent on each other (of one person, of one day).
            weights: (N,) how much each row counts.
            nan: what to do about missing and infinite values in tables: "raise"; "drop" their rows; or "indicator",
                fill them in and add a column that says where they were (of y, rows without a value are dropped).
            types: what each variable is, where it is not to be inferred.
            encoders: a module that maps a variable's rows to columns; it takes the variable as it came, a tensor or a
                tuple of tensors.
            seed: for the rows that weights select.
            drop_constant: leave out columns that have one value throughout, with a warning.
            series: rows are in the order of time, of which a pandas index is checked: incomplete ones that are to be
                dropped stay in place until `shift`.
            blocked: blocks of rows are held out, which are to be in the order of time: a pandas index is checked.
            variables: whatever a person has, by name.

        Raises:
            TypeError, ValueError: with one sentence that says what came, what was expected and what to do.
        """
        check_choice("nan", nan, MISSING_POLICIES)
        types, encoders = types or {}, encoders or {}
        misaligned = index_warnings({**variables, "groups": groups, "sample_weight": weights})
        misaligned += time_warnings(variables) if series else []
        if blocked:
            check_order(variables)
        variables = columns_by_name(variables)  # which have no index
        found = {
            name: _variable(data, name, types.get(name), encoders.get(name), "drop" if name == "y" else nan)
            for name, data in variables.items()
        }
        first, *others = found
        given = row_count(found[first].values)
        for name in others:
            widths = found[first].width, found[name].width
            check_paired(given, row_count(found[name].values), name_y=name, columns=widths)
        sample = cls(found, given, torch.arange(given))
        sample = sample._with([*misaligned, *_data_warnings(found.values())])
        if nan == "raise" or not series:
            sample = sample._complete("drop" if nan == "indicator" else nan)
        if weights is not None:
            stay = rows_by_weight(weights, given, sample.kept, torch.Generator().manual_seed(noise_seed(seed)))
            sample = sample._at(stay.nonzero().flatten())._with(weight_warnings(weights, stay))
        sample = sample._varying() if drop_constant else sample
        return replace(sample, groups=group_codes(groups, given, sample.kept))

    @classmethod
    def of_columns(
        cls, table: Any, columns: Sequence[Any] | None = None, nan: MissingPolicy = "raise", *, labels: bool = False
    ) -> Sample:
        """Take in the numeric columns of a table as one variable, "table", with `labels` also text with few values.

        With nan="drop" rows in which two columns or more have values stay, and the others of their values are not
        finite: every pair leaves out its own rows.

        Raises:
            TypeError, ValueError: with one sentence, for fewer than two columns that vary among others.
        """
        check_choice("nan", nan, [policy for policy in MISSING_POLICIES if policy != "indicator"])
        variable, warnings = intake_columns(table, columns, labels=labels)
        given = row_count(variable.values)
        sample = cls({"table": variable}, given, torch.arange(given), warnings=tuple(warnings))
        sample = (sample._complete(nan) if nan == "raise" else sample._with_pairs())._varying()
        names = () if sample.is_constant("table") else sample.variables["table"].columns
        if len(names) < 2:
            varying = f"one column that varies, {names[0]!r}" if names else "no column that varies"
            why = " ".join(["", *map(str, sample.warnings)])  # of columns that were left out
            raise ValueError(f"table has {varying}: expected at least two, to make a pair.{why}")
        return sample

    @property
    def n(self) -> int:
        """N, the number of rows."""
        return len(self.kept)

    @property
    def x(self) -> Variable:
        """The variable of that name."""
        return self.variables["x"]

    @property
    def y(self) -> Variable:
        """The variable of that name."""
        return self.variables["y"]

    def __getitem__(self, rows: Tensor) -> Sample:
        """The sample of these rows: a mask (N,) or indices, for strata, subsamples and permutations. Groups are
        numbered anew, and warnings stay with the whole."""
        return replace(self._at(rows.nonzero().flatten() if rows.dtype == torch.bool else rows), warnings=())

    def select(self, **parts: str | tuple[str, ...]) -> Sample:
        """The same rows with other variables: each is one of the sample's, or several tables side by side."""
        made = {name: self._joined(name, (part,) if isinstance(part, str) else part) for name, part in parts.items()}
        return replace(self, variables=made, warnings=())

    def columns(self, **parts: Sequence[str]) -> Sample:
        """The same rows with parts of the variable "table", each by the names of its columns."""
        table = self.variables["table"]
        return replace(
            self, variables={name: replace(table.only(part), name=name) for name, part in parts.items()}, warnings=()
        )

    def permuted(self, name: str, order: Tensor) -> Sample:
        """The sample with one variable's rows in another order (N,)."""
        return replace(self, variables={**self.variables, name: self.variables[name].take(order)})

    def shift(self, times: Tensor, **parts: tuple[str, Sequence[int]]) -> Sample:
        """Variables of a series at `times` (M,), each as it was the given numbers of rows earlier; times at which a
        value is missing are left out. Warnings stay.

        Example:
            >>> series = Sample.of(x=np.arange(60.0) ** 2, y=np.arange(60.0) ** 3, series=True)
            >>> past = series.shift(torch.arange(2, 60), x=("x", [1, 2]), y=("y", [0]))
            >>> past.variables["x"].columns, past.variables["x"].values[0].tolist(), past.kept[0].item()
            (('x[t-1]', 'x[t-2]'), [1.0, 0.0], 2)
        """
        made = {}
        for name, (source, lags) in parts.items():
            variable = self.variables[source]
            renamed = [
                variable.renamed(name, {one.name: _lagged_name(one.name, lag) for one in variable.encodings})
                for lag in lags
            ]
            taken = [one.take(times - lag) for one, lag in zip(renamed, lags, strict=True)]
            made[name] = _side_by_side(name, taken)
        shifted = replace(self, variables=made, kept=self.kept[times], groups=None)
        return shifted._complete("drop")

    def varying(self) -> Sample:
        """The sample without columns that have one value throughout, as a part may have; a variable of such columns
        only keeps them."""
        dropped = {name: set(variable.constant_columns()) for name, variable in self.variables.items()}
        kept = {
            name: variable.only(set(variable.columns) - dropped[name])
            if 0 < len(dropped[name]) < len(variable.columns)
            else variable
            for name, variable in self.variables.items()
        }
        return replace(self, variables=kept)

    def is_constant(self, name: str) -> bool:
        """Does a table have one value throughout in every column?"""
        variable = self.variables[name]
        return variable.table is not None and len(variable.constant_columns()) == len(variable.columns)

    def check_tables(self, names: Collection[str]) -> None:
        """Raise a TypeError unless these variables are tables, which can be joined and shifted."""
        for name in names:
            variable = self.variables[name]
            if variable.table is None:
                ragged = isinstance(variable.values, Tensor) and bool(variable.values.isnan().any())
                raise TypeError(
                    f"{name} is {variable.kinds[0] if variable.kinds else 'a tensor'}: expected (rows,) or "
                    "(rows, columns) here. "
                    + (
                        "Describe each sequence by columns, such as its mean and its last value."
                        if ragged
                        else f"Flatten it, numpy.reshape({name}, (len({name}), -1))."
                    )
                )

    def _with(self, warnings: Sequence[MIWarning]) -> Sample:
        return replace(self, warnings=(*self.warnings, *warnings))

    def _at(self, rows: Tensor) -> Sample:
        groups = None if self.groups is None else torch.unique(self.groups[rows], return_inverse=True)[1]
        variables = {name: variable.take(rows) for name, variable in self.variables.items()}
        return replace(self, variables=variables, kept=self.kept[rows], groups=groups)

    def _complete(self, nan: MissingPolicy) -> Sample:
        """The rows without missing values, at least 50."""
        tables = [variable for variable in self.variables.values() if variable.table is not None]
        if not tables:
            return self
        finite = complete_rows(tables, nan, indicator="table" not in self.variables)
        n, left = len(finite), int(finite.sum())
        sample = self
        if left < n:
            dropped = f"{n - left} of {n} rows were dropped for missing or infinite values."
            sample = self._at(finite.nonzero().flatten())._with([RowsDroppedWarning(dropped)])
        _check_rows(left, "complete rows")
        return sample

    def _with_pairs(self) -> Sample:
        """The rows in which at least two columns of the table have a value."""
        (variable,) = self.variables.values()
        assert variable.table is not None
        rows = variable.table.isfinite().sum(1) >= min(2, variable.table.shape[1])
        _check_rows(int(rows.sum()), "rows with values in two columns")
        return self if bool(rows.all()) else self._at(rows.nonzero().flatten())

    def _varying(self) -> Sample:
        """The sample without constant columns, which a warning names."""
        warnings: list[MIWarning] = []
        for name, variable in self.variables.items():
            constant = variable.constant_columns()
            if constant and len(constant) == len(variable.columns):
                warnings.append(ConstantColumnWarning(f"{name} is constant in every column: its information is 0."))
            elif constant:
                warnings.append(ConstantColumnWarning(f"{name}: constant columns were dropped: {shown(constant)}."))
        return self.varying()._with(warnings)

    def _joined(self, name: str, parts: tuple[str, ...]) -> Variable:
        if len(parts) == 1:
            return replace(self.variables[parts[0]], name=name)
        self.check_tables(parts)
        tables = [self.variables[part] for part in parts]
        titles = [one.name for variable in tables for one in variable.encodings]
        if len(set(titles)) < len(titles):  # two variables have a column of the same name
            tables = [
                variable.renamed(part, {one.name: f"{part}.{one.name}" for one in variable.encodings})
                for part, variable in zip(parts, tables, strict=True)
            ]
        return _side_by_side(name, tables)


def _check_rows(count: int, what: str) -> None:
    """Raise a ValueError if these rows are too few for an estimate."""
    if count < MINIMUM_ROWS:
        said = f"1 {what.replace('rows', 'row', 1)} is" if count == 1 else f"{count} {what} are"
        raise ValueError(
            f"{said} too few: expected at least {MINIMUM_ROWS}, and some thousands for a precise estimate."
        )


def _side_by_side(name: str, tables: Sequence[Variable]) -> Variable:
    """Tables of the same rows as one."""
    schemas = [table.schema for table in tables if table.schema is not None]
    schema = Schema(
        "table",
        tuple(column for one in schemas for column in one.names),
        tuple(encoding for one in schemas for encoding in one.encodings),
        all(one.named for one in schemas),
        tuple(held for one in schemas for held in one.held),
    )
    values = torch.cat([table.table for table in tables if table.table is not None], 1)
    return Variable(name, values, schema, width=values.shape[1])


def _lagged_name(name: str, lag: int) -> str:
    return name if not lag else f"{name}[t{-lag:+d}]"


def _variable(data: Any, name: str, given: VariableType, encoder: nn.Module | None, nan: MissingPolicy) -> Variable:
    """A variable as its kind; in tables values may still be missing."""
    check_values(data, name)
    kind = _kind(data, name, given, encoder)
    if kind in _ARRAYS:
        schema = Schema(kind)
        return Variable(name, intake_array(data, name, schema, MINIMUM_ROWS), schema)
    if kind == "table":
        return intake(data, name, given, nan)
    return intake_tensors(data, name, encoder)


def _kind(data: Any, name: str, given: VariableType, encoder: nn.Module | None) -> str:
    if given is None:
        check_parts(data, name, encoder)
    if encoder is not None:
        if not isinstance(encoder, nn.Module):
            raise TypeError(f"encoder_{name} is a {type(encoder).__name__}, and must be a torch.nn.Module.")
        return _AS_GIVEN
    if isinstance(given, str) and given in (*_ARRAYS, _AS_GIVEN):
        return given
    if given is not None and not isinstance(given, Mapping) and given not in kind_names():
        expected = ", ".join(map(repr, [*kind_names(), *_ARRAYS]))
        raise ValueError(f"{name}_type is {given!r}: expected {expected}, or the kinds of columns by name.")
    check_table(data, name)
    ragged = is_ragged(data)
    if given is None and ragged:
        return "sequence"
    shape = getattr(data, "shape", None)
    shape = shape if isinstance(shape, Sequence) else None  # of an array, and not of a class of arrays
    if shape is None and isinstance(data, list | tuple) and not ragged:
        shape = _shape(data)
    if shape is None or len(shape) < 3:
        return "table"
    if isinstance(given, str) and len(shape) in (3, 4):  # other kinds are of columns
        raise ValueError(
            f"{name} has shape {tuple(shape)}, and {given} columns are expected: flatten it, "
            f"numpy.reshape({name}, (len({name}), -1))."
        )
    if len(shape) == 4:
        return "image"
    if len(shape) == 3:
        return "image" if min(shape[1:]) >= _FEWEST_PIXELS else "sequence"
    raise ValueError(
        f"{name} has shape {tuple(shape)}: expected (rows,), (rows, columns), images (rows, height, width) or "
        "(rows, channels, height, width), or sequences (rows, steps, features). Flatten it, or pass a module that "
        f"takes it as encoder_{name}."
    )


def _shape(rows: Sequence[Any]) -> tuple[int, ...] | None:
    """Of a list; None if its rows have none in common."""
    if any(row is np.ma.masked for row in rows):  # NumPy would warn of each
        return (len(rows),)
    try:
        return np.shape(rows)
    except (TypeError, ValueError):
        return None


def _data_warnings(variables: Any) -> list[MIWarning]:
    """What the encodings of tables warn of."""
    found: list[MIWarning] = []
    for variable in variables:
        if variable.table is not None:
            place = {name: i for i, name in enumerate(variable.columns)}
            for encoding in () if variable.schema is None else variable.schema.encodings:
                kept = [place[one] for one in encoding.names if one in place]
                values = variable.table[:, kept].numpy()
                found += encoding.warnings(values, variable.name)
    return found
