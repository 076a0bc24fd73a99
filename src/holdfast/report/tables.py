"""Every table of a document as CSV."""

from __future__ import annotations

import csv
import io

from holdfast.report.linking import plain, titles
from holdfast.report.model import SIMULATED_PEOPLE, Document, Grid


def tables(document: Document) -> dict[str, bytes]:
    """`<code>.csv` -> bytes: UTF-8 with a byte-order mark (for spreadsheets), comma, CRLF, as in RFC 4180."""
    known = titles(document)
    simulated = document.meta.get("people") == SIMULATED_PEOPLE
    return {f"{grid.code}.csv": _csv(grid, known, simulated=simulated) for grid in document.grids}


def _csv(grid: Grid, known: dict[str, str], *, simulated: bool) -> bytes:
    """Of simulated people, a last column says so on every line, since tables are read without their report."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [column or "row" for column in grid.columns] if any(grid.columns) else ["row", "value"]
    writer.writerow([*heads, "simulated"] if simulated else heads)
    for line in grid.lines:
        cells = [_safe(plain(cell, known)) for cell in line.cells]
        cells += [""] * (len(grid.columns) - len(cells))
        writer.writerow([*cells, SIMULATED_PEOPLE] if simulated else cells)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _safe(cell: str) -> str:
    """A cell that a spreadsheet will not run as a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and cell[1:2].isalpha()) else cell
