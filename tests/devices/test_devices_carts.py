"""Cart exports: privacy, languages, units, damage, declared column maps."""

import io
import pickle
import zipfile

import numpy as np
import openpyxl
import pytest

from holdfast.capacity import BreathTable
from holdfast.core.issues import errors
from holdfast.core.recording import Recording
from holdfast.devices import cells
from holdfast.devices.cart_table import Column, ColumnMap, read_table
from holdfast.devices.carts import read_cart
from holdfast.devices.heart_rate import with_heart_rate
from holdfast.devices.sheets import rows_of
from holdfast.devices.tcx import read_tcx
from holdfast.errors import CallError

SECRETS = ("Musterfrau", "Erika", "24.12.1971", "1971-12-24", "PATIENT-4711")


def leaks(breaths, issues):
    """Which secrets appear anywhere in what an importer gives back: its values, its text, its pickled bytes."""
    said = " ".join(str(issue) + issue.where for issue in issues) + repr(breaths.info)
    stored = pickle.dumps((breaths, issues)) + said.encode()
    return [secret for secret in SECRETS if secret.encode() in stored or secret.encode("utf-16-le") in stored]


def workbook(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cosmed_xlsx(*, mass=70.0, vo2_unit="mL/min", factor=1.0):
    person = [
        ["ID1", "PATIENT-4711"],
        ["Nachname", "Musterfrau"],
        ["Vorname", "Erika"],
        ["Geschlecht", "Weiblich"],
        ["Alter", 54],
        ["Größe (cm)", 168],
        ["Gewicht (kg)", mass],
        ["Geburtsdatum", "24.12.1971"],
    ]
    head = ["t", "Rf", "VT", "VE", "VO2", "VCO2", "HR", "Power"]
    units = ["s", "1/min", "L", "L/min", vo2_unit, vo2_unit, "bpm", "W"]
    rows = []
    for i in range(130):
        left = person[i] if i < len(person) else [None, None]
        if i == 0:
            right = head
        elif i == 1:
            right = units
        elif i == 2:
            right = [None] * 8
        else:
            vo2 = (800 + 15 * i) * factor
            clock = f"00:{3 * i // 60:02d}:{3 * i % 60:02d}"
            right = [clock, 20, 1.5, 30 + 0.4 * i, vo2, 0.9 * vo2, 100 + i // 3, 50 + i]
        rows.append([*left, *[None] * 7, *right])
    return workbook(rows)


def zan_text():
    codes = [340, 339, 300, 301, 311, 308, 305, 306, 407, 310]
    head = "[person]\nidnr=PATIENT-4711\nname=Musterfrau\nvorname=Erika\ngeschlecht=W\ngeburtstag=24.12.1971\n"
    head += "groesse=168\ngewicht=70 \n\n[parameter]\ncount=10\n" + "".join(f"P={c},1.0,x\n" for c in codes)
    rows = [(i, 3000 * i, 50 + i, 800 + 10 * i, 720 + 9 * i, 100 + i // 3) for i in range(1, 120)]
    body = "".join(f"B{i}=1,{t},{w},0,1500,1500,1500,{o},{c},0,{hr}\n" for i, t, w, o, c, hr in rows)
    return (head + "\n[Data]\n" + body).encode("latin-1")


def cortex_xml(shared):
    text = (shared / "data/cpet/carts/cortex.xml").read_text(encoding="utf-8")
    text = text.replace("YYY", "Musterfrau").replace("XXX", "Erika").replace("11.11.1980", "24.12.1971")
    assert "Musterfrau" in text
    return text.encode()


def vyntus_txt(shared):
    raw = (shared / "data/cpet/carts/vyntus.txt").read_bytes()
    return raw.replace(b"BT2096", b"PATIENT-4711 Musterfrau Erika 24.12.1971")


@pytest.mark.parametrize("maker", ["zan", "cosmed", "cortex", "vyntus", "table"])
def test_names_and_birth_dates_are_dropped(shared, maker):
    data = {
        "zan": zan_text,
        "cosmed": cosmed_xlsx,
        "cortex": lambda: cortex_xml(shared),
        "vyntus": lambda: vyntus_txt(shared),
        "table": lambda: b"name;geburt;t;VO2\n" + b"".join(b"Musterfrau;24.12.1971;%d;1500\n" % i for i in range(90)),
    }[maker]()
    if maker == "table":
        breaths, issues = read_table(data, ColumnMap(Column("t", "s"), {"vo2": Column("VO2", "mL/min")}))
    else:
        breaths, issues = read_cart(data)
    assert len(breaths) > 5
    assert leaks(breaths, issues) == []


def test_the_leak_finder_finds():
    breaths, issues = read_cart(zan_text())
    info = type(breaths.info)(cart="Musterfrau")
    assert leaks(type(breaths)(breaths.seconds, breaths.channels, info), issues) == ["Musterfrau"]


@pytest.mark.parametrize("shift", [1, 2, 5])
def test_identity_does_not_leak_through_shifted_columns(shift):
    """A damaged export in which names stand where numbers belong."""
    lines = zan_text().decode("latin-1").splitlines()
    data = [line.replace(",", ",Musterfrau,", shift) if line.startswith("B") else line for line in lines]
    breaths, issues = read_cart("\n".join(data).encode("latin-1"))
    assert leaks(breaths, issues) == []


def test_what_science_needs_is_kept():
    breaths, issues = read_cart(cosmed_xlsx())
    info = breaths.info
    assert (info.body_mass, info.height, info.sex, info.age, info.cart) == (70, 168, "female", 54, "Cosmed")
    assert info.body_mass_from == "file"
    assert not errors(issues)
    zan, _ = read_cart(zan_text())
    assert (zan.info.body_mass, zan.info.sex) == (70, "female")
    # VE = 60 x 1500 / 3000, VT = 1500 / 1000, RR = 60000 / 3000
    assert (zan.channel("ve")[0], zan.channel("vt")[0], zan.channel("rr")[0]) == (30, 1.5, 20)


def test_rows_beside_the_person_are_no_lost_breaths(shared):
    _, issues = read_cart((shared / "data/cpet/carts/cosmed.xlsx").read_bytes())
    assert {issue.code for issue in issues} == {"identity-not-read"}
    table = b"t;VO2\n" + b"".join(b"%d;1500\n" % i for i in range(90)) + b"x;1500\n"
    _, issues = read_table(table, ColumnMap(Column("t", "s"), {"vo2": Column("VO2", "mL/min")}))
    assert [issue.code for issue in issues] == ["rows-left-out", "no-body-mass"]


def test_units_come_from_the_unit_row():
    millilitres, _ = read_cart(cosmed_xlsx())
    litres, issues = read_cart(cosmed_xlsx(vo2_unit="L/min", factor=0.001))
    np.testing.assert_allclose(litres.channel("vo2"), millilitres.channel("vo2"))
    assert not errors(issues)


def test_litres_that_call_themselves_millilitres_are_flagged_and_not_converted():
    breaths, issues = read_cart(cosmed_xlsx(factor=0.001))
    assert breaths.channel("vo2").max() < 10
    assert "wrong-unit" in {issue.code for issue in errors(issues)}


def test_missing_and_absurd_body_mass():
    breaths, issues = read_cart(cosmed_xlsx(mass=None))
    assert breaths.info.body_mass is None
    assert "no-body-mass" in {issue.code for issue in issues}
    assert read_cart(cosmed_xlsx(mass=7000))[0].info.body_mass is None
    assert breaths.with_body_mass(71.3).info.body_mass_from == "supplied"


def test_cortex_workbook_with_cut_off_head(shared):
    data = (shared / "data/cpet/carts/step_cortex.xlsx").read_bytes()
    assert read_cart(data)[0].channels.keys() >= {"vo2"} or read_cart(data)[1][-1].code == "unknown-cart"
    breaths, issues = read_cart(data, "cortex")
    assert len(breaths) == 792
    # first data row of the workbook: 00:00:04,8; 0.298 and 0.248 L/min; 13.3 L/min
    assert (breaths.seconds[0], breaths.channel("vo2")[0], breaths.channel("ve")[0]) == (4.8, 298, 13.3)
    assert breaths.info.body_mass_from.startswith("derived")
    assert not errors(issues)


def test_decimal_comma_and_other_languages():
    table = "Zeit;V'O2;V'CO2;V'E;Puls\nmin;L/min;L/min;L/min;1/min\n"
    table += "".join(
        f"00:{i:02d};{1 + i / 100:.3f};{0.9 + i / 100:.3f};40,5;1{i:02d}\n".replace(".", ",") for i in range(1, 60)
    )
    table += "".join(
        f"01:{i:02d};{1.6 + i / 100:.3f};{1.5 + i / 100:.3f};50,5;1{i:02d}\n".replace(".", ",") for i in range(60)
    )
    columns = ColumnMap(
        Column("Zeit"),
        {"vo2": Column("V'O2"), "vco2": Column("V'CO2"), "ve": Column("V'E"), "heart_rate": Column("Puls")},
        unit_row=True,
        body_mass=80,
    )
    breaths, issues = read_table(table.encode("cp1252"), columns)
    assert breaths.seconds[:3].tolist() == [1, 2, 3]
    assert breaths.channel("vo2")[0] == pytest.approx(1010)
    assert not errors(issues)


def test_column_maps_say_what_is_missing_or_unknown():
    text = "t,VO2,VE\n" + "".join(f"{i},1500,40\n" for i in range(100))
    columns = {"vo2": Column("VO2", "mL/min"), "vco2": Column("VCO2", "mL/min"), "ve": Column("VE", "furlong")}
    breaths, issues = read_table(text.encode(), ColumnMap(Column("t", "s"), columns))
    assert set(breaths.channels) == {"vo2"}
    assert {"no-column", "unknown-unit"} <= {issue.code for issue in issues}
    with pytest.raises(CallError, match="column of vo2"):
        ColumnMap(Column("t"), {"ve": Column("VE")})
    with pytest.raises(CallError, match="unknown channel"):
        ColumnMap(Column("t"), {"vo2": Column("a"), "oxygen": Column("b")})
    with pytest.raises(CallError, match="no importer"):
        read_cart(b"x", "acme")


def test_negative_and_falling_time():
    text = "t,VO2\n" + "".join(f"{i - 30},{1500 + i}\n" for i in range(100)) + "5,1500\n"
    _, issues = read_table(text.encode(), ColumnMap(Column("t", "s"), {"vo2": Column("VO2", "mL/min")}))
    assert {"negative-time", "time-falls"} <= {issue.code for issue in issues}


def test_a_zip_bomb_is_refused_unread():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    rows, issues = rows_of(out.getvalue())
    assert rows == []
    assert issues[0].code == "file-too-large"


def test_an_entity_bomb_in_spreadsheet_xml_is_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    bomb += b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">&b;</Workbook>'
    rows, issues = rows_of(bomb)
    assert rows == []
    assert issues[0].code == "damaged-file"


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"[person]", b"hello"]
)
def test_what_is_no_export_says_so(data):
    breaths, issues = read_cart(data)
    assert len(breaths) == 0
    assert errors(issues)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1,5", 1.5),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        (" -3 ", -3),
        ("\u22122", -2),
        (".5", 0.5),
        (7, 7),
        ("1e3", 1000),
    ],
)
def test_numbers_as_people_write_them(written, value):
    assert cells.number(written) == value


