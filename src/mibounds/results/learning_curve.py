"""Estimates of mutual information as a function of the number of samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mibounds.results.composite import Composite
from mibounds.results.measurement import INFORMATION
from mibounds.results.printing import Content, Line, Table, number
from mibounds.results.result import Result
from mibounds.results.units import Unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LearningCurveResult"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class LearningCurveResult(Composite):
    r"""Estimates from subsamples of increasing size, with a fitted curve :math:`v(n) = v_\infty - b\, n^{-c}`.

    As a number it is the value from all samples.

    Attributes:
        sizes: the sizes of the subsamples, increasing; the last is the number of all samples.
        values: the mean estimate at each size, in `unit`.
        stderrs: the standard error of each mean, in `unit`.
        limit: :math:`v_\infty`, the limit of the curve for many samples, in `unit`.
        limit_stderr: its standard error, in `unit`.
        slope: b of the curve, in `unit`.
        exponent: c of the curve.
        unit: "nats" or "bits".
        estimate: the estimate from all samples.

    Example:
        >>> estimate = Result(value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=800)
        >>> LearningCurveResult(
        ...     sizes=(200, 400, 800), values=(0.4, 0.46, 0.5), stderrs=(0.02, 0.02, 0.01), limit=0.56,
        ...     limit_stderr=0.02, slope=3.0, exponent=0.5, estimate=estimate,
        ... )
        I(X;Y) = 0.5 nats   95% interval [0.4804, 0.5196]
            n   estimate   standard error
          200        0.4             0.02
          400       0.46             0.02
          800        0.5             0.01
          limit for many samples 0.56 (standard error 0.02), by extrapolation: still increasing
    """

    sizes: tuple[int, ...]
    values: tuple[float, ...] = field(metadata=INFORMATION)
    stderrs: tuple[float, ...] = field(metadata=INFORMATION)
    limit: float = field(metadata=INFORMATION)
    limit_stderr: float = field(metadata=INFORMATION)
    slope: float = field(metadata=INFORMATION)
    exponent: float
    unit: Unit = "nats"
    estimate: Result

    _derived: ClassVar[tuple[str, ...]] = ("value", "stderr", "interval", "level", "n", "settled")

    @property
    def _main(self) -> Result:
        return self.estimate

    @property
    def value(self) -> float:
        """The value from all samples, in `unit`."""
        return self.values[-1]

    @property
    def stderr(self) -> float:
        """The standard error of the value from all samples, in `unit`."""
        return self.stderrs[-1]

    @property
    def settled(self) -> bool:
        """True if the last value is within two standard errors of the limit."""
        return abs(self.limit - self.value) <= 2 * max(self.limit_stderr, self.stderr)

    def _content(self) -> Content:
        rows = [
            (f"{n:,}", number(value), f"{stderr:.2g}")
            for n, value, stderr in zip(self.sizes, self.values, self.stderrs, strict=True)
        ]
        trend = "settled" if self.settled else f"still {'increasing' if self.limit > self.value else 'decreasing'}"
        limit = (
            f"limit for many samples {number(self.limit)} (standard error {self.limit_stderr:.2g}), by extrapolation: "
            f"{trend}"
        )
        heading = f"I(X;Y) = {number(self.value)} {self.unit}   {self._interval_text()}"
        table = Table(("n", "estimate", "standard error"), tuple(rows))
        return Content(heading, (table, Line(limit)), self.warnings)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of the values against the number of samples, with the fitted curve and its limit.

        Arguments:
            ax: draw there.
        """
        from mibounds.plots import plot_learning_curve

        sizes = np.geomspace(self.sizes[0], 4 * self.sizes[-1], 100).tolist()
        fitted = [self.limit - self.slope * n**-self.exponent for n in sizes]
        limit = (self.limit, self.limit_stderr)
        return plot_learning_curve(self.sizes, self.values, self.stderrs, (sizes, fitted), limit, self.unit, ax=ax)
