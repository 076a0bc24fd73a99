"""When a visit is due: spans of time on the calendar, planned days, windows around them."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from holdfast.study.model import Study, Visit
from holdfast.study.spans import split

Timing = Literal["early", "in time", "late"]


def add(day: date, span: str) -> date:
    """The day that lies `span` ("6 months", "12 weeks", "-3 days") after `day`, counted on the calendar.

    Whole months and years keep the day of the month, or take the last day of a shorter month (31 January + 1 month
    is the last of February). A fraction of a month or year is counted in days of its mean length.
    """
    number, unit = split(span)
    if unit in ("day", "week"):
        return day + timedelta(days=round(number * (7 if unit == "week" else 1)))
    months = number * (12 if unit == "year" else 1)
    whole = int(months)
    return _add_months(day, whole) + timedelta(days=round((months - whole) * 30.4375))


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Window:
    """One person's window for one visit: earliest and latest day, both of which still count, and the planned day."""

    visit: str
    earliest: date
    planned: date
    latest: date

    def timing(self, on: date) -> Timing:
        """Whether this day lies before, in or after the window."""
        if on < self.earliest:
            return "early"
        return "late" if on > self.latest else "in time"

    def days_off(self, on: date) -> int:
        """Days outside the window: negative before it, positive after it, 0 inside."""
        if on < self.earliest:
            return (on - self.earliest).days
        return max((on - self.latest).days, 0)


def window(visit: Visit, anchors: Mapping[str, date], moved_to: date | None = None) -> Window | None:
    """The window of a visit from the days it is counted from; None while its anchor has not happened.

    `moved_to` is the appointment: it becomes the planned day, but the protocol's window stays where it was.
    """
    anchor = anchors.get(visit.anchor)
    if anchor is None:
        return None
    planned = add(anchor, visit.offset)
    before, after = visit.window
    earliest, latest = planned + timedelta(days=before), planned + timedelta(days=after)
    return Window(visit.code, earliest, moved_to or planned, latest)


def planned_weeks(study: Study) -> float | None:
    """How long training is planned to last when all arms train equally long; None when they do not.

    Only then may a planned end of training be told to people who must not know the arm.
    """
    weeks = {p.weeks if (p := study.programmes.get(arm.programme or "")) else 0.0 for arm in study.arms}
    return weeks.pop() if len(weeks) == 1 else None
