"""Figures as SVG elements of a page, with its font, its colors (light or dark) and alternative text."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from mibounds.plots.style import ACCENT, INK, LINE, MUTED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["inline_svg"]

# The style sheet of the page sets these instead; other colors stay as they are. Black is the color of matplotlib's
# axes. INK is another one, because black is not written where it fills.
_OF_THE_PAGE = {
    "#000000": "currentColor",
    INK: "currentColor",
    ACCENT: "var(--accent)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
}
# What a style of matplotlib that the user has set colors, dark ones included.
_OF_THE_STYLE = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_COLOR = re.compile(r"#[0-9a-f]{6}\b")
_FONT = re.compile(r"(?<![\w-])(?:font-family:|font:.*?([\d.]+px))[^;]*;?")  # older matplotlib writes the short form
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


def inline_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """A figure as an `<svg>` element for a page: text stays text, and screen readers get a title and a description.

    Arguments:
        figure: drawn with `INK`, `ACCENT`, `MUTED` and `LINE` where the colors of the page shall replace them.
        name: of the figure, unique on the page: its ids begin with it (letters and digits only).
        title: what the figure is.
        description: what it shows.

    Returns:
        SVG.
    """
    from matplotlib import colors, rc_context, rcParams

    parameters: Any = rcParams  # whose keys newer types of matplotlib list
    of_the_style = {colors.to_hex(parameters[key]): "currentColor" for key in _OF_THE_STYLE}
    page_colors = of_the_style | _OF_THE_PAGE
    name = re.sub(r"\W+", "-", name)
    content = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):  # text as text; the same ids every time
        figure.savefig(content, format="svg", transparent=True)
    root = ElementTree.fromstring(content.getvalue())
    for found in [*root.findall(f"{_SVG}metadata"), *root.findall(f"{_SVG}defs[{_SVG}style]")]:
        root.remove(found)  # a date, and a style that would apply to the whole page
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        attributes = {
            key.removeprefix(_XLINK): _inside(name, key, text, page_colors) for key, text in element.attrib.items()
        }
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


def _inside(name: str, key: str, text: str, page_colors: Mapping[str, str]) -> str:
    """An attribute with the ids, the font and the colors of the page."""
    if key == "id":
        return f"{name}-{text}"
    if key == f"{_XLINK}href":
        return text.replace("#", f"#{name}-", 1) if text.startswith("#") else text
    text = text.replace("url(#", f"url(#{name}-")
    if key != "style":
        return text
    text = _FONT.sub(lambda found: f"font-size: {found[1]};" if found[1] else "", text)
    return _COLOR.sub(lambda found: page_colors.get(found[0], found[0]), text).strip()
