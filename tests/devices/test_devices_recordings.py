"""TCX and CSV recordings."""

import numpy as np
import pytest

from holdfast.devices import read_recording
from holdfast.devices.csv_recording import SampleMap, read_csv_recording
from holdfast.devices.tcx import read_tcx
from holdfast.errors import CallError

TCX = """<?xml version="1.0"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">
<Activities><Activity Sport="Biking"><Id>2026-03-02T09:00:00Z</Id>
<Lap StartTime="2026-03-02T09:00:00Z"><TotalTimeSeconds>2.5</TotalTimeSeconds>
<AverageHeartRateBpm><Value>121</Value></AverageHeartRateBpm><Track>
<Trackpoint><Time>2026-03-02T09:00:00Z</Time><Cadence>80</Cadence><HeartRateBpm><Value>120</Value></HeartRateBpm>
<Position><LatitudeDegrees>51.2</LatitudeDegrees></Position>
<Extensions><ns3:TPX xmlns:ns3="x"><ns3:Watts>200</ns3:Watts></ns3:TPX></Extensions></Trackpoint>
<Trackpoint><Time>2026-03-02T09:00:01.500Z</Time><HeartRateBpm><Value>0</Value></HeartRateBpm></Trackpoint>
</Track></Lap></Activity></Activities></TrainingCenterDatabase>"""


def test_indoor_tcx_without_gps(shared):
    # shared/data/tcx/README.md: 924 points, mean heart rate 173.8, maximum 202
    recording, issues = read_tcx((shared / "data/tcx/hr_ramp.tcx").read_bytes())
    assert issues == ()
    assert len(recording) == 924
    assert recording.channel("heart_rate").mean() == pytest.approx(173.8, abs=0.05)
    assert recording.channel("heart_rate").max() == 202
    assert recording.laps[0].seconds == 924


def test_tcx_power_extension_drop_out_and_lap():
    recording, issues = read_tcx(TCX.encode())
    assert recording.seconds.tolist() == [0, 1.5]
    np.testing.assert_array_equal(recording.channel("power"), [200, np.nan])
    np.testing.assert_array_equal(recording.channel("heart_rate"), [120, np.nan])
    assert recording.laps[0].summaries == {"mean_heart_rate": 121}
    assert [issue.code for issue in issues] == ["heart-rate-zero"]
    assert "51.2" not in repr(recording)


def test_truncated_tcx_gives_the_samples_before_the_cut():
    recording, issues = read_tcx(TCX[: TCX.index("<Trackpoint><Time>2026-03-02T09:00:01")].encode())
    assert len(recording) == 1
    assert [issue.code for issue in issues] == ["damaged-file"]


def test_entities_are_refused():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + TCX[21:]
    recording, issues = read_tcx(bomb.encode())
    assert len(recording) == 0
    assert issues[0].code == "hostile-xml"
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    assert read_tcx(outside.encode())[1][0].code == "hostile-xml"


def test_deep_xml_is_cut_off():
    recording, issues = read_tcx(b"<a>" * 100_000)
    assert len(recording) == 0
    assert issues[0].code == "damaged-file"


def test_csv_with_known_headers():
    text = "secs,cad,hr,km,kph,watts\n0,80,120,0,36,200\n1,,0,0.01,36,210\n2,82,125,0.02,36,x\n"
    recording, issues = read_csv_recording(text.encode())
    np.testing.assert_array_equal(recording.channel("power"), [200, 210, np.nan])
    np.testing.assert_array_equal(recording.channel("heart_rate"), [120, np.nan, 125])
    np.testing.assert_array_equal(recording.channel("cadence"), [80, np.nan, 82])
    assert recording.channel("speed").tolist() == pytest.approx([10, 10, 10])
    assert {issue.code for issue in issues} == {"unreadable-cells", "heart-rate-zero"}


def test_csv_with_moments_semicolons_and_decimal_commas():
    text = "Timestamp;Power (W);Heart rate\n2026-03-02T09:00:00+01:00;199,5;120\n2026-03-02T09:00:02+01:00;201,5;121\n"
    recording, _ = read_csv_recording(text.encode("utf-16"))
    assert recording.start.isoformat() == "2026-03-02T08:00:00+00:00"
    assert recording.seconds.tolist() == [0, 2]
    assert recording.channel("power").tolist() == [199.5, 201.5]


def test_csv_by_a_declared_map():
    text = "Zeit\tLeistung\tName\n00:00:01\t0,2\tsecret\n00:01:00\t0,21\tsecret\n"
    columns = SampleMap("Zeit", "h:mm:ss", {"power": ("Leistung", 1000.0)})
    recording, _ = read_csv_recording(text.encode(), columns)
    assert recording.seconds.tolist() == [1, 60]
    assert recording.channel("power").tolist() == [200, 210]
    assert "secret" not in repr(recording)
    with pytest.raises(CallError, match="unknown channel"):
        SampleMap("t", "s", {"watts": ("W", 1.0)})


@pytest.mark.parametrize("data", [b"", b"\x00\xff\xfe", b"a,b,c\n1,2,3\n", b"secs\n1\n2\n"])
def test_what_is_no_recording_says_so(data):
    recording, issues = read_csv_recording(data)
    assert len(recording) == 0
    assert issues


def test_the_kind_of_file_is_told_by_its_bytes(shared):
    names = ("data/fit/activities/Activity.fit", "data/tcx/hr_ramp.tcx")
    kinds = [read_recording((shared / name).read_bytes())[0].source for name in names]
    assert kinds == ["fit", "tcx"]
    assert read_recording(b"secs,watts\n0,100\n1,101\n")[0].source == "csv"


def test_one_endless_tag_or_text_is_cut_off():
    """A parser that is fed piece by piece begins an unfinished tag again with every piece; 50 MB took four minutes."""
    attributes = b" ".join(b'x%d="1"' % i for i in range(300_000))
    for data in (b"<a " + attributes + b"/>", b"<a><Trackpoint><Time>" + b"x" * 3_000_000):
        recording, issues = read_tcx(data)
        assert len(recording) == 0
        assert issues[0].code == "damaged-file"


def test_more_elements_than_any_session_has_are_cut_off():
    _, issues = read_tcx(b"<a>" + b"<b/>" * 450_000)
    assert issues[0].code == "damaged-file"
