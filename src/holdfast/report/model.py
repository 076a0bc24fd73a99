"""A document as values: what HTML, PDF and DOCX are all made from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; "lead" is larger, "small" is for notes."""

    text: str
    style: Literal["body", "lead", "small"] = "body"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of short sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Callout:
    """A boxed sentence: a "result", a "warning", or a plain "note"."""

    text: str
    kind: Literal["result", "warning", "note"] = "note"
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table; a "group" line is a heading over the lines that follow, a "total" closes them."""

    cells: tuple[str, ...]
    kind: Literal["", "group", "indent", "total"] = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of printed cells. `code` names its CSV file; the first column is a heading for its line.

    `align` has one letter per column ("l", "r", "c"); `widths` one relative width per column, for paper.
    """

    code: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str = ""
    align: str = ""
    widths: tuple[float, ...] = ()
    number: str = ""

    @property
    def alignment(self) -> str:
        """One letter per column; text left in the first, numbers right in the rest, unless said otherwise."""
        return self.align or "l" + "r" * (len(self.columns) - 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure: its SVG, what it shows (caption), and the same in words for who cannot see it (alt)."""

    code: str
    title: str
    caption: str
    alt: str
    svg: str
    number: str = ""

    @property
    def share(self) -> int:
        """Per cent of the text width that it takes: figures are drawn for 6.7 inches, some of them smaller."""
        found = re.match(r'<svg[^>]*\swidth="([\d.]+)pt"', self.svg)
        return 100 if found is None else min(100, round(float(found[1]) / 4.824))


SIMULATED_PEOPLE = "simulated people"
"""What `Document.meta["people"]`, every table and every figure caption say when nobody in them is real."""


Block = Paragraph | Bullets | Callout | Grid | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document. `items` are the CONSORT 2025 items it answers; `page` starts it on a new page."""

    code: str
    title: str
    blocks: tuple[Block, ...]
    level: Literal[1, 2] = 2
    items: tuple[str, ...] = ()
    page: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. `stamp` is what the footer says of its origin, `banner` what stands on every page if anything."""

    code: str
    title: str
    subtitle: str
    sections: tuple[Section, ...]
    stamp: str
    banner: str = ""
    language: str = "en"
    meta: Mapping[str, str] = field(default_factory=dict)

    def blocks(self) -> Iterator[Block]:
        """Every block in order."""
        for section in self.sections:
            yield from section.blocks

    @property
    def grids(self) -> tuple[Grid, ...]:
        """Every table, in order."""
        return tuple(block for block in self.blocks() if isinstance(block, Grid))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every figure, in order."""
        return tuple(block for block in self.blocks() if isinstance(block, Picture))


def numbered(document: Document) -> Document:
    """The same document with its tables and figures numbered in order of appearance."""
    counts = {Grid: 0, Picture: 0}
    words = {Grid: "Table", Picture: "Figure"}

    def count(block: Block) -> Block:
        if not isinstance(block, (Grid, Picture)):
            return block
        counts[type(block)] += 1
        return replace(block, number=f"{words[type(block)]} {counts[type(block)]}")

    sections = tuple(replace(each, blocks=tuple(count(block) for block in each.blocks)) for each in document.sections)
    return replace(document, sections=sections)
