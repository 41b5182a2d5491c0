"""The figures of a report from plain numbers, each readable on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mibounds.plots import plot_estimates, plot_training
from mibounds.plots.axes import blank_axes
from mibounds.plots.style import ACCENT, INK, LINE, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_curves", "draw_estimates", "draw_folds", "draw_pointwise"]

_WIDTH, _TEXT = 5.0, 11.5  # inches and points: text that can still be read on a phone
_BINS = 40


def draw_estimates(
    estimates: Mapping[str, float],
    method: str,
    interval: tuple[float, float],
    checks: Mapping[str, float],
    bounds: Sequence[tuple[str, float, float]],
    entropy_limit: float | None,
    lower_bound: float | None,
    unit: str,
) -> Figure:
    """All estimates from the same samples on one axis; see `mibounds.plots.plot_estimates`.

    Arguments:
        estimates: the number of each bound, in `unit`.
        method: the name of the reported estimate.
        interval: (low, high) in `unit`.
        checks: classical estimates by name, in `unit`.
        bounds: name, value and standard error of the lower and the upper bound of a bracket.
        entropy_limit: an upper limit of the information, in `unit`; None if there is none.
        lower_bound: a lower confidence bound, in `unit`; None if there is none.
        unit: "nats" or "bits".
    """
    figure, axis = _axis(0.9 + 0.27 * (len(estimates) + len(bounds) + len(checks)))
    plot_estimates(
        estimates,
        method,
        interval,
        unit,
        cross_checks=checks,
        bounds=bounds,
        entropy_limit=entropy_limit,
        lower_bound=lower_bound,
        ax=axis,
    )
    axis.set_xlabel(f"I(X;Y) in {unit}")
    for text in axis.texts:
        text.set_fontsize(_TEXT)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    return figure


def draw_folds(values: Sequence[float], pooled: float, interval: tuple[float, float], unit: str) -> Figure:
    """The estimate of each fold beside that of all samples and its interval.

    Arguments:
        values: one for each fold, in `unit`.
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


def draw_curves(curves: Sequence[tuple[Sequence[int], Sequence[float], int, str]]) -> Figure:
    """The validation loss of every fold by step.

    Arguments:
        curves: for each fold the steps, the losses in nats, the step whose weights were kept, and the candidate.
    """
    figure, axis = _axis(2.7)
    plot_training(curves, ax=axis)
    axis.set_xlabel("training step")
    axis.set_ylabel("validation loss in nats")
    legend = axis.get_legend()
    for text in () if legend is None else legend.get_texts():
        text.set_fontsize(_TEXT)
    return figure


def draw_pointwise(scores: Sequence[float], unit: str) -> Figure:
    """The distribution of the pointwise mutual information of the samples, with zero and the mean.

    Samples beyond the whiskers of a box plot with three times the interquartile range count in the outermost bins.

    Arguments:
        scores: (N,) in `unit`, none of them NaN.
        unit: "nats" or "bits".
    """
    figure, axis = _axis(2.7)
    first, third = np.quantile(scores, (0.25, 0.75))
    reach = 3 * (third - first) or np.inf
    low, high = max(np.min(scores), first - reach), min(np.max(scores), third + reach)
    counts, edges = np.histogram(np.clip(scores, low, high), _BINS)
    axis.stairs(counts, edges, fill=True, color=ACCENT, alpha=0.3)
    axis.stairs(counts, edges, color=ACCENT, lw=1.2)
    axis.axvline(0, color=MUTED, lw=1)
    axis.axvline(float(np.mean(scores)), color=INK, lw=1, ls=(0, (4, 3)))
    axis.set_ylim(bottom=0)
    axis.set_xlabel(f"pointwise information in {unit}")
    axis.set_ylabel("samples")
    return figure


def _axis(height: float) -> tuple[Figure, Axes]:
    figure, axis = blank_axes(None, _WIDTH, height)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[:].set_color(MUTED)
    axis.grid(color=LINE, lw=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=_TEXT, color=MUTED)
    axis.xaxis.label.set_fontsize(_TEXT)
    axis.yaxis.label.set_fontsize(_TEXT)
    return figure, axis
