"""Figures of the estimates from one sample: bounds, intervals, training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from mibounds.plots.axes import name_ticks, one_axes, styled_axes
from mibounds.plots.style import ACCENT, DASHES, MUTED, OTHERS, SMALL, ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_bracket", "plot_estimates", "plot_intervals", "plot_result", "plot_training"]

Curve = tuple[Sequence[int], Sequence[float], int, str]


def plot_result(
    estimates: Mapping[str, float],
    method: str,
    interval: tuple[float, float],
    curves: Sequence[Curve],
    unit: str,
    *,
    cross_checks: Mapping[str, float] | None = None,
    entropy_limit: float | None = None,
    lower_bound: float | None = None,
    ax: Axes | None = None,
) -> Figure:
    """All estimates from the same samples beside the validation loss of every fold by step.

    Arguments:
        estimates: the number of each bound, in `unit`.
        method: the name of the reported estimate.
        interval: (low, high) in `unit`.
        curves: for each fold the steps, the validation losses in nats, the step whose weights were kept, and the name
            of the candidate.
        unit: "nats" or "bits".
        cross_checks: classical estimates by name, in `unit`.
        entropy_limit: an upper limit of the information, in `unit`.
        lower_bound: a lower confidence bound, in `unit`.
        ax: draw the estimates there, and no curves.
    """
    limits: dict[str, Any] = {"entropy_limit": entropy_limit, "lower_bound": lower_bound}
    if ax is not None or not curves:
        figure, axis = one_axes(ax)
    else:
        figure, (axis, right) = styled_axes(2)
        plot_training(curves, unit, ax=right)
        right.set_title("training of each fold", loc="left")
    plot_estimates(estimates, method, interval, unit, cross_checks=cross_checks, **limits, ax=axis)
    axis.set_title(f"{estimates[method]:.3g} {unit} ({method})", loc="left")
    return figure


def plot_estimates(
    estimates: Mapping[str, float],
    method: str,
    interval: tuple[float, float],
    unit: str,
    *,
    cross_checks: Mapping[str, float] | None = None,
    bounds: Sequence[tuple[str, float, float]] = (),
    entropy_limit: float | None = None,
    lower_bound: float | None = None,
    ax: Axes | None = None,
) -> Figure:
    """All estimates from the same samples on one axis: the reported one (large dot) with its interval (band), other
    bounds (small dots), lower and upper bounds with two standard errors (triangles), classical estimates (diamonds).

    A dashed line is the upper limit of the information, a dotted one the lower confidence bound. An estimate that is
    far from the interval is an arrow with its number at the edge.

    Arguments:
        estimates: the number of each bound, in `unit`.
        method: the name of the reported estimate.
        interval: (low, high) in `unit`.
        unit: "nats" or "bits".
        cross_checks: classical estimates by name, in `unit`.
        bounds: name, value and standard error of a lower bound, an upper bound, in `unit`.
        entropy_limit: an upper limit of the information, in `unit`.
        lower_bound: a lower confidence bound, in `unit`.
        ax: draw there.
    """
    checks = dict(cross_checks or {})
    others = {name: value for name, value in estimates.items() if name != method}
    names = [method, *others, *(name for name, *_ in bounds), *checks]
    figure, axis = one_axes(ax, height=max(2.4, 0.9 + 0.3 * len(names)))
    axis.axvspan(*interval, color=ACCENT, alpha=0.16, lw=0)
    limits = {(0, (4, 3)): entropy_limit, (0, (1, 2)): lower_bound}
    known = {dashes: limit for dashes, limit in limits.items() if limit is not None}
    values = [*estimates.values(), *checks.values(), *(value for _, value, _ in bounds), *known.values()]
    window = _window(interval, values)
    for dashes, limit in known.items():
        if window[0] < limit < window[1]:
            axis.axvline(limit, color=ink(), lw=1, ls=dashes)
    _dot(axis, estimates[method], 0, window, marker="o", color=ACCENT, ms=9)
    for place, value in enumerate(others.values(), 1):
        _dot(axis, value, place, window, marker="o", color=MUTED, ms=6)
    for place, ((_, value, stderr), marker) in enumerate(zip(bounds, "><", strict=False), 1 + len(others)):
        axis.plot([value - 2 * stderr, value + 2 * stderr], [place, place], color=ACCENT, lw=1.2)
        _dot(axis, value, place, window, marker=marker, color=ACCENT, ms=7)
    for place, value in enumerate(checks.values(), len(names) - len(checks)):
        _dot(axis, value, place, window, marker="D", mfc="none", color=ink(), ms=5.5)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(window)
    axis.set_xlabel(f"I(X;Y) in {unit}; band: interval")
    axis.locator_params(axis="x", nbins=6)  # the labels of its ticks are wide
    return figure


def plot_training(curves: Sequence[Curve], unit: str = "nats", *, ax: Axes | None = None) -> Figure:
    """The validation loss of every fold by step, in a color and dashes for each candidate; a dot is the step that was
    kept.

    Arguments:
        curves: for each fold the steps, the validation losses in nats, the step whose weights were kept, and the name
            of the candidate.
        unit: "nats" or "bits", of the axis.
        ax: draw there.
    """
    figure, axis = one_axes(ax)
    names = list(dict.fromkeys(name for *_, name in curves))
    styles = dict(zip(names, zip((ink(), *OTHERS), cycle(DASHES)), strict=False))
    for steps, in_nats, best, name in curves:
        losses = [loss / (math.log(2) if unit == "bits" else 1) for loss in in_nats]
        color, dashes = styles.get(name, (MUTED, DASHES[0]))
        axis.plot(steps, losses, color=color, ls=dashes, lw=1, alpha=0.6)
        axis.plot(best, losses[list(steps).index(best)], "o", color=color if len(names) > 1 else ACCENT, ms=5)
    if len(names) > 1:
        for name in names:
            color, dashes = styles.get(name, (MUTED, DASHES[0]))
            axis.plot([], [], color=color, ls=dashes, label=name)
        axis.legend(frameon=False, fontsize=SMALL)
    axis.set_xlabel("training step; dot: step that was kept")
    axis.set_ylabel(f"validation loss in {unit}")
    return figure


def plot_intervals(
    numbers: Mapping[str, tuple[float, float, float]], title: str, unit: str, *, ax: Axes | None = None
) -> Figure:
    """Values with their intervals, one below the other; the first is emphasized.

    Arguments:
        numbers: for each name the value and the ends of its interval, in `unit`.
        title: of the figure.
        unit: "nats" or "bits".
        ax: draw there.
    """
    figure, axis = one_axes(ax, height=max(2.4, 1.0 + min(0.3 * len(numbers), 15)))
    axis.axvline(0, color=MUTED, lw=1)
    for place, (value, low, high) in enumerate(numbers.values()):
        color = ACCENT if place == 0 else ink()
        axis.plot([low, high], [place, place], color=color, lw=1.2)
        axis.plot(value, place, "o", color=color, ms=8 if place == 0 else 6)
    name_ticks(axis, "y", list(numbers))
    axis.set_ylim(len(numbers) - 0.4, -0.6)
    axis.set_xlabel(f"information in {unit}; lines: intervals")
    axis.set_title(title, loc="left")
    return figure


def plot_bracket(
    lower: tuple[float, float],
    upper: tuple[float, float],
    interval: tuple[float, float],
    others: Mapping[str, float],
    unit: str,
    *,
    information: str = "I(X;Y)",
    ax: Axes | None = None,
) -> Figure:
    """A lower and an upper bound with two standard errors each, the interval as a band, and other estimates below.

    Arguments:
        lower: the value and its standard error, in `unit`.
        upper: likewise.
        interval: (low, high) in `unit`.
        others: further numbers by name, in `unit`.
        unit: "nats" or "bits".
        information: what is bounded.
        ax: draw there.
    """
    names = ["lower bound", "upper bound", *others]
    figure, axis = one_axes(ax, height=max(2.4, 1.2 + 0.3 * len(names)))
    ends = [end for value, stderr in (lower, upper) for end in (value - 2 * stderr, value + 2 * stderr)]
    window = _window(interval, [*ends, *others.values()])
    axis.set_xlim(window)
    axis.axvspan(*np.clip(interval, *window), color=ACCENT, alpha=0.16, lw=0)
    for place, ((value, stderr), marker) in enumerate(((lower, ">"), (upper, "<"))):
        if window[0] <= value <= window[1]:
            axis.errorbar(value, place, xerr=2 * stderr, fmt=marker, color=ACCENT, ms=8, lw=1.2)
        else:
            _dot(axis, value, place, window, color=ACCENT)
    for place, value in enumerate(others.values(), 2):
        _dot(axis, value, place, window, marker="o", color=MUTED, ms=6)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlabel(f"{information} in {unit}\nlines: 2 standard errors; band: interval")
    axis.set_title(f"{lower[0]:.3g} <= {information} <= {upper[0]:.3g} {unit}", loc="left")
    return figure


def _window(interval: tuple[float, float], values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis that shows the interval and all values within three times its width; what is infinite or
    undefined is left out."""
    low, high = interval
    reach = 3 * (high - low) if high > low else 0.1
    near = [one for one in (low, high, *values) if math.isfinite(one) and low - reach <= one <= high + reach]
    margin = 0.12 * (max(near) - min(near)) or 0.01
    return min(near) - margin, max(near) + margin


def _dot(axis: Axes, value: float, place: int, window: tuple[float, float], **style: Any) -> None:
    """A number as a marker, or as an arrow at the edge with the number beside it."""
    if window[0] <= value <= window[1]:
        axis.plot(value, place, **style)
        return
    right = value > window[1]
    edge, side = (window[1], "right") if right else (window[0], "left")
    if not math.isnan(value):
        axis.plot(edge, place, marker=">" if right else "<", color=style["color"], ms=6, clip_on=False)
    text = "undefined" if math.isnan(value) else f"{value:.3g}"
    shift = -8 if right else 8
    axis.annotate(text, (edge, place), (shift, 0), textcoords="offset points", ha=side, va="center", fontsize=SMALL)
