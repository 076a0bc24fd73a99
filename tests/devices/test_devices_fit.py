"""FIT activity files: every sample against the fitdecode package, damaged files, and what no file here holds."""

import csv
import struct
import warnings

import fitdecode
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.devices.fit_crc import crc16
from holdfast.devices.fit_decode import MAX_MESSAGES, decode_fit
from holdfast.devices.fit_read import read_fit

ACTIVITIES = [
    "activities/20170518-191602-1740899583.fit",
    "activities/6449921903_ACTIVITY.fit",
    "activities/Activity.fit",
    "activities/null_compressed_speed_dist.fit",
    "activities/sample-activity-indoor-trainer.fit",
    "damaged/activity-filecrc.fit",
    "damaged/coros-pace-2-cycling-misaligned-fields.fit",
    "damaged/elemnt-bolt-no-application-id-inside-developer-data-id.fit",
]
DAMAGED = {
    "activity-activity-filecrc.fit": (14, "trailing-bytes"),
    "activity-filecrc.fit": (14, "checksum"),
    "activity-settings-corruptheader.fit": (14, "trailing-bytes"),
    "activity-settings-nodata.fit": (14, "trailing-bytes"),
    "activity-unexpected-eof.fit": (14, "truncated"),
    "coros-pace-2-cycling-misaligned-fields.fit": (11272, "misaligned-field"),
    "elemnt-bolt-no-application-id-inside-developer-data-id.fit": (132, None),
}
#: our channel -> fitdecode's field names, in order of preference
FIELDS = {
    "power": ("power",),
    "heart_rate": ("heart_rate",),
    "speed": ("enhanced_speed", "speed"),
    "distance": ("distance",),
    "altitude": ("enhanced_altitude", "altitude"),
    "temperature": ("temperature",),
}


def fitdecode_records(data):
    records = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"check_crc": fitdecode.CrcCheck.DISABLED, "error_handling": fitdecode.ErrorHandling.IGNORE}
        with fitdecode.FitReader(data, **options) as reader:
            for frame in reader:
                if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "record":
                    # the native field, not a developer field of the same name
                    values = {}
                    for one in frame.fields:
                        values.setdefault(one.name, one.value)
                    records.append(values)
    return records


@pytest.mark.parametrize("name", ACTIVITIES)
def test_every_sample_equals_fitdecode(shared, name):
    data = (shared / "data/fit" / name).read_bytes()
    recording, _ = read_fit(data)
    records = fitdecode_records(data)
    assert len(recording) == len(records)
    moments = np.array([r["timestamp"].timestamp() for r in records])
    order = np.argsort(moments, kind="stable")
    np.testing.assert_allclose(recording.seconds, moments[order] - recording.start.timestamp(), atol=1e-9)
    for channel, names in FIELDS.items():
        theirs = np.array([_first(records[i], names) for i in order], dtype=float)
        if channel == "heart_rate":
            theirs[theirs == 0] = np.nan
        np.testing.assert_allclose(recording.channel(channel), theirs, atol=1e-9)
    cadence = np.array([_first(records[i], ("cadence",)) for i in order], dtype=float)
    fraction = np.nan_to_num(np.array([_first(records[i], ("fractional_cadence",)) for i in order], dtype=float))
    np.testing.assert_allclose(recording.channel("cadence"), cadence + fraction, atol=1e-9)


def _first(record, names):
    return next((record[name] for name in names if record.get(name) is not None), np.nan)


