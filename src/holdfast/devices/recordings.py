"""A recording from whatever kind of file it came in."""

from __future__ import annotations

from holdfast.core.issues import Issue
from holdfast.core.recording import Recording
from holdfast.devices.csv_recording import read_csv_recording
from holdfast.devices.fit_read import read_fit
from holdfast.devices.tcx import read_tcx


def read_recording(data: bytes) -> tuple[Recording, tuple[Issue, ...]]:
    """The recording in a FIT, TCX or CSV file, told apart by its first bytes and never by its name."""
    if data[8:12] == b".FIT":
        return read_fit(data)
    head = data[:400].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        return read_tcx(data)
    return read_csv_recording(data)
