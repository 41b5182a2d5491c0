"""How the estimate grows with the number of rows, and where it is heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from mibounds._checks import check_at_least
from mibounds.data import intake_groups, intake_pair, rows_by_weight
from mibounds.estimation.estimate import estimate
from mibounds.results.result import Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.checkpoints import part
from mibounds.training.interrupts import no_partial_results
from mibounds.training.workers import progress_bar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LearningCurve", "learning_curve"]

Floats = NDArray[np.float64]
_HALVINGS = 4
_FEWEST_ROWS = 200
_EXPONENTS = np.linspace(0.3, 1.0, 15)


@dataclass(frozen=True)
class LearningCurve:
    """Estimates from parts of the rows.

    Attributes:
        sizes: rows of each part, rising; the last is all of them.
        values: mean estimate of each size in `unit`.
        stderrs: standard error of each mean in `unit`.
        limit: where the fitted curve ends for endless rows, in `unit`.
        limit_stderr: its standard error, from the errors of the points alone.
        slope: b of the fitted curve, in `unit`.
        exponent: c of the fitted curve.
        unit: "nats" or "bits".
        estimate: the estimate from all rows.
    """

    sizes: tuple[int, ...]
    values: tuple[float, ...]
    stderrs: tuple[float, ...]
    limit: float
    limit_stderr: float
    slope: float
    exponent: float
    unit: Unit
    estimate: Result

    @property
    def settled(self) -> bool:
        """Is the last value within two standard errors of the limit?"""
        return abs(self.limit - self.values[-1]) <= 2 * max(self.limit_stderr, self.stderrs[-1])

    def to(self, unit: Unit) -> LearningCurve:
        """The same in another unit."""
        factor = nats_in(self.unit) / nats_in(unit)
        return replace(
            self,
            unit=unit,
            values=tuple(value * factor for value in self.values),
            stderrs=tuple(error * factor for error in self.stderrs),
            limit=self.limit * factor,
            limit_stderr=self.limit_stderr * factor,
            slope=self.slope * factor,
            estimate=self.estimate.to(unit),
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        record = asdict(replace(self, estimate=None))  # type: ignore[arg-type]
        return {**record, "settled": self.settled, "estimate": self.estimate.to_dict()}

    def plot(self) -> Figure:
        """The values against the rows, with the fitted curve and its limit."""
        from mibounds.plots import plot_learning_curve

        rows = np.geomspace(self.sizes[0], 4 * self.sizes[-1], 100).tolist()
        fitted = [self.limit - self.slope * n**-self.exponent for n in rows]
        return plot_learning_curve(
            self.sizes, self.values, self.stderrs, (rows, fitted), (self.limit, self.limit_stderr), self.unit
        )

    def __repr__(self) -> str:
        points = "  ".join(f"{n:,}: {v:.4g}" for n, v in zip(self.sizes, self.values, strict=True))
        verdict = "settled" if self.settled else "still rising" if self.limit > self.values[-1] else "still falling"
        return (
            f"I(X;Y) by rows: {points} {self.unit}\n"
            f"  with endless rows {self.limit:.4g} +- {self.limit_stderr:.2g} {self.unit} by extrapolation ({verdict})"
        )


def learning_curve(
    x: Any,
    y: Any,
    *,
    sizes: Sequence[int] | None = None,
    repeats: int = 2,
    unit: Unit = "nats",
    seed: int = 0,
    progress: bool = False,
    **options: Any,
) -> LearningCurve:
    r"""Estimate from ever more of the rows, fit a curve, and say where it is heading.

    .. math:: v(n) = v_\infty - b\, n^{-c}, \qquad .3 \le c \le 1

    Fitted by least squares weighted with the standard errors; the exponent is the best of a grid. A critic learns more
    from more rows, so the value from a sample is short by something that falls with n: the curve shows whether more
    rows would still move it. It does not see what no number of rows would mend (a critic that cannot represent
    the dependence), and the limit is an extrapolation and no bound.

    References:
        Strong et al., Entropy and information in neural spike trains, 1998, arXiv:cond-mat/9603127, for extrapolation
        in the number of rows.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it.
        y: (N,) or (N, D_y), paired with x.
        sizes: numbers of rows, at least three; by default N and its halves, down to 200 rows.
        repeats: different random parts of each size but the largest.
        unit: "nats" or "bits".
        seed: draws the parts and is the estimates' seed.
        progress: show a bar.
        options: further arguments of `estimate`. The sizes count rows that `sample_weight` leaves.

    Returns:
        A `LearningCurve`; `plot()` draws it.

    Raises:
        TypeError, ValueError: as `estimate` does, and for sizes that are too few or larger than the sample.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(800, torch.Generator().manual_seed(0))
        >>> curve = learning_curve(x, y, repeats=1, steps=30, folds=2, hidden=(16,))
        >>> curve.sizes
        (200, 400, 800)
    """
    check_at_least("repeats", repeats, 1)
    table_x, table_y, _ = intake_pair(x, y, options.pop("nan", "raise"))
    x, y = table_x.values, table_y.values
    groups = intake_groups(options.pop("groups", None), table_x.given, table_x.kept)
    weights = options.pop("sample_weight", None)
    if weights is not None:
        draws = torch.Generator().manual_seed(seed)
        stay = rows_by_weight(weights, table_x.given, table_x.kept, draws)
        x, y, groups = x[stay], y[stay], None if groups is None else groups[stay]
    chosen = _sizes(len(x), sizes)
    generator = torch.Generator().manual_seed(seed)
    fits = [(n, r) for n in chosen for r in range(1 if n == len(x) else repeats)]
    found: dict[int, list[Result]] = {n: [] for n in chosen}
    with no_partial_results():
        for n, repeat in progress_bar(progress, fits, unit="estimate"):
            rows = torch.randperm(len(x), generator=generator)[:n] if n < len(x) else torch.arange(n)
            own = part(options, f"{n} rows, {repeat + 1}")
            together = None if groups is None else groups[rows]
            found[n].append(estimate(x[rows], y[rows], seed=seed + repeat, groups=together, **own))
    values = np.array([np.mean([r.value for r in results]) for results in found.values()])
    stderrs = np.array([np.sqrt(np.mean([r.stderr**2 for r in rs]) / len(rs)) for rs in found.values()])
    fitted = _extrapolate(np.array(chosen, float), values, stderrs)
    curve = LearningCurve(
        tuple(chosen), tuple(values.tolist()), tuple(stderrs.tolist()), *fitted, "nats", found[chosen[-1]][-1]
    )
    return curve.to(unit)


def _sizes(n: int, given: Sequence[int] | None) -> list[int]:
    if given is None:
        halves = [n >> k for k in range(_HALVINGS + 1) if n >> k >= _FEWEST_ROWS or k == 0]
        if len(halves) < 3:
            raise ValueError(
                f"{n} rows are too few for a curve: expected at least {4 * _FEWEST_ROWS}, or give sizes yourself."
            )
        return halves[::-1]
    chosen = sorted(set(map(int, given)))
    if len(chosen) < 3 or chosen[-1] > n:
        raise ValueError(f"sizes is {list(given)}, and must hold at least three different numbers up to {n} rows.")
    return chosen


def _extrapolate(sizes: Floats, values: Floats, stderrs: Floats) -> tuple[float, float, float, float]:
    """Limit, its standard error, slope and exponent: weighted least squares for each exponent, the best of them."""
    weight = 1 / np.maximum(stderrs, 1e-6)
    fits = []
    for exponent in _EXPONENTS:
        design = np.stack([np.ones_like(sizes), -(sizes**-exponent)], 1) * weight[:, None]
        covariance = np.linalg.pinv(design.T @ design)
        limit, slope = covariance @ design.T @ (values * weight)
        misfit = np.square(design @ (limit, slope) - values * weight).sum()
        fits.append((misfit, limit, np.sqrt(covariance[0, 0]), slope, exponent))
    _, *best = min(fits)
    return tuple(map(float, best))  # type: ignore[return-value]
