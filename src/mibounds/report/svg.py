"""Figures as SVG inside a page: they take its font and its colors, light or dark, and say in words what they show."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ACCENT", "INK", "LINE", "MUTED", "inline_svg"]

INK, ACCENT, MUTED, LINE = "#1c2127", "#1f6fb2", "#9a9a9a", "#d3d9df"
# What the style sheet of the page decides instead; other colors stay as they are. Black is what matplotlib draws axes
# in, and no INK: it is not written out where it fills.
_OF_THE_PAGE = {
    "#000000": "currentColor",
    INK: "currentColor",
    ACCENT: "var(--accent)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
}
_COLOR = re.compile(r"#[0-9a-f]{6}\b")
_FONT = re.compile(r"(?<![\w-])(?:font-family:|font:.*?([\d.]+px))[^;]*;?")  # older matplotlib writes the short form
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


def inline_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """A figure as an `<svg>` element for a page: text stays text, and a screen reader reads the title and what the
    figure shows.

    Arguments:
        figure: drawn with `INK`, `ACCENT`, `MUTED` and `LINE` where the page's colors are to be taken.
        name: of the figure, unlike all others of the page: its ids begin with it, letters and digits alone.
        title: what it is.
        description: what it shows.
    """
    from matplotlib import rc_context

    name = re.sub(r"\W+", "-", name)
    content = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):  # text as text; the same ids every time
        figure.savefig(content, format="svg", transparent=True)
    root = ElementTree.fromstring(content.getvalue())
    for found in [*root.findall(f"{_SVG}metadata"), *root.findall(f"{_SVG}defs[{_SVG}style]")]:
        root.remove(found)  # a date, and a style for all of the page, which has its own
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        attributes = {key.removeprefix(_XLINK): _inside(name, key, text) for key, text in element.attrib.items()}
        element.attrib.clear()
        element.attrib.update(attributes)
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    labels = {"title": title, "desc": description}
    root.attrib |= {"role": "img", "aria-labelledby": " ".join(f"{name}-{tag}" for tag in labels)}
    for place, (tag, text) in enumerate(labels.items()):
        label = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        label.text = text
        root.insert(place, label)
    return ElementTree.tostring(root, encoding="unicode")


def _inside(name: str, key: str, text: str) -> str:
    """An attribute with the ids, the font and the colors of the page."""
    if key == "id":
        return f"{name}-{text}"
    if key == f"{_XLINK}href":
        return text.replace("#", f"#{name}-", 1) if text.startswith("#") else text
    text = text.replace("url(#", f"url(#{name}-")
    if key != "style":
        return text
    text = _FONT.sub(lambda found: f"font-size: {found[1]};" if found[1] else "", text)
    return _COLOR.sub(lambda found: _OF_THE_PAGE.get(found[0], found[0]), text).strip()
