"""The SPIRIT schedule of enrolment, programmes and assessments."""

from __future__ import annotations

from holdfast.analysis.outcomes import name
from holdfast.report.figures import schedule as figure
from holdfast.report.model import Picture, Section
from holdfast.report.source import Source
from holdfast.report.timeline import planned_day, programme_days
from holdfast.report.words import join
from holdfast.study.model import Visit


def section(source: Source) -> Section | None:
    """Drawn from the study file alone."""
    study = source.study
    if not study.visits:
        return None
    ordered = sorted(study.visits, key=lambda visit: planned_day(study, visit))
    columns = [("Enrolment", ""), *((visit.code, _week(source, visit)) for visit in ordered)]
    place = {visit.code: k for k, visit in enumerate(ordered, start=1)}
    items = [
        figure.Item("Enrolment", heading=True),
        figure.Item("Eligibility, consent", frozenset({0})),
        figure.Item("Random assignment", frozenset({0})),
        figure.Item("Baseline facts", frozenset({0})),
    ]
    items += _programmes(source, ordered)
    items.append(figure.Item("Assessments", heading=True))
    for outcome in study.outcomes:
        at = frozenset(place[visit] for visit in outcome.visits if visit in place)
        items.append(figure.Item(_short(name(outcome)), at))
    items.append(figure.Item("Adverse events", span=(1.0, float(len(ordered)))))
    said = [f"{name(outcome)} at {join(list(outcome.visits))}" for outcome in study.outcomes]
    alt = "Schedule of the study. " + "; ".join(said) + "."
    drawn = figure.draw(figure.Schedule("schedule", columns, items, alt))
    caption = (
        "After the SPIRIT 2025 schedule: a dot is an assessment, a bar a stretch of time. Weeks are planned weeks."
    )
    picture = Picture("schedule", "Schedule of enrolment, programmes and assessments", caption, alt, drawn)
    return Section("schedule", "Schedule", (picture,))


def _programmes(source: Source, ordered: list[Visit]) -> list[figure.Item]:
    items = [figure.Item("Programmes", heading=True)]
    end = programme_days(source.study)
    for arm in source.study.arms:
        label = _short(arm.name or arm.code)
        programme = source.study.programmes.get(arm.programme or "")
        if programme is None:
            items.append(figure.Item(f"{label} (no programme)"))
            continue
        last = next((k for k, v in enumerate(ordered, start=1) if planned_day(source.study, v) >= end), len(ordered))
        items.append(figure.Item(label, span=(1.12, last - 0.12)))
    return items


def _short(text: str, room: int = 34) -> str:
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def _week(source: Source, visit: Visit) -> str:
    weeks = planned_day(source.study, visit) / 7
    return f"week {weeks:.0f}"
