"""The reference shows docstrings as they are meant: examples as code, and formulas as formulas.

Docstrings say "Example:", which the parser takes for a remark, so that a prompt >>> becomes a quotation in quotations.
Their formulas are LaTeX in the directives of Sphinx, and become those of Markdown, which docs/formulas.py typesets.
"""

import inspect
import re
from typing import Any

import griffe

DISPLAYED = re.compile(r"^( *)\.\. math:: *(.*(?:\n\1 +\S.*)*)", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called once for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = readable(obj.docstring.value)


def readable(text: str) -> str:
    """A docstring with its examples as code and its formulas between dollars."""
    text = DISPLAYED.sub(_displayed, inspect.cleandoc(text))
    text = re.sub(r":math:`(.+?)`", lambda formula: f"${' '.join(formula[1].split())}$", text, flags=re.DOTALL)
    return re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)


def _displayed(formula: re.Match[str]) -> str:
    lines = [line.strip() for line in formula[2].splitlines() if line.strip()]
    return "\n".join(formula[1] + line for line in ("$$", *lines, "$$"))
