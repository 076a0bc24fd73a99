"""Delivered against prescribed for everybody, from the session records: the dose of each person and of each arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from holdfast.core.facts import DoseModified, SessionDone
from holdfast.core.issues import Issue, Severity
from holdfast.core.ledger import Entry, Ledger
from holdfast.dosing.basis import capacities_of
from holdfast.dosing.delivery import score_log
from holdfast.dosing.dose import Dose, dose_of
from holdfast.dosing.log import history_of
from holdfast.dosing.prescribe import plan
from holdfast.dosing.separation import Separation, separation
from holdfast.dosing.verdicts import PlannedDose, SessionDelivery, judge, planned_dose
from holdfast.dosing.written import from_rows
from holdfast.errors import Refused
from holdfast.study.model import Study
from holdfast.study.programme import Programme


@dataclass(frozen=True, slots=True)
class ArmDose:
    """An arm in numbers: medians over its people, and shares with missed sessions counted and not."""

    arm: str
    people: int
    attendance: float
    relative: Mapping[str, float | None]
    reached_itt: float | None
    reached_pp: float | None
    modified: float | None
    interrupted: int
    discontinued: int


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Everybody's delivered dose.

    Attributes
    ----------
    sessions : deliveries by participant, in order.
    doses : by participant.
    arms : one summary per arm, in the order of the study file.
    reasons : how often each reason was given for a missed or modified session, by arm.
    apart : separation of the first two arms' work intensity (per cent of the highest prescribed watts of the
        person), where cycling work was recorded in both.
    issues : sessions whose planned dose could not be told.
    """

    sessions: Mapping[str, tuple[SessionDelivery, ...]]
    doses: Mapping[str, Dose]
    arms: tuple[ArmDose, ...]
    reasons: Mapping[str, Mapping[str, int]]
    apart: Separation | None
    apart_arms: tuple[str, str] | None
    issues: tuple[Issue, ...]


def fidelity(study: Study, ledger: Ledger, arms: Mapping[str, str]) -> Fidelity | None:
    """Score every recorded session; None when the study records no sessions.

    Parameters
    ----------
    arms : true arm by participant; a person in an arm without a programme is left out.
    """
    sessions: dict[str, tuple[SessionDelivery, ...]] = {}
    doses: dict[str, Dose] = {}
    issues: list[Issue] = []
    for person, arm in arms.items():
        programme = study.programmes.get(study.arm(arm).programme or "")
        if programme is None or not ledger.of(person, SessionDone):
            continue
        mine = ledger.of(person)
        sessions[person] = tuple(_deliveries(programme, person, mine))
        planned, told = _planned(programme, person, mine, sessions[person])
        issues += told
        if planned is not None:
            doses[person] = dose_of(person, programme, sessions[person], planned)
    if not sessions:
        return None
    apart, pair = _apart(study, ledger, arms)
    summaries = tuple(_summary(arm.code, doses, arms) for arm in study.arms)
    return Fidelity(
        sessions,
        doses,
        tuple(one for one in summaries if one is not None),
        _reasons(sessions, arms),
        apart,
        pair,
        tuple(issues),
    )


def _deliveries(programme: Programme, person: str, entries: Iterable[Entry]) -> Iterable[SessionDelivery]:
    facts = {e.fact.number: e.fact for e in entries if isinstance(e.fact, SessionDone)}
    changes = [e.fact for e in entries if isinstance(e.fact, DoseModified)]
    done = {session.number: session for session in history_of(entries).sessions}
    for number in sorted(facts):
        fact = facts[number]
        on = fact.on or done[number].on
        if on is None or number > programme.sessions:
            continue
        asked = from_rows(fact.prescribed, participant=person, session=number, on=on, programme=programme.name)
        steps = [
            step
            for block in asked.blocks
            for step in score_log(
                block, [one for one in done[number].steps if one.block == block.name], programme.tolerance
            )
        ]
        changed = [c for c in changes if c.from_session <= number <= (c.to_session or number)]
        yield judge(
            asked,
            steps,
            attended=fact.attended,
            reason=fact.reason,
            decided_by=fact.decided_by,
            rpe=fact.rpe,
            modifications=changed,
        )


