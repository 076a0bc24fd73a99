"""A checklist filled in: where each item is reported, or why it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from holdfast.core.issues import Issue, Severity
from holdfast.report.guidelines.model import Checklist, Item


@dataclass(frozen=True, slots=True)
class At:
    """A place in the document: the section's title, its anchor (for links) and its page (on paper), if any."""

    section: str
    anchor: str = ""
    page: int | None = None

    def __str__(self) -> str:
        return self.section if self.page is None else f"{self.section}, p. {self.page}"


@dataclass(frozen=True, slots=True)
class NotReported:
    """The item is not reported, and why."""

    because: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a filled checklist: exactly one of `places` and `because` is not empty."""

    item: Item
    places: tuple[At, ...] = ()
    because: str = ""

    @property
    def reported(self) -> bool:
        """True when the document says where."""
        return bool(self.places)

    def __str__(self) -> str:
        return "; ".join(map(str, self.places)) if self.places else f"not reported, because {self.because}"


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled checklist: one line per item, in the guideline's order, and what was wrong with the answers."""

    checklist: Checklist
    lines: tuple[Line, ...]
    issues: tuple[Issue, ...]

    @property
    def reported(self) -> int:
        """How many items are reported."""
        return sum(line.reported for line in self.lines)


Answer = At | Sequence[At] | NotReported


def fill(checklist: Checklist, answers: Mapping[str, Answer]) -> Filled:
    """Say for every item where it is reported or why not.

    `answers` maps item numbers to a place, several places, or `NotReported`. The number of an item with parts ("21")
    answers for each part that has no answer of its own. An item without an answer counts as not reported, with a
    warning; an answer to an item that the guideline does not have is an error issue.
    """
    issues = _strangers(checklist, answers)
    lines = []
    for item in checklist.items:
        line, issue = _line(checklist, item, answers.get(item.number, answers.get(item.parent)))
        lines.append(line)
        issues += [issue] if issue else []
    if not checklist.complete:
        what = f"{len(checklist.items)} of its {checklist.stated_items} items are at hand; use the guideline itself."
        issues.append(Issue("incomplete-guideline", checklist.code, what, severity=Severity.WARNING))
    return Filled(checklist, tuple(lines), tuple(issues))


def gather(parts: Iterable[tuple[At, Iterable[str]]]) -> dict[str, tuple[At, ...]]:
    """Answers from a document's parts, each with the item numbers it covers: all places of an item, in order."""
    answers: dict[str, tuple[At, ...]] = {}
    for place, numbers in parts:
        for number in numbers:
            answers[number] = (*answers.get(number, ()), place)
    return answers


def _line(checklist: Checklist, item: Item, answer: Answer | None) -> tuple[Line, Issue | None]:
    if isinstance(answer, At):
        return Line(item, places=(answer,)), None
    if isinstance(answer, NotReported) and answer.because.strip():
        return Line(item, because=answer.because), None
    if answer and not isinstance(answer, NotReported):
        return Line(item, places=tuple(answer)), None
    where = f"{checklist.code} item {item.number}"
    what = f"nobody has said where the report covers {item.topic.lower()}, or why it does not."
    issue = Issue("unanswered-item", where, what, "Name the section, or the reason.", Severity.WARNING)
    return Line(item, because="no reason was given"), issue


def _strangers(checklist: Checklist, answers: Mapping[str, Answer]) -> list[Issue]:
    """An issue for every answer to an item that is not there."""
    known = list(dict.fromkeys(name for item in checklist.items for name in (item.number, item.parent)))
    issues = []
    for number in answers:
        if number not in known:
            near = get_close_matches(number, known, n=1)
            remedy = f"Did you mean {near[0]}?" if near else ""
            what = f"the guideline has no item {number}."
            issues.append(Issue("unknown-item", f"{checklist.code} item {number}", what, remedy))
    return issues
