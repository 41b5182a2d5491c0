"""An estimate of conditional mutual information."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from mibounds.results.measurement import INFORMATION, Measurement
from mibounds.results.printing import Content, Line, Numbers, number
from mibounds.results.result import Result
from mibounds.results.units import Unit
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ConditionalResult"]

_SHOWN = 6  # parts
_METHODS = {
    "chain": "chain rule, cross-fitted",
    "neighbors": "nearest neighbors of z, cross-fitted",
    "counts": "counts of labels",
    "strata": "strata of z, cross-fitted",
    "constant": "x or y is constant",
    "z equals x or y": "z equals x or y",
}


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ConditionalResult(Measurement):
    """An estimate of I(X;Y|Z).

    Attributes:
        value: the estimate in `unit`. It is not clipped.
        stderr: its standard error in `unit`.
        method: "chain", "counts", "neighbors" or "strata"; "z equals x or y" or "constant" where it is 0 without an
            estimate.
        parts: the estimates that it consists of: "I(X;YZ)" and "I(X;Z)", or "I(Y;XZ)" and "I(Y;Z)" where y shares less
            with z; or I(X;Y|Z=z) by the value of z.
        amplification: the sum of the absolute parts divided by the absolute value of their difference (or by its
            standard error, if that is larger), the factor by which the chain rule magnifies relative errors; 1 for the
            other methods.
        interval_bias: how far the interval extends below and above the value before the sampling error is added, in
            `unit`.
        n: number of samples.
        level: the confidence level of `interval`.
        unit: "nats" or "bits".
        entropy_limit: the upper confidence limit of the entropy of a label, in `unit`, above which no information
            is; None without a label.
        warnings: diagnostics, those of the parts included, each with a stable `code`.
        seed: of the random numbers.
        versions: of mibounds, torch and Python.

    Example:
        >>> ConditionalResult(value=0.3, stderr=0.02, method="strata", parts={}, n=1000)
        I(X;Y|Z) = 0.3 nats   95% interval [0.2608, 0.3392]
          strata of z, cross-fitted, n = 1,000
    """

    value: float = field(metadata=INFORMATION)
    stderr: float = field(metadata=INFORMATION)
    method: str
    parts: Mapping[str, Result]
    amplification: float = 1.0
    interval_bias: tuple[float, float] = field(default=(0.0, 0.0), metadata=INFORMATION)
    n: int
    level: float = 0.95
    unit: Unit = "nats"
    entropy_limit: float | None = field(default=None, metadata=INFORMATION)
    warnings: tuple[MIWarning, ...] = ()
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    _derived: ClassVar[tuple[str, ...]] = ("interval",)

    def _content(self) -> Content:
        heading = f"I(X;Y|Z) = {number(self.value)} {self.unit}   {self._interval_text()}"
        method = Line(f"{_METHODS.get(self.method, f'{self.method}, cross-fitted')}, n = {self.n:,}")
        return Content(heading, (method, *self._details()), self.warnings)

    def _details(self) -> tuple[Line | Numbers, ...]:
        """The parts, the amplification of their errors, and the largest possible value."""
        blocks: list[Line | Numbers] = []
        if self.parts:
            shown = dict([*self.parts.items()][:_SHOWN])
            blocks.append(Numbers.of("parts", {name: part.value for name, part in shown.items()}))
        if len(self.parts) > _SHOWN:
            blocks.append(Line(f"and {len(self.parts) - _SHOWN} more parts"))
        if self.amplification != 1:
            blocks.append(Line(f"amplification of relative errors by the difference: {self.amplification:.3g}"))
        if self.entropy_limit is not None:
            blocks.append(Line(f"at most {number(self.entropy_limit)} (upper confidence limit of the label's entropy)"))
        return tuple(blocks)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of the value and of its parts, with their intervals.

        Arguments:
            ax: draw there.
        """
        from mibounds.plots import plot_intervals

        numbers = {"I(X;Y|Z)": (self.value, *self.interval)}
        numbers |= {name: (part.value, *part.interval) for name, part in self.parts.items()}
        return plot_intervals(numbers, f"I(X;Y|Z) = {self.value:.3g} {self.unit}", self.unit, ax=ax)
