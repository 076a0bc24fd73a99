"""The document as PDF/A and PDF/UA."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files

from holdfast.report.model import Document
from holdfast.report.plainly import as_json
from holdfast.report.typesetting import typeset_pdf


def pdf(document: Document, moment: datetime | None) -> bytes:
    """The same document and moment give the same bytes; `moment` is the date that the file carries."""
    return typeset_pdf(_template(), as_json(document), moment)


@cache
def _template() -> bytes:
    return files("holdfast.report").joinpath("templates", "report.typ").read_bytes()
