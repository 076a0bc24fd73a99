"""The document as an editable Word file."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import docx as word
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from holdfast.report.linking import plain, titles
from holdfast.report.model import Block, Bullets, Callout, Document, Grid, Line, Paragraph, Picture, Section
from holdfast.report.pictures import pngs

SOFT, ACCENT, WARN = RGBColor(0x57, 0x60, 0x6A), RGBColor(0x0B, 0x5F, 0xA5), RGBColor(0xA3, 0x48, 0x0F)
TEXT_WIDTH = 172
"""Millimetres between the margins."""


def docx(document: Document, moment: datetime | None) -> bytes:
    """The same document and moment give the same bytes; `moment` is the date that the file carries."""
    made = word.Document()
    _page(made, document)
    _properties(made, document, moment or datetime(2000, 1, 1, tzinfo=UTC))
    made.add_paragraph(document.title, style="Title")
    made.add_paragraph(document.subtitle, style="Subtitle")
    images = dict(zip((picture.code for picture in document.pictures), pngs(document.pictures), strict=True))
    known = titles(document)
    for section in document.sections:
        _section(made, section, known, images)
    out = io.BytesIO()
    made.save(out)
    return _fixed(out.getvalue())


def _page(made: Any, document: Document) -> None:
    page = made.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.PORTRAIT, Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(19)
    page.top_margin = page.bottom_margin = Mm(20)
    if document.banner:
        line = page.header.paragraphs[0]
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = line.add_run(document.banner)
        run.bold, run.font.size, run.font.color.rgb = True, Pt(8), WARN
    foot = page.footer.paragraphs[0].add_run(document.stamp)
    foot.font.size, foot.font.color.rgb = Pt(7), SOFT
    style = made.styles["Normal"]
    style.font.name, style.font.size = "Georgia", Pt(10)
    for name, size in (("Title", 22), ("Subtitle", 12), ("Heading 1", 14), ("Heading 2", 11)):
        made.styles[name].font.name, made.styles[name].font.size = "Georgia", Pt(size)
        made.styles[name].font.color.rgb = RGBColor(0x1B, 0x1F, 0x24)
        fonts = made.styles[name].element.rPr.rFonts
        for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{attribute}"), None)


def _properties(made: Any, document: Document, moment: datetime) -> None:
    core = made.core_properties
    core.title, core.author, core.language = document.title, "holdfast", document.language
    core.comments, core.last_modified_by, core.revision = document.stamp, "holdfast", 1
    core.created = core.modified = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _section(made: Any, section: Section, known: dict[str, str], images: dict[str, bytes]) -> None:
    made.add_heading(section.title, level=1)
    for block in section.blocks:
        _block(made, block, known, images)
    if section.page:
        made.add_page_break()


def _block(made: Any, block: Block, known: dict[str, str], images: dict[str, bytes]) -> None:
    if isinstance(block, Paragraph):
        run = made.add_paragraph().add_run(plain(block.text, known))
        if block.style == "small":
            run.font.size, run.font.color.rgb = Pt(8), SOFT
    elif isinstance(block, Bullets):
        for item in block.items:
            made.add_paragraph(plain(item, known), style="List Bullet")
    elif isinstance(block, Callout):
        _callout(made, block, known)
    elif isinstance(block, Grid):
        _grid(made, block, known)
    else:
        _picture(made, block, images[block.code])


def _callout(made: Any, callout: Callout, known: dict[str, str]) -> None:
    paragraph = made.add_paragraph()
    paragraph.paragraph_format.left_indent = Mm(4)
    if callout.heading:
        run = paragraph.add_run(callout.heading)
        run.bold = True
        run.font.color.rgb = WARN if callout.kind == "warning" else ACCENT
        run.add_break()
    paragraph.add_run(plain(callout.text, known))


def _caption(made: Any, number: str, title: str, rest: str = "", *, keep: bool) -> None:
    paragraph = made.add_paragraph()
    paragraph.paragraph_format.keep_with_next = keep
    bold = paragraph.add_run(f"{number}. ")
    bold.bold = True
    runs = [bold, paragraph.add_run(title)]
    if rest:
        runs.append(paragraph.add_run(f". {rest}"))
        runs[-1].font.color.rgb = SOFT
    for run in runs:
        run.font.size = Pt(8.5)


def _grid(made: Any, grid: Grid, known: dict[str, str]) -> None:
    _caption(made, grid.number, grid.title, keep=True)
    headed = any(grid.columns)
    table = made.add_table(rows=0, cols=len(grid.columns))
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    widths = _widths(grid)
    _borders(table)
    if headed:
        cells = table.add_row().cells
        for k, column in enumerate(grid.columns):
            _write(cells[k], column, grid, k, widths[k], bold=True)
        _repeat(table.rows[0])
    for line in grid.lines:
        _line(table, line, grid, known, widths, headed=headed)
    if grid.note:
        run = made.add_paragraph().add_run(plain(grid.note, known))
        run.font.size, run.font.color.rgb = Pt(7.5), SOFT
    else:
        made.add_paragraph()


def _line(table: Any, line: Line, grid: Grid, known: dict[str, str], widths: list[float], *, headed: bool) -> None:
    cells = table.add_row().cells
    if line.kind == "group":
        merged = cells[0].merge(cells[-1]) if len(cells) > 1 else cells[0]
        _write(merged, line.cells[0], grid, 0, sum(widths), bold=True)
        return
    for k, cell in enumerate(line.cells):
        text = ("  " if k == 0 and line.kind == "indent" else "") + plain(cell, known)
        _write(cells[k], text, grid, k, widths[k], bold=k == 0 and not headed)


def _write(cell: Any, text: str, grid: Grid, column: int, width: float, *, bold: bool) -> None:
    cell.width = Mm(width)
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(1)
    letter = grid.alignment[min(column, len(grid.alignment) - 1)]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if letter == "r" else WD_ALIGN_PARAGRAPH.LEFT
    run = paragraph.add_run(text)
    run.bold, run.font.size, run.font.name = bold, Pt(7.5), "Arial"


def _widths(grid: Grid) -> list[float]:
    """Millimetres per column."""
    if grid.widths:
        weights = list(grid.widths)
    else:
        weights = []
        for k in range(len(grid.columns)):
            cells = [line.cells[k] for line in grid.lines if line.kind != "group" and k < len(line.cells)]
            weights.append(float(min(max([len(cell) for cell in [*cells, grid.columns[k]]], default=5), 44)))
    total = sum(weights)
    return [TEXT_WIDTH * weight / total for weight in weights]


def _borders(table: Any) -> None:
    """Lines above, below and between rows; none between columns."""
    borders = OxmlElement("w:tblBorders")
    for edge, size in (("top", 12), ("bottom", 12), ("insideH", 2), ("left", 0), ("right", 0), ("insideV", 0)):
        element = OxmlElement(f"w:{edge}")
        element.set(qn("w:val"), "single" if size else "nil")
        element.set(qn("w:sz"), str(size))
        element.set(qn("w:color"), "1B1F24" if size > 2 else "C9CED6")
        borders.append(element)
    table._tbl.tblPr.append(borders)


def _repeat(row: Any) -> None:
    """Repeat this row at the top of each page, as readers of long tables and screen readers need."""
    header = OxmlElement("w:tblHeader")
    header.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(header)


def _picture(made: Any, picture: Picture, png: bytes) -> None:
    paragraph = made.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    run = paragraph.add_run()
    shape = run.add_picture(io.BytesIO(png), width=Mm(TEXT_WIDTH - 4))
    shape._inline.docPr.set("descr", picture.alt)
    shape._inline.docPr.set("title", picture.title)
    _caption(made, picture.number, picture.title, picture.caption, keep=False)


def _fixed(content: bytes) -> bytes:
    """The same package with a fixed time on every part, so that the bytes depend on the content alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            part = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, old.read(name))
    return out.getvalue()
