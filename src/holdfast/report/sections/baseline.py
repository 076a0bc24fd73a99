"""Who the people were at the start, per arm, without tests of significance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from holdfast.analysis.outcomes import name
from holdfast.report.effects import geometric
from holdfast.report.model import Grid, Line, Section
from holdfast.report.path import by_chance
from holdfast.report.source import Source
from holdfast.report.words import mean_sd, quartiles, share
from holdfast.study.model import Covariate, Outcome


def section(source: Source) -> Section:
    """The baseline table."""
    arms = source.order
    columns = ("", *(f"{arm} (n = {len(source.people_of(arm))})" for arm in arms), f"All (n = {_everybody(source)})")
    lines: list[Line] = []
    for covariate in source.study.covariates:
        lines += _covariate(source, covariate)
    sites = [site.code for site in source.study.sites]
    if len(sites) > 1:
        lines += _levels(source, "Site", "site", sites)
    if source.study.outcomes:
        lines.append(Line(("Outcomes at the first visit",), "group"))
        for outcome in source.study.outcomes:
            lines += _outcome(source, outcome)
    note = "Mean (SD), median (lower to upper quartile), or number (per cent). " + (
        "Differences at baseline arose by chance, so they are not tested."
        if by_chance(source)
        else "Differences at baseline are not tested."
    )
    grid = Grid("baseline", "Characteristics of participants at baseline", columns, tuple(lines), note)
    return Section("baseline", "Baseline characteristics", (grid,), items=("25",))


def _everybody(source: Source) -> int:
    return len(source.data.people)


def _groups(source: Source) -> list[pd.DataFrame]:
    frame = source.data.people
    arm = frame["arm"].astype(object)
    return [*(frame[arm == code] for code in source.order), frame]


def _covariate(source: Source, covariate: Covariate) -> list[Line]:
    label = covariate.name or covariate.code
    label = label[:1].upper() + label[1:]
    if covariate.type == "category":
        levels = list(source.data.people[covariate.code].cat.categories)
        return _levels(source, label, covariate.code, levels)
    unit = f" ({covariate.unit})" if covariate.unit else ""
    values = [[float(value) for value in group[covariate.code]] for group in _groups(source)]
    return _numbers(f"{label}{unit}", values, 1)


def _levels(source: Source, label: str, column: str, levels: Sequence[str]) -> list[Line]:
    groups = _groups(source)
    lines = [Line((label, *("" for _ in groups)))]
    for level in levels:
        cells = [share(int((group[column].astype(object) == level).sum()), len(group)) for group in groups]
        lines.append(Line((level, *cells), "indent"))
    missing = [int(group[column].isna().sum()) for group in groups]
    if any(missing):
        lines.append(
            Line(("not recorded", *(share(m, len(g)) for m, g in zip(missing, groups, strict=True))), "indent")
        )
    return lines


def _outcome(source: Source, outcome: Outcome) -> list[Line]:
    first, sheet = outcome.visits[0], source.data.sheet
    values = [[sheet.get(outcome.code, code, first) for code in group["participant"]] for group in _groups(source)]
    if all(math.isnan(value) for group in values for value in group):
        return []
    unit = f" ({outcome.unit})" if outcome.unit else ""
    if outcome.transform == "log":
        # A logarithm has no unit of its outcome: the geometric mean has.
        label = f"{name(outcome)}{unit}, geometric mean (×/÷ SD)"
        raw = [[math.exp(value) for value in group] for group in values]
        _, *rest = _numbers(label, raw, outcome.decimals)
        return [Line((label, *(geometric(group, outcome.decimals) for group in values))), *rest]
    return _numbers(f"{name(outcome)}{unit}", values, outcome.decimals)


def _numbers(label: str, groups: Sequence[Sequence[float]], decimals: int) -> list[Line]:
    lines = [
        Line((label, *(mean_sd(values, decimals) for values in groups))),
        Line(("median (quartiles)", *(quartiles(values, decimals) for values in groups)), "indent"),
    ]
    missing = [sum(math.isnan(value) for value in values) for values in groups]
    if any(missing):
        lines.append(Line(("not recorded", *(str(count) for count in missing)), "indent"))
    return lines
