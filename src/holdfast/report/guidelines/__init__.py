"""Reporting guidelines as data: what a protocol or report must say, and where this one says it.

`load("consort-2025")` gives a frozen `Checklist` with item numbers and texts in holdfast's own words; `fill` puts
beside each item where it is reported, or why it is not. What nobody could read in the guideline is not verified.
"""

from __future__ import annotations

from holdfast.report.guidelines.filling import At, Filled, Line, NotReported, fill, gather
from holdfast.report.guidelines.library import codes, load
from holdfast.report.guidelines.model import Checklist, Item

__all__ = ["At", "Checklist", "Filled", "Item", "Line", "NotReported", "codes", "fill", "gather", "load"]
