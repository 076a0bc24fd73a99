"""How numbers are said, and what a Wald row holds."""

from __future__ import annotations

import math

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from holdfast.errors import CallError
from holdfast.stats.estimates import COLUMNS, interval_only, number, p_text, say, wald
from holdfast.stats.frames import as_levels, pair_of, split_contrast, to_pandas, variables_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.6037, "4.60"),
        (-12.34, "-12.3"),
        (0.000251, "0.000251"),
        (123.456, "123.5"),
        (12345.6, "12346"),
        (0.0, "0"),
        (-0.0, "0"),
        (math.nan, "not defined"),
        (math.inf, "infinity"),
        (-math.inf, "-infinity"),
        (1.5e-9, "1.50e-09"),
    ],
)
def test_numbers_as_papers_print_them(value: float, text: str) -> None:
    assert number(value) == text


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-6, 1e6), st.sampled_from([-1, 1]))
def test_a_printed_number_is_within_half_a_unit_of_its_third_figure(size: float, sign: int) -> None:
    text = number(sign * size)
    assert "e" not in text
    assert float(text) == pytest.approx(sign * size, rel=5.01e-3)


def test_p_values() -> None:
    assert p_text(0.00009) == "p < 0.0001"
    assert p_text(0.0499) == "p = 0.0499"
    assert p_text(0.049996) == "p = 0.049996"
    assert p_text(0.05) == "p = 0.05"
    assert p_text(0.5) == "p = 0.5"


def test_wald_row_by_definition() -> None:
    """Derivation: estimate -+ t quantile times se; an infinite df is the normal."""
    row = wald("x", 2.0, 1.0, df=10, level=0.9)
    assert row.high == pytest.approx(2 + stats.t.ppf(0.95, 10))
    assert row.p == pytest.approx(2 * stats.t.sf(2, 10))
    assert wald("x", 2.0, 1.0).low == pytest.approx(2 - 1.959963985)
    assert list(row.table.columns) == ["name", *COLUMNS]
    assert math.isnan(wald("x", 2.0, 0.0).p)
    assert "SE" not in say(interval_only("x", 1.0, 0.0, 2.0))


def test_contrasts_are_read_against_the_arms() -> None:
    arms = ("high - intensity", "moderate", "control")
    assert split_contrast("high - intensity - control", arms) == ("high - intensity", "control")
    assert pair_of(None, arms[1:]) == ("control", "moderate")
    with pytest.raises(CallError, match="there are 3 arms"):
        pair_of(None, arms)


def test_levels_keep_their_declared_order() -> None:
    declared = pd.Series(pd.Categorical(["b", "a", None], categories=["b", "c", "a"]))
    assert list(as_levels(declared).cat.categories) == ["b", "a"]
    assert list(as_levels(pd.Series([1.0, 0.0, 10.0])).cat.categories) == ["0", "1", "10"]


def test_frames_and_terms() -> None:
    assert list(to_pandas(pl.DataFrame({"a": [1], "b": [2]}), ["b"]).columns) == ["b"]
    assert variables_of(["baseline", "C(sex)", "age * C(sex)"]) == ("baseline", "sex", "age")
    with pytest.raises(CallError, match="not a data frame"):
        to_pandas([1, 2, 3])
