"""`mibounds matrix` measures every pair of columns of a file."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated, Optional

import typer

from mibounds.cli.errors import one_sentence

__all__ = ["matrix"]


def matrix(
    file: Annotated[Path, typer.Argument(help="A .csv or .parquet table, a .npy matrix or a .npz with named arrays.")],
    columns: Annotated[
        Optional[str],  # noqa: UP045  (typer evaluates the annotation on Python 3.10)
        typer.Option(help="Columns, separated by commas; patterns like 'mean *' too. All numeric ones if left out."),
    ] = None,
    pvalues: Annotated[
        bool, typer.Option("--pvalues", help="Test each pair for independence, with false discovery control.")
    ] = False,
    unit: Annotated[str, typer.Option(help="nats or bits.")] = "nats",
    bits: Annotated[bool, typer.Option("--bits", help="The same as --unit bits.")] = False,
    nan: Annotated[str, typer.Option(help="Missing or infinite values: raise, or drop their rows.")] = "raise",
    seed: Annotated[int, typer.Option(help="The same seed gives the same numbers.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    plot: Annotated[Optional[Path], typer.Option(help="Save a heat map to this .png, .svg or .pdf file.")] = None,  # noqa: UP045
    out: Annotated[Optional[Path], typer.Option(help="Save the result to this JSON file.")] = None,  # noqa: UP045
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Measure I of every pair of columns of a file, many pairs at once.

    Example: **mibounds matrix table.csv --columns "mean *" --pvalues --plot matrix.png**
    """
    with one_sentence():
        from mibounds import estimation
        from mibounds.cli.files import read_columns
        from mibounds.plots import save_figure

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are in the result, and printed with it
            table = read_columns(file, columns)
            asked = None if columns is None else getattr(table, "columns", None)  # text that was asked for is refused
            found = estimation.matrix(
                table, columns=asked, pvalues=pvalues, unit="bits" if bits else unit, nan=nan, seed=seed,  # type: ignore[arg-type]
                device=device, progress=not quiet and sys.stderr.isatty(),
            )  # fmt: skip
        if plot is not None:
            save_figure(found.plot(), str(plot))
        if out is not None:
            found.save(out)
        typer.echo(json.dumps(found.to_dict(), indent=2) if as_json else repr(found))