def test_device_laps_and_their_records(shared):
    """shared/reference/fit/laps_device_vs_records.csv: lap times as the device wrote them, means over the records."""
    with (shared / "reference/fit/laps_device_vs_records.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    seen = 0
    for name in {row["file"] for row in rows}:
        path = shared / "data/fit/activities" / name
        if not path.exists():
            continue  # a file of another licence that is not in the data folder
        recording, _ = read_fit(path.read_bytes())
        mine = [row for row in rows if row["file"] == name]
        assert len(recording.laps) == len(mine)
        for lap, row in zip(recording.laps, mine, strict=True):
            assert lap.seconds == pytest.approx(float(row["elapsed_s"]), abs=1e-6)
            assert lap.summaries["mean_heart_rate"] == float(row["dev_avg_hr"])
            assert lap.summaries["max_heart_rate"] == float(row["dev_max_hr"])
            if row["dev_avg_power"]:
                assert lap.summaries["mean_power"] == float(row["dev_avg_power"])
            # the reference counts the records after the first moment of a lap up to its last; it prints two decimals
            inside = recording.between(lap.start + 0.5, lap.end + 0.001)
            assert len(inside) == int(row["n_records"])
            for channel, column in (("heart_rate", "hr"), ("power", "power"), ("cadence", "cad")):
                if row[f"rec_mean_{column}"]:
                    expected = pytest.approx(float(row[f"rec_mean_{column}"]), abs=0.006)
                    values = inside.channel(channel)
                    # the reference took the whole revolutions only, without the field of their fractions
                    values = np.floor(values) if channel == "cadence" else values
                    assert np.nanmean(values) == expected
            assert np.nanmax(inside.channel("heart_rate")) == float(row["rec_max_hr"])
            seen += 1
    assert seen == 13


def test_two_times_ten_minutes_on_the_trainer(shared):
    recording, issues = read_fit((shared / "data/fit/activities/sample-activity-indoor-trainer.fit").read_bytes())
    assert issues == ()
    work = [lap for lap in recording.laps if lap.summaries["mean_power"] > 200]
    assert [round(lap.seconds) for lap in work] == [601, 601]
    assert [lap.summaries["mean_power"] for lap in work] == [258, 263]
    means = [np.nanmean(recording.between(lap.start, lap.end).channel("power")) for lap in work]
    assert means == pytest.approx([258.30, 263.57], abs=0.3)  # the reference file's record means


def test_four_rowing_bouts(shared):
    recording, _ = read_fit((shared / "data/fit/activities/20170518-191602-1740899583.fit").read_bytes())
    bouts = [lap for lap in recording.laps if 190 < lap.seconds < 200]
    assert [round(lap.seconds) for lap in bouts] == [195, 197, 198, 199]
    assert len([lap for lap in recording.laps if 299 < lap.seconds < 301]) == 3
    assert recording.laps[-1].seconds == pytest.approx(16.968)
    # smart recording: most seconds have a sample, and bridging is the caller's declared choice
    assert 0 < np.isnan(recording.at_1hz().channel("heart_rate")).mean() < 0.1


def test_heart_rate_zero_is_missing(shared):
    recording, issues = read_fit((shared / "data/fit/activities/null_compressed_speed_dist.fit").read_bytes())
    assert recording.observed("heart_rate") == 0
    assert [issue.code for issue in issues] == ["heart-rate-zero"]
    assert recording.observed("power") == 1


def test_pauses_are_gaps_and_events(shared):
    recording, issues = read_fit((shared / "data/fit/activities/6449921903_ACTIVITY.fit").read_bytes())
    assert [issue.code for issue in issues] == ["gaps"]
    assert [round(gap.seconds) for gap in recording.gaps(10)] == [13, 115]
    timer = [(event.action, event.seconds) for event in recording.events if event.kind == "timer"]
    assert timer[:3] == [("start", 0.0), ("stop_all", 96.0), ("start", 109.0)]


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_damaged_files_give_what_can_be_read(shared, name):
    records, code = DAMAGED[name]
    recording, issues = read_fit((shared / "data/fit/damaged" / name).read_bytes())
    assert len(recording) == records
    codes = {issue.code for issue in issues}
    assert codes == set() if code is None else code in codes


@pytest.mark.parametrize("length", [0, 1, 13, 14, 100, 5000, 20000])
def test_a_cut_file_gives_the_samples_before_the_cut(shared, length):
    data = (shared / "data/fit/activities/sample-activity-indoor-trainer.fit").read_bytes()
    whole, _ = read_fit(data)
    cut, issues = read_fit(data[:length])
    assert issues
    assert (len(cut) > 0) == (length >= 5000)
    np.testing.assert_array_equal(cut.channel("power"), whole.channel("power")[: len(cut)])


def test_nothing_that_identifies_is_read(shared):
    recording, _ = read_fit((shared / "data/fit/activities/sample-activity-indoor-trainer.fit").read_bytes())
    assert recording.device == "Garmin, product 1169"
    assert "3818583228" not in repr(recording)  # the serial number in the file
    outdoor, _ = read_fit((shared / "data/fit/activities/Activity.fit").read_bytes())
    assert set(outdoor.channels) == {"speed", "distance", "altitude"}  # it holds positions


@pytest.mark.parametrize("length", [0, 1, 255, 4095, 4096, 4097, 70001])
def test_checksum_against_the_definition(length):
    data = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8).tobytes()
    crc = 0
    for byte in data:  # CRC-16/ARC bit by bit: reflected polynomial 0xA001, start 0
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    assert crc16(data) == crc


