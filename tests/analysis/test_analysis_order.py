"""The declared order of tests: fixed sequence and families, by hand."""

from __future__ import annotations

import math

import pytest

from holdfast.analysis import order as order_of_tests
from holdfast.analysis.results import Analysed, Found, Row
from holdfast.study.parse import parse

STUDY = """
hierarchy = %s
[study]
code = "order"
title = "Order"
version = "1"
[randomisation]
scheme = "external"
[[arms]]
code = "HIT"
[[arms]]
code = "MIT"
[[visits]]
code = "PRE"
[[visits]]
code = "POST"
offset = "12 weeks"
[[outcomes]]
code = "d"
instrument = "modi"
role = "primary"
visits = ["PRE", "POST"]
"""
ANALYSIS = """
[[analyses]]
code = "%s"
model = "ancova"
role = "primary"
outcome = "d"
at = "POST"
contrasts = ["HIT - MIT"]
"""


def study(order: str):
    text = STUDY % order + "".join(ANALYSIS % code for code in ("disability", "pain", "fear"))
    found, issues = parse(text)
    assert found is not None, [str(issue) for issue in issues]
    return found


def analysed(code: str, p: float) -> Analysed:
    row = Row("HIT - MIT", "POST", 1.0, 1.0, 10.0, 0.0, 2.0, p)
    return Analysed(code, code, "primary", "ancova", "d", "POST", "all", "all", {}, Found("m", 1, (row,)))


def decided(order: str, **p: float) -> list[tuple[str, float, str]]:
    told = order_of_tests.tested(study(order), [analysed(code, value) for code, value in p.items()])
    return [(one.analysis, one.adjusted, one.decision) for one in told]


def test_a_fixed_sequence_stops_at_the_first_that_is_not_won():
    assert decided('["disability", "pain", "fear"]', disability=0.01, pain=0.20, fear=0.001) == [
        ("disability", 0.01, "significant"),
        ("pain", 0.20, "not significant"),
        ("fear", 0.20, "not tested"),
    ]


@pytest.mark.parametrize(
    ("method", "adjusted", "decisions"),
    [
        # p = 0.03 and 0.04. Holm: 2 x 0.03 = 0.06, then max(0.06, 0.04); Hochberg: both min(0.04, ...) = 0.04.
        ("holm", (0.06, 0.06), ("not significant", "not significant")),
        ("hochberg", (0.04, 0.04), ("significant", "significant")),
        ("bonferroni", (0.06, 0.08), ("not significant", "not significant")),
    ],
)
def test_a_family_shares_alpha_as_declared(method: str, adjusted: tuple[float, ...], decisions: tuple[str, ...]):
    order = f'["disability", {{ analyses = ["pain", "fear"], method = "{method}" }}]'
    told = decided(order, disability=0.01, pain=0.03, fear=0.04)
    assert [one[1] for one in told[1:]] == pytest.approx(adjusted)
    assert tuple(one[2] for one in told[1:]) == decisions


def test_an_analysis_without_a_p_value_closes_the_order():
    told = decided('["disability", "pain"]', disability=math.nan, pain=0.001)
    assert [one[2] for one in told] == ["no p value", "not tested"]


def test_an_unknown_analysis_in_a_family_is_a_problem_with_its_line():
    order = '["disability", { analyses = ["pain", "faer"] }]'
    _, issues = parse(STUDY % order + ANALYSIS % "disability" + ANALYSIS % "pain")
    assert [issue.line for issue in issues if issue.code == "unknown-analysis"] == [2]
