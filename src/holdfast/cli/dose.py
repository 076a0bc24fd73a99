"""`holdfast dose`: what one person has received so far of what was prescribed, session by session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.lined import columns, number
from holdfast.cli.prescribe import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.analysis.training import Trained
    from holdfast.core.issues import Issue
    from holdfast.dosing.dose import Dose
    from holdfast.dosing.load import SessionLoad
    from holdfast.dosing.verdicts import SessionDelivery


def dose(
    study: Annotated[Path, typer.Argument(help="The study folder.")],
    person: Annotated[str, typer.Argument(help="The participant's code.")],
    figure: Annotated[Path | None, typer.Option(help="Write the sessions as a row of the heat map (SVG).")] = None,
    actor: Annotated[str | None, typer.Option(help="Your name in the audit trail; else this computer's user.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document for machines.")] = False,
) -> None:
    """Sum up a person's training so far: verdicts, relative dose, targets, load, reasons."""
    from holdfast import wiring
    from holdfast.analysis.training import dose_so_far, trained
    from holdfast.app.views.sessions import session as session_view
    from holdfast.dosing.load import scale_of

    desk = wiring.open_folder(study, "trainer", actor)
    found = session_view(desk, person)  # the one door to the person's arm; that it was opened is recorded
    scale = scale_of(desk.study.settings.get("rpe_scale"))
    one = trained(person, found.arm, found.programme, desk.store.ledger().of(person), scale)
    received, issues = dose_so_far(one)
    typer.echo(_as_json(one, received, issues) if json else "\n".join(_in_words(one, received, issues)))
    if figure is not None:
        write(figure, _picture(one))


_HEAD = ("session", "day", "verdict", "differed in", "reason", "share", "rpe", "load", "TRIMP", "Edwards")


def _in_words(one: Trained, received: Dose | None, issues: Sequence[Issue]) -> list[str]:
    name = one.programme.name or one.arm
    if not one.sessions:
        return [f"{one.participant}, {name}: no session is on record."]
    loads = {load.session: load for load in one.loads}
    rows = [_HEAD, *(_row(session, loads.get(session.session)) for session in one.sessions)]
    return [
        f"{one.participant}, {name}: {one.attended} of {len(one.sessions)} sessions on record attended, "
        f"{one.programme.sessions} planned in all",
        "",
        *columns(rows),
        "",
        *(_totals(received) if received is not None else ["The dose is not known."]),
        *map(str, issues),
    ]


def _row(session: SessionDelivery, load: SessionLoad | None) -> tuple[str, ...]:
    from holdfast.report.training.heatmap import delivered_share

    share = delivered_share(session)
    return (
        str(session.session),
        "" if session.on is None else session.on.isoformat(),
        session.verdict,
        ", ".join(session.modified),
        session.reason,
        "" if share is None else f"{share:.0%}",
        number(session.rpe),
        number(load.rpe_load if load else None),
        number(load.banister if load else None),
        number(load.edwards if load else None),
    )


def _totals(received: Dose) -> list[str]:
    known = {unit: share for unit, share in received.relative.items() if share is not None}
    lines = [
        f"Relative dose so far: {', '.join(f'{share:.0%} of {unit}' for unit, share in known.items()) or 'unknown'}"
    ]
    if received.reached_itt is not None and received.reached_pp is not None:
        lines.append(
            f"Work steps on target: {received.reached_itt:.0%} of all planned, "
            f"{received.reached_pp:.0%} of those in attended sessions"
        )
    if received.interruptions:
        lines.append(f"Interruptions of three or more missed in a row: {received.interruptions}")
    if received.not_observable:
        lines.append(f"Work steps about which nothing is known: {received.not_observable}")
    return lines


def _picture(one: Trained) -> bytes:
    from holdfast.report.training.heatmap import programme_heatmap

    people = {one.participant: one.sessions}
    title = f"Training of {one.participant}"
    return programme_heatmap(people, one.programme.sessions, groups={}, code="dose", title=title).encode()


def _as_json(one: Trained, received: Dose | None, issues: Sequence[Issue]) -> str:
    import json
    from dataclasses import asdict

    document = {
        "participant": one.participant,
        "sessions": [asdict(session) for session in one.sessions],
        "loads": [asdict(load) for load in one.loads],
        "dose": None if received is None else asdict(received),
        "issues": [asdict(issue) for issue in issues],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)
