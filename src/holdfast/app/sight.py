"""What one role sees of the ledger: whole records, records without their dose, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.app.desk import Role
from holdfast.app.path import State
from holdfast.core import facts as f
from holdfast.core.facts import decode, encode
from holdfast.core.ledger import Entry, Ledger
from holdfast.study.model import Study

WITHHELD = "[withheld]"
"""What stands where a role may not read on."""

_STATE_IN_STUDY = "in study"
_TRAINING_STATES = (State.RANDOMISED, State.IN_PROGRAMME, State.FOLLOW_UP, State.NO_TRAINING)
_TOLD_IN_WORDS = (f.AdverseEvent, f.Deviation, f.ConcomitantTreatment, f.Lost)
_TRAINERS_OWN = (f.Decided, f.Tested, f.Answered)


@dataclass(frozen=True, slots=True)
class Sight:
    """One role's eyes on one ledger.

    Attributes
    ----------
    arms : whether this role may know arms, programmes and doses now.
    own : the only participant code this role sees; empty for staff.
    attendance : whether it may see that and when somebody trained, without the dose.
    """

    study: Study
    ledger: Ledger
    role: Role
    arms: bool
    own: str = ""
    attendance: bool = False

    def sees_person(self, participant: str) -> bool:
        """Whether this person exists for this role."""
        return not self.own or participant == self.own

    def shown(self, entry: Entry) -> dict[str, Any] | None:
        """The fact as plain values, as this role may read it; None when the record is not for these eyes."""
        if self.own and (entry.record.participant != self.own or isinstance(entry.fact, f.Queried | f.Looked)):
            return None
        if self.arms:
            return encode(entry.fact)
        if self._about_training(entry):
            return self._attended(entry)
        body = encode(entry.fact)
        # what arms there are is no secret; who is in which is: so texts about the study itself stay as they are
        veiled = self.veiled(body) if entry.record.participant else body
        return veiled if isinstance(veiled, dict) else None

    def state(self, state: State) -> str:
        """The state in words, told without what happens in training where that would give the arm away."""
        if self.arms or self.attendance or state not in _TRAINING_STATES:
            return state.value
        return _STATE_IN_STUDY

    def veiled(self, value: Any) -> Any:
        """The same plain value with the names of arms and programmes withheld from every text in it."""
        if self.arms:
            return value
        pattern = telltale(self.study)
        return value if pattern is None else _veil(value, pattern)

    def blind(self) -> Ledger:
        """The ledger without what carries a dose, for an analysis in which the arms are only letters."""
        if self.arms:
            return self.ledger
        kept = tuple(self._told(entry) for entry in self.ledger.entries if not self._carries_dose(entry))
        people: dict[str, list[Entry]] = {}
        kinds: dict[type[f.Fact], list[Entry]] = {}
        for entry in kept:
            people.setdefault(entry.record.participant, []).append(entry)
            kinds.setdefault(type(entry.fact), []).append(entry)
        by_participant = {code: tuple(mine) for code, mine in people.items()}
        return Ledger(kept, by_participant, self.ledger.head, {kind: tuple(mine) for kind, mine in kinds.items()})

    def _told(self, entry: Entry) -> Entry:
        if not isinstance(entry.fact, _TOLD_IN_WORDS):
            return entry
        body = encode(entry.fact)
        veiled = self.veiled(body)
        return entry if veiled == body else Entry(entry.record, decode(entry.fact.kind, veiled), entry.corrections)

    def _about_training(self, entry: Entry) -> bool:
        fact = entry.fact
        if isinstance(fact, f.Completed):
            return fact.part == "programme" and not self.attendance
        if isinstance(fact, f.Withdrawn):
            return fact.scope == "training" and not self.attendance
        return isinstance(fact, f.Looked) or self._carries_dose(entry)

    def _carries_dose(self, entry: Entry) -> bool:
        fact, record = entry.fact, entry.record
        if isinstance(fact, f.SessionDone | f.DoseModified):
            return True
        if isinstance(fact, _TRAINERS_OWN):
            # what a trainer tests or decides between visits follows from the programme
            return record.draft.role == Role.TRAINER and not record.visit
        target = self._target(fact)
        return target is not None and self._about_training(target)

    def _target(self, fact: f.Fact) -> Entry | None:
        if isinstance(fact, f.Corrected | f.Queried | f.QueryAnswered):
            return self.ledger.entry(fact.seq)
        return None

    def _attended(self, entry: Entry) -> dict[str, Any] | None:
        fact = entry.fact
        if isinstance(fact, f.Looked) and self.role in (Role.MONITOR, Role.ADMINISTRATOR):
            return encode(fact)  # that somebody looked is theirs to watch; what was seen is not in the record
        if not isinstance(fact, f.SessionDone) or not self.attendance:
            return None
        return {"number": fact.number, "attended": fact.attended, "on": fact.on.isoformat() if fact.on else None}


def telltale(study: Study) -> re.Pattern[str] | None:
    """Every name and code of arms and programmes as whole words; one-letter codes are matched in their own case."""
    names = {text for arm in study.arms for text in (arm.code, arm.name, arm.programme or "", arm.description)}
    names |= {text for code, programme in study.programmes.items() for text in (code, programme.name)}
    long = sorted((n for n in names if len(n) > 2), key=len, reverse=True)
    short = sorted(n for n in names if 0 < len(n) <= 2 and not n.isdigit())
    parts = [f"(?i:{'|'.join(map(re.escape, long))})"] * bool(long) + [re.escape(n) for n in short]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)") if parts else None


def alike(study: Study) -> bool:
    """Whether all arms train equally often and equally long, so that attendance tells nothing about the arm."""
    shapes = {
        (p.sessions, p.per_week, p.minutes) if (p := study.programmes.get(arm.programme or "")) else None
        for arm in study.arms
    }
    return len(shapes) == 1


def _veil(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(WITHHELD, value)
    if isinstance(value, Mapping):
        return {key: _veil(item, pattern) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_veil(item, pattern) for item in value]
    return value
