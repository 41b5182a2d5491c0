"""The outcome of a test of independence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from mibounds.results.composite import Composite
from mibounds.results.measurement import INFORMATION
from mibounds.results.printing import Content, Line, number
from mibounds.results.result import Result
from mibounds.results.units import Unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["IndependenceTestResult"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class IndependenceTestResult(Composite):
    """The outcome of a permutation test of independence. As a number it is the statistic.

    Attributes:
        statistic: the cross-fitted InfoNCE estimate, in `unit`.
        pvalue: the probability of a statistic at least as large if x and y are independent. A small p-value speaks
            against independence.
        permutations: number of random matchings that the statistic was compared with.
        retrained: True if the critics were trained anew on each.
        pvalues: of each statistic alone, by name: "critics" and, of tables, "distances" (distance correlation); empty
            where critics were retrained or nothing was estimated.
        estimate: the estimate whose critics were used.
        unit: "nats" or "bits".

    Example:
        >>> estimate = Result(value=0.51, stderr=0.02, estimates={"InfoNCE": 0.51}, method="InfoNCE", n=1000)
        >>> IndependenceTestResult(
        ...     statistic=0.51, pvalue=0.001, permutations=999, retrained=False, estimate=estimate
        ... )
        p = 0.001 (null hypothesis: independence)
          InfoNCE 0.51 nats, n = 1,000, 999 permutations, critics trained once
    """

    statistic: float = field(metadata=INFORMATION)
    pvalue: float
    permutations: int
    retrained: bool
    estimate: Result
    pvalues: Mapping[str, float] = field(default_factory=dict)
    unit: Unit = "nats"

    _derived: ClassVar[tuple[str, ...]] = ("level", "n", "warnings")

    @property
    def _main(self) -> Result:
        return self.estimate

    def _number(self) -> float:
        return float(self.statistic)

    def _content(self) -> Content:
        critics = f"critics {'retrained on each' if self.retrained else 'trained once'}"
        alone = ", ".join(f"{name} {pvalue:.3g}" for name, pvalue in self.pvalues.items())
        counts = f"n = {self.n:,}, {self.permutations:,} permutations"
        return Content(
            f"p = {self.pvalue:.3g} (null hypothesis: independence)",
            (
                Line(f"InfoNCE {number(self.statistic)} {self.unit}, {counts}, {critics}"),
                *([Line(f"p of each statistic alone: {alone}")] if alone else []),
            ),
            self.warnings,
        )

    def plot(self, ax: Axes | None = None) -> Figure:
        """The figure of the estimate, with the p-value as its title.

        Arguments:
            ax: draw the estimates there, without the training.
        """
        figure = self.estimate.to(self.unit).plot(ax)
        (figure.axes[0] if ax is None else ax).set_title(f"p = {self.pvalue:.3g} (independence)", loc="left")
        return figure
