"""What each arm was offered, in enough detail to do it again."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.report.model import Block, Grid, Line, Paragraph, Section
from holdfast.report.source import Source
from holdfast.report.words import join, number, unverified
from holdfast.study.model import Arm
from holdfast.study.programme import Block as Part
from holdfast.study.programme import Effort, Programme, Progress

SILENT = "not stated in the study file"


def section(source: Source) -> Section:
    """One column per arm, one line per item of TIDieR and CERT that the study file speaks of."""
    arms = list(source.study.arms)
    programmes = [source.study.programmes.get(arm.programme) if arm.programme else None for arm in arms]
    columns = ("", *(f"{arm.name or arm.code} ({arm.code})" for arm in arms))
    blocks: list[Block] = []
    described = [Paragraph(f"{arm.name or arm.code}: {arm.description}") for arm in arms if arm.description]
    blocks += described
    if any(programmes):
        lines = [_line(label, arms, programmes, told) for label, told, _ in _ROWS]
        note = "Rows follow TIDieR and CERT. Loads are relative to each person's own tests."
        widths = (1.1, *(2.4 for _ in arms))
        grid = Grid(
            "programmes", "The programmes", columns, tuple(lines), note, align="l" * len(columns), widths=widths
        )
        blocks.append(grid)
    elif not described:
        blocks.append(Paragraph("The study file does not describe what the arms were offered."))
    return Section("interventions", "Interventions", tuple(blocks), items=_answered(source, programmes))


def _answered(source: Source, programmes: list[Programme | None]) -> tuple[str, ...]:
    """The items of the guidelines about which the study file says something for at least one arm."""
    items = ["13", "tidier:1"] if any(programmes) or any(arm.description for arm in source.study.arms) else []
    for _, told, found in _ROWS:
        if any(told(programme) for programme in programmes if programme):
            items += found
    if any(programme and "tolerance" in programme.model_fields_set for programme in programmes):
        items += ["cert:16a", "tidier:11"]  # a default of holdfast is not what the study said
    return tuple(dict.fromkeys(items))


def _line(label: str, arms: list[Arm], programmes: list[Programme | None], told: Callable[[Programme], str]) -> Line:
    cells = [told(programme) if programme else "no programme" for programme in programmes]
    if all(cell in ("", "no programme") for cell in cells):
        return Line((label, *(SILENT for _ in arms)))
    return Line((label, *(cell or SILENT for cell in cells)))


def _dose(programme: Programme) -> str:
    minutes = f", {number(programme.minutes, 0)} minutes each" if programme.minutes else ""
    return (
        f"{programme.sessions} sessions, {programme.per_week:g} a week for {number(programme.weeks, 0)} weeks{minutes}"
    )


def _content(programme: Programme) -> str:
    return " ".join(f"({i}) {_part(part)}." for i, part in enumerate(programme.blocks, start=1))


def _part(part: Part) -> str:
    said = [f"{part.name}: {part.mode or part.kind}"]
    if part.bouts and part.work:
        said.append(
            f"{part.bouts} × {_effort(part.work)}" + (f" with {_effort(part.rest)} between" if part.rest else "")
        )
    elif part.work:
        said.append(_effort(part.work))
    if part.exercises:
        said.append(join([exercise.name or exercise.code for exercise in part.exercises]))
    if part.sets or part.reps:
        said.append(
            f"{part.sets or 1} × {part.reps or '?'}" + (f" × {part.hold_seconds:g} s" if part.hold_seconds else "")
        )
    if part.percent and not part.work:
        said.append(f"{part.percent:g}% of {part.of}")
    if part.minutes:
        said.append(f"{part.minutes:g} min")
    return unverified(", ".join(said), part.verified, part.source)


def _effort(effort: Effort) -> str:
    seconds = f"{effort.seconds:g} s" if effort.seconds < 180 else f"{effort.seconds / 60:g} min"
    load = f" at {effort.percent:g}% of {effort.of}" if effort.percent else ""
    watts = f" at {effort.watts:g} W" if effort.watts is not None else ""
    rpm = f", {effort.rpm:g} rpm" if effort.rpm else ""
    rpe = f", RPE {effort.rpe:g}" if effort.rpe else ""
    return f"{seconds}{load}{watts}{rpm}{rpe}"


def _progress(programme: Programme) -> str:
    rules = [f"{part.name}: {_rule(part.progress)}" for part in programme.blocks if part.progress]
    return "; ".join(rules)


def _rule(progress: Progress) -> str:
    if progress.rule == "every-sessions":
        until = f" until {progress.until:g}, then {progress.then}" if progress.until else ""
        return f"every {progress.every} sessions {progress.field} grows by {progress.add:g}{until}"
    if progress.rule == "double-progression":
        step = f"{progress.add_percent:g}%" if progress.add_percent else f"{progress.add:g} kg"
        return f"after more than {progress.above_reps} repetitions on {progress.consecutive} sessions, {step} more load"
    if progress.rule == "level":
        return f"after {progress.consecutive} sessions as prescribed, the next level"
    return "none"


def _start(programme: Programme) -> str:
    needs = [f"{need.test} (valid {need.valid_days} days)" for need in programme.needs]
    return f"from each person's own {join(needs)}" if needs else ""


def _missed(programme: Programme) -> str:
    rule = programme.missed
    return (
        f"a missed session is {'made up' if rule.session == 'repeat' else 'skipped'}; after "
        f"{rule.after_missed_in_a_row} in a row: {rule.then}; after a flare: {rule.after_flare}"
    )


def _tolerance(programme: Programme) -> str:
    t = programme.tolerance
    return (
        f"delivered as prescribed when at least {100 * t.attainment:g}% of the work was within {t.watts_percent:g}% of "
        f"the watts, {t.kg_percent:g}% of the load and {t.rpm:g} rpm"
    )


_ROWS: tuple[tuple[str, Callable[[Programme], str], tuple[str, ...]], ...] = (
    ("Intensity", lambda p: p.intensity or "", ("cert:13",)),
    ("When and how much", _dose, ("cert:13", "tidier:8")),
    ("Content", _content, ("cert:1", "cert:8", "tidier:3", "tidier:4")),
    ("Provider", lambda p: p.provider, ("cert:2", "tidier:5")),
    ("Supervision", lambda p: p.supervision, ("cert:4", "tidier:6")),
    ("Individual or group", lambda p: p.group, ("cert:3", "tidier:6")),
    ("Where", lambda p: p.setting, ("cert:12", "tidier:7")),
    ("Starting level, tailoring", _start, ("cert:14a", "cert:14b", "cert:15", "tidier:9")),
    ("Progression", _progress, ("cert:7a", "cert:7b")),
    ("Missed sessions, flares", _missed, ()),
    ("Motivation", lambda p: p.motivation, ("cert:6",)),
    ("Adherence counted as", lambda p: p.adherence, ("cert:5",)),
    ("Fidelity judged as", _tolerance, ()),
    ("Home exercise", lambda p: p.home, ("cert:9",)),
    ("Other than exercise", lambda p: p.non_exercise, ("cert:10",)),
    ("Source", lambda p: unverified(p.source, p.verified) if p.source or not p.verified else "", ()),
)
