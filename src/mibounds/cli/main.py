"""The commands. What they print is for people; `--json` is for machines. A wrong input ends with one sentence and
exit code 2."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mibounds._checks import check_at_least
from mibounds.choices import bound_names
from mibounds.cli import benchmark
from mibounds.cli.errors import one_sentence, say_if_interrupted
from mibounds.cli.job import job, writes
from mibounds.cli.lagged import lagged
from mibounds.cli.matrix import matrix
from mibounds.cli.score import score

__all__ = ["app", "run"]

BOUNDS = ", ".join(name for name, kind in bound_names().items() if not kind.needs_conditional_density)

app = typer.Typer(
    help="Mutual information of data: bounds with intervals and warnings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
demo = typer.Typer(help="Demonstrations that draw a picture and print a table.", no_args_is_help=True)
app.add_typer(demo, name="demo")
app.add_typer(benchmark.app, name="benchmark")
app.command()(score)
app.command()(matrix)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same number.")]


@app.command()
def estimate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A .csv or .parquet table, a .npy matrix or a .npz with named arrays.")],
    y: Annotated[str, typer.Option("--y", help="Columns of y, separated by commas.")],
    x: Annotated[
        Optional[str],  # noqa: UP045  (typer evaluates the annotation on Python 3.10)
        typer.Option(
            "--x", help="Columns of x, separated by commas; patterns like 'mean *' too. All others if left out."
        ),
    ] = None,
    z: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--z", help="Columns of a condition: measures I(X;Y|Z), what these do not explain."),
    ] = None,
    bound: Annotated[str, typer.Option(help=f"The bound that trains the critics: {BOUNDS}.")] = "infonce",
    critic: Annotated[str, typer.Option(help="separable, joint or bilinear.")] = "separable",
    unit: Annotated[str, typer.Option(help="nats or bits.")] = "nats",
    level: Annotated[float, typer.Option(help="Confidence level of the interval.")] = 0.95,
    test: Annotated[bool, typer.Option("--test", help="Test independence too, by 999 permutations.")] = False,
    bootstrap: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Draws of a bootstrap that gives the standard error."),
    ] = None,
    nan: Annotated[str, typer.Option(help="Missing values: raise; drop their rows; or indicator.")] = "raise",
    categorical: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Columns whose numbers are codes, separated by commas; text is found out."),
    ] = None,
    split: Annotated[str, typer.Option(help="random; or blocked, for time series and other rows in order.")] = "random",
    seed: Seed = 0,
    steps: Annotated[Optional[int], typer.Option(help="Training steps of a fold.")] = None,  # noqa: UP045
    batch_size: Annotated[Optional[int], typer.Option(help="Rows of a training step.")] = None,  # noqa: UP045
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    bracket: Annotated[
        bool, typer.Option("--bracket", help="A lower and an upper bound instead of one value; twice the time.")
    ] = False,
    plot: Annotated[Optional[Path], typer.Option(help="Save a figure to this .png, .svg or .pdf file.")] = None,  # noqa: UP045
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Save a page to read and pass on, with all of this and figures, to this .html file."),
    ] = None,
    out: Annotated[Optional[Path], typer.Option(help="Save the result to this JSON file.")] = None,  # noqa: UP045
    save: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Keep the trained critics in this .safetensors file, for `mibounds score`."),
    ] = None,
    checkpoint: Annotated[
        Optional[Path],  # noqa: UP045
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
    with one_sentence(shared=True), job(device) as own_device:
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


@demo.command()
def gaussians(
    full: Annotated[
        bool, typer.Option("--full", help="20 correlations and 100,000 rows: some 40 minutes on two cores.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="3 correlations and 1,000 rows, to see that it works here: under a minute.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where the figure goes; the numbers go beside it, as .csv.")] = Path(
        "plots/gaussians.png"
    ),
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw I(X;Y) of 20 + 20 correlated Gaussian columns against the truth, beside the original recipe's three curves.

    A run that was interrupted goes on where it stopped: points in the .csv file beside the figure are kept.

    Example: **mibounds demo gaussians --out curve.png**
    """
    with one_sentence():
        from tqdm.auto import tqdm

        from mibounds.demos import gaussians as curve

        if full and quick:
            raise ValueError("--quick and --full are two sizes of one run: give one of them.")
        scale = curve.FULL if full else curve.GLANCE if quick else curve.QUICK
        points: list[curve.Point] = []
        with (
            warnings.catch_warnings(),
            tqdm(total=2 * len(scale.correlations), disable=quiet or not sys.stderr.isatty(), leave=False) as bar,
        ):
            warnings.simplefilter("ignore")

            def done(doing: str) -> None:
                bar.set_description_str(doing, refresh=False)
                bar.update()

            for point in curve.measure(scale, seed, done, curve.read_points(out, scale, seed)):
                points.append(point)
                curve.draw(points, scale, seed, out)
        typer.echo(json.dumps([vars(point) for point in points], indent=2) if as_json else curve.table(points, scale))
        if not as_json:
            typer.echo(f"\nFigure: {out}   numbers: {out.with_suffix('.csv')}")


@demo.command()
def gan(
    data: Annotated[str, typer.Option(help="gaussians (25 modes) or spirals.")] = "gaussians",
    beta: Annotated[float, typer.Option(help="Weight of the information term.")] = 1.0,
    steps: Annotated[Optional[int], typer.Option(help="Generator steps of each run.")] = None,  # noqa: UP045
    paper: Annotated[bool, typer.Option("--paper", help="The original recipe: hours.")] = False,
    out: Annotated[Path, typer.Option(help="Where the figure goes; metrics.csv goes beside it.")] = Path(
        "plots/gan.png"
    ),
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a plain GAN and the same GAN that keeps the information of its code, and count the modes that each covers.

    Example: **mibounds demo gan --seed 1 --out gan.png**
    """
    with one_sentence():
        from dataclasses import replace

        from tqdm.auto import tqdm

        from mibounds.demos import gan as story

        targets = {"gaussians": story.gaussians, "spirals": story.spirals}
        if data not in targets:
            raise ValueError(f"data is {data!r}, and must be 'gaussians' or 'spirals'.")
        target = targets[data](seed=seed)
        recipe = replace(story.PAPER if paper else story.Recipe(), beta=beta)
        if steps is not None:
            check_at_least("steps", steps, 1)
            recipe = replace(recipe, steps=steps)
        with tqdm(total=2 * story.CHECKS, disable=quiet or not sys.stderr.isatty(), leave=False) as bar:

            def done(name: str, step: int, metrics: story.Metrics) -> None:
                bar.set_description_str(
                    f"{name} step {step:,}: {metrics.modes} modes, {metrics.high_quality:.0%} high quality",
                    refresh=False,
                )
                bar.update()

            outcomes = story.compare(recipe, target, seed, done)
        story.draw(outcomes, target, out)
        if as_json:
            typer.echo(json.dumps({name: vars(outcome.metrics) for name, outcome in outcomes.items()}, indent=2))
        else:
            typer.echo(f"{story.table(outcomes, target)}\n\nFigure: {out}   metrics: {out.with_name('metrics.csv')}")


def run() -> None:
    """The entry point of the `mibounds` command."""
    app()
