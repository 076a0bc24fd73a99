"""The items about data processing that a paper must report for a VO2max, written from what was declared."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.capacity.averaging import Averaging, AveragingRule
from holdfast.capacity.breaths import BreathTable
from holdfast.capacity.outliers import Outliers
from holdfast.core.issues import Issue, Severity


@dataclass(frozen=True, slots=True)
class MethodItem:
    """One reporting item and what was done; `text` is None when nobody declared it."""

    item: str
    text: str | None


def method_items(
    table: BreathTable,
    rule: AveragingRule,
    *,
    rationale: str | None = None,
    software: str | None = None,
    outliers: Outliers | None = None,
    outliers_left_out: bool = False,
    version: str = "",
) -> tuple[tuple[MethodItem, ...], tuple[Issue, ...]]:
    """The seven items of Nolte, Rein & Quittmann 2023 (cart, mode, software, preprocessing, strategy, parameters,
    rationale), and an issue for each that is not declared."""
    items = (
        MethodItem("metabolic cart", table.info.cart or None),
        MethodItem("measurement mode", _mode(table)),
        MethodItem("software and version", _software(software or table.info.software, version)),
        MethodItem("preprocessing", _preprocessing(rule, outliers, left_out=outliers_left_out)),
        MethodItem("averaging strategy", _strategy(rule)),
        MethodItem("averaging parameters", str(rule)),
        MethodItem("rationale", rationale),
    )
    missing = tuple(
        Issue("not-declared", f"reporting item {item.item!r}", "a paper must report this and nobody declared it.",
              severity=Severity.WARNING)
        for item in items if item.text is None
    )  # fmt: skip
    return items, missing


def _mode(table: BreathTable) -> str:
    return "breath by breath" if table.breath_by_breath else "means written by the cart"


def _software(cart_software: str | None, version: str) -> str | None:
    analysed = f"holdfast {version}".strip()
    return None if cart_software is None else f"{cart_software} (recording); {analysed} (analysis)"


def _preprocessing(rule: AveragingRule, outliers: Outliers | None, *, left_out: bool) -> str:
    seconds = rule.kind in (Averaging.ROLLING_SECONDS, Averaging.BINNED_SECONDS)
    first = "linear interpolation to 1 s" if seconds else "no interpolation"
    if outliers is None:
        return f"{first}; no outlier rule"
    what = "left out" if left_out else "kept"
    return f"{first}; {outliers.count} breaths flagged as outliers ({outliers.rule}) and {what}"


def _strategy(rule: AveragingRule) -> str:
    return {
        Averaging.ROLLING_SECONDS: "highest centred moving time average",
        Averaging.BINNED_SECONDS: "highest mean of consecutive time bins",
        Averaging.ROLLING_BREATHS: "highest centred moving breath average",
        Averaging.BINNED_BREATHS: "highest mean of consecutive breath bins",
        Averaging.LOW_PASS: "highest value after a Butterworth low-pass filter",
    }[rule.kind]
