"""Data in which nothing varies: not run, said in words, and without a warning on the screen."""

from __future__ import annotations

import warnings
from types import ModuleType

import pytest

from holdfast.analysis import Results, run
from holdfast.core.facts import Answered


def everybody(helpers: ModuleType, visit: str, value: float) -> Results:
    study, ledger, arms = helpers.exercise()
    facts = []
    for entry in ledger.entries:
        fact = entry.fact
        if entry.record.visit == visit and isinstance(fact, Answered) and fact.instrument == "modi-score":
            fact = Answered("modi-score", {"modi-score": value})
        facts.append((entry.record.participant, entry.record.visit, fact))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would end the test
        return run(study, helpers.ledger_of(facts), arms)


@pytest.fixture(scope="module")
def well(helpers: ModuleType) -> Results:
    return everybody(helpers, "FU", 0.0)


def test_what_does_not_vary_is_not_compared(well: Results) -> None:
    for code in ("primary", "ancova", "durability", "missing", "why", "for-whom", "dose", "permutation"):
        analysed = well.get(code)
        assert analysed.found is None, code
        assert "everybody has the same value of disability at FU, 0" in analysed.issues[0].what, code
        assert analysed.issues[0].remedy


def test_other_outcomes_and_responders_still_run(well: Results) -> None:
    assert well.get("pain").found is not None
    assert well.get("responders").found is not None  # improvement from different baselines still varies


def test_a_model_that_fits_exactly_has_no_interval(helpers: ModuleType) -> None:
    study, ledger, arms = helpers.exercise()
    at_first = {
        entry.record.participant: entry.fact.answers["modi-score"]
        for entry in ledger.entries
        if entry.record.visit == "PRE" and isinstance(entry.fact, Answered) and entry.fact.instrument == "modi-score"
    }
    facts = []
    for entry in ledger.entries:
        fact, who = entry.fact, entry.record.participant
        if entry.record.visit == "FU" and isinstance(fact, Answered) and fact.instrument == "modi-score":
            fact = Answered("modi-score", {"modi-score": at_first[who]})
        facts.append((who, entry.record.visit, fact))
    found = run(study, helpers.ledger_of(facts), arms, only=["ancova"]).get("ancova")
    assert found.found is None
    assert "no variation is left" in found.issues[0].what
