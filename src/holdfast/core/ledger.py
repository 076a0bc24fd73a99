"""What follows from records in order: the proof of the chain, corrected facts, and each participant's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from holdfast.core.facts import Corrected, Fact, Value, decode, encode
from holdfast.core.issues import Issue
from holdfast.core.records import GENESIS, Record, seal
from holdfast.errors import CallError


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it is to be read now: its fact after all corrections, and the corrections in order."""

    record: Record
    fact: Fact
    corrections: tuple[Record, ...] = ()

    @property
    def original(self) -> Fact:
        """The fact as it was first written."""
        return self.record.fact


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries in order, with a look-up by participant. Built by `fold`; never changed."""

    entries: tuple[Entry, ...]
    by_participant: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    head: str = GENESIS

    @property
    def participants(self) -> tuple[str, ...]:
        """Codes in the order in which people first appear."""
        return tuple(code for code in self.by_participant if code)

    def of(self, participant: str, kind: type[Fact] | None = None) -> tuple[Entry, ...]:
        """This participant's entries in order; only facts of one kind, when a kind is given."""
        mine = self.by_participant.get(participant, ())
        return tuple(entry for entry in mine if kind is None or isinstance(entry.fact, kind))

    def all(self, kind: type[Fact]) -> tuple[Entry, ...]:
        """Every entry of one kind, in order."""
        return tuple(entry for entry in self.entries if isinstance(entry.fact, kind))

    def last(self, kind: type[Fact], participant: str | None = None) -> Entry | None:
        """The newest entry of one kind, of one participant or of the whole study."""
        found = self.all(kind) if participant is None else self.of(participant, kind)
        return found[-1] if found else None


def fold(records: Iterable[Record]) -> Ledger:
    """Read records in order into entries, applying corrections to what they correct.

    Raises
    ------
    CallError
        When a correction names a record that does not exist before it.
    """
    entries: dict[int, Entry] = {}
    head = GENESIS
    for record in records:
        head = record.hash
        entries[record.seq] = Entry(record, record.fact)
        if isinstance(record.fact, Corrected):
            _correct(entries, record, record.fact)
    ordered = tuple(entries.values())
    grouped: dict[str, list[Entry]] = {}
    for entry in ordered:
        grouped.setdefault(entry.record.participant, []).append(entry)
    frozen = MappingProxyType({code: tuple(mine) for code, mine in grouped.items()})
    return Ledger(ordered, frozen, head)


def _correct(entries: dict[int, Entry], record: Record, correction: Corrected) -> None:
    target = entries.get(correction.seq)
    if target is None or correction.seq == record.seq:
        raise CallError(f"Record {record.seq} corrects record {correction.seq}, which does not exist before it.")
    fact = with_value(target.fact, correction.field, correction.new)
    entries[correction.seq] = replace(target, fact=fact, corrections=(*target.corrections, record))


def value_at(fact: Fact, path: str) -> Value:
    """The value at a dotted path of a fact ("answers.q3").

    Raises
    ------
    CallError
        When the fact has no such field; the message lists the fields it has.
    """
    node: Any = encode(fact)
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            known = ", ".join(sorted(node)) if isinstance(node, Mapping) else "none"
            raise CallError(f"{fact.kind} has no field {path!r}.", ways_out=[f"Fields there: {known}."])
        node = node[part]
    if isinstance(node, (Mapping, list)):
        raise CallError(f"{path!r} of {fact.kind} is not a single value.")
    value: Value = node
    return value


def with_value(fact: Fact, path: str, new: Value) -> Fact:
    """The same fact with one value replaced."""
    value_at(fact, path)
    body = encode(fact)
    node: Any = body
    *parents, leaf = path.split(".")
    for part in parents:
        node = node[part]
    node[leaf] = new
    return decode(fact.kind, body)


def first_break(records: Sequence[Record]) -> Issue | None:
    """The first record that does not follow from the one before it, or None when the chain holds.

    Checks, in this order and for each record: its number follows, it names the hash before it, and its own
    hash is what its content gives.
    """
    previous, expected = GENESIS, 1
    for record in records:
        problem = _problem(record, expected, previous)
        if problem:
            return Issue("chain-broken", f"record {record.seq}", problem, "Restore the last verified backup.")
        previous, expected = record.hash, expected + 1
    return None


def _problem(record: Record, expected: int, previous: str) -> str:
    if record.seq != expected:
        return f"number {expected} was expected here; records are missing or out of order."
    if record.previous != previous:
        return "it does not name the hash of the record before it."
    if seal(record.seq, record.draft, record.previous).hash != record.hash:
        return "its content is not what was hashed when it was written."
    return ""


def clock_jumps(records: Iterable[Record]) -> list[Issue]:
    """A warning for each record stamped earlier than the one before it: the clock was set back."""
    jumps: list[Issue] = []
    latest: datetime | None = None
    for record in records:
        at = record.draft.at
        if latest is not None and at < latest:
            jumps.append(
                Issue(
                    "clock-jump",
                    f"record {record.seq}",
                    f"it is stamped {(latest - at).total_seconds():.3f} s before the record it follows.",
                    "Check the clock of the machine that wrote it.",
                )
            )
        latest = at if latest is None else max(latest, at)
    return jumps
