"""Fits in groups, and the few numbers that say how good a group is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from statistics import fmean

from mibounds.benchmark.records import Failed, Measured, Record

__all__ = ["Group", "group_by", "summary_table", "task_table"]


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
    def value(self) -> float:
        """Mean value in nats."""
        return fmean(fit.value for fit in self.measured)

    @property
    def bias(self) -> float:
        """Mean of value minus truth, in nats."""
        return fmean(fit.error for fit in self.measured)

    @property
    def error(self) -> float:
        """Mean absolute error in nats."""
        return fmean(abs(fit.error) for fit in self.measured)

    @property
    def hits(self) -> int:
        """How many intervals hold the truth."""
        return sum(fit.hit for fit in self.measured)

    @property
    def seconds(self) -> float:
        """Mean seconds of a fit."""
        return fmean(fit.seconds for fit in self.measured)


def group_by(records: Iterable[Record], *fields: str) -> dict[tuple[str | int, ...], Group]:
    """The groups of records that agree in two or more fields, sorted by these."""
    read = attrgetter(*fields)
    members: dict[tuple[str | int, ...], list[Record]] = {}
    for record in records:
        members.setdefault(read(record), []).append(record)
    return {
        values: Group(
            tuple(record for record in members[values] if isinstance(record, Measured)),
            tuple(record for record in members[values] if isinstance(record, Failed)),
        )
        for values in sorted(members)
    }


def summary_table(records: Iterable[Record]) -> str:
    """A Markdown table: for each estimator and n the mean absolute error, the coverage of the intervals, the
    seconds."""
    lines = [
        "| estimator | n | fits | failed | mean absolute error | intervals that hold the truth | seconds a fit |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (estimator, n), group in group_by(records, "estimator", "n").items():
        fits = len(group.measured)
        numbers = f"{group.error:.3f} | {group.hits / fits:.0%} | {group.seconds:.1f}" if fits else "– | – | –"
        lines.append(f"| {estimator} | {n:,} | {fits} | {len(group.failed)} | {numbers} |")
    return "\n".join(lines)


def task_table(records: Iterable[Record]) -> str:
    """A Markdown table: for each task the truth, the mean value and error over the seeds, and the intervals that hold
    the truth."""
    lines = [
        "| # | task | truth | mean value | mean absolute error | intervals that hold the truth |",
        "|--:|---|--:|--:|--:|--:|",
    ]
    for i, ((truth, task), group) in enumerate(group_by(records, "truth", "task").items(), 1):
        fits = len(group.measured)
        numbers = f"{group.value:.3f} | {group.error:.3f} | {group.hits} of {fits}" if fits else "– | – | –"
        lines.append(f"| {i} | `{task}` | {truth:.3f} | {numbers} |")
    return "\n".join(lines)
