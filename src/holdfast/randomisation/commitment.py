"""The public promise about a sealed allocation, and the proof that it was kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from holdfast.core.facts import Committed, Randomised
from holdfast.core.issues import Issue
from holdfast.core.ledger import first_break
from holdfast.core.records import Record, canonical
from holdfast.randomisation.assign import Unfolding
from holdfast.randomisation.plan import Design


def commitment(design: Mapping[str, Any], key: bytes) -> str:
    """SHA-256 over the canonical design and the key: binds both, and tells nothing about the key.  # eq:rand-commit"""
    return hashlib.sha256(canonical({"design": dict(design), "key": key.hex()})).hexdigest()


def verify_allocation(
    records: Iterable[Record], key: bytes, design: Design, claimed: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[Issue]]:
    """Recompute every assignment from the revealed key.

    Parameters
    ----------
    records : all records of the ledger, in order.
    key : the revealed key.
    design : the design that was committed to.
    claimed : arms as somebody else has them (a data set, opened envelopes), to be compared by participant.

    Returns
    -------
    The arm of each participant in order of assignment, and every problem: a broken chain, a commitment that does
    not match or came late, a slot that was skipped or taken twice, a claimed arm that is another.
    """
    kept = list(records)
    broken = first_break(kept)
    randomised = [(record, record.fact) for record in kept if isinstance(record.fact, Randomised)]
    issues = [broken] if broken else []
    issues += _commitment_issues(kept, commitment(design.plain(), key))
    issues += _slot_issues(randomised)
    arms = _recomputed(randomised, key, design)
    issues += _claim_issues(arms, claimed or {})
    return arms, issues


def _commitment_issues(records: Sequence[Record], expected: str) -> Iterator[Issue]:
    made = [record for record in records if isinstance(record.fact, Committed)]
    if not made:
        yield Issue("no-commitment", "ledger", "No commitment to an allocation was recorded.")
        return
    first = next((record.seq for record in records if isinstance(record.fact, Randomised)), None)
    newest = made[-1]
    if isinstance(newest.fact, Committed) and newest.fact.commitment != expected:
        what = "The key and design are not those that were committed to."
        yield Issue("commitment-differs", f"record {newest.seq}", what, "Look for another key or a changed study file.")
    for record in made:
        if first is not None and record.seq > first:
            what = f"It was made after the first assignment (record {first})."
            yield Issue("late-commitment", f"record {record.seq}", what)


def _slot_issues(randomised: Sequence[tuple[Record, Randomised]]) -> Iterator[Issue]:
    newest: dict[str, int] = {}
    people: dict[str, int] = {}
    for record, fact in randomised:
        where, expected = f"record {record.seq}", newest.get(fact.stratum, 0) + 1
        if fact.slot != expected:
            what = f"Slot {fact.slot} of stratum {fact.stratum!r} was taken where slot {expected} was next."
            yield Issue("slot-order", where, what)
        newest[fact.stratum] = max(fact.slot, expected - 1)
        if record.participant in people:
            what = f"{record.participant} was assigned already (record {people[record.participant]})."
            yield Issue("assigned-twice", where, what)
        people.setdefault(record.participant, record.seq)


def _recomputed(randomised: Sequence[tuple[Record, Randomised]], key: bytes, design: Design) -> dict[str, str]:
    """Every arm; a slot that was skipped leaves nobody behind for minimisation, so the sequence ends before it."""
    strata: dict[str, Unfolding] = {}
    histories: dict[str, dict[int, Mapping[str, object]]] = {}
    arms: dict[str, str] = {}
    for record, fact in randomised:
        unfolding = strata.setdefault(fact.stratum, Unfolding(design.scheme, key, fact.stratum))
        history = histories.setdefault(fact.stratum, {})
        history[fact.slot] = fact.factors
        before = [history[slot] for slot in range(1, fact.slot + 1) if slot in history]
        if fact.slot >= 1 and (len(before) == fact.slot or not design.scheme.needs_factors):
            arms[record.participant] = unfolding.arm(fact.slot, before)
    return arms


def _claim_issues(arms: Mapping[str, str], claimed: Mapping[str, str]) -> Iterator[Issue]:
    for participant, arm in claimed.items():
        if participant not in arms:
            yield Issue("not-assigned", participant, f"It is said to be in {arm}, but no slot was taken for it.")
        elif arms[participant] != arm:
            what = f"It is said to be in {arm}, but its slot gives {arms[participant]}."
            yield Issue("arm-differs", participant, what)
