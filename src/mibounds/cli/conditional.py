"""`mibounds conditional`: conditional mutual information of columns of a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.options import Categorical, ColumnsX, ColumnsY, Level, Missing, Quiet, UnitName
from mibounds.cli.outputs import Outputs, output_options
from mibounds.cli.session import session
from mibounds.cli.settings import BLOCKS, TRAINING, recipe_options

__all__ = ["conditional"]


@file_options
@recipe_options(*TRAINING, *BLOCKS)
@output_options
def conditional(
    context: typer.Context,
    file: TableFile,
    y: ColumnsY,
    z: Annotated[str, typer.Option("--z", help="Columns of the condition z, separated by commas.")],
    x: ColumnsX = None,
    method: Annotated[
        Literal["auto", "chain", "counts", "neighbors", "strata"],
        typer.Option(
            "--method",
            help="chain: the difference I(X;YZ) - I(X;Z); neighbors: its critics, with the x of similar z; strata: the "
            "mean over the values of z; auto: strata if z has few values, else chain.",
        ),
    ] = "auto",
    categorical: Categorical = None,
    nan: Missing = "raise",
    unit: UnitName = "nats",
    level: Level = 0.95,
    *,
    outputs: Outputs,
    quiet: Quiet = False,
    **settings: Any,
) -> None:
    """Estimate the conditional mutual information I(X;Y|Z) of columns of a file.

    Example: **mibounds conditional table.csv --x age --y pressure --z weight,height**
    """
    with session(context, settings, outputs, quiet=quiet, distributed=True) as recipe_of_options:
        from mibounds.cli.columns import read_arguments

        arguments = read_arguments(file, x, y, z, categorical)
        recipe = recipe_of_options()
        from mibounds import estimation  # torch: after all that can be refused without it

        result = estimation.conditional(**arguments, method=method, recipe=recipe, nan=nan, unit=unit, level=level)
        outputs.finish(context, result)
