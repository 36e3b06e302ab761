"""From the document model to every output language."""

from __future__ import annotations

from symconv.report.html_writer import to_html
from symconv.report.latex_writer import to_latex
from symconv.report.pdf import to_pdf

__all__ = ["to_html", "to_latex", "to_pdf"]
