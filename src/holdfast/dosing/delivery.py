"""What was delivered of each step, scored from what was measured or written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdfast.core.recording import Recording
from holdfast.dosing.log import StepDone
from holdfast.dosing.matching import Match
from holdfast.dosing.measuring import mean, measure
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep, Prescription
from holdfast.study.programme import Tolerance

StepVerdict = Literal["delivered", "over", "under", "short", "skipped", "not observable"]

OBSERVABLE = 0.5
"""Share of a step's seconds that must be seen before its intensity is judged; a design choice of ours."""


@dataclass(frozen=True, slots=True)
class StepDelivery:
    """One step, asked and done. NaN or None means not observed, never zero.

    Attributes
    ----------
    block, step, work : which step, and whether it is work (a bout, a set) or rest.
    verdict : delivered, over or under its target, short, skipped, or not observable.
    planned, done : seconds; for sets and holds the planned and done hold seconds, where there are any.
    watts : mean power over the observed seconds (W).
    attainment : mean power over target power. eq:attainment
    work_attainment : work done over work asked, so that time and power both count. eq:work-attainment
    in_band : seconds inside the target band (power, or heart rate where the target is one).
    cadence : mean rpm; `cadence_in_band` seconds inside its band.
    peak_heart_rate, end_heart_rate : bpm.
    not_observed : seconds without the target's signal.
    kilojoules, planned_kilojoules : mechanical work; volume, planned_volume : kg x reps over all sets.
    """

    block: str
    step: str
    work: bool
    verdict: StepVerdict
    planned: float | None = None
    done: float | None = None
    watts: float | None = None
    attainment: float | None = None
    work_attainment: float | None = None
    in_band: float | None = None
    cadence: float | None = None
    cadence_in_band: float | None = None
    peak_heart_rate: float | None = None
    end_heart_rate: float | None = None
    not_observed: float | None = None
    kilojoules: float | None = None
    planned_kilojoules: float | None = None
    volume: float | None = None
    planned_volume: float | None = None
    exercise: str = ""

    @property
    def reached(self) -> float | None:
        """What counts towards reaching the target: work, else volume, else time, each done over planned.

        Work is held against what was asked of the seconds that were seen: a gap is neither done nor undone. None
        where too little was seen to say anything. eq:reached
        """
        if self.verdict == "not observable":
            return None
        for done, asked in (
            (self.kilojoules, self._asked_while_seen),
            (self.volume, self.planned_volume),
            (self.done, self.planned),
        ):
            if asked:
                return None if done is None else done / asked
        return None

    @property
    def _asked_while_seen(self) -> float | None:
        if not (self.planned_kilojoules and self.planned and self.not_observed):
            return self.planned_kilojoules
        return self.planned_kilojoules * max(0.0, 1 - self.not_observed / self.planned)


def score_recording(
    block: PrescribedBlock, recording: Recording, match: Match, tolerance: Tolerance
) -> tuple[StepDelivery, ...]:
    """Score each step of a cardio block from the recording's 1-second records.

    The same as `score_log` of the rows that `holdfast.dosing.measuring.measure` keeps, so that a verdict read from the
    record is the verdict that was shown.
    """
    return score_rows(block, measure(block, recording, match), tolerance)


def score_rows(block: PrescribedBlock, measured: Sequence[StepDone], tolerance: Tolerance) -> tuple[StepDelivery, ...]:
    """Score each step from its one measured row, in order."""
    pairs = zip(block.steps, measured, strict=True)
    return tuple(_score_measured(block.name, step, one, tolerance) for step, one in pairs)


def score_session(
    prescription: Prescription, done: Sequence[StepDone], tolerance: Tolerance
) -> tuple[StepDelivery, ...]:
    """Score every step of every block of a session from what its record keeps."""
    return tuple(
        step
        for block in prescription.blocks
        for step in score_log(block, [one for one in done if one.block == block.name], tolerance)
    )


def score_log(block: PrescribedBlock, done: Sequence[StepDone], tolerance: Tolerance) -> tuple[StepDelivery, ...]:
    """Score sets, holds and timed steps from what was written down; what was not written is not observable."""
    return tuple(_score_written(block.name, step, _of(step, done), tolerance) for step in block.steps)


def _of(step: PrescribedStep, done: Sequence[StepDone]) -> list[StepDone]:
    if step.exercise:
        return [one for one in done if one.exercise == step.exercise]
    return [one for one in done if one.step == step.name and not one.exercise]


