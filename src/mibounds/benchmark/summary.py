"""Fits in groups, and the few numbers that say how good a group is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from mibounds.benchmark.records import Failed, Measured, Record

__all__ = ["Group", "by_task", "group_by", "summary_table", "task_table"]


@dataclass(frozen=True)
class Group:
    """Fits that are summarized together. The means are over fits that came to a value; there must be one.

    Attributes:
        measured: the fits that came to a value.
        failed: those that raised.
    """

    measured: tuple[Measured, ...]
    failed: tuple[Failed, ...] = ()

    @property
    def truth(self) -> float:
        """I(X;Y) in nats of a group of one task."""
        return (self.measured or self.failed)[0].truth

    @property
    def value(self) -> float:
        """Mean value in nats."""
        return fmean(fit.value for fit in self.measured)

    @property
    def bias(self) -> float:
        """Mean of value minus truth, in nats."""
        return fmean(fit.deviation for fit in self.measured)

    @property
    def error(self) -> float:
        """Mean absolute error in nats."""
        return fmean(abs(fit.deviation) for fit in self.measured)

    @property
    def hits(self) -> int:
        """How many intervals hold the truth."""
        return sum(fit.hit for fit in self.measured)

    @property
    def exceeded(self) -> str:
        """How many lower bounds lie above the truth, of how many; a dash where there are none."""
        bounded = [fit for fit in self.measured if fit.lower_bound is not None]
        return f"{sum(fit.exceeded for fit in bounded)} of {len(bounded)}" if bounded else "–"

    @property
    def seconds(self) -> float:
        """Mean seconds of a fit."""
        return fmean(fit.seconds for fit in self.measured)


def group_by(records: Iterable[Record], *fields: str) -> dict[tuple[str | int, ...], Group]:
    """The groups of records that agree in these fields, sorted by them."""
    members: dict[tuple[str | int, ...], list[Record]] = {}
    for record in records:
        members.setdefault(tuple(getattr(record, field) for field in fields), []).append(record)
    return {
        values: Group(
            tuple(record for record in members[values] if isinstance(record, Measured)),
            tuple(record for record in members[values] if isinstance(record, Failed)),
        )
        for values in sorted(members)
    }


def by_task(records: Iterable[Record]) -> dict[str, Group]:
    """The groups of records of one task each, from the least information to the most."""
    groups = {str(task): group for (task,), group in group_by(records, "task").items()}
    return dict(sorted(groups.items(), key=lambda entry: entry[1].truth))


def summary_table(records: Iterable[Record]) -> str:
    """A Markdown table: for each estimator and n the mean absolute error, the coverage of the intervals, the
    seconds."""
    lines = [
        "| estimator | n | fits | failed | mean absolute error | intervals that hold the truth "
        "| lower bounds above it | seconds a fit |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (estimator, n), group in group_by(records, "estimator", "n").items():
        fits = len(group.measured)
        numbers = "– | – | – | –"
        if fits:
            numbers = f"{group.error:.3f} | {group.hits / fits:.0%} | {group.exceeded} | {group.seconds:.1f}"
        lines.append(f"| {estimator} | {n:,} | {fits} | {len(group.failed)} | {numbers} |")
    return "\n".join(lines)


def task_table(records: Iterable[Record], tasks: Sequence[str]) -> str:
    """A Markdown table: for each task the truth, the mean value and error over the seeds, and the intervals that hold
    the truth.

    Arguments:
        records: of one estimator and n.
        tasks: all tasks of the page; a row's number is its place among them.
    """
    lines = [
        "| # | task | truth | mean value | mean absolute error | intervals that hold the truth "
        "| lower bounds above it |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for task, group in by_task(records).items():
        fits = len(group.measured)
        numbers = "– | – | – | –"
        if fits:
            numbers = f"{group.value:.3f} | {group.error:.3f} | {group.hits} of {fits} | {group.exceeded}"
        lines.append(f"| {tasks.index(task) + 1} | `{task}` | {group.truth:.3f} | {numbers} |")
    return "\n".join(lines)
