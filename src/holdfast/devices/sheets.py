"""Rows of cells from the bytes of a spreadsheet or a delimited text, within bounds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import zipfile
from collections.abc import Iterable
from typing import TYPE_CHECKING

from openpyxl import load_workbook

from holdfast.core.issues import Issue, Severity
from holdfast.devices.cells import Cell
from holdfast.devices.limits import MAX_CELL, MAX_COLUMNS, MAX_ROWS, too_large
from holdfast.devices.safe_xml import BrokenXml, elements, is_safe

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


Rows = list[tuple[Cell, ...]]
Issues = tuple[Issue, ...]

MAX_UNZIPPED = 24 * 1024 * 1024  # bytes of an xlsx after unpacking
MAX_RATIO = 200  # unpacked to packed; a zip bomb is far beyond
MAX_CELLS = 2_000_000
MAX_SHEET_ROWS = 20_000  # a workbook may leave rows out, and each one left out is made again
_SPREADSHEET = "{urn:schemas-microsoft-com:office:spreadsheet}"


def rows_of(data: bytes) -> tuple[Rows, Issues]:
    """Rows of the first sheet of whatever this is: xlsx, spreadsheet XML or delimited text."""
    refused = too_large(data, "cart export")
    if refused:
        return [], refused
    if data[:4] == b"PK\x03\x04":
        return rows_of_xlsx(data)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        what = "this is a binary .xls workbook, which is not read."
        return [], (Issue("old-excel", "cart export", what, "Save it as .xlsx and import that."),)
    if b"urn:schemas-microsoft-com:office:spreadsheet" in data[:4096]:
        return rows_of_spreadsheet_xml(data)
    return rows_of_text(data)


def rows_of_xlsx(data: bytes) -> tuple[Rows, Issues]:
    """Rows of the first sheet of an xlsx workbook."""
    try:
        refused = _bomb(data)
        if refused:
            return [], refused
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        return _bounded(book.worksheets[0].iter_rows(values_only=True, max_row=MAX_SHEET_ROWS)), ()
    except Exception:  # openpyxl raises a dozen kinds on a damaged workbook; each means the same here
        return [], (Issue("unreadable-workbook", "cart export", "the workbook is damaged and cannot be read."),)


def _bounded(rows: Iterable[tuple[object, ...]]) -> Rows:
    out: Rows = []
    count = 0
    for row in rows:
        out.append(tuple(_cell(value) for value in row[:MAX_COLUMNS]))
        count += max(len(row), 1)
        if count > MAX_CELLS:
            break
    return out


def _bomb(data: bytes) -> Issues:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        total = sum(entry.file_size for entry in entries)
        bounded = len(entries) <= 2_000 and total <= MAX_UNZIPPED
        parts = [entry for entry in entries if entry.filename.endswith((".xml", ".rels"))]
        if bounded and not all(is_safe(archive.read(part)) for part in parts):
            what = "a part of the workbook is no XML or leaves its bounds; the workbook is refused."
            return (Issue("unreadable-workbook", "cart export", what),)
    if len(entries) > 2_000 or total > MAX_UNZIPPED or total > MAX_RATIO * len(data) + 1_000_000:
        what = f"the workbook unpacks to {total / 1e6:.0f} MB from {len(data) / 1e6:.2f} MB and is refused."
        return (Issue("file-too-large", "cart export", what),)
    return ()


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return value[:MAX_CELL]
    return value if isinstance(value, dt.time | dt.datetime | dt.timedelta) else None


def rows_of_spreadsheet_xml(data: bytes) -> tuple[Rows, Issues]:
    """Rows of an Excel 2003 spreadsheet XML; a truncated file gives the rows before the damage."""
    rows: Rows = []
    try:
        for element in elements(data):
            if element.tag == f"{_SPREADSHEET}Row":
                rows.append(_xml_row(element))
                element.clear()
            if len(rows) >= MAX_ROWS:
                break
    except BrokenXml:
        what = f"the XML ends, breaks or leaves its bounds after {len(rows)} rows."
        return rows, (Issue("damaged-file", "cart export", what, severity=Severity.WARNING),)
    return rows, ()


def _xml_row(row: Element) -> tuple[Cell, ...]:
    out: list[Cell] = []
    for cell in row.findall(f"{_SPREADSHEET}Cell"):
        index = cell.get(f"{_SPREADSHEET}Index", "")
        if index.isascii() and index.isdigit() and len(out) < int(index[:6]) <= MAX_COLUMNS:
            out += [None] * (int(index) - 1 - len(out))
        text = "".join(part.text or "" for part in cell.iter(f"{_SPREADSHEET}Data"))
        out.append(text[:MAX_CELL] or None)
        if len(out) >= MAX_COLUMNS:
            break
    return tuple(out)


def decode(data: bytes) -> str:
    """Text from bytes: UTF-16 and UTF-8 by their marks, UTF-8 when it is valid, else Windows Western European."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def rows_of_text(data: bytes, delimiter: str | None = None) -> tuple[Rows, Issues]:
    """Rows of delimited text; the delimiter is the one of tab, semicolon and comma in most lines of the head."""
    text = decode(data).replace("\x00", "")
    # Newlines of every system become one kind, and only as many lines are made as will be read.
    lines = list(itertools.islice(io.StringIO(text, newline=None), MAX_ROWS + 1))
    if not any(line.strip() for line in lines):
        return [], (Issue("empty-file", "cart export", "the file holds no text."),)
    issues: Issues = ()
    if len(lines) > MAX_ROWS:
        what = f"only the first {MAX_ROWS} lines were read."
        issues = (Issue("too-many-rows", "cart export", what, severity=Severity.WARNING),)
    cut = delimiter or _sniff(lines[:50])
    rows: Rows = []
    count = 0
    for line in lines[:MAX_ROWS]:
        try:
            cells = next(csv.reader([line.rstrip("\n")[: MAX_CELL * 20]], delimiter=cut), [])
        except csv.Error:
            cells = line.rstrip("\n").split(cut)
        rows.append(tuple(cell[:MAX_CELL] for cell in cells[:MAX_COLUMNS]))
        count += len(rows[-1])
        if count > MAX_CELLS:
            what = f"more than {MAX_CELLS} cells; only the first {len(rows)} rows were read."
            return rows, (*issues, Issue("too-many-rows", "cart export", what, severity=Severity.WARNING))
    return rows, issues


def _sniff(head: list[str]) -> str:
    """The delimiter that stands in most lines; a tie goes to the one that is hardly ever a decimal sign."""
    return max(("\t", ";", ","), key=lambda sign: sum(sign in line for line in head))
