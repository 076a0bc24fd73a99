"""The delivered dose of a person over a whole programme, with missed sessions in every denominator.

Attendance is not dose: in Nilsen et al. (2018) patients attended 79 % of sessions and most had their dose reduced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.dosing.impulse import met_hours_of_work
from holdfast.dosing.verdicts import PlannedDose, SessionDelivery
from holdfast.errors import CallError
from holdfast.study.programme import Programme

INTERRUPTION = 3
"""Sessions missed in a row that make an interruption (Nilsen et al. 2018; Fairman et al.)."""


@dataclass(frozen=True, slots=True)
class Dose:
    """What one person received of the programme.

    Attributes
    ----------
    participant : code.
    planned, attended : sessions.
    relative : relative dose intensity by unit ("kJ", "MET h", "kg", "hold s"): delivered over planned; a missed
        session counts as planned and not delivered, an unobserved step makes the unit unknown (None); MET hours are
        None without a body mass. eq:rdi
    reached_itt, reached_pp : share of work steps that reached their target, of all planned and of those in
        attended sessions (Taylor et al. 2015: 58 % and 68 % in one trial).
    modified : share of attended sessions that were modified or ended early, of those about which anything is known.
    parts : how many attended sessions differed in frequency, intensity, time, type.
    interruptions : runs of at least three missed sessions that were followed by an attended one.
    discontinued_week : week (from 1) of the last attended session when at least three were missed after it to
        the end; None otherwise.
    not_observable : work steps in attended sessions that nothing could be said about.
    unseen_seconds : seconds of attended work steps without the target's signal; they add nothing to what was delivered.
    """

    participant: str
    planned: int
    attended: int
    relative: Mapping[str, float | None]
    reached_itt: float | None
    reached_pp: float | None
    modified: float | None
    parts: Mapping[str, int]
    interruptions: int
    discontinued_week: int | None
    not_observable: int
    unseen_seconds: float = 0.0

    @property
    def attendance(self) -> float:
        """Attended over planned sessions."""
        return self.attended / self.planned


def dose_of(
    participant: str,
    programme: Programme,
    sessions: Sequence[SessionDelivery],
    planned: Sequence[PlannedDose],
    *,
    body_mass: float | None = None,
) -> Dose:
    """Sum up a person's programme.

    Parameters
    ----------
    sessions : every session that should have taken place so far, the missed ones too, each once, in order.
    planned : what every session of the whole programme asks before any change of dose, so that a dose that was
        lowered beforehand is not taken for one that was delivered in full.
    body_mass : kg, for MET hours.
    """
    numbers = [session.session for session in sessions]
    if numbers != sorted(set(numbers)):
        raise CallError(f"The sessions of {participant} are not in order, or one is there twice.")
    if len(planned) < programme.sessions:
        raise CallError(f"{programme.sessions} sessions are planned and {len(planned)} planned doses were given.")
    by_number = {session.session: session for session in sessions}
    asked = list(planned[: programme.sessions])
    attended = [session for session in sessions if session.attended]
    came = [n in by_number and by_number[n].attended for n in range(1, programme.sessions + 1)]
    reached = _reached(attended, programme.tolerance.attainment)
    bouts = sum(one.bouts for one in asked)
    here = sum(asked[session.session - 1].bouts for session in attended)
    return Dose(
        participant,
        programme.sessions,
        len(attended),
        {
            "kJ": _relative(attended, "kilojoules", sum(one.kilojoules for one in asked)),
            "MET h": _relative_met(attended, asked, body_mass),
            "kg": _relative(attended, "volume", sum(one.volume for one in asked)),
            "hold s": _relative(attended, "hold", sum(one.hold_seconds for one in asked)),
        },
        reached / bouts if bouts else None,
        reached / here if here else None,
        _share([one.verdict != "as prescribed" for one in attended if one.verdict != "not observable"]),
        {part: sum(part in session.modified for session in attended) for part in ("intensity", "time", "type")}
        | {"frequency": programme.sessions - len(attended)},
        _interruptions(came),
        _discontinued(came, programme.per_week),
        sum(_unknown(session, asked[session.session - 1].bouts) for session in attended),
        sum(step.not_observed or 0.0 for session in attended for step in session.work_steps),
    )


def _relative(attended: Sequence[SessionDelivery], unit: str, planned: float) -> float | None:
    """Delivered over planned; None where the programme has none of this unit, or something was not observed."""
    if planned <= 0:
        return None
    if any(not session.steps for session in attended):
        return None
    total = 0.0
    for session in attended:
        for step in session.steps:
            is_hold = step.exercise != "" and step.planned is not None
            asked, done = {
                "kilojoules": (step.planned_kilojoules, step.kilojoules),
                "volume": (step.planned_volume, step.volume),
                "hold": (step.planned if is_hold else None, step.done if is_hold else None),
            }[unit]
            if asked:
                if done is None or step.verdict == "not observable":
                    return None
                total += done
    return total / planned


def _relative_met(
    attended: Sequence[SessionDelivery], asked: Sequence[PlannedDose], body_mass: float | None
) -> float | None:
    """Delivered over planned MET hours of cycling, by the same rules as `_relative`."""
    if body_mass is None:
        return None
    planned = sum(met_hours_of_work(one.kilojoules, one.cycling_seconds, body_mass=body_mass) for one in asked)
    if planned <= 0:
        return None
    if any(not session.steps for session in attended):
        return None
    total = 0.0
    for step in (step for session in attended for step in session.steps if step.planned_kilojoules):
        if step.kilojoules is None or step.done is None or step.verdict == "not observable":
            return None
        seen = max(0.0, step.done - (step.not_observed or 0.0))
        total += met_hours_of_work(step.kilojoules, seen, body_mass=body_mass)
    return total / planned


def _reached(attended: Sequence[SessionDelivery], attainment: float) -> int:
    """Work steps that reached the target."""
    shares = [step.reached for session in attended for step in session.work_steps]
    return sum(share >= attainment for share in shares if share is not None)


def _unknown(session: SessionDelivery, bouts: int) -> int:
    """Work steps of an attended session about which nothing is known; all of them where nothing was written."""
    return sum(step.reached is None for step in session.work_steps) if session.steps else bouts


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def _interruptions(came: Sequence[bool]) -> int:
    runs, missed = 0, 0
    for here in came:
        runs += here and missed >= INTERRUPTION
        missed = 0 if here else missed + 1
    return runs


def _discontinued(came: Sequence[bool], per_week: float) -> int | None:
    last = max((number for number, here in enumerate(came, start=1) if here), default=0)
    if len(came) - last < INTERRUPTION:
        return None
    return max(1, int(np.ceil(last / per_week)))


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of a session value within and between people (one-way random effects, moments)."""

    mean: float
    within: float
    between: float
    people: int


def spread(values: Sequence[Sequence[float]]) -> Spread:
    """Within- and between-person SD of session values, one sequence per person (eq:spread).

    The between-person variance is the ANOVA estimate for unequal numbers of sessions, set to 0 where negative.
    """
    groups = [np.asarray(one, dtype=np.float64) for one in values if len(one)]
    total = sum(one.size for one in groups)
    if len(groups) < 2 or total <= len(groups):
        raise CallError("A spread within and between people needs two people, and one of them twice.")
    means = np.array([one.mean() for one in groups])
    sizes = np.array([one.size for one in groups], dtype=np.float64)
    grand = float((sizes * means).sum() / total)
    within = sum(float(np.square(one - one.mean()).sum()) for one in groups) / (total - len(groups))
    between = float((sizes * np.square(means - grand)).sum()) / (len(groups) - 1)
    n0 = (total - float(np.square(sizes).sum()) / total) / (len(groups) - 1)
    return Spread(grand, float(np.sqrt(within)), float(np.sqrt(max(0.0, (between - within) / n0))), len(groups))
