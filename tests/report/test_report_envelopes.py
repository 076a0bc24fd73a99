"""Sealed numbered envelopes: one sheet each and a log, the same bytes for the same slips."""

from __future__ import annotations

import re

import pytest

from holdfast.errors import CallError
from holdfast.report.envelopes import Slip, envelopes


def pages(pdf: bytes) -> int:
    """Pages as the page tree counts them."""
    return max(int(number) for number in re.findall(rb"/Count (\d+)", pdf))


SLIPS = [Slip("sex=f", 3, "HIT"), Slip("sex=f", 4, "MIT"), Slip("sex=m", 1, "MIT")]


def test_there_is_one_sheet_per_envelope_and_a_log() -> None:
    pdf = envelopes("A title", "hit-vs-mit", SLIPS, holder="N. N.")
    assert pdf.startswith(b"%PDF")
    assert pages(pdf) == 4
    assert pdf == envelopes("A title", "hit-vs-mit", SLIPS, holder="N. N.")
    assert pdf != envelopes("A title", "hit-vs-mit", SLIPS, holder="N. N.", simulated=True)


def test_the_log_goes_on_over_pages() -> None:
    many = [Slip("all", number, "A") for number in range(1, 61)]
    assert pages(envelopes("T", "t", many, holder="N. N.")) > 61


def test_no_envelopes_are_refused_and_odd_names_are_printed() -> None:
    with pytest.raises(CallError, match="no envelopes"):
        envelopes("T", "t", [], holder="N. N.")
    assert pages(envelopes('#"[$*_`\\', "t", [Slip("site=Hässelt #1", 1, "A $ B")], holder="É. #É.")) == 2