def _planned(
    programme: Programme, person: str, entries: Sequence[Entry], sessions: Sequence[SessionDelivery]
) -> tuple[list[PlannedDose] | None, list[Issue]]:
    """What each session of the whole programme asks: as prescribed where recorded, as planned ahead where not."""
    recorded = {session.session: session.planned for session in sessions if session.planned.bouts}
    if len(recorded) == programme.sessions:
        return [recorded[number] for number in range(1, programme.sessions + 1)], []
    try:
        start = next(session.on for session in sessions if session.on is not None)
        ahead = plan(programme, capacities_of(entries), participant=person, start=start)
    except (Refused, StopIteration):
        what = f"{programme.sessions - len(recorded)} sessions have no prescription and none can be planned."
        remedy = "Record the tests that the programme doses from; the person's dose is left out until then."
        return None, [Issue("no-planned-dose", person, what, remedy, Severity.WARNING)]
    return [recorded.get(one.session) or planned_dose(one) for one in ahead], []


def _summary(arm: str, doses: Mapping[str, Dose], arms: Mapping[str, str]) -> ArmDose | None:
    mine = [dose for person, dose in doses.items() if arms[person] == arm]
    if not mine:
        return None
    units = sorted({unit for dose in mine for unit in dose.relative})
    return ArmDose(
        arm,
        len(mine),
        float(np.mean([dose.attendance for dose in mine])),
        {unit: _median([dose.relative.get(unit) for dose in mine]) for unit in units},
        _mean([dose.reached_itt for dose in mine]),
        _mean([dose.reached_pp for dose in mine]),
        _mean([dose.modified for dose in mine]),
        sum(dose.interruptions > 0 for dose in mine),
        sum(dose.discontinued_week is not None for dose in mine),
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _reasons(sessions: Mapping[str, Sequence[SessionDelivery]], arms: Mapping[str, str]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for person, mine in sessions.items():
        for session in mine:
            if session.verdict != "as prescribed":
                reason = session.reason or "no reason recorded"
                counts.setdefault(arms[person], {}).setdefault(reason, 0)
                counts[arms[person]][reason] += 1
    return counts


def _apart(study: Study, ledger: Ledger, arms: Mapping[str, str]) -> tuple[Separation | None, tuple[str, str] | None]:
    """Work intensity of the first two arms, from the watts of every work step, weighted by its seconds."""
    pair = tuple(arm.code for arm in study.arms[:2])
    seconds: dict[str, list[np.ndarray]] = {code: [] for code in pair}
    for person, arm in arms.items():
        reference = _reference_watts(ledger.of(person))
        if arm not in seconds or reference is None:
            continue
        seconds[arm] += [np.full(int(s), 100 * w / reference) for w, s in _work(ledger.of(person, SessionDone))]
    if len(pair) < 2 or not all(seconds[code] for code in pair):
        return None, None
    first, second = (np.concatenate(seconds[code]) for code in pair)
    return separation(first, second), (pair[0], pair[1])


def _reference_watts(entries: Sequence[Entry]) -> float | None:
    """The person's newest watts at VO2max, or at peak where that is not recorded."""
    known = capacities_of(entries)
    for reference in ("W at VO2max", "W peak"):
        mine = [capacity for capacity in known if capacity.reference == reference]
        if mine:
            return max(mine, key=lambda capacity: capacity.on).value
    return None


def _work(entries: Sequence[Entry]) -> Iterable[tuple[float, float]]:
    """Watts and seconds of every timed work step that was observed."""
    for entry in entries:
        fact = entry.fact
        if not isinstance(fact, SessionDone) or not fact.attended:
            continue
        work = {(row.get("block"), row.get("step")) for row in fact.prescribed if row.get("work")}
        for row in fact.delivered:
            watts, seconds = row.get("watts"), row.get("seconds")
            named = (row.get("block"), row.get("step"))
            if named in work and isinstance(watts, (int, float)) and isinstance(seconds, (int, float)) and seconds >= 1:
                yield float(watts), float(seconds)
