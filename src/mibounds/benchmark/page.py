"""From a file of records to a page: tables in Markdown and figures beside it, or both in one HTML file."""

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

_LONGEST = 48


def write_between(page: Path, start: str, end: str, text: str) -> None:
    """Replace what a page has between two markers, each of which occurs once.

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
        results: what `run` wrote.
        out: the page.

    Returns:
        The files of figures.

    Raises:
        ValueError: if the file has no records, or a line that is none.
    """
    records = read_records(results)
    if not records:
        raise ValueError(f"{results} has no results: give the file that a benchmark wrote.")
    out.parent.mkdir(parents=True, exist_ok=True)
    alone = out.suffix == ".html"
    before = "" if alone else f"{out.stem}-"
    parts = list(_head(results, records))
    figures: dict[str, tuple[str, Figure]] = {}
    for suite in sorted({record.suite for record in records}):
        own = [record for record in records if record.suite == suite]
        parts += [f"## {suite}", summary_table(own)]
        for kind, title, draw in (("errors", "Errors by task", _errors), ("seconds", "Errors and seconds", _cost)):
            name = f"{before}{suite}-{kind}"
            figures[name] = title, draw(own)
            parts.append(f"![{title}]({name}.png)")
        for estimator, n in group_by(own, "estimator", "n"):
            fits = [record for record in own if (record.estimator, record.n) == (estimator, n)]
            parts += [f"### {suite}: {estimator}, {n:,} rows", task_table(fits, list(by_task(own)))]
        parts += _failures(own)
    text = "\n\n".join(parts) + "\n"
    if alone:
        within = {
            f"{name}.png": inline_svg(figure, name, title, "The numbers are in the tables of this page.")
            for name, (title, figure) in figures.items()
        }
        write_text(out, document_page(text, within))
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
        yield f"{hits:,} of {len(measured):,} intervals ({hits / len(measured):.0%}) hold the truth; 95 % are due."


def _failures(records: Sequence[Record]) -> Iterator[str]:
    failed = [record for record in records if isinstance(record, Failed)]
    if failed:
        yield "### Fits that failed"
        yield "\n".join(f"- `{r.task}`, {r.estimator}, {r.n:,} rows, seed {r.seed}: `{r.error}`" for r in failed)


def _errors(records: Sequence[Record]) -> Figure:
    """The heat map; its rows are numbered as those of the table."""
    columns = list(group_by(records, "estimator", "n"))
    tasks = list(by_task(records))
    cells = group_by(records, "task", "estimator", "n")
    found = {where: group.bias for where, group in cells.items() if group.measured}
    return plot_errors(
        [[found.get((task, *column), math.nan) for column in columns] for task in tasks],
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
