"""`mibounds matrix`: pairwise mutual information of the columns of a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.options import Quiet, UnitName
from mibounds.cli.outputs import Outputs, output_options
from mibounds.cli.session import session
from mibounds.cli.settings import recipe_options

__all__ = ["matrix"]


@file_options
@recipe_options("folds", "seed", "device", "workers", preset=False)
@output_options
def matrix(
    context: typer.Context,
    file: TableFile,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            help="Columns, separated by commas; patterns like 'mean *' too. By default all numeric ones, and those of "
            "text with 2 to 12 different values.",
        ),
    ] = None,
    pvalues: Annotated[
        bool, typer.Option("--pvalues", help="Test each pair for independence, with false discovery control.")
    ] = False,
    nan: Annotated[
        Literal["raise", "drop"],
        typer.Option("--nan", help="Missing or infinite values: raise an error; or drop rows, pair by pair."),
    ] = "raise",
    unit: UnitName = "nats",
    *,
    outputs: Outputs,
    quiet: Quiet = False,
    **settings: Any,
) -> None:
    """Estimate the mutual information of every pair of columns of a file.

    Example: **mibounds matrix table.csv --columns age,weight,height --pvalues --plot matrix.png**
    """
    with session(context, settings, outputs, quiet=quiet) as recipe_of_options:
        from mibounds.cli.files import read_columns

        table = read_columns(file.path, columns, **file.reading)
        names = list(table) if isinstance(table, dict) else getattr(table, "columns", None)
        asked = None if columns is None else names  # text that was asked for is refused
        recipe = recipe_of_options()
        from mibounds import estimation  # torch: after all that can be refused without it

        result = estimation.matrix(table, columns=asked, pvalues=pvalues, recipe=recipe, unit=unit, nan=nan)
        outputs.finish(context, result)
