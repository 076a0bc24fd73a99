"""The report in a real browser, with its own strict content security policy."""

from __future__ import annotations

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
