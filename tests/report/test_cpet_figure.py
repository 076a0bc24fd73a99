"""The nine-panel figure: complete, honest about what is missing, the same bytes for the same numbers, no names."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np

from holdfast.capacity import (
    AveragingRule,
    BreathTable,
    LoadProfile,
    Reading,
    Threshold,
    ThresholdDecision,
    candidates,
)
from holdfast.devices import read_cart
from holdfast.report.cpet_figure import nine_panels

RULE = AveragingRule.parse("30 s rolling")
RAMP = LoadProfile.ramp(baseline_seconds=240, baseline=20, per_minute=25, until=920)


def words(svg):
    return " ".join("".join(part.itertext()) for part in ElementTree.fromstring(svg).iter())


def decision():
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    return ThresholdDecision(Threshold.VT1, 1900.0, (Reading("a", 1900.0),), "reader a", moment, "agreed")


def test_nine_panels_with_a_decision_and_candidates(shared):
    table, _ = read_cart((shared / "data/cpet/carts/ramp_cosmed.xlsx").read_bytes())
    found = candidates(table, exercise_from=240)
    drawn = nine_panels(
        table, rule=RULE, code="cpet", title="Test", profile=RAMP, decisions=(decision(),), candidates=found
    )
    text = words(drawn)
    for panel in ("1 Ventilation", "5 V-slope", "9 End-tidal pressures", "load (W)", "VT1"):
        assert panel in text
    assert "not measured" not in text
    assert "candidates of single methods, not decisions" in text
    again = nine_panels(
        table, rule=RULE, code="cpet", title="Test", profile=RAMP, decisions=(decision(),), candidates=found
    )
    assert drawn == again
    assert len(drawn) < 700_000


def test_what_was_not_measured_says_so():
    seconds = np.arange(3.0, 600.0, 3.0)
    table = BreathTable(seconds, {"vo2": 800 + 3 * seconds})
    text = words(nine_panels(table, rule=RULE, code="x", title="Bare", simulated=True))
    assert text.count("not measured") >= 7
    assert "Bare (simulated)" in text
    assert "candidates" not in text


def test_an_empty_channel_does_not_break_the_figure():
    seconds = np.arange(3.0, 600.0, 3.0)
    table = BreathTable(seconds, {"vo2": 800 + 3 * seconds, "vco2": np.full(seconds.size, np.nan)})
    assert "8 RER" in words(nine_panels(table, rule=RULE, code="x", title="Half"))
