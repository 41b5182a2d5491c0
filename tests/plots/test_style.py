"""One style for figures and reports."""

from pathlib import Path

import mibounds.report
from mibounds.plots import style


def luminance(color):
    """Of a color, by WCAG 2."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_style_sheet_of_reports_has_the_colors_of_figures():
    sheet = (Path(mibounds.report.__file__).parent / "templates" / "style.css").read_text("utf-8")
    light = sheet.partition("@media")[0]
    for name, color in (("ink", style.INK), ("accent", style.ACCENT), ("line", style.LINE)):
        assert f"--{name}: {color};" in light


def test_text_and_curves_have_contrast_on_white():
    for color, least in ((style.INK, 12), (style.ACCENT, 4.5), (style.MUTED, 3)):
        assert 1.05 / (luminance(color) + 0.05) >= least, color


def test_series_differ_in_more_than_color():
    colors = (style.INK, style.ACCENT, style.MUTED, *style.OTHERS)
    assert len({*colors}) == len(colors)
    assert len({*style.MARKERS}) == len(style.MARKERS) >= len(colors)
    assert len({*style.DASHES}) == len(style.DASHES) >= 4
