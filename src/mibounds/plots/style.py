"""The style of all figures and reports: colors, and markers and dashes beside them, so that no color is needed to read
a figure.

The colors of series are those of Okabe and Ito, which people with a color vision deficiency can tell apart.
"""

from __future__ import annotations

__all__ = ["ACCENT", "DASHES", "INK", "LINE", "MARKERS", "MUTED", "OTHERS", "PAPER", "SMALL", "ink"]

INK, ACCENT, MUTED, LINE = "#1c2127", "#1a66a8", "#8b939b", "#dde2e7"
"""Of text and curves, of what a figure is about, of what stands behind, and of grids."""
PAPER = "#fefefe"
"""Of text in dark cells, whatever the style of matplotlib is."""
OTHERS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Of further series."""
MARKERS = "os^Dvp*XPh"
"""Of series, one after the other."""
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)))
"""Of curves, one after the other."""
SMALL = 8
"""Points of text inside of a figure."""


def ink() -> str:
    """`INK`, or under a dark style of matplotlib the color of its text.

    >>> ink() == INK
    True
    """
    from matplotlib import colors, rcParams

    text = rcParams["text.color"]
    return colors.to_hex(text) if sum(colors.to_rgb(text)) > 1.5 else INK
