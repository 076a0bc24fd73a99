"""Delivered against prescribed for everybody randomised, by person and by arm, from the session records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from holdfast.analysis.training import Trained, planned_doses, trained
from holdfast.core.facts import SessionDone
from holdfast.core.issues import Issue, Severity
from holdfast.core.ledger import Ledger
from holdfast.dosing.dose import Dose, Spread, dose_of, spread
from holdfast.dosing.load import Scale, SessionLoad, scale_of
from holdfast.dosing.log import unreadable
from holdfast.dosing.separation import Separation, separation
from holdfast.dosing.verdicts import SessionDelivery
from holdfast.errors import CallError
from holdfast.study.model import Study


@dataclass(frozen=True, slots=True)
class ArmDose:
    """An arm in numbers: everybody randomised to it counts, also who never came.

    Attributes
    ----------
    people, started, known : randomised; with at least one attended session; with a known planned dose.
    attendance : mean share of planned sessions attended.
    relative : median relative dose intensity by unit, of those for whom it is known, and how many those are.
    reached_itt, reached_pp : mean share of work steps reaching the target, of all planned and of attended sessions.
    modified : mean share of attended and observed sessions that were modified or ended early.
    parts : how many sessions differed in frequency, intensity, time, type.
    interrupted, discontinued : people; `weeks` those in which the latter stopped.
    spreads : within- and between-person SD by session value ("work attainment (%)", "peak heart rate (% of maximum)").
    loads : median session load by kind, and how many sessions it rests on.
    unseen_minutes : minutes of attended work without a signal.
    """

    arm: str
    people: int
    started: int
    known: int
    attendance: float
    relative: Mapping[str, tuple[float, int]]
    reached_itt: float | None
    reached_pp: float | None
    modified: float | None
    parts: Mapping[str, int]
    interrupted: int
    discontinued: int
    weeks: tuple[int, ...]
    spreads: Mapping[str, Spread]
    loads: Mapping[str, tuple[float, int]]
    unseen_minutes: float


@dataclass(frozen=True, slots=True)
class Apart:
    """How far the work of the first two arms lies apart, in one signal ("watts" or "heart rate")."""

    signal: str
    unit: str
    arms: tuple[str, str]
    found: Separation


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Everybody's delivered dose.

    Attributes
    ----------
    sessions : deliveries by participant, in order; empty for who never came.
    doses : by participant, of those whose planned dose is known.
    loads : session loads by participant.
    arms : one summary per arm, in the order of the study file; `members` names the arm of each participant.
    reasons : how often each reason was given for a missed or modified session, by arm.
    apart : separation of the first two arms, per signal that was recorded in both.
    issues : people whose planned dose cannot be told, and what else stood in the way.
    """

    sessions: Mapping[str, tuple[SessionDelivery, ...]]
    doses: Mapping[str, Dose]
    loads: Mapping[str, tuple[SessionLoad, ...]]
    arms: tuple[ArmDose, ...]
    members: Mapping[str, str]
    reasons: Mapping[str, Mapping[str, int]]
    apart: tuple[Apart, ...]
    issues: tuple[Issue, ...]


def fidelity(study: Study, ledger: Ledger, arms: Mapping[str, str]) -> Fidelity | None:
    """Score every recorded session of everybody randomised; None when no session is on record.

    Parameters
    ----------
    arms : true arm by participant; a person in an arm without a programme is left out.
    """
    scale, issues = _scale(study)
    people = {
        person: trained(person, arm, programme, ledger.of(person), scale)
        for person, arm in arms.items()
        if (programme := study.programmes.get(study.arm(arm).programme or "")) is not None
    }
    if not any(one.sessions for one in people.values()):
        return None
    doses: dict[str, Dose] = {}
    for person, one in people.items():
        planned, told = planned_doses(one)
        issues += told
        if planned is not None:
            doses[person] = dose_of(person, one.programme, one.sessions, planned, body_mass=one.body_mass)
    issues += _odd(ledger, people)
    groups = {arm.code: [one for one in people.values() if one.arm == arm.code] for arm in study.arms}
    return Fidelity(
        sessions={person: one.sessions for person, one in people.items()},
        doses=doses,
        loads={person: one.loads for person, one in people.items()},
        arms=tuple(_summary(arm, mine, doses) for arm, mine in groups.items() if mine),
        members={person: one.arm for person, one in people.items()},
        reasons={arm: _reasons(mine) for arm, mine in groups.items() if mine},
        apart=tuple(_apart(groups)),
        issues=tuple(issues),
    )


