"""A small study, its map and its table, which each test spoils in one way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from holdfast.exchange import Options, parse, read, to_drafts
from holdfast.instruments import load
from holdfast.study.model import Study
from holdfast.study.parse import parse as parse_study

STUDY = """
[study]
code = "small"
title = "A small study"
version = "1"
[[arms]]
code = "HIT"
size = 2
[[arms]]
code = "MIT"
size = 1
[randomisation]
scheme = "external"
[[visits]]
code = "PRE"
[[visits]]
code = "POST"
offset = "12 weeks"
[[covariates]]
code = "age"
unit = "years"
low = 18
high = 90
[[covariates]]
code = "sex"
type = "category"
levels = ["female", "male"]
[[measurements]]
code = "torque"
name = "torque"
unit = "Nm"
low = 10
high = 700
better = "higher"
[[outcomes]]
code = "pain"
instrument = "nprs"
role = "primary"
visits = ["PRE", "POST"]
[[outcomes]]
code = "strength"
instrument = "torque"
visits = ["PRE", "POST"]
better = "higher"
"""

MAP = """
[map]
study = "small"
shape = "wide"
[file]
delimiter = ","
encoding = "utf-8"
missing = [""]
[person]
participant = "id"
arm = { column = "group", codes = { 1 = "HIT", 0 = "MIT" } }
[[covariates]]
code = "sex"
column = "sex"
codes = { f = "female", m = "male" }
[[values]]
instrument = "torque"
columns = { PRE = "t1", POST = "t2" }
unit = "Nm"
[[values]]
instrument = "nprs"
columns = { PRE = "p1", POST = "p2" }
[ignore]
note = "free text"
"""

TABLE = "id,group,sex,t1,t2,p1,p2,note\n1,1,f,200,210.5,7,3,a\n2,0,m,300,,6,0,\n3,1,f,150,160,8,4,\n"


@pytest.fixture
def study() -> Study:
    found, issues = parse_study(STUDY)
    assert found is not None, issues
    return found


@pytest.fixture
def bring(study: Study) -> Callable[..., object]:
    """Import a table by a map; either may be changed by (old, new) pairs. Gives drafts, allocation, preview, issues."""

    def run(
        *, map_text: str = MAP, table: str | bytes = TABLE, name: str = "data.csv", of: Study | None = None
    ) -> object:
        mapped, issues = parse(map_text)
        assert mapped is not None, issues
        data = table.encode() if isinstance(table, str) else table
        options = mapped.map.file.options if name.endswith(".csv") else Options()
        found, issues = read(data, name, options=options)
        assert found is not None, issues
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return to_drafts(found, mapped, of or study, instruments=load, at=at, actor="tester")

    return run


@pytest.fixture
def map_text() -> str:
    return MAP


@pytest.fixture
def table_text() -> str:
    return TABLE


@pytest.fixture
def study_text() -> str:
    return STUDY
