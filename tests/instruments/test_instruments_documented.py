"""docs/methods/instruments.md is made from the data files and must not lag behind them."""

from __future__ import annotations

import re
from pathlib import Path

from holdfast.instruments import Options, codes, load, score
from holdfast.instruments.describe import catalogue

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "methods" / "instruments.md").read_text(encoding="utf-8")


def test_the_documented_catalogue_is_what_the_data_files_say() -> None:
    written = PAGE.split("<!-- catalogue -->\n")[1]
    made = catalogue(load(code) for code in codes())
    assert written == made, "run: python tests/instruments/rewrite_catalogue.py"


def test_every_instrument_is_documented() -> None:
    assert re.findall(r"^### `([^`]+)`", PAGE, re.MULTILINE) == codes()


def test_every_equation_that_the_code_cites_is_documented() -> None:
    sources = (ROOT / "src" / "holdfast" / "instruments").glob("*.py")
    cited = {label for file in sources for label in re.findall(r"eq:[\w-]+", file.read_text(encoding="utf-8"))}
    assert cited
    assert {label for label in cited if f"**({label})**" not in PAGE} == set()


def test_the_example_on_the_page_says_what_happens() -> None:
    form = {f"pseq{n}": 3 for n in range(1, 10)}
    assert score(load("pseq"), form).why("pseq").startswith("no score, because there is no answer to pseq10.")
    # 9 answers of 3 are 27; 27 x 10 / 9 = 30
    assert score(load("pseq"), form, options=Options(min_answered={"pseq": 9})).values == {"pseq": 30.0}
