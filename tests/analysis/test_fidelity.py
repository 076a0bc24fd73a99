"""The dose that everybody received, from records: people and arms by hand, and a whole simulated trial."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from holdfast.analysis.fidelity import Fidelity, fidelity
from holdfast.core import facts as f
from holdfast.core.facts import Described, Fact, SessionDone
from holdfast.core.recording import Recording
from holdfast.dosing.basis import Capacity
from holdfast.dosing.impulse import banister
from holdfast.dosing.log import History, StepDone
from holdfast.dosing.matching import by_hand
from holdfast.dosing.measuring import measure, whole
from holdfast.dosing.prescribe import done_as_asked, prescribe
from holdfast.dosing.prescription import Prescription
from holdfast.dosing.written import done_rows, recording_row, to_rows
from holdfast.study.model import Study

START = date(2026, 3, 2)
PEOPLE = {"P01": "HIT", "P02": "HIT", "P03": "MIT", "P04": "MIT"}


def _study(plain: dict[str, Any]) -> Study:
    """The small trial with four sessions: three bouts of 60 s at 100 % or one ride of 240 s at 60 % of 250 W."""
    plain |= {"settings": {"rpe_scale": "CR10"}, "analyses": [], "hierarchy": []}
    hard = {
        "name": "cardio",
        "kind": "intervals",
        "bouts": 3,
        "work": {"seconds": 60, "percent": 100, "of": "W at VO2max"},
    }
    easy = {"name": "cardio", "kind": "continuous", "work": {"seconds": 240, "percent": 60, "of": "W at VO2max"}}
    for code, block in (("hit", hard), ("mit", easy)):
        plain["programmes"][code] |= {"sessions": 4, "per_week": 2, "blocks": [block]}
    return Study.model_validate(plain)


@pytest.fixture
def study(helpers: Any) -> Study:
    return _study(helpers.exercise_plain())


def asked(study: Study, person: str, number: int) -> Prescription:
    programme = study.programmes["hit" if PEOPLE[person] == "HIT" else "mit"]
    capacity = Capacity("W at VO2max", 250, "W", START)
    return prescribe(programme, [capacity], History(), participant=person, session=number, on=START)


def ride(watts: float, seconds: int, heart: float) -> Recording:
    channels = {"power": np.full(seconds, watts), "heart_rate": np.full(seconds, heart)}
    return Recording(None, np.arange(float(seconds)), channels, {"power": "W", "heart_rate": "bpm"})


def recorded(study: Study, person: str, number: int, watts: float, heart: float, **more: Any) -> SessionDone:
    """A session ridden at one power, with the rows that a recording leaves."""
    one = asked(study, person, number)
    block = one.blocks[0]
    trace = ride(watts, int(block.seconds or 0), heart)
    placed = by_hand(block, 0, "trainer")
    rows = (*done_rows(measure(block, trace, placed)), recording_row(whole(block.name, trace), placed))
    lasted = done_rows([StepDone("", "whole session", lasted=3600)])
    on = START + timedelta(days=number)
    return SessionDone(number, True, on, to_rows(one), (*rows, *lasted), **more)


def missed(study: Study, person: str, number: int, reason: str = "time") -> SessionDone:
    return SessionDone(
        number, False, START + timedelta(days=number), to_rows(asked(study, person, number)), reason=reason
    )


def measured_of(person: str) -> list[tuple[str, str, Fact]]:
    values = {"watts_at_vo2max": 250, "hr_max": 190, "hr_rest": 60, "body_mass": 70}
    return [(person, "", Described({"sex": "female"})), (person, "PRE", f.Tested("cpet", values, START))]


@pytest.fixture
def found(study: Study, helpers: Any) -> Fidelity:
    """P01: as asked, at 200 W for pain, missed, missed. P02 never came. P03: all four as asked. P04: one, then gone."""
    facts = [row for person in PEOPLE for row in measured_of(person)]
    mine: dict[str, list[SessionDone]] = {
        "P01": [
            recorded(study, "P01", 1, 250, 171, rpe=8),
            recorded(study, "P01", 2, 200, 152, rpe=6, reason="pain", decided_by="trainer"),
            missed(study, "P01", 3),
            missed(study, "P01", 4),
        ],
        "P03": [recorded(study, "P03", n, 150, 133, rpe=4) for n in range(1, 5)],
        "P04": [recorded(study, "P04", 1, 150, 133, rpe=5)],
    }
    facts += [(person, "", fact) for person, sessions in mine.items() for fact in sessions]
    made = fidelity(study, helpers.ledger_of(facts), PEOPLE)
    assert made is not None
    return made


def test_a_person_by_hand(found: Fidelity):
    """P01: 45 kJ asked a session (3 x 60 s x 250 W). Delivered 45 + 36 of 180 kJ; 3 of 12 bouts reach 90 %, of 6 in
    attended sessions. MET h (70 kg): seconds 360 and 81 kJ over 720 s and 180 kJ."""
    dose = found.doses["P01"]
    assert dose.relative["kJ"] == pytest.approx(81 / 180)
    done, planned = 7 * 360 + 10.8 * 81_000 / 70, 7 * 720 + 10.8 * 180_000 / 70
    assert dose.relative["MET h"] == pytest.approx(done / planned)
    assert (dose.reached_itt, dose.reached_pp) == (3 / 12, 3 / 6)
    assert [session.verdict for session in found.sessions["P01"]] == ["as prescribed", "modified", "missed", "missed"]


def test_who_never_came_counts(found: Fidelity):
    """P02 has tests and no session: attendance 0 and dose 0 of what the programme would have asked."""
    assert found.sessions["P02"] == ()
    assert found.doses["P02"].attendance == 0
    assert found.doses["P02"].relative["kJ"] == 0
    hit, mit = found.arms
    assert (hit.people, hit.started, hit.known) == (2, 1, 2)
    assert hit.attendance == pytest.approx((0.5 + 0) / 2)
    assert hit.reached_itt == pytest.approx((0.25 + 0) / 2)
    assert hit.relative["kJ"] == (pytest.approx((0.45 + 0) / 2), 2)
    assert (mit.attendance, mit.discontinued, mit.weeks) == (pytest.approx(0.625), 1, (1,))


def test_reasons_are_counted_by_arm(found: Fidelity):
    assert found.reasons["HIT"] == {"time": 2, "pain": 1}
    assert found.reasons["MIT"] == {}


def test_session_loads_rest_on_what_is_known(found: Fidelity):
    """60 min: 8 x 60 and 6 x 60. Banister over 180 s at 171 bpm, rest 60, maximum 190."""
    first, second = found.loads["P01"]
    assert (first.rpe_load, second.rpe_load) == (480, 360)
    by_second = banister(np.full(180, 171.0), rest=60, maximum=190, sex="F").value
    assert first.banister == pytest.approx(by_second, rel=1e-12)
    assert found.arms[1].loads["session RPE x minutes"] == (240, 5)  # median of 240 x 4 and 300


def test_spread_within_and_between_people(found: Fidelity):
    """Peak heart rate of P01: 90 and 80 % of 190; one person of HIT alone has no between, so only MIT has a spread."""
    hit, mit = found.arms
    assert hit.spreads == {}
    assert mit.spreads["peak heart rate (% of maximum)"].mean == pytest.approx(70)
    assert mit.spreads["work attainment (%)"].within == pytest.approx(0)


def test_the_arms_lie_apart_in_watts_and_in_heart_rate(found: Fidelity):
    """Watts: HIT 180 s at 100 and 180 s at 80 %, MIT at 60 %: no overlap. Heart: 90 and 80 % against 70 %."""
    watts, heart = found.apart
    assert (watts.signal, watts.arms) == ("watts", ("HIT", "MIT"))
    assert (watts.found.overlap, watts.found.superiority) == (0, 1)
    assert watts.found.seconds == (360, 1200)
    assert heart.found.medians == (pytest.approx(85), pytest.approx(70))


def test_without_tests_attendance_counts_and_the_dose_is_not_known(study: Study, helpers: Any):
    facts = [("P01", "", SessionDone(1, True, START, rpe=7)), ("P01", "", SessionDone(2, False, START, reason="time"))]
    made = fidelity(study, helpers.ledger_of(facts), PEOPLE)
    assert made is not None
    assert made.doses == {}
    assert made.arms[0].attendance == pytest.approx(0.125)
    assert made.arms[0].relative == {}
    assert {issue.code for issue in made.issues} == {"no-planned-dose"}
    assert made.sessions["P01"][0].verdict == "not observable"
    assert fidelity(study, helpers.ledger_of(facts[:0]), PEOPLE) is None


def test_an_attended_session_without_rows_makes_the_dose_unknown(study: Study, helpers: Any):
    """Somebody came, and nothing was written down: the dose of that session is not zero."""
    facts = [*measured_of("P01"), ("P01", "", SessionDone(1, True, START))]
    made = fidelity(study, helpers.ledger_of(facts), PEOPLE)
    assert made is not None
    assert made.doses["P01"].relative["kJ"] is None
    assert made.doses["P01"].not_observable == 3


def test_a_session_written_by_hand_gives_its_dose(study: Study, helpers: Any):
    one = asked(study, "P03", 1)
    done = SessionDone(1, True, START, to_rows(one), done_rows(done_as_asked(one).steps))
    made = fidelity(study, helpers.ledger_of([*measured_of("P03"), ("P03", "", done)]), PEOPLE)
    assert made is not None
    assert made.doses["P03"].relative["kJ"] == pytest.approx(0.25)
    assert made.apart == ()


def test_a_test_that_nobody_can_mean_leaves_the_dose_out(study: Study, helpers: Any):
    facts = [
        ("P01", "", f.Decided("training-1rm:x", 9000, "kg")),
        ("P01", "", f.Tested("cpet", {"watts_at_vo2max": 9000}, START)),
    ]
    made = fidelity(study, helpers.ledger_of([*facts, ("P01", "", SessionDone(1, True, START))]), PEOPLE)
    assert made is not None
    assert "P01" not in made.doses


def test_a_dose_that_was_lowered_beforehand_is_not_delivered_in_full(study: Study, helpers: Any):
    """Load x 0.8 for pain in session 1, ridden as lowered: 36 of the 45 kJ that session asks, 36 of 180 in all."""
    change = f.DoseModified("cardio", "load", 0.8, "pain", "trainer", 1, 1)
    programme = study.programmes["hit"]
    capacity = Capacity("W at VO2max", 250, "W", START)
    lowered = prescribe(programme, [capacity], History((), (change,)), participant="P01", session=1, on=START)
    assert lowered.blocks[0].steps[0].target_watts == 200
    done = SessionDone(1, True, START, to_rows(lowered), done_rows(done_as_asked(lowered).steps), reason="pain")
    facts = [*measured_of("P01"), ("P01", "", change), ("P01", "", done)]
    made = fidelity(study, helpers.ledger_of(facts), PEOPLE)
    assert made is not None
    (session,) = made.sessions["P01"]
    assert (session.verdict, session.modified) == ("modified", ("intensity",))
    assert made.doses["P01"].relative["kJ"] == pytest.approx(36 / 180)


def test_a_block_that_was_left_out_is_a_change_of_type(study: Study, helpers: Any):
    """A factor of 0 leaves the bouts out, so 0 of the 12 planned ones are on target."""
    change = f.DoseModified("cardio", "bouts", 0, "symptom", "physician", 1, 1)
    done = SessionDone(1, True, START, (), done_rows([StepDone("", "whole session", lasted=600)]), reason="symptom")
    facts = [*measured_of("P01"), ("P01", "", change), ("P01", "", done)]
    made = fidelity(study, helpers.ledger_of(facts), PEOPLE)
    assert made is not None
    assert made.doses["P01"].reached_itt == 0
    assert made.sessions["P01"][0].modified == ("type",)
