"""One person's training read from the ledger: every session scored from what its record keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from holdfast.core.facts import Described, DoseModified, SessionDone, Tested
from holdfast.core.issues import Issue, Severity
from holdfast.core.ledger import Entry
from holdfast.dosing.basis import Capacity, capacities_of, impossible
from holdfast.dosing.delivery import StepDelivery, score_session
from holdfast.dosing.dose import Dose, dose_of
from holdfast.dosing.heart import HeartRange, heart_range
from holdfast.dosing.load import Scale, SessionLoad, Sex, session_load
from holdfast.dosing.log import History, SessionLog, StepDone, history_of
from holdfast.dosing.prescribe import plan, prescribe
from holdfast.dosing.tally import by_second
from holdfast.dosing.verdicts import PlannedDose, SessionDelivery, judge, planned_dose
from holdfast.dosing.written import from_rows
from holdfast.errors import Refused
from holdfast.study.programme import Programme

FloatArray = NDArray[np.float64]
ATTAINMENT = "work attainment (%)"
PEAK_HEART = "peak heart rate (% of maximum)"


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What one person was asked to do and did.

    Attributes
    ----------
    sessions : every recorded session of the programme, scored, in order; `logs` the same as they were recorded.
    changed : sessions whose dose was changed beforehand.
    loads : load of every attended session.
    values : session means by name (`ATTAINMENT`, `PEAK_HEART`), one per attended session in which it was observed.
    intensity : "watts" and "heart rate" of every observed work second, in per cent of the person's own maximum on
        that day.
    """

    participant: str
    arm: str
    programme: Programme
    capacities: tuple[Capacity, ...]
    body_mass: float | None
    sessions: tuple[SessionDelivery, ...]
    logs: tuple[SessionLog, ...]
    changed: frozenset[int]
    loads: tuple[SessionLoad, ...]
    values: Mapping[str, Sequence[float]]
    intensity: Mapping[str, FloatArray]

    @property
    def attended(self) -> int:
        """How many sessions the person came to."""
        return sum(session.attended for session in self.sessions)


def trained(participant: str, arm: str, programme: Programme, entries: Sequence[Entry], scale: Scale | None) -> Trained:
    """Score the person's sessions; those beyond the end of the programme are none of it."""
    capacities = capacities_of(entries)
    logs = [one for one in history_of(entries).sessions if one.number <= programme.sessions]
    facts = {e.fact.number: e.fact for e in entries if isinstance(e.fact, SessionDone)}
    scored = [_delivery(programme, participant, log, facts[log.number], _changes(entries, log.number)) for log in logs]
    hearts = {log.number: heart_range(capacities, log.on) for log in logs}
    came = [log for log in logs if log.attended]
    pairs = [(session, hearts[session.session]) for session in scored if session.attended]
    return Trained(
        participant,
        arm,
        programme,
        capacities,
        _body_mass(entries),
        tuple(scored),
        tuple(logs),
        frozenset(log.number for log in logs if _changes(entries, log.number)),
        tuple(
            session_load(log, facts[log.number].rpe, scale=scale, heart=hearts[log.number], sex=_sex(entries))
            for log in came
        ),
        {ATTAINMENT: _means(_attainments(one) for one, _ in pairs), PEAK_HEART: _means(_peaks(*one) for one in pairs)},
        {
            "watts": _pooled(_watts(log, _reference(capacities, log.on)) for log in came),
            "heart rate": _pooled(_beats(log, hearts[log.number]) for log in came),
        },
    )


def planned_doses(one: Trained) -> tuple[list[PlannedDose] | None, list[Issue]]:
    """What each session of the whole programme asks before any change of dose.

    As prescribed where recorded, prescribed again without the change where the dose was changed beforehand, planned
    ahead where nothing is on record. None, with an issue that says so, where that takes a test that is not there.
    """
    recorded = {session.session: session.planned for session in one.sessions if session.planned.bouts}
    restored, issues = _before_changes(one)
    recorded |= restored
    numbers = range(1, one.programme.sessions + 1)
    if all(number in recorded for number in numbers):
        return [recorded[number] for number in numbers], issues
    days = [session.on for session in one.sessions if session.on is not None]
    start = days[0] if days else max((capacity.on for capacity in one.capacities), default=None)
    try:
        if start is None:
            raise Refused("There is no test to plan from.")
        ahead = plan(one.programme, one.capacities, participant=one.participant, start=start)
    except Refused:
        count = one.programme.sessions - len(recorded)
        what = f"{count} sessions have no prescription on record and none can be planned."
        remedy = "Record the tests that the programme doses from; until then only attendance counts."
        return None, [*issues, Issue("no-planned-dose", one.participant, what, remedy, Severity.WARNING)]
    return [recorded.get(each.session) or planned_dose(each) for each in ahead], issues


