"""Reporting guidelines, filled with the places of this document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from holdfast.report.guidelines import At, Filled, NotReported, codes, fill, gather, load
from holdfast.report.guidelines.filling import Answer
from holdfast.report.model import Grid, Line, Paragraph, Section


class Guideline(NamedTuple):
    """A guideline: the prefix of its items in sections, its code, and why an item may stay empty here."""

    prefix: str
    code: str
    silent: str


SILENT = "not stated in the study file"
STUDY_FILE = ("2", "4", "5a", "5b", "7", "11", "12a", "13", "17a", "17b", "18", "19", "20a")
"""CONSORT items for which the study file has a field: where there is no text, the field was left empty."""

GUIDELINES = (
    Guideline("", "consort-2025", "this report holds methods and results; the authors write this part"),
    Guideline("cert", "cert", SILENT),
    Guideline("tidier", "tidier", SILENT),
    Guideline("pro", "consort-pro", "the authors write this part"),
)


def sections(written: Sequence[Section], absent: Mapping[str, str]) -> list[Section]:
    """One section per guideline that ships, with the place of each item or the reason why there is none.

    `absent` has the reason of items of which nothing is on record, with the prefix that sections give them.
    """
    found = []
    for guideline in GUIDELINES:
        if guideline.code in codes() and load(guideline.code).items:
            found.append(_section(guideline, written, absent))
    return found


def _section(guideline: Guideline, written: Sequence[Section], absent: Mapping[str, str]) -> Section:
    checklist = load(guideline.code)
    filled = _filled(guideline, written, absent)
    lines: list[Line] = []
    heading = ""
    for line in filled.lines:
        if line.item.section != heading:
            heading = line.item.section
            lines.append(Line((heading,), "group"))
        doubt = "" if line.item.verified else " [item not verified]"
        where = "; ".join(f"{{{{{place.anchor}}}}}" for place in line.places) or f"not here: {line.because}"
        lines.append(Line((line.item.number, f"{line.item.topic}: {line.item.text}{doubt}", where), "indent"))
    note = f"{filled.reported} of {len(filled.lines)} items have text here. {checklist.citation}"
    grid = Grid(
        f"checklist-{guideline.code}",
        f"{checklist.name} checklist",
        ("Item", "What to report", "Where"),
        tuple(lines),
        note,
        align="lll",
        widths=(0.5, 4.2, 2),
    )
    blocks = tuple(Paragraph(text, "small") for text in checklist.notes)
    return Section(f"checklist-{guideline.code}", f"Checklist: {checklist.name}", (grid, *blocks))


def _filled(guideline: Guideline, written: Sequence[Section], absent: Mapping[str, str]) -> Filled:
    checklist = load(guideline.code)
    known = {name for item in checklist.items for name in (item.number, item.parent)}
    parts = [(At(section.title, section.code), _mine(guideline, section, known)) for section in written]
    answers: dict[str, Answer] = dict(gather(parts))
    for item in checklist.items:
        if item.number not in answers and item.parent not in answers:
            answers[item.number] = NotReported(_because(guideline, item.number, absent))
    return fill(checklist, answers)


def _because(guideline: Guideline, number: str, absent: Mapping[str, str]) -> str:
    named = f"{guideline.prefix}:{number}" if guideline.prefix else number
    if named in absent:
        return absent[named]
    return SILENT if not guideline.prefix and number in STUDY_FILE else guideline.silent


def _mine(guideline: Guideline, section: Section, known: set[str]) -> list[str]:
    """The items of this guideline that the section answers, without the prefix; only those that exist."""
    numbers = []
    for item in section.items:
        prefix, colon, number = item.rpartition(":")
        if (prefix if colon else "") == guideline.prefix and number in known:
            numbers.append(number)
    return numbers
