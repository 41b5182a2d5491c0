"""`mibounds independence`: a permutation test of independence."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.options import Categorical, ColumnsX, ColumnsY, Level, Missing, Quiet, UnitName
from mibounds.cli.outputs import Outputs, output_options
from mibounds.cli.session import session
from mibounds.cli.settings import BLOCKS, TRAINING, recipe_options

__all__ = ["independence"]


@file_options
@recipe_options(*TRAINING, *BLOCKS)
@output_options
def independence(
    context: typer.Context,
    file: TableFile,
    y: ColumnsY,
    x: ColumnsX = None,
    permutations: Annotated[
        int, typer.Option("--permutations", help="Number of permutations B; the smallest p is 1/(1 + B).")
    ] = 999,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train on each permutation: exact, and takes as many estimates.")
    ] = False,
    categorical: Categorical = None,
    nan: Missing = "raise",
    unit: UnitName = "nats",
    level: Level = 0.95,
    *,
    outputs: Outputs,
    quiet: Quiet = False,
    **settings: Any,
) -> None:
    """Test the independence of columns of a file by permutations.

    Example: **mibounds independence table.csv --x age,weight --y pressure --permutations 9999**
    """
    with session(context, settings, outputs, quiet=quiet) as recipe_of_options:
        from mibounds.cli.columns import read_arguments

        arguments = read_arguments(file, x, y, categorical=categorical)
        recipe = recipe_of_options()
        from mibounds import estimation  # torch: after all that can be refused without it

        result = estimation.independence_test(
            **arguments, permutations=permutations, retrain=retrain, recipe=recipe, nan=nan, unit=unit, level=level
        )
        outputs.finish(context, result)
