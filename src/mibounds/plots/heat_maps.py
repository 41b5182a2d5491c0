"""Heat maps: errors by task and estimator, information of all pairs of variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mibounds.plots.axes import blank_axes, name_ticks, names_width
from mibounds.plots.style import INK, PAPER, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_errors", "plot_matrix"]

_MOST_WRITTEN = 12  # variables of a matrix, up to which its cells hold their numbers
_CELL, _SMALL_CELL = 0.42, 0.17  # inches of a cell with its number, and of one without
_LARGEST = 14.0  # inches of all cells; of more variables, cells are smaller and not all names are written


def plot_errors(
    errors: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], *, ax: Axes | None = None
) -> Figure:
    """A heat map of signed errors, each written into its cell; blue is too low and red too high.

    Arguments:
        errors: value minus truth in nats, (rows, columns); NaN where there is none.
        rows: the name of each row, from the top.
        columns: the name of each column.
        ax: draw there.
    """
    table = np.asarray(errors, dtype=float)
    figure, axis = blank_axes(ax, 4.2 + 0.9 * len(columns), 1.2 + 0.26 * len(rows))
    # Beyond one nat the colors stay as they are, or one large error would bleach all others.
    reach = float(np.clip(np.abs(table[np.isfinite(table)]).max(initial=0), 0.1, 1))
    image = axis.imshow(table, cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto")
    for (i, j), error in np.ndenumerate(table):
        if np.isfinite(error):
            text_color = PAPER if abs(error) > 0.6 * reach else INK
            axis.text(j, i, f"{round(error, 2) + 0.0:+.2f}", ha="center", va="center", fontsize=7, color=text_color)
    axis.set_yticks(range(len(rows)), rows, fontsize=7)
    axis.set_xticks(range(len(columns)), columns, fontsize=8)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    figure.colorbar(image, ax=axis, label="value minus truth, nats", extend="both", shrink=0.8)
    return figure


def plot_matrix(
    values: Sequence[Sequence[float]],
    names: Sequence[str],
    unit: str,
    dots: Sequence[Sequence[bool]] | None = None,
    *,
    note: str = "",
    ax: Axes | None = None,
) -> Figure:
    """A heat map of all pairs; the diagonal stays empty. The cells of a small matrix hold their numbers.

    Arguments:
        values: (D, D) in `unit`, NaN where there is none.
        names: of the D variables.
        unit: "nats" or "bits".
        dots: pairs that get a dot, (D, D).
        note: what a dot means.
        ax: draw there.
    """
    table = np.asarray(values, dtype=float)
    count = len(names)
    cell = min(_CELL if count <= _MOST_WRITTEN else _SMALL_CELL, _LARGEST / count)
    side = max(cell * count, 1.6) + names_width(names)
    figure, axis = blank_axes(ax, side + 1.2, side + (0.3 if note else 0.0))
    known = table[np.isfinite(table)]
    top = max(float(known.max(initial=0.1)), 0.1)
    # A few pairs that are nearly copies of each other would take the whole range of colors.
    reach = min(top, max(2 * float(np.quantile(known, 0.9)), 0.1)) if len(known) else top
    image = axis.imshow(table, cmap="viridis", vmin=0, vmax=reach)
    if count <= _MOST_WRITTEN:
        for (i, j), value in np.ndenumerate(table):
            if np.isfinite(value):
                text_color = PAPER if value < 0.6 * reach else INK
                text = f"{round(value, 2) + 0.0:.2f}"
                axis.text(j, i, text, ha="center", va="center", fontsize=7, color=text_color)
    if dots is not None:
        at = np.argwhere(np.asarray(dots, dtype=bool) & np.isfinite(table)).astype(float)
        at += [-0.3, 0.3] if count <= _MOST_WRITTEN else [0, 0]  # beside the numbers
        size = 4.0 if count <= _MOST_WRITTEN else max(1.0, 26 * cell)
        axis.plot(*at.T[::-1], ".", color="white", mec=INK, mew=0.3, ms=size, ls="none")
        axis.set_xlabel(note, fontsize=SMALL)
    name_ticks(axis, "x", names, room=72 * cell)
    name_ticks(axis, "y", names, room=72 * cell)
    axis.tick_params(length=0)
    figure.colorbar(
        image, ax=axis, label=f"I(X;Y) in {unit}", extend="max" if reach < top else "neither", shrink=0.8
    )  # fmt: skip
    return figure
