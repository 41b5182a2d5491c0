"""Formulas become MathML when the site is built, so that no script and no font is fetched to show them.

Markdown pages write $...$ and $$...$$, docstrings :math:`...` and .. math:: (docs/docstrings.py makes these the same).
The extension arithmatex protects them from Markdown; here its elements are replaced.
"""

from __future__ import annotations

import html
import logging
import re
from typing import TYPE_CHECKING, Any

from latex2mathml.converter import convert

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

ELEMENT = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">(?P<open>\\\(|\\\[)(?P<latex>.*?)(?P<close>\\\)|\\\])</(?P=tag)>', re.DOTALL
)

FUNCTION = re.compile(r"<mi>(arg|exp|inf|ln|log|max|mean|min|softplus|sup|tanh|Var)</mi>")

log = logging.getLogger("mkdocs.hooks.formulas")


def on_page_content(content: str, page: Page, **_: Any) -> str:
    """Every formula of a page as MathML; one that cannot be read is an error of the build."""

    def replaced(found: re.Match[str]) -> str:
        try:
            return mathml(html.unescape(found["latex"]), block=found["tag"] == "div")
        except Exception as error:
            log.error("%s: the formula %s: %s", page.file.src_uri, found["latex"], error)
            return found[0]

    return ELEMENT.sub(replaced, content)


def mathml(latex: str, block: bool = False) -> str:
    """The MathML of a formula, with its source for those who read or copy it as text."""
    latex = " ".join(latex.split())
    shown = convert(latex, display="block" if block else "inline")
    shown = FUNCTION.sub(r'<mo lspace="0.17em" rspace="0.17em" stretchy="false">\1</mo>', shown)  # "ln x", not "lnx"
    label = html.escape(latex, quote=True)
    return shown.replace("<math ", f'<math aria-label="{label}" ', 1)
