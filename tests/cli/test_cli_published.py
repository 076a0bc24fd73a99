"""A published trial, line by line, through its study file alone: import, analyse, report as a user would.

Vickers AJ et al., BMJ 2004;328:744 (acupuncture for chronic headache). The data are the paper's own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def holdfast(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "holdfast.cli.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped study with the real data imported by its map."""
    made = tmp_path_factory.mktemp("acupuncture") / "study"
    shutil.copytree(ROOT / "studies" / "acupuncture", made)
    table = shared / "data/acupuncture_headache_2004/acupuncture.csv"
    done = holdfast("import", table, made, "--map", made / "map.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="module")
def analyses(folder: Path) -> dict[str, Any]:
    """What `holdfast analyse --json` says, by analysis code."""
    done = holdfast("analyse", folder, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["study"] == "acupuncture"
    assert {"code", "method", "n", "estimates", "issues"} <= set(document["analyses"][0])
    assert {"contrast", "at", "estimate", "se", "df", "low", "high", "p"} <= set(
        document["analyses"][0]["estimates"][0]
    )
    return {one["code"]: one for one in document["analyses"]}


# Table 2 and text of the paper as printed: analysis, n, difference, lower, upper (decimals as printed there).
PUBLISHED = [
    ("score-12m", 301, 4.6, 2.2, 7.0, 1),
    ("score-3m", 295, 3.9, 1.6, 6.3, 1),
    ("days-12m", 301, 1.8, 0.6, 2.9, 1),
    ("migraine-12m", 284, 4.9, 2.4, 7.5, 1),
    ("responders-12m", 301, 0.22, 0.11, 0.33, 2),
]


@pytest.mark.parametrize(("code", "n", "estimate", "low", "high", "decimals"), PUBLISHED)
def test_each_printed_line_comes_out(
    analyses: dict[str, Any], code: str, n: int, estimate: float, low: float, high: float, decimals: int
):
    found = analyses[code]
    row = found["estimates"][0]
    assert found["n"] == n
    got = [round(row[key], decimals) for key in ("estimate", "low", "high")]
    assert got == pytest.approx([estimate, low, high], abs=1e-9), "to the printed decimals"


def test_the_numbers_needed_to_treat_are_the_published_ones(analyses: dict[str, Any]):
    """The paper: 4.6 (3.0 to 9.1)."""
    rows = analyses["responders-12m"]["estimates"]
    needed = next(row for row in rows if row["what"].startswith("number needed"))
    assert [round(needed[key], 1) for key in ("estimate", "low", "high")] == [4.6, 3.0, 9.1]


def test_more_digits_from_the_same_data(analyses: dict[str, Any]):
    """reference/ancova (R 4.2.2 lm): 4.603704347 (2.159923827 to 7.047484868), df 283, P 0.0002512227."""
    row = analyses["score-12m"]["estimates"][0]
    found = [row[key] for key in ("estimate", "low", "high", "df", "p")]
    assert found == pytest.approx([4.603704347, 2.1599238264, 7.047484868, 283, 0.0002512226748], rel=1e-8)


def test_the_model_over_visits(analyses: dict[str, Any]):
    """facts/statistics.md row 5 (R mmrm): 4.218088 (df 321.21) at 3 and 4.711122 (df 293.42) at 12 months; 1e-3."""
    three, twelve, change = analyses["mmrm"]["estimates"]
    assert (three["estimate"], three["df"]) == pytest.approx((4.218088, 321.21), abs=5e-3)
    assert (twelve["estimate"], twelve["df"]) == pytest.approx((4.711122, 293.42), abs=5e-3)
    assert (twelve["low"], twelve["high"]) == pytest.approx((2.27, 7.16), abs=5e-3)
    assert change["estimate"] == pytest.approx(0.493034, abs=1e-3)


def test_effect_by_baseline_has_the_published_p_value(analyses: dict[str, Any]):
    """The paper prints P = 0.004 for baseline by group; reference/hte (R): 0.0038199."""
    assert analyses["modification"]["estimates"][0]["p"] == pytest.approx(0.0038199, abs=1e-6)


def test_the_flow_is_the_published_one(folder: Path):
    """Figure 1 of the paper: 694 assessed, 401 randomised (205 and 196), 161 and 140 analysed."""
    done = holdfast("report", folder)
    assert done.returncode == 0, done.stderr
    page = (folder / "report" / "report.html").read_text()
    for words in ("694", "401", "205", "196", "161", "140"):
        assert words in page
    assert "Simulated people" not in page


def test_a_second_import_of_the_same_file_is_refused(folder: Path, shared: Path):
    table = shared / "data/acupuncture_headache_2004/acupuncture.csv"
    done = holdfast("import", table, folder, "--map", folder / "map.toml")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
