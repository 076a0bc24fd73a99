"""What a session record keeps of a recording, and that the same verdicts follow from it."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.facts import SessionDone
from holdfast.core.recording import Recording
from holdfast.core.workout import Band
from holdfast.dosing import Capacity, SessionLog, StepDone, prescribe
from holdfast.dosing.delivery import score_log, score_recording, score_session
from holdfast.dosing.heart import HeartRange, heart_range
from holdfast.dosing.impulse import banister, met_hours, met_hours_of_work
from holdfast.dosing.load import SessionLoad, check_rating, scale_of, session_load
from holdfast.dosing.log import WHOLE, History, _step, unreadable
from holdfast.dosing.matching import by_hand
from holdfast.dosing.measuring import measure, whole
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep
from holdfast.dosing.tally import by_second, tally, untally
from holdfast.dosing.written import as_asked, done_rows, recording_row, to_rows
from holdfast.errors import CallError, DataError, Refused
from holdfast.study.programme import Block, Effort, Exercise, Programme, Tolerance

ON = date(2026, 3, 2)
TOLERANCE = Tolerance(watts_percent=5, seconds_percent=10)
BLOCK = PrescribedBlock(
    "cardio",
    "intervals",
    "",
    (
        PrescribedStep("bout 1", True, 60, Band.around(250, 0.05), Band(100, 120)),
        PrescribedStep("rest 1", False, 60),
        PrescribedStep("bout 2", True, 60, None, None, Band(140, 160)),
    ),
)


def recording(watts: np.ndarray, heart: np.ndarray) -> Recording:
    channels = {"power": watts, "heart_rate": heart, "cadence": np.full(watts.size, 110.0)}
    return Recording(
        None, np.arange(watts.size, dtype=float), channels, {"power": "W", "heart_rate": "bpm", "cadence": "rpm"}
    )


def kept(rows) -> tuple[StepDone, ...]:
    """Rows as they come back from a record: through JSON."""
    return tuple(StepDone(**row) for row in json.loads(json.dumps(list(done_rows(rows)))))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.7, 1.3), st.floats(0, 0.7), st.integers(30, 200))
def test_the_record_gives_the_verdicts_that_were_shown(seed: int, effort: float, dead: float, length: int):
    """Noise, stops, drop-outs, early ends: scoring the kept rows equals scoring the recording, number by number."""
    rng = np.random.default_rng(seed)
    watts = np.round(250 * effort + rng.normal(0, 10, length))
    watts[rng.random(length) < 0.1] = 0
    heart = np.round(150 * effort + rng.normal(0, 5, length))
    for signal in (watts, heart):
        signal[rng.random(length) < dead] = np.nan
    placed = by_hand(BLOCK, 0, "trainer")
    ride = recording(watts, heart)
    shown = score_recording(BLOCK, ride, placed, TOLERANCE)
    again = score_log(BLOCK, kept(measure(BLOCK, ride, placed)), TOLERANCE)
    assert again == shown


def test_the_numbers_that_are_kept_by_hand():
    """60 s: 30 at 240 W, 20 at 260 W, 5 at 0 W, 5 unseen. Mean of 55 seen: (7200 + 5200) / 55; active: 12400 / 50."""
    watts = np.concatenate([np.full(30, 240.0), np.full(20, 260.0), np.zeros(5), np.full(5, np.nan), np.full(120, 9.0)])
    heart = np.concatenate([np.linspace(120, 150, 55), np.arange(150.0, 155), np.full(120, 140.0)])
    one = measure(BLOCK, recording(watts, heart), by_hand(BLOCK, 0, "trainer"))[0]
    assert (one.recorded, one.not_observed, one.seconds, one.in_band) == (60, 5, 55, 50)
    assert one.watts == pytest.approx(12400 / 55)
    assert one.active == pytest.approx(248)
    assert one.kilojoules == pytest.approx(12.4)
    assert (one.peak_heart_rate, one.end_heart_rate) == (154, 152)
    assert one.watts_seconds == "0:5 240:30 260:20"


def test_a_gap_in_the_signal_is_neither_done_nor_undone():
    """250 W wherever it was seen, 12 of 60 s unseen: 12 kJ of the 12 kJ asked of the seen 48 s; 15 kJ were asked."""
    watts = np.full(180, 250.0)
    watts[20:32] = np.nan
    bout = score_recording(BLOCK, recording(watts, np.full(180, 150.0)), by_hand(BLOCK, 0, "trainer"), TOLERANCE)[0]
    assert bout.verdict == "delivered"
    assert bout.work_attainment == pytest.approx(0.8)
    assert bout.reached == pytest.approx(1.0)
    watts[:45] = np.nan
    blind = score_recording(BLOCK, recording(watts, np.full(180, 150.0)), by_hand(BLOCK, 0, "trainer"), TOLERANCE)[0]
    assert (blind.verdict, blind.reached) == ("not observable", None)


def test_a_tally_keeps_every_second_and_stays_short():
    values = np.array([118.0, 119, 119, np.nan, 121.4])
    assert tally(values) == "118:1 119:2 121:1"
    assert by_second(tally(values)).tolist() == [118, 119, 119, 121]
    wild = np.random.default_rng(1).permutation(np.arange(4000.0))
    text = tally(wild)
    assert len(text) <= 8000
    middles, seconds = untally(text)
    assert seconds.sum() == 4000
    assert np.abs(np.repeat(middles, seconds.astype(int)) - np.arange(4000)).max() <= 8  # half a class of up to 16
    with pytest.raises(DataError):
        untally("118 119:x")


def test_training_impulse_follows_from_the_record():
    """Whole beats lose nothing: the impulse from the kept row equals the one from the recording."""
    heart = np.round(np.linspace(90, 175, 1200))
    ride = recording(np.full(1200, 150.0), heart)
    row = recording_row(whole("cardio", ride), by_hand(BLOCK, 0, "trainer 2"))
    assert (row["step"], row["how"], row["confirmed_by"]) == (WHOLE, "by hand", "trainer 2")
    lasted = StepDone("", "whole session", lasted=5400)
    one = StepDone("cardio", WHOLE, heart_rate_seconds=str(row["heart_rate_seconds"]))
    log = SessionLog(3, True, ON, (one, lasted))
    found = session_load(log, 7, scale="CR10", heart=HeartRange(190, 60), sex="F")
    assert found.banister == pytest.approx(banister(heart, rest=60, maximum=190, sex="F").value, rel=1e-12)
    assert (found.rpe_load, found.minutes, found.heard) == (630, 90, 20)  # 7 x 90 min; 1,200 s
    unknown = session_load(SessionLog(3, True, ON, (one,)), 14, scale="Borg 6-20", heart=None, sex=None)
    assert unknown == SessionLoad(3, None, 14, None, None, None, 20)


def test_a_rating_is_on_the_declared_scale():
    assert scale_of(None) is None
    check_rating(13, scale_of("Borg 6-20"))
    with pytest.raises(CallError, match="CR10 scale"):
        check_rating(13, scale_of("CR10"))
    with pytest.raises(CallError, match="CR10, Borg 6-20"):
        scale_of("0-100")


def test_heart_rate_as_a_share_of_maximum_and_reserve():
    """171 of 190 bpm: 90 %; from 60 at rest: 111 / 130 = 85.4 % of reserve."""
    heart = HeartRange(190, 60)
    assert heart.of_maximum(171) == pytest.approx(90)
    assert heart.of_reserve(171) == pytest.approx(100 * 111 / 130)
    assert heart.of_maximum(None) is None
    assert HeartRange(190).of_reserve(150) is None
    tests = (Capacity("HR max", 190, "bpm", ON), Capacity("HR reserve", 190, "bpm", ON, rest=60))
    assert heart_range(tests) == heart
    assert heart_range(tests, date(2026, 1, 1)) is None


def test_met_hours_of_work_equal_those_of_the_seconds():
    watts = np.random.default_rng(2).uniform(50, 200, 3600)
    total = met_hours_of_work(float(watts.sum()) / 1000, 3600, body_mass=70)
    assert total == pytest.approx(met_hours(watts, body_mass=70), rel=1e-12)


PROGRAMME = Programme(
    sessions=4,
    per_week=2,
    blocks=(
        Block(name="cardio", kind="continuous", work=Effort(seconds=60, percent=60, of="W at VO2max")),
        Block(
            name="strength", kind="resistance", percent=80, of="1RM", exercises=(Exercise(code="a"), Exercise(code="b"))
        ),
    ),
)
TESTS = (
    Capacity("W at VO2max", 250, "W", ON, source="record 3"),
    Capacity("1RM", 100, "kg", ON, "a"),
    Capacity("1RM", 50, "kg", ON, "b"),
)


def ask(*tests: Capacity):
    return prescribe(PROGRAMME, tests, History(), participant="P01", session=1, on=ON)


def test_everything_that_is_missing_is_named_at_once():
    with pytest.raises(Refused) as refusal:
        ask()
    for words in ("W at VO2max", "1RM of a", "1RM of b", "Do the cpet test", "training-1rm:a", "training-1rm:b"):
        assert words in str(refusal.value), words


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Capacity("1RM", 5000, "kg", ON, "a"), "5000 kg cannot be meant"),
        (Capacity("1RM", 0, "kg", ON, "a"), "0 kg cannot be meant"),
        (Capacity("W at VO2max", 2500, "W", ON, source="record 3"), "record 3"),
    ],
)
def test_a_capacity_that_nobody_has_is_refused(wrong: Capacity, words: str):
    with pytest.raises(Refused, match=words):
        ask(*(wrong if (one.reference, one.exercise) == (wrong.reference, wrong.exercise) else one for one in TESTS))


def test_a_resting_heart_rate_above_the_maximum_is_refused():
    easy = Programme(
        sessions=1,
        per_week=1,
        blocks=(
            Block(name="easy", kind="continuous", work=Effort(seconds=60, hr_percent=(40, 60), hr_of="HR reserve")),
        ),
    )
    tests = [Capacity("HR reserve", 100, "bpm", ON, rest=120)]
    with pytest.raises(Refused, match="120 bpm at rest"):
        prescribe(easy, tests, History(), participant="P01", session=1, on=ON)


def test_what_was_asked_is_frozen_with_the_session():
    """A later, higher test does not reach the session that is on record."""
    asked = ask(*TESTS)
    log = SessionLog(1, True, ON, prescribed=to_rows(asked))
    later = (*TESTS, Capacity("W at VO2max", 300, "W", ON))
    assert ask(*later[1:]).block("cardio").steps[0].target_watts == 180
    frozen = as_asked(log, participant="P01")
    assert frozen is not None
    assert frozen.block("cardio").steps[0].target_watts == 150
    assert "not computed anew" in frozen.notes[0]
    assert as_asked(SessionLog(1, True, ON), participant="P01") is None


def test_of_two_tests_on_one_day_the_one_recorded_last_counts():
    retest = Capacity("W at VO2max", 300, "W", ON, source="record 9")
    assert ask(*TESTS, retest).block("cardio").steps[0].target_watts == 180


def test_adding_up_the_rows_of_a_session_counts_nothing_twice():
    """The row of the whole recording names neither seconds done nor watts: 60 s x 250 W three times is 45 kJ."""
    ride = recording(np.full(180, 250.0), np.full(180, 150.0))
    placed = by_hand(BLOCK, 0, "trainer")
    rows = [*done_rows(measure(BLOCK, ride, placed)), recording_row(whole("cardio", ride), placed)]
    assert sum(row.get("watts", 0) * row.get("seconds", 0) for row in rows) == pytest.approx(45_000)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["block", "step", "work", "seconds", "watts", "watts_low", "watts_high", "reps", "kg", "recorded"]
        ),
        st.none() | st.booleans() | st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False, width=32),
    )
)
def test_odd_rows_are_read_without_a_crash(row: dict):
    """Rows come from people too: a word where a number belongs is not observed, and counted."""
    fact = SessionDone(1, True, ON, (row,), (row,))
    log = SessionLog(1, True, ON, (_step(row),), prescribed=(row,))
    asked = as_asked(log, participant="P01")
    assert asked is not None
    score_session(asked, log.steps, TOLERANCE)
    numbers = ("seconds", "watts", "reps", "kg", "recorded")
    assert unreadable(fact) == sum(isinstance(row.get(name), (str, bool)) for name in numbers)
