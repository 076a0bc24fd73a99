"""Raw answers checked against the items they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite, isnan

from holdfast.core.issues import Issue, Severity
from holdfast.instruments.model import AnswerKind, Instrument, Item


@dataclass(frozen=True, slots=True)
class Read:
    """Answers as numbers by item id, the items whose answer cannot be used, and what was found."""

    values: Mapping[str, float]
    invalid: frozenset[str]
    issues: tuple[Issue, ...]


def read_answers(instrument: Instrument, answers: Mapping[str, object]) -> Read:
    """Check every answer; an answer that is missing is in neither `values` nor `invalid`."""
    values: dict[str, float] = {}
    invalid: set[str] = set()
    issues = _strangers(instrument, answers)
    for item in instrument.items:
        raw = answers.get(item.id)
        if is_missing(raw):
            continue
        number, problem = _number(item, raw)
        if problem is None:
            values[item.id] = number
            issues += _doubts(item, number)
        else:
            invalid.add(item.id)
            issues.append(problem)
    issues += _not_asked(instrument, values)
    return Read(values, frozenset(invalid), tuple(issues))


def is_missing(raw: object) -> bool:
    """None, an empty text, NaN and the missing values of data-frame libraries; never 0."""
    if raw is None or type(raw).__name__ in {"NAType", "NaTType"}:
        return True
    if isinstance(raw, str):
        return not raw.strip()
    return isinstance(raw, float) and isnan(raw)


def _number(item: Item, raw: object) -> tuple[float, Issue | None]:
    """The answer as a number, or the problem with it."""
    value = _to_float(raw, item)
    if value is None:
        remedy = "Write a number with a decimal point; leave the cell empty when there is no answer."
        return 0.0, Issue("not-a-number", f"item {item.id}", f"the answer is {raw!r}.", remedy)
    if not item.low <= value <= item.high:
        what = f"the answer is {value:g}, outside {item.low:g} to {item.high:g}."
        return 0.0, Issue("out-of-range", f"item {item.id}", what, "Correct it at the source, or leave it empty.")
    if item.kind is not AnswerKind.NUMBER and value != int(value):
        return 0.0, Issue("not-whole", f"item {item.id}", f"the answer is {value:g}, not a whole number.")
    return value, None


def _to_float(raw: object, item: Item) -> float | None:
    if isinstance(raw, bool) and item.kind is not AnswerKind.TICK:
        return None
    try:
        value = float(raw)  # type: ignore[arg-type]  # whatever cannot become a number raises, which is the question here
    except (TypeError, ValueError):
        return None
    return value if isfinite(value) else None


def _doubts(item: Item, value: float) -> list[Issue]:
    """A warning when the answer is possible but not expected."""
    if item.plausible is None or item.plausible[0] <= value <= item.plausible[1]:
        return []
    low, high = item.plausible
    what = f"{value:g} is unusual; {low:g} to {high:g} is expected."
    return [Issue("implausible", f"item {item.id}", what, "Check it at the source.", Severity.WARNING)]


def _not_asked(instrument: Instrument, values: dict[str, float]) -> list[Issue]:
    """Put 0 where a 0 elsewhere means that the question was not asked; warn when it was answered all the same."""
    issues = []
    for item in instrument.items:
        if not item.asked_if or values.get(item.asked_if) != 0:
            continue
        if values.setdefault(item.id, 0.0) > 0:
            what = f"the answer is {values[item.id]:g} although {item.asked_if} is 0."
            issues.append(Issue("contradiction", f"item {item.id}", what, "Check both.", Severity.WARNING))
    return issues


def _strangers(instrument: Instrument, answers: Mapping[str, object]) -> list[Issue]:
    """A warning for every answer to an item that the instrument does not have."""
    ids = [item.id for item in instrument.items]
    issues = []
    for key in answers:
        if key not in ids:
            near = get_close_matches(key, ids, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"The items are {', '.join(ids)}."
            what = f"{instrument.code} has no such item, so the answer was not used."
            issues.append(Issue("unknown-item", f"item {key}", what, remedy, Severity.WARNING))
    return issues
