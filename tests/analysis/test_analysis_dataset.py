"""From records to the long table."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from holdfast.analysis import dataset, long_table
from holdfast.core import facts as kinds
from holdfast.core.facts import Answered, Corrected, Described, Enrolled, Randomised
from holdfast.errors import CallError


def tiny(helpers: ModuleType):
    """Three people, one outcome scored by an instrument that ships, one by a single number."""
    study = helpers.study_of(
        {
            "study": {"code": "tiny", "title": "Tiny", "version": "1"},
            "arms": [{"code": "HIT"}, {"code": "MIT"}],
            "randomisation": {"scheme": "simple"},
            "visits": [{"code": "PRE"}, {"code": "POST"}],
            "sites": [{"code": "Hasselt"}, {"code": "Genk"}],
            "covariates": [{"code": "age"}, {"code": "sex", "type": "category", "levels": ["F", "M"]}],
            "measurements": [{"code": "vo2", "name": "VO2peak", "better": "higher", "low": 5, "high": 90}],
            "outcomes": [
                {"code": "pain", "instrument": "nprs", "visits": ["PRE", "POST"]},
                {"code": "fitness", "instrument": "vo2", "visits": ["PRE", "POST"], "transform": "log"},
            ],
            "analyses": [{"code": "a", "model": "ancova", "outcome": "pain", "at": "POST", "contrasts": ["HIT - MIT"]}],
        }
    )
    nprs = next(iter(helpers_item("nprs")))
    facts = []
    for who, site in [("P1", "Hasselt"), ("P2", "Genk"), ("P3", "Hasselt")]:
        facts += [(who, "", Enrolled(site)), (who, "", Randomised("all", 1))]
    facts += [
        ("P1", "", Described({"age": 40, "sex": "F"})),
        ("P2", "", Described({"age": "old", "sex": "X"})),
        ("P1", "PRE", Answered("nprs", {nprs: 7})),
        ("P1", "POST", Answered("nprs", {nprs: 3})),
        ("P2", "PRE", Answered("nprs", {nprs: 5})),
        ("P2", "POST", Answered("nprs", {nprs: None})),
        ("P1", "PRE", kinds.Tested("vo2", {"vo2": math.e**3})),
        ("P3", "PRE", kinds.Tested("vo2", {"value": -1.0})),
    ]
    return study, facts, nprs


def helpers_item(code: str) -> list[str]:
    from holdfast.instruments import load

    return [item.id for item in load(code).items]


def test_the_long_table_has_scores_baselines_and_covariates(helpers: ModuleType) -> None:
    study, facts, _ = tiny(helpers)
    ledger = helpers.ledger_of(facts)
    table = long_table(study, ledger, {"P1": "HIT", "P2": "MIT", "P3": "HIT"}, "pain")
    assert list(table["participant"]) == ["P1", "P2", "P3"]
    assert list(table["arm"].cat.categories) == ["MIT", "HIT"]  # the comparator comes first
    assert list(table["site"].astype(object)) == ["Hasselt", "Genk", "Hasselt"]
    assert table.loc[0, ["value", "baseline", "age"]].tolist() == [3, 7, 40]
    assert math.isnan(table.loc[1, "value"])
    assert math.isnan(table.loc[2, "baseline"])
    assert table.loc[0, "fitness_baseline"] == pytest.approx(3.0)  # log of e^3, transformed as declared
    assert math.isnan(table.loc[0, "fitness"])


def test_what_cannot_be_read_is_said(helpers: ModuleType) -> None:
    study, facts, nprs = tiny(helpers)
    facts.append(("P1", "PRE", Answered("nprs", {nprs: 6})))
    data = dataset(study, helpers.ledger_of(facts), {"P1": "HIT", "P2": "MIT"})
    said = {issue.code for issue in data.issues}
    assert said == {"entered-twice", "unreadable-covariate", "out-of-range", "no-logarithm", "no-arm"}
    table = data.long("pain", ["PRE", "POST"])
    assert table.loc[0, "value"] == 6  # of two entries the later one
    assert list(table["visit"].astype(object))[:2] == ["PRE", "POST"]
    assert table["age"].isna().sum() == 4  # "old" and the one nobody described
    assert table["arm"].isna().sum() == 2


def test_a_correction_changes_the_table_and_nothing_else(helpers: ModuleType) -> None:
    study, facts, nprs = tiny(helpers)
    arms = {"P1": "HIT", "P2": "MIT", "P3": "HIT"}
    seq = next(i for i, (_, visit, _) in enumerate(facts, start=1) if visit == "POST")
    before = long_table(study, helpers.ledger_of(facts), arms, "pain")
    facts.append(("P1", "POST", Corrected(seq, f"answers.{nprs}", 3, 4)))
    after = long_table(study, helpers.ledger_of(facts), arms, "pain")
    assert after.loc[0, "value"] == 4
    same = before.drop(columns=["value", "pain"]).iloc[:, :3].equals(after.drop(columns=["value", "pain"]).iloc[:, :3])
    assert same


def test_wrong_names_are_named(helpers: ModuleType) -> None:
    study, facts, _ = tiny(helpers)
    ledger = helpers.ledger_of(facts)
    with pytest.raises(CallError, match="no outcome 'strength'"):
        long_table(study, ledger, {"P1": "HIT"}, "strength")
    with pytest.raises(CallError, match="not measured at 'FU'"):
        long_table(study, ledger, {"P1": "HIT"}, "pain", ["FU"])
    with pytest.raises(CallError, match="no arm 'LIT'"):
        long_table(study, ledger, {"P1": "HIT", "P2": "LIT"}, "pain")


def test_masked_labels_stay_masked(helpers: ModuleType) -> None:
    study, facts, _ = tiny(helpers)
    table = long_table(study, helpers.ledger_of(facts), {"P1": "A", "P2": "B", "P3": "A"}, "pain")
    assert list(table["arm"].cat.categories) == ["A", "B"]


def test_the_acupuncture_table_holds_what_its_csv_holds(shared: Path, helpers: ModuleType) -> None:
    study = helpers.study_of(helpers.ACUPUNCTURE)
    ledger, arms = helpers.acupuncture(shared)
    data = dataset(study, ledger, arms)
    table = data.long("score", ["baseline", "3 months", "12 months"])
    seen = table.groupby("visit", observed=True)["value"].count()
    assert seen.tolist() == [401, 326, 301]  # README of the data: 401 randomised, 326 and 301 observed
    assert len(data.members("completers")) == 301
    assert len(data.members("migraine")) == 284  # Vickers 2004: n=284 with migraine
    assert np.isclose(table["baseline"].isna().sum(), 0)