def test_the_checksums_check_value():
    assert crc16(b"123456789") == 0xBB3D  # catalogue of parametrised CRC algorithms, CRC-16/ARC


def fit(body):
    head = struct.pack("<BBHI4s", 12, 0x10, 100, len(body), b".FIT")
    return head + body + struct.pack("<H", crc16(head + body))


def define(local, message, fields, *, big=False):
    number = struct.pack(">H" if big else "<H", message)
    return bytes([0x40 | local, 0, int(big)]) + number + bytes([len(fields)]) + b"".join(map(bytes, fields))


def test_compressed_timestamps_count_on_and_run_over():
    body = define(0, 20, [(253, 4, 0x86), (3, 1, 0x02)]) + struct.pack("<BIB", 0, 1_000_000_030, 120)
    body += define(1, 20, [(3, 1, 0x02)])
    low = 1_000_000_030 % 32
    for later, beats in ((1, 121), (3, 123), (20, 140)):
        body += struct.pack("<BB", 0x80 | (1 << 5) | ((low + later) % 32), beats)
    recording, issues = read_fit(fit(body))
    assert recording.seconds.tolist() == [0, 1, 3, 20]
    assert recording.channel("heart_rate").tolist() == [120, 121, 123, 140]
    assert {issue.code for issue in issues} == {"gaps"}


def test_compressed_speed_and_distance_unpack():
    # speed 5.00 m/s = 500 ticks of 0.01; distance 4090/16 m, then 6 ticks on with an overrun
    body = define(0, 20, [(253, 4, 0x86), (8, 3, 0x0D)])
    for second, ticks in ((0, 4090), (1, 0)):
        packed = bytes([500 & 0xFF, (500 >> 8) | ((ticks & 0x0F) << 4), ticks >> 4])
        body += struct.pack("<BI", 0, 1_000_000_000 + second) + packed
    recording, _ = read_fit(fit(body))
    assert recording.channel("speed").tolist() == [5.0, 5.0]
    assert np.diff(recording.channel("distance")).tolist() == [6 / 16]


def test_big_endian_and_invalid_values():
    body = define(0, 20, [(253, 4, 0x86), (7, 2, 0x84), (3, 1, 0x02)], big=True)
    body += struct.pack(">BIHB", 0, 1_000_000_000, 250, 140) + struct.pack(">BIHB", 0, 1_000_000_001, 0xFFFF, 0xFF)
    recording, _ = read_fit(fit(body))
    np.testing.assert_array_equal(recording.channel("power"), [250, np.nan])
    np.testing.assert_array_equal(recording.channel("heart_rate"), [140, np.nan])


def test_a_dropped_sensor_is_not_observed_and_never_zero():
    body = define(0, 20, [(253, 4, 0x86), (7, 2, 0x84)])
    for second in range(30):
        body += struct.pack("<BIH", 0, 1_000_000_000 + second, 200 if second < 10 else 0xFFFF)
    recording, _ = read_fit(fit(body))
    assert np.nanmean(recording.channel("power")) == 200
    assert [(gap.start, gap.end) for gap in recording.gaps(5, channel="power")] == [(9, 29)]


def test_one_damaged_moment_does_not_move_the_clock():
    body = define(0, 20, [(253, 4, 0x86), (7, 2, 0x84)])
    for second in range(60):
        moment = 4_000_000_000 if second == 30 else 1_000_000_000 + second
        body += struct.pack("<BIH", 0, moment, 150)
    recording, issues = read_fit(fit(body))
    assert (len(recording), recording.duration) == (59, 59)
    assert "samples-left-out" in {issue.code for issue in issues}


