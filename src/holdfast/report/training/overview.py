"""A whole programme at a glance: how work, load and holding time grow from session to session."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.dosing.prescription import Prescription
from holdfast.dosing.verdicts import planned_dose
from holdfast.report.figures.canvas import COLOURS, RULE, axes, figure, save
from holdfast.report.training.styling import in_house_style


@in_house_style
def programme_overview(planned: Sequence[Prescription], *, code: str, title: str) -> str:
    """The figure as SVG: one panel per kind of dose that the programme has, one bar per session."""
    doses = [planned_dose(one) for one in planned]
    numbers = [one.session for one in planned]
    panels = [
        ("cycling work (kJ)", [dose.kilojoules for dose in doses]),
        ("volume load (kg x reps)", [dose.volume for dose in doses]),
        ("holding time (s)", [dose.hold_seconds for dose in doses]),
    ]
    if not any(dose.kilojoules for dose in doses):  # programmes without watts show how long the work lasts
        panels.insert(0, ("timed work (min)", [_minutes(one) for one in planned]))
    panels = [(name, values) for name, values in panels if any(values)]
    made = figure(1.25 * max(1, len(panels)) + 0.5)
    drawn = axes(made, max(1, len(panels)), 1, sharex=True)
    for axis, colour, (name, values) in zip(drawn, COLOURS, panels, strict=False):
        axis.bar(numbers, values, color=colour, width=0.75)
        axis.set_title(name)
        axis.grid(axis="y", color=RULE, lw=0.4)
    drawn[-1].set_xlabel("session")
    drawn[-1].set_xticks(numbers[:: max(1, len(numbers) // 12)])
    return save(made, code, title)


def _minutes(one: Prescription) -> float:
    return sum(step.seconds or 0.0 for block in one.blocks for step in block.steps if step.work) / 60


def programme_table(planned: Sequence[Prescription]) -> list[dict[str, str]]:
    """One row per session: the day, and per block what is asked in one cell."""
    rows = []
    for one in planned:
        row = {"session": str(one.session), "day": one.on.isoformat()}
        for block in one.blocks:
            row[block.name] = _cell(one, block.name)
        rows.append(row)
    return rows


def _cell(one: Prescription, name: str) -> str:
    steps = [step for step in one.block(name).steps if step.work]
    if not steps:
        return "" if not one.block(name).steps else f"{(one.block(name).seconds or 0) / 60:g} min"
    first = steps[0]
    if first.exercise:
        loads = "/".join(f"{step.kg:g}" for step in steps if step.kg is not None)
        dose = f"{first.sets or 1} x {first.reps or 1}"
        if first.hold_seconds:
            return f"{dose} x {first.hold_seconds:g} s"
        return f"{dose} at {loads} kg" if loads else dose
    watts = f" at {first.target_watts:g} W" if first.target_watts is not None else ""
    return f"{len(steps)} x {first.seconds:g} s{watts}" if len(steps) > 1 else f"{first.seconds:g} s{watts}"
