"""The value types that devices and dosing share; every expected number is derived in the test."""

import pickle
from datetime import UTC, datetime

import numpy as np
import pytest

from holdfast.core.recording import Lap, Recording
from holdfast.core.workout import Band, Step, StepKind, Workout
from holdfast.errors import CallError, DataError


def recording(seconds, power, **more):
    return Recording(None, np.array(seconds, float), {"power": np.array(power, float)}, {"power": "W"}, **more)


def test_at_1hz_leaves_unseen_seconds_unobserved():
    out = recording([0, 1, 4], [100, 110, 140]).at_1hz()
    np.testing.assert_array_equal(out.seconds, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(out.channel("power"), [100, 110, np.nan, np.nan, 140])


def test_at_1hz_bridges_only_what_is_declared():
    r = recording([0, 3, 10], [100, 130, 200])
    np.testing.assert_allclose(r.at_1hz(bridge=3).channel("power")[:5], [100, 110, 120, 130, np.nan])
    np.testing.assert_allclose(r.at_1hz(bridge=7).channel("power"), np.arange(100, 201, 10))


def test_at_1hz_averages_fast_samples_and_ignores_missing_ones():
    out = recording([0, 0.6, 1.0, 1.4, 2.0], [10, 20, np.nan, 40, 50]).at_1hz()
    np.testing.assert_array_equal(out.channel("power"), [10, 30, 50])


def test_gaps_of_the_recording_and_of_one_sensor():
    r = recording([0, 1, 2, 10, 11, 12], [np.nan, 1, 1, 1, np.nan, np.nan])
    assert [(g.start, g.end) for g in r.gaps(5)] == [(2, 10)]
    late = recording(range(20), [np.nan] * 8 + [5.0] * 12)
    assert [(g.start, g.end) for g in late.gaps(5, channel="power")] == [(0, 8)]
    assert [(g.start, g.end) for g in late.gaps(5, channel="heart_rate")] == [(0, 19)]


def test_a_recording_cannot_be_changed_or_malformed():
    r = recording([0, 1], [1, 2])
    with pytest.raises(ValueError, match="read-only"):
        r.channels["power"][0] = 9
    for seconds, power in (([1, 0], [1, 1]), ([0, np.inf], [1, 1]), ([0, 1], [1])):
        with pytest.raises(CallError):
            recording(seconds, power)
    with pytest.raises(CallError, match="time zone"):
        Recording(datetime(2026, 1, 1), np.zeros(0), {}, {})  # noqa: DTZ001 (a naive time is the point)
    with pytest.raises(CallError, match="one unit"):
        Recording(None, np.zeros(0), {}, {"power": "W"})


def test_a_recording_survives_pickling_and_cutting():
    r = recording([0, 1, 2, 3], [1, 2, 3, 4], laps=(Lap(0, 2), Lap(2, 4)), source="csv")
    again = pickle.loads(pickle.dumps(r))  # noqa: S301 (our own bytes)
    np.testing.assert_array_equal(again.channel("power"), r.channel("power"))
    cut = r.between(2, 4)
    assert cut.laps == (Lap(2, 4),)
    np.testing.assert_array_equal(cut.seconds, [2, 3])
    assert r.duration == 4
    assert r.observed("power") == 1.0
    assert r.observed("cadence") == 0.0


def test_a_grid_over_weeks_is_refused():
    with pytest.raises(DataError, match="no session"):
        recording([0, 1e9], [1, 2]).at_1hz()


def test_start_is_kept():
    moment = datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert Recording(moment, np.zeros(0), {}, {}).at_1hz().start == moment


def test_workout_adds_up_and_times_its_steps():
    steps = (
        Step("warm-up", 300, Band.at(80), Band(60, 80), kind=StepKind.WARMUP),
        Step("bout 1", 60.5, Band.around(200, 0.05), kind=StepKind.WORK),
    )
    w = Workout("session 1", steps)
    assert w.seconds == 360.5
    assert [(a, b) for a, b, _ in w.timed()] == [(0, 300), (300, 360.5)]
    assert steps[1].watts == Band(190, 210)
    assert steps[1].watts.middle == 200
    assert not Band(1, 2).holds(float("nan"))


def test_impossible_steps_are_refused():
    with pytest.raises(CallError):
        Step("x", 0)
    with pytest.raises(CallError):
        Band(10, 5)
    with pytest.raises(CallError):
        Workout("empty", ())
    open_ended = Workout("open", (Step("until lap", None),))
    assert open_ended.seconds is None
    with pytest.raises(CallError, match="no fixed duration"):
        list(open_ended.timed())