def _score_written(block: str, step: PrescribedStep, done: Sequence[StepDone], tolerance: Tolerance) -> StepDelivery:
    if not done:
        return StepDelivery(block, step.name, step.work, "not observable", exercise=step.exercise)
    if not step.exercise:
        measured = [one for one in done if one.recorded is not None]
        # what the machine recorded goes before what somebody wrote down beside it
        return (
            _score_measured(block, step, measured[0], tolerance)
            if measured
            else _score_timed(block, step, done, tolerance)
        )
    asked = (step.sets or 1) * (step.reps or 1)
    reps = _sum([one.reps for one in done])
    hold = None if step.hold_seconds is None else _sum([_product(one.reps, one.hold_seconds) for one in done])
    planned_hold = None if step.hold_seconds is None else asked * step.hold_seconds
    volume = None if step.kg is None else _sum([_product(one.reps, one.kg) for one in done])
    kg = mean(np.array([np.nan if one.kg is None else one.kg for one in done]))
    verdict: StepVerdict = "delivered"
    if reps is None or (step.kg is not None and kg is None):
        verdict = "not observable"
    elif reps == 0:
        verdict = "skipped"
    elif reps < asked * (1 - tolerance.seconds_percent / 100):
        verdict = "short"
    elif step.kg is not None and kg is not None and abs(kg - step.kg) > step.kg * tolerance.kg_percent / 100:
        verdict = "under" if kg < step.kg else "over"
    return StepDelivery(
        block,
        step.name,
        step.work,
        verdict,
        planned_hold,
        hold,
        attainment=kg / step.kg if kg is not None and step.kg else None,
        work_attainment=reps / asked if reps is not None else None,
        volume=volume,
        planned_volume=None if step.kg is None else asked * step.kg,
        exercise=step.exercise,
    )


def _score_measured(block: str, step: PrescribedStep, one: StepDone, tolerance: Tolerance) -> StepDelivery:
    planned = step.seconds or 0.0
    asked = None if step.target_watts is None else step.target_watts * planned / 1000
    if not one.recorded:
        nothing = 0.0 if asked is not None else None
        return StepDelivery(
            block, step.name, step.work, "skipped", planned, 0.0, kilojoules=nothing, planned_kilojoules=asked
        )
    return StepDelivery(
        block,
        step.name,
        step.work,
        _verdict(step, one, planned, tolerance),
        planned,
        one.seconds,
        one.watts,
        _over(one.watts, step.target_watts),
        _over(one.kilojoules, asked),
        one.in_band,
        one.rpm,
        one.cadence_in_band,
        one.peak_heart_rate,
        one.end_heart_rate,
        one.not_observed,
        one.kilojoules,
        asked,
    )


def _verdict(step: PrescribedStep, one: StepDone, planned: float, tolerance: Tolerance) -> StepVerdict:
    target, recorded, done = step.watts or step.heart_rate, one.recorded or 0.0, one.seconds or 0.0
    if target is not None and recorded - (one.not_observed or 0.0) < OBSERVABLE * recorded:
        return "not observable"
    if done <= 0:
        return "skipped"
    if planned and done < planned * (1 - tolerance.seconds_percent / 100):
        return "short"
    if target is None:
        return "delivered"
    if one.active is None:
        return "not observable"
    return "under" if one.active < target.low else "over" if one.active > target.high else "delivered"


def _over(done: float | None, asked: float | None) -> float | None:
    return None if done is None or not asked else done / asked


def _score_timed(block: str, step: PrescribedStep, done: Sequence[StepDone], tolerance: Tolerance) -> StepDelivery:
    seconds = _sum([one.seconds for one in done])
    if seconds is None:
        return StepDelivery(block, step.name, step.work, "not observable", step.seconds)
    weights = np.array([one.seconds or 0.0 for one in done])
    watts = np.array([np.nan if one.watts is None else one.watts for one in done])
    average = float((weights * watts).sum() / seconds) if seconds and np.isfinite(watts).all() else None
    planned, target = step.seconds or 0.0, step.target_watts
    verdict: StepVerdict = "delivered"
    if seconds == 0:
        verdict = "skipped"
    elif seconds < planned * (1 - tolerance.seconds_percent / 100):
        verdict = "short"
    elif step.watts is not None and average is None:
        verdict = "not observable"
    elif step.watts is not None and average is not None and not step.watts.holds(average):
        verdict = "under" if average < step.watts.low else "over"
    kilojoules = None if average is None else average * seconds / 1000
    asked = None if target is None else target * planned / 1000
    return StepDelivery(
        block,
        step.name,
        step.work,
        verdict,
        planned,
        seconds,
        average,
        average / target if average is not None and target else None,
        kilojoules / asked if kilojoules is not None and asked else None,
        kilojoules=kilojoules,
        planned_kilojoules=asked,
    )


def _sum(values: Sequence[float | int | None]) -> float | None:
    """The sum, or None when any part is not known: an unknown part is not zero."""
    return None if any(value is None for value in values) else float(sum(value or 0 for value in values))


def _product(a: float | int | None, b: float | None) -> float | None:
    return None if a is None or b is None else a * b
