"""`mibounds benchmark` runs a benchmark with a live table of progress; `mibounds benchmark page` writes a page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from mibounds._checks import no_such_file
from mibounds.cli.errors import one_sentence
from mibounds.cli.metavars import Group
from mibounds.cli.option_names import option_names
from mibounds.cli.outputs import check_file
from mibounds.cli.single_options import SingleCommand

if TYPE_CHECKING:
    from mibounds.benchmark import Record

__all__ = ["app", "progress_table"]

app = typer.Typer(cls=Group)

Estimators = Annotated[
    list[str], typer.Option(help="An estimator: default, quick, joint, ...; repeat the option for several.")
]
Sizes = Annotated[list[int], typer.Option("--n", help="Sample size; repeat the option for several.")]


@app.callback(invoke_without_command=True)
def measure(
    context: typer.Context,
    suite: Annotated[
        str, typer.Option(help="The tasks: quick, bmi40, stairs, intervals, ...; a wrong name lists all.")
    ] = "quick",
    estimator: Estimators = ["default"],  # noqa: B006  (typer copies it)
    n: Sizes = [2_000],  # noqa: B006
    task: Annotated[
        list[int], typer.Option(help="Only this task, by its number in the suite from 1; repeat it for several.")
    ] = [],  # noqa: B006
    seeds: Annotated[int, typer.Option(help="Number of seeds: 0, 1, ...")] = 3,
    jobs: Annotated[int, typer.Option(help="Fits at a time.")] = 1,
    backend: Annotated[Literal["loky", "threading", "dask", "ray"], typer.Option(help="Where fits run.")] = "loky",
    out: Annotated[Path, typer.Option(help="File of the results, a line of JSON for each fit.")] = Path(
        "results.jsonl"
    ),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no live table.")] = False,
) -> None:
    """Fit estimators to every task of a suite, whose information is known.

    An interrupted run is continued: fits in the file are not made again.

    Example: **mibounds benchmark --suite quick --estimator default --n 2000 --seeds 3 --jobs 2 --out results.jsonl**
    """
    if context.invoked_subcommand is not None:
        return
    with one_sentence(), option_names(context):
        check_file("--out", out, (".jsonl",), makes_folder=True)
        from mibounds.benchmark import plan, run
        from mibounds.benchmark.records import Failed
        from mibounds.benchmark.summary import summary_table

        total = len(plan(suite, estimator, n, seeds, task))
        records: list[Record] = []
        console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
        with Live(progress_table(records, total), console=console, transient=True) as live:

            def done(record: Record) -> None:
                records.append(record)
                live.update(progress_table(records, total))

            run(suite, estimator, n, seeds, out, tasks=task, jobs=jobs, backend=backend, done=done)
        failed = [record for record in records if isinstance(record, Failed)]
        if len(failed) == len(records):
            first = failed[0].error.rstrip(".")
            typer.echo(f"Error: all {len(failed):,} fits failed, the first with {first}. Results: {out}", err=True)
            raise typer.Exit(1)
        typer.echo(f"{summary_table(records)}\n\nResults: {out}   page: mibounds benchmark page {out}")


@app.command(cls=SingleCommand)
def page(
    results: Annotated[Path, typer.Argument(help="A file of results of `mibounds benchmark`.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page: .md with figures beside it, or one .html file. By default .md beside the results."
        ),
    ] = None,
) -> None:
    """Write a page about the results: Markdown with figures beside it, or one HTML file.

    Example: **mibounds benchmark page results.jsonl --out page.md**
    """
    with one_sentence():
        out = out or results.with_suffix(".md")
        check_file("--out", out, (".md", ".html"), [results], makes_folder=True)
        if not results.exists():
            raise ValueError(no_such_file(results, (".jsonl",)))
        from mibounds.benchmark import write_page

        figures = write_page(results, out)
        typer.echo(f"Page: {out}" + (f"   figures: {', '.join(map(str, figures))}" if figures else ""))


def progress_table(records: Sequence[Record], total: int) -> Table:
    """The progress of a run and its results, a row for each estimator and n."""
    from mibounds.benchmark.summary import group_by

    last = f", last {records[-1].task}" if records else ""
    table = Table(title=f"{len(records):,} of {total:,} fits{last}", title_justify="left")
    for name in ("estimator", "n", "fits", "failed", "mean |error|", "coverage", "seconds"):
        table.add_column(name, justify="left" if name == "estimator" else "right")
    for (estimator, n), group in group_by(records, "estimator", "n").items():
        fits = len(group.measured)
        numbers = (f"{group.error:.3f}", f"{group.hits} of {fits}", f"{group.seconds:.1f}") if fits else ()
        table.add_row(str(estimator), f"{n:,}", str(fits), str(len(group.failed)), *numbers)
    return table
