"""`mibounds learning-curve`: the estimate as a function of the number of rows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.number_lists import parse_numbers
from mibounds.cli.options import Categorical, ColumnsX, ColumnsY, Level, Missing, Quiet, UnitName
from mibounds.cli.outputs import Outputs, output_options
from mibounds.cli.session import session
from mibounds.cli.settings import TRAINING, recipe_options

__all__ = ["learning_curve"]


@file_options
@recipe_options(*TRAINING)
@output_options
def learning_curve(
    context: typer.Context,
    file: TableFile,
    y: ColumnsY,
    x: ColumnsX = None,
    sizes: Annotated[
        str | None,
        typer.Option("--sizes", help="Numbers of rows, like 500,1000,2000; by default all and their halves, to 200."),
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", help="Random subsamples of each size but the largest.")] = 2,
    categorical: Categorical = None,
    nan: Missing = "raise",
    unit: UnitName = "nats",
    level: Level = 0.95,
    *,
    outputs: Outputs,
    quiet: Quiet = False,
    **settings: Any,
) -> None:
    """Estimate I(X;Y) from subsamples of increasing size, and extrapolate to infinitely many rows.

    Example: **mibounds learning-curve table.csv --x age,weight --y pressure --plot curve.png**
    """
    with session(context, settings, outputs, quiet=quiet) as recipe_of_options:
        from mibounds.cli.columns import read_arguments

        wanted = None if sizes is None else parse_numbers(sizes, "--sizes", "500,1000,2000")
        arguments = read_arguments(file, x, y, categorical=categorical)
        recipe = recipe_of_options()
        from mibounds import estimation  # torch: after all that can be refused without it

        result = estimation.learning_curve(
            **arguments, sizes=wanted, repeats=repeats, recipe=recipe, nan=nan, unit=unit, level=level
        )
        outputs.finish(context, result)