def test_falling_time_is_put_in_order_and_said():
    body = define(0, 20, [(253, 4, 0x86), (7, 2, 0x84)])
    for second in (0, 1, 5, 3, 6):
        body += struct.pack("<BIH", 0, 1_000_000_000 + second, 100 + second)
    recording, issues = read_fit(fit(body))
    assert recording.channel("power").tolist() == [100, 101, 103, 105, 106]
    assert {issue.code for issue in issues} == {"time-falls"}


def test_workout_step_index_links_lap_to_step():
    body = define(0, 20, [(253, 4, 0x86), (7, 2, 0x84)]) + struct.pack("<BIH", 0, 1_000_000_000, 100)
    body += define(1, 19, [(253, 4, 0x86), (2, 4, 0x86), (7, 4, 0x86), (71, 2, 0x84)])
    body += struct.pack("<BIIIH", 1, 1_000_000_060, 1_000_000_000, 60_500, 3)
    body += define(2, 21, [(253, 4, 0x86), (0, 1, 0), (1, 1, 0), (3, 4, 0x86)])
    body += struct.pack("<BIBBI", 2, 1_000_000_010, 4, 3, 7)
    recording, _ = read_fit(fit(body))
    assert (recording.laps[0].workout_step, recording.laps[0].seconds) == (3, 60.5)
    event = recording.events[0]
    assert (event.seconds, event.kind, event.action, event.value) == (10, "workout_step", "marker", 7)


def test_a_data_message_before_its_definition_stops_the_reading():
    body = define(0, 20, [(253, 4, 0x86), (7, 2, 0x84)]) + struct.pack("<BIH", 0, 1_000_000_000, 100)
    recording, issues = read_fit(fit(body + b"\x05\x00\x00"))
    assert len(recording) == 1
    assert "no-definition" in {issue.code for issue in issues}


def test_messages_without_content_do_not_hang():
    # a definition with no fields makes one-byte messages; a megabyte of them would be a million
    file, _ = decode_fit(fit(define(0, 20, []) + b"\x00" * 1_000_000))
    assert file.count(20) == MAX_MESSAGES
    recording, issues = read_fit(fit(define(0, 20, []) + b"\x00" * 1_000_000))
    assert len(recording) == 0
    assert "no-samples" in {issue.code for issue in issues}


def test_too_many_definitions_and_messages_are_cut_off():
    hostile = b"".join(define(0, i % 65536, [(1, 1, 2)]) for i in range(5000))
    assert "too-many-messages" in {issue.code for issue in decode_fit(fit(hostile))[0].issues}
    two = define(0, 1, []) + define(1, 2, []) + b"\x00\x01" * 150_000
    assert "too-many-messages" in {issue.code for issue in decode_fit(fit(two))[0].issues}


layouts = st.lists(
    st.sampled_from([(7, "H", 0x84), (3, "B", 0x02), (4, "B", 0x02), (5, "I", 0x86)]), unique=True, min_size=1
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(layouts, st.booleans()), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=120),
    st.data(),
)
def test_any_mixture_of_layouts_decodes_to_what_was_written(kinds, order, data):
    """Records of up to four layouts, mixed in any order and either byte order, against the values they were made of."""
    body, written = b"", []
    for local, (fields, big) in enumerate(kinds):
        body += define(local, 20, [(253, 4, 0x86), *((n, struct.calcsize(f), base) for n, f, base in fields)], big=big)
    for second, pick in enumerate(order):
        local = pick % len(kinds)
        fields, big = kinds[local]
        values = [data.draw(st.integers(21, 200)) for _ in fields]
        form = (">" if big else "<") + "BI" + "".join(f for _, f, _ in fields)
        body += struct.pack(form, local, 1_000_000_000 + second, *values)
        written.append({n: v for (n, _, _), v in zip(fields, values, strict=True)})
    recording, _ = read_fit(fit(body))
    assert recording.seconds.tolist() == list(range(len(order)))
    for number, channel, scale in ((7, "power", 1), (3, "heart_rate", 1), (4, "cadence", 1), (5, "distance", 100)):
        expected = [row.get(number, np.nan) / scale for row in written]
        np.testing.assert_array_equal(recording.channel(channel), expected)
