"""ZAN raw files of breath-by-breath tests."""

from __future__ import annotations

import itertools
import re

import numpy as np

from holdfast.capacity.breaths import BreathTable, FloatArray, TestInfo
from holdfast.capacity.quality import check
from holdfast.core.issues import Issue, Severity
from holdfast.devices import cells
from holdfast.devices.cart_table import EMPTY, Issues, assemble
from holdfast.devices.limits import MAX_COLUMNS, MAX_ROWS, too_large
from holdfast.devices.sheets import decode

#: ZAN parameter codes, the same in every language: milliseconds, W, mL, ms, mL, ms, mL/min, mL/min, bpm, m/h, rpm.
CODES = {
    "time": 340,
    "power": 339,
    "tex": 301,
    "vin": 311,
    "tin": 308,
    "vo2": 305,
    "vco2": 306,
    "heart_rate": 310,
    "speed": 354,
    "cadence": 356,
}
NEEDED = ("time", "tex", "vin", "tin", "vo2", "vco2")
_SEX = {"M": "male", "W": "female", "F": "female"}


def is_zan(data: bytes) -> bool:
    """Does this look like a ZAN raw file?"""
    return data[:3].lstrip(b"\xef\xbb\xbf").startswith(b"[") and b"[person]" in data[:200]


def read_zan(data: bytes) -> tuple[BreathTable, Issues]:
    """Breaths of a ZAN raw file (eq:cpet-zan). Name, birth date and number of the person are never read."""
    refused = too_large(data, "ZAN file")
    if refused:
        return EMPTY, refused
    head, _, body = decode(data).partition("[Data]")
    head = head[:100_000]
    codes = [int(code) for code in re.findall(r"^P=(\d{1,6}),", head, flags=re.MULTILINE)][:MAX_COLUMNS]
    missing = [name for name in NEEDED if CODES[name] not in codes]
    if missing:
        what = f"the parameter list does not name {', '.join(missing)}."
        return EMPTY, (Issue("no-column", "ZAN file", what),)
    values, issues = _breaths(body, len(codes))
    if not len(values):
        return EMPTY, (*issues, Issue("no-breaths", "ZAN file", "there is not one readable breath in the file."))
    at = {name: codes.index(code) for name, code in CODES.items() if code in codes}
    table, more = _table(values, at, _info(head))
    return table, issues + more + check(table)


def _info(head: str) -> TestInfo:
    fields = dict(re.findall(r"^(geschlecht|groesse|gewicht)=(.{0,40})$", head, flags=re.MULTILINE))
    mass, height = cells.number(fields.get("gewicht")), cells.number(fields.get("groesse"))
    usable = 20 <= mass <= 350
    return TestInfo(
        mass if usable else None,
        "file" if usable else "",
        height if 100 <= height <= 250 else None,
        _SEX.get(fields.get("geschlecht", "").strip().upper()),
        cart="ZAN",
    )


def _breaths(body: str, width: int) -> tuple[FloatArray, Issues]:
    rows: list[list[float]] = []
    damaged = 0
    # Lines that do not begin with B and a number hold marks and means, not breaths.
    for found in itertools.islice(re.finditer(r"^B\d{1,7}=([^\n\r]*)", body, flags=re.MULTILINE), MAX_ROWS):
        row = [cells.number(part) for part in found[1][:20_000].split(",")[1 : width + 1]]
        if len(row) < width or not np.isfinite(row[0]):
            damaged += 1
        else:
            rows.append(row)
    issues: Issues = ()
    if damaged:
        what = f"{damaged} breaths are incomplete and were left out."
        issues = (Issue("rows-left-out", "ZAN file", what, severity=Severity.WARNING),)
    return np.array(rows, dtype=np.float64).reshape(len(rows), width), issues


def _table(values: FloatArray, at: dict[str, int], info: TestInfo) -> tuple[BreathTable, Issues]:
    issues: Issues = ()
    last = int(np.argmax(values[:, at["time"]]))
    if last + 1 < len(values):
        what = f"{len(values) - last - 1} rows after the last breath are no breaths and were left out."
        issues = (Issue("rows-left-out", "ZAN file", what, severity=Severity.NOTE),)
        values = values[: last + 1]
    column = {name: values[:, index] for name, index in at.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        breath = column["tin"] + column["tex"]  # milliseconds
        channels = {
            "vo2": column["vo2"],
            "vco2": column["vco2"],
            "rr": np.where(breath > 0, 60_000 / breath, np.nan),
            "vt": column["vin"] / 1000,
            "ve": np.where(breath > 0, 60 * column["vin"] / breath, np.nan),
        }
    if "heart_rate" in column:
        channels["heart_rate"] = column["heart_rate"]
    channels |= {name: column[name] for name in ("power", "cadence") if name in column and column[name].any()}
    if "speed" in column and column["speed"].any():
        channels["speed"] = np.round(column["speed"] / 3600, 2)
    return assemble(column["time"] / 1000, channels, info, issues)
