"""Typed rules over screening answers, and the pre-participation step."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.study.eligibility import assess, holds, preparticipation
from holdfast.study.model import Eligibility, Question, Rule

QUESTIONS = (
    Question(code="age", text="Age", type="number"),
    Question(code="pregnant", text="Pregnant"),
    Question(code="side", text="Side", type="choice", choices=("left", "right", "both")),
    Question(code="since", text="Since", type="date"),
    Question(code="free", text="Anything else", type="text"),
)


def rules(*given_rules):
    return Eligibility(questions=QUESTIONS, rules=given_rules)


ADULT = Rule(code="adult", text="25 to 60", question="age", at_least=25, at_most=60)
NOT_PREGNANT = Rule.model_validate(
    {"code": "pregnant", "text": "pregnancy", "question": "pregnant", "kind": "exclude", "is": True}
)


@pytest.mark.parametrize(
    ("answers", "failed", "undecided"),
    [
        ({"age": 25, "pregnant": False}, (), ()),
        ({"age": 60, "pregnant": False}, (), ()),
        ({"age": 24.9, "pregnant": False}, ("adult",), ()),
        ({"age": 40, "pregnant": True}, ("pregnant",), ()),
        ({"age": 61, "pregnant": True}, ("adult", "pregnant"), ()),
        ({"age": 40}, (), ("pregnant",)),
        ({"age": 40, "pregnant": None}, (), ("pregnant",)),
        ({}, (), ("adult", "pregnant")),
    ],
)
def test_include_and_exclude_rules(answers, failed, undecided):
    verdict = assess(rules(ADULT, NOT_PREGNANT), answers)
    assert (verdict.failed, verdict.undecided) == (failed, undecided)
    assert verdict.eligible == (not failed and not undecided)


@pytest.mark.parametrize(
    ("condition", "answer", "expected"),
    [
        ({"more_than": 20}, 20, False),
        ({"more_than": 20}, 20.1, True),
        ({"less_than": 30}, 30, False),
        ({"less_than": 30}, 29, True),
        ({"at_least": 20, "less_than": 30}, 30, False),
        ({"is": 0}, 0, True),
        ({"is": 0}, False, False),
        ({"is": False}, 0, False),
        ({"is": True}, 1, False),
        ({"is": "left"}, "left", True),
        ({"one_of": ("left", "both")}, "both", True),
        ({"one_of": ("left", "both")}, "right", False),
        ({"at_least": 1}, True, False),
        ({"at_least": 1}, "2", False),
    ],
)
def test_one_condition(condition, answer, expected):
    rule = Rule.model_validate({"code": "r", "text": "t", "question": "q", **condition})
    assert holds(rule, answer) is expected


@settings(max_examples=50)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-100, 100), st.floats(-100, 100))
def test_at_least_and_less_than_part_the_numbers(answer, one, two):
    low, high = sorted((one, two))
    inside = Rule(code="r", text="t", question="q", at_least=low, less_than=high)
    assert holds(inside, answer) == (low <= answer < high)


@pytest.mark.parametrize(
    "answers",
    [{"age": "40"}, {"age": True}, {"pregnant": "no"}, {"pregnant": 0}, {"side": "up"}, {"since": "soon"},
     {"since": 2020}, {"free": 1}, {"shoe": 43}],
)  # fmt: skip
def test_an_answer_that_does_not_fit_decides_nothing(answers):
    verdict = assess(rules(ADULT), {"age": 20, **answers})
    assert verdict.issues
    assert (verdict.failed, verdict.eligible) == ((), False)


def test_a_concern_is_a_level_and_an_action_and_no_exclusion():
    flag = Rule.model_validate(
        {"code": "flag", "text": "a sign", "question": "pregnant", "kind": "concern", "is": True, "level": "high",
         "action": "refer"}
    )  # fmt: skip
    verdict = assess(rules(flag), {"pregnant": True})
    assert verdict.eligible
    assert [(need.rule, need.level, need.action) for need in verdict.concerns] == [("flag", "high", "refer")]


SCREEN = tuple(Question(code=code, text=code) for code in ("active", "cmr_disease", "symptoms"))


@pytest.mark.parametrize(
    ("active", "disease", "symptoms", "needed"),
    [
        # the algorithm of Riebe 2015 before vigorous training: none only for active people without disease or symptoms
        (True, False, False, ""),
        (False, False, False, "inactive"),
        (True, True, False, "cmr_disease"),
        (False, True, False, "cmr_disease"),
        (True, False, True, "symptoms"),
        (False, True, True, "symptoms"),
    ],
)
def test_clearance_before_vigorous_training(active, disease, symptoms, needed):
    answers = {"active": active, "cmr_disease": disease, "symptoms": symptoms}
    assert [need.rule for need in preparticipation(answers)] == [needed] * bool(needed)
    study = Eligibility(questions=SCREEN)
    assert [need.rule for need in assess(study, answers, vigorous=True).clearances] == [needed] * bool(needed)
    assert assess(study, answers, vigorous=False).clearances == ()


def test_a_study_that_states_its_own_clearance_rules_keeps_them():
    own = Rule.model_validate(
        {"code": "own", "text": "t", "question": "active", "kind": "clearance", "is": False, "action": "ask Dr A"}
    )
    verdict = assess(
        Eligibility(questions=SCREEN, rules=(own,)),
        {"active": False, "cmr_disease": True, "symptoms": False},
        vigorous=True,
    )
    assert [need.rule for need in verdict.clearances] == ["own"]
