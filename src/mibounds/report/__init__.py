"""Pages that need nothing but themselves: a result told from plain numbers, and Markdown in the same clothes."""

from mibounds.report.document import document_page
from mibounds.report.page import report_page
from mibounds.report.svg import inline_svg

__all__ = ["document_page", "inline_svg", "report_page"]
