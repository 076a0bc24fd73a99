"""Recordings from TCX files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from holdfast.core.issues import Issue, Severity
from holdfast.core.recording import CHANNEL_UNITS, Lap, Recording
from holdfast.devices.cells import moment, number
from holdfast.devices.limits import MAX_ROWS, too_large
from holdfast.devices.safe_xml import BrokenXml, HostileXml, elements
from holdfast.devices.samples import earliest, recording_from

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


#: local tag names of a trackpoint, and the channel each one is
TAGS = {
    "HeartRateBpm": "heart_rate",
    "Watts": "power",
    "Cadence": "cadence",
    "Speed": "speed",
    "DistanceMeters": "distance",
    "AltitudeMeters": "altitude",
}


def read_tcx(data: bytes) -> tuple[Recording, tuple[Issue, ...]]:
    """The recording in a TCX file, for any bytes whatever: what can be read, and issues for the rest.

    Works with and without GPS; positions are not read. A truncated file gives the samples before the cut. Entities
    and document types are refused, since no device writes them and attacks do.
    """
    empty = Recording(None, np.zeros(0), {}, {}, source="tcx")
    refused = too_large(data, "TCX file")
    if refused:
        return empty, refused
    reader = _Reader()
    issues = reader.read(data)
    if not reader.times:
        return empty, (*issues, Issue("no-samples", "tcx", "the file holds not one readable sample."))
    times = np.array(reader.times)
    origin = earliest(times)
    channels = {name: np.array(values) for name, values in reader.channels.items()}
    recording, more = recording_from(
        times - origin,
        channels,
        dict(CHANNEL_UNITS),
        start=datetime.fromtimestamp(origin, UTC) if np.isfinite(origin) else None,
        laps=reader.laps(origin),
        source="tcx",
        device=reader.device,
    )
    return recording, (*issues, *more)


class _Reader:
    """Collects trackpoints and laps while the XML goes by."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.channels: dict[str, list[float]] = {name: [] for name in TAGS.values()}
        self.lap_rows: list[tuple[float, float, dict[str, float]]] = []
        self.device: str | None = None

    def read(self, data: bytes) -> tuple[Issue, ...]:
        try:
            for element in elements(data):
                self._end(element)
                if len(self.times) >= MAX_ROWS:
                    what = f"only the first {MAX_ROWS} samples were read."
                    return (Issue("too-many-rows", "tcx", what, severity=Severity.WARNING),)
        except HostileXml:
            what = "the file declares entities or a document type and was not read further."
            return (Issue("hostile-xml", "tcx", what),)
        except BrokenXml:
            what = f"the XML ends, breaks or leaves its bounds after {len(self.times)} samples."
            return (Issue("damaged-file", "tcx", what, severity=Severity.WARNING),)
        return ()

    def _end(self, element: Element) -> None:
        tag = _local(element.tag)
        if tag == "Trackpoint":
            self._trackpoint(element)
            element.clear()
        elif tag == "Lap":
            self._lap(element)
            element.clear()
        elif tag == "Creator":
            name = next((child.text for child in element if _local(child.tag) == "Name"), None)
            # The creator is the device's model; anything long or odd is not kept.
            if name and re.fullmatch(r"[\w .\-+()]{1,40}", name):
                self.device = name

    def _trackpoint(self, element: Element) -> None:
        values = dict.fromkeys(self.channels, float("nan"))
        time = float("nan")
        for child in element.iter():
            tag = _local(child.tag)
            if tag == "Time":
                time = moment(child.text)
            elif tag in TAGS:
                inner = next((part.text for part in child if _local(part.tag) == "Value"), child.text)
                values[TAGS[tag]] = number(inner)
        self.times.append(time)
        for name, value in values.items():
            self.channels[name].append(value)

    def _lap(self, element: Element) -> None:
        start = moment(element.get("StartTime"))
        found = {_local(child.tag): child for child in element}
        seconds = number(_value(found.get("TotalTimeSeconds")))
        names = {"mean_heart_rate": "AverageHeartRateBpm", "max_heart_rate": "MaximumHeartRateBpm"}
        names |= {"distance": "DistanceMeters", "calories": "Calories", "mean_cadence": "Cadence"}
        values = {name: number(_value(found.get(tag))) for name, tag in names.items()}
        self.lap_rows.append((start, seconds, {k: v for k, v in values.items() if np.isfinite(v)}))

    def laps(self, origin: float) -> tuple[Lap, ...]:
        """Laps with a usable start and length, on the recording's clock."""
        rows = [(start - origin, seconds, summaries) for start, seconds, summaries in self.lap_rows[:5_000]]
        good = [row for row in rows if abs(row[0]) <= 2 * 86_400 and 0 <= row[1] <= 2 * 86_400]
        return tuple(Lap(start, start + seconds, None, summary) for start, seconds, summary in sorted(good, key=_first))


def _first(row: tuple[float, float, dict[str, float]]) -> float:
    return row[0]


def _local(tag: object) -> str:
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def _value(element: Element | None) -> str | None:
    if element is None:
        return None
    text: str | None = next((part.text for part in element if _local(part.tag) == "Value"), element.text)
    return text
