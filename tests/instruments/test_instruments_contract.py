"""The contract: what every shipped instrument must fulfil, whatever it measures."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from holdfast.errors import CallError
from holdfast.instruments import Instrument, Kind, WhenMissing, codes, instrument_from, load, score

ALL = [load(code) for code in codes()]
each_instrument = pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.code)

ISSUE_2 = [
    "modi",
    "odi",
    "rmdq-24",
    "nprs",
    "psfs",
    "tsk-17",
    "tsk-11",
    "pcs",
    "fabq",
    "pseq",
    "eq-5d-5l",
    "ipaq-sf",
    "phq-9",
    "phq-8",
    "gad-7",
]
MEASUREMENTS = [
    "vo2max",
    "cycling-time",
    "back-strength",
    "abdominal-strength",
    "headache-score",
    "headache-days",
    "bdi",
    "one-rm",
    "weekly-pain",
]


def ends(instrument: Instrument, end: str) -> dict[str, float]:
    """A complete form with every answer at its lowest or highest as the score counts it."""
    low = {item.id: item.high if item.reverse else item.low for item in instrument.items}
    high = {item.id: item.low if item.reverse else item.high for item in instrument.items}
    return low if end == "low" else high


def test_every_instrument_that_was_promised_ships() -> None:
    assert codes() == sorted(ISSUE_2 + MEASUREMENTS)


def test_an_unknown_code_names_the_nearest() -> None:
    with pytest.raises(CallError, match="did you mean 'tsk-17'"):
        load("tsk17")


@each_instrument
def test_the_file_is_named_after_the_code_and_reads_without_an_issue(instrument: Instrument) -> None:
    text = files("holdfast.instruments").joinpath("data", f"{instrument.code}.toml").read_text(encoding="utf-8")
    again, issues = instrument_from(tomllib.loads(text), f"{instrument.code}.toml")
    assert issues == []
    assert again == instrument


@each_instrument
def test_the_primary_score_is_a_number_with_range_and_direction(instrument: Instrument) -> None:
    primary = instrument.score()
    assert primary.code == instrument.primary
    assert primary.better in {"lower", "higher"}
    assert primary.low is not None
    assert primary.high is not None
    assert primary.low < primary.high
    assert primary.unit


def test_score_codes_are_unique_across_instruments_so_that_tables_can_be_joined() -> None:
    all_codes = [each.code for instrument in ALL for each in instrument.scores]
    assert len(all_codes) == len(set(all_codes))


@each_instrument
def test_an_empty_form_has_no_score_and_says_why_for_each(instrument: Instrument) -> None:
    scored = score(instrument, {})
    assert set(scored.values) == {each.code for each in instrument.scores}
    assert set(scored.values.values()) == {None}
    assert all(scored.why(code) for code in scored.values)


@each_instrument
def test_one_answer_out_of_range_leaves_its_scores_missing_with_a_reason(instrument: Instrument) -> None:
    for item in instrument.items:
        scored = score(instrument, {**ends(instrument, "low"), item.id: item.high + 1})
        assert [issue.code for issue in scored.issues if issue.where == f"item {item.id}"] == ["out-of-range"]
        for each in instrument.scores:
            if item.id in each.items:
                assert scored.values[each.code] is None
                assert item.id in scored.why(each.code)


@each_instrument
def test_scoring_leaves_the_raw_answers_alone_and_names_its_rule(instrument: Instrument) -> None:
    answers = ends(instrument, "low")
    before = dict(answers)
    assert score(instrument, answers).rule_version == f"{instrument.code} rule {instrument.rule_version}"
    assert answers == before


@pytest.mark.parametrize("instrument", [each for each in ALL if each.code != "ipaq-sf"], ids=lambda each: each.code)
def test_better_answers_give_a_better_primary_score(instrument: Instrument) -> None:
    """The ends of the items are the ends of the score, so the stated direction is theirs (IPAQ: see its own tests)."""
    primary = instrument.score()
    assert score(instrument, ends(instrument, "low")).values[primary.code] == primary.low
    assert score(instrument, ends(instrument, "high")).values[primary.code] == primary.high


@each_instrument
def test_several_changes_with_people_and_source_never_one_bare_constant(instrument: Instrument) -> None:
    for each in (*instrument.mics, *instrument.mdcs):
        assert each.population
        assert each.known.source


@each_instrument
def test_words_ship_only_where_the_licence_entry_says_so(instrument: Instrument) -> None:
    if instrument.licence.ships == "scoring only":
        assert not any(item.text for item in instrument.items)
    assert instrument.licence.status


@each_instrument
def test_a_missing_rule_that_was_not_found_is_strict_until_the_protocol_chooses(instrument: Instrument) -> None:
    for each in instrument.scores:
        if each.missing.known.sure.value == "not found":
            assert each.missing.min_answered is None
            assert each.missing.then in {WhenMissing.SKIP, WhenMissing.PRORATE}


def test_measurements_are_one_number() -> None:
    for code in MEASUREMENTS:
        instrument = load(code)
        assert instrument.kind is Kind.MEASUREMENT
        assert [item.id for item in instrument.items] == [code] == [each.code for each in instrument.scores]
