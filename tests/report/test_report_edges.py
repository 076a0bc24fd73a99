"""Reports of studies that went otherwise than planned: nobody came, nobody came back, more than two arms."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from holdfast.analysis import run
from holdfast.report import document, html
from holdfast.study.model import Study


def facts(ledger: Any) -> list[tuple[str, str, Any]]:
    return [(entry.record.participant, entry.record.visit, entry.fact) for entry in ledger.entries]


def test_a_study_without_people_still_has_a_report(helpers: ModuleType) -> None:
    study, ledger, _ = helpers.exercise()
    empty = helpers.ledger_of(fact for fact in facts(ledger) if not fact[0])
    results = run(study, empty, {})
    page = html(document(study, empty, results, {}))
    assert "Randomised (n = 0)" in page.replace("\u00a0", " ")
    assert all("nobody is randomised" in analysed.issues[0].what for analysed in results.analyses)


def test_a_study_in_which_nobody_came_back_says_so(helpers: ModuleType) -> None:
    study, ledger, arms = helpers.exercise()
    early = helpers.ledger_of(fact for fact in facts(ledger) if fact[1] in ("", "PRE"))
    results = run(study, early, arms)
    assert all(analysed.found is None for analysed in results.analyses)
    page = html(document(study, early, results, arms))
    assert "Declared, and not run" in page
    assert "could not be run" in page


def test_three_arms_have_three_of_everything(helpers: ModuleType) -> None:
    plain = helpers.exercise_plain()
    plain["arms"].append({"code": "CON", "name": "Control", "description": "No training."})
    plain["analyses"] = [
        {**each, "contrasts": [words.replace("MIT", "CON") for words in each["contrasts"]]}
        for each in plain["analyses"]
        if each["model"] in ("mmrm", "ancova", "durability", "modification")
    ]
    study = Study.model_validate(plain)
    _, ledger, two = helpers.exercise()
    arms = {code: ("HIT", "MIT", "CON")[place % 3] for place, code in enumerate(two)}
    results = run(study, ledger, arms)
    assert [analysed.code for analysed in results.analyses if analysed.found is None] == []
    made = document(study, ledger, results, arms)
    flow = next(picture for picture in made.pictures if picture.code == "flow")
    assert all(f"{name}: 1" in flow.alt for name in ("High-intensity training", "Control"))
    baseline = next(grid for grid in made.grids if grid.code == "baseline")
    assert baseline.columns == ("", "HIT (n = 13)", "MIT (n = 13)", "CON (n = 12)", "All (n = 38)")
    # The comparator is the arm that the contrasts name second.
    assert results.get("ancova").found.n_by_arm.keys() == {"CON", "HIT", "MIT"}
    assert next(iter(results.get("ancova").found.n_by_arm)) == "CON"


@pytest.mark.parametrize("missing", ["programmes", "covariates", "facts", "eligibility"])
def test_a_sparse_study_file_gives_a_sparse_report(helpers: ModuleType, missing: str) -> None:
    plain = helpers.exercise_plain()
    plain.pop(missing)
    plain["arms"] = [{key: value for key, value in arm.items() if key != "programme"} for arm in plain["arms"]]
    plain["analyses"] = plain["analyses"][1:2]
    plain["hierarchy"] = []
    study = Study.model_validate(plain)
    _, ledger, arms = helpers.exercise()
    page = html(document(study, ledger, run(study, ledger, arms), arms))
    assert page.count("<section") > 10
