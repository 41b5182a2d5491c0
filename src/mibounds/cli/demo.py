"""`mibounds demo`: demonstrations that draw a figure and print a table."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated, Literal

import typer

from mibounds._checks import check_at_least, check_number
from mibounds._extras import require
from mibounds.cli.errors import one_sentence
from mibounds.cli.metavars import Group
from mibounds.cli.options import AsJson, Quiet, Seed
from mibounds.cli.outputs import check_file
from mibounds.cli.single_options import SingleCommand

__all__ = ["app"]

app = typer.Typer(cls=Group, no_args_is_help=True)
_PICTURES = (".png", ".svg", ".pdf")


@app.command(cls=SingleCommand)
def gaussians(
    full: Annotated[
        bool, typer.Option("--full", help="20 correlations and 100,000 rows: about 40 minutes on two cores.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="3 correlations and 1,000 rows, to test the installation: under a minute.")
    ] = False,
    out: Annotated[Path, typer.Option(help="File of the figure; the numbers are written beside it, as .csv.")] = Path(
        "plots/gaussians.png"
    ),
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Estimate I(X;Y) of 20 + 20 correlated Gaussian columns and compare with the truth and the original recipe.

    An interrupted run is continued: points in the .csv file beside the figure are not fitted again.

    Example: **mibounds demo gaussians --out curve.png**
    """
    with one_sentence():
        if full and quick:
            raise ValueError("--quick and --full are two sizes of one run: give one of them.")
        check_file("--out", out, _PICTURES, makes_folder=True)
        require("matplotlib", extra="plots", purpose="The figure of a demonstration")
        from tqdm.auto import tqdm

        from mibounds.demos import gaussians as curve

        scale = curve.FULL if full else curve.GLANCE if quick else curve.QUICK
        points: list[curve.Point] = []
        with (
            warnings.catch_warnings(),
            tqdm(total=2 * len(scale.correlations), disable=quiet or not sys.stderr.isatty(), leave=False) as bar,
        ):
            warnings.simplefilter("ignore")

            def done(description: str) -> None:
                bar.set_description_str(description, refresh=False)
                bar.update()

            for point in curve.measure(scale, seed, done, curve.read_points(out, scale, seed)):
                points.append(point)
                curve.draw(points, scale, seed, out)
        typer.echo(json.dumps([vars(point) for point in points], indent=2) if as_json else curve.table(points, scale))
        if not as_json:
            typer.echo(f"\nFigure: {out}   numbers: {out.with_suffix('.csv')}")


@app.command(cls=SingleCommand)
def gan(
    data: Annotated[
        Literal["gaussians", "spirals"], typer.Option(help="The target: 25 Gaussians or two spirals.")
    ] = "gaussians",
    beta: Annotated[
        float | None, typer.Option(help="Weight of the information term, by default 0.3 (spirals, --paper: 1).")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Generator steps of each run.")] = None,
    paper: Annotated[bool, typer.Option("--paper", help="The original recipe: hours.")] = False,
    out: Annotated[Path, typer.Option(help="File of the figure; metrics.csv is written beside it.")] = Path(
        "plots/gan.png"
    ),
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a GAN without and with a mutual information term, and count the modes that each covers.

    Example: **mibounds demo gan --seed 1 --out gan.png**
    """
    with one_sentence():
        if steps is not None:
            check_at_least("--steps", steps, 1)
        if beta is not None:
            check_number("--beta", beta)
        check_file("--out", out, _PICTURES, makes_folder=True)
        require("matplotlib", extra="plots", purpose="The figure of a demonstration")
        from dataclasses import replace

        from tqdm.auto import tqdm

        from mibounds.demos import gan as gan_demo
        from mibounds.demos import targets as data_sets

        target = (data_sets.gaussians if data == "gaussians" else data_sets.spirals)(seed=seed)
        recipe = gan_demo.PAPER if paper else gan_demo.RECIPES[data]
        if beta is not None:
            recipe = replace(recipe, beta=beta)
        if steps is not None:
            recipe = replace(recipe, steps=steps)
        with tqdm(total=2 * gan_demo.CHECKS, disable=quiet or not sys.stderr.isatty(), leave=False) as bar:

            def done(name: str, step: int, metrics: data_sets.Metrics) -> None:
                bar.set_description_str(
                    f"{name} step {step:,}: {metrics.modes} modes, {metrics.high_quality:.0%} high quality",
                    refresh=False,
                )
                bar.update()

            outcomes = gan_demo.compare(recipe, target, seed, done)
        gan_demo.draw(outcomes, target, out)
        if as_json:
            typer.echo(json.dumps({name: vars(outcome.metrics) for name, outcome in outcomes.items()}, indent=2))
        else:
            typer.echo(f"{gan_demo.table(outcomes, target)}\n\nFigure: {out}   metrics: {out.with_name('metrics.csv')}")
