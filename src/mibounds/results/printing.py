"""The content of a result as plain text and as HTML, from one structure.

A result describes itself once, as a `Content`: a heading, blocks (lines of text, named numbers, tables) and warnings.
`text_lines` prints it, `html` shows it in a notebook, and a report page is filled from it, so they hold the same.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from mibounds.warnings import MIWarning

__all__ = ["Content", "Line", "Numbers", "Table", "html", "number", "percent", "text_lines"]

WIDTH = 88  # columns of printed text
_INDENT = "  "
_BETWEEN = "   "  # columns of a table


@dataclass(frozen=True)
class Line:
    """A line of text."""

    text: str


@dataclass(frozen=True)
class Numbers:
    """Numbers with their names, under a label; one of them may be emphasized.

    Arguments:
        label: what the numbers are.
        entries: the name and the formatted number of each.
        emphasized: the name that is set in bold in HTML.
    """

    label: str
    entries: tuple[tuple[str, str], ...]
    emphasized: str = ""

    @classmethod
    def of(cls, label: str, values: Mapping[str, float], emphasized: str = "") -> Numbers:
        """Numbers from a mapping of names to values."""
        return cls(label, tuple((name, number(value)) for name, value in values.items()), emphasized)


@dataclass(frozen=True)
class Table:
    """A table: a header, and rows of as many cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Content:
    """What is shown of a result."""

    heading: str
    blocks: tuple[Line | Numbers | Table, ...] = ()
    warnings: tuple[MIWarning, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The content as text, lists and dictionaries; each block has its "type": "line", "numbers" or "table"."""
        return {
            "heading": self.heading,
            "blocks": [{"type": type(block).__name__.lower(), **asdict(block)} for block in self.blocks],
            "warnings": [warning.to_dict() for warning in self.warnings],
        }


def number(value: float) -> str:
    """A number with four significant digits.

    Example:
        >>> number(0.51134), number(-12345.6)
        ('0.5113', '-1.235e+04')
    """
    return f"{value:.4g}"


def percent(share: float) -> str:
    """A fraction of one in percent.

    Example:
        >>> percent(0.95), percent(0.999)
        ('95%', '99.9%')
    """
    return f"{100 * share:.4g}%"


def text_lines(content: Content) -> list[str]:
    """The content as lines of plain text of at most 88 columns, or of one word that is longer.

    Example:
        >>> text_lines(Content("I = 1", (Numbers.of("estimates", {"a": 1.0, "b": 2.0}),)))
        ['I = 1', '  estimates: a 1  b 2']
    """
    lines = _wrapped(content.heading, "")
    for block in content.blocks:
        if isinstance(block, Line):
            lines += _wrapped(block.text)
        elif isinstance(block, Numbers):
            lines += _joined(f"{_INDENT}{block.label}:", [f"{name} {text}" for name, text in block.entries])
        else:
            lines += _table_lines(block)
    for warning in content.warnings:
        lines += _wrapped(f"warning {warning.code}: {warning}")
    return lines


def html(content: Content) -> str:
    """The content as an HTML fragment; all text is escaped."""
    parts = [f"<h4>{escape(content.heading)}</h4>"]
    for block in content.blocks:
        if isinstance(block, Line):
            parts.append(f"<p>{escape(block.text)}</p>")
        elif isinstance(block, Numbers):
            bold = {block.emphasized: ' style="font-weight: bold"'}
            rows = "".join(f"<tr{bold.get(entry[0], '')}>{_cells(entry)}</tr>" for entry in block.entries)
            parts.append(f"<table><caption>{escape(block.label)}</caption><tbody>{rows}</tbody></table>")
        else:
            rows = "".join(f"<tr>{_cells(row)}</tr>" for row in block.rows)
            head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.header)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    if content.warnings:
        items = "".join(f"<li>warning <code>{escape(w.code)}</code>: {escape(str(w))}</li>" for w in content.warnings)
        parts.append(f"<ul>{items}</ul>")
    return f"<div>{''.join(parts)}</div>"


def _table_lines(table: Table) -> list[str]:
    """The rows of a table, the header first; where one is too long, its last column goes on below itself."""
    columns = list(zip(table.header, *table.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    last = sum(widths[:-1]) + len(_BETWEEN) * (len(widths) - 1)
    hanging = " " * last if last < WIDTH / 2 else _INDENT
    right = [all(map(_is_number, column[1:])) for column in columns]
    rows = (_aligned(row, widths, right) for row in (table.header, *table.rows))
    return [line for row in rows for line in _wrapped(row, after=_INDENT + hanging)]


def _wrapped(text: str, indent: str = _INDENT, after: str = 2 * _INDENT) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=after, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _joined(label: str, entries: Sequence[str]) -> list[str]:
    """Entries after a label, with line breaks between entries only."""
    lines = [label]
    for i, entry in enumerate(entries):
        gap = " " if i == 0 else _INDENT
        if len(lines[-1]) + len(gap) + len(entry) > WIDTH:
            lines.append(2 * _INDENT + entry)
        else:
            lines[-1] += gap + entry
    return lines


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """A row of a table as a line, its cells aligned: numbers to the right, text to the left."""
    cells = zip(row, widths, right, strict=True)
    return _BETWEEN.join(
        cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in cells
    ).rstrip()


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True


def _cells(row: Sequence[str]) -> str:
    style = ' style="text-align: right"'
    return "".join(f"<td{style if _is_number(cell) else ''}>{escape(cell)}</td>" for cell in row)
