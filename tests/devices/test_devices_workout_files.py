"""Workouts out to the machine: read back by readers that share no code with the writers."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import fitdecode
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.workout import Band, Step, StepKind, Workout
from holdfast.devices import ENCODERS
from holdfast.devices.ergometer_files import write_erg, write_mrc, write_zwo
from holdfast.devices.fit_workout import read_fit_workout, write_fit_workout
from holdfast.errors import CallError

MADE = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def hit(bout=70.0):
    """Five bouts at 212 W and 110 rpm with rests at 106 W and 75 rpm, between warm-up and cool-down."""
    steps = [Step("warm-up", 300.0, Band.at(60), Band(70, 80), kind=StepKind.WARMUP)]
    for i in range(1, 6):
        steps.append(Step(f"bout {i}", bout, Band(201.4, 222.6), Band(105, 115), kind=StepKind.WORK))
        steps.append(Step(f"rest {i}", 60.0, Band.at(106), Band.at(75), kind=StepKind.REST))
    steps.append(Step("cool-down", 300.0, None, None, Band(90, 120), StepKind.COOLDOWN))
    return Workout("HIT session 3", tuple(steps))


def powered(workout):
    return Workout(workout.name, tuple(step for step in workout.steps if step.watts is not None))


def fit_frames(data):
    frames = []
    with fitdecode.FitReader(
        data, check_crc=fitdecode.CrcCheck.RAISE, error_handling=fitdecode.ErrorHandling.RAISE
    ) as r:
        for frame in r:
            if frame.frame_type == fitdecode.FIT_FRAME_DATA:
                frames.append((frame.name, {one.name: one.value for one in frame.fields}))
    return frames


def test_fit_field_by_field():
    workout = hit()
    frames = fit_frames(write_fit_workout(workout, created=MADE))
    name, file_id = frames[0]
    assert name == "file_id"
    assert (file_id["type"], file_id["manufacturer"], file_id["time_created"]) == ("workout", "development", MADE)
    name, head = frames[1]
    assert (name, head["wkt_name"], head["num_valid_steps"]) == ("workout", "HIT session 3", 12)
    assert (head["sport"], head["sub_sport"]) == ("cycling", "indoor_cycling")
    steps = [fields for name, fields in frames[2:] if name == "workout_step"]
    assert len(steps) == len(frames) - 2 == 12
    kinds = {StepKind.WARMUP: "warmup", StepKind.WORK: "active", StepKind.REST: "rest", StepKind.COOLDOWN: "cooldown"}
    for i, (step, fields) in enumerate(zip(workout.steps, steps, strict=True)):
        assert fields["message_index"] == i
        assert fields["wkt_step_name"] == step.name
        assert (fields["duration_type"], fields["duration_time"]) == ("time", step.seconds)
        assert fields["intensity"] == kinds[step.kind]
        if step.watts is not None:
            assert fields["target_type"] == "power"
            assert fields["target_power_zone"] == 0  # no zone: the custom limits count
            assert fields["custom_target_power_low"] == 1000 + round(step.watts.low)
            assert fields["custom_target_power_high"] == 1000 + round(step.watts.high)
            assert fields["secondary_target_type"] == "cadence"
            assert fields["secondary_custom_target_cadence_low"] == round(step.cadence.low)
            assert fields["secondary_custom_target_cadence_high"] == round(step.cadence.high)
        else:
            assert fields["target_type"] == "heart_rate"
            assert (fields["custom_target_heart_rate_low"], fields["custom_target_heart_rate_high"]) == (190, 220)
            assert fields["secondary_target_type"] == "open"


def test_fit_by_a_second_reader():
    fit_tool = pytest.importorskip("fit_tool.fit_file")
    file = fit_tool.FitFile.from_bytes(write_fit_workout(hit(), created=MADE))
    steps = [r.message for r in file.records if type(r.message).__name__ == "WorkoutStepMessage"]
    assert [step.duration_value for step in steps] == [step.seconds for step in hit().steps]  # it scales to seconds
    assert [step.custom_target_value_low for step in steps[:3]] == [1060, 1201, 1106]


def test_the_same_workout_gives_the_same_bytes():
    assert write_fit_workout(hit(), created=MADE) == write_fit_workout(hit(), created=MADE)


durations = st.integers(1, 7_200_000).map(lambda ms: ms / 1000)
watts = st.integers(1, 2000)


@st.composite
def workouts(draw):
    steps = []
    for i in range(draw(st.integers(1, 12))):
        low = draw(watts)
        cadence = draw(st.one_of(st.none(), st.integers(40, 130).map(lambda rpm: Band(rpm - 5, rpm + 5))))
        power = Band(low, low + draw(st.integers(0, 50)))
        kind = draw(st.sampled_from(list(StepKind)))
        steps.append(Step(draw(st.text(max_size=30)) or f"s{i}", draw(durations), power, cadence, kind=kind))
    return Workout(draw(st.text(max_size=60)), tuple(steps))


@settings(max_examples=50, deadline=None)
@given(workouts())
def test_fit_round_trip(workout):
    again, issues = read_fit_workout(write_fit_workout(workout, created=MADE))
    assert issues == ()
    assert [(s.seconds, s.watts, s.cadence) for s in again.steps] == [
        (s.seconds, s.watts, s.cadence) for s in workout.steps
    ]


def course(data):
    """A plain ERG/MRC reader: (seconds, value) points and the lines of the header."""
    text = data.decode()
    head = re.search(r"\[COURSE HEADER\]\r\n(.*?)\[END COURSE HEADER\]", text, re.S)[1].splitlines()
    body = re.search(r"\[COURSE DATA\]\r\n(.*?)\[END COURSE DATA\]", text, re.S)[1]
    points = [tuple(map(float, line.split("\t"))) for line in body.splitlines()]
    return head, [(round(minutes * 60, 3), value) for minutes, value in points]


def test_erg_holds_exact_seconds_and_watts():
    workout = powered(hit(bout=70.0))
    head, points = course(write_erg(workout))
    assert "MINUTES WATTS" in head
    expected = [(at, step.watts.middle) for start, end, step in workout.timed() for at in (start, end)]
    assert points == expected
    assert points[1] == (300.0, 60.0)
    assert points[2] == (300.0, 212.0)
    assert points[3] == (370.0, 212.0)  # 6.1666... minutes; two decimals would say 370.2 s


@settings(max_examples=50, deadline=None)
@given(workouts(), st.integers(50, 500))
def test_erg_and_mrc_are_exact_for_any_workout(workout, reference):
    _, erg = course(write_erg(workout))
    head, mrc = course(write_mrc(workout, reference_watts=reference))
    assert "MINUTES PERCENT" in head
    for k, (start, end, step) in enumerate(workout.timed()):
        assert erg[2 * k : 2 * k + 2] == [(round(start, 3), step.watts.middle), (round(end, 3), step.watts.middle)]
        assert [value * reference / 100 for _, value in mrc[2 * k : 2 * k + 2]] == pytest.approx(
            [step.watts.middle] * 2, abs=1e-7
        )
        assert [at for at, _ in mrc[2 * k : 2 * k + 2]] == [round(start, 3), round(end, 3)]


def test_zwo_read_by_a_plain_xml_reader():
    workout = hit()
    root = ElementTree.fromstring(write_zwo(workout, reference_watts=212))
    assert root.findtext("name") == "HIT session 3"
    steps = list(root.find("workout"))
    assert [int(e.get("Duration")) for e in steps] == [step.seconds for step in workout.steps]
    assert [e.tag for e in steps] == ["SteadyState"] * 11 + ["FreeRide"]
    for element, step in zip(steps, workout.steps, strict=True):
        if step.watts is not None:
            assert float(element.get("Power")) * 212 == pytest.approx(step.watts.middle, abs=1e-7)
            assert float(element.get("Cadence")) == step.cadence.middle
        assert element.find("textevent").get("message") == step.name


def test_names_cannot_break_out_of_a_file():
    evil = Workout('a"><x/>\n[COURSE DATA]\x00&', (Step('"/>\r\n[END]<b>', 60.0, Band.at(100)),))
    root = ElementTree.fromstring(write_zwo(evil, reference_watts=100))
    assert len(list(root.find("workout"))) == 1
    assert write_erg(evil).count(b"[COURSE DATA]") == 1
    assert course(write_erg(evil))[1] == [(0.0, 100.0), (60.0, 100.0)]
    assert read_fit_workout(write_fit_workout(evil, created=MADE))[1] == ()


def test_what_a_format_cannot_hold_is_refused():
    with pytest.raises(CallError, match="whole seconds"):
        write_zwo(Workout("x", (Step("s", 60.5, Band.at(100)),)), reference_watts=100)
    with pytest.raises(CallError, match="no power target"):
        write_erg(Workout("x", (Step("s", 60),)))
    with pytest.raises(CallError, match="whole milliseconds"):
        write_fit_workout(Workout("x", (Step("s", 1 / 3, Band.at(100)),)), created=MADE)
    with pytest.raises(CallError, match="no fixed duration"):
        write_erg(Workout("x", (Step("s", None, Band.at(100)),)))
    with pytest.raises(CallError, match="cannot be meant"):
        write_mrc(Workout("x", (Step("s", 60, Band.at(100)),)), reference_watts=2)
    with pytest.raises(CallError, match="time zone"):
        write_fit_workout(hit(), created=datetime(2026, 3, 2))  # noqa: DTZ001 (a naive time is the point)


def test_real_workout_files(shared):
    stages, issues = read_fit_workout((shared / "data/fit/workouts/stagesLink_25622166.fit").read_bytes())
    assert issues == ()
    # values as fitdecode prints them: 1090-1160, 1190-1202, 1120-1158, 1057-1118 minus the offset of 1,000
    assert [(s.seconds, s.watts.low, s.watts.high) for s in stages.steps] == [
        (1200, 90, 160),
        (1200, 190, 202),
        (1500, 120, 158),
        (600, 57, 118),
    ]
    road, _ = read_fit_workout((shared / "data/fit/workouts/trainerroad_744490.fit").read_bytes())
    assert [s.seconds for s in road.steps] == [600, None, 2700, 300, None]
    assert road.seconds is None
    nothing, issues = read_fit_workout((shared / "data/fit/activities/Activity.fit").read_bytes())
    assert nothing is None
    assert issues[-1].code == "no-workout"


@pytest.mark.parametrize("ending", sorted(ENCODERS))
def test_every_encoder_needs_the_workout_only(ending):
    data = ENCODERS[ending](powered(hit()))
    assert data == ENCODERS[ending](powered(hit()))
    if ending == "fit":
        assert fit_frames(data)[0][1]["time_created"] is None
    if ending == "mrc":
        assert course(data)[1][2][1] == 212.0  # with an FTP of 100 W, per cent are watts


def test_the_reference_watts_are_written_into_the_file():
    assert b"Set FTP to 212 W" in write_zwo(hit(), reference_watts=212)
    assert b"FTP = 212.0" in write_mrc(powered(hit()), reference_watts=212)
