"""What leaves the report: masked arms stay masked in every file, simulated people are called so in every table."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from html import unescape
from types import ModuleType

import pytest

from holdfast.analysis import run
from holdfast.report import Document, render
from holdfast.report.masking import LEFT_OUT


@pytest.fixture(scope="module")
def masked(helpers: ModuleType) -> dict[str, bytes]:
    study, ledger, arms = helpers.exercise()
    hidden = {code: "A" if arm == "HIT" else "B" for code, arm in arms.items()}
    return render(study, ledger, run(study, ledger, hidden), hidden)


def texts(files: dict[str, bytes]) -> dict[str, str]:
    """Everything that can be read as text; the study's own code stands in the footers and is no arm."""
    found = {name: unescape(data.decode()) for name, data in files.items() if name.endswith((".html", ".csv", ".json"))}
    with zipfile.ZipFile(io.BytesIO(files["report.docx"])) as package:
        for name in package.namelist():
            if name.endswith(".xml"):
                found[f"docx {name}"] = unescape(package.read(name).decode())
    return {name: text.replace("hit-vs-mit-small", "") for name, text in found.items()}


def test_no_file_of_a_masked_report_names_an_arm_or_a_dose(masked: dict[str, bytes]) -> None:
    told = re.compile(
        r"\bHIT\b|\bMIT\b|High-intensity training|Moderate-intensity training|cycle ergometer|W at VO2max|exertion of a"
        r"|sessions attended|Sessions attended|Adverse events by arm",
        re.IGNORECASE,
    )
    for name, text in texts(masked).items():
        said = text.replace(LEFT_OUT, "")
        assert (name, told.findall(said)) == (name, [])


def test_a_masked_report_says_what_is_left_out(masked: dict[str, bytes]) -> None:
    page = unescape(masked["report.html"].decode())
    assert "While the arms are masked" in page
    assert "attendance, doses and perceived exertion, harms" in page.replace("\n", " ")
    results = json.loads(masked["results.json"])
    assert results["left_out"] == LEFT_OUT
    assert "dose" not in {each["code"] for each in results["analyses"]}
    assert all("declared" not in each for each in results["analyses"])
    tables = {name for name in masked if name.startswith("tables/")}
    assert "tables/compared.csv" in tables
    assert not tables & {"tables/delivery.csv", "tables/harms.csv", "tables/programmes.csv", "tables/estimands.csv"}


def test_every_table_of_simulated_people_says_so(files: dict[str, bytes], made: Document) -> None:
    tables = [name for name in files if name.startswith("tables/")]
    assert len(tables) > 10
    for name in tables:
        rows = list(csv.reader(io.StringIO(files[name].decode("utf-8-sig"))))
        assert rows[0][-1] == "simulated", name
        assert {row[-1] for row in rows[1:]} == {"simulated people"}, name
        assert len({len(row) for row in rows}) == 1, name
    assert all(picture.caption.endswith("(simulated people)") for picture in made.pictures)


def test_tables_of_real_people_have_no_such_column(shared, helpers: ModuleType) -> None:
    ledger, arms = helpers.acupuncture(shared)
    study = helpers.study_of(helpers.ACUPUNCTURE)
    files = render(study, ledger, run(study, ledger, arms, only=["primary"]), arms, formats=["html"])
    assert all("simulated" not in data.decode() for name, data in files.items() if name.startswith("tables/"))
