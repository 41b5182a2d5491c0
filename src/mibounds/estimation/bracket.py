r"""A lower and an upper bound of the same rows.

The lower side is InfoNCE, as `estimate` reads it. The upper side fits a conditional density q(y|x), a flow in
rank-Gaussianized columns, which leave the information as it is. With :math:`\bar q(y)` the mean of q(y|x) over other
rows' x,

.. math:: E \log \frac{q(y|x)}{\bar q(y)} = I(X;Y) - E\,KL\big(p(y|x) \| q(y|x)\big) + KL\big(p(y) \| \bar q(y)\big),

so the leave-one-out reading of a q that falls short is itself too low. What can be measured of the gap is added: by
how much q scores the rows that trained it better than the flow that did not see them. On its own rows a flow that can
represent the truth reads no less than the truth does, on new rows no more.
"""

from __future__ import annotations

import json
import math
import os
import warnings as python_warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from mibounds._checks import check_at_least, check_device, check_fraction
from mibounds._files import write_json
from mibounds._version import versions
from mibounds.data import Columns, MissingPolicy, intake_pair
from mibounds.estimation.densities import DensityRows, density_rows
from mibounds.estimation.estimate import estimate as estimate_
from mibounds.inference import interval
from mibounds.results.result import Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results
from mibounds.warnings import DensityMisfitWarning, MIWarning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BracketResult", "bracket"]

_MISFIT = 0.05  # nats by which a density may be seen to miss before it is called a misfit


