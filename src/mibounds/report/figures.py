"""The figures of a report, from plain numbers, each small enough for a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mibounds.report.svg import ACCENT, INK, LINE, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_curves", "draw_folds", "draw_pointwise", "draw_readings"]

_WIDTH, _TEXT = 5.0, 11.5  # inches and points: text that can still be read on a phone
_BINS = 40


def draw_readings(
    bounds: Mapping[str, float],
    reading: str,
    interval: tuple[float, float],
    checks: Mapping[str, float],
    sides: Sequence[tuple[str, float, float]],
    most: float | None,
    unit: str,
) -> Figure:
    """Every number about the same rows on one axis: the reported one with the interval as a band, the other bounds, the
    sides of a bracket, and classical estimates.

    Arguments:
        bounds: the number of each bound, in `unit`.
        reading: the bound that is reported.
        interval: (low, high) in `unit`.
        checks: classical estimates by name, in `unit`.
        sides: name, value and standard error of each side of a bracket.
        most: what the information cannot exceed, in `unit`; None where there is no such number.
        unit: "nats" or "bits".
    """
    others = [name for name in bounds if name != reading]
    names = [reading, *others, *(name for name, _, _ in sides), *checks]
    figure, axis = _axis(0.9 + 0.27 * len(names))
    axis.axvspan(*interval, color=ACCENT, alpha=0.16, lw=0)
    if most is not None:
        axis.axvline(most, color=INK, lw=1, ls=(0, (4, 3)))
    place = {name: i for i, name in enumerate(names)}
    axis.plot(bounds[reading], 0, "o", color=ACCENT, ms=9)
    axis.plot([bounds[name] for name in others], [place[name] for name in others], "o", color=MUTED, ms=6)
    for (name, value, stderr), marker in zip(sides, "><", strict=False):
        axis.errorbar(value, place[name], xerr=2 * stderr, fmt=marker, color=ACCENT, ms=7, lw=1.2)
    axis.plot([*checks.values()], [place[name] for name in checks], "D", mfc="none", mec=INK, ms=5.5)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlabel(f"I(X;Y) in {unit}")
    axis.locator_params(axis="x", nbins=6)  # their labels are wide
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    return figure


def draw_folds(values: Sequence[float], pooled: float, interval: tuple[float, float], unit: str) -> Figure:
    """The reading of each fold alone, beside that of all rows and its interval.

    Arguments:
        values: one a fold, in `unit`.
        pooled: the reported value, in `unit`.
        interval: (low, high) in `unit`.
        unit: "nats" or "bits".
    """
    from matplotlib.ticker import MaxNLocator

    figure, axis = _axis(2.7)
    axis.axhspan(*interval, color=ACCENT, alpha=0.16, lw=0)
    axis.axhline(pooled, color=ACCENT, lw=1.5)
    axis.plot(range(1, len(values) + 1), values, "o", color=INK, ms=5)
    axis.set_xlim(0.5, len(values) + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(min(len(values), 10), integer=True))
    axis.set_xlabel("fold")
    axis.set_ylabel(f"I(X;Y) in {unit}")
    return figure


def draw_curves(curves: Sequence[tuple[Sequence[int], Sequence[float], int]]) -> Figure:
    """The validation loss of every fold by step.

    Arguments:
        curves: for each fold the steps, the losses in nats, and the step whose weights were kept.
    """
    figure, axis = _axis(2.7)
    for steps, losses, _ in curves:
        axis.plot(steps, losses, color=MUTED, lw=1)
    for steps, losses, best in curves:
        axis.plot(best, losses[list(steps).index(best)], "o", color=ACCENT, ms=5)
    axis.set_xlabel("training step")
    axis.set_ylabel("validation loss in nats")
    return figure


def draw_pointwise(scores: Sequence[float], unit: str) -> Figure:
    """How the rows' log-ratios are distributed, with zero and their mean.

    Arguments:
        scores: (N,) in `unit`, none of them nan.
        unit: "nats" or "bits".
    """
    figure, axis = _axis(2.7)
    counts, edges = np.histogram(scores, _BINS)
    axis.stairs(counts, edges, fill=True, color=ACCENT, alpha=0.3)
    axis.stairs(counts, edges, color=ACCENT, lw=1.2)
    axis.axvline(0, color=MUTED, lw=1)
    axis.axvline(float(np.mean(scores)), color=INK, lw=1, ls=(0, (4, 3)))
    axis.set_ylim(bottom=0)
    axis.set_xlabel(f"information of a row in {unit}")
    axis.set_ylabel("rows")
    return figure


def _axis(height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axis = figure.subplots()
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[:].set_color(MUTED)
    axis.grid(color=LINE, lw=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=_TEXT, color=MUTED)
    axis.xaxis.label.set_fontsize(_TEXT)
    axis.yaxis.label.set_fontsize(_TEXT)
    return figure, axis
