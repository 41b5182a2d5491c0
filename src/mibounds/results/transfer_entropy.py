"""An estimate of transfer entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mibounds.results.composite import Composite
from mibounds.results.conditional import ConditionalResult
from mibounds.results.printing import Content, Line, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["TransferEntropyResult"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class TransferEntropyResult(Composite):
    """An estimate of the transfer entropy from x to y.

    Attributes:
        conditional: the estimate of I(X_past; Y[t] | Y_past), with its parts.
        lag: number of rows from the latest row of the past of x to y.
        history: number of rows in the past of x.
        own_history: number of rows in the past of y.
        pvalue: the probability of an estimate at least as large if x adds nothing to the past of y; None if it was not
            computed.
        permutations: number of surrogates of each kind for the p-value.

    Example:
        >>> conditional = ConditionalResult(value=0.3, stderr=0.02, method="chain", parts={}, n=999)
        >>> TransferEntropyResult(conditional=conditional, lag=1, history=2, own_history=2)
        T(X -> Y) = 0.3 nats   95% interval [0.2608, 0.3392]
          lag 1, history 2, own history 2, n = 999
    """

    conditional: ConditionalResult
    lag: int
    history: int
    own_history: int
    pvalue: float | None = None
    permutations: int = 0

    _derived: ClassVar[tuple[str, ...]] = (
        "value",
        "stderr",
        "interval",
        "amplification",
        "level",
        "unit",
        "n",
        "warnings",
    )

    @property
    def _main(self) -> ConditionalResult:
        return self.conditional

    @property
    def value(self) -> float:
        """The estimate in `unit`. It is not clipped."""
        return self.conditional.value

    @property
    def stderr(self) -> float:
        """Its standard error in `unit`."""
        return self.conditional.stderr

    @property
    def amplification(self) -> float:
        """The sum of the absolute parts divided by the absolute value of their difference."""
        return self.conditional.amplification

    def _content(self) -> Content:
        heading = f"T(X -> Y) = {number(self.value)} {self.unit}   {self._interval_text()}"
        histories = f"lag {self.lag}, history {self.history}, own history {self.own_history}, n = {self.n:,}"
        blocks = [Line(histories), *self.conditional._details()]
        if self.pvalue is not None:
            null = "null hypothesis: x adds nothing to the past of y"
            blocks.append(Line(f"p = {self.pvalue:.3g} ({null}; {self.permutations:,} surrogates of each kind)"))
        return Content(heading, tuple(blocks), self.warnings)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of the value and of the parts that it is the difference of, with their intervals.

        Arguments:
            ax: draw there.
        """
        from mibounds.plots import plot_intervals

        numbers = {"T(X -> Y)": (self.value, *self.interval)}
        numbers |= {name: (part.value, *part.interval) for name, part in self.conditional.parts.items()}
        return plot_intervals(numbers, f"T(X -> Y) = {self.value:.3g} {self.unit}", self.unit, ax=ax)
