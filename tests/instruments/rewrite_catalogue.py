"""Rewrites the generated part of docs/methods/instruments.md from the data files."""

from __future__ import annotations

from pathlib import Path

from holdfast.instruments import codes, load
from holdfast.instruments.describe import catalogue

MARK = "<!-- catalogue -->\n"

if __name__ == "__main__":
    page = Path(__file__).resolve().parents[2] / "docs" / "methods" / "instruments.md"
    head = page.read_text(encoding="utf-8").split(MARK)[0]
    page.write_text(head + MARK + catalogue(load(code) for code in codes()), encoding="utf-8")
