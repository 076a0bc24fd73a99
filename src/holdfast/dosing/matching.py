"""Which seconds of a recording belong to which step of a prescribed block; a proposal that a person confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from holdfast.core.issues import Issue, Severity
from holdfast.core.recording import Lap, Recording
from holdfast.dosing.prescription import PrescribedBlock
from holdfast.errors import CallError

FloatArray = NDArray[np.float64]
How = Literal["step events", "workout steps", "laps", "power", "heart rate", "by hand"]

SURE = 0.7
"""Agreement from which a proposal needs no warning; a design choice of ours."""
HEART_LAG = 30.0
"""Time constant in seconds with which heart rate is taken to follow load when it alone tells where bouts are."""


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds of the recording that belong to one step, half open: start <= t < end."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Match:
    """A proposal for every step of a block.

    Attributes
    ----------
    spans : one per step; None where the recording has nothing for it.
    how : what it rests on.
    agreement : 0 to 1; share of planned time for laps, correlation for an aligned trace.
    confirmed_by : who looked at it and agreed; empty until then.
    """

    spans: tuple[Span | None, ...]
    how: How
    agreement: float
    confirmed_by: str = ""

    @property
    def found(self) -> bool:
        """Whether any step was placed at all."""
        return any(span is not None for span in self.spans)

    def confirm(self, who: str) -> Match:
        """The same match, confirmed by a named person."""
        if not who.strip():
            raise CallError("A match is confirmed by a named person.")
        return replace(self, confirmed_by=who)


def match(block: PrescribedBlock, recording: Recording) -> tuple[Match, list[Issue]]:
    """Propose which seconds belong to which step.

    Tries, in this order: the steps that the device says it played (its events, else its laps), laps by their
    durations, and the trace of power (or, where there is no power, of heart rate) against the planned shape. The
    proposal says which; nothing is scored as sure before a person confirmed it.

    Raises
    ------
    CallError
        When the block has steps without a duration or the recording is empty.
    """
    if len(recording) == 0:
        raise CallError("The recording holds no samples, so there is nothing to match.")
    planned = _planned(block)
    found = (
        _by_events(planned, recording)
        or _by_workout_steps(planned, recording.laps)
        or _by_laps(planned, recording.laps)
    )
    if found is None or found.agreement < SURE:
        traced = _by_trace(block, planned, recording)
        found = max((one for one in (found, traced) if one is not None), key=lambda one: one.agreement, default=None)
    if found is None:
        nothing = Match((None,) * len(planned), "by hand", 0.0)
        return nothing, [_issue("nothing in the recording tells where the steps are.")]
    unsure = found.agreement < SURE
    told = f"the steps were placed by {found.how} with an agreement of {found.agreement:.2f}."
    return found, [_issue(told)] if unsure else []


def by_hand(block: PrescribedBlock, start: float, who: str) -> Match:
    """All steps in a row from this second of the recording, as a named person says."""
    return from_second(block, start).confirm(who)


def from_second(block: PrescribedBlock, start: float) -> Match:
    """All steps in a row from this second of the recording; a proposal until somebody confirms it."""
    return Match(_in_a_row(start, _planned(block)), "by hand", 1.0)


def _in_a_row(start: float, planned: FloatArray) -> tuple[Span, ...]:
    edges = start + np.concatenate([[0.0], np.cumsum(planned)])
    return tuple(Span(float(a), float(b)) for a, b in pairwise(edges))


def _issue(what: str) -> Issue:
    remedy = "Look at the overlay and place the steps by hand."
    return Issue("unsure-match", "recording", what, remedy, Severity.WARNING)


def _planned(block: PrescribedBlock) -> FloatArray:
    seconds = [step.seconds for step in block.steps]
    if not seconds or any(one is None for one in seconds):
        raise CallError(f"The block {block.name!r} has no timed steps, so no recording can be matched to it.")
    return np.array(seconds, dtype=np.float64)


def _by_events(planned: FloatArray, recording: Recording) -> Match | None:
    """The device noted when each planned step began; a step lasts until the next one begins, or the clock stops."""
    began = [event for event in recording.events if event.kind == "workout_step" and event.value is not None]
    if not began:
        return None
    spans: list[Span | None] = [None] * planned.size
    for event, following in zip(began, [*began[1:], None], strict=True):
        index = event.value or 0
        if 0 <= index < planned.size and spans[index] is None:
            end = following.seconds if following is not None else _stopped(recording, event.seconds)
            spans[index] = Span(event.seconds, end)
    if all(span is None for span in spans):
        return None
    return Match(tuple(spans), "step events", _time_agreement(planned, spans))


def _stopped(recording: Recording, after: float) -> float:
    """When the clock stopped after this second; the end of the recording where it says nothing."""
    stops = [e.seconds for e in recording.events if e.kind == "timer" and e.action.startswith("stop")]
    return min([second for second in stops if second > after], default=recording.duration + 1)


def _by_workout_steps(planned: FloatArray, laps: Sequence[Lap]) -> Match | None:
    """The device said which planned step each lap was; a step may span several laps."""
    spans: list[Span | None] = [None] * planned.size
    for lap in laps:
        index = lap.workout_step
        if index is None or not 0 <= index < planned.size:
            continue
        before = spans[index]
        spans[index] = Span(lap.start if before is None else before.start, lap.end)
    if all(span is None for span in spans):
        return None
    return Match(tuple(spans), "workout steps", _time_agreement(planned, spans))


def _by_laps(planned: FloatArray, laps: Sequence[Lap]) -> Match | None:
    """The run of consecutive laps whose durations fit the plan best."""
    if len(laps) < planned.size:
        return None
    best: Match | None = None
    for first in range(len(laps) - planned.size + 1):
        run = [Span(lap.start, lap.end) for lap in laps[first : first + planned.size]]
        agreement = _time_agreement(planned, run)
        if best is None or agreement > best.agreement:
            best = Match(tuple(run), "laps", agreement)
    return best


def _time_agreement(planned: FloatArray, spans: Sequence[Span | None]) -> float:
    """1 minus the share of planned time by which the spans differ from the plan, at least 0."""
    done = np.array([0.0 if span is None else span.end - span.start for span in spans])
    return max(0.0, 1.0 - float(np.abs(done - planned).sum() / planned.sum()))


def _by_trace(block: PrescribedBlock, planned: FloatArray, recording: Recording) -> Match | None:
    """Slide the planned shape along the trace; the place of the highest correlation wins. eq:trace-alignment"""
    trace = recording.at_1hz(bridge=5.0)
    shape = _shape(block, planned)
    if np.ptp(shape) == 0:
        # A steady block has no inner shape; what shows is where it begins and ends.
        shape = np.concatenate([np.zeros(30), shape, np.zeros(30)])
    for channel in ("power", "heart_rate"):
        if trace.observed(channel) < 0.5:
            continue
        template = shape if channel == "power" else _lagged(shape)
        offset, agreement = _best_offset(template, trace.channel(channel))
        if offset is None:
            continue
        start = trace.seconds[0] + offset + (template.size - planned.sum()) / 2
        how: How = "power" if channel == "power" else "heart rate"
        return Match(_in_a_row(start, planned), how, agreement)
    return None


def _shape(block: PrescribedBlock, planned: FloatArray) -> FloatArray:
    targets = [step.target_watts if step.target_watts is not None else float(step.work) for step in block.steps]
    return np.repeat(np.array(targets, dtype=np.float64), np.rint(planned).astype(int))


def _lagged(shape: FloatArray) -> FloatArray:
    """First-order response to a change of load, as heart rate follows it, from the level of the easiest step."""
    out = np.empty_like(shape)
    level = shape.min()
    for i, target in enumerate(shape):
        level += (target - level) / HEART_LAG
        out[i] = level
    return out


def _best_offset(template: FloatArray, trace: FloatArray) -> tuple[int | None, float]:
    """Offset in samples of the highest Pearson correlation; the trace is padded by half a template of silence."""
    seen = np.isfinite(trace)
    padding = template.size // 2
    values = np.concatenate([np.zeros(padding), np.where(seen, trace, 0.0), np.zeros(padding)])
    weight = np.concatenate([np.ones(padding), seen.astype(np.float64), np.ones(padding)])
    if values.size < template.size:
        return None, 0.0
    centred = template - template.mean()
    n = _slide(weight, np.ones_like(template))
    mean = _slide(values, np.ones_like(template)) / np.maximum(n, 1)
    spread = _slide(values**2, np.ones_like(template)) - n * mean**2
    cross = _slide(values, centred) - mean * _slide(weight, centred)
    scale = np.sqrt(np.maximum(spread, 0) * np.square(centred).sum())
    correlation = np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 1e-9)
    best = int(np.argmax(correlation))
    return best - padding, float(max(0.0, correlation[best]))


def _slide(values: FloatArray, window: FloatArray) -> FloatArray:
    """Sum of products at every full overlap, by FFT so that long recordings stay quick."""
    out: FloatArray = fftconvolve(values, window[::-1], mode="valid")
    return out
