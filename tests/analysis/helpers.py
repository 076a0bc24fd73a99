"""Small ledgers to analyse: the acupuncture trial from its CSV, and a simulated exercise trial."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.core.facts import (
    Answered,
    Described,
    Enrolled,
    Fact,
    Imported,
    Locked,
    Randomised,
    Revealed,
    StudyOpened,
)
from holdfast.core.ledger import Ledger, fold
from holdfast.core.records import GENESIS, Draft, seal
from holdfast.study.model import Study

START = datetime(2021, 3, 1, 9, 0, tzinfo=UTC)


def ledger_of(facts: Iterable[tuple[str, str, Fact]]) -> Ledger:
    """A ledger of (participant, visit, fact), one a minute."""
    previous, records = GENESIS, []
    for number, (participant, visit, fact) in enumerate(facts, start=1):
        at = START + timedelta(minutes=number)
        draft = Draft(fact, at, "tester", "coordinator", participant=participant, visit=visit)
        records.append(seal(number, draft, previous))
        previous = records[-1].hash
    return fold(records)


# --- acupuncture for headache (Vickers 2004) --------------------------------------------------------------

FORMULA = "value ~ arm + baseline + age + sex + migraine + chronicity + acupuncturist"
ACUPUNCTURE: dict[str, Any] = {
    "study": {"code": "acupuncture", "title": "Acupuncture for chronic headache in primary care", "version": "1"},
    "arms": [
        {"code": "acupuncture", "name": "Acupuncture", "size": 205},
        {"code": "control", "name": "Usual care", "size": 196},
    ],
    "randomisation": {"scheme": "external"},
    "visits": [
        {"code": "baseline"},
        {"code": "3 months", "offset": "3 months", "window": [-21, 21]},
        {"code": "12 months", "offset": "12 months", "window": [-30, 30]},
    ],
    "covariates": [
        {"code": "age", "unit": "years"},
        {"code": "sex", "type": "category", "levels": ["0", "1"]},
        {"code": "migraine", "type": "category", "levels": ["0", "1"]},
        {"code": "chronicity", "unit": "years"},
        {"code": "acupuncturist", "type": "category"},
    ],
    "measurements": [
        {"code": "headache", "name": "Weekly headache score", "low": 0, "better": "lower"},
        {"code": "days", "name": "Headache days per 28 days", "low": 0, "high": 28, "better": "lower"},
    ],
    "outcomes": [
        {
            "code": "score",
            "name": "Headache score",
            "instrument": "headache",
            "role": "primary",
            "visits": ["baseline", "3 months", "12 months"],
            "mic": {"relative": 0.35, "source": "Vickers 2004"},
        },
        {
            "code": "headache days",
            "instrument": "days",
            "visits": ["baseline", "3 months", "12 months"],
        },
    ],
    "analysis_sets": [
        {"code": "completers", "observed": ["score at 12 months"]},
        {"code": "migraine", "observed": ["score at 12 months"], "where": {"migraine": "1"}},
    ],
    "flow": {"assessed": 694, "excluded": {"not eligible": 103, "too mild": 72, "declined": 118}},
    "analyses": [
        {
            "code": "primary",
            "title": "Headache score at 12 months",
            "role": "primary",
            "model": "ancova",
            "outcome": "score",
            "at": "12 months",
            "formula": FORMULA,
            "contrasts": ["control - acupuncture"],
        },
        {
            "code": "three-months",
            "model": "ancova",
            "outcome": "score",
            "at": "3 months",
            "set": "completers",
            "formula": FORMULA,
            "contrasts": ["control - acupuncture"],
        },
        {
            "code": "days",
            "model": "ancova",
            "outcome": "headache days",
            "at": "12 months",
            "formula": FORMULA,
            "contrasts": ["control - acupuncture"],
        },
    ],
    "hierarchy": ["primary", "days"],
}


def study_of(plain: Mapping[str, Any], *analyses: Mapping[str, Any]) -> Study:
    """The study with other analyses, when some are given."""
    return Study.model_validate({**plain, **({"analyses": list(analyses), "hierarchy": []} if analyses else {})})


def acupuncture(shared: Path) -> tuple[Ledger, dict[str, str]]:
    """The 401 people of the trial as records, and their arms."""
    text = (shared / "data/acupuncture_headache_2004/acupuncture.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    arms = {row["id"]: "acupuncture" if row["group"] == "1" else "control" for row in rows}
    return ledger_of(_acupuncture_facts(rows)), arms


def _acupuncture_facts(rows: list[dict[str, str]]) -> Iterable[tuple[str, str, Fact]]:
    yield "", "", StudyOpened("acupuncture", "1", "0" * 64)
    visits = {"baseline": ("pk1", "f1"), "3 months": ("pk2", "f2"), "12 months": ("pk5", "f5")}
    for row in rows:
        who = row["id"]
        yield who, "", Enrolled()
        described = {name: float(row[name]) for name in ("age", "chronicity")}
        yield who, "", Described({**described, **{n: row[n] for n in ("sex", "migraine", "acupuncturist")}})
        yield who, "", Randomised("all", 1)
        for visit, (score, days) in visits.items():
            if row[score]:
                yield who, visit, Answered("headache", {"headache": float(row[score])})
            if row[days]:
                yield who, visit, Answered("days", {"days": float(row[days])})
    yield "", "", Imported("acupuncture.csv", "0" * 64, "0" * 64, len(rows), len(rows))
    yield "", "", Locked()
    yield "", "", Revealed()
