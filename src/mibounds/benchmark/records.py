"""Records of fits: lines of JSON in a file that is only appended to.

A line is written in one piece, so a killed run leaves at most one incomplete line at the end, which is not a record and
is removed when the run is resumed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "Failed",
    "Key",
    "Measured",
    "Record",
    "append_line",
    "append_record",
    "drop_half_line",
    "read_lines",
    "read_records",
]


class Key(NamedTuple):
    """The identity of a fit; each occurs once in a file."""

    suite: str
    task: str
    estimator: str
    n: int
    seed: int


@dataclass(frozen=True)
class Record:
    """The fields of every fit, whether it succeeded (`Measured`) or raised an exception (`Failed`).

    Attributes:
        suite: the suite's name.
        task: the task's repr.
        estimator: the preset's name.
        n: rows.
        seed: seed of the sample and of the fit.
        truth: I(X;Y) in nats.
        seconds: wall-clock time of the fit, without sampling.
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
        """The identity of this fit."""
        return Key(self.suite, self.task, self.estimator, self.n, self.seed)


@dataclass(frozen=True)
class Measured(Record):
    """A successful fit; information in nats.

    Attributes:
        value: the estimate.
        stderr: its standard error.
        low: lower end of the 95 % interval.
        high: upper end.
        method: the bound that was reported.
        extrapolated: is the value an extrapolation?
        warnings: the codes of its warnings.
        lower_bound: the one-sided 95 % lower confidence bound, or None.
    """

    value: float
    stderr: float
    low: float
    high: float
    method: str
    extrapolated: bool
    warnings: list[str]
    lower_bound: float | None = None

    @property
    def deviation(self) -> float:
        """Value minus truth, in nats."""
        return self.value - self.truth

    @property
    def hit(self) -> bool:
        """Does the interval contain the truth?"""
        return self.low <= self.truth <= self.high

    @property
    def exceeded(self) -> bool:
        """Is the lower confidence bound above the truth?"""
        return self.lower_bound is not None and self.lower_bound > self.truth


@dataclass(frozen=True)
class Failed(Record):
    """A fit that raised an exception.

    Attributes:
        error: name and message of the exception.
    """

    error: str


def append_record(path: Path, record: Record) -> None:
    """Write one line at the end of the file, in one piece."""
    append_line(path, asdict(record))


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """The same of any record, as scripts of benchmarks have them."""
    with path.open("ab", buffering=0) as file:
        file.write((json.dumps(record) + "\n").encode())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """What `append_line` wrote, none if the file does not exist; an incomplete line at the end is removed."""
    drop_half_line(path)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def read_records(path: Path) -> list[Record]:
    """The records of a file in order; none if the file does not exist.

    Raises:
        ValueError: if a line is not a record.
    """
    if not path.exists():
        return []
    *lines, _half = path.read_text(encoding="utf-8").split("\n")
    return [_record(line, f"{path}, line {i}") for i, line in enumerate(lines, 1)]


def drop_half_line(path: Path) -> None:
    """Remove an incomplete line at the end of a file."""
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
        message = f"{where} is not a record of a benchmark ({error}): move the file, or remove the line."
        raise ValueError(message) from error
