"""The answer: a value with its interval, what other bounds read, and every reason to doubt it."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mibounds._checks import check_fraction
from mibounds._files import write_json, write_text
from mibounds.inference import interval, lower_limit
from mibounds.results.units import Unit, nats_in
from mibounds.warnings import MIWarning, warning_from

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Curve", "Result", "curve_from"]

_PLAIN = re.compile(r"\d+ continuous")
_NOT_WRITTEN = ("pointwise", "fitted")


@dataclass(frozen=True)
class Curve:
    """How one fold learnt: the steps at which it was checked, the validation score there (InfoNCE loss in nats, minus
    the log-likelihood of a density; lower is better), the step whose weights were kept, and the candidate that won.
    """

    steps: tuple[int, ...]
    score: tuple[float, ...]
    best_step: int
    candidate: str


def curve_from(record: Mapping[str, Any]) -> Curve:
    """The curve that `dataclasses.asdict` wrote down."""
    return Curve(tuple(record["steps"]), tuple(record["score"]), record["best_step"], record["candidate"])


@dataclass(frozen=True, repr=False)
class Result:
    r"""An estimate of I(X;Y).

    `value` is `bounds[reading]`; `stderr` and `interval` belong to that same reading. Nothing here was read on rows
    that trained or selected the model.

    Attributes:
        value: the estimate in `unit`; never clipped, so independent data may read slightly below zero.
        stderr: its standard error in `unit`: the sampling of rows and the spread of folds.
        bounds: what each bound reads on the same test scores, in `unit`.
        reading: the name of the bound whose value is reported.
        extrapolated: True if the value is near or above what the sample can certify, and rests on the critic's
            smoothness.
        cross_checks: what classical estimators say about the same rows, in `unit` by name.
        certified: a lower bound read with critics held fixed, and its standard error, in `unit`; see `lower_bound`.
        most: what the information cannot exceed, in `unit`: the entropy of a label; None where there is none.
        allowance: how far the interval reaches below and above the value before sampling error, in `unit`.
        level: the confidence level of `interval`.
        unit: "nats" or "bits".
        fold_values: the reading of each fold alone, in `unit`.
        curves: how each fold learnt.
        warnings: the reasons to doubt the value, each with a stable `code`.
        rows: N.
        columns: the names of the columns of x and of y that were used.
        kinds: what x and y were taken for, in words.
        seed: what made the run repeatable.
        versions: of mibounds, torch and Python.
        pointwise: the log-ratio in nats (whatever the unit) of every row by the fold that never saw it, a tensor (N,):
            entry i is of row i of the data given, and nan where that row was dropped, or tested by no fold. Its mean is
            the plug-in. Of a stream, the rows drawn to test; of a bound that reads densities as they are, log q(y|x).
            Not part of `to_dict`.
        fitted: the folds' preprocessing and critics, which score new pairs and can be saved (`FittedFolds`); not part
            of `to_dict`.

    Example:
        >>> r = Result(value=0.5, stderr=0.01, bounds={"InfoNCE": 0.5}, reading="InfoNCE", rows=1000)
        >>> float(r), r.interval
        (0.5, (0.4804..., 0.5195...))
        >>> round(r.to("bits").value, 3)
        0.721
    """

    value: float
    stderr: float
    bounds: Mapping[str, float]
    reading: str
    rows: int
    extrapolated: bool = False
    cross_checks: Mapping[str, float] = field(default_factory=dict)
    certified: tuple[float, float] | None = None
    most: float | None = None
    allowance: tuple[float, float] = (0.0, 0.0)
    level: float = 0.95
    unit: Unit = "nats"
    fold_values: tuple[float, ...] = ()
    curves: tuple[Curve, ...] = ()
    warnings: tuple[MIWarning, ...] = ()
    columns: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    kinds: tuple[str, str] = ("", "")
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    pointwise: Any = field(default=None, compare=False)
    fitted: Any = field(default=None, compare=False)

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high) for I(X;Y) at `level`, in `unit`; the upper end is never below 0."""
        return interval(self.value, self.stderr, self.level, *self.allowance)

    @property
    def lower_bound(self) -> float | None:
        r"""What I(X;Y) is at least, at one-sided confidence `level`, in `unit`; None where no such bound was read.

        .. math:: v_{NWJ} - z_{level} \, s

        for the held-out NWJ value, its constant fixed on validation rows, with the standard error of its influence
        function: valid for critics as they are, good or bad, up to the normal approximation. Where the value is
        extrapolated, InfoNCE takes the place of NWJ. Unlike the lower end of `interval`, it does not speak of the
        value reported.
        """
        return None if self.certified is None else lower_limit(*self.certified, self.level)

    @property
    def coefficient(self) -> float:
        r"""The informational correlation :math:`\sqrt{1 - e^{-2I}}` in [0, 1): |rho| if the data were a Gaussian
        pair."""
        nats = max(self.value, 0.0) * nats_in(self.unit)
        return math.sqrt(-math.expm1(-2 * nats))

    def __float__(self) -> float:
        return float(self.value)

    def to(self, unit: Unit | None = None, *, level: float | None = None) -> Result:
        """The same result in another unit ("nats", "bits") or at another confidence level.

        Raises:
            ValueError: if the unit is unknown or the level not strictly between 0 and 1.
        """
        unit = self.unit if unit is None else unit
        factor = nats_in(self.unit) / nats_in(unit)
        if level is not None:
            check_fraction("level", level)
        return replace(
            self,
            unit=unit,
            level=self.level if level is None else level,
            value=self.value * factor,
            stderr=self.stderr * factor,
            bounds={name: number * factor for name, number in self.bounds.items()},
            cross_checks={name: number * factor for name, number in self.cross_checks.items()},
            certified=None if self.certified is None else (self.certified[0] * factor, self.certified[1] * factor),
            most=None if self.most is None else self.most * factor,
            allowance=(self.allowance[0] * factor, self.allowance[1] * factor),
            fold_values=tuple(number * factor for number in self.fold_values),
        )

    def __repr__(self) -> str:
        low, high = self.interval
        lines = [
            f"I(X;Y) = {self.value:.4g} {self.unit}   {self.level:.0%} interval [{low:.4g}, {high:.4g}]"
            + ("   (extrapolated)" if self.extrapolated else ""),
            f"  read by {self.reading} on {self.rows:,} rows, each scored by a critic that never saw it",
            "  bounds: " + "  ".join(f"{name} {number:.4g}" for name, number in self.bounds.items()),
        ]
        if any(kind and not _PLAIN.fullmatch(kind) for kind in self.kinds):
            lines.append("  x: " + "   y: ".join(self.kinds))
        if self.most is not None:
            lines.append(f"  at most {self.most:.4g}, the entropy of a label")
        if self.lower_bound is not None:
            lines.append(
                f"  at least {self.lower_bound:.4g} ({self.level:.0%}, one-sided, for these critics as they are)"
            )
        if self.cross_checks:
            lines.append("  cross-checks: " + "  ".join(f"{k} {v:.4g}" for k, v in self.cross_checks.items()))
        lines += [f"  warning {warning.code}: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        low, high = self.interval
        rows = "".join(
            f"<tr{' style=font-weight:bold' if name == self.reading else ''}><td>{escape(name)}</td>"
            f"<td style='text-align:right'>{number:.4g}</td></tr>"
            for name, number in self.bounds.items()
        )
        notes = "".join(f"<li><code>{escape(w.code)}</code> {escape(str(w))}</li>" for w in self.warnings)
        return (
            f"<div><b>I(X;Y) = {self.value:.4g} {self.unit}</b>"
            f"{' (extrapolated)' if self.extrapolated else ''}, {self.level:.0%} interval [{low:.4g}, {high:.4g}], "
            f"{self.rows:,} rows<table><tr><th>bound</th><th>{self.unit}</th></tr>{rows}</table>"
            f"{f'<ul>{notes}</ul>' if notes else ''}</div>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything but `pointwise` and `fitted`, as numbers, text, lists and dictionaries that JSON can hold."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _NOT_WRITTEN}
        record["curves"] = [asdict(curve) for curve in self.curves]
        record["warnings"] = [warning.to_dict() for warning in self.warnings]
        for name in ("bounds", "cross_checks", "versions"):
            record[name] = dict(record[name])
        record["interval"], record["lower_bound"] = self.interval, self.lower_bound
        loaded: dict[str, Any] = json.loads(json.dumps(record))
        return loaded

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Result:
        """The result that `to_dict` wrote down, without `pointwise` and `fitted`."""
        given = {name: record[name] for name in cls.__dataclass_fields__ if name in record}
        for name in ("allowance", "certified", "fold_values"):
            given[name] = None if given[name] is None else tuple(given[name])
        given["kinds"] = tuple(given.get("kinds", ("", "")))
        given["columns"] = tuple(tuple(names) for names in given["columns"])
        given["warnings"] = tuple(warning_from(warning) for warning in given["warnings"])
        given["curves"] = tuple(curve_from(curve) for curve in given["curves"])
        return cls(**given)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as JSON; the file is complete or not there at all."""
        write_json(path, self.to_dict())

    def plot(self) -> Figure:
        """A figure: the value with its interval beside what each bound reads, and how the folds learnt."""
        from mibounds.plots import plot_result

        curves = [(curve.steps, curve.score, curve.best_step) for curve in self.curves]
        return plot_result(dict(self.bounds), self.reading, self.interval, curves, self.unit)

    def report(
        self, path: str | os.PathLike[str], *, bracket: Any = None, test: Any = None, command: str | None = None
    ) -> None:
        """Write all of it as one HTML page to read, print and pass on; nothing in it is fetched from elsewhere.

        Arguments:
            path: the page; it is complete or not there at all.
            bracket: of the same rows (`mibounds.bracket(x, y, estimate=result)`), to be told beside the value.
            test: of the same rows (`mibounds.independence_test`), likewise.
            command: what made the result, to be shown as it is: a command line, or a call.

        Example:
            >>> import tempfile
            >>> r = Result(value=0.5, stderr=0.01, bounds={"InfoNCE": 0.5}, reading="InfoNCE", rows=1000)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     r.report(f"{folder}/report.html", command="mi.estimate(x, y)")
            ...     "mi.estimate(x, y)" in Path(f"{folder}/report.html").read_text(encoding="utf-8")
            True
        """
        from mibounds.report import report_page

        page = report_page(
            {**self.to_dict(), "coefficient": self.coefficient},
            None if self.pointwise is None else (self.pointwise / nats_in(self.unit)).tolist(),
            None if bracket is None else bracket.to(self.unit, level=self.level).to_dict(),
            None if test is None else test.to_dict(),
            command,
        )
        write_text(Path(path), page)
