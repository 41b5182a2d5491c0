"""A page about a file of records: Markdown tables with PNG figures beside it, or one HTML file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mibounds._files import write_text
from mibounds.benchmark.records import Failed, Measured, Record, read_records
from mibounds.benchmark.summary import by_task, group_by, summary_table, task_table
from mibounds.plots import plot_cost, plot_errors, save_figure
from mibounds.report import document_page, inline_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_between", "write_page"]

_LONGEST = 48  # characters of a task's name in a figure


def write_between(page: Path, start: str, end: str, text: str) -> None:
    """Replace the text of a page between two markers, each of which occurs once.

    Raises:
        ValueError: if a marker is missing or occurs twice.
    """
    before, rest = page.read_text(encoding="utf-8").split(start)
    _, after = rest.split(end)
    write_text(page, f"{before}{start}{text}{end}{after}")


def write_page(results: Path, out: Path) -> list[Path]:
    """Write a page about a file of records, with two figures for each suite: a Markdown file and PNG figures beside it,
    or, if its name ends in .html, one page that holds them.

    Arguments:
        results: the file that `run` wrote.
        out: the file of the page.

    Returns:
        The files of figures.

    Raises:
        ValueError: if the file has no records, or a line that is not a record.
        ImportError: if matplotlib or, for HTML, the packages of reports are not installed.
    """
    records = read_records(results)
    if not records:
        raise ValueError(f"{results} has no results: give the file that a benchmark wrote.")
    out.parent.mkdir(parents=True, exist_ok=True)
    single_file = out.suffix == ".html"
    prefix = "" if single_file else f"{out.stem}-"
    parts = list(_head(results, records))
    figures: dict[str, tuple[str, Figure]] = {}
    for suite in sorted({record.suite for record in records}):
        of_suite = [record for record in records if record.suite == suite]
        parts += [f"## {suite}", summary_table(of_suite)]
        for kind, title, draw in (("errors", "Errors by task", _errors), ("seconds", "Errors and seconds", _cost)):
            name = f"{prefix}{suite}-{kind}"
            figures[name] = title, draw(of_suite)
            parts.append(f"![{title}]({name}.png)")
        for estimator, n in group_by(of_suite, "estimator", "n"):
            fits = [record for record in of_suite if (record.estimator, record.n) == (estimator, n)]
            parts += [f"### {suite}: {estimator}, {n:,} rows", task_table(fits, list(by_task(of_suite)))]
        parts += _failures(of_suite)
    text = "\n\n".join(parts) + "\n"
    if single_file:
        inline = {
            f"{name}.png": inline_svg(figure, name, title, "The numbers are in the tables of this page.")
            for name, (title, figure) in figures.items()
        }
        write_text(out, document_page(text, inline))
        return []
    paths = [out.with_name(f"{name}.png") for name in figures]
    for path, (_, figure) in zip(paths, figures.values(), strict=True):
        save_figure(figure, str(path))
    write_text(out, text)
    return paths


def _head(results: Path, records: Sequence[Record]) -> Iterator[str]:
    yield "# Benchmark"
    made_with = sorted({", ".join(f"{name} {number}" for name, number in r.versions.items()) for r in records})
    yield f"{len(records):,} fits of `{results.name}`, made with {'; '.join(made_with)}. Information in nats."
    measured = [record for record in records if isinstance(record, Measured)]
    hits = sum(fit.hit for fit in measured)
    if measured:
        yield f"{hits:,} of {len(measured):,} intervals ({hits / len(measured):.0%}) contain the truth; nominal: 95%."


def _failures(records: Sequence[Record]) -> Iterator[str]:
    failed = [record for record in records if isinstance(record, Failed)]
    if failed:
        yield "### Fits that failed"
        yield "\n".join(f"- `{r.task}`, {r.estimator}, {r.n:,} rows, seed {r.seed}: `{r.error}`" for r in failed)


def _errors(records: Sequence[Record]) -> Figure:
    """The heat map of errors; its rows are numbered as those of the table."""
    columns = list(group_by(records, "estimator", "n"))
    tasks = list(by_task(records))
    cells = group_by(records, "task", "estimator", "n")
    bias = {cell: group.bias for cell, group in cells.items() if group.measured}
    return plot_errors(
        [[bias.get((task, *column), math.nan) for column in columns] for task in tasks],
        [f"{i}  {_short(task)}" for i, task in enumerate(tasks, 1)],
        [f"{estimator}\n{n:,}" for estimator, n in columns],
    )


def _cost(records: Sequence[Record]) -> Figure:
    measured = {name: group.measured for name, group in group_by(records, "estimator", "n").items()}
    return plot_cost(
        {
            f"{estimator}, {n:,} rows": ([fit.seconds for fit in fits], [abs(fit.deviation) for fit in fits])
            for (estimator, n), fits in measured.items()
        }
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
