"""Figures of series: by number of samples, lag, correlation, training step, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mibounds.plots.axes import label_points, one_axes, several_axes
from mibounds.plots.style import ACCENT, MARKERS, MUTED, OTHERS, SMALL, ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_cost", "plot_curve", "plot_lags", "plot_learning_curve", "plot_plane", "plot_samples"]

_MOST_INSIDE = 6  # layers, of more of which the legend would cover the points
_MOST_BARS = 40  # lags, above which intervals are a band and not bars


def plot_learning_curve(
    sizes: Sequence[int],
    values: Sequence[float],
    stderrs: Sequence[float],
    fitted: tuple[Sequence[float], Sequence[float]],
    limit: tuple[float, float],
    unit: str,
    *,
    ax: Axes | None = None,
) -> Figure:
    """Values against the number of samples on a logarithmic axis, with the fitted curve and its limit.

    Arguments:
        sizes: numbers of samples.
        values: the value at each, in `unit`.
        stderrs: its standard error.
        fitted: numbers of samples and values of the curve.
        limit: the limit of the curve, and its standard error.
        unit: "nats" or "bits".
        ax: draw there.
    """
    figure, axis = one_axes(ax)
    end, error = limit
    axis.axhspan(end - 2 * error, end + 2 * error, color=MUTED, alpha=0.2, lw=0)
    axis.axhline(end, color=MUTED, lw=1)
    axis.plot(*fitted, color=ink(), lw=1, label="fitted curve")
    bars = 2 * np.asarray(stderrs)
    axis.errorbar(sizes, values, yerr=bars, fmt="o", color=ACCENT)
    axis.set_xscale("log")
    last = max(sizes[-1], fitted[0][-1])
    ticks = [*sizes, *(n for n in (2 * sizes[-1], 4 * sizes[-1]) if n <= 1.01 * last)]
    axis.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axis.minorticks_off()
    axis.set_xlim(sizes[0] / 1.2, 1.2 * last)
    axis.set_xlabel("number of samples; bars and band: 2 standard errors")
    axis.set_ylabel(f"I(X;Y) in {unit}")
    axis.set_title("estimate by number of samples", loc="left")
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL}
    axis.annotate(f"limit {end:.3g}", (last, end), (0, 3), ha="right", va="bottom", color=ink(), **style)
    rises = fitted[1][-1] >= fitted[1][0]  # the curve is below its limit, and its name below the curve
    middle = len(fitted[0]) // 2
    below = (4, -4 if rises else 4)
    axis.annotate(
        "fitted curve", (fitted[0][middle], fitted[1][middle]), below, va="top" if rises else "bottom", **style
    )
    axis.annotate("estimate", (sizes[0], values[0]), (6, 0), va="center", color=ACCENT, **style)
    return figure


def plot_lags(
    lags: Sequence[int],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    best: int,
    unit: str,
    *,
    ax: Axes | None = None,
) -> Figure:
    """Values with their intervals against the lag, the largest marked; the intervals of many lags are a band.

    Arguments:
        lags: in rows.
        values: the value at each, in `unit`.
        intervals: (low, high) of each, in `unit`.
        best: the lag to mark.
        unit: "nats" or "bits".
        ax: draw there.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axis = one_axes(ax)
    low, high = np.asarray(intervals).T
    axis.axhline(0, color=MUTED, lw=1)
    axis.axvline(best, color=ACCENT, alpha=0.2, lw=6)
    if len(lags) > _MOST_BARS:
        axis.fill_between(lags, low, high, color=ACCENT, alpha=0.2, lw=0)
    else:
        axis.vlines(lags, low, high, color=ACCENT, lw=1)
    axis.plot(lags, values, "o", color=ACCENT, ms=5 if len(lags) <= _MOST_BARS else 2.5)
    if len(lags) == 1:
        axis.set_xlim(lags[0] - 1, lags[0] + 1)  # or the ticks would be fractions of a row
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("lag in rows (positive: x leads)")
    axis.set_ylabel(f"I(X[t - lag]; Y[t]) in {unit}")
    axis.set_title(f"largest at lag {best}", loc="left")
    return figure


