"""Numbers and times as people and carts write them, in any language."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from types import MappingProxyType

Cell = str | int | float | dt.time | dt.datetime | dt.timedelta | None

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
BLANKS = frozenset({"", "-", "--", "---", "n/a", "na", "nan", "null"})

#: Factor from a written unit to the unit that a breath table holds, per kind of quantity.
UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "gas": {"ml/min": 1.0, "l/min": 1000.0},
        "ventilation": {"l/min": 1.0, "l(btps)/min": 1.0, "ml/min": 0.001},
        "volume": {"l": 1.0, "l(btps)": 1.0, "ml": 0.001},
        "rate": {"1/min": 1.0, "/min": 1.0, "b/min": 1.0, "bpm": 1.0, "rpm": 1.0, "u/min": 1.0, "min-1": 1.0},
        "power": {"w": 1.0, "watt": 1.0, "watts": 1.0},
        "speed": {"m/s": 1.0, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "kmh*10": 1 / 36.0, "m/min": 1 / 60.0},
        "pressure": {"mmhg": 1.0, "kpa": 7.50062, "torr": 1.0},
        "gas per kg": {"ml/min/kg": 1.0, "ml/kg/min": 1.0},
    }
)


def unit_factor(kind: str, written: str) -> float | None:
    """Factor from a unit as written ("L/min", "(mL/min)/kg") to ours, or None when it is not known."""
    plain = written.strip().lower().replace(" ", "").replace("(ml/min)", "ml/min").replace("⁻¹", "-1")
    return UNITS[kind].get(plain)


def is_blank(cell: Cell) -> bool:
    """Is there nothing in this cell, or a sign for nothing?"""
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in BLANKS)


def number(cell: Cell) -> float:
    """A finite number from a cell with decimal point or comma; NaN when it is none."""
    if isinstance(cell, bool) or cell is None or isinstance(cell, dt.time | dt.datetime | dt.timedelta):
        return math.nan
    if isinstance(cell, int | float):
        return float(cell) if abs(cell) < 1e12 else math.nan
    text = cell.strip().replace("\u00a0", "").replace("\u2212", "-")
    if "," in text and "." in text:
        # The sign that comes last is the decimal one: 1.234,5 and 1,234.5 are the same number.
        drop, point = (".", ",") if text.rfind(",") > text.rfind(".") else (",", ".")
        text = text.replace(drop, "").replace(point, ".")
    text = text.replace(",", ".")
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return math.nan
    value = float(text)
    return value if abs(value) < 1e12 else math.nan


def leading_number(cell: Cell) -> float:
    """Like `number`, but a unit may follow ("74,8kg", "178 cm")."""
    if not isinstance(cell, str):
        return number(cell)
    found = re.match(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*[^\d.,]{0,10}\s*$", cell[:60])
    return number(found[1]) if found else math.nan


def seconds(cell: Cell, unit: str = "") -> float:
    """Elapsed seconds from a clock cell ("0:01:10", "00:56", a spreadsheet time) or a number in `unit`.

    `unit` is what the column says ("s", "min", "h:mm:ss"); a bare number without one is taken as seconds.
    """
    if isinstance(cell, dt.datetime):
        cell = cell.time()
    if isinstance(cell, dt.time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
    if isinstance(cell, dt.timedelta):
        return cell.total_seconds()
    if isinstance(cell, str) and ":" in cell:
        return _clock(cell)
    value = number(cell)
    plain = unit.strip().lower()
    if plain == "min":
        return value * 60
    if plain == "ms":
        return value / 1000
    if "mm:ss" in plain and 0 <= value < 1:
        return value * 86_400  # a spreadsheet stores a time as a fraction of a day
    return value


def _clock(text: str) -> float:
    sign = -1.0 if text.strip().startswith("-") else 1.0
    parts = [number(part) for part in text.strip().lstrip("+-").split(":")]
    if len(parts) > 3 or any(math.isnan(part) or part < 0 for part in parts):
        return math.nan
    total = 0.0
    for part in parts:
        total = total * 60 + part
    return sign * total


def label(cell: Cell) -> str:
    """A header or label cell, made comparable: no outer blanks, no colon, one kind of apostrophe, lower case."""
    if not isinstance(cell, str) or len(cell) > 200:
        return ""
    plain = cell.replace("\u2019", "'").replace("\u00b4", "'").replace("`", "'").replace("\ufeff", "")
    return re.sub(r"\s+", " ", plain).strip().rstrip(":").strip().casefold()


def moment(text: Cell) -> float:
    """Seconds since 1970 of an ISO moment, taken as UTC when it has no zone; NaN when it is none."""
    if not isinstance(text, str) or not text or len(text) > 40:
        return float("nan")
    try:
        when = dt.datetime.fromisoformat(text.strip())
        when = when if when.tzinfo is not None else when.replace(tzinfo=dt.UTC)
        return when.timestamp()
    except (ValueError, OverflowError):
        return float("nan")
