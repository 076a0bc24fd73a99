"""Numbers as printed."""

from __future__ import annotations

import math

import pytest

from holdfast.report.figures.svg import tidy
from holdfast.report.linking import pieces
from holdfast.report.words import contrast, estimate, interval, join, mean_sd, number, p_value, quartiles


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-4.603704, 1, "−4.6"),
        (-0.04, 1, "0.0"),
        (1234567.0, 0, "1 234 567"),
        (math.nan, 1, "–"),
        (None, 1, "–"),
        (math.inf, 1, "∞"),
        (-math.inf, 1, "−∞"),
    ],
)
def test_numbers(value: float | None, decimals: int, text: str) -> None:
    assert number(value, decimals) == text


def test_estimates_and_intervals() -> None:
    assert estimate(-4.603704, -7.047485, -2.159924) == "−4.6 (−7.0 to −2.2)"
    assert interval(0.5, math.inf) == "0.5 to ∞"


@pytest.mark.parametrize(
    ("p", "text"), [(0.000251, "<0.001"), (0.0042, "0.004"), (0.05, "0.050"), (0.31, "0.31"), (math.nan, "–")]
)
def test_p_values(p: float, text: str) -> None:
    assert p_value(p) == text


def test_summaries() -> None:
    assert mean_sd([1.0, 2.0, 3.0, math.nan]) == "2.0 (1.0)"  # the sample SD of 1, 2, 3 is 1
    assert mean_sd([]) == "–"
    assert quartiles([1, 2, 3, 4, 5], 0) == "3 (2 to 4)"  # linear interpolation, as R's type 7
    assert join(["a", "b", "c"]) == "a, b and c"
    assert contrast("HIT - MIT at FU", "FU") == "HIT − MIT"


def test_references_become_runs() -> None:
    assert pieces("see {{flow}} and {{nowhere}}", {"flow": "Participant flow"}) == [
        {"text": "see "},
        {"text": "Participant flow", "to": "flow"},
        {"text": " and "},
        {"text": "nowhere"},
    ]


def test_svg_styles_become_attributes() -> None:
    raw = (
        '<?xml version="1.0"?><svg><defs><style type="text/css">*{}</style></defs>'
        '<g id="a" style="fill: none; font: bold 8px \'DejaVu Sans\', sans-serif"><use xlink:href="#b"/></g></svg>'
    )
    out = tidy(raw, "fig", "A title")
    assert 'fill="none"' in out
    assert 'font-size="8px"' in out
    assert 'font-weight="bold"' in out
    assert 'id="fig-a"' in out
    assert 'xlink:href="#fig-b"' in out
    assert "style" not in out
