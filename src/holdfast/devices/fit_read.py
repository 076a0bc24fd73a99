"""Recordings from FIT activity files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from holdfast.core.issues import Issue, Severity
from holdfast.core.recording import CHANNEL_UNITS, Event, FloatArray, Lap, Recording
from holdfast.devices.fit_decode import FitFile, decode_fit
from holdfast.devices.limits import MAX_ROWS, too_large
from holdfast.devices.samples import earliest, recording_from

FILE_ID, SESSION, LAP, RECORD, EVENT = 0, 18, 19, 20, 21
EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
RELATIVE_CLOCK = 0x10000000  # timestamps below count from when the device was switched on
MAX_CHAINED = 20  # files in one file that are looked through for records
LONGEST = 2 * 86_400  # seconds a session may last before a timestamp is taken for damage

#: channel -> (field, scale, offset) in order of preference; value = raw / scale - offset.
CHANNELS = {
    "power": ((7, 1, 0),),
    "heart_rate": ((3, 1, 0),),
    "cadence": ((4, 1, 0),),
    "speed": ((73, 1000, 0), (6, 1000, 0)),
    "distance": ((5, 100, 0),),
    "altitude": ((78, 5, 500), (2, 5, 500)),
    "temperature": ((13, 1, 0),),
    "calories": ((33, 1, 0),),
}
FRACTIONAL_CADENCE, COMPRESSED_SPEED_DISTANCE = 53, 8
SUMMARIES = {
    "timer_seconds": (8, 1000),
    "distance": (9, 100),
    "calories": (11, 1),
    "mean_heart_rate": (15, 1),
    "max_heart_rate": (16, 1),
    "mean_cadence": (17, 1),
    "max_cadence": (18, 1),
    "mean_power": (19, 1),
    "max_power": (20, 1),
}
EVENTS = {0: "timer", 3: "workout", 4: "workout_step", 8: "session", 9: "lap", 26: "activity"}
ACTIONS = {0: "start", 1: "stop", 3: "marker", 4: "stop_all", 8: "stop_disable", 9: "stop_disable_all"}
MAKERS = {
    1: "Garmin",
    15: "Dynastream",
    23: "Suunto",
    32: "Wahoo Fitness",
    69: "Stages Cycling",
    89: "Tacx",
    123: "Polar",
    255: "development",
    260: "Zwift",
    281: "TrainerRoad",
    294: "Coros",
}


def read_fit(data: bytes) -> tuple[Recording, tuple[Issue, ...]]:
    """The recording in a FIT file, for any bytes whatever: what can be read, and issues for the rest.

    Heart rate 0 and each field's "invalid" mark are missing values. Positions and serial numbers are not read. Of a
    chain of files in one, the first that holds records is taken.
    """
    empty = Recording(None, np.zeros(0), {}, {}, source="fit")
    refused = too_large(data, "FIT file")
    if refused:
        return empty, refused
    if len(data) < 14:
        return empty, (Issue("not-fit", "FIT file", "the file is too short for a FIT header."),)
    file, rest = _first_with_records(data)
    issues = list(file.issues)
    if len(data) - rest > 2:
        what = f"{len(data) - rest} more bytes follow the recording and were not read."
        issues.append(Issue("trailing-bytes", "FIT file", what, severity=Severity.NOTE))
    recording, more = _recording(file)
    return recording, (*issues, *more)


def _first_with_records(data: bytes) -> tuple[FitFile, int]:
    file, end = decode_fit(data)
    for _ in range(MAX_CHAINED):
        if file.count(RECORD) or end + 14 > len(data) or data[end + 8 : end + 12] != b".FIT":
            break
        following, after = decode_fit(data, start=end)
        if following.count(RECORD):
            return following, after
        end = after
    return file, end


def _recording(file: FitFile) -> tuple[Recording, tuple[Issue, ...]]:
    time = file.timestamps(RECORD)
    channels = {name: _channel(file, choices) for name, choices in CHANNELS.items()}
    channels["cadence"] = channels["cadence"] + np.nan_to_num(file.column(RECORD, FRACTIONAL_CADENCE) / 128)
    _fill_from_compressed(file, channels)
    if time.size > MAX_ROWS:
        time, channels = time[:MAX_ROWS], {name: values[:MAX_ROWS] for name, values in channels.items()}
    origin = _origin(file, time)
    relative = np.isfinite(origin) and origin < RELATIVE_CLOCK
    start = None if relative or not np.isfinite(origin) else EPOCH + timedelta(seconds=float(origin))
    recording, issues = recording_from(
        time - origin,
        channels,
        dict(CHANNEL_UNITS),
        start=start,
        laps=_laps(file, origin),
        events=_events(file, origin),
        source="fit",
        device=_device(file),
        longest=LONGEST,
    )
    if relative:
        what = "the device did not know the date; the recording has no start."
        issues = (*issues, Issue("no-clock", "FIT file", what, severity=Severity.NOTE))
    return recording, issues


def _channel(file: FitFile, choices: tuple[tuple[int, int, int], ...]) -> FloatArray:
    out: FloatArray | None = None
    for number, scale, offset in choices:
        values = file.column(RECORD, number) / scale - offset
        out = values if out is None else np.where(np.isfinite(out), out, values)
    return np.zeros(0) if out is None else out


def _fill_from_compressed(file: FitFile, channels: dict[str, FloatArray]) -> None:
    """Speed and distance that are packed into three bytes: 12 bits of cm/s, 12 bits of 1/16 m that run over."""
    raw = file.first_bytes(RECORD, COMPRESSED_SPEED_DISTANCE, 3).astype(np.int64)
    known = (raw != 0xFF).any(axis=1) if raw.size else np.zeros(0, dtype=bool)
    if not known.any():
        return
    speed = np.where(known, (raw[:, 0] | ((raw[:, 1] & 0x0F) << 8)) / 100, np.nan)
    distance = np.full(known.size, np.nan)
    ticks = ((raw[:, 1] >> 4) | (raw[:, 2] << 4))[known]
    distance[known] = np.cumsum(np.diff(ticks, prepend=ticks[:1]) % 4096) / 16 + ticks[0] / 16
    for name, values in (("speed", speed), ("distance", distance)):
        channels[name] = np.where(np.isfinite(channels[name]), channels[name], values)


def _origin(file: FitFile, time: FloatArray) -> float:
    """Second 0: the earliest of the first record and, when close to it, the timer's start and the first lap's."""
    known = time[np.isfinite(time)]
    others = np.concatenate([file.timestamps(EVENT)[:1], file.column(LAP, 2)[:1]])
    if known.size == 0:
        return float(np.nanmin(others)) if np.isfinite(others).any() else float("nan")
    first = earliest(known, LONGEST)
    close = others[np.abs(others - first) <= 60]
    return float(min([first, *close.tolist()]))


def _laps(file: FitFile, origin: float) -> tuple[Lap, ...]:
    if not np.isfinite(origin):
        return ()
    begin, elapsed, stop = file.column(LAP, 2), file.column(LAP, 7) / 1000, file.timestamps(LAP)
    step = file.column(LAP, 71)
    summaries = {name: file.column(LAP, number) / scale for name, (number, scale) in SUMMARIES.items()}
    laps: list[Lap] = []
    for i in range(min(begin.size, 5_000)):
        start = begin[i] - origin
        end = start + elapsed[i] if np.isfinite(elapsed[i]) else stop[i] - origin
        if not (np.isfinite(start) and np.isfinite(end) and -60 <= start <= end <= LONGEST):
            continue
        values = {name: float(column[i]) for name, column in summaries.items() if np.isfinite(column[i])}
        index = int(step[i]) & 0x0FFF if np.isfinite(step[i]) else None
        laps.append(Lap(float(start), float(end), index, values))
    return tuple(sorted(laps, key=lambda lap: lap.start))


def _events(file: FitFile, origin: float) -> tuple[Event, ...]:
    if not np.isfinite(origin):
        return ()
    time, kind = file.timestamps(EVENT) - origin, file.column(EVENT, 0)
    action, value = file.column(EVENT, 1), file.column(EVENT, 3)
    events = [
        Event(
            float(time[i]),
            EVENTS[int(kind[i])],
            ACTIONS.get(int(action[i]) if np.isfinite(action[i]) else -1, "other"),
            int(value[i]) & 0xFFFF if np.isfinite(value[i]) else None,
        )
        for i in range(min(time.size, 20_000))
        if np.isfinite(time[i]) and np.isfinite(kind[i]) and int(kind[i]) in EVENTS and abs(time[i]) <= LONGEST
    ]
    return tuple(sorted(events, key=lambda event: event.seconds))


def _device(file: FitFile) -> str | None:
    maker = file.column(FILE_ID, 1)[:1]
    if not np.isfinite(maker).any():
        return None
    name = MAKERS.get(int(maker[0]), f"manufacturer {int(maker[0])}")
    product = file.column(FILE_ID, 2)[:1]
    return f"{name}, product {int(product[0])}" if np.isfinite(product).any() else name
