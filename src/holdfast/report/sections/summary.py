"""The structured summary: the paper's abstract, made from the records."""

from __future__ import annotations

from holdfast.analysis.outcomes import name
from holdfast.report.effects import Effect, back_transformed, effects
from holdfast.report.model import Grid, Line, Section
from holdfast.report.path import arm_paths, enrolment
from holdfast.report.sections.questions import gaps
from holdfast.report.source import Source
from holdfast.report.words import contrast, estimate, join, p_value, sentence


def section(source: Source) -> Section:
    """Question, design, people, interventions, outcome, result, harms."""
    rows = [
        ("Question", source.study.study.question or source.study.study.title),
        ("Design", f"Randomised trial, {source.study.study.design}"),
        ("People", _people(source)),
        ("Arms", join([source.arm_name(arm) for arm in source.order])),
        ("Main outcome", _outcome(source)),
        ("Result", _result(source)),
        ("Registration", source.study.study.registration or "none stated in the study file"),
    ]
    lines = tuple(Line((label, sentence(text))) for label, text in rows)
    grid = Grid("summary", "Summary", ("", ""), lines, align="ll", widths=(1, 5))
    return Section("summary", "Summary", (grid,), items=("1b", "pro:P1b"))


def _people(source: Source) -> str:
    before, arms = enrolment(source), arm_paths(source)
    assessed = f"{before.assessed} assessed, " if before.assessed is not None else ""
    split = " + ".join(str(path.allocated) for path in arms)
    analysed = [path.analysed for path in arms if path.analysed is not None]
    tail = f"; {sum(analysed)} in the primary analysis ({' + '.join(map(str, analysed))})" if analysed else ""
    return f"{assessed}{before.randomised} randomised ({split}){tail}"


def _outcome(source: Source) -> str:
    primary = source.study.primary
    if primary is None:
        return "no outcome is declared as primary"
    return f"{name(primary)} at {join(list(primary.visits[1:] or primary.visits))}"


def _result(source: Source) -> str:
    primary = source.primary
    mine = [each for each in effects(source) if primary and each.analysed.code == primary.code]
    said = [_said(each) for each in mine]
    if failed := gaps(source):
        said.append(failed)
    return "; ".join(said) or "the primary analysis could not be run"


def _said(each: Effect) -> str:
    row, unit = back_transformed(each.row)
    decimals = max(each.outcome.decimals, 1)
    numbers = estimate(row.estimate, row.low, row.high, decimals)
    label = contrast(row.contrast, row.at)
    return f"{label} at {row.at}: {numbers} {unit or each.outcome.unit or 'points'}, p {_p(row.p)}"


def _p(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
