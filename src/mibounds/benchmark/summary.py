"""Groups of fits and their summaries: error, coverage, seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from mibounds.benchmark.records import Failed, Measured, Record

__all__ = ["Group", "by_task", "group_by", "summary_table", "task_table"]


@dataclass(frozen=True)
class Group:
    """Fits that are summarized together. The means are over successful fits; there must be one.

    Attributes:
        measured: the successful fits.
        failed: the fits that raised an exception.
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
        """Number of intervals that contain the truth."""
        return sum(fit.hit for fit in self.measured)

    @property
    def exceeded(self) -> str:
        """Number of lower bounds above the truth, of all lower bounds; a dash if there are none."""
        bounded = [fit for fit in self.measured if fit.lower_bound is not None]
        return f"{sum(fit.exceeded for fit in bounded)} of {len(bounded)}" if bounded else "–"

    @property
    def seconds(self) -> float:
        """Mean seconds of a fit."""
        return fmean(fit.seconds for fit in self.measured)


def group_by(records: Iterable[Record], *fields: str) -> dict[tuple[str | int, ...], Group]:
    """The groups of records with equal values of these fields, sorted by them."""
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
    """The groups of records of one task each, in the order of their information."""
    groups = {str(task): group for (task,), group in group_by(records, "task").items()}
    return dict(sorted(groups.items(), key=lambda entry: entry[1].truth))


def summary_table(records: Iterable[Record]) -> str:
    """A Markdown table of the mean absolute error, the coverage of the intervals and the seconds, by estimator and
    n."""
    lines = [
        "| estimator | n | fits | failed | mean absolute error | coverage of intervals "
        "| lower bounds above the truth | seconds per fit |",
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
    """A Markdown table of the truth, the mean value and error over seeds, and the coverage of the intervals, by task.

    Arguments:
        records: fits of one estimator and n.
        tasks: all tasks of the page; they number the rows.
    """
    lines = [
        "| # | task | truth | mean value | mean absolute error | coverage of intervals "
        "| lower bounds above the truth |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for task, group in by_task(records).items():
        fits = len(group.measured)
        numbers = "– | – | – | –"
        if fits:
            numbers = f"{group.value:.3f} | {group.error:.3f} | {group.hits} of {fits} | {group.exceeded}"
        lines.append(f"| {tasks.index(task) + 1} | `{task}` | {group.truth:.3f} | {numbers} |")
    return "\n".join(lines)
