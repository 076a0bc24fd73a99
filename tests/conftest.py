"""Fixtures that every room's tests share."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHARED = Path(os.environ.get("HOLDFAST_SHARED", Path(__file__).resolve().parents[2] / "shared"))

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts, reference numbers and real data; tests that need it skip by name where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference folder {SHARED.name}/ is not beside this checkout")
    return SHARED


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium without a screen; tests that need it skip by name where a package is missing."""
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium (Debian package) is not there to open the page")
    if not glob.glob("/usr/lib/*/libatomic.so.1") + glob.glob("/lib/*/libatomic.so.1"):
        pytest.skip("libatomic1 (Debian package) is not there for the driver of the browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()
