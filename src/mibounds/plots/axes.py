"""Axes in the style of all figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mibounds._extras import require
from mibounds.plots.style import SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "blank_axes", "label_points", "name_ticks", "names_width", "one_axes", "save_figure", "several_axes", "styled_axes",
]  # fmt: skip

_LONGEST = 32  # characters of a name beside an axis
_LINE_HEIGHT = 1.15  # of text, in sizes of its font
# Families for names that the font of matplotlib has no glyphs for, where they are installed.
_FALLBACKS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Hiragino Sans",
    "MS Gothic",
    "Arial Unicode MS",
)


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


def several_axes(
    ax: Axes | Sequence[Axes] | None, count: int, height: float = 3.9, width: float = 5.2
) -> tuple[Figure, Sequence[Axes]]:
    """The given axes with their figure, or styled axes of a new figure.

    Arguments:
        ax: axes to draw in, such as an array of `subplots`; None makes a figure.
        count: how many are needed.
        height: of the new figure in inches.
        width: of each of its axes.

    Raises:
        ValueError: if there are fewer or more axes than needed.
    """
    if ax is None:
        return styled_axes(count, height, width)
    axes: list[Axes] = np.ravel(np.asarray(ax, dtype=object)).tolist()
    if len(axes) != count:
        raise ValueError(f"ax has {len(axes)} axes, and this figure needs {count}.")
    return axes[0].figure, axes  # type: ignore[return-value]


def styled_axes(count: int, height: float = 3.9, width: float = 5.2) -> tuple[Figure, Sequence[Axes]]:
    """A new figure with this number of styled axes side by side, each of this width in inches."""
    figure = _figure(width * count, height)
    axes: Sequence[Axes] = figure.subplots(1, count, squeeze=False)[0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.2)
    return figure, axes


def name_ticks(axis: Axes, which: str, names: Sequence[str], room: float = 11.0) -> None:
    """Write names along an axis: long ones are cut, and where they have little room only every second, third, ... one
    is written.

    Arguments:
        axis: where to write.
        which: "x" or "y".
        names: one for each whole number from 0.
        room: points between two of the numbers.
    """
    size = min(SMALL, max(7.0, room / _LINE_HEIGHT))
    step = math.ceil(size * _LINE_HEIGHT / room - 0.05)
    places = range(0, len(names), step)
    short = [_plain(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…") for name in names[::step]]
    set_ticks = axis.set_xticks if which == "x" else axis.set_yticks
    style: dict[str, Any] = {"rotation": 90} if which == "x" else {}
    set_ticks(places, short, fontsize=size, **style)
    if not all(name.isascii() for name in short):
        for label in axis.get_xticklabels() if which == "x" else axis.get_yticklabels():
            label.set_fontfamily(_families())


def _plain(name: str) -> str:
    """The same text, whose dollar signs begin no formula."""
    return name.replace("$", r"\$")


def names_width(names: Sequence[str]) -> float:
    """Inches that the names along an axis take."""
    return 0.062 * min(max(map(len, names), default=0), _LONGEST) * SMALL / 7 + 0.2


def label_points(axis: Axes, points: Sequence[tuple[float, float]], names: Sequence[str]) -> None:
    """Write a name beside each point, instead of a legend: to its right, or to its left where the axes end or another
    point is near; names that would overlap are moved up.

    Arguments:
        axis: with its limits and scales as they stay.
        points: (x, y) of each.
        names: of them.
    """
    if not points:
        return
    axis.figure.figure.draw_without_rendering()  # which lays the axes out
    scale = axis.figure.dpi / 72  # pixels of a point
    places = (axis.transData.transform(points) / scale).tolist()
    box = axis.get_window_extent()
    placed: list[tuple[float, float, float]] = []  # left end, right end, height of texts in points
    for (x, y), name, point in sorted(zip(places, names, points, strict=True)):
        width = 0.6 * SMALL * len(name)
        end = x + 8 + width
        near = any(x < other <= end + 4 and abs(y - height) < 8 for other, height in places)
        right = end <= box.x1 / scale and not (near and x - 8 - width >= box.x0 / scale)
        start = x + 8 if right else x - 8 - width
        height = y
        while any(start < end and start + width > left and abs(height - other) < 10 for left, end, other in placed):
            height += 2
        placed.append((start, start + width, height))
        axis.annotate(
            _plain(name), point, (8 if right else -8, height - y), textcoords="offset points", va="center",
            ha="left" if right else "right", fontsize=SMALL,
        )  # fmt: skip


def save_figure(figure: Figure, path: str) -> None:
    """Write a figure as PNG, SVG or PDF by the file's ending."""
    figure.savefig(path, dpi=150)


def _figure(width: float, height: float) -> Figure:
    require("matplotlib", extra="plots", purpose="A figure")
    from mibounds.plots.notebook import NotebookFigure

    return NotebookFigure(figsize=(width, height), layout="constrained")


def _families() -> list[str]:
    """The font of matplotlib, and installed ones with more glyphs."""
    from matplotlib import font_manager, rcParams

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [*rcParams["font.family"], *(name for name in _FALLBACKS if name in installed)]
