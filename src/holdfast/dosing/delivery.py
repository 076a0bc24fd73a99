"""What was delivered of each step, scored from the 1-second records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from holdfast.core.recording import Recording
from holdfast.core.workout import Band
from holdfast.dosing.log import StepDone
from holdfast.dosing.matching import Match, Span
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep
from holdfast.study.programme import Tolerance

FloatArray = NDArray[np.float64]
StepVerdict = Literal["delivered", "over", "under", "short", "skipped", "not observable"]

OBSERVABLE = 0.5
"""Share of a step's seconds that must be seen before its intensity is judged; a design choice of ours."""
END_SECONDS = 5
"""Heart rate at the end of a step is the mean over this many last seconds."""


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
        """What counts towards reaching the target: work, else volume, else time, each done over planned."""
        pairs = (
            (self.kilojoules, self.planned_kilojoules),
            (self.volume, self.planned_volume),
            (self.done, self.planned),
        )
        for done, planned in pairs:
            if planned:
                return None if done is None else done / planned
        return None


def score_recording(
    block: PrescribedBlock, recording: Recording, match: Match, tolerance: Tolerance
) -> tuple[StepDelivery, ...]:
    """Score each step of a cardio block from the recording's 1-second records."""
    seconds = recording.at_1hz(bridge=2.0)
    return tuple(
        _score(block.name, step, seconds, span, tolerance) for step, span in zip(block.steps, match.spans, strict=True)
    )


def _score(
    block: str, step: PrescribedStep, recording: Recording, span: Span | None, tolerance: Tolerance
) -> StepDelivery:
    planned = step.seconds or 0.0
    asked = None if step.target_watts is None else step.target_watts * planned / 1000
    if span is None or span.start >= recording.duration:
        # The recording ended before the step began: it was not done, as far as this session goes.
        return StepDelivery(
            block, step.name, step.work, "skipped", planned, 0.0, kilojoules=_nothing(asked), planned_kilojoules=asked
        )
    part = recording.between(np.ceil(span.start - 1e-9), np.ceil(span.end - 1e-9))
    power, heart, cadence = (part.channel(name) for name in ("power", "heart_rate", "cadence"))
    target, signal = (step.watts, power) if step.watts is not None else (step.heart_rate, heart)
    watts = _mean(power)
    attainment = watts / step.target_watts if watts is not None and step.target_watts else None
    done = _time_done(signal if target is not None else None, len(part))
    unseen = float(np.isnan(signal).sum()) if target is not None else None
    kilojoules = float(np.nansum(power)) / 1000 if watts is not None else None
    return StepDelivery(
        block,
        step.name,
        step.work,
        _verdict(target, signal, done, planned, tolerance),
        planned,
        done,
        watts,
        attainment,
        kilojoules / asked if kilojoules is not None and asked else None,
        _inside(target, signal),
        _mean(cadence),
        _inside(step.cadence, cadence),
        float(np.nanmax(heart)) if np.isfinite(heart).any() else None,
        _mean(heart[-END_SECONDS:]),
        unseen,
        kilojoules,
        asked,
    )


def _nothing(asked: float | None) -> float | None:
    return 0.0 if asked is not None else None


def _time_done(signal: FloatArray | None, recorded: int) -> float:
    """Recorded seconds of the step, without those in which the signal says that nothing was done (0 W)."""
    return float(recorded) if signal is None else recorded - float((signal == 0).sum())


def _verdict(target: Band | None, signal: FloatArray, done: float, planned: float, tolerance: Tolerance) -> StepVerdict:
    if target is not None and (signal.size == 0 or np.isfinite(signal).mean() < OBSERVABLE):
        return "not observable"
    if done <= 0:
        return "skipped"
    if planned and done < planned * (1 - tolerance.seconds_percent / 100):
        return "short"
    if target is None:
        return "delivered"
    active = signal[np.isfinite(signal) & (signal > 0)]
    level = float(active.mean())
    return "under" if level < target.low else "over" if level > target.high else "delivered"


def _inside(band: Band | None, values: FloatArray) -> float | None:
    if band is None or not np.isfinite(values).any():
        return None
    return float(((values >= band.low) & (values <= band.high)).sum())


def _mean(values: FloatArray) -> float | None:
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


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
        return _score_timed(block, step, done, tolerance)
    asked = (step.sets or 1) * (step.reps or 1)
    reps = _sum([one.reps for one in done])
    hold = None if step.hold_seconds is None else _sum([_product(one.reps, one.hold_seconds) for one in done])
    planned_hold = None if step.hold_seconds is None else asked * step.hold_seconds
    volume = None if step.kg is None else _sum([_product(one.reps, one.kg) for one in done])
    kg = _mean(np.array([np.nan if one.kg is None else one.kg for one in done]))
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


def _score_timed(block: str, step: PrescribedStep, done: Sequence[StepDone], tolerance: Tolerance) -> StepDelivery:
    seconds = _sum([one.seconds for one in done])
    if seconds is None:
        return StepDelivery(block, step.name, step.work, "not observable", step.seconds)
    weights = np.array([one.seconds or 0.0 for one in done])
    watts = np.array([np.nan if one.watts is None else one.watts for one in done])
    mean = float((weights * watts).sum() / seconds) if seconds and np.isfinite(watts).all() else None
    planned, target = step.seconds or 0.0, step.target_watts
    verdict: StepVerdict = "delivered"
    if seconds == 0:
        verdict = "skipped"
    elif seconds < planned * (1 - tolerance.seconds_percent / 100):
        verdict = "short"
    elif step.watts is not None and mean is None:
        verdict = "not observable"
    elif step.watts is not None and mean is not None and not step.watts.holds(mean):
        verdict = "under" if mean < step.watts.low else "over"
    kilojoules = None if mean is None else mean * seconds / 1000
    asked = None if target is None else target * planned / 1000
    return StepDelivery(
        block,
        step.name,
        step.work,
        verdict,
        planned,
        seconds,
        mean,
        mean / target if mean is not None and target else None,
        kilojoules / asked if kilojoules is not None and asked else None,
        kilojoules=kilojoules,
        planned_kilojoules=asked,
    )


def _sum(values: Sequence[float | int | None]) -> float | None:
    """The sum, or None when any part is not known: an unknown part is not zero."""
    return None if any(value is None for value in values) else float(sum(value or 0 for value in values))


def _product(a: float | int | None, b: float | None) -> float | None:
    return None if a is None or b is None else a * b
