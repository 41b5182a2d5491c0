"""A lower and an upper bound of mutual information from the same samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from mibounds import inference
from mibounds.results.measurement import INFORMATION, Measurement
from mibounds.results.printing import Content, Line, Numbers, number
from mibounds.results.units import Unit
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BracketResult"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class BracketResult(Measurement):
    """A lower and an upper bound of I(X;Y), each with its standard error.

    Attributes:
        lower: the cross-fitted InfoNCE estimate, in `unit`.
        lower_stderr: its standard error; where `estimate` extrapolates, that of the plug-in, which is no smaller.
        upper: the leave-one-out bound of a conditional density on samples that did not train it, plus
            `train_test_gap`, in `unit`. It is an upper bound only as far as the density is right. The `entropy_limit`
            where that is smaller.
        upper_stderr: its standard error.
        n: number of samples.
        train_test_gap: by how much the density scores its training samples higher than test samples, in `unit`.
        estimates: further estimates, in `unit`: `CLUB` (far above the information by construction), `LeaveOneOut`
            before `train_test_gap` is added, and `DifferenceOfEntropies`, which is neither bound.
        level: the confidence level of `interval`.
        unit: "nats" or "bits".
        predicted: the variable whose conditional density was fitted: "y", or "x" where x has fewer columns.
        known: the conditional density is known, not fitted (`mi.encoder_information`): both bounds hold.
        entropy_limit: the upper confidence limit of the entropy of a label, in `unit`, above which no information
            is; None without a label.
        warnings: diagnostics of both bounds, each with a stable `code`.
        columns: the names of the encoded columns of x and of y that were used.
        seed: of the random numbers.
        versions: of mibounds, torch and Python.

    Example:
        >>> b = BracketResult(lower=0.5, lower_stderr=0.01, upper=0.54, upper_stderr=0.02, n=1000)
        >>> b
        0.5 <= I(X;Y) <= 0.54 nats   95% interval [0.4804, 0.5792]
          lower bound 0.5 (standard error 0.01): InfoNCE, cross-fitted, n = 1,000
          upper bound 0.54 (standard error 0.02): LeaveOneOut plus the train-test gap 0, density of y given x
        >>> round(b.to("bits").lower, 3)
        0.721
    """

    lower: float = field(metadata=INFORMATION)
    lower_stderr: float = field(metadata=INFORMATION)
    upper: float = field(metadata=INFORMATION)
    upper_stderr: float = field(metadata=INFORMATION)
    n: int
    train_test_gap: float = field(default=0.0, metadata=INFORMATION)
    estimates: Mapping[str, float] = field(default_factory=dict, metadata=INFORMATION)
    level: float = 0.95
    unit: Unit = "nats"
    predicted: str = "y"
    known: bool = False
    entropy_limit: float | None = field(default=None, metadata=INFORMATION)
    warnings: tuple[MIWarning, ...] = ()
    columns: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    _derived: ClassVar[tuple[str, ...]] = ("interval",)
    _instead: ClassVar[str] = "lower, upper or interval"

    def _number(self) -> None:
        return None

    @property
    def interval(self) -> tuple[float, float]:
        r"""The confidence interval (low, high) at `level`, in `unit`.

        .. math:: \big[\,l - z s_l,\; \max(\max(l, u), 0) + z s_u\,\big]

        with the bounds l and u and their standard errors. The lower bound is valid for all critics, so an upper bound
        below it counts as equal to it. Where there is an `entropy_limit`, neither end is above it.
        """
        low, _ = inference.interval(self.lower, self.lower_stderr, self.level)
        _, high = inference.interval(max(self.lower, self.upper), self.upper_stderr, self.level)
        return self._capped(low, high)

    @property
    def _information(self) -> str:
        return "I(X;Z)" if self.predicted == "z" else "I(X;Y)"  # of the code of an encoder

    def _content(self) -> Content:
        given = "x" if self.predicted == "y" else "y"
        density = f"density of {self.predicted} given {given}"
        lower = "InfoNCE, known density" if self.known else "InfoNCE, cross-fitted"
        upper = f"LeaveOneOut plus the train-test gap {self.train_test_gap:.2g}, {density}"
        if self.known:
            upper = "LeaveOneOut, known density"
        elif self.upper == self.entropy_limit:
            upper = "the largest entropy of the label, which is below the bound of the density"
        if self.lower == self.upper and not (self.lower_stderr or self.upper_stderr):  # a variable is constant
            lower = upper = "exact"
        blocks: list[Line | Numbers] = [
            Line(f"lower bound {number(self.lower)} (standard error {self.lower_stderr:.2g}): {lower}, n = {self.n:,}"),
            Line(f"upper bound {number(self.upper)} (standard error {self.upper_stderr:.2g}): {upper}"),
        ]
        bounds = f"{number(self.lower)} <= {self._information} <= {number(self.upper)} {self.unit}"
        if self.upper < self.lower:
            bounds = f"lower bound {number(self.lower)} above upper bound {number(self.upper)} {self.unit}"
            blocks.append(Line("the bounds cross: the interval takes the upper one as equal to the lower one"))
        if self.estimates:
            blocks.append(Numbers.of("estimates", self.estimates))
        if self.entropy_limit is not None:
            blocks.append(Line(f"at most {number(self.entropy_limit)} (upper confidence limit of the label's entropy)"))
        return Content(f"{bounds}   {self._interval_text()}", tuple(blocks), self.warnings)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of both bounds with their standard errors, the interval, and further estimates.

        Arguments:
            ax: draw there.
        """
        from mibounds.plots import plot_bracket

        bounds = ((self.lower, self.lower_stderr), (self.upper, self.upper_stderr))
        others = {name: value for name, value in self.estimates.items() if name != "CLUB"}
        return plot_bracket(*bounds, self.interval, others, self.unit, information=self._information, ax=ax)