def _scale(study: Study) -> tuple[Scale | None, list[Issue]]:
    try:
        return scale_of(study.settings.get("rpe_scale")), []
    except CallError as error:
        return None, [Issue("unknown-scale", "settings.rpe_scale", error.message, " ".join(error.ways_out))]


def _odd(ledger: Ledger, people: Iterable[str]) -> Iterable[Issue]:
    for person in people:
        facts = [entry.fact for entry in ledger.of(person, SessionDone)]
        count = sum(unreadable(fact) for fact in facts if isinstance(fact, SessionDone))
        if count:
            what = f"{count} values of the sessions should be numbers and are not; they count as not observed."
            yield Issue("unreadable-values", person, what, "Correct the records.", Severity.WARNING)


# One arm ----


def _summary(arm: str, people: Sequence[Trained], doses: Mapping[str, Dose]) -> ArmDose:
    mine = [doses[one.participant] for one in people if one.participant in doses]
    weeks = tuple(sorted(dose.discontinued_week for dose in mine if dose.discontinued_week is not None))
    return ArmDose(
        arm=arm,
        people=len(people),
        started=sum(one.attended > 0 for one in people),
        known=len(mine),
        attendance=float(np.mean([one.attended / one.programme.sessions for one in people])),
        relative=_medians({unit: [dose.relative.get(unit) for dose in mine] for unit in _UNITS}),
        reached_itt=_mean([dose.reached_itt for dose in mine]),
        reached_pp=_mean([dose.reached_pp for dose in mine]),
        modified=_mean([dose.modified for dose in mine]),
        parts={part: sum(dose.parts[part] for dose in mine) for part in ("frequency", "intensity", "time", "type")},
        interrupted=sum(dose.interruptions > 0 for dose in mine),
        discontinued=len(weeks),
        weeks=weeks,
        spreads=_spreads(people),
        loads=_medians(
            {name: [getattr(load, key) for one in people for load in one.loads] for name, key in _LOADS.items()}
        ),
        unseen_minutes=sum(dose.unseen_seconds for dose in mine) / 60,
    )


_UNITS = ("kJ", "MET h", "kg", "hold s")
_LOADS = {
    "session RPE x minutes": "rpe_load",
    "training impulse (Banister)": "banister",
    "training impulse (Edwards)": "edwards",
}


def _medians(values: Mapping[str, Sequence[float | None]]) -> dict[str, tuple[float, int]]:
    known = {name: [one for one in found if one is not None] for name, found in values.items()}
    return {name: (float(median(found)), len(found)) for name, found in known.items() if found}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _spreads(people: Sequence[Trained]) -> dict[str, Spread]:
    """Session values within and between people, where two people have them and one of them twice."""
    found = {}
    for name in dict.fromkeys(name for one in people for name in one.values):
        groups = [list(one.values[name]) for one in people if one.values.get(name)]
        if len(groups) >= 2 and sum(map(len, groups)) > len(groups):
            found[name] = spread(groups)
    return found


def _reasons(people: Iterable[Trained]) -> dict[str, int]:
    differed = ("modified", "ended early", "missed")
    reasons = Counter(
        session.reason or "no reason recorded"
        for one in people
        for session in one.sessions
        if session.verdict in differed
    )
    return dict(reasons.most_common())


# Two arms ----


@dataclass(slots=True)
class _Pools:
    """Intensities of all observed work seconds by arm."""

    by_arm: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def of(self, arm: str) -> np.ndarray:
        return np.concatenate(self.by_arm[arm]) if self.by_arm.get(arm) else np.empty(0)


def _apart(groups: Mapping[str, Sequence[Trained]]) -> Iterable[Apart]:
    """Intensity of the first two arms' work, second by second, in per cent of each person's own maximum."""
    if len(groups) < 2:
        return
    first, second = list(groups)[:2]
    for signal, unit in (("watts", "% of W at VO2max"), ("heart rate", "% of maximum heart rate")):
        pools = _Pools({arm: [one.intensity[signal] for one in groups[arm]] for arm in (first, second)})
        a, b = pools.of(first), pools.of(second)
        if a.size and b.size:
            yield Apart(signal, unit, (first, second), separation(a, b))
