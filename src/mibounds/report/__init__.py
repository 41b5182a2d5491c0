"""Self-contained HTML pages: results from plain records, and Markdown with the same style sheet."""

from mibounds.report.document import document_page
from mibounds.report.page import report_page
from mibounds.report.summary import summary_page
from mibounds.report.svg import inline_svg

__all__ = ["document_page", "inline_svg", "report_page", "summary_page"]
