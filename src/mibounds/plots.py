"""Figures from arrays. Nothing here knows what an estimator is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "plot_bracket",
    "plot_cost",
    "plot_curve",
    "plot_errors",
    "plot_lags",
    "plot_learning_curve",
    "plot_matrix",
    "plot_plane",
    "plot_result",
    "plot_samples",
    "save_figure",
]

_INK, _BLUE, _GREY = "#222222", "#1f6fb2", "#9a9a9a"
_MARKERS = "os^Dvp*XPh"
_OTHERS = ("#d1722b", "#5b9a3c", "#8c5fa8")


def plot_result(
    bounds: Mapping[str, float],
    reading: str,
    interval: tuple[float, float],
    curves: Sequence[tuple[Sequence[int], Sequence[float], int]],
    unit: str,
) -> Figure:
    """What each bound reads, the reported one with its interval; and the validation score of every fold by step.

    Arguments:
        bounds: the number of each bound, in `unit`.
        reading: the bound that is reported.
        interval: (low, high) in `unit`.
        curves: for each fold the steps, the validation scores in nats, and the step whose weights were kept.
        unit: "nats" or "bits".
    """
    figure, (left, right) = _axes(2)
    names = list(bounds)[::-1]
    low, high = interval
    left.axvspan(low, high, color=_BLUE, alpha=0.12, lw=0)
    for i, name in enumerate(names):
        left.plot(bounds[name], i, "o", color=_BLUE if name == reading else _GREY, ms=8 if name == reading else 6)
    left.set_yticks(range(len(names)), names)
    left.set_ylim(-0.6, len(names) - 0.4)
    left.set_xlabel(f"I(X;Y) in {unit}; the band is the interval")
    left.set_title(f"{bounds[reading]:.3g} {unit}, read by {reading}", loc="left")
    for steps, scores, best in curves:
        right.plot(steps, scores, color=_INK, lw=1, alpha=0.6)
        right.plot(best, scores[list(steps).index(best)], "o", color=_BLUE, ms=5)
    right.set_xlabel("training step; the dot is the step that was kept")
    right.set_ylabel("validation loss (nats)")
    right.set_title("how each fold learnt", loc="left")
    return figure


def plot_learning_curve(
    sizes: Sequence[int],
    values: Sequence[float],
    stderrs: Sequence[float],
    fitted: tuple[Sequence[float], Sequence[float]],
    limit: tuple[float, float],
    unit: str,
) -> Figure:
    """Values against the number of rows on a logarithmic axis, with the fitted curve and its limit.

    Arguments:
        sizes: rows.
        values: the value at each, in `unit`.
        stderrs: its standard error.
        fitted: rows and values of the curve.
        limit: where it ends, and the standard error of that.
        unit: "nats" or "bits".
    """
    figure, (axes,) = _axes(1)
    end, error = limit
    axes.axhspan(end - 2 * error, end + 2 * error, color=_GREY, alpha=0.2, lw=0)
    axes.axhline(end, color=_GREY, lw=1, label=f"with endless rows: {end:.3g}")
    axes.plot(*fitted, color=_INK, lw=1)
    axes.errorbar(
        sizes, values, yerr=2 * np.asarray(stderrs), fmt="o", color=_BLUE, label="estimate, 2 standard errors"
    )
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axes.minorticks_off()
    axes.set_xlabel("rows")
    axes.set_ylabel(f"I(X;Y) in {unit}")
    axes.set_title("the estimate by rows", loc="left")
    axes.legend(frameon=False)
    return figure


def plot_lags(
    lags: Sequence[int], values: Sequence[float], intervals: Sequence[tuple[float, float]], best: int, unit: str
) -> Figure:
    """Values with their intervals against the lag, the largest marked.

    Arguments:
        lags: in rows.
        values: the value at each, in `unit`.
        intervals: (low, high) of each, in `unit`.
        best: the lag to mark.
        unit: "nats" or "bits".
    """
    from matplotlib.ticker import MaxNLocator

    figure, (axis,) = _axes(1)
    axis.axhline(0, color=_GREY, lw=1)
    axis.axvline(best, color=_BLUE, alpha=0.2, lw=6)
    axis.vlines(lags, *np.asarray(intervals).T, color=_BLUE, lw=1)
    axis.plot(lags, values, "o-", color=_BLUE, ms=5, lw=0.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("lag in rows; of a positive one x leads")
    axis.set_ylabel(f"I(X[t - lag]; Y[t]) in {unit}")
    axis.set_title(f"largest at lag {best}", loc="left")
    return figure


def plot_bracket(
    lower: tuple[float, float],
    upper: tuple[float, float],
    interval: tuple[float, float],
    others: Mapping[str, float],
    unit: str,
) -> Figure:
    """A lower and an upper side on one axis, the interval between them as a band, and other readings below.

    Arguments:
        lower: the value and its standard error, in `unit`.
        upper: likewise.
        interval: (low, high) in `unit`.
        others: further numbers by name, in `unit`.
        unit: "nats" or "bits".
    """
    figure, (axis,) = _axes(1)
    axis.axvspan(*interval, color=_BLUE, alpha=0.12, lw=0)
    names = [*others][::-1]
    for i, name in enumerate(names):
        axis.plot(others[name], i, "o", color=_GREY, ms=6)
    top = len(names)
    for (value, stderr), marker in ((lower, ">"), (upper, "<")):
        axis.errorbar(value, top, xerr=2 * stderr, fmt=marker, color=_BLUE, ms=8, lw=1, capsize=3)
    axis.set_yticks(range(top + 1), [*names, "bracket"])
    axis.set_ylim(-0.6, top + 0.6)
    axis.set_xlabel(f"I(X;Y) in {unit}; bars are two standard errors,\nthe band is the interval")
    axis.set_title(f"{lower[0]:.3g} to {upper[0]:.3g} {unit}", loc="left")
    return figure


def plot_curve(
    at: Sequence[float],
    truth: tuple[Sequence[float], Sequence[float]],
    value: Sequence[float],
    interval: Sequence[tuple[float, float]],
    others: Mapping[str, Sequence[float]],
    title: str,
) -> Figure:
    """Estimates against the truth over a range of correlations; below, how far each is off.

    Arguments:
        at: the correlations that were measured.
        truth: a fine grid of correlations, and the information there in nats.
        value: our value at each, in nats.
        interval: our interval at each.
        others: the values of other recipes, by name, at the same correlations.
        title: what was done.
    """
    figure, (left, right) = _axes(2)
    exact = np.interp(at, *truth)
    left.plot(*truth, color=_INK, lw=1, label="truth")
    ends = np.abs(np.asarray(interval).T - np.asarray(value))
    left.errorbar(at, value, yerr=ends, fmt="none", ecolor=_BLUE, lw=1, alpha=0.6)
    series = {"mibounds.estimate": (value, _BLUE, "o")}
    series |= {name: (numbers, color, "s--") for (name, numbers), color in zip(others.items(), _OTHERS, strict=False)}
    for name, (numbers, color, style) in series.items():
        left.plot(at, numbers, style, color=color, ms=4, lw=1, label=name)
        right.plot(at, np.asarray(numbers) - exact, style, color=color, ms=4, lw=1)
    right.axhline(0, color=_INK, lw=1)
    right.set_yscale("symlog", linthresh=0.1)
    left.set(xlabel="correlation of each coordinate pair", ylabel="I(X;Y) in nats")
    right.set(xlabel="correlation of each coordinate pair", ylabel="value minus truth, nats")
    left.set_title(title, loc="left")
    right.set_title("error (linear within 0.1 nats)", loc="left")
    left.legend(frameon=False, loc="upper center")
    return figure


def plot_samples(panels: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Points of the plane side by side on equal axes.

    Arguments:
        panels: for each title its points (N, 2); the first panel sets the axes.
    """
    figure, axes = _axes(len(panels))
    reach = 1.15 * float(np.abs(np.asarray(next(iter(panels.values())))).max())
    for axis, (title, points) in zip(axes, panels.items(), strict=True):
        axis.plot(*np.asarray(points).T, ".", color=_BLUE, ms=2, alpha=0.5)
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axis.set_title(title, loc="left")
    return figure


