"""Bounded, seeded fuzzing of every reader: any bytes give a value and issues, never an exception, never a hang.

Each base file is cut, flipped, doubled and spliced; the seeds are fixed, so a failure repeats.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.issues import Issue
from holdfast.devices.cart_table import Column, ColumnMap, read_table
from holdfast.devices.carts import read_cart
from holdfast.devices.csv_recording import read_csv_recording
from holdfast.devices.fit_read import read_fit
from holdfast.devices.fit_workout import read_fit_workout
from holdfast.devices.tcx import read_tcx

MAP = ColumnMap(Column("t", "s"), {"vo2": Column("VO2", "mL/min"), "ve": Column("VE")})
READERS = {
    "fit": read_fit,
    "fit-workout": read_fit_workout,
    "tcx": read_tcx,
    "csv": read_csv_recording,
    "cart": read_cart,
    "zan": lambda data: read_cart(data, "zan"),
    "cosmed": lambda data: read_cart(data, "cosmed"),
    "cortex": lambda data: read_cart(data, "cortex"),
    "vyntus": lambda data: read_cart(data, "vyntus"),
    "table": lambda data: read_table(data, MAP),
}
BASES = {
    "fit": (
        "data/fit/activities/Activity.fit",
        "data/fit/activities/6449921903_ACTIVITY.fit",
        "data/fit/damaged/activity-settings-nodata.fit",
    ),
    "fit-workout": ("data/fit/workouts/trainerroad_744490.fit", "data/fit/workouts/stagesLink_25622166.fit"),
    "tcx": ("data/tcx/hr_ramp.tcx",),
    "cart": (
        "data/cpet/carts/cosmed.xlsx",
        "data/cpet/carts/cortex.xml",
        "data/cpet/carts/vyntus.txt",
        "data/cpet/nolte2023/ramptests/30",
    ),
}
ROUNDS = {"fit": 200, "fit-workout": 300, "tcx": 15, "cart": 30}


def holds(reader, data):
    value, issues = reader(data)
    assert all(isinstance(issue, Issue) for issue in issues)
    if value is not None and hasattr(value, "seconds") and hasattr(value, "channels"):
        assert np.isfinite(value.seconds).all()
        assert (np.diff(value.seconds) >= 0).all()
        assert not any(np.isinf(values).any() for values in value.channels.values())


def mutate(data, rng):
    """One damaged copy: flipped bytes, a cut, a repeated piece, or a piece of zeros."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        kind, at = rng.integers(5), int(rng.integers(len(out))) if out else 0
        length = int(rng.integers(1, 200))
        if kind == 0:
            for place in rng.integers(len(out), size=min(length, 20)) if out else ():
                out[int(place)] = int(rng.integers(256))
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            out[at:at] = out[at : at + length]
        elif kind == 3:
            del out[at : at + length]
        else:
            out[at : at + length] = bytes(length)
    return bytes(out)


def head_heavy(data, rng):
    """Flips in the first bytes, where the structure is."""
    out = bytearray(data)
    for place in rng.integers(min(len(out), 300), size=3):
        out[int(place)] = int(rng.integers(256))
    return bytes(out)


@pytest.mark.parametrize("name", sorted(BASES))
def test_damaged_real_files(shared, name):
    rng = np.random.default_rng(20261122)
    for path in BASES[name]:
        data = (shared / path).read_bytes()[:120_000]
        for i in range(ROUNDS[name]):
            holds(READERS[name], (mutate if i % 2 else head_heavy)(data, rng))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=600))
def test_arbitrary_bytes(name, data):
    holds(READERS[name], data)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_fit_bodies(body):
    header = bytes([12, 16, 0, 0]) + len(body).to_bytes(4, "little") + b".FIT"
    for name in ("fit", "fit-workout"):
        holds(READERS[name], header + body + b"\x00\x00")


tables = st.lists(st.lists(st.text(max_size=8), max_size=6), max_size=12)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["csv", "table", "cosmed", "cortex", "vyntus"]), tables, st.sampled_from([",", ";", "\t"]))
def test_arbitrary_tables(name, rows, cut):
    head = [["t", "VO2", "VE", "secs", "watts"], ["s", "mL/min", "L/min", "s", "W"]]
    text = "\n".join(cut.join(row) for row in head + rows)
    holds(READERS[name], text.encode("utf-8", errors="ignore"))


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300))
def test_arbitrary_text_in_tcx(text):
    body = "<TrainingCenterDatabase><Trackpoint><Time>" + text + "</Time></Trackpoint></TrainingCenterDatabase>"
    holds(READERS["tcx"], body.encode("utf-8", errors="ignore"))


def test_huge_files_are_refused_unread():
    data = b"\x00" * (33 * 1024 * 1024)
    for name in ("fit", "fit-workout", "tcx", "csv", "cart", "zan"):
        _, issues = READERS[name](data)
        assert [issue.code for issue in issues] == ["file-too-large"], name
