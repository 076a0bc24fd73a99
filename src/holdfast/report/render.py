"""The report in every form, as bytes by file name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from holdfast.analysis.results import Results
from holdfast.core.facts import Looked
from holdfast.core.ledger import Ledger
from holdfast.errors import CallError
from holdfast.report import masking
from holdfast.report.build import document
from holdfast.report.html import html
from holdfast.report.model import Document
from holdfast.report.tables import tables
from holdfast.study.model import Study

Format = Literal["html", "pdf", "docx"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "docx")


def render(
    study: Study,
    ledger: Ledger,
    results: Results,
    arms: Mapping[str, str],
    *,
    formats: Sequence[str] = FORMATS,
) -> dict[str, bytes]:
    """Write the report and give back its files.

    `report.html`, `report.pdf`, `report.docx` (those asked for), `results.json` and `tables/<code>.csv`. Raises
    `CallError` for an unknown format.
    """
    unknown = [each for each in formats if each not in FORMATS]
    if unknown:
        raise CallError(f"there is no report format {unknown[0]!r}", ways_out=["use one of: " + ", ".join(FORMATS)])
    made = document(study, ledger, results, arms)
    found = {f"report.{each}": _write(made, each, ledger) for each in FORMATS if each in formats}
    found["results.json"] = _json(masking.plain(results, study)) if results.masked else results_json(results)
    found |= {f"tables/{name}": content for name, content in tables(made).items()}
    return found


def results_json(results: Results) -> bytes:
    """The machine-readable results: every number with full precision."""
    return _json(results.plain())


def _json(plain: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write(made: Document, form: Format, ledger: Ledger) -> bytes:
    if form == "html":
        return html(made).encode()
    moment = next((e.record.draft.at for e in reversed(ledger.entries) if not isinstance(e.fact, Looked)), None)
    if form == "pdf":
        from holdfast.report.pdf import pdf

        return pdf(made, moment)
    from holdfast.report.docx import docx

    return docx(made, moment)
