"""Markdown and figures as one page with the style sheet of a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from mibounds._extras import require
from mibounds.report.environment import render

__all__ = ["document_page"]

_ALONE = re.compile(r"<p>(<figure>.*?</figure>)</p>", re.DOTALL)  # a paragraph cannot hold a figure


def document_page(markdown: str, figures: Mapping[str, str]) -> str:
    r"""Markdown as a self-contained page.

    Arguments:
        markdown: headings, paragraphs, lists, tables and images; the first heading becomes the title. HTML in it is
            shown as text.
        figures: SVG from `inline_svg`, by the address that images have in the Markdown; other images become their
            text.

    Returns:
        HTML.

    Example:
        >>> page = document_page("# Errors\n\n| n | error |\n|--:|--:|\n| 100 | <b> |", {})
        >>> '<th scope="col" style="text-align:right">n</th>' in page, "&lt;b&gt;" in page
        (True, True)
    """
    require("markdown_it", extra="report", purpose="A page from Markdown")
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    reader = MarkdownIt("js-default", {"linkify": False})
    tokens = reader.parse(markdown)
    title = next((tokens[i + 1].content for i, token in enumerate(tokens) if token.tag == "h1"), "mibounds")
    for token in tokens:
        if token.type == "th_open":
            token.attrs = {"scope": "col", **token.attrs}
        for part in token.children or ():
            if part.type == "image":
                known = figures.get(str(part.attrs["src"]))
                part.type = "text" if known is None else "html_inline"
                if known is not None:
                    part.content = f"<figure>{known}<figcaption>{escape(part.content)}</figcaption></figure>"
    body = reader.renderer.render(tokens, reader.options, {})
    body = _ALONE.sub(r"\1", body)
    body = body.replace("<table>", '<div class="wide" role="region" aria-label="table" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>")
    return render("document", title=title, body=Markup(body))