def plot_curve(
    at: Sequence[float],
    truth: tuple[Sequence[float], Sequence[float]],
    value: Sequence[float],
    interval: Sequence[tuple[float, float]],
    others: Mapping[str, Sequence[float]],
    title: str,
    *,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure:
    """Estimates against the truth over a range of correlations, beside their errors.

    Arguments:
        at: the correlations that were measured.
        truth: a fine grid of correlations, and the information there in nats.
        value: the estimate at each, in nats.
        interval: its interval at each.
        others: the values of other recipes, by name, at the same correlations.
        title: what was done.
        ax: draw there: two axes, of the estimates and of the errors.
    """
    figure, (left, right) = several_axes(ax, 2)
    exact = np.interp(at, *truth)
    left.plot(*truth, color=ink(), lw=1, label="truth")
    ends = np.abs(np.asarray(interval).T - np.asarray(value))
    left.errorbar(at, value, yerr=ends, fmt="none", ecolor=ACCENT, lw=1, alpha=0.6, label="its interval")
    series = {"mibounds.estimate": (value, ACCENT, "o")}
    styles = zip(others.items(), OTHERS, MARKERS[1:], strict=False)
    series |= {name: (numbers, color, f"{marker}--") for (name, numbers), color, marker in styles}
    for name, (numbers, color, style) in series.items():
        left.plot(at, numbers, style, color=color, ms=4, lw=1, label=name)
        right.plot(at, np.asarray(numbers) - exact, style, color=color, ms=4, lw=1, clip_on=False)
    right.axhline(0, color=ink(), lw=1)
    right.set_yscale("symlog", linthresh=0.1)
    left.set(xlabel="correlation of each coordinate pair", ylabel="I(X;Y) in nats")
    right.set(xlabel="correlation of each coordinate pair", ylabel="value minus truth, nats")
    left.set_title(title, loc="left")
    right.set_title("error (linear within 0.1 nats)", loc="left")
    left.legend(frameon=False, loc="upper center")
    return figure


def plot_samples(panels: Mapping[str, Sequence[Sequence[float]]], *, ax: Axes | Sequence[Axes] | None = None) -> Figure:
    """Points of the plane side by side on equal axes.

    Arguments:
        panels: for each title its points (N, 2); the first panel sets the axes.
        ax: draw there: as many axes as panels.
    """
    figure, axes = several_axes(ax, len(panels), height=3.5, width=3.3)
    reach = 1.15 * float(np.abs(np.asarray(next(iter(panels.values())))).max())
    for axis, (title, points) in zip(axes, panels.items(), strict=True):
        axis.plot(*np.asarray(points).T, ".", color=ACCENT, ms=2, alpha=0.5)
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axis.set_title(title, loc="left")
    return figure


def plot_plane(
    series: Mapping[str, Sequence[tuple[float, float, float, float]]],
    entropy: float | None,
    step: str,
    *,
    ax: Axes | None = None,
) -> Figure:
    """The information plane: a line with its own markers for each layer, colored by step.

    Arguments:
        series: for each layer the step, I(X;Z) from below and from above, and I(Z;Y), in nats.
        entropy: H(Y) in nats, which I(Z;Y) cannot exceed; None if it is not known.
        step: what the steps are.
        ax: draw there.
    """
    from matplotlib.lines import Line2D

    figure, axis = one_axes(ax, height=3.9 + (0.09 * len(series) if len(series) > _MOST_INSIDE else 0))
    steps = [point[0] for points in series.values() for point in points]
    legend = []
    for i, (name, points) in enumerate(series.items()):
        at, low, _, label = np.asarray(points, dtype=float).T
        marker = MARKERS[i % len(MARKERS)]
        axis.plot(low, label, color=MUTED, lw=0.8, zorder=2)
        dots = axis.scatter(
            low, label, c=at, vmin=min(steps), vmax=max(steps), cmap="viridis", marker=marker, s=36, zorder=3,
            edgecolors="white", linewidths=0.4,
        )  # fmt: skip
        legend.append(Line2D([], [], color=MUTED, marker=marker, mec="white", mfc=ink(), lw=0.8, label=name))
    if entropy is not None:
        axis.axhline(entropy, color=ink(), lw=1, ls="--")
        legend.append(Line2D([], [], color=ink(), lw=1, ls="--", label=f"H(Y) = {entropy:.3g}"))
    axis.set_xlim(axis.get_xlim())  # an upper bound far away must not squeeze the rest
    for points in series.values():
        _, low, high, label = np.asarray(points, dtype=float).T
        axis.hlines(label, low, high, color=MUTED, lw=0.8, alpha=0.4, zorder=1)
    axis.set(xlabel="I(X;Z) in nats; whiskers reach to the upper bound", ylabel="I(Z;Y) in nats")
    figure.colorbar(dots, ax=axis, label=step, shrink=0.8)
    if ax is None and len(series) > _MOST_INSIDE:
        figure.legend(handles=legend, frameon=False, fontsize=SMALL, loc="outside lower center", ncols=2)
    else:
        axis.legend(handles=legend, frameon=False, fontsize=SMALL, loc="best")
    return figure


def plot_cost(series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, ax: Axes | None = None) -> Figure:
    """The absolute error of every fit against the seconds that it took; a large marker is the median of each series,
    and has its name beside it.

    Arguments:
        series: for each name the seconds and the absolute errors in nats of its fits.
        ax: draw there.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, axis = one_axes(ax)
    colors = (ACCENT, *OTHERS)
    medians: dict[str, tuple[float, float]] = {}
    for i, (name, (seconds, errors)) in enumerate(series.items()):
        style: dict[str, Any] = {"marker": MARKERS[i % len(MARKERS)], "color": colors[i % len(colors)], "ls": "none"}
        if len(seconds) > 1:
            axis.plot(seconds, errors, ms=3, alpha=0.3, mew=0, clip_on=False, **style)
        if len(seconds):
            medians[name] = float(np.median(seconds)), float(np.median(errors))
            axis.plot(*medians[name], ms=8, mec="white", clip_on=False, zorder=3, **style)
    axis.set_xscale("log")
    axis.set_yscale("symlog", linthresh=0.1)
    axis.set_ylim(bottom=0)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_minor_formatter(NullFormatter())
    for scale in (axis.xaxis, axis.yaxis):
        scale.set_major_formatter("{x:g}")
    axis.set(xlabel="seconds of a fit", ylabel="absolute error in nats (linear within 0.1)")
    label_points(axis, list(medians.values()), list(medians))
    return figure
