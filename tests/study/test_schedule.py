"""Spans on the calendar and the windows of visits."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.study.model import Arm, Study, Visit
from holdfast.study.programme import Programme
from holdfast.study.schedule import Window, add, planned_weeks, window

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("day", "span", "expected"),
    [
        # by the calendar: the same day of the month, or the last day of a shorter one
        (date(2026, 1, 31), "1 month", date(2026, 2, 28)),
        (date(2024, 1, 31), "1 month", date(2024, 2, 29)),
        (date(2026, 8, 31), "6 months", date(2027, 2, 28)),
        (date(2024, 2, 29), "1 year", date(2025, 2, 28)),
        (date(2026, 3, 2), "12 weeks", date(2026, 5, 25)),
        (date(2026, 3, 2), "-3 days", date(2026, 2, 27)),
        (date(2026, 3, 31), "-1 month", date(2026, 2, 28)),
        (date(2026, 3, 2), "0 days", date(2026, 3, 2)),
        # a fraction of a month in days of the mean length: 0.5 x 30.4375 = 15.2
        (date(2026, 3, 2), "1.5 months", date(2026, 4, 17)),
        (date(2026, 3, 2), "0.5 weeks", date(2026, 3, 6)),
    ],
)
def test_a_span_is_counted_on_the_calendar(day, span, expected):
    assert add(day, span) == expected


@settings(max_examples=50)
@given(DAYS, st.integers(0, 60))
def test_months_keep_the_day_or_take_the_last(day, months):
    after = add(day, f"{months} months")
    assert after.day == day.day or (after + timedelta(days=1)).day == 1
    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == months


@settings(max_examples=50)
@given(DAYS, st.integers(0, 3650), st.integers(0, 3650))
def test_later_spans_end_later(day, one, two):
    assert (add(day, f"{one} days") <= add(day, f"{two} days")) == (one <= two)


FU = Visit(code="FU", anchor="programme end", offset="6 months", window=(-14, 28))


def test_a_window_is_counted_from_its_anchor():
    """6 months after 25 May is 25 November; 14 days before to 28 days after."""
    found = window(FU, {"programme end": date(2026, 5, 25)})
    assert found == Window("FU", date(2026, 11, 11), date(2026, 11, 25), date(2026, 12, 23))


def test_without_its_anchor_there_is_no_window():
    assert window(FU, {"enrolment": date(2026, 1, 1)}) is None


def test_an_appointment_moves_the_plan_and_not_the_window():
    moved = window(FU, {"programme end": date(2026, 5, 25)}, moved_to=date(2026, 12, 30))
    assert (moved.planned, moved.latest) == (date(2026, 12, 30), date(2026, 12, 23))
    assert (moved.timing(moved.planned), moved.days_off(moved.planned)) == ("late", 7)


@settings(max_examples=50)
@given(DAYS, st.integers(-400, 400))
def test_both_ends_of_a_window_still_count(anchor, shift):
    found = window(FU, {"programme end": anchor})
    day = found.planned + timedelta(days=shift)
    assert (found.timing(day) == "in time") == (-14 <= shift <= 28) == (found.days_off(day) == 0)
    assert found.days_off(day) == min(shift + 14, 0) + max(shift - 28, 0)


@pytest.mark.parametrize(
    ("sessions", "per_week", "expected"), [((24, 24), (2, 2), 12), ((24, 12), (2, 1), 12), ((24, 12), (2, 2), None)]
)
def test_the_end_of_training_is_only_planned_where_it_tells_no_arm(sessions, per_week, expected):
    programmes = {f"p{i}": Programme(sessions=sessions[i], per_week=per_week[i]) for i in (0, 1)}
    study = Study.model_construct(
        arms=(Arm(code="A1", programme="p0"), Arm(code="B1", programme="p1")), programmes=programmes
    )
    assert planned_weeks(study) == expected


def test_an_arm_without_a_programme_tells_it_too():
    study = Study.model_construct(
        arms=(Arm(code="A1", programme="p"), Arm(code="B1")), programmes={"p": Programme(sessions=24, per_week=2)}
    )
    assert planned_weeks(study) is None
