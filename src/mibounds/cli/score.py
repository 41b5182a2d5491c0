"""`mibounds score`: log-ratios of the rows of a file, by critics that `mibounds estimate --save` saved."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mibounds._checks import no_such_file
from mibounds._files import write_text
from mibounds.cli.errors import one_sentence
from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.option_names import option_names
from mibounds.cli.options import AsJson, ColumnsX, ColumnsY, Device
from mibounds.cli.outputs import check_file, input_files, writing
from mibounds.warnings import UnseenCategoryWarning

if TYPE_CHECKING:
    from mibounds.cli.files import OpenVariables
    from mibounds.data.variable import Schema
    from mibounds.training.fitted_folds import FittedFolds

__all__ = ["score"]


@file_options
def score(
    context: typer.Context,
    model: Annotated[Path, typer.Argument(help="A file of `mibounds estimate --save`.")],
    file: TableFile,
    y: ColumnsY,
    x: ColumnsX = None,
    nan: Annotated[
        Literal["raise", "drop"],
        typer.Option("--nan", help="Rows with missing or infinite values: raise an error; or drop, no score."),
    ] = "raise",
    device: Device = "cpu",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write the scores to this .csv file instead of the terminal.", rich_help_panel="Output"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score the rows of a file: a log-ratio in nats for each row, in order; positive values mean a likely pair.

    Example: **mibounds score model.safetensors new.csv --x age,weight --y pressure --out scores.csv**
    """
    with one_sentence(), option_names(context), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UnseenCategoryWarning)
        from mibounds.data.text_columns import ReadingWarning

        warnings.simplefilter("always", ReadingWarning)
        if out is not None:
            check_file("--out", out, (".csv",), input_files(context))
        from mibounds.cli.files import open_variables

        if not model.exists():
            raise ValueError(no_such_file(model, (".safetensors",)))
        opened = open_variables(file.path, x, y, **file.reading)
        from mibounds.training.fitted_folds import load  # torch: after all that can be refused without it

        fitted = load(model, device=device)
        _check_names(fitted, opened, Path(file.path).name)
        schemas = dict(zip("xy", fitted.schemas, strict=True))
        pair = {name: _converted(opened, name, schema) for name, schema in schemas.items()}
        _check_kinds(fitted, pair, Path(file.path).name)
        scores = fitted.score_pairs(**pair, nan=nan).tolist()
        for one in caught:
            typer.echo(f"Warning: {one.message}", err=True)
        present = [value for value in scores if not math.isnan(value)]
        mean = sum(present) / len(present) if present else None
        table = "\n".join(["log_ratio", *("" if math.isnan(value) else f"{value:.9g}" for value in scores)])
        if as_json:
            rows = [None if math.isnan(value) else value for value in scores]
            typer.echo(json.dumps({"rows": len(rows), "mean": mean, "log_ratios": rows}))
        elif out is None:
            typer.echo(table)
        else:
            mean_text = f"{mean:.4g} nats" if mean is not None else "undefined"
            typer.echo(f"{len(scores):,} rows, mean log-ratio {mean_text}: {out}")
        if out is not None:
            with writing("--out", out):
                write_text(out, table + "\n")


def _converted(opened: OpenVariables, name: str, schema: Schema | None) -> Any:
    """A variable of the file: columns of numbers and dates are converted as they were for the fit, categories and
    columns that the critics do not take may be any text."""
    from mibounds.data.encoding import Categorical

    columns = opened.columns[name]
    if schema is None or schema.kind != "table" or opened.table.arrays:
        return opened.read(name, text=columns)
    taken = schema.used
    labels = {one.name for one in taken if isinstance(one, Categorical)}
    if schema.named:
        known = [one.name for one in taken if one.name in columns]
        return opened.read(name, known if len(known) == len(taken) else columns, text=labels | ({*columns} - {*known}))
    by_place = zip(columns, schema.encodings, strict=False)
    return opened.read(name, text=[column for column, one in by_place if one not in taken or one.name in labels])


def _check_names(fitted: FittedFolds, opened: OpenVariables, file: str) -> None:
    """Raise a ValueError if columns have only numbers where the critics know them by name."""
    if not isinstance(opened.table.columns, range):
        return
    for name, schema in zip("xy", fitted.schemas, strict=True):
        if schema is not None and schema.named and not all(one.name.isdecimal() for one in schema.encodings):
            known = ", ".join(repr(one.name) for one in schema.encodings)
            raise ValueError(
                f"{file} has no column names, and the critics take {name} by names, {known}: give a table with them."
            )


def _check_kinds(fitted: FittedFolds, pair: dict[str, Any], file: str) -> None:
    """Refuse data of another kind than the critics were trained on.

    Raises:
        ValueError: if none of a column's values is among the categories of the fit.
    """
    from mibounds.data.encoding import Categorical
    from mibounds.data.sources import columns_of
    from mibounds.data.variable import shown

    for name, schema in zip("xy", fitted.schemas, strict=True):
        if schema is None or schema.kind != "table":
            continue
        columns, named = columns_of(pair[name], name)
        by_place = dict(zip((one.name for one in schema.encodings), columns.values(), strict=False))
        found = columns if named and schema.named else by_place
        for encoding in schema.encodings:
            column = found.get(encoding.name)
            if column is not None and isinstance(encoding, Categorical) and encoding.unseen(column).all():
                raise ValueError(
                    f"column {encoding.name!r} of {file} has none of the categories that the critics were trained on, "
                    f"{shown(encoding.categories)}: code it as it was then."
                )
