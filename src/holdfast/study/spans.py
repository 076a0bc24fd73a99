"""Spans of time in words: "6 months" as days for ordering, exact on the calendar elsewhere."""

from __future__ import annotations

_DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
"""Mean Gregorian lengths; only for putting visits in order. Dates are counted on the calendar."""


def split(span: str) -> tuple[float, str]:
    """Number and unit ("day", "week", "month", "year") of a span such as "6 months"."""
    number, unit = span.split()
    return float(number), unit.rstrip("s")


def days(span: str) -> float:
    """The length of a span in days, a month and a year at their mean lengths."""
    number, unit = split(span)
    return number * _DAYS[unit]


def months(span: str) -> float:
    """The length of a span in months: exact for months and years, days and weeks at the mean length of a month."""
    number, unit = split(span)
    return number * {"month": 1.0, "year": 12.0}.get(unit, _DAYS[unit] / _DAYS["month"])
