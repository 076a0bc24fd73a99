"""Scoring of tables: same scores as one by one, in the caller's library, nothing dropped."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from holdfast.errors import CallError, DataError
from holdfast.instruments import Options, ValueSet, load, score_table

COLUMNS: dict[str, list[Any]] = {
    "participant": ["p1", "p2", "p3"],
    "nprs": [3, None, 12],
    "visit": ["PRE", "PRE", "POST"],
}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_the_table_comes_back_in_the_callers_library(make: Any) -> None:
    frame = make(COLUMNS)
    scored = score_table(load("nprs"), frame)
    assert type(scored.frame) is type(frame)
    back = nw.from_native(scored.frame, eager_only=True).to_dict(as_series=False)
    assert list(back) == ["participant", "visit", "nprs"]
    assert back["participant"] == ["p1", "p2", "p3"]
    assert [None if pd.isna(value) else value for value in back["nprs"]] == [3.0, None, None]
    assert [issue.where for issue in scored.issues] == ["row 2, score nprs", "row 3, item nprs", "row 3, score nprs"]
    assert scored.rule_version == "nprs rule 1"


def test_a_filtered_pandas_table_keeps_its_rows_and_index() -> None:
    frame = pd.DataFrame({"who": ["a", "b", "c"], "nprs": [1, 2, 3]}).loc[[2, 0]]
    scored = score_table(load("nprs"), frame).frame
    assert list(scored.index) == [2, 0]
    assert list(scored["who"]) == ["c", "a"]
    assert list(scored["nprs"]) == [3.0, 1.0]


def test_pandas_nullable_integers_have_missing_values_too() -> None:
    frame = pd.DataFrame({"nprs": pd.array([4, None], dtype="Int64")})
    scored = score_table(load("nprs"), frame)
    assert scored.frame["nprs"].isna().tolist() == [False, True]
    assert [issue.code for issue in scored.issues] == ["nothing-answered"]


def test_the_callers_table_is_not_changed() -> None:
    frame = pd.DataFrame(COLUMNS)
    before = frame.copy()
    score_table(load("nprs"), frame)
    pd.testing.assert_frame_equal(frame, before)


def test_profiles_are_text_and_an_index_needs_its_value_set() -> None:
    row = {"eq5d_mo": [1], "eq5d_sc": [2], "eq5d_ua": [3], "eq5d_pd": [4], "eq5d_ad": [5], "eq5d_vas": [50]}
    options = Options(value_set=ValueSet("made-up", {"12345": 0.25}))
    scored = score_table(load("eq-5d-5l"), pl.DataFrame(row), options=options)
    assert scored.frame.to_dict(as_series=False) == {"eq-profile": ["12345"], "eq-index": [0.25], "eq-vas": [50.0]}


def test_an_empty_table_gives_an_empty_table() -> None:
    scored = score_table(
        load("nprs"), pl.DataFrame({"who": [], "nprs": []}, schema={"who": pl.String, "nprs": pl.Int64})
    )
    assert scored.frame.columns == ["who", "nprs"]
    assert scored.frame.height == 0


def test_an_absent_column_is_not_taken_for_empty_answers() -> None:
    frame = pd.DataFrame({f"tsk{n}": [1] for n in range(1, 17)})
    with pytest.raises(DataError, match="absent: tsk17"):
        score_table(load("tsk-17"), frame)


def test_columns_of_optional_or_unscored_items_may_be_absent() -> None:
    psfs = score_table(load("psfs"), pd.DataFrame({"psfs1": [1], "psfs2": [2], "psfs3": [6]}))
    assert list(psfs.frame["psfs"]) == [3.0]
    used = [n for n in range(1, 17) if n not in {1, 8, 13, 14, 16}]
    fabq = score_table(load("fabq"), pd.DataFrame({f"fabq{n}": [1] for n in used}))
    assert fabq.frame.iloc[0].to_dict() == {"fabq-pa": 4.0, "fabq-w": 7.0}


def test_a_column_that_scoring_would_overwrite_is_refused() -> None:
    frame = pd.DataFrame({f"pseq{n}": [1] for n in range(1, 11)} | {"pseq": [10]})
    with pytest.raises(CallError, match="already has a column 'pseq'"):
        score_table(load("pseq"), frame)
