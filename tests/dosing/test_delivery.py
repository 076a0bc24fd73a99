"""Delivered against prescribed: made recordings with known answers, and two real files."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.facts import DoseModified
from holdfast.core.recording import Event, Lap, Recording
from holdfast.core.workout import Band
from holdfast.dosing import StepDone
from holdfast.dosing.delivery import score_log, score_recording
from holdfast.dosing.dose import dose_of, spread
from holdfast.dosing.impulse import banister, edwards, met_hours, session_rpe
from holdfast.dosing.matching import Span, by_hand, match
from holdfast.dosing.measuring import measure
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep, Prescription
from holdfast.dosing.separation import separation
from holdfast.dosing.verdicts import judge, planned_dose
from holdfast.errors import CallError
from holdfast.study.programme import Programme, Tolerance

TOLERANCE = Tolerance(watts_percent=5, seconds_percent=10)
ON = date(2026, 3, 2)


def intervals(bouts: int = 3, work: float = 60, rest: float = 60) -> PrescribedBlock:
    """Bouts at 250 W (237.5 to 262.5) with rests at 125 W between."""
    steps: list[PrescribedStep] = []
    for bout in range(1, bouts + 1):
        steps.append(PrescribedStep(f"bout {bout}", True, work, Band.around(250, 0.05)))
        if bout < bouts:
            steps.append(PrescribedStep(f"rest {bout}", False, rest, Band.around(125, 0.05)))
    return PrescribedBlock("cardio", "intervals", "cycle ergometer", tuple(steps))


def recording(watts: list[float] | np.ndarray, laps: tuple[Lap, ...] = (), heart=None) -> Recording:
    power = np.asarray(watts, dtype=float)
    channels = {"power": power} if heart is None else {"power": power, "heart_rate": np.asarray(heart, dtype=float)}
    units = {"power": "W", "heart_rate": "bpm"}
    return Recording(None, np.arange(power.size, dtype=float), channels, {name: units[name] for name in channels}, laps)


def played(lead: int = 0, tail: int = 0) -> list[float]:
    """The three bouts exactly as asked, after `lead` seconds at 60 W."""
    return [60.0] * lead + [250.0] * 60 + [125.0] * 60 + [250.0] * 60 + [125.0] * 60 + [250.0] * 60 + [60.0] * tail


def starts(found) -> list[float]:
    return [span.start for span in found.spans]


def test_laps_that_name_their_step_are_taken_as_they_are():
    edges = [100, 160, 220, 280, 340, 400]
    laps = tuple(Lap(a, b, i) for i, (a, b) in enumerate(pairwise(edges)))
    found, issues = match(intervals(), recording(played(100, 50), laps))
    assert (found.how, found.agreement, issues) == ("workout steps", 1.0, [])
    assert starts(found) == edges[:-1]


def test_step_events_of_the_player_go_before_everything():
    """Five steps begin at 100, 160, 220, 280, 340 s and the clock stops at 400; the laps beside them are no help."""
    events = [Event(100 + 60 * index, "workout_step", "marker", index) for index in range(5)]
    events += [Event(0, "timer", "start"), Event(400, "timer", "stop_all")]
    ride = recording(played(100, 50), (Lap(0, 450),))
    ride = Recording(None, ride.seconds, ride.channels, ride.units, ride.laps, tuple(events))
    found, issues = match(intervals(), ride)
    assert (found.how, found.agreement, issues) == ("step events", 1.0, [])
    assert found.spans[-1] == Span(340, 400)


def test_plain_laps_are_matched_by_their_durations():
    edges = [0, 100, 160, 220, 280, 340, 400, 450]
    laps = tuple(Lap(a, b) for a, b in pairwise(edges))
    found, issues = match(intervals(), recording(played(100, 50), laps))
    assert (found.how, found.agreement, issues) == ("laps", 1.0, [])
    assert starts(found) == [100, 160, 220, 280, 340]


@pytest.mark.parametrize("lead", [0, 37, 300])
def test_without_laps_the_power_trace_tells(lead: int):
    noise = np.random.default_rng(4).normal(0, 8, len(played(lead, 120)))
    found, issues = match(intervals(), recording(np.array(played(lead, 120)) + noise))
    assert found.how == "power"
    assert found.agreement > 0.9
    assert starts(found)[0] == pytest.approx(lead, abs=1)  # one second is the resolution of the trace
    assert issues == []
    assert found.confirmed_by == ""


def test_without_power_the_heart_rate_tells_to_some_seconds():
    """Heart rate made by a first-order response of 30 s, as the aligner assumes; 5 s is a sixth of that constant."""
    target = np.array(played(200, 200))
    heart, level = [], 90.0
    for watts in target:
        level += (70 + watts * 0.4 - level) / 30
        heart.append(level)
    found, _ = match(intervals(), recording(np.full(target.size, np.nan), heart=heart))
    assert found.how == "heart rate"
    assert starts(found)[0] == pytest.approx(200, abs=5)


def test_a_flat_trace_is_told_to_be_unsure_and_a_person_can_place_the_steps():
    found, issues = match(intervals(), recording([100.0] * 600))
    assert [issue.code for issue in issues] == ["unsure-match"]
    placed = by_hand(intervals(), 30, "trainer 2")
    assert placed.spans[0] == Span(30, 90)
    assert placed.confirmed_by == "trainer 2"
    with pytest.raises(CallError, match="named person"):
        found.confirm(" ")


def test_a_session_as_asked_scores_as_delivered():
    found, _ = match(intervals(), recording(played()))
    scored = score_recording(intervals(), recording(played()), found, TOLERANCE)
    assert {step.verdict for step in scored} == {"delivered"}
    first = scored[0]
    assert (first.watts, first.attainment, first.work_attainment, first.in_band) == (250, 1, 1, 60)
    assert first.kilojoules == pytest.approx(15.0)  # 250 W x 60 s


def test_each_way_to_miss_a_target_has_its_verdict():
    """Bouts: 230 W (under), 280 W (over), 250 W for 40 of 60 s then 0 W (short)."""
    trace = [230.0] * 60 + [125.0] * 60 + [280.0] * 60 + [125.0] * 60 + [250.0] * 40 + [0.0] * 20
    scored = score_recording(intervals(), recording(trace), by_hand(intervals(), 0, "x"), TOLERANCE)
    assert [step.verdict for step in scored if step.work] == ["under", "over", "short"]
    last = scored[-1]
    assert last.done == 40
    assert last.attainment == pytest.approx(40 / 60)
    assert last.work_attainment == pytest.approx(40 / 60)


def test_a_dead_sensor_is_not_observable_and_never_zero():
    trace = [250.0] * 60 + [125.0] * 60 + [np.nan] * 60 + [125.0] * 60 + [250.0] * 60
    scored = score_recording(intervals(), recording(trace), by_hand(intervals(), 0, "x"), TOLERANCE)
    dead = scored[2]
    assert dead.verdict == "not observable"
    assert dead.watts is None
    assert dead.kilojoules is None
    assert dead.not_observed == 60


def test_a_recording_that_ends_early_skips_what_came_after():
    trace = played()[:120]
    scored = score_recording(intervals(), recording(trace), by_hand(intervals(), 0, "x"), TOLERANCE)
    assert [step.verdict for step in scored] == ["delivered"] * 2 + ["skipped"] * 3


def test_sets_and_holds_are_scored_from_the_log():
    press = PrescribedStep("leg press", True, exercise="leg_press", sets=2, reps=12, kg=80)
    plank = PrescribedStep("plank", True, exercise="plank", sets=1, reps=10, hold_seconds=10)
    block = PrescribedBlock("strength", "resistance", "", (press, plank))
    full = (
        StepDone("strength", exercise="leg_press", reps=12, kg=80),
        StepDone("strength", exercise="leg_press", reps=12, kg=80),
        StepDone("strength", exercise="plank", reps=10, hold_seconds=10),
    )
    done = score_log(block, full, TOLERANCE)
    assert [step.verdict for step in done] == ["delivered", "delivered"]
    assert (done[0].volume, done[0].planned_volume) == (1920, 1920)  # 2 x 12 x 80
    assert (done[1].done, done[1].planned) == (100, 100)
    lighter = score_log(block, (StepDone("strength", exercise="leg_press", reps=24, kg=70),), TOLERANCE)
    assert [step.verdict for step in lighter] == ["under", "not observable"]
    fewer = score_log(block, (StepDone("strength", exercise="leg_press", reps=18, kg=80),), TOLERANCE)
    assert fewer[0].verdict == "short"
    unknown = score_log(block, (StepDone("strength", exercise="leg_press", reps=None, kg=80),), TOLERANCE)
    assert unknown[0].verdict == "not observable"
    assert unknown[0].volume is None


def prescription(session: int = 1) -> Prescription:
    return Prescription("P01", session, ON, "HIT", (intervals(),))


def session(number: int, trace: list[float] | None, modifications=()):
    if trace is None:
        return judge(prescription(number), (), attended=False, reason="time", decided_by="participant")
    scored = score_recording(intervals(), recording(trace), by_hand(intervals(), 0, "x"), TOLERANCE)
    return judge(prescription(number), scored, attended=True, modifications=modifications)


EASY = [200.0] * 60 + [125.0] * 60 + [200.0] * 60 + [125.0] * 60 + [200.0] * 60
STOPPED = played()[:180] + [0.0] * 120


def test_session_verdicts():
    assert session(1, played()).verdict == "as prescribed"
    assert (session(1, EASY).verdict, session(1, EASY).modified) == ("modified", ("intensity",))
    assert session(1, STOPPED).verdict == "ended early"
    assert (session(1, None).verdict, session(1, None).reason) == ("missed", "time")
    lowered = DoseModified("cardio", "load", 0.9, "pain", "trainer", 1)
    assert session(1, played(), (lowered,)).modified == ("intensity",)


def test_the_dose_of_a_person_by_hand():
    """Four sessions: as asked, at 200 W, missed, as asked. kJ by hand: bouts 3 x 15, rests 2 x 7.5: 60 planned each.

    Delivered: 60 + (3 x 12 + 15 = 51) + 0 + 60 = 171 of 240. Bouts reaching 90 %: 3 + 0 + 3 = 6 of 12 planned,
    of 9 in attended sessions. One of three attended sessions was modified.
    """
    programme = Programme(sessions=4, per_week=2)
    done = [session(1, played()), session(2, EASY), session(3, None), session(4, played())]
    dose = dose_of("P01", programme, done, [planned_dose(prescription(n)) for n in range(1, 5)])
    assert dose.attendance == 0.75
    assert dose.relative["kJ"] == pytest.approx(171 / 240)
    assert dose.relative["kg"] is None
    assert (dose.reached_itt, dose.reached_pp) == (6 / 12, 6 / 9)
    assert dose.modified == pytest.approx(1 / 3)
    assert dose.parts == {"intensity": 1, "time": 0, "type": 0, "frequency": 1}


@pytest.mark.parametrize(
    ("came", "interruptions", "week"),
    [
        ("1111111111", 0, None),
        ("1100011111", 1, None),
        ("1100111111", 0, None),
        ("1111110000", 0, 3),
        ("0000000000", 0, 1),
        ("1000100010", 2, None),
    ],
)
def test_interruptions_and_discontinuation(came: str, interruptions: int, week: int | None):
    """An interruption is three or more missed in a row before coming back; two sessions a week."""
    programme = Programme(sessions=10, per_week=2)
    done = [session(n, played() if here == "1" else None) for n, here in enumerate(came, start=1)]
    dose = dose_of("P01", programme, done, [planned_dose(prescription(n)) for n in range(1, 11)])
    assert (dose.interruptions, dose.discontinued_week) == (interruptions, week)


def test_an_unobserved_bout_makes_the_dose_unknown_not_smaller():
    trace = [250.0] * 60 + [125.0] * 60 + [np.nan] * 60 + [125.0] * 60 + [250.0] * 60
    programme = Programme(sessions=1, per_week=1)
    dose = dose_of("P01", programme, [session(1, trace)], [planned_dose(prescription())])
    assert dose.relative["kJ"] is None
    assert dose.not_observable == 1


def test_spread_by_hand():
    """Two people, (1, 3) and (5, 7): MS_within = (2 + 2) / 2 = 2, MS_between = 2 x (4 + 4) = 16, n0 = 2, s2_b = 7."""
    found = spread([[1, 3], [5, 7]])
    assert found.mean == 4
    assert found.within == pytest.approx(np.sqrt(2))
    assert found.between == pytest.approx(np.sqrt(7))


def test_banister_by_hand():
    """60 min at 80 % of reserve. Woman: 60 x 0.8 x 0.86 x e^(1.67 x 0.8) = 157.0 (facts/exercise.md section 4: 157)."""
    heart = np.full(3600, 60 + 0.8 * 120)
    woman = banister(heart, rest=60, maximum=180, sex="F")
    assert woman.value == pytest.approx(60 * 0.8 * 0.86 * np.exp(1.67 * 0.8), rel=1e-12)
    assert round(woman.value) == 157
    man = banister(heart, rest=60, maximum=180, sex="M")
    assert man.value == pytest.approx(60 * 0.8 * 0.64 * np.exp(1.92 * 0.8), rel=1e-12)


def test_banister_integrates_and_leaves_gaps_out():
    """Half at 60 %, half at 100 %: the mean heart rate gives less, because the weighting is convex."""
    halves = np.concatenate([np.full(600, 132.0), np.full(600, 180.0)])
    by_second = banister(halves, rest=60, maximum=180, sex="M").value
    by_mean = banister(np.full(1200, halves.mean()), rest=60, maximum=180, sex="M").value
    by_hand = 10 * 0.6 * 0.64 * np.exp(1.92 * 0.6) + 10 * 1.0 * 0.64 * np.exp(1.92)
    assert by_second == pytest.approx(by_hand, rel=1e-12)
    assert by_second > by_mean
    gap = banister(np.concatenate([halves, np.full(300, np.nan)]), rest=60, maximum=180, sex="M")
    assert (gap.value, gap.unseen) == (pytest.approx(by_second), 5)


def test_edwards_and_session_rpe_by_hand():
    """One minute each at 45, 55, 65, 75, 85, 95 % of 200 bpm: 0 + 1 + 2 + 3 + 4 + 5 = 15; a limit belongs above."""
    heart = np.repeat([90.0, 110, 130, 150, 170, 190], 60)
    assert edwards(heart, maximum=200).value == pytest.approx(15)
    assert edwards(np.full(60, 100.0), maximum=200).value == pytest.approx(1)
    assert session_rpe(7, 40) == 280
    with pytest.raises(CallError, match="CR10"):
        session_rpe(13, 40)


def test_met_hours_by_hand():
    """70 kg at 150 W for 1 h: 7 + 10.8 x 150 / 70 = 30.143 mL/min/kg, over 3.5: 8.612 MET h."""
    assert met_hours(np.full(3600, 150.0), body_mass=70) == pytest.approx((7 + 10.8 * 150 / 70) / 3.5, rel=1e-12)


def test_arm_separation_by_hand():
    """HIT 100, 100, 90, 90; MIT 60, 60, 60, 90 %: bin [90, 95) holds 1/2 and 1/4, so the overlap is 1/4.

    Of 16 pairs HIT is harder in 12 + 2 and equal in 2: (14 + 1) / 16.
    """
    found = separation(np.array([100.0, 100, 90, 90, np.nan]), np.array([60.0, 60, 60, 90]))
    assert found.overlap == pytest.approx(0.25)
    assert found.superiority == pytest.approx(15 / 16)
    assert found.medians == (95, 60)
    assert found.seconds == (4, 4)
    same = separation(np.array([70.0, 80]), np.array([70.0, 80]))
    assert (same.overlap, same.superiority) == (1, 0.5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.floats(0.2, 1.6), st.integers(0, 10**6))
def test_scores_stay_in_their_bounds(lead: int, effort: float, seed: int):
    """Whatever the trace: seconds done and in band are within the plan, and work attainment follows the effort."""
    noise = np.random.default_rng(seed).normal(0, 3, len(played(lead, 30)))
    trace = np.maximum(np.array(played(lead, 30)) * effort + noise, 0)
    found, _ = match(intervals(), recording(trace))
    for step in score_recording(intervals(), recording(trace), found, TOLERANCE):
        assert 0 <= (step.done or 0) <= (step.planned or 0) + 1
        assert 0 <= (step.in_band or 0) <= (step.planned or 0) + 1


def test_two_blocks_of_ten_minutes_are_found_in_a_real_ride(shared):
    """sample-activity-indoor-trainer.fit (fitdecode samples, MIT): 2 x 10 min at 258 and 263 W.

    Expected: reference/fit/laps_device_vs_records.csv, laps 1 and 3 (rec_mean_power 258.3 and 263.57 W).
    """
    fit = pytest.importorskip("holdfast.devices.fit_read")
    raw = (shared / "data/fit/activities/sample-activity-indoor-trainer.fit").read_bytes()
    ride, _ = fit.read_fit(raw)
    hard = PrescribedStep("bout", True, 601, Band.around(260, 0.05))
    easy = PrescribedStep("rest", False, 371, Band.around(150, 0.05))
    block = PrescribedBlock("2 x 10 min", "intervals", "cycle", (hard, easy, hard))
    found, issues = match(block, ride)
    assert (found.how, issues) == ("laps", [])
    scored = score_recording(block, ride, found, TOLERANCE)
    assert scored[0].watts == pytest.approx(258.3, abs=0.3)  # a lap edge falls inside a second
    assert scored[2].watts == pytest.approx(263.57, abs=0.3)
    assert [step.verdict for step in scored] == ["delivered", "delivered", "delivered"]
    without = Recording(ride.start, ride.seconds, ride.channels, ride.units)
    traced, _ = match(block, without)
    assert traced.how == "power"
    assert traced.spans[0].start == pytest.approx(found.spans[0].start, abs=15)


def test_four_bouts_are_found_in_a_real_row(shared):
    """Four bouts of about 197 s with 300 s between, heart rate only (20170518-...fit, data/fit/README.md).

    Expected means and maxima of the bouts: reference/fit/laps_device_vs_records.csv, laps 0, 2, 4, 6.
    """
    fit = pytest.importorskip("holdfast.devices.fit_read")
    row, _ = fit.read_fit((shared / "data/fit/activities/20170518-191602-1740899583.fit").read_bytes())
    hard, easy = Band(140, 185), None
    steps = [
        PrescribedStep(f"{name} {bout}", name == "bout", seconds, heart_rate=band)
        for bout in range(1, 5)
        for name, seconds, band in (("bout", 197, hard), ("rest", 300, easy))
    ][:-1]
    block = PrescribedBlock("row", "intervals", "rowing ergometer", tuple(steps))
    found, issues = match(block, row)
    assert (found.how, issues) == ("laps", [])
    bouts = [step for step in score_recording(block, row, found, TOLERANCE) if step.work]
    assert [step.peak_heart_rate for step in bouts] == [165, 172, 179, 177]
    assert [step.verdict for step in bouts] == ["delivered"] * 4
    means = [one.heart_rate for one in measure(block, row, found)][::2]
    assert means == pytest.approx(
        [148.37, 158.92, 163.29, 160.81], abs=0.7
    )  # smart recording: seconds weigh, not samples
    without = Recording(row.start, row.seconds, row.channels, row.units)
    traced, _ = match(block, without)
    assert traced.how == "heart rate"
    assert [traced.spans[i].start for i in (0, 2, 4, 6)] == pytest.approx([0, 497, 995, 1493], abs=30)
