"""Results as something to read: one document model, written as HTML, PDF, DOCX, CSV and JSON; returns bytes only.

`document` builds the model from a study, its ledger, its results and the arms; `render` gives the files.
"""

from __future__ import annotations

from holdfast.report.build import document
from holdfast.report.html import html
from holdfast.report.model import Document
from holdfast.report.render import render, results_json

__all__ = ["Document", "document", "html", "render", "results_json"]
