"""`mibounds matrix`: pairwise mutual information of the columns of a file."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Annotated

import typer

from mibounds.cli.errors import one_sentence
from mibounds.cli.options import AsJson, Device, Out, Plot, Quiet, Seed, TableFile, UnitName

__all__ = ["matrix"]


def matrix(
    file: TableFile,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns, separated by commas; patterns like 'mean *' too. All numeric ones if left out."),
    ] = None,
    pvalues: Annotated[
        bool, typer.Option("--pvalues", help="Test each pair for independence, with false discovery control.")
    ] = False,
    unit: UnitName = "nats",
    bits: Annotated[bool, typer.Option("--bits", help="The same as --unit bits.")] = False,
    nan: Annotated[str, typer.Option(help="Missing or infinite values: raise, or drop their rows.")] = "raise",
    seed: Seed = 0,
    device: Device = "cpu",
    plot: Plot = None,
    out: Out = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Estimate the mutual information of every pair of columns of a file.

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