def _before_changes(one: Trained) -> tuple[dict[int, PlannedDose], list[Issue]]:
    """What the sessions with a changed dose would have asked without the change."""
    restored: dict[int, PlannedDose] = {}
    issues = []
    history = History(one.logs)
    for log in one.logs:
        if log.number not in one.changed or log.on is None:
            continue
        try:
            asked = prescribe(
                one.programme,
                one.capacities,
                history,
                participant=one.participant,
                session=log.number,
                on=log.on,
                assume_valid=True,
            )
            restored[log.number] = planned_dose(asked)
        except Refused:
            what = f"what session {log.number} would have asked without the change of dose cannot be told."
            told = "It counts as it was asked; its relative dose is too high."
            issues.append(Issue("changed-dose", one.participant, what, told, Severity.WARNING))
    return restored, issues


def dose_so_far(one: Trained) -> tuple[Dose | None, list[Issue]]:
    """The person's dose over the sessions up to the last one on record; None before the first, or without a plan."""
    last = max((session.session for session in one.sessions), default=0)
    if last == 0:
        return None, []
    shorter = replace(one, programme=one.programme.model_copy(update={"sessions": last}))
    planned, issues = planned_doses(shorter)
    if planned is None:
        return None, issues
    dose = dose_of(one.participant, shorter.programme, one.sessions, planned, body_mass=one.body_mass)
    return dose, issues


def _delivery(
    programme: Programme, participant: str, log: SessionLog, fact: SessionDone, changes: Sequence[DoseModified]
) -> SessionDelivery:
    on = log.on or date.min
    asked = from_rows(fact.prescribed, participant=participant, session=log.number, on=on, programme=programme.name)
    steps = score_session(asked, log.steps, programme.tolerance) if log.attended else ()
    return judge(
        asked,
        steps,
        attended=log.attended,
        reason=fact.reason,
        decided_by=fact.decided_by,
        rpe=fact.rpe,
        modifications=changes,
    )


def _changes(entries: Iterable[Entry], number: int) -> list[DoseModified]:
    facts = [entry.fact for entry in entries if isinstance(entry.fact, DoseModified)]
    return [one for one in facts if one.from_session <= number <= (one.to_session or number)]


# What is known about the person ----


def _body_mass(entries: Sequence[Entry]) -> float | None:
    """The newest body mass in kg: of an exercise test, else as described at baseline."""
    tested = [e.fact.values.get("body_mass") for e in entries if isinstance(e.fact, Tested)]
    described = [e.fact.values.get(name) for e in entries if isinstance(e.fact, Described) for name in _MASS_NAMES]
    known = [
        float(value)
        for value in (*described, *tested)
        if isinstance(value, int | float) and not isinstance(value, bool) and 20 <= value <= 300
    ]
    return known[-1] if known else None


_MASS_NAMES = ("body_mass", "weight", "mass")


_SEXES: Mapping[str, Sex] = {"f": "F", "female": "F", "m": "M", "male": "M"}


def _sex(entries: Sequence[Entry]) -> Sex | None:
    told = [str(e.fact.values.get("sex") or "") for e in entries if isinstance(e.fact, Described)]
    words = next((word.lower() for word in reversed(told) if word), "")
    return _SEXES.get(words)


def _reference(capacities: Sequence[Capacity], on: date | None) -> float | None:
    """Watts at VO2max, or at peak where that is not recorded, as tested last before this day."""
    for reference in ("W at VO2max", "W peak"):
        mine = [c for c in capacities if c.reference == reference and (on is None or c.on <= on) and not impossible(c)]
        if mine:
            return max(reversed(mine), key=lambda capacity: capacity.on).value
    return None


# What was done ----


def _attainments(session: SessionDelivery) -> list[float]:
    return [100 * step.work_attainment for step in _timed(session) if step.work_attainment is not None]


def _peaks(session: SessionDelivery, heart: HeartRange | None) -> list[float]:
    found = [heart.of_maximum(step.peak_heart_rate) for step in _timed(session)] if heart is not None else []
    return [peak for peak in found if peak is not None]


def _timed(session: SessionDelivery) -> list[StepDelivery]:
    return [step for step in session.work_steps if not step.exercise and step.verdict != "not observable"]


def _means(groups: Iterable[Sequence[float]]) -> list[float]:
    return [float(np.mean(group)) for group in groups if group]


def _work(log: SessionLog) -> list[StepDone]:
    work = {(row.get("block"), row.get("step")) for row in log.prescribed if row.get("work")}
    return [one for one in log.steps if not one.exercise and (one.block, one.step) in work]


def _watts(log: SessionLog, reference: float | None) -> Iterable[FloatArray]:
    """Per cent of the reference in every work second: from the tally, else the mean for as long as it was held."""
    if reference is None:
        return
    for one in _work(log):
        if one.watts_seconds:
            yield 100 * by_second(one.watts_seconds) / reference
        elif one.watts is not None and one.seconds:
            yield np.full(round(one.seconds), 100 * one.watts / reference)


def _beats(log: SessionLog, heart: HeartRange | None) -> Iterable[FloatArray]:
    if heart is None:
        return
    for one in _work(log):
        if one.heart_rate_seconds:
            yield 100 * by_second(one.heart_rate_seconds) / heart.maximum


def _pooled(groups: Iterable[Iterable[FloatArray]]) -> FloatArray:
    arrays = [array for group in groups for array in group]
    return np.concatenate(arrays) if arrays else np.empty(0)
