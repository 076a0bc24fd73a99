"""IPAQ short form by hand, from the scoring guidelines of 2005 (criteria also in PMC8994706).

Two readings are from memory: bouts under 10 minutes count as none, and the 1,500 MET-minutes of the first "high"
criterion are of all activity together.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.instruments import load, score

IPAQ = load("ipaq-sf")


def week(vigorous: tuple[int, object], moderate: tuple[int, object], walking: tuple[int, object]) -> dict[str, object]:
    answers: dict[str, object] = {"ipaq_sit_min": 300}
    for kind, (days, minutes) in zip(("vig", "mod", "walk"), (vigorous, moderate, walking), strict=True):
        answers |= {f"ipaq_{kind}_days": days, f"ipaq_{kind}_min": minutes}
    return answers


def test_met_minutes() -> None:
    # 8 x 30 x 2 = 480; 4 x 45 x 3 = 540; 3.3 x 20 x 5 = 330; together 1350
    values = score(IPAQ, week((2, 30), (3, 45), (5, 20))).values
    assert values["ipaq-vigorous"] == 480
    assert values["ipaq-moderate"] == 540
    assert values["ipaq-walking"] == pytest.approx(330, abs=1e-9)  # 3.3 is not exact in binary
    assert values["ipaq-total"] == pytest.approx(1350, abs=1e-9)
    assert values["ipaq-sitting"] == 300


def test_days_over_three_hours_are_cut() -> None:
    assert score(IPAQ, week((7, 240), (0, None), (0, None))).values["ipaq-vigorous"] == 8 * 180 * 7


def test_the_stated_maxima_are_seven_days_of_three_hours() -> None:
    values = score(IPAQ, week((7, 180), (7, 180), (7, 180))).values
    for code in ("ipaq-vigorous", "ipaq-moderate", "ipaq-walking", "ipaq-total"):
        assert values[code] == pytest.approx(IPAQ.score(code).high, abs=1e-9)  # 3.3 is not exact in binary


def test_a_day_of_more_than_sixteen_hours_has_no_score() -> None:
    # 400 + 300 + 260 = 960 is allowed, one minute more is not
    assert score(IPAQ, week((1, 400), (1, 300), (1, 260))).values["ipaq-total"] is not None
    scored = score(IPAQ, week((1, 400), (1, 300), (1, 261)))
    assert {scored.values[code] for code in ("ipaq-total", "ipaq-walking", "ipaq-category")} == {None}
    assert scored.why("ipaq-total") == "961 minutes a day are more than the 960 allowed."
    assert scored.values["ipaq-sitting"] == 300


def test_short_bouts_count_as_none() -> None:
    assert score(IPAQ, week((7, 9), (0, None), (0, None))).values["ipaq-total"] == 0
    assert score(IPAQ, week((7, 10), (0, None), (0, None))).values["ipaq-total"] == 8 * 10 * 7


def test_minutes_are_not_needed_where_there_are_no_days() -> None:
    assert score(IPAQ, week((0, None), (0, None), (0, None))).values["ipaq-total"] == 0


def test_minutes_are_needed_where_there_are_days() -> None:
    scored = score(IPAQ, week((2, None), (0, None), (0, None)))
    assert scored.values["ipaq-total"] is None
    assert scored.values["ipaq-walking"] is None  # any missing answer leaves the person out
    assert "ipaq_vig_min" in scored.why("ipaq-total")


def test_minutes_without_days_are_a_contradiction() -> None:
    scored = score(IPAQ, week((0, 30), (0, None), (0, None)))
    assert [issue.code for issue in scored.issues] == ["contradiction"]


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        (week((3, 60), (0, None), (1, 30)), "high"),  # 1440 + 99 = 1539 in total, vigorous on 3 days
        (
            week((3, 60), (0, None), (1, 10)),
            "moderate",
        ),  # 1440 + 33 = 1473: not 1500; but 3 vigorous days of 20 minutes
        (week((0, None), (4, 120), (4, 100)), "high"),  # 8 days, 1920 + 1320 = 3240
        (week((0, None), (4, 120), (3, 110)), "high"),  # 7 days, 1920 + 1089 = 3009
        (week((0, None), (4, 120), (3, 109)), "moderate"),  # 7 days, 1920 + 1079.1 = 2999.1
        (week((1, 100), (4, 9), (0, None)), "low"),  # 800, but four days of short bouts are no days
        (week((0, None), (3, 120), (3, 180)), "moderate"),  # 3222, but 6 days; 5 days of 30 minutes
        (week((3, 20), (0, None), (0, None)), "moderate"),  # 480
        (week((3, 19), (0, None), (0, None)), "low"),  # 456
        (week((0, None), (2, 30), (3, 30)), "moderate"),  # 5 days of 30 minutes
        (week((0, None), (2, 30), (2, 30)), "low"),  # 4 days
        (week((2, 25), (0, None), (3, 29)), "moderate"),  # 5 days, 400 + 287.1 = 687.1
        (week((1, 25), (0, None), (4, 29)), "low"),  # 5 days, 200 + 382.8 = 582.8
        (week((0, None), (0, None), (0, None)), "low"),
    ],
)
def test_category(answers: dict[str, object], level: str) -> None:
    assert score(IPAQ, answers).values["ipaq-category"] == level


minutes = st.integers(0, 320)  # three kinds of at most 320 stay within the 960 allowed
days = st.integers(0, 7)


@settings(max_examples=50)
@given(
    st.tuples(days, minutes),
    st.tuples(days, minutes),
    st.tuples(days, minutes),
    st.sampled_from(["vig", "mod", "walk"]),
)
def test_more_activity_never_lowers_total_or_level(
    vigorous: tuple[int, int], moderate: tuple[int, int], walking: tuple[int, int], kind: str
) -> None:
    levels = ["low", "moderate", "high"]
    less = week(vigorous, moderate, walking)
    more = less | {f"ipaq_{kind}_days": min(7, int(str(less[f"ipaq_{kind}_days"])) + 1)}
    before, after = score(IPAQ, less).values, score(IPAQ, more).values
    assert float(after["ipaq-total"] or 0) >= float(before["ipaq-total"] or 0)
    assert levels.index(str(after["ipaq-category"])) >= levels.index(str(before["ipaq-category"]))
    assert 0 <= float(after["ipaq-total"] or 0) <= 19278 + 1e-9  # rounding of 3.3 only
