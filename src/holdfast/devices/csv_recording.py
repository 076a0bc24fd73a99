"""Recordings from tables of samples (CSV and other delimited text)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from holdfast.core.issues import Issue, Severity
from holdfast.core.recording import CHANNEL_UNITS, FloatArray, Recording
from holdfast.devices import cells
from holdfast.devices.cells import Cell
from holdfast.devices.limits import too_large
from holdfast.devices.samples import earliest, recording_from
from holdfast.devices.sheets import Rows, rows_of_text
from holdfast.errors import CallError

#: header (without case) -> channel and factor to our unit, as common programs write them
HEADERS: Mapping[str, tuple[str, float]] = {
    "watts": ("power", 1.0),
    "power": ("power", 1.0),
    "power (w)": ("power", 1.0),
    "power [w]": ("power", 1.0),
    "hr": ("heart_rate", 1.0),
    "heart_rate": ("heart_rate", 1.0),
    "heart rate": ("heart_rate", 1.0),
    "heart rate (bpm)": ("heart_rate", 1.0),
    "hr (bpm)": ("heart_rate", 1.0),
    "cad": ("cadence", 1.0),
    "rpm": ("cadence", 1.0),
    "cadence": ("cadence", 1.0),
    "cadence (rpm)": ("cadence", 1.0),
    "kph": ("speed", 1 / 3.6),
    "km/h": ("speed", 1 / 3.6),
    "speed (km/h)": ("speed", 1 / 3.6),
    "speed": ("speed", 1.0),
    "speed (m/s)": ("speed", 1.0),
    "distance": ("distance", 1.0),
    "distance (m)": ("distance", 1.0),
    "km": ("distance", 1000.0),
}
TIMES = ("seconds", "secs", "time", "t", "elapsed", "time (s)", "elapsed_seconds", "timestamp", "time [s]")


@dataclass(frozen=True, slots=True)
class SampleMap:
    """How to read a table of samples: the header of the time column, its unit ("s", "min", "ms", "h:mm:ss" or "moment"
    for dates with times), and channel -> (header, factor to our unit)."""

    time: str
    time_unit: str
    channels: Mapping[str, tuple[str, float]]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.channels) - set(CHANNEL_UNITS))
        if unknown:
            raise CallError(f"unknown channel {', '.join(unknown)}; there is {', '.join(CHANNEL_UNITS)}")


def read_csv_recording(data: bytes, columns: SampleMap | None = None) -> tuple[Recording, tuple[Issue, ...]]:
    """The recording in a delimited text, by a declared map or by the headers that common programs write.

    Any bytes give what can be read plus issues; columns that are not known are not read.
    """
    empty = Recording(None, np.zeros(0), {}, {}, source="csv")
    refused = too_large(data, "CSV file")
    if refused:
        return empty, refused
    rows, issues = rows_of_text(data)
    if not rows:
        return empty, issues
    found = _header(rows, columns)
    if found is None:
        what = "no row names a time column and at least one known channel."
        return empty, (*issues, Issue("no-header", "csv", what, "Declare a column map."))
    first, time_at, unit, places = found
    body = rows[first:]
    seconds, start = _seconds([_at(row, time_at) for row in body], unit)
    channels: dict[str, FloatArray] = {}
    for name, (at, factor) in places.items():
        column = [_at(row, at) for row in body]
        channels[name] = np.array([cells.number(cell) for cell in column], dtype=np.float64) * factor
        lost = sum(bool(np.isnan(v)) and not cells.is_blank(c) for c, v in zip(column, channels[name], strict=True))
        if lost:
            what = f"{lost} cells hold no number and are treated as not observed."
            issues = (*issues, Issue("unreadable-cells", f"csv, {name}", what, severity=Severity.WARNING))
    recording, more = recording_from(seconds, channels, dict(CHANNEL_UNITS), start=start, source="csv")
    return recording, (*issues, *more)


def _header(rows: Rows, columns: SampleMap | None) -> tuple[int, int, str, dict[str, tuple[int, float]]] | None:
    for i, row in enumerate(rows[:50]):
        labels = [cells.label(cell) for cell in row]
        if columns is None:
            wanted = [(header, *HEADERS[header]) for header in labels if header in HEADERS]
            time, unit = next((name for name in TIMES if name in labels), None), ""
        else:
            wanted = [(cells.label(header), name, factor) for name, (header, factor) in columns.channels.items()]
            time, unit = cells.label(columns.time), columns.time_unit
        if time not in labels:
            continue
        places: dict[str, tuple[int, float]] = {}
        for header, name, factor in wanted:
            if header in labels:
                places.setdefault(name, (labels.index(header), factor))
        if places:
            return i + 1, labels.index(time), unit, places
    return None


def _seconds(column: list[Cell], unit: str) -> tuple[FloatArray, datetime | None]:
    """Elapsed seconds and, when the column holds moments, the moment of second 0."""
    looks_dated = any(isinstance(cell, str) and "-" in cell[1:] and ":" in cell for cell in column[:20])
    if unit != "moment" and not (unit == "" and looks_dated):
        return np.array([cells.seconds(cell, unit) for cell in column], dtype=np.float64), None
    moments = np.array([cells.moment(cell) for cell in column])
    origin = earliest(moments)
    return moments - origin, datetime.fromtimestamp(origin, UTC) if np.isfinite(origin) else None


def _at(row: tuple[Cell, ...], at: int) -> Cell:
    return row[at] if at < len(row) else None
