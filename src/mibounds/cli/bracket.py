"""`mibounds bracket`: a lower and an upper bound of mutual information."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.options import Categorical, ColumnsX, ColumnsY, Level, Missing, Quiet, UnitName
from mibounds.cli.outputs import Outputs, output_options
from mibounds.cli.session import session
from mibounds.cli.settings import BLOCKS, TRAINING, recipe_options

__all__ = ["bracket"]


@file_options
@recipe_options(*TRAINING, *BLOCKS)
@output_options
def bracket(
    context: typer.Context,
    file: TableFile,
    y: ColumnsY,
    x: ColumnsX = None,
    negatives: Annotated[
        int | None,
        typer.Option("--negatives", help="Mismatched pairs per row for the upper bound; by default 32 to 256."),
    ] = None,
    categorical: Categorical = None,
    nan: Missing = "raise",
    unit: UnitName = "nats",
    level: Level = 0.95,
    *,
    outputs: Outputs,
    quiet: Quiet = False,
    **settings: Any,
) -> None:
    """Estimate a lower and an upper bound of I(X;Y) of columns of a file.

    Example: **mibounds bracket table.csv --x age,weight --y pressure --plot bracket.png**
    """
    with session(context, settings, outputs, quiet=quiet, distributed=True) as recipe_of_options:
        from mibounds.cli.columns import read_arguments

        arguments = read_arguments(file, x, y, categorical=categorical)
        recipe = recipe_of_options()
        from mibounds import estimation  # torch: after all that can be refused without it

        result = estimation.bracket(**arguments, negatives=negatives, recipe=recipe, nan=nan, unit=unit, level=level)
        outputs.finish(context, result)
