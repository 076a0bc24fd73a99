"""The demo as a newcomer runs it, the README's Python on what it leaves, and its report in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that the demo wrote, and what it printed."""
    home = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "holdfast.cli.main", "demo", "--out", "made here"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return home / "made here", done.stdout


def test_it_says_simulated_first_and_where_the_reports_are(demo: tuple[Path, str]):
    folder, said = demo
    assert "SIMULATED people, not real ones" in said
    for study in ("hit-vs-mit", "beat-the-blues"):
        report = folder / study / "report" / "report.html"
        assert report.is_file()
        assert str(report.resolve()) in said
    assert "Could not be run" not in said


def test_every_page_of_the_simulated_report_says_so_and_the_real_one_does_not(demo: tuple[Path, str]):
    simulated = (demo[0] / "hit-vs-mit/report/report.html").read_text()
    real = (demo[0] / "beat-the-blues/report/report.html").read_text()
    assert "Simulated people" in simulated
    assert "Simulated people" not in real


def test_the_book_numbers_come_out_of_the_real_trial(demo: tuple[Path, str]):
    """HSAUR2 (Everitt and Hothorn), random-intercept ML fit of Beat the Blues: treatment -2.329 (3 decimals)."""
    results = json.loads((demo[0] / "beat-the-blues/report/results.json").read_text())
    book = next(one for one in results["analyses"] if one["code"] == "book")
    assert book["estimates"][0]["estimate"] == pytest.approx(-2.329, abs=5e-4)


def test_a_folder_that_the_demo_did_not_make_is_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("keep")
    command = [sys.executable, "-m", "holdfast.cli.main", "demo", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "holds other things" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_the_python_of_the_readme_runs(demo: tuple[Path, str]):
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert block is not None
    assert len(block[1].splitlines()) <= 20
    code = block[1].replace("demo-output/hit-vs-mit", str(demo[0] / "hit-vs-mit"))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=300,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("HIT - MIT, at FU:")


@pytest.mark.debian
@pytest.mark.parametrize("study", ["hit-vs-mit", "beat-the-blues"])
def test_the_report_opens_in_a_browser_without_a_console_error(demo: tuple[Path, str], study: str, browser):
    told: list[str] = []
    page = browser.new_page(viewport={"width": 1100, "height": 1400})
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda asked: told.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None)
    page.goto((demo[0] / study / "report" / "report.html").resolve().as_uri())
    assert page.locator("h1").count() == 1
    assert page.locator("svg").count() >= 3
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400, "a phone must not scroll sideways"
    page.close()
    assert told == []
