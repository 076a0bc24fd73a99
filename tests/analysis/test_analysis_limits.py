"""What intervals reach, what an open set leaves out, and which paths data cannot tell apart."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from holdfast.analysis import Results, run
from holdfast.analysis.results import Row
from holdfast.core.facts import Answered
from holdfast.report import Document, document
from holdfast.report.sections.questions import printed
from holdfast.stats.mediators import mediate_several


@pytest.fixture(scope="module")
def results(helpers: ModuleType) -> Results:
    return run(*helpers.exercise(), only=["why", "dose"])


@pytest.fixture(scope="module")
def made(helpers: ModuleType, results: Results) -> Document:
    study, ledger, arms = helpers.exercise()
    return document(study, ledger, results, arms)


def test_a_set_outside_an_interval_is_printed_as_what_it_is() -> None:
    row = Row(
        "HIT - MIT", "FU", 5.0, math.nan, math.nan, -math.inf, math.inf, math.nan, what="effect per unit received"
    )
    outside = replace(row, excluded=(-7.69, 185.0))
    assert printed(outside, 1) == "5.0 (below −7.7 or above 185.0)"
    assert printed(row, 1) == "5.0 (−∞ to ∞)"
    assert outside.plain()["excluded"] == [-7.69, 185.0]
    assert outside.plain()["open"] == ["low", "high"]
    assert "excluded" not in row.plain()


def test_the_table_and_the_sentence_say_the_same_set(results: Results) -> None:
    robust = results.get("dose").rows[1]
    note = results.get("dose").found.notes[0]
    if robust.excluded is None:
        assert "below" not in note
    else:
        low, high = robust.excluded
        assert low < high
        assert "below" in note


def test_the_reach_of_intervals_is_their_ends() -> None:
    rng = np.random.default_rng(4)
    arm = np.repeat(["A", "B"], 20)
    columns = {"arm": arm, "one": rng.normal(size=40), "two": rng.normal(size=40), "value": rng.normal(size=40)}
    table = pd.DataFrame(columns)
    found = mediate_several("value ~ 1", table, mediators=["one", "two"], arm="arm", seed=1, draws=2000)
    assert found.simultaneous.min() < 0 < found.simultaneous.max()
    ends = re.search(r"reach from (\S+) to (\S+?)\.?$", found.reach)
    assert float(ends[1]) == pytest.approx(found.simultaneous.min(), abs=0.01)  # printed with three figures
    assert float(ends[2]) == pytest.approx(found.simultaneous.max(), abs=0.01)
    assert "either way" not in str(found)


def test_the_figure_of_paths_has_the_intervals_that_it_promises(made: Document) -> None:
    picture = next(each for each in made.pictures if each.code == "paths-why")
    assert "with intervals" in picture.caption
    assert "(SE" not in picture.svg
    assert "A path shown by these data" in picture.caption


def test_a_mediator_that_is_the_arm_is_pointed_out(helpers: ModuleType, results: Results) -> None:
    assert not any("cannot be told apart" in note for note in results.get("why").found.notes)
    study, ledger, arms = helpers.exercise()
    facts = []
    for place, entry in enumerate(ledger.entries):
        who, visit, fact = entry.record.participant, entry.record.visit, entry.fact
        if visit == "POST" and isinstance(fact, Answered) and fact.instrument == "vo2":
            fact = Answered("vo2", {"vo2": (40.0 if arms[who] == "HIT" else 20.0) + place % 5})
        facts.append((who, visit, fact))
    notes = run(study, helpers.ledger_of(facts), arms, only=["why"]).get("why").found.notes
    (note,) = [note for note in notes if "cannot be told apart" in note]
    assert "of the variance of VO2max" in note
