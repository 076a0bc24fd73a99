"""Hand-computed scores from each instrument's scoring rule.

Unless a test says otherwise its rule was read in the source that the instrument's data file names; "from memory"
marks rules that nobody could verify (they are editable defaults, and the tests hold them to what the file says). All
expected values are exact arithmetic, done by hand in the comments.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from holdfast.core.issues import Severity
from holdfast.errors import CallError
from holdfast.instruments import Options, ValueSet, load, score


def form(prefix: str, answers: Sequence[object]) -> dict[str, object]:
    return {f"{prefix}{n}": answer for n, answer in enumerate(answers, start=1)}


def codes_of(scored: object) -> list[str]:
    return [issue.code for issue in scored.issues]  # type: ignore[attr-defined]


# Oswestry: total / (5 x answered) x 100 (Rehabilitation Measures Database, mirror) ----


def test_odi_with_all_sections() -> None:
    # 3+1+2+0+4+2+1+0+3+2 = 18 of 50 = 36 %
    scored = score(load("odi"), form("odi", [3, 1, 2, 0, 4, 2, 1, 0, 3, 2]))
    assert scored.values == {"odi": 36.0}
    assert scored.issues == ()


def test_odi_without_the_section_on_sex_life() -> None:
    # 18 of 45 = 40 %
    scored = score(load("odi"), form("odi", [3, 1, 2, 0, 4, 2, 1, None, 3, 2]))
    assert scored.values == {"odi": 40.0}


def test_odi_counts_sex_life_as_missing_when_the_study_presents_it() -> None:
    answers = form("odi", [3, 1, 2, 0, 4, 2, 1, None, 3, 2])
    scored = score(load("odi"), answers, options=Options(presented=frozenset({"odi8"})))
    assert scored.values == {"odi": None}
    assert "odi8" in scored.why("odi")


def test_modi_with_one_section_missed_is_divided_by_45() -> None:
    # the worked example of the form's scoring note: 16 of 50 = 32 %, 16 of 45 = 35.5 % (cut, not rounded, there)
    assert score(load("modi"), form("modi", [4, 4, 4, 4, 0, 0, 0, 0, 0, 0])).values == {"modi": 32.0}
    missed = score(load("modi"), form("modi", [4, 4, 4, 4, 0, 0, 0, 0, 0, None]))
    assert missed.values == {"modi": 100 * 16 / 45}
    assert "modi10" in missed.why("modi")


def test_modi_with_two_sections_missed_is_the_protocols_choice() -> None:
    answers = form("modi", [3, 1, 2, 0, None, 2, 1, 0, 3, None])  # 12 of 8 x 5 = 40 -> 30 %
    strict = score(load("modi"), answers)
    assert strict.values == {"modi": None}
    assert strict.why("modi") == "no score, because 8 of 10 items answered, 9 needed."
    chosen = score(load("modi"), answers, options=Options(min_answered={"modi": 8}))
    assert chosen.values == {"modi": 30.0}
    assert chosen.rule_version == "modi rule 1 (modi>=8)"
    assert "missing-filled" in codes_of(chosen)
    refused = score(load("modi"), answers | {"modi10": 2}, options=Options(min_answered={"modi": 10}))
    assert refused.values == {"modi": None}


# Roland-Morris: number of ticked statements, not ticked = 0 (2000 Spine paper, mirror) ----


def test_rmdq_counts_ticks() -> None:
    scored = score(load("rmdq-24"), form("rmdq", [1] * 7 + [0] * 17))
    assert scored.values == {"rmdq": 7.0}
    assert scored.issues == ()


def test_rmdq_counts_an_empty_statement_as_not_ticked_and_says_so() -> None:
    scored = score(load("rmdq-24"), form("rmdq", [1] * 7 + [None] * 3 + [0] * 14))
    assert scored.values == {"rmdq": 7.0}
    (note,) = scored.issues
    assert note.severity is Severity.NOTE
    assert note.what == "3 of 24 items carry no answer and were counted as not ticked: rmdq8, rmdq9, rmdq10."


def test_rmdq_presented_and_nothing_ticked_is_0_but_an_empty_form_has_no_score() -> None:
    assert score(load("rmdq-24"), form("rmdq", [False] * 24)).values == {"rmdq": 0.0}
    assert score(load("rmdq-24"), form("rmdq", [None] * 24)).values == {"rmdq": None}


# Single numbers ----


def test_nprs_is_its_answer() -> None:
    assert score(load("nprs"), {"nprs": 6}).values == {"nprs": 6.0}
    assert score(load("nprs"), {"nprs": 6.5}).values == {"nprs": None}


def test_a_measurement_outside_what_is_plausible_is_kept_with_a_warning() -> None:
    scored = score(load("vo2max"), {"vo2max": 92.0})
    assert scored.values == {"vo2max": 92.0}
    assert [(issue.code, issue.severity) for issue in scored.issues] == [("implausible", Severity.WARNING)]


def test_headache_score_reaches_4_ratings_x_7_days_x_5_points() -> None:
    assert load("headache-score").score().high == 4 * 7 * 5


# Patient-specific scale: mean of the named activities (from memory) ----


def test_psfs_is_the_mean_of_three_to_five_activities() -> None:
    assert score(load("psfs"), form("psfs", [2, 4, 6])).values == {"psfs": 4.0}
    assert score(load("psfs"), form("psfs", [2, 4, 6, 9])).values == {"psfs": 21 / 4}
    assert score(load("psfs"), form("psfs", [2, 4])).values == {"psfs": None}


def test_psfs_needs_the_activities_that_were_locked() -> None:
    locked = Options(presented=frozenset({"psfs4"}))
    assert score(load("psfs"), form("psfs", [2, 4, 6]), options=locked).values == {"psfs": None}


# Tampa: sum of 1-4, items 4, 8, 12, 16 reversed (awell-health/awell-score, osteopathy.org.au) ----


def test_tsk17_reverses_four_items() -> None:
    # all answers 1: thirteen items give 13, four reversed items give 4 each: 13 + 16 = 29; all 4: 52 + 4 = 56
    assert score(load("tsk-17"), form("tsk", [1] * 17)).values == {"tsk": 29.0}
    assert score(load("tsk-17"), form("tsk", [4] * 17)).values == {"tsk": 56.0}


def test_tsk17_ends() -> None:
    fearless = [4 if n in {4, 8, 12, 16} else 1 for n in range(1, 18)]
    assert score(load("tsk-17"), form("tsk", fearless)).values == {"tsk": 17.0}
    assert score(load("tsk-17"), form("tsk", [5 - answer for answer in fearless])).values == {"tsk": 68.0}


def test_tsk17_prorates_with_reversed_answers_when_the_protocol_allows() -> None:
    # 16 answered, all 1, tsk4 missing: 13 + 3 x 4 = 25; 25 x 17 / 16 = 26.5625
    answers = form("tsk", [1, 1, 1, None] + [1] * 13)
    assert score(load("tsk-17"), answers).values == {"tsk": None}
    chosen = score(load("tsk-17"), answers, options=Options(min_answered={"tsk": 15}))
    assert chosen.values == {"tsk": 26.5625}


def test_tsk11_reverses_none() -> None:
    assert score(load("tsk-11"), form("tsk11_", [1] * 11)).values == {"tsk11": 11.0}
    assert score(load("tsk-11"), form("tsk11_", [4] * 11)).values == {"tsk11": 44.0}


# PCS, FABQ, PSEQ: sums and subscales ----


def test_pcs_total_and_subscales() -> None:
    # answer n mod 5 to item n: 1 2 3 4 0 1 2 3 4 0 1 2 3 -> total 26
    # R 8-11: 3+4+0+1 = 8; M 6, 7, 13: 1+2+3 = 6; H 1-5, 12: 1+2+3+4+0+2 = 12
    scored = score(load("pcs"), form("pcs", [n % 5 for n in range(1, 14)]))
    assert scored.values == {"pcs": 26.0, "pcs-rumination": 8.0, "pcs-magnification": 6.0, "pcs-helplessness": 12.0}


def test_fabq_subscales_leave_five_items_out() -> None:
    # guideline table PMC4893951: PA items 2-5: 2+3+4+5 = 14; W items 6, 7, 9, 10, 11, 12, 15: 6+0+2+3+4+5+1 = 21
    answers = form("fabq", [6, 2, 3, 4, 5, 6, 0, 6, 2, 3, 4, 5, 6, 6, 1, 6])
    scored = score(load("fabq"), answers)
    assert scored.values == {"fabq-pa": 14.0, "fabq-w": 21.0}
    distractors = {f"fabq{n}": None for n in (1, 8, 13, 14, 16)}
    assert score(load("fabq"), {**answers, **distractors}).values == scored.values


def test_a_missing_item_costs_only_the_subscale_it_belongs_to() -> None:
    answers = form("fabq", [0] * 16) | {"fabq11": None}
    assert score(load("fabq"), answers).values == {"fabq-pa": 0.0, "fabq-w": None}


def test_pseq_is_a_sum_and_higher_is_better() -> None:
    assert score(load("pseq"), form("pseq", [6, 5, 4, 3, 2, 1, 0, 6, 5, 4])).values == {"pseq": 36.0}
    assert load("pseq").score().better == "higher"


# PHQ, GAD: sums, up to two missing items by the person's mean (from memory) ----


def test_phq9_sum_and_safety_flag() -> None:
    scored = score(load("phq-9"), form("phq", [1, 2, 0, 3, 1, 0, 2, 0, 1]))
    assert scored.values == {"phq9": 10.0}
    (flag,) = scored.issues
    assert (flag.code, flag.where, flag.severity) == ("safety-flag", "item phq9", Severity.WARNING)


def test_phq9_raises_no_flag_at_0_or_without_an_answer() -> None:
    assert "safety-flag" not in codes_of(score(load("phq-9"), form("phq", [3] * 8 + [0])))
    assert "safety-flag" not in codes_of(score(load("phq-9"), form("phq", [3] * 8)))


def test_phq9_flag_is_raised_even_when_there_is_no_score() -> None:
    scored = score(load("phq-9"), {"phq9": 3})
    assert scored.values == {"phq9": None}
    assert "safety-flag" in codes_of(scored)


def test_phq9_prorates_two_missing_items_but_not_three() -> None:
    # seven answers of 2 = 14; 14 x 9 / 7 = 18
    two = score(load("phq-9"), form("phq", [2] * 6 + [None, None, 2]))
    assert two.values == {"phq9": 18.0}
    assert "from memory" in two.why("phq9")
    assert score(load("phq-9"), form("phq", [2] * 5 + [None] * 3 + [2])).values == {"phq9": None}
    strict = Options(min_answered={"phq9": 9})
    assert score(load("phq-9"), form("phq", [2] * 6 + [None, None, 2]), options=strict).values == {"phq9": None}


def test_phq8_has_the_first_eight_items_of_the_phq9() -> None:
    assert [item.id for item in load("phq-8").items] == [item.id for item in load("phq-9").items][:8]
    assert score(load("phq-8"), form("phq", [3] * 8)).values == {"phq8": 24.0}


def test_gad7_prorates_to_a_number_that_is_not_rounded() -> None:
    # six answers, sum 7: 7 x 7 / 6 = 49 / 6
    assert score(load("gad-7"), form("gad", [1, 1, 1, 1, 1, 2, None])).values == {"gad7": 49 / 6}


# EQ-5D-5L: profile and VAS; index only from the user's value set ----

STATE = dict(zip(["eq5d_mo", "eq5d_sc", "eq5d_ua", "eq5d_pd", "eq5d_ad"], [2, 1, 1, 4, 3], strict=True))


def test_eq5d_profile_is_written_in_the_order_of_the_dimensions() -> None:
    scored = score(load("eq-5d-5l"), {**STATE, "eq5d_vas": 70})
    assert scored.values == {"eq-profile": "21143", "eq-index": None, "eq-vas": 70.0}
    assert "value set" in scored.why("eq-index")


def test_eq5d_index_is_looked_up_in_the_users_value_set() -> None:
    made_up = ValueSet("made-up values", {"21143": 0.5})
    scored = score(load("eq-5d-5l"), STATE, options=Options(value_set=made_up))
    assert scored.values["eq-index"] == 0.5
    assert "made-up values" in scored.rule_version
    lacking = score(load("eq-5d-5l"), {**STATE, "eq5d_mo": 1}, options=Options(value_set=made_up))
    assert lacking.values["eq-index"] is None
    assert "11143" in lacking.why("eq-index")


def test_eq5d_without_one_dimension_has_neither_profile_nor_index() -> None:
    scored = score(load("eq-5d-5l"), {**STATE, "eq5d_ad": None, "eq5d_vas": 70})
    assert scored.values == {"eq-profile": None, "eq-index": None, "eq-vas": 70.0}


# What the engine refuses ----


@pytest.mark.parametrize("answer", ["two", "2,5", "nan", float("inf"), True, [2], 2.5, -1, 11])
def test_an_answer_that_cannot_be_used_is_an_issue_not_a_missing_value(answer: object) -> None:
    scored = score(load("psfs"), form("psfs", [2, 4, 6, answer]))
    assert scored.values == {"psfs": None}
    assert "invalid-answer" in codes_of(scored)


@pytest.mark.parametrize("empty", [None, "", "  ", float("nan")])
def test_what_counts_as_no_answer(empty: object) -> None:
    assert score(load("psfs"), form("psfs", [2, 4, 6, empty])).values == {"psfs": 4.0}


@pytest.mark.parametrize("answer", [5, 5.0, "5", " 5 ", "5.0"])
def test_what_counts_as_the_number_five(answer: object) -> None:
    assert score(load("nprs"), {"nprs": answer}).values == {"nprs": 5.0}


def test_an_unknown_item_is_named_with_the_nearest() -> None:
    scored = score(load("nprs"), {"nprs": 5, "nrps": 4})
    assert scored.values == {"nprs": 5.0}
    assert [(issue.code, issue.remedy) for issue in scored.issues] == [("unknown-item", "Did you mean 'nprs'?")]


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("modi", Options(min_answered={"odi": 8}), "has no score 'odi'"),
        ("modi", Options(min_answered={"modi": 11}), "it has 10 items"),
        ("modi", Options(min_answered={"modi": 0}), "it has 10 items"),
        ("nprs", Options(min_answered={"nprs": 1}), "no rule for missing"),
        ("modi", Options(presented=frozenset({"modi8"})), "not an optional item"),
        ("modi", Options(value_set=ValueSet("x", {})), "takes no value set"),
    ],
)
def test_options_that_do_not_fit_are_the_callers_mistake(code: str, options: Options, message: str) -> None:
    with pytest.raises(CallError, match=message):
        score(load(code), {}, options=options)


# Bands ----


@pytest.mark.parametrize(
    ("code", "score_code", "value", "label"),
    [
        ("phq-9", "phq9", 4, "minimal"),  # PHQ-9: 5, 10, 15, 20 open the next band (Kroenke 2001)
        ("phq-9", "phq9", 5, "mild"),
        ("phq-9", "phq9", 20, "severe"),
        ("gad-7", "gad7", 14.9, "moderate"),
        ("tsk-17", "tsk", 37, "not high"),  # high is above 37 (Vlaeyen 1995, restated)
        ("tsk-17", "tsk", 38, "high"),
        ("fabq", "fabq-w", 29, "not high"),  # above 29
        ("rmdq-24", "rmdq", 2, "recovered"),  # Kamper 2010: 2 or less
        ("nprs", "nprs", 1, "not recovered"),  # Kamper 2010: 0
        ("modi", "modi", 20, "minimal"),  # 0-20, 21-40 ... (Ann Surg Innov Res 2013;7:12)
        ("modi", "modi", 20.5, "moderate"),
    ],
)
def test_bands(code: str, score_code: str, value: float, label: str) -> None:
    bands = load(code).score(score_code).bands
    assert bands is not None
    assert bands.name(value) == label
