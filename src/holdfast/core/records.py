"""A fact in its envelope: who, when, about whom, and the hash of the record before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from holdfast.core.facts import Fact, checked, decode, decode_json, encode, known_kind
from holdfast.errors import CallError

GENESIS = "0" * 64
"""What the first record names as the record before it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact with its envelope, not yet in a ledger.

    Attributes
    ----------
    fact : what happened.
    at : when it was entered, in UTC.
    zone : the IANA name of the local zone at that place, kept so that local time can be told.
    actor : who entered it (an account name, never a participant's).
    role : as which role.
    participant, visit : whom and which visit it concerns; empty where neither applies.
    reason : why; mandatory for corrections, unlocking and unblinding.
    """

    fact: Fact
    at: datetime
    actor: str
    role: str
    zone: str = "UTC"
    participant: str = ""
    visit: str = ""
    reason: str = ""

    @property
    def kind(self) -> type[Fact]:
        """Which kind of fact it holds."""
        return type(self.fact)

    def body(self) -> dict[str, Any]:
        """The fact as plain JSON values: what is hashed."""
        return encode(self.fact)

    def __eq__(self, other: object) -> bool:
        """A draft that came back from a store equals the draft that went in."""
        return isinstance(other, Draft) and all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = None  # type: ignore[assignment]  # facts hold mappings, so drafts were never hashable


_FIELDS = tuple(field.name for field in fields(Draft))


class KeptDraft(Draft):
    """A draft as a store kept it: its fact is read from the text when it is first asked for.

    Opening a ledger of 150,000 records would otherwise read all of them for a deed that concerns one person.
    """

    __slots__ = ("_kind", "_text")

    @classmethod
    def of(cls, kind: str, text: str, at: datetime, envelope: Sequence[str]) -> KeptDraft:
        """From the word and text of the fact, the time, and (zone, actor, role, participant, visit, reason).

        Raises
        ------
        StorageError
            When the kind is unknown. A text that does not fit its kind raises when the fact is asked for.
        """
        self = object.__new__(cls)
        for name, value in zip(_ENVELOPE, (known_kind(kind), text, at, *envelope), strict=True):
            _SET(self, name, value)
        return self

    @property
    def kind(self) -> type[Fact]:
        """Which kind of fact it holds; known without reading the fact."""
        try:
            found: type[Fact] = self._kind
        except AttributeError:
            # `dataclasses.replace` makes one with the fact already read.
            return type(self.fact)
        return found

    def body(self) -> dict[str, Any]:
        """The fact as it was kept, so that a field that a later release adds does not change an old record's hash."""
        try:
            kept: dict[str, Any] = json.loads(self._text)
        except AttributeError:
            return encode(self.fact)
        return kept

    def __getattr__(self, name: str) -> Any:
        # Only called while the slot is empty.
        if name != "fact":
            raise AttributeError(name)
        fact = decode_json(self._kind.kind, self._text)
        _SET(self, "fact", fact)
        return fact


_SET = object.__setattr__
_ENVELOPE = ("_kind", "_text", "at", "zone", "actor", "role", "participant", "visit", "reason")


@dataclass(frozen=True, slots=True)
class Record:
    """One immutable entry of the ledger: a draft, its number (1, 2, ...), and its place in the hash chain."""

    seq: int
    draft: Draft
    previous: str
    hash: str

    @property
    def fact(self) -> Fact:
        """What happened."""
        return self.draft.fact

    @property
    def kind(self) -> type[Fact]:
        """Which kind of fact it holds; known without reading the fact."""
        return self.draft.kind

    @property
    def participant(self) -> str:
        """Whom it concerns; empty for the study itself."""
        return self.draft.participant

    @property
    def visit(self) -> str:
        """At which visit; empty where none applies."""
        return self.draft.visit


def plain(seq: int, draft: Draft, previous: str) -> dict[str, Any]:
    """Everything that is hashed, as plain JSON values."""
    return {
        "seq": seq,
        "previous": previous,
        "kind": draft.kind.kind,
        "body": draft.body(),
        "at": stamp(draft.at),
        "zone": draft.zone,
        "actor": draft.actor,
        "role": draft.role,
        "participant": draft.participant,
        "visit": draft.visit,
        "reason": draft.reason,
    }


def stamp(at: datetime) -> str:
    """UTC time with microseconds, always the same length, so that text order is time order."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def unstamp(text: str) -> datetime:
    """The time that `stamp` wrote."""
    return datetime.fromisoformat(text)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Mapping[str, Any]) -> bytes:
    """One byte string per meaning: sorted keys, no spaces, UTF-8, no NaN; what gets hashed."""
    return _CANONICAL.encode(value).encode()


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 of what `plain` wrote: the hash of a record, from its stored values and not from today's types."""
    return hashlib.sha256(canonical(row)).hexdigest()


def prepared(draft: Draft) -> Draft:
    """The draft as it will read when it comes back from a store: each field checked, the time in UTC.

    Raises
    ------
    CallError
        When a field does not fit its type, the time has no zone, or a text cannot be kept (NUL, lone surrogate, NaN).
    """
    if draft.at.tzinfo is None:
        raise CallError("The time of a record needs a time zone.", ways_out=["Stamp it in UTC."])
    envelope = (draft.zone, draft.actor, draft.role, draft.participant, draft.visit, draft.reason)
    if any("\x00" in text for text in envelope):
        raise CallError("A record's envelope holds a NUL character, which no database keeps.")
    return replace(draft, fact=checked(draft.fact), at=draft.at.astimezone(UTC))


def seal(seq: int, draft: Draft, previous: str) -> Record:
    """Put a draft into the chain: number it and hash it together with the hash before it (SHA-256)."""
    try:
        return Record(seq, draft, previous, digest(plain(seq, draft, previous)))
    except ValueError as error:
        raise CallError(f"A {draft.fact.kind} record cannot be written as text: {error}.") from None


def unplain(row: Mapping[str, Any], hash_: str) -> Record:
    """The record that `plain` described, with the hash that was stored beside it (unchecked)."""
    draft = Draft(
        fact=decode(row["kind"], row["body"]),
        at=unstamp(row["at"]),
        zone=row["zone"],
        actor=row["actor"],
        role=row["role"],
        participant=row["participant"],
        visit=row["visit"],
        reason=row["reason"],
    )
    return Record(row["seq"], draft, row["previous"], hash_)
