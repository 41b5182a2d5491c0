"""What one fit leaves behind: a line of JSON in a file that only grows.

A line is written at once, so a killed run leaves at most one half-written line at the end; it is no record, and goes
when the run is resumed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["Failed", "Key", "Measured", "Record", "append_record", "drop_half_line", "read_records"]


class Key(NamedTuple):
    """What tells one fit from another; in a file each occurs once."""

    suite: str
    task: str
    estimator: str
    n: int
    seed: int


@dataclass(frozen=True)
class Record:
    """What every fit has, whether it came to a value (`Measured`) or not (`Failed`).

    Attributes:
        suite: the suite's name.
        task: the task's repr.
        estimator: the preset's name.
        n: rows.
        seed: of the rows and of the fit.
        truth: I(X;Y) in nats.
        seconds: wall-clock time of the fit alone.
        versions: of mibounds, torch and Python.
    """

    suite: str
    task: str
    estimator: str
    n: int
    seed: int
    truth: float
    seconds: float
    versions: dict[str, str]

    @property
    def key(self) -> Key:
        """What tells this fit from the others."""
        return Key(self.suite, self.task, self.estimator, self.n, self.seed)


@dataclass(frozen=True)
class Measured(Record):
    """A fit that came to a value; information in nats.

    Attributes:
        value: the estimate.
        stderr: its standard error.
        low: lower end of the 95 % interval.
        high: upper end.
        reading: the bound that was reported.
        extrapolated: the value rests on the critic's smoothness.
        warnings: the codes of its warnings.
        lower_bound: the one-sided 95 % lower bound, where there is one.
    """

    value: float
    stderr: float
    low: float
    high: float
    reading: str
    extrapolated: bool
    warnings: list[str]
    lower_bound: float | None = None

    @property
    def deviation(self) -> float:
        """Value minus truth, in nats."""
        return self.value - self.truth

    @property
    def hit(self) -> bool:
        """Does the interval hold the truth?"""
        return self.low <= self.truth <= self.high

    @property
    def exceeded(self) -> bool:
        """Is the lower bound above the truth?"""
        return self.lower_bound is not None and self.lower_bound > self.truth


@dataclass(frozen=True)
class Failed(Record):
    """A fit that raised.

    Attributes:
        error: the exception's name and sentence.
    """

    error: str


def append_record(path: Path, record: Record) -> None:
    """Write one line at the end of the file, in one piece."""
    with path.open("ab", buffering=0) as file:
        file.write((json.dumps(asdict(record)) + "\n").encode())


def read_records(path: Path) -> list[Record]:
    """The records of a file, in the order of the file; none if it is not there.

    Raises:
        ValueError: if a line is none of ours.
    """
    if not path.exists():
        return []
    *lines, _half = path.read_text(encoding="utf-8").split("\n")
    return [_record(line, f"{path}, line {i}") for i, line in enumerate(lines, 1)]


def drop_half_line(path: Path) -> None:
    """Cut off what follows the last line's end, so that the next line starts a line."""
    if path.exists():
        whole = path.read_bytes()
        with path.open("ab") as file:
            file.truncate(whole.rfind(b"\n") + 1)


def _record(line: str, where: str) -> Record:
    try:
        fields = json.loads(line)
        kind = Failed if "error" in fields else Measured
        return kind(**fields)
    except (TypeError, ValueError) as error:
        sentence = f"{where} is no result of a benchmark ({error}): move the file, or remove the line."
        raise ValueError(sentence) from error
