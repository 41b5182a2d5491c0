"""`mibounds lagged`: lagged mutual information and transfer entropies of two series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.number_lists import parse_numbers
from mibounds.cli.options import Categorical, ColumnsY, Level, Missing, Quiet, UnitName
from mibounds.cli.outputs import Outputs, output_options
from mibounds.cli.session import session
from mibounds.cli.settings import TRAINING, recipe_options

if TYPE_CHECKING:
    from mibounds.results import Measurement

__all__ = ["lagged"]


@file_options
@recipe_options(*TRAINING)
@output_options
def lagged(
    context: typer.Context,
    file: TableFile,
    x: Annotated[str, typer.Option("--x", help="Columns of x, separated by commas.")],
    y: ColumnsY,
    lags: Annotated[
        str,
        typer.Option("--lags", help="Rows from x to y: 0:11 is 0 to 10; also 0,5,20. For negative lags y is earlier."),
    ] = "0:11",
    transfer_entropy: Annotated[
        bool,
        typer.Option("--transfer-entropy", help="Estimate the transfer entropies of both directions, too."),
    ] = False,
    history: Annotated[int, typer.Option("--history", help="Past rows for --transfer-entropy.")] = 1,
    permutations: Annotated[
        int, typer.Option("--permutations", help="Surrogates for the p-values of --transfer-entropy.")
    ] = 199,
    gap: Annotated[
        int | None,
        typer.Option("--gap", help="Number of rows over which the series are correlated; by default 1 % of all."),
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
    """Estimate I(X[t - lag]; Y[t]) of two series for every lag, and transfer entropies; the rows are in time order.

    Example: **mibounds lagged weather.csv --x pressure --y rain --lags 0:11 --transfer-entropy**
    """
    with session(context, settings, outputs, quiet=quiet, distributed=True) as recipe_of_options:
        from mibounds.cli.columns import read_arguments

        chosen = parse_numbers(lags, "--lags", "0:11 or 0,5,20")
        arguments = read_arguments(file, x, y, categorical=categorical, shared=True)
        options: dict[str, Any] = {"gap": gap, "nan": nan, "unit": unit, "level": level}
        recipe = recipe_of_options()
        from mibounds import estimation  # torch: after all that can be refused without it

        directions: dict[str, Measurement] = {}
        for name in ("x to y", "y to x") if transfer_entropy else ():
            directions[name] = estimation.transfer_entropy(
                **(arguments if name == "x to y" else _exchanged(arguments)),
                history=history,
                permutations=permutations,
                recipe=recipe.part(f"transfer entropy {name}"),
                **options,
            )
        result = estimation.lagged(**arguments, lags=chosen, recipe=recipe, **options)
        outputs.finish(context, result, parts={"transfer_entropy": directions} if directions else None)


def _exchanged(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with x and y exchanged."""
    return {{"x": "y", "y": "x"}[name[0]] + name[1:]: value for name, value in arguments.items()}
