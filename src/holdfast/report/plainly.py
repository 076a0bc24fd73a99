"""The document as plain JSON values, for writers that are not Python."""

from __future__ import annotations

from typing import Any

from holdfast.report.linking import pieces, titles
from holdfast.report.model import Block, Bullets, Callout, Document, Grid, Paragraph


def as_json(document: Document) -> dict[str, Any]:
    """Everything that is printed; running text as runs that may point to a section."""
    known = titles(document)
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "banner": document.banner,
        "stamp": document.stamp,
        "language": document.language,
        "meta": dict(document.meta),
        "sections": [
            {
                "code": section.code,
                "title": section.title,
                "page": section.page,
                "blocks": [_block(block, known) for block in section.blocks],
            }
            for section in document.sections
        ],
    }


def _block(block: Block, known: dict[str, str]) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "style": block.style, "runs": pieces(block.text, known)}
    if isinstance(block, Bullets):
        return {"kind": "bullets", "items": [pieces(item, known) for item in block.items]}
    if isinstance(block, Callout):
        return {
            "kind": "callout",
            "look": block.kind,
            "heading": block.heading,
            "runs": pieces(block.text, known),
        }
    if isinstance(block, Grid):
        return _grid(block, known)
    return {
        "kind": "picture",
        "number": block.number,
        "title": block.title,
        "caption": block.caption,
        "alt": block.alt,
        "svg": block.svg,
        "share": block.share,
    }


def _grid(grid: Grid, known: dict[str, str]) -> dict[str, Any]:
    count = len(grid.columns)
    alignment = grid.alignment
    return {
        "kind": "grid",
        "number": grid.number,
        "title": grid.title,
        "note": pieces(grid.note, known) if grid.note else [],
        "columns": list(grid.columns),
        "align": [alignment[min(k, len(alignment) - 1)] for k in range(count)],
        "widths": list(grid.widths) or _widths(grid),
        "lines": [{"kind": line.kind, "cells": [pieces(cell, known) for cell in line.cells]} for line in grid.lines],
    }


def _widths(grid: Grid) -> list[float]:
    """Relative widths from the longest text of each column, within bounds that keep every column readable."""
    widths = []
    for k in range(len(grid.columns)):
        cells = [line.cells[k] for line in grid.lines if line.kind != "group" and k < len(line.cells)]
        longest = max([len(cell) for cell in [*cells, grid.columns[k]]], default=1)
        widths.append(float(min(max(longest, 5), 44)))
    return widths
