"""Take the README's picture of the demo report: the top of the page and its first figures, in a real browser.

Usage: python scripts/screenshot-report.py demo-output/hit-vs-mit/report/report.html docs/images/report.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDTH, HEIGHT = 1100, 1500


def main(page_file: Path, target: Path) -> None:
    """Photograph the page as a reader sees it and keep it small."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_file.resolve().as_uri())
        page.screenshot(path=str(target), clip={"x": 0, "y": 0, "width": WIDTH, "height": 1280})
        figure = page.locator("figure:has(svg)", has_text="over time").first
        second = target.with_name(target.stem + "-figure.png")
        figure.screenshot(path=str(second))
        browser.close()
    for path in (target, second):
        Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
