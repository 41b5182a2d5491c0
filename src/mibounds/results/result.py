"""An estimate of mutual information: the value, its interval, the estimates of all bounds, and diagnostics."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mibounds import bounds
from mibounds._checks import check_file, described
from mibounds._files import write_text
from mibounds.inference import lower_limit
from mibounds.results.measurement import INFORMATION, TRANSIENT, Measurement
from mibounds.results.printing import Content, Line, Numbers, number, percent
from mibounds.results.records import decode_fields
from mibounds.results.units import Unit, nats_in
from mibounds.warnings import MIWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curve", "Result", "curve_from"]


@dataclass(frozen=True)
class Curve:
    """The training of one fold.

    Attributes:
        steps: the steps at which the critic was validated.
        validation_loss: the loss in nats on the validation samples at each of these steps; lower is better.
        best_step: the step whose weights were kept.
        candidate: the name of the candidate estimator that has the largest weight in this fold.
    """

    steps: tuple[int, ...]
    validation_loss: tuple[float, ...]
    best_step: int
    candidate: str


def curve_from(record: Mapping[str, Any]) -> Curve:
    """The curve that `dataclasses.asdict` wrote."""
    return Curve(**decode_fields(Curve, record))


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result(Measurement):
    r"""A cross-fitted estimate of I(X;Y).

    `value` is `estimates[method]`; `stderr` and `interval` belong to it. The estimates by bounds come from samples that
    neither trained nor selected the critics that score them; nearest neighbors (KSG) and the Gaussian copula, which are
    reported where they exceed the critics, come from all samples.

    Attributes:
        value: the estimate in `unit`. It is not clipped: for independent data it may be slightly negative.
        stderr: its standard error in `unit`, of the sampling and of the spread of folds.
        estimates: the estimate of each bound from the same scores, in `unit`.
        method: the name of the reported estimate.
        n: number of samples.
        extrapolated: True if the value is near or above the largest value that the contrastive bound can certify with
            n samples, and is the plug-in estimate of the critic instead.
        cross_checks: classical estimates from the same samples, in `unit` by name.
        lower_bound_estimate: the estimate of a lower bound with critics held fixed, and its standard error, in `unit`;
            see `lower_bound`.
        entropy_limit: the upper confidence limit of the entropy of a label, in `unit`, above which no information
            is; None without a label.
        interval_bias: how far the interval extends below and above the value before the sampling error is added, in
            `unit`.
        level: the confidence level of `interval` and `lower_bound`.
        unit: "nats" or "bits".
        fold_values: the estimate from the test samples of each fold, in `unit`.
        curves: the training of each fold.
        warnings: diagnostics of the data, the training and the estimate, each with a stable `code`.
        columns: the names of the encoded columns of x and of y that were used.
        kinds: the kind of every source column of x and of y that was used, or of the variable as a whole.
        seed: of the random numbers.
        versions: of mibounds, torch and Python.
        pointwise: the log density ratio in nats (whatever the unit) of every sample by the fold that tested it, a
            tensor (N,): entry i is of row i of the data, NaN where that row was dropped or not tested. Its mean is the
            plug-in estimate. Not written by `to_dict`.
        fitted: the preprocessing and critics of the folds (`FittedFolds`), which score new pairs. Not written by
            `to_dict`.

    Example:
        >>> r = Result(value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=1000)
        >>> r
        I(X;Y) = 0.5 nats   95% interval [0.4804, 0.5196]
          InfoNCE, cross-fitted, n = 1,000
          estimates: InfoNCE 0.5
        >>> round(r.to("bits").value, 3)
        0.721
    """

    value: float = field(metadata=INFORMATION)
    stderr: float = field(metadata=INFORMATION)
    estimates: Mapping[str, float] = field(metadata=INFORMATION)
    method: str
    n: int
    extrapolated: bool = False
    cross_checks: Mapping[str, float] = field(default_factory=dict, metadata=INFORMATION)
    lower_bound_estimate: tuple[float, float] | None = field(default=None, metadata=INFORMATION)
    entropy_limit: float | None = field(default=None, metadata=INFORMATION)
    interval_bias: tuple[float, float] = field(default=(0.0, 0.0), metadata=INFORMATION)
    level: float = 0.95
    unit: Unit = "nats"
    fold_values: tuple[float, ...] = field(default=(), metadata=INFORMATION)
    curves: tuple[Curve, ...] = ()
    warnings: tuple[MIWarning, ...] = ()
    columns: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    kinds: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    pointwise: Any = field(default=None, metadata=TRANSIENT)
    fitted: Any = field(default=None, metadata=TRANSIENT)

    _derived: ClassVar[tuple[str, ...]] = ("interval", "lower_bound", "informational_correlation")

    @property
    def lower_bound(self) -> float | None:
        r"""A lower confidence bound of I(X;Y) at one-sided `level`, in `unit`; None if it was not estimated.

        .. math:: v_{NWJ} - z_{level} \, s

        for the held-out NWJ estimate, whose additive constant comes from validation samples, with the standard error of
        its influence function. It is conditional on the fitted critics and valid for all critics, up to the normal
        approximation. Where a few pairs dominate NWJ, InfoNCE takes its place, and of a label the classifier. Unlike
        the lower end of `interval`, it does not concern the bias of the reported estimate; it is never below 0,
        since the information is not.
        """
        if self.lower_bound_estimate is None:
            return None
        limit = max(lower_limit(*self.lower_bound_estimate, self.level), 0.0)
        return limit if self.entropy_limit is None else min(limit, self.entropy_limit)

    @property
    def informational_correlation(self) -> float:
        r"""The informational correlation :math:`\sqrt{1 - e^{-2I}}` in [0, 1): the absolute correlation of a bivariate
        Gaussian pair with the same information."""
        nats = max(self.value, 0.0) * nats_in(self.unit)
        return math.sqrt(-math.expm1(-2 * nats))

    @property
    def contrastive_value(self) -> float | None:
        """The estimate by the lower bound with a contrastive normalizer (InfoNCE), in `unit`; None where no such bound
        was evaluated."""
        for name, value in self.estimates.items():
            kind = getattr(bounds, name, None)
            role = getattr(kind, "normalizer", None), getattr(kind, "side", None)
            if role == ("contrastive", "lower"):
                return value
        return None

    @property
    def conservative_value(self) -> float:
        """The contrastive estimate where the value is extrapolated, and the value elsewhere, in `unit`."""
        found = self.contrastive_value if self.extrapolated else None
        return self.value if found is None else found

    def _content(self) -> Content:
        from mibounds.report.words import how_made, kinds_text

        flag = "   (extrapolated)" if self.extrapolated else ""
        blocks: list[Line | Numbers] = [
            Line(f"{self.method}, {how_made(self.method)}, n = {self.n:,}"),
            Numbers.of("estimates", self.estimates, emphasized=self.method),
        ]
        if any(self.kinds):
            named = zip("xy", self.kinds, strict=True)
            blocks.append(Line("   ".join(f"{name}: {kinds_text(kinds)}" for name, kinds in named if kinds)))
        if self.entropy_limit is not None:
            blocks.append(Line(f"at most {number(self.entropy_limit)} (upper confidence limit of the label's entropy)"))
        if self.lower_bound is not None:
            bound = f"{number(self.lower_bound)} ({percent(self.level)}, one-sided, conditional on the fitted critics)"
            blocks.append(Line(f"lower confidence bound {bound}"))
        if self.cross_checks:
            blocks.append(Numbers.of("cross-checks", self.cross_checks))
        heading = f"I(X;Y) = {number(self.value)} {self.unit}   {self._interval_text()}{flag}"
        return Content(heading, tuple(blocks), self.warnings)

    def plot(self, ax: Axes | None = None) -> Figure:
        """A figure of the value with its interval beside the other estimates, and of the training of each fold.

        Arguments:
            ax: draw the estimates there, without the training.
        """
        from mibounds.plots import plot_result

        return plot_result(
            dict(self.estimates),
            self.method,
            self.interval,
            [(curve.steps, curve.validation_loss, curve.best_step, curve.candidate) for curve in self.curves],
            self.unit,
            cross_checks=dict(self.cross_checks),
            entropy_limit=self.entropy_limit,
            lower_bound=self.lower_bound,
            ax=ax,
        )

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        command: str | None = None,
        source: str | None = None,
        bracket: Measurement | None = None,
        test: Measurement | None = None,
    ) -> None:
        """Write the result as one self-contained HTML page to read, print and share.

        Arguments:
            path: the page; it is complete or does not exist.
            command: what made the result, shown as it is: a command line, or a call.
            source: what the data are called, for example the name of a file.
            bracket: the `BracketResult` of the same samples (`mibounds.bracket(x, y, estimate=result)`), shown too.
            test: the `IndependenceTestResult` of the same samples, shown too.

        Raises:
            TypeError: if `bracket` or `test` is something else.
            ValueError: if it is of another number of samples.
            FileNotFoundError: if the folder does not exist.
            IsADirectoryError: if the path is that of a folder.

        Example:
            >>> import tempfile
            >>> from pathlib import Path
            >>> r = Result(value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=1000)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     r.report(f"{folder}/report.html", command="mi.estimate(x, y)")
            ...     "mi.estimate(x, y)" in Path(f"{folder}/report.html").read_text(encoding="utf-8")
            True
        """
        from mibounds.report import report_page
        from mibounds.results import BracketResult, IndependenceTestResult  # which import this module

        file = check_file(path, "an .html file to write")
        for name, other, kind in (("bracket", bracket, BracketResult), ("test", test, IndependenceTestResult)):
            if other is not None and not isinstance(other, kind):
                raise TypeError(f"{name} is {described(other)}: expected the {kind.__name__} of the same samples.")
            if other is not None and other.n != self.n:
                raise ValueError(
                    f"{name} is of {other.n:,} samples, and the result of {self.n:,}: give that of the same samples."
                )
        bracket, test = (None if other is None else other.to(self.unit, level=self.level) for other in (bracket, test))
        page = report_page(
            self._record(strict=False),
            None if self.pointwise is None else (self.pointwise / nats_in(self.unit)).tolist(),
            None if bracket is None else bracket._record(strict=False),
            None if test is None else test._record(strict=False),
            command,
            source,
        )
        write_text(file, page)