@dataclass(frozen=True, repr=False)
class BracketResult:
    r"""A lower and an upper bound of I(X;Y), each with its standard error.

    Attributes:
        lower: InfoNCE on rows that trained nothing, in `unit`.
        lower_stderr: its standard error; of the plug-in, which is no smaller, where `estimate` extrapolates.
        upper: leave-one-out over a conditional density on rows that did not train it, plus `shortfall`; a bound as far
            as the density is right.
        upper_stderr: its standard error.
        shortfall: by how much the density scores the rows that trained it better than those that did not, in `unit`.
        readings: what was read beside them, in `unit`: `CLUB` (far above the information by nature), `LeaveOneOut`
            before the shortfall is added, and `DifferenceOfEntropies`, which is neither bound.
        level: the confidence level of `interval`.
        unit: "nats" or "bits".
        rows: N.
        predicted: "y", or "x" where x has fewer columns and its density given y was fitted.
        warnings: the reasons to doubt either side, each with a stable `code`.
        columns: the names of the columns of x and of y that were used.
        seed: what made the run repeatable.
        versions: of mibounds, torch and Python.

    Example:
        >>> b = BracketResult(lower=0.5, lower_stderr=0.01, upper=0.54, upper_stderr=0.02, rows=1000)
        >>> b
        0.5 (0.01) <= I(X;Y) <= 0.54 (0.02) nats   95% interval [0.4804, 0.5792]
        >>> round(b.to("bits").lower, 3)
        0.721
    """

    lower: float
    lower_stderr: float
    upper: float
    upper_stderr: float
    rows: int
    shortfall: float = 0.0
    readings: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.95
    unit: Unit = "nats"
    predicted: str = "y"
    warnings: tuple[MIWarning, ...] = ()
    columns: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def interval(self) -> tuple[float, float]:
        """From the lower side less its sampling error to the upper side plus its own, at `level`; an upper side below
        the lower one counts as equal to it, since the lower one holds for every critic."""
        low, _ = interval(self.lower, self.lower_stderr, self.level)
        return low, interval(max(self.lower, self.upper), self.upper_stderr, self.level)[1]

    def to(self, unit: Unit | None = None, *, level: float | None = None) -> BracketResult:
        """The same bracket in another unit ("nats", "bits") or at another confidence level.

        Raises:
            ValueError: if the unit is unknown or the level not strictly between 0 and 1.
        """
        unit = self.unit if unit is None else unit
        factor = nats_in(self.unit) / nats_in(unit)
        if level is not None:
            check_fraction("level", level)
        names = ("lower", "lower_stderr", "upper", "upper_stderr", "shortfall")
        return replace(
            self,
            unit=unit,
            level=self.level if level is None else level,
            readings={name: number * factor for name, number in self.readings.items()},
            **{name: getattr(self, name) * factor for name in names},
        )

    def __repr__(self) -> str:
        low, high = self.interval
        doubts = f"   warning {', '.join(warning.code for warning in self.warnings)}" if self.warnings else ""
        return (
            f"{self.lower:.4g} ({self.lower_stderr:.2g}) <= I(X;Y) <= {self.upper:.4g} ({self.upper_stderr:.2g}) "
            f"{self.unit}   {self.level:.0%} interval [{low:.4g}, {high:.4g}]{doubts}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as numbers, text, lists and dictionaries that JSON can hold."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        record["warnings"] = [warning.to_dict() for warning in self.warnings]
        record["readings"], record["versions"] = dict(self.readings), dict(self.versions)
        record["interval"] = self.interval
        loaded: dict[str, Any] = json.loads(json.dumps(record))
        return loaded

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as JSON; the file is complete or not there at all."""
        write_json(path, self.to_dict())

    def plot(self) -> Figure:
        """A figure: the two sides with their intervals, and what else was read."""
        from mibounds.plots import plot_bracket

        sides = ((self.lower, self.lower_stderr), (self.upper, self.upper_stderr))
        others = {name: number for name, number in self.readings.items() if name != "CLUB"}
        return plot_bracket(*sides, self.interval, others, self.unit)


def bracket(
    x: Any,
    y: Any,
    *,
    estimate: Result | None = None,
    steps: int | None = None,
    negatives: int | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    nan: MissingPolicy = "raise",
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = False,
    **options: Any,
) -> BracketResult:
    r"""Mutual information between a lower and an upper bound, each read on rows that its model has not seen.

    .. math:: I_{NCE} \;\le\; I(X;Y) \;\le\; \frac1N \sum_i \log \frac{q(y_i|x_i)}{\frac1K \sum_k q(y_i|x_k)} + s

    The lower side is InfoNCE of `estimate`. The upper side is `LeaveOneOut` over a conditional flow (`FlowCritic`),
    cross-fitted in two halves, plus the shortfall s: by how much rows score better with the flow that trained on them
    than with the one that did not. The side with fewer columns is predicted, in rank-Gaussianized columns.

    The lower side holds for every critic. The upper one holds as far as the flow can represent the true conditional
    density, and nobody can certify that from samples. Three signs against it are warned of (`density-misfit`): the mean
    of q over x misses the marginal density, which a flow of y alone fits better on the same rows; the flow's
    residuals on new rows are not standard normal; the upper side falls below the lower. Many columns and few
    rows give a wide bracket, sharp edges and copies of columns a doubtful one.

    References:
        Poole et al., On variational bounds of mutual information, 2019, arXiv:1905.06922. Cheng et al., 2020,
        arXiv:2006.12013 (CLUB). McAllester and Stratos, 2020, arXiv:1811.04251 (difference of entropies).

    Arguments:
        x: (N,) or (N, D_x) numbers, anything `estimate` takes; at least 50 rows.
        y: (N,) or (N, D_y), likewise, paired with x row by row.
        estimate: the result of `estimate` on the same rows, where there is one already.
        steps: training steps of each fold, of the critics and of the flows; by default `estimate`'s and 600.
        negatives: mismatched pairs per row for the mean of q; by default what four million columns scored allow, 32 to
            256.
        unit: "nats" or "bits".
        level: confidence level of the interval.
        nan: "raise", or "drop" the rows with missing or infinite values.
        seed: the same seed gives the same numbers.
        device: "cpu", "cuda", ...
        progress: show a bar.
        options: further arguments of `estimate`.

    Returns:
        A `BracketResult`, which prints as one line.

    Raises:
        TypeError: if a variable is not numeric.
        ValueError: if the data or an argument cannot be used; the sentence says why and what to do.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(400, torch.Generator().manual_seed(0))  # .511 nats
        >>> found = bracket(x, y, steps=50, hidden=(32,))
        >>> low, high = found.interval
        >>> low < 0.511 < high
        True
    """
    check_fraction("level", level)
    if steps is not None:
        check_at_least("steps", steps, 1)
        options["steps"] = steps
    if negatives is not None:
        check_at_least("negatives", negatives, 1)
    if estimate is not None and "InfoNCE" not in estimate.bounds:
        raise ValueError("estimate holds no reading by InfoNCE, which is the lower side: give a result of mi.estimate.")
    table_x, table_y, caught = intake_pair(x, y, nan)
    target = check_device(device)
    data_x, data_y = table_x.values, table_y.values
    if estimate is None:
        with python_warnings.catch_warnings(), no_partial_results():
            python_warnings.simplefilter("ignore", MIWarning)  # they are in the result, and raised below
            estimate = estimate_(data_x, data_y, seed=seed, device=device, progress=progress, **options)
    lower = estimate.to("nats")
    predicted = _predicted(table_x, table_y)
    sides = (data_y, data_x) if predicted == "x" else (data_x, data_y)
    given, aim = (side.to(target) for side in sides)
    rows = density_rows(given, aim, steps=steps or 600, negatives=negatives, seed=seed, progress=progress)
    upper, upper_stderr = rows.upper()
    below = lower.bounds["InfoNCE"]
    warnings = [*caught, *lower.warnings, *_doubts(rows, (below, lower.stderr), (upper, upper_stderr))]
    for warning in warnings:
        python_warnings.warn(warning, stacklevel=2)
    found = BracketResult(
        lower=below,
        lower_stderr=lower.stderr,
        upper=upper,
        upper_stderr=upper_stderr,
        shortfall=rows.shortfall()[0],
        readings=rows.readings(),
        rows=len(data_x),
        predicted=predicted,
        warnings=tuple(warnings),
        columns=(table_x.names, table_y.names),
        seed=seed,
        versions=versions(),
    )
    return found.to(unit, level=level)


def _predicted(x: Columns, y: Columns) -> str:
    """The side whose density is fitted: the one with fewer columns, of those that have one."""
    smooth = [
        (len(side.names), name != "y", name)
        for name, side in (("x", x), ("y", y))
        if all(encoding.kind == "continuous" for encoding in side.encodings)
    ]
    if not smooth:
        raise ValueError(
            "x and y both have categorical columns, and the upper side of a bracket is over a density: one of them "
            "must be continuous throughout. For a label, its entropy is the upper side: see mi.estimate(x, y).most."
        )
    return min(smooth)[2]


def _doubts(rows: DensityRows, lower: tuple[float, float], upper: tuple[float, float]) -> list[MIWarning]:
    """Why the density is not good enough for the upper side to be a bound."""
    signs = []
    misfit, stderr = rows.marginal_misfit()
    if misfit - 2 * stderr > _MISFIT:
        signs.append(f"the mean of q(y|x) misses the marginal density by {misfit:.2g} nats on new rows")
    residual = rows.residual_misfit()
    if residual > _MISFIT:
        signs.append(f"its residuals on new rows are {residual:.2g} nats from standard normal")
    if lower[0] - upper[0] > 2 * math.hypot(lower[1], upper[1]):
        signs.append(f"it reads less than the lower side, {upper[0]:.3g} against {lower[0]:.3g} nats")
    if not signs:
        return []
    return [
        DensityMisfitWarning(
            f"The density under the upper side is not the true one: {'; '.join(signs)}. The upper side is then not a "
            "bound: give more rows, or drop columns that are copies of others."
        )
    ]