@pytest.mark.parametrize("written", ["", "-", "abc", "1 2", "inf", "nan", True, None, "1e999", "9" * 50])
def test_what_is_no_number_is_missing(written):
    assert np.isnan(cells.number(written))


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("0:01:10", "", 70),
        ("00:56", "min", 56),
        ("1:02,5", "", 62.5),
        ("12", "min", 720),
        (0.5, "h:mm:ss", 43200),
        ("-0:10", "", -10),
    ],
)
def test_times_as_carts_write_them(written, unit, value):
    assert cells.seconds(written, unit) == value


@pytest.mark.parametrize("kind", ["endless tag", "document type", "cut off"])
def test_a_workbook_with_a_hostile_part_is_refused(kind):
    part = {
        "endless tag": b"<a " + b" ".join(b'x%d="1"' % i for i in range(200_000)) + b"/>",
        "document type": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        "cut off": b"<styleSheet><fonts",
    }[kind]
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(cosmed_xlsx())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, part if name == "xl/styles.xml" else old.read(name))
    rows, issues = rows_of(out.getvalue())
    assert rows == []
    assert issues[0].code == "unreadable-workbook"


def test_heart_rate_from_another_device(shared):
    """spiro_max_examples.csv: the ramp test with hr_ramp.tcx beside it has a maximal heart rate of 202."""
    table, _ = read_cart((shared / "data/cpet/carts/zan_ramp").read_bytes())
    strap, _ = read_tcx((shared / "data/tcx/hr_ramp.tcx").read_bytes())
    joined, issues = with_heart_rate(table, strap)
    assert np.nanmax(joined.channel("heart_rate")) == 202
    assert len(joined) == len(table)
    assert {issue.code for issue in issues} <= {"heart-rate-gaps"}
    late, issues = with_heart_rate(table, strap, begins_at=5000)
    assert np.isnan(late.channel("heart_rate")).all()
    assert [issue.code for issue in issues] == ["heart-rate-gaps"]
    with pytest.raises(CallError, match="of its own"):
        with_heart_rate(joined, strap)


def test_each_breath_takes_the_seconds_since_the_one_before():
    beats = np.array([100.0, 110.0, np.nan, 130.0, 140.0])
    strap = Recording(None, np.arange(5.0), {"heart_rate": beats}, {"heart_rate": "bpm"})
    table = BreathTable(np.array([1.0, 2.0, 4.0]), {"vo2": np.full(3, 1000.0)})
    joined, _ = with_heart_rate(table, strap)
    np.testing.assert_array_equal(joined.channel("heart_rate"), [105, np.nan, 135])
