"""`mibounds estimate`: the mutual information of columns of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.options import (
    AsJson,
    Categorical,
    ColumnsX,
    ColumnsY,
    Level,
    Missing,
    Out,
    Plot,
    Quiet,
    Report,
    UnitName,
)
from mibounds.cli.outputs import Outputs
from mibounds.cli.session import session
from mibounds.cli.settings import BLOCKS, TRAINING, recipe_options

if TYPE_CHECKING:
    from mibounds.results import Measurement

__all__ = ["estimate"]


@file_options
@recipe_options(*TRAINING, *BLOCKS, "bootstrap")
def estimate(
    context: typer.Context,
    file: TableFile,
    y: ColumnsY,
    x: ColumnsX = None,
    categorical: Categorical = None,
    nan: Missing = "raise",
    unit: UnitName = "nats",
    level: Level = 0.95,
    plot: Plot = None,
    report: Report = None,
    with_test: Annotated[
        bool,
        typer.Option(
            "--with-test", help="Include a permutation test of independence in the report.", rich_help_panel="Output"
        ),
    ] = False,
    with_bracket: Annotated[
        bool,
        typer.Option(
            "--with-bracket",
            help="Include a lower and an upper bound in the report; twice the time.",
            rich_help_panel="Output",
        ),
    ] = False,
    out: Out = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            help="Save the trained critics to this .safetensors file, for `mibounds score`.",
            rich_help_panel="Output",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    **settings: Any,
) -> None:
    """Estimate I(X;Y) of columns of a file, with a confidence interval and diagnostic warnings.

    Ctrl-C prints the result so far.

    Example: **mibounds estimate table.csv --x age,weight --y pressure --unit bits**
    """
    outputs = Outputs(plot=plot, report=report, out=out, save=save, as_json=as_json)
    with session(context, settings, outputs, quiet=quiet, distributed=True) as recipe_of_options:
        from mibounds.cli.columns import read_arguments

        if report is None and (with_test or with_bracket):
            raise ValueError("--with-test and --with-bracket are parts of a report: give its file by --report.")
        arguments = read_arguments(file, x, y, categorical=categorical)
        options: dict[str, Any] = {
            **arguments, "recipe": recipe_of_options(), "nan": nan, "unit": unit, "level": level,
        }  # fmt: skip
        from mibounds import estimation  # torch: after all that can be refused without it

        test = estimation.independence_test(**options) if with_test else None
        result = estimation.estimate(**options) if test is None else test.estimate
        bracket = estimation.bracket(**options, estimate=result) if with_bracket else None
        parts: dict[str, Measurement | None] = {"independence_test": test, "bracket": bracket}
        outputs.finish(
            context,
            result,
            parts={name: part for name, part in parts.items() if part is not None},
            report=lambda path, described: result.report(path, **described, bracket=bracket, test=test),
        )
