"""Estimates turned so that a positive number is an improvement for the arm named first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from holdfast.analysis.outcomes import better, mic_points
from holdfast.analysis.results import Analysed, Row
from holdfast.errors import CallError
from holdfast.report.source import Source
from holdfast.study.contrasts import Contrast, parse_contrast
from holdfast.study.model import Outcome


@dataclass(frozen=True, slots=True)
class Effect:
    """One contrast of an analysis: as declared (`row`), and turned so that more is better for `first`.

    `sign` is what it was multiplied by. `mic` is the minimal important change in points, None where none is declared.
    """

    analysed: Analysed
    outcome: Outcome
    row: Row
    contrast: Contrast
    first: str
    second: str
    sign: float
    mic: float | None

    @property
    def turned(self) -> Row:
        """The row with its sign so that positive is better for `first`."""
        ends = sorted((self.sign * self.row.low, self.sign * self.row.high))
        return replace(self.row, estimate=self.sign * self.row.estimate, low=ends[0], high=ends[1])


def effects(source: Source, *models: str) -> tuple[Effect, ...]:
    """Every declared difference between arms at a visit, in the order of the analyses, of these models."""
    found = []
    for analysed in source.of_model(*(models or ("ancova", "mmrm"))):
        outcome = source.outcome_of(analysed)
        if outcome is None:
            continue
        for row in analysed.contrasts:
            effect = _effect(source, analysed, outcome, row)
            if effect is not None:
                found.append(effect)
    return tuple(found)


def _effect(source: Source, analysed: Analysed, outcome: Outcome, row: Row) -> Effect | None:
    try:
        contrast = parse_contrast(row.contrast)
    except CallError:
        return None
    if not contrast.right or contrast.change or row.what != "difference in means":
        return None
    lower = better(source.study, outcome) == "lower"
    # "control - acupuncture" does not say which arm is the new one; the study file lists the comparator last.
    first, second = contrast.left, contrast.right
    sign = -1.0 if lower else 1.0
    if source.order.index(first) > source.order.index(second):
        first, second, sign = second, first, -sign
    return Effect(
        analysed, outcome, row, contrast, first, second, sign, mic_points(outcome.mic, mean_baseline(source, outcome))
    )


def mean_baseline(source: Source, outcome: Outcome) -> float:
    """Mean of the outcome at its first visit over everybody randomised; NaN where nobody has it."""
    sheet = source.data.sheet
    values = [sheet.get(outcome.code, code, outcome.visits[0]) for code in source.data.people["participant"]]
    seen = [value for value in values if not math.isnan(value)]
    return sum(seen) / len(seen) if seen else math.nan


def sd_baseline(source: Source, outcome: Outcome) -> float:
    """SD of the outcome at its first visit over everybody randomised; NaN where it cannot be had."""
    sheet = source.data.sheet
    values = [sheet.get(outcome.code, code, outcome.visits[0]) for code in source.data.people["participant"]]
    seen = [value for value in values if not math.isnan(value)]
    if len(seen) < 2:
        return math.nan
    mean = sum(seen) / len(seen)
    return math.sqrt(sum((value - mean) ** 2 for value in seen) / (len(seen) - 1))
