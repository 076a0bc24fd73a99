"""Where an imported number or answer goes: an instrument that ships or a measurement of the study file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from holdfast.core.issues import Severity
from holdfast.instruments import AnswerKind, Instrument, Item, Kind
from holdfast.study.model import Measurement, Study

Lookup = Callable[[str], Instrument]
"""Gives the instrument of a code, or raises `CallError` that names the nearest (`holdfast.instruments.load`)."""


@dataclass(frozen=True, slots=True)
class Target:
    """An instrument as the import sees it: its items with their ranges, and the one item of a single number."""

    code: str
    version: str
    unit: str
    items: Mapping[str, Item]
    number: Item | None


def target_of(code: str, study: Study, lookup: Lookup) -> Target:
    """The measurement of this code in the study file, else the instrument that ships.

    Raises `CallError` when there is neither.
    """
    own = next((each for each in study.measurements if each.code == code), None)
    if own is not None:
        return _own(own)
    found = lookup(code)
    items = {item.id: item for item in found.items}
    number = found.items[0] if len(found.items) == 1 else None
    unit = found.scores[0].unit if found.kind is Kind.MEASUREMENT else ""
    return Target(code, found.rule_version, unit, items, number)


def is_measured(code: str, study: Study, lookup: Lookup) -> bool:
    """True for a number that is measured (a test, a diary), false for a questionnaire that is answered."""
    return any(each.code == code for each in study.measurements) or lookup(code).kind is Kind.MEASUREMENT


def _own(own: Measurement) -> Target:
    low = -inf if own.low is None else own.low
    high = inf if own.high is None else own.high
    item = Item(own.code, low, high, AnswerKind.NUMBER)
    return Target(own.code, "single number", own.unit, {own.code: item}, item)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with a number: code, words, how bad."""

    code: str
    what: str
    severity: Severity = Severity.ERROR


def doubt(item: Item, value: float) -> Doubt | None:
    """What is wrong with this value for this item; None when nothing is."""
    if not item.low <= value <= item.high:
        return Doubt("out-of-range", f"{value:g} is outside {item.low:g} to {item.high:g}.")
    if item.kind is not AnswerKind.NUMBER and value != int(value):
        return Doubt("not-whole", f"{value:g} is not a whole number.")
    if item.plausible and not item.plausible[0] <= value <= item.plausible[1]:
        low, high = item.plausible
        return Doubt("implausible", f"{value:g} is possible but unusual ({low:g} to {high:g}).", Severity.WARNING)
    return None
