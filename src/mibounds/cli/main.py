"""The command `mibounds` and its command `estimate`. Wrong input ends with one sentence and exit code 2."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mibounds.choices import bound_names
from mibounds.cli import benchmark, demo, run
from mibounds.cli.errors import one_sentence, say_if_interrupted
from mibounds.cli.job import job, writes
from mibounds.cli.lagged import lagged
from mibounds.cli.matrix import matrix
from mibounds.cli.options import AsJson, Device, Out, Plot, Quiet, Seed, TableFile, UnitName
from mibounds.cli.score import score

__all__ = ["app", "run"]

BOUNDS = ", ".join(name for name, kind in bound_names().items() if not kind.needs_conditional_density)

app = typer.Typer(
    help="Estimate mutual information: bounds with confidence intervals and diagnostic warnings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(demo.app, name="demo", help="Demonstrations that draw a figure and print a table.")
app.add_typer(benchmark.app, name="benchmark")
app.command()(score)
app.command()(matrix)


@app.command()
def estimate(
    context: typer.Context,
    file: TableFile,
    y: Annotated[str, typer.Option("--y", help="Columns of y, separated by commas.")],
    x: Annotated[
        str | None,
        typer.Option(
            "--x", help="Columns of x, separated by commas; patterns like 'mean *' too. All others if left out."
        ),
    ] = None,
    z: Annotated[
        str | None,
        typer.Option("--z", help="Columns of a condition: measures I(X;Y|Z), what these do not explain."),
    ] = None,
    bound: Annotated[str, typer.Option(help=f"The bound that trains the critics: {BOUNDS}.")] = "infonce",
    critic: Annotated[str, typer.Option(help="separable, joint or bilinear.")] = "separable",
    unit: UnitName = "nats",
    level: Annotated[float, typer.Option(help="Confidence level of the interval.")] = 0.95,
    test: Annotated[bool, typer.Option("--test", help="Test independence too, by 999 permutations.")] = False,
    bootstrap: Annotated[
        int | None,
        typer.Option(help="Draws of a bootstrap that gives the standard error."),
    ] = None,
    nan: Annotated[str, typer.Option(help="Missing values: raise; drop their rows; or indicator.")] = "raise",
    categorical: Annotated[
        str | None,
        typer.Option(help="Columns whose numbers are codes, separated by commas; text is found out."),
    ] = None,
    split: Annotated[str, typer.Option(help="random; or blocked, for time series and other rows in order.")] = "random",
    seed: Seed = 0,
    steps: Annotated[int | None, typer.Option(help="Training steps of a fold.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows of a training step.")] = None,
    device: Device = "cpu",
    bracket: Annotated[
        bool, typer.Option("--bracket", help="A lower and an upper bound instead of one value; twice the time.")
    ] = False,
    plot: Plot = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Save a page to read and pass on, with all of this and figures, to this .html file."),
    ] = None,
    out: Out = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Keep the trained critics in this .safetensors file, for `mibounds score`."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="A folder where a long run is written down as it goes. Ctrl-C prints the result so far."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what --checkpoint holds, to the same number.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure I(X;Y) of the columns of a file.

    Example: **mibounds estimate table.csv --x age,weight --y pressure --unit bits**
    """
    with one_sentence(distributed=True), job(device) as own_device:
        from mibounds import estimation
        from mibounds.cli.files import named_columns, read_variables
        from mibounds.cli.typed import typed
        from mibounds.plots import save_figure
        from mibounds.results.units import nats_in

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are in the result, and printed with it
            options: dict[str, Any] = {
                "bound": bound, "critic": critic, "level": level, "nan": nan, "split": split, "seed": seed,
                "steps": steps, "batch_size": batch_size, "device": own_device,
                "progress": not quiet and sys.stderr.isatty(), "checkpoint": checkpoint, "resume": resume,
            }  # fmt: skip
            nats_in(unit)  # an unknown unit is refused before the work and not after it
            if (bracket and z) or (z and (plot or report)) or ((bracket or z) and (test or bootstrap)):
                raise ValueError(
                    "--bracket and --z go with neither each other nor --test, --bootstrap; --z not with --plot, "
                    "--report."
                )
            if save is not None and (bracket or z):
                raise ValueError("--save keeps the critics of one estimate, and goes neither with --bracket nor --z.")
            variables = read_variables(file, x, y, z)
            if categorical is not None:
                if bracket or z:
                    raise ValueError("--categorical goes neither with --bracket nor with --z.")
                codes = named_columns(variables, categorical, "--categorical")
                options |= {"x_type": codes[0], "y_type": codes[1]}
            result: Any
            measured: Any = None
            tested = None
            if bracket:
                if report is not None:  # which tells of the lower side in full
                    measured = estimation.estimate(*variables, **options)
                result = estimation.bracket(*variables, estimate=measured, **options)
            elif z is not None:
                result = estimation.conditional(*variables, **options)
            elif test:
                tested = estimation.independence_test(*variables, bootstrap=bootstrap, **options)
                result = tested.estimate
            else:
                result = estimation.estimate(*variables, bootstrap=bootstrap, **options)
            result = result.to(unit)
        told, sides = (result, None) if measured is None else (measured.to(unit), result)
        files: list[tuple[Path | None, Callable[[Path], None]]] = [
            (plot, lambda path: save_figure(result.plot(), str(path))),
            (report, lambda path: told.report(path, bracket=sides, test=tested, command=typed(context))),
            (out, result.save),
            (save, lambda path: result.fitted.save(path)),  # noqa: PLW0108  (others have no critics)
        ]
        for path, write in files:
            if path is not None and writes():
                write(path)
        record = result.to_dict()
        if tested:
            record["independence_test"] = tested.to_dict()
        lines = [repr(result), *([f"  {tested!r}"] if tested else [])]
        typer.echo(json.dumps(record, indent=2) if as_json else "\n".join(lines))
        say_if_interrupted(result.warnings)


app.command()(lagged)
