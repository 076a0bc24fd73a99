"""Strength: 1RM equations against their published forms, isometric torque against hand calculation."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.capacity import (
    EQUATIONS,
    TrainingMax,
    estimate,
    estimate_from_5rm,
    gravity_corrected,
    peak_torque,
    rate_of_torque_development,
    repeatability,
    smallest_detectable_change,
)
from holdfast.errors import CallError, DataError, Refused

#: 100 kg x 5, worked out by hand from the published forms (LeSuer 1997, table of equations), two decimals.
BY_HAND = {
    "epley": 116.67,
    "brzycki": 112.50,
    "lombardi": 117.46,
    "mayhew": 119.01,
    "oconner": 112.50,
    "wathen": 116.58,
    "lander": 113.71,
}


@pytest.mark.parametrize("equation", sorted(EQUATIONS))
def test_equations_have_their_published_form(equation):
    assert estimate(100, 5, equation=equation).kg == pytest.approx(BY_HAND[equation], abs=0.005)


def test_one_repetition_is_the_test_itself():
    for equation in EQUATIONS:
        assert estimate(80, 1, equation=equation).kg == 80
        assert estimate(80, 1, equation=equation).how == "tested"


@pytest.mark.parametrize(("repetitions", "percent"), [(5, 5.8), (10, 7.8)])
def test_the_spread_of_the_seven_equations_is_shown(repetitions, percent):
    # 5.8 % at 5 and 7.8 % at 10 repetitions: computed from the published forms before this code was written
    values = [estimate(100, repetitions, equation=name).kg for name in EQUATIONS]
    assert 100 * (max(values) / min(values) - 1) == pytest.approx(percent, abs=0.06)
    assert estimate(100, repetitions, equation="epley").spread == pytest.approx(max(values) - min(values))


@pytest.mark.parametrize("repetitions", [11, 12, 15, 20, 100])
def test_more_than_ten_repetitions_are_refused(repetitions):
    with pytest.raises(Refused, match="not estimated"):
        estimate(60, repetitions, equation="epley")


@pytest.mark.parametrize(("load", "repetitions"), [(0, 5), (-20, 5), (5000, 3), (float("nan"), 3), (80, 0), (80, 2.5)])
def test_absurd_sets_are_refused(load, repetitions):
    with pytest.raises(CallError):
        estimate(load, repetitions, equation="brzycki")


def test_unknown_equation_lists_the_known():
    with pytest.raises(CallError, match="epley, brzycki"):
        estimate(80, 5, equation="mine")


def test_standard_error_is_shown_where_it_is_published():
    # Reynolds, Gordon & Robergs 2006: leg press 1.0970 x 5RM + 14.25, chest press 1.1307 x 5RM + 0.70
    leg = estimate_from_5rm(100, "Leg press")
    assert (leg.kg, leg.standard_error) == (pytest.approx(123.95, abs=0.01), 16.0)
    assert estimate_from_5rm(50, "chest press").kg == pytest.approx(57.235, abs=0.01)
    assert estimate(100, 5, equation="epley", exercise="arm curl").standard_error is None
    with pytest.raises(CallError, match="no 5RM line"):
        estimate_from_5rm(100, "arm curl")


@given(st.sampled_from(sorted(EQUATIONS)), st.floats(1, 300), st.integers(2, 9))
def test_more_repetitions_mean_a_higher_estimate(equation, load, repetitions):
    lower = estimate(load, repetitions, equation=equation).kg
    assert load < lower < estimate(load, repetitions + 1, equation=equation).kg


def test_a_training_max_is_set_by_somebody_for_a_reason():
    source = estimate(100, 5, equation="epley")
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    stored = TrainingMax("leg press", 115.0, source, "trainer 1", moment, "first test")
    assert stored.load_at(0.8) == pytest.approx(92.0)
    assert stored.load_at(0.8, step=2.5) == 90.0
    assert TrainingMax("x", 50.0, source, "t", moment, "r").load_at(0.8, step=2.5) == 40.0
    with pytest.raises(CallError, match="who set it and why"):
        TrainingMax("leg press", 115.0, source, "", moment, "first test")
    with pytest.raises(AttributeError):
        stored.kg = 120.0


def test_peak_torque_best_mean_and_variation():
    # peaks 100, 110, 105 Nm and a 10-Nm limb: 110, 120, 115; mean 115, SD 5, CV 100 x 5/115
    result = peak_torque([[0, 90, 100], [50, 110], [105.0]], limb_torque=10)
    assert (result.best, result.mean, result.sd) == (120, 115, 5)
    assert result.cv == pytest.approx(100 * 5 / 115)
    helped = peak_torque([[100.0], [110.0]], limb_torque=10, against_gravity=False)
    assert helped.trials == (90, 100)
    assert np.isnan(peak_torque([[100.0]]).cv)


def test_gravity_correction_signs():
    np.testing.assert_array_equal(gravity_corrected([1.0, 2.0], 3.0, against_gravity=True), [4, 5])
    np.testing.assert_array_equal(gravity_corrected([4.0], 3.0, against_gravity=False), [1])


@pytest.mark.parametrize("trials", [[], [[np.nan]], [[5000.0]], [[-4.0]]])
def test_torques_that_cannot_be_are_refused(trials):
    with pytest.raises((CallError, DataError)):
        peak_torque(trials)


def test_repeatability_of_shrout_and_fleiss():
    # Shrout & Fleiss 1979, Psychol Bull 86:420, table 2: ICC(2,1) = .29 (four judges, six targets)
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    out = repeatability(ratings)
    assert out.icc == pytest.approx(0.29, abs=0.005)
    # from the same table: MSE 1.02, MSJ 32.49, so SEM = sqrt(1.02 + (32.49 - 1.02)/6)
    assert out.sem == pytest.approx((1.02 + (32.49 - 1.02) / 6) ** 0.5, abs=0.005)
    assert out.sdc == smallest_detectable_change(out.sem)


def test_smallest_detectable_change_by_hand():
    assert smallest_detectable_change(10) == pytest.approx(27.718585822512665)  # 1.96 x 1.41421356 x 10


def test_rate_of_torque_development_of_a_straight_rise():
    # quiet for 0.5 s, then 400 Nm/s for 0.3 s, then a plateau; sampled at 1,000 Hz
    time = np.arange(0, 1.2, 0.001)
    torque = 5 + np.clip(time - 0.5, 0, 0.3) * 400
    onset, slopes = rate_of_torque_development(torque, hertz=1000, onset_threshold=0.3)
    assert onset == pytest.approx(0.5, abs=0.0015)
    assert slopes[0.050] == pytest.approx(400, rel=0.01)
    assert slopes[0.250] == pytest.approx(400, rel=0.01)


def test_slow_or_late_traces_have_no_rate():
    with pytest.raises(Refused, match="1000 samples"):
        rate_of_torque_development(np.zeros(500), hertz=100, onset_threshold=1)
    with pytest.raises(DataError, match="begins during"):
        rate_of_torque_development(np.linspace(0, 200, 1000), hertz=1000, onset_threshold=1)
    with pytest.raises(DataError, match="gaps"):
        rate_of_torque_development(np.full(1000, np.nan), hertz=1000, onset_threshold=1)
