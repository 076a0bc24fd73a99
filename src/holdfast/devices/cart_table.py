"""Any table of breaths, read by a declared map of its columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from holdfast.capacity.breaths import BREATH_UNITS, BreathTable, FloatArray, TestInfo
from holdfast.capacity.quality import check
from holdfast.core.issues import Issue, Severity
from holdfast.devices import cells
from holdfast.devices.cells import Cell
from holdfast.devices.sheets import Rows, rows_of
from holdfast.errors import CallError

Issues = tuple[Issue, ...]

#: Which kind of unit each channel is written in.
KIND: Mapping[str, str] = {
    "vo2": "gas",
    "vco2": "gas",
    "ve": "ventilation",
    "vt": "volume",
    "rr": "rate",
    "heart_rate": "rate",
    "cadence": "rate",
    "power": "power",
    "speed": "speed",
    "pet_o2": "pressure",
    "pet_co2": "pressure",
    "pe_o2": "pressure",
    "pe_co2": "pressure",
}
EMPTY = BreathTable(np.zeros(0), {})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of somebody's table: its header and, when the file does not say it, its unit ("L/min")."""

    header: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How to read a table that no importer knows.

    Attributes
    ----------
    time : the column of elapsed time; unit "s", "min", "ms" or "h:mm:ss" (clock cells need none).
    channels : our channel name -> column. Only these columns are read; names and birth dates never are.
    unit_row : does the row under the header hold the units?
    body_mass : kg on the day of the test, when known.
    cart : maker and model, for the report.
    """

    time: Column
    channels: Mapping[str, Column]
    unit_row: bool = False
    body_mass: float | None = None
    cart: str = ""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.channels) - set(BREATH_UNITS))
        if unknown:
            raise CallError(f"unknown channel {', '.join(unknown)}; there is {', '.join(BREATH_UNITS)}")
        if "vo2" not in self.channels:
            raise CallError("a column map needs at least the column of vo2")


@dataclass(slots=True)
class Found:
    """Where in the rows each thing lies, as a dialect or a column map found it."""

    first_row: int
    time: int
    time_unit: str
    columns: dict[str, tuple[int, float]] = field(default_factory=dict)  # channel -> column, unit factor


def read_table(data: bytes, columns: ColumnMap) -> tuple[BreathTable, Issues]:
    """Read any table of breaths (xlsx, spreadsheet XML, delimited text) by a declared column map."""
    rows, issues = rows_of(data)
    if not rows:
        return EMPTY, issues
    found, more = _locate(rows, columns)
    issues += more
    if found is None:
        return EMPTY, issues
    mass = columns.body_mass
    info = TestInfo(mass, "supplied" if mass is not None else "", cart=columns.cart)
    table, more = breaths_from(rows, found, info)
    return table, issues + more + check(table)


def _locate(rows: Rows, columns: ColumnMap) -> tuple[Found | None, Issues]:
    wanted = {name: cells.label(column.header) for name, column in columns.channels.items()}
    time = cells.label(columns.time.header)
    for i, row in enumerate(rows[:300]):
        labels = [cells.label(cell) for cell in row]
        if time not in labels or wanted["vo2"] not in labels:
            continue
        units = rows[i + 1] if columns.unit_row and i + 1 < len(rows) else ()
        unit = columns.time.unit or _text(units, labels.index(time))
        found = Found(i + 1 + columns.unit_row, labels.index(time), unit)
        issues: list[Issue] = []
        for name, header in wanted.items():
            if header not in labels:
                what = f"there is no column {columns.channels[name].header!r}."
                issues.append(Issue("no-column", f"column {name}", what))
                continue
            at = labels.index(header)
            _place(found, issues, name, at, columns.channels[name].unit or _text(units, at))
        return found, tuple(issues)
    headers = f"{columns.time.header!r} and {columns.channels['vo2'].header!r}"
    return None, (Issue("no-header", "cart export", f"no row holds the headers {headers}."),)


def _place(found: Found, issues: list[Issue], name: str, at: int, unit: str) -> None:
    factor = cells.unit_factor(KIND[name], unit) if unit else 1.0
    if factor is None:
        what = f"the unit of column {at + 1} is not one that is known; the column was not read."
        issues.append(Issue("unknown-unit", f"column {name}", what, f"Declare one of {_units(name)}."))
        return
    if not unit:
        what = f"no unit is written or declared; {BREATH_UNITS[name]} is assumed."
        issues.append(Issue("no-unit", f"column {name}", what, severity=Severity.NOTE))
    found.columns[name] = (at, factor)


def _units(name: str) -> str:
    return ", ".join(cells.UNITS[KIND[name]])


def _text(row: Sequence[Cell], at: int) -> str:
    value = row[at] if at < len(row) else None
    return value.strip() if isinstance(value, str) else ""


def breaths_from(rows: Rows, found: Found, info: TestInfo) -> tuple[BreathTable, Issues]:
    """Breaths from rows of cells. Rows without a readable time are left out; unreadable values become NaN; both are
    counted in issues, and no cell is ever quoted, since a misplaced one may hold a name."""
    data = rows[found.first_row :]
    time = np.array([cells.seconds(_at(row, found.time), found.time_unit) for row in data])
    keep = np.isfinite(time) & (np.abs(time) < 1e7)
    issues = _lost_rows(data, keep, found)
    channels: dict[str, FloatArray] = {}
    for name, (at, factor) in found.columns.items():
        column = [_at(row, at) for row, kept in zip(data, keep, strict=True) if kept]
        channels[name] = np.array([cells.number(cell) for cell in column], dtype=np.float64) * factor
        issues += _lost_cells(name, at, column, channels[name])
    return assemble(time[keep], channels, info, issues)


def assemble(
    time: FloatArray, channels: dict[str, FloatArray], info: TestInfo, issues: Issues = ()
) -> tuple[BreathTable, Issues]:
    """A breath table from columns as a cart wrote them: zero gas and zero heart rate mean "not measured"."""
    out = list(issues)
    for name in ("vo2", "vco2", "heart_rate"):
        if name in channels:
            channels[name], zeros = _zero_is_missing(channels[name])
            if zeros and zeros != time.size:
                what = f"{zeros} values of 0 were treated as not measured."
                out.append(Issue("zero-is-missing", f"column {name}", what, severity=Severity.NOTE))
    channels = {name: values for name, values in channels.items() if np.isfinite(values).any()}
    if time.size and (np.diff(time) < 0).any():
        what = f"time falls {int((np.diff(time) < 0).sum())} times; the breaths were put in order of time."
        out.append(Issue("time-falls", "column time", what, severity=Severity.WARNING))
        order = np.argsort(time, kind="stable")
        time, channels = time[order], {name: values[order] for name, values in channels.items()}
    return BreathTable(time, channels, info), tuple(out)


def _zero_is_missing(values: FloatArray) -> tuple[FloatArray, int]:
    zero = values == 0
    return np.where(zero, np.nan, values), int(zero.sum())


def _at(row: Sequence[Cell], at: int) -> Cell:
    return row[at] if at < len(row) else None


def _lost_rows(data: Rows, keep: NDArray[np.bool_], found: Found) -> Issues:
    """Rows without a time in which some channel holds a value; rows that only hold other things are no breaths."""
    lost = [i for i, row in enumerate(data) if not keep[i] and _holds_a_number(row, found)]
    if not lost:
        return ()
    what = f"{len(lost)} rows have no readable time and were left out (the first is row {lost[0] + 1} of the data)."
    return (Issue("rows-left-out", "column time", what, severity=Severity.WARNING),)


def _holds_a_number(row: Sequence[Cell], found: Found) -> bool:
    return any(not math.isnan(cells.number(_at(row, at))) for at, _ in found.columns.values())


def _lost_cells(name: str, at: int, column: Sequence[Cell], values: FloatArray) -> Issues:
    lost = sum(math.isnan(value) and not cells.is_blank(cell) for cell, value in zip(column, values, strict=True))
    if not lost:
        return ()
    what = f"{lost} cells of column {at + 1} hold no number and are treated as not measured."
    return (Issue("unreadable-cells", f"column {name}", what, severity=Severity.WARNING),)
