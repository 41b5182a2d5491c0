import re
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure

from mibounds.plots import plot_intervals
from mibounds.plots.style import ACCENT, INK
from mibounds.report.svg import inline_svg


def figure():
    drawn = Figure(figsize=(3, 2))
    axis = drawn.subplots()
    axis.plot([1, 2], [3, 4], "o-", color=ACCENT, label="one")
    axis.axhline(3.5, color=INK)
    axis.axvspan(1, 1.5, color="#123456")
    axis.set_xlabel("a <b> & c")
    return drawn


def test_it_says_what_it_shows_and_takes_the_colors_and_the_font_of_the_page():
    svg = inline_svg(figure(), "fig", "A <title>", "what it shows")
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "fig-title fig-desc"
    assert [(child.tag, child.attrib["id"], child.text) for child in root[:2]] == [
        ("title", "fig-title", "A <title>"), ("desc", "fig-desc", "what it shows"),
    ]  # fmt: skip
    assert "a <b> & c" in [text.text for text in root.iter("text")]
    assert "var(--accent)" in svg
    assert "currentColor" in svg
    assert "#123456" in svg
    assert ACCENT not in svg
    assert not re.search(r"font-family|<style|<metadata|http|width=\"\d+pt", svg)


def test_ids_are_those_of_the_figure_and_of_every_run():
    svg = inline_svg(figure(), "a b", "t", "d")
    ids = re.findall(r' id="([^"]*)"', svg)
    assert len(ids) == len(set(ids)) > 10
    assert all(one.startswith("a-b-") for one in ids)
    used = re.findall(r'href="#([^"]*)"', svg) + re.findall(r"url\(#([^)]*)\)", svg)
    assert used
    assert set(used) <= set(ids)
    assert inline_svg(figure(), "a b", "t", "d") == svg


def test_the_short_form_of_fonts_that_older_matplotlib_writes(monkeypatch):
    def savefig(self, file, **_):
        file.write(
            '<svg xmlns="http://www.w3.org/2000/svg"><text style="font: 10px \'DejaVu Sans\', sans-serif; '
            'text-anchor: middle">t</text></svg>'
        )

    monkeypatch.setattr(Figure, "savefig", savefig)
    assert 'style="font-size: 10px; text-anchor: middle"' in inline_svg(Figure(), "f", "t", "d")


def test_nothing_global_changes():
    before = dict(matplotlib.rcParams)
    inline_svg(figure(), "fig", "t", "d")
    assert dict(matplotlib.rcParams) == before


def test_the_colors_of_a_style_are_those_of_the_page():
    """Under a dark style of matplotlib the names of axes were white on a white page."""
    from matplotlib.style import context

    with context("dark_background"):
        drawn = plot_intervals({"a": (0.5, 0.4, 0.6), "b": (0.2, 0.1, 0.3)}, "title", "nats")
        svg = inline_svg(drawn, "fig", "t", "d")
    assert "currentColor" in svg
    assert not re.search("fill: #ffffff|stroke: #ffffff", svg)
