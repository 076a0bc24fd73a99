"""Instrument tables, options and value sets that users write: every problem is named, none is a traceback."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from holdfast.core.issues import Severity
from holdfast.instruments import instrument_from, options_from, score, value_set_from

GRIP = {
    "code": "grip",
    "name": "Grip strength",
    "kind": "measurement",
    "unit": "kg",
    "low": 0,
    "high": 120,
    "plausible": [5, 90],
    "better": "higher",
}

OWN = """
code = "calm"
name = "Calm before training"
kind = "questionnaire"
measures = "calm"
primary = "calm"
rule_version = "1"

[licence]
status = "our own"
ships = "text"

[reverse]
items = ["calm2"]

[[items]]
ids = ["calm1", "calm2"]
low = 1
high = 5
text = ["I feel calm.", "I feel nervous."]

[[scores]]
code = "calm"
name = "calm"
rule = "sum"
low = 2
high = 10
better = "higher"
unit = "points"
sure = "own"
source = "this study"

[scores.missing]
then = "none"
"""


def own(**changes: Any) -> dict[str, Any]:
    return {**tomllib.loads(OWN), **changes}


def problems(table: dict[str, Any]) -> list[str]:
    instrument, issues = instrument_from(table, "study.toml")
    assert instrument is None
    return [str(issue) for issue in issues]


def test_a_studys_own_measurement() -> None:
    instrument, issues = instrument_from(GRIP, "study.toml")
    assert issues == []
    assert instrument is not None
    assert score(instrument, {"grip": 41.5}).values == {"grip": 41.5}
    assert [issue.code for issue in score(instrument, {"grip": 95}).issues] == ["implausible"]


def test_a_measurement_may_leave_its_bounds_open() -> None:
    table = {key: value for key, value in GRIP.items() if key not in {"low", "high", "plausible"}}
    instrument, issues = instrument_from(table, "study.toml")
    assert issues == []
    assert instrument is not None
    assert score(instrument, {"grip": -3e6}).values == {"grip": -3e6}
    assert instrument.score().low is None


def test_a_studys_own_questionnaire() -> None:
    instrument, issues = instrument_from(own(), "study.toml")
    assert issues == []
    assert instrument is not None
    assert score(instrument, {"calm1": 5, "calm2": 2}).values == {"calm": 9.0}  # 5 + (1 + 5 - 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"better": "smaller"}, "better is 'smaller'. It should be one of lower, higher."),
        ({"better": "highr"}, "It should be 'higher' (nearest)"),
        ({"low": "0"}, "low is '0'. It should be a number."),
        ({"low": 200}, "its range does not ascend"),
        ({"plausible": [-5, 50]}, "plausible lies outside it"),
        ({"plausible": [90, 5]}, "It should be [low, high]."),
        ({"unti": "kg"}, "'unti' is not a key here. Known: 'unit' (nearest)"),
        ({"name": ""}, "name is ''"),
        ({"kind": "measurment"}, "'measurement' (nearest)"),
        ({"mics": [{"score": "grip", "population": "adults"}]}, "has no size"),
        ({"mics": [{"score": "grp", "absolute": 5, "population": "adults"}]}, "there is no 'grp'"),
        ({"bands": {"cuts": [20, 10], "labels": ["a", "b", "c"], "at_cut": "upper"}}, "ascending order"),
        ({"sure": "verified"}, "source is missing"),
    ],
)
def test_each_problem_of_a_measurement_is_named(change: dict[str, Any], message: str) -> None:
    assert any(message in problem for problem in problems({**GRIP, **change})), problems({**GRIP, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"primary": "clam"}, "there is no 'clam'"),
        ({"reverse": {"items": ["calm3"]}}, "'calm3' is not an item"),
        ({"licence": {"status": "theirs", "ships": "scoring only"}}, "only the scoring may ship"),
        ({"scores": []}, "there is no 'calm'"),
        ({"items": "calm1"}, "It should be a list of tables."),
        ({"items": [{"ids": ["calm1", "calm2", "calm1"], "low": 1, "high": 5}]}, "the name 'calm1' is used twice"),
        ({"items": [{"ids": ["calm1", "calm2"], "low": 1, "high": 5, "text": ["one"]}]}, "there are 1 for 2 ids"),
        ({"safety": [{"item": "calm9", "above": 0, "says": "look"}]}, "there is no 'calm9'"),
    ],
)
def test_each_problem_of_a_questionnaire_is_named(change: dict[str, Any], message: str) -> None:
    assert any(message in problem for problem in problems(own(**change))), problems(own(**change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"high": 12}, "it says 2.0 to 12.0, its items give 2 to 10"),
        ({"rule": "summ"}, "'sum' (nearest)"),
        ({"rule": "single"}, "takes one item"),
        ({"missing": {"then": "zero"}}, "'sum' cannot 'zero'"),
        ({"missing": {"then": "prorate", "min_answered": 3}}, "more than there are items"),
        ({"missing": {"then": "prorate", "min_answered": 0}}, "a whole number of at least 1"),
        ({"items": ["calm1", "calm7"]}, "there is no 'calm7'"),
        ({"better": "none"}, "which end is better?"),
        ({"source": ""}, "name the source"),
        ({"params": {"weight": 2}}, "constants do not fit: weight"),
    ],
)
def test_each_problem_of_a_score_is_named(change: dict[str, Any], message: str) -> None:
    table = own()
    table["scores"] = [{**table["scores"][0], **change}]
    assert any(message in problem for problem in problems(table)), problems(table)


def test_all_problems_come_in_one_pass() -> None:
    assert len(problems({"code": "x", "kind": "measurement", "unti": "kg"})) == 4  # name, better, unit, unti


# Options ----


def test_options_as_a_study_file_states_them() -> None:
    options, issues = options_from({"min_answered": {"modi": 8}, "presented": ["odi8"]}, "study.toml scoring")
    assert issues == []
    assert options is not None
    assert options.label() == "modi>=8, presented odi8"


@pytest.mark.parametrize("table", [{"min_answerd": {}}, {"min_answered": {"modi": 7.5}}, {"presented": "odi8"}])
def test_options_that_cannot_be_meant(table: dict[str, Any]) -> None:
    options, issues = options_from(table, "study.toml scoring")
    assert options is None
    assert len(issues) == 1


# Value sets ----


def test_a_value_set_file() -> None:
    values, issues = value_set_from("\ufeffprofile,index\r\n11111,1\r\n55555,-0.5\r\n", "Nowhere 2020")
    assert values is not None
    assert values.values == {"11111": 1.0, "55555": -0.5}
    assert [(issue.code, issue.severity) for issue in issues] == [("incomplete-value-set", Severity.WARNING)]


def test_a_complete_value_set_has_all_3125_profiles() -> None:
    digits = "12345"
    states = [a + b + c + d + e for a in digits for b in digits for c in digits for d in digits for e in digits]
    text = "profile,index\n" + "".join(f"{state},{1 - (sum(map(int, state)) - 5) / 20}\n" for state in states)
    values, issues = value_set_from(text, "made-up")
    assert values is not None
    assert issues == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the columns are nothing"),
        ("state,value\n11111,1\n", "the columns are state, value"),
        ("profile;index\n11111;1\n", "the columns are profile;index"),
        ("profile,index\n1111,1\n", "not five digits"),
        ("profile,index\n11116,1\n", "not five digits"),
        ("profile,index\n11111,1\n11111,1\n", "is here twice"),
        ('profile,index\n11112,"0,9"\n', "not a number with a decimal point"),
        ("profile,index\n11112,1.2\n", "outside -2 to 1"),
        ("profile,index\n11112,nan\n", "outside -2 to 1"),
        ("profile,index\n11112\n", "not a number"),
    ],
)
def test_a_file_that_is_no_value_set(text: str, message: str) -> None:
    values, issues = value_set_from(text, "broken.csv")
    assert values is None
    assert message in str(issues[0])
