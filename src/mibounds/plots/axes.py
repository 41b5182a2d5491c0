"""Axes in the style of all figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mibounds._extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ACCENT", "INK", "MUTED", "OTHERS", "blank_axes", "name_ticks", "one_axes", "save_figure", "styled_axes"]

INK, ACCENT, MUTED = "#1c2127", "#1f6fb2", "#9a9a9a"
OTHERS = ("#d1722b", "#5b9a3c", "#8c5fa8")
_LONGEST = 24  # characters of a name beside an axis
_MOST_NAMES = 60


def blank_axes(ax: Axes | None, width: float, height: float) -> tuple[Figure, Axes]:
    """The given axes with their figure, or plain axes of a new figure.

    Arguments:
        ax: axes to draw in; None makes a figure.
        width: of the new figure in inches.
        height: likewise.
    """
    if ax is not None:
        return ax.figure, ax  # type: ignore[return-value]
    figure = _figure(width, height)
    return figure, figure.subplots()


def one_axes(ax: Axes | None, height: float = 3.9) -> tuple[Figure, Axes]:
    """The given axes with their figure, or styled axes of a new figure.

    Arguments:
        ax: axes to draw in; None makes a figure.
        height: of the new figure in inches.
    """
    if ax is not None:
        return blank_axes(ax, 0, 0)
    figure, (axis,) = styled_axes(1, height)
    return figure, axis


def styled_axes(count: int, height: float = 3.9) -> tuple[Figure, Sequence[Axes]]:
    """A new figure with this number of styled axes side by side."""
    figure = _figure(5.2 * count, height)
    axes: Sequence[Axes] = figure.subplots(1, count, squeeze=False)[0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.2)
    return figure, axes


def name_ticks(axis: Axes, which: str, names: Sequence[str]) -> None:
    """Write names along an axis: long ones are cut, and of many only every second, third, ... is written.

    Arguments:
        axis: where to write.
        which: "x" or "y".
        names: one for each whole number from 0.
    """
    step = 1 + (len(names) - 1) // _MOST_NAMES
    places = range(0, len(names), step)
    short = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in names[::step]]
    size = 8 if len(names) <= 30 else 6
    if which == "x":
        axis.set_xticks(places, short, rotation=90, fontsize=size)
    else:
        axis.set_yticks(places, short, fontsize=size)


def save_figure(figure: Figure, path: str) -> None:
    """Write a figure as PNG, SVG or PDF by the file's ending."""
    figure.savefig(path, dpi=150)


def _figure(width: float, height: float) -> Figure:
    require("matplotlib", extra="plots", purpose="A figure")
    from mibounds.plots.notebook import NotebookFigure

    return NotebookFigure(figsize=(width, height), layout="constrained")
