"""Every table of a document as CSV."""

from __future__ import annotations

import csv
import io

from holdfast.report.linking import plain, titles
from holdfast.report.model import Document, Grid


def tables(document: Document) -> dict[str, bytes]:
    """`<code>.csv` -> bytes: UTF-8 with a byte-order mark (for spreadsheets), comma, CRLF, as in RFC 4180."""
    known = titles(document)
    return {f"{grid.code}.csv": _csv(grid, known) for grid in document.grids}


def _csv(grid: Grid, known: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column or "row" for column in grid.columns] if any(grid.columns) else ["row", "value"])
    for line in grid.lines:
        cells = [_safe(plain(cell, known)) for cell in line.cells]
        writer.writerow(cells + [""] * (len(grid.columns) - len(cells)))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _safe(cell: str) -> str:
    """A cell that a spreadsheet will not run as a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and cell[1:2].isalpha()) else cell
