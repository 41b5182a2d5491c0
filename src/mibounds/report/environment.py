"""From a template and what is to be filled in to a page."""

from __future__ import annotations

from typing import Any

__all__ = ["render"]


def render(template: str, **content: Any) -> str:
    """A page from one of the templates beside this file; text is escaped, and a missing name is an error.

    Arguments:
        template: its name without the ending.
        content: what it names.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mibounds.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{template}.html").render(content)
