"""Words that a licence holder brings: whole, fitting the items, and never shipped by us."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from holdfast.instruments import Wording, codes, load, own_wording, wording_from, wording_template

ALL = [load(code) for code in codes()]


def gad(**changes: Any) -> dict[str, Any]:
    """Made-up words for the seven items of the GAD-7."""
    table = {
        "instrument": "gad-7",
        "language": "en",
        "permission": "written for this test",
        "introduction": "Made-up words.",
        "all_answers": ["never", "seldom", "often", "always"],
        "questions": {f"gad{n}": f"Made-up question {n}?" for n in range(1, 8)},
    }
    return {**table, **changes}


def test_a_licence_holders_file() -> None:
    wording, issues = wording_from(gad(), "gad.toml", load("gad-7"))
    assert issues == []
    assert wording is not None
    assert wording.questions["gad7"] == "Made-up question 7?"
    assert wording.answers["gad1"] == ("never", "seldom", "often", "always")


def test_an_items_own_answers_go_before_those_of_all() -> None:
    table = gad(answers={"gad2": ["a", "b", "c", "d"]})
    wording, _ = wording_from(table, "gad.toml", load("gad-7"))
    assert wording is not None
    assert wording.answers["gad2"] == ("a", "b", "c", "d")
    assert wording.answers["gad3"] == ("never", "seldom", "often", "always")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instrument": "phq-9"}, "these are the words of 'phq-9'"),
        ({"permission": ""}, "permission is ''"),
        ({"language": 5}, "language is 5"),
        ({"questions": {f"gad{n}": "?" for n in range(1, 7)}}, "gad7 is missing"),
        ({"questions": {f"gad{n}": "?" for n in range(1, 9)}}, "'gad8' is not a key here"),
        ({"all_answers": ["never", "always"]}, "2 worded answers; the item takes 4, 0 to 3"),
        ({"answers": {"gda2": ["a"]}}, "'gad2' (nearest)"),
        ({"anchors": {"gad1": ["only one"]}}, "anchors are two texts"),
        ({"lanuage": "en"}, "'language' (nearest)"),
    ],
)
def test_words_that_do_not_fit_are_named(change: dict[str, Any], message: str) -> None:
    wording, issues = wording_from(gad(**change), "gad.toml", load("gad-7"))
    assert wording is None
    assert any(message in str(issue) for issue in issues), list(map(str, issues))


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.code)
def test_a_filled_template_reads_back(instrument: Any) -> None:
    text = wording_template(instrument).replace('language = ""', 'language = "en"')
    text = text.replace('permission = ""', 'permission = "this test"')
    unfilled, issues = wording_from(tomllib.loads(text), "words.toml", instrument)
    assert unfilled is None
    assert len(issues) == len(instrument.items)  # each question is still empty
    for item in instrument.items:
        text = text.replace(f'\n{item.id} = ""', f'\n{item.id} = "About {item.id}?"')
    wording, issues = wording_from(tomllib.loads(text), "words.toml", instrument)
    assert issues == []
    assert wording is not None
    assert list(wording.questions) == [item.id for item in instrument.items]


def test_only_generic_scales_bring_words_of_their_own() -> None:
    assert {each.code for each in ALL if own_wording(each)} == {"nprs", "psfs"}
    assert own_wording(load("nprs")) == Wording(
        instrument="nprs",
        language="en",
        permission="generic scale, no holder",
        questions={"nprs": "How strong was your pain on average over the last 7 days?"},
        anchors={"nprs": ("no pain at all", "the worst pain you can imagine")},
    )
