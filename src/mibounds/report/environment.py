"""Pages from templates."""

from __future__ import annotations

from datetime import date
from typing import Any

from mibounds._extras import require

__all__ = ["render"]


def render(template: str, **content: Any) -> str:
    """A page from one of the templates beside this file; text is escaped, and a missing name is an error.

    Arguments:
        template: its name without the ending.
        content: the values of the names in it; `today`, the date, is there, too.

    Returns:
        HTML.

    Raises:
        jinja2.UndefinedError: if the template has a name that `content` lacks.

    Example:
        >>> "<title>a &amp; b</title>" in render("document", title="a & b", body="")
        True
    """
    require("jinja2", extra="report", purpose="A report")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mibounds.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{template}.html").render(today=date.today().isoformat(), **content)
