"""One cell as text, number, day or nothing: exactly what the map declares, never a guess."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime

from holdfast.exchange.table import Cell, Empty

_NUMBER = {
    ".": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    ",": re.compile(r"[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?", re.ASCII),
}
"""A number with this decimal sign; no thousands separators, no units, no blanks inside."""


def as_text(cell: Cell) -> str:
    """The cell as people see it: an empty cell is "", the number 1.0 of a typed file is "1", a day is its ISO text."""
    if cell is None:
        return Empty
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return cell.strip()


def is_missing(cell: Cell, missing: Collection[str]) -> bool:
    """True when the cell is one of the codes that the map declares; an empty cell is the code ""."""
    return as_text(cell) in missing


def as_number(cell: Cell, decimal: str = ".") -> float | None:
    """The number that the cell is, or None when it is none. Text must use the declared decimal sign."""
    if isinstance(cell, float):
        return cell
    if not isinstance(cell, str) or not _NUMBER[decimal].fullmatch(cell.strip()):
        return None
    number = float(cell.strip().replace(",", "."))
    return number if abs(number) < float("inf") else None


def as_day(cell: Cell, format: str) -> date | None:
    """The day that the cell is: a typed day, or text in the declared strptime format; None when it is none."""
    if isinstance(cell, date):
        return cell
    try:
        return datetime.strptime(as_text(cell), format).date()  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        return None