def plot_errors(errors: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """A heat map of signed errors, each written into its cell; blue is too low and red too high.

    Arguments:
        errors: value minus truth in nats, (rows, columns); NaN where there is none.
        rows: the name of each row, from the top.
        columns: the name of each column.
    """
    from matplotlib.figure import Figure

    table = np.asarray(errors, dtype=float)
    figure = Figure(figsize=(4.2 + 0.9 * len(columns), 1.2 + 0.26 * len(rows)), layout="constrained")
    axis = figure.subplots()
    # Beyond one nat the colors stay as they are, or one large error would bleach all others.
    reach = float(np.clip(np.abs(table[np.isfinite(table)]).max(initial=0), 0.1, 1))
    image = axis.imshow(table, cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto")
    for (i, j), error in np.ndenumerate(table):
        if np.isfinite(error):
            ink = "white" if abs(error) > 0.6 * reach else _INK
            axis.text(j, i, f"{error:+.2f}", ha="center", va="center", fontsize=7, color=ink)
    axis.set_yticks(range(len(rows)), rows, fontsize=7)
    axis.set_xticks(range(len(columns)), columns, fontsize=8)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    figure.colorbar(image, label="value minus truth, nats", extend="both", shrink=0.8)
    return figure


def plot_matrix(
    values: Sequence[Sequence[float]],
    names: Sequence[str],
    unit: str,
    found: Sequence[Sequence[bool]] | None = None,
) -> Figure:
    """A heat map of all pairs; the diagonal stays empty.

    Arguments:
        values: (D, D) in `unit`, NaN where there is none.
        names: of the D variables.
        unit: "nats" or "bits".
        found: pairs that get a dot, (D, D).
    """
    from matplotlib.figure import Figure

    table = np.asarray(values, dtype=float)
    side = 2.4 + min(0.28 * len(names), 14)
    figure = Figure(figsize=(side + 1.0, side), layout="constrained")
    axis = figure.subplots()
    top = float(np.nanmax(table, initial=0.1))
    image = axis.imshow(table, cmap="viridis", vmin=0, vmax=top)
    if found is not None:
        dots = np.argwhere(np.asarray(found, dtype=bool) & np.isfinite(table))
        axis.plot(*dots.T[::-1], ".", color="white", mec=_INK, mew=0.3, ms=4, ls="none")
    size = 8 if len(names) <= 30 else 5
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axis.set_yticks(range(len(names)), names, fontsize=size)
    axis.tick_params(length=0)
    figure.colorbar(image, label=f"I in {unit}", shrink=0.8)
    return figure


def plot_plane(
    series: Mapping[str, Sequence[tuple[float, float, float, float]]], entropy: float | None, step: str
) -> Figure:
    """The information plane: a line with markers of its own for each layer, colored by step.

    Arguments:
        series: for each layer the step, I(X;Z) from below and from above, and I(Z;Y), in nats.
        entropy: H(Y) in nats, which I(Z;Y) cannot exceed; None if it is not known.
        step: what the steps are.
    """
    from matplotlib.lines import Line2D

    figure, (axis,) = _axes(1)
    steps = [point[0] for points in series.values() for point in points]
    legend = []
    for i, (name, points) in enumerate(series.items()):
        at, low, _, label = np.asarray(points, dtype=float).T
        marker = _MARKERS[i % len(_MARKERS)]
        axis.plot(low, label, color=_GREY, lw=0.8, zorder=2)
        dots = axis.scatter(
            low, label, c=at, vmin=min(steps), vmax=max(steps), cmap="viridis", marker=marker, s=36, zorder=3,
            edgecolors="white", linewidths=0.4,
        )  # fmt: skip
        legend.append(Line2D([], [], color=_GREY, marker=marker, mec="white", mfc=_INK, lw=0.8, label=name))
    if entropy is not None:
        axis.axhline(entropy, color=_INK, lw=1, ls="--")
        legend.append(Line2D([], [], color=_INK, lw=1, ls="--", label=f"H(Y) = {entropy:.3g}"))
    axis.set_xlim(axis.get_xlim())  # an upper bound far away must not squeeze the rest
    for points in series.values():
        _, low, high, label = np.asarray(points, dtype=float).T
        axis.hlines(label, low, high, color=_GREY, lw=0.8, alpha=0.4, zorder=1)
    axis.set(xlabel="I(X;Z) in nats; whiskers reach to the upper bound", ylabel="I(Z;Y) in nats")
    axis.legend(handles=legend, frameon=False, fontsize=8, loc="best")
    figure.colorbar(dots, label=step, shrink=0.8)
    return figure


def plot_cost(series: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """The absolute error of every fit against the seconds that it took.

    Arguments:
        series: for each name the seconds and the absolute errors in nats of its fits.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, (axis,) = _axes(1)
    for i, (name, (seconds, errors)) in enumerate(series.items()):
        axis.plot(seconds, errors, "o", color=f"C{i}", ms=4, alpha=0.6, label=name, clip_on=False)
    axis.set_xscale("log")
    axis.set_yscale("symlog", linthresh=0.1)
    axis.set_ylim(bottom=0)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_minor_formatter(NullFormatter())
    for scale in (axis.xaxis, axis.yaxis):
        scale.set_major_formatter("{x:g}")
    axis.set(xlabel="seconds of a fit", ylabel="absolute error in nats (linear within 0.1)")
    axis.legend(frameon=False, fontsize=8)
    return figure


def save_figure(figure: Figure, path: str) -> None:
    """Write a figure as PNG, SVG or PDF by the file's ending."""
    figure.savefig(path, dpi=150)


def _axes(count: int) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib.figure import Figure

    # A figure of its own and no pyplot: nothing global changes, and it works without a display.
    figure = Figure(figsize=(5.2 * count, 3.9), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.2)
    return figure, axes
