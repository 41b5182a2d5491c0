"""The outcome of consistency checks of an estimator."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from mibounds.results.composite import Composite
from mibounds.results.printing import Content, Line, Table
from mibounds.results.result import Result
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ConsistencyResult"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ConsistencyResult(Composite):
    """The estimates of three consistency checks on images: independence, data processing, additivity.

    The order and the ratios are those of `Result.conservative_value`: extrapolated results count with their InfoNCE
    estimate, since an image and a part of it share more information than a sample can show.

    Attributes:
        independent: the image and the upper half of another image; expected to be 0.
        nested: the image and its upper t pixel rows, by t; expected to increase with t.
        processed: [X, X] and [Y, h(Y)], with Y the upper half of the image and h(Y) the upper half of Y.
        single: X and Y in the first half of the sample.
        double: [X1, X2] and [Y1, Y2], with the two halves of the sample side by side.
        half: number of pixel rows of the upper half, a key of `nested`.

    Example:
        >>> def at(value, n=400):
        ...     return Result(value=value, stderr=0.05, estimates={"InfoNCE": value}, method="InfoNCE", n=n)
        >>> ConsistencyResult(
        ...     independent=at(0.0), nested={2: at(1.0), 4: at(2.0)}, processed=at(1.0), single=at(1.0, 200),
        ...     double=at(1.9, 200), half=2,
        ... )
        Consistency checks in nats, n = 400
          check                estimate   standard error   expected
          independent images     +0.000            0.050          0
          upper 2 pixel rows     +1.000            0.050
          upper 4 pixel rows     +2.000            0.050
          increasing with the pixel rows: yes
          data processing ratio: 1.000 (expected 1)
          additivity ratio: 1.900 (expected 2)
    """

    independent: Result
    nested: Mapping[int, Result]
    processed: Result
    single: Result
    double: Result
    half: int

    _derived: ClassVar[tuple[str, ...]] = ("monotone", "processing_ratio", "additivity_ratio", "unit", "level", "n")
    _instead: ClassVar[str] = "monotone, processing_ratio or additivity_ratio"

    @property
    def _main(self) -> Result:
        return self.nested[self.half]

    def _number(self) -> None:
        return None

    @property
    def monotone(self) -> bool:
        """True if the estimates increase with the number of pixel rows, within two standard errors of each step."""
        results = [self.nested[t] for t in sorted(self.nested)]
        return all(
            high.conservative_value >= low.conservative_value - 2 * math.hypot(low.stderr, high.stderr)
            for low, high in pairwise(results)
        )

    @property
    def processing_ratio(self) -> float:
        """The estimate of [X, X] and [Y, h(Y)] divided by that of X and Y; expected to be 1."""
        return _ratio(self.processed, self.nested[self.half])

    @property
    def additivity_ratio(self) -> float:
        """The estimate of two independent pairs divided by that of one; expected to be 2. Near ln N it is smaller for
        every estimator."""
        return _ratio(self.double, self.single)

    @property
    def warnings(self) -> tuple[MIWarning, ...]:
        """The diagnostics of all estimates, each with a stable `code`."""
        return tuple(warning for _, result in self._named_parts() for warning in result.warnings)

    def _content(self) -> Content:
        checks = {"independent images": (self.independent, "0")}
        checks |= {f"upper {t} pixel rows": (self.nested[t], "") for t in sorted(self.nested)}
        rows = [
            (name, f"{result.conservative_value:+.3f}", f"{result.stderr:.3f}", expected)
            for name, (result, expected) in checks.items()
        ]
        codes = Counter(warning.code for warning in self.warnings)
        blocks: tuple[Line | Table, ...] = (
            Table(("check", "estimate", "standard error", "expected"), tuple(rows)),
            Line(f"increasing with the pixel rows: {'yes' if self.monotone else 'no'}"),
            Line(f"data processing ratio: {self.processing_ratio:.3f} (expected 1)"),
            Line(f"additivity ratio: {self.additivity_ratio:.3f} (expected 2)"),
        )
        if codes:
            counted = ", ".join(f"{code} ({count})" for code, count in codes.items())
            blocks += (Line(f"warnings of the estimates, with their numbers: {counted}"),)
        return Content(f"Consistency checks in {self.unit}, n = {self.n:,}", blocks)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of all estimates with their intervals.

        Arguments:
            ax: draw there.
        """
        from mibounds.plots import plot_intervals

        named = {"independent": self.independent}
        named |= {f"upper {t} pixel rows": self.nested[t] for t in sorted(self.nested)}
        named |= {"processed": self.processed, "single": self.single, "double": self.double}
        numbers = {name: (result.value, *result.interval) for name, result in named.items()}
        return plot_intervals(numbers, "consistency checks", self.unit, ax=ax)


def _ratio(one: Result, other: Result) -> float:
    divisor = other.conservative_value
    return one.conservative_value / divisor if divisor else math.nan
