"""Workouts to and from FIT workout files."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from holdfast.core.issues import Issue, Severity
from holdfast.core.workout import Band, Step, StepKind, Workout
from holdfast.devices.fit_crc import crc16
from holdfast.devices.fit_decode import FitFile, decode_fit
from holdfast.devices.fit_read import EPOCH
from holdfast.devices.limits import too_large
from holdfast.errors import CallError

FILE_ID, WORKOUT, WORKOUT_STEP = 0, 26, 27
TIME, OPEN, REPEAT_STEPS, REPETITION_TIME = 0, 5, 6, 28  # duration types
HEART_RATE, NO_TARGET, CADENCE, POWER = 1, 2, 3, 4  # target types
POWER_TARGETS = (4, 7, 8, 9, 10)  # power, and means of it over 3, 10, 30 s or the lap
WATTS_OFFSET, BPM_OFFSET = 1000, 100  # at or below these a value is a percentage
INTENSITY = {StepKind.WORK: 0, StepKind.REST: 1, StepKind.WARMUP: 2, StepKind.COOLDOWN: 3, StepKind.STEADY: 0}
KINDS = {
    0: StepKind.WORK,
    1: StepKind.REST,
    2: StepKind.WARMUP,
    3: StepKind.COOLDOWN,
    4: StepKind.REST,
    5: StepKind.WORK,
}
NAME_BYTES, STEP_NAME_BYTES = 48, 24
MAX_STEPS = 2_000


def write_fit_workout(workout: Workout, *, created: datetime | None = None) -> bytes:
    """A FIT workout file: cycling, every step with its exact time, power, heart-rate and cadence targets.

    Power (or, without it, heart rate) is the first target and cadence the second, which a device may ignore. Limits
    are rounded to whole watts and beats, as the format holds no fractions. `created` is part of the file and comes
    from the caller, so the same workout and moment give the same bytes; None writes the format's "not known".
    """
    if created is not None and created.tzinfo is None:
        raise CallError("the moment of creation needs a time zone")
    moment = int((created.astimezone(UTC) - EPOCH).total_seconds()) if created is not None else 0xFFFFFFFF
    body = bytearray()
    # type 5 is a workout; maker 255 stands for development, since holdfast has no maker number
    body += _define(0, FILE_ID, [(0, 1, 0x00), (1, 2, 0x84), (2, 2, 0x84), (4, 4, 0x86)])
    body += struct.pack("<BBHHI", 0, 5, 255, 0, moment)
    body += _define(1, WORKOUT, [(4, 1, 0x00), (11, 1, 0x00), (6, 2, 0x84), (8, NAME_BYTES, 0x07)])
    # sport 2 is cycling, sub-sport 6 indoor cycling
    body += struct.pack("<BBBH", 1, 2, 6, len(workout.steps)) + _text(workout.name, NAME_BYTES)
    body += _define(2, WORKOUT_STEP, _STEP_FIELDS)
    for index, (_, _, step) in enumerate(workout.timed()):
        body += _step(index, step)
    return _frame(bytes(body))


_STEP_FIELDS = [
    (254, 2, 0x84),  # message index
    (1, 1, 0x00),  # duration type
    (2, 4, 0x86),  # duration value
    (3, 1, 0x00),  # target type
    (4, 4, 0x86),  # target value
    (5, 4, 0x86),  # custom target low
    (6, 4, 0x86),  # custom target high
    (7, 1, 0x00),  # intensity
    (19, 1, 0x00),  # second target type
    (20, 4, 0x86),  # second target value
    (21, 4, 0x86),  # second custom target low
    (22, 4, 0x86),  # second custom target high
    (0, STEP_NAME_BYTES, 0x07),
]


def _step(index: int, step: Step) -> bytes:
    targets = _targets(step)
    first = targets[0] if targets else (NO_TARGET, 0, 0)
    second = targets[1] if len(targets) > 1 else (NO_TARGET, 0, 0)
    return struct.pack(
        "<BHBIBIIIBBIII",
        2,
        index,
        TIME,
        milliseconds(step),
        first[0],
        0,
        *first[1:],
        INTENSITY[step.kind],
        second[0],
        0,
        *second[1:],
    ) + _text(step.name, STEP_NAME_BYTES)


def milliseconds(step: Step) -> int:
    """Duration of a step in whole milliseconds; refuses what the format cannot hold exactly."""
    if step.seconds is None:
        raise CallError(f"step {step.name!r} has no fixed duration")
    value = round(step.seconds * 1000)
    if abs(value / 1000 - step.seconds) > 1e-9 or value >= 2**32 - 1:
        raise CallError(f"{step.seconds} s of step {step.name!r} cannot be written in whole milliseconds")
    return value


def _targets(step: Step) -> list[tuple[int, int, int]]:
    out = []
    if step.watts is not None:
        out.append((POWER, *_limits(step.watts, WATTS_OFFSET)))
    if step.heart_rate is not None and (step.watts is None or step.cadence is None):
        out.append((HEART_RATE, *_limits(step.heart_rate, BPM_OFFSET)))
    if step.cadence is not None:
        out.append((CADENCE, *_limits(step.cadence, 0)))
    return out[:2]


def _limits(band: Band, offset: int) -> tuple[int, int]:
    return round(band.low) + offset, round(band.high) + offset


def _define(local: int, message: int, fields: Sequence[tuple[int, int, int]]) -> bytes:
    head = struct.pack("<BBBHB", 0x40 | local, 0, 0, message, len(fields))
    return head + b"".join(bytes(one) for one in fields)


def _text(text: str, size: int) -> bytes:
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    raw = plain.encode()[: size - 1].decode(errors="ignore").encode()
    return raw.ljust(size, b"\x00")


def _frame(body: bytes) -> bytes:
    head = struct.pack("<BBHI4s", 14, 0x10, 2132, len(body), b".FIT")
    whole = head + struct.pack("<H", crc16(head)) + body
    return whole + struct.pack("<H", crc16(whole))


def read_fit_workout(data: bytes, *, ftp: float | None = None) -> tuple[Workout | None, tuple[Issue, ...]]:
    """The workout in a FIT file, repeats written out, in absolute units.

    Targets in per cent of FTP need `ftp` in W; without it, and for percentages of maximal heart rate, the target is
    left out with an issue. Steps that end by distance or heart rate become open-ended.
    """
    refused = too_large(data, "FIT file")
    if refused:
        return None, refused
    if len(data) < 14:
        return None, (Issue("not-fit", "FIT file", "the file is too short for a FIT header."),)
    file, _ = decode_fit(data)
    issues = list(file.issues)
    count = file.count(WORKOUT_STEP)
    if not 0 < count <= MAX_STEPS:
        return None, (*issues, Issue("no-workout", "FIT file", f"the file holds {count} workout steps."))
    names = file.texts(WORKOUT, 8)
    steps = _Steps(file, ftp, issues).expand()
    if not steps:
        return None, (*issues, Issue("no-workout", "FIT file", "the file holds no step that can be played."))
    return Workout((names[0] if names else "") or "workout", tuple(steps)), tuple(issues)


class _Steps:
    """The step messages of a file as columns, read one by one into steps."""

    def __init__(self, file: FitFile, ftp: float | None, issues: list[Issue]) -> None:
        self.columns = {number: file.column(WORKOUT_STEP, number) for number in (1, 2, 3, 4, 5, 6, 7, 19, 20, 21, 22)}
        self.names = file.texts(WORKOUT_STEP, 0)
        self.ftp, self.issues = ftp, issues

    def expand(self) -> list[Step]:
        """All steps, repeats written out."""
        kind, value, times = self.columns[1], self.columns[2], np.nan_to_num(self.columns[4])
        steps: list[Step] = []
        # Where in `steps` the content of each message begins, so that a repeat can copy from there.
        begins: list[int] = []
        for i in range(kind.size):
            begins.append(len(steps))
            if kind[i] != REPEAT_STEPS:
                steps.append(self.read(i))
                continue
            back = int(value[i]) if np.isfinite(value[i]) else -1
            if not (0 <= back < i and 1 <= times[i] <= 1000):
                self._note("bad-repeat", i, "a repeat that points nowhere was left out.")
                continue
            block = steps[begins[back] :]
            if len(steps) + len(block) * int(times[i]) > MAX_STEPS:
                self._note("too-many-steps", i, f"the repeats make more than {MAX_STEPS} steps; the rest was not read.")
                return steps
            steps += block * (int(times[i]) - 1)
        return steps

    def read(self, i: int) -> Step:
        """One step message as a step."""
        kind, value, intensity = (self.columns[number][i] for number in (1, 2, 7))
        timed = kind in (TIME, REPETITION_TIME) and np.isfinite(value) and value > 0
        if not timed and kind != OPEN:
            self._note("open-ended", i, "the step does not end by time; it was read as open-ended.")
        bands: dict[int, Band] = {}
        self._target(i, (3, 4, 5, 6), bands)
        self._target(i, (19, 20, 21, 22), bands)
        return Step(
            self.names[i] or f"step {i + 1}",
            float(value) / 1000 if timed else None,
            bands.get(POWER),
            bands.get(CADENCE),
            bands.get(HEART_RATE),
            KINDS.get(int(intensity) if np.isfinite(intensity) else -1, StepKind.STEADY),
        )

    def _target(self, i: int, numbers: tuple[int, int, int, int], bands: dict[int, Band]) -> None:
        kind, zone, low, high = (self.columns[number][i] for number in numbers)
        target = POWER if kind in POWER_TARGETS else kind
        if target not in (POWER, HEART_RATE, CADENCE) or target in bands:
            return
        if (np.isfinite(zone) and zone > 0) or not (np.isfinite(low) and np.isfinite(high)):
            self._note("zone-target", i, "the target is a zone that the device knows; it was left out.")
            return
        limits = self._absolute(int(target), sorted((float(low), float(high))))
        if limits is None:
            self._note("relative-target", i, "the target is a percentage without its reference; it was left out.")
            return
        bands[int(target)] = Band(limits[0], limits[1])

    def _absolute(self, target: int, limits: list[float]) -> list[float] | None:
        if target == CADENCE:
            return limits
        offset = WATTS_OFFSET if target == POWER else BPM_OFFSET
        if limits[0] > offset:
            return [limit - offset for limit in limits]
        if target == POWER and self.ftp is not None and limits[1] <= offset:
            return [limit * self.ftp / 100 for limit in limits]
        return None

    def _note(self, code: str, i: int, what: str) -> None:
        self.issues.append(Issue(code, f"workout step {i + 1}", what, severity=Severity.WARNING))
