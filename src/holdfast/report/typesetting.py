"""The one place that speaks to typst: a template and JSON in, bytes out, with no system font and no clock."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import typst

STANDARDS: tuple[typst.PDFStandard, ...] = ("a-2a", "ua-1")
"""PDF/A-2a for keeping, PDF/UA-1 for reading aloud: typst refuses a document that breaks either."""


def typeset_pdf(template: bytes, data: Any, moment: datetime | None) -> bytes:
    """One PDF; `moment` is the date that the file carries."""
    made = typst.compile(
        template,
        format="pdf",
        sys_inputs=_inputs(data),
        font_paths=_fonts(),
        pdf_standards=list(STANDARDS),
        timestamp=int(moment.timestamp()) if moment else 0,
    )
    (only,) = _parts(made)
    return only


def typeset_png(template: bytes, data: Any, resolution: float) -> list[bytes]:
    """One PNG per page, at this many dots per inch."""
    made = typst.compile(
        template, format="png", ppi=resolution, sys_inputs=_inputs(data), font_paths=_fonts(), timestamp=0
    )
    return _parts(made)


def _inputs(data: Any) -> dict[str, str]:
    return {"data": json.dumps(data, ensure_ascii=False)}


@cache
def _fonts() -> typst.Fonts:
    """Typst's own fonts, and DejaVu Sans, the font that figures are laid out with; it ships with matplotlib."""
    folder = str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])


def _parts(made: bytes | list[bytes] | None) -> list[bytes]:
    if made is None:
        return []
    return [made] if isinstance(made, bytes) else list(made)
