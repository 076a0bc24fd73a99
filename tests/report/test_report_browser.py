"""The report in a real browser, with its own strict content security policy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.debian
def test_the_report_opens_without_a_console_error(files: dict[str, bytes], tmp_path: Path, browser: Browser) -> None:
    page_file = tmp_path / "report.html"
    page_file.write_bytes(files["report.html"])
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto(page_file.as_uri())
    assert page.locator("h1").inner_text().startswith("High- versus moderate-intensity")
    assert page.locator("figure.picture svg").count() >= 7
    widest = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 390, "height": 800})
    narrow = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert problems == []
    assert widest <= 1200
    assert narrow <= 390  # on a phone nothing sticks out of the page


def pages_of(pdf: Path) -> list[str]:
    """The text of each page, by Debian's pdftotext."""
    if shutil.which("pdftotext") is None:
        pytest.skip("Debian's package poppler-utils is not installed")
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True)
    return done.stdout.split("\f")[:-1]


@pytest.mark.debian
def test_every_page_of_the_pdf_says_simulated(files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(files["report.pdf"])
    pages = pages_of(tmp_path / "report.pdf")
    assert len(pages) > 5
    assert [number for number, text in enumerate(pages, start=1) if "Simulated people" not in text] == []


@pytest.mark.debian
def test_every_printed_page_of_the_html_says_simulated(
    files: dict[str, bytes], tmp_path: Path, browser: Browser
) -> None:
    (tmp_path / "report.html").write_bytes(files["report.html"])
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    page.pdf(path=str(tmp_path / "printed.pdf"), prefer_css_page_size=True, print_background=True)
    page.close()
    pages = pages_of(tmp_path / "printed.pdf")
    assert len(pages) > 5
    assert [number for number, text in enumerate(pages, start=1) if "Simulated people" not in text] == []
    assert "Summary" not in pages[0]  # the plain words stand on a page of their own
