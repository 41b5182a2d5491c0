"""The report of any result as one self-contained page: its content, its figure, and the results that it consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mibounds.report.environment import render
from mibounds.report.words import warning_entries

__all__ = ["summary_page"]

Record = Mapping[str, Any]


def summary_page(
    content: Record,
    parts: Sequence[Record],
    figure: str,
    *,
    seed: int | None = None,
    versions: Mapping[str, str] | None = None,
    command: str | None = None,
    source: str | None = None,
) -> str:
    """The page about a result: its content, warnings with their meaning, its figure, its parts, how to reproduce it.

    Arguments:
        content: "heading", "blocks" (each a "line", "numbers" or "table") and "warnings".
        parts: likewise, of the results that this one consists of, each with a "name".
        figure: SVG.
        seed: of the random numbers.
        versions: of the packages, by name.
        command: what reproduces the result.
        source: what the data are called.

    Returns:
        HTML.

    Example:
        >>> content = {"heading": "I < 1", "blocks": [{"type": "line", "text": "n = 10"}], "warnings": []}
        >>> page = summary_page(content, [], "<svg></svg>")
        >>> "I &lt; 1" in page, "<p>n = 10</p>" in page
        (True, True)
    """
    return render(
        "summary",
        title=content["heading"],
        content=content,
        parts=[{**part, "entries": warning_entries(part)} for part in parts],
        figures={"figure": figure},
        warnings=warning_entries(content),
        seed=seed,
        versions=dict(versions or {}),
        command=command,
        source=source,
    )
