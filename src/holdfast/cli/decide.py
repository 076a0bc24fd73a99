"""`holdfast decide`: a person sets a threshold or a training 1RM, and sees what that changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.errors import CallError, HoldfastError

if TYPE_CHECKING:
    from holdfast.app.desk import Desk
    from holdfast.study.model import Study

THRESHOLDS = ("threshold:VT1", "threshold:VT2")
TRAINING_MAX = "training-1rm:"


def decide(
    study: Annotated[Path, typer.Argument(help="The study folder.")],
    person: Annotated[str, typer.Argument(help="The participant's code.")],
    what: Annotated[str, typer.Argument(help="threshold:VT1, threshold:VT2 (W) or training-1rm:EXERCISE (kg).")],
    value: Annotated[float | None, typer.Argument(help="W or kg; leave it out with --set.")] = None,
    basis: Annotated[str, typer.Option(help="What it rests on: readings, a test, a conversation.")] = "",
    lifted: Annotated[str, typer.Option("--set", help="A set to failure, KGxREPS: the 1RM is estimated from it.")] = "",
    equation: Annotated[str, typer.Option(help="epley, brzycki, lombardi, mayhew, oconner, wathen or lander.")] = "",
    role: Annotated[str, typer.Option(help="As what you decide: trainer, assessor or coordinator.")] = "trainer",
    actor: Annotated[str | None, typer.Option(help="Your name in the audit trail; else this computer's user.")] = None,
) -> None:
    """Keep a decision that dosing relies on; nothing else moves a threshold or a training 1RM.

    A trainer is shown how the next session changes.
    """
    from holdfast import wiring
    from holdfast.app import deeds

    desk = wiring.open_folder(study, role, actor)
    unit, exercise = _meaning(desk.study, what)
    if (value is None) == (not lifted):
        raise CallError("Give the value, or the set that it is estimated from (--set 80x6 --equation epley).")
    number, words = (value, "") if value is not None else _estimated(lifted, equation, exercise, unit)
    grounds = "; ".join(part for part in (words, basis.strip()) if part)
    if not grounds:
        raise CallError("A decision says what it rests on.", ways_out=["Add --basis."])
    _possible(number, unit)
    before = _next_session(desk, person)
    done = deeds.decide(desk, person, what, number, unit=unit, basis=grounds)
    typer.echo(f"Kept: {what} of {person} is {number:g} {unit}, record {done.record.seq}. It rests on: {grounds}.")
    for line in _changed(before, _next_session(desk, person)):
        typer.echo(line)


def _meaning(study: Study, what: str) -> tuple[str, str]:
    """The unit of what is decided, and the exercise it is of."""
    if what in THRESHOLDS:
        return "W", ""
    known = list(dict.fromkeys(one.code for p in study.programmes.values() for b in p.blocks for one in b.exercises))
    exercise = what.removeprefix(TRAINING_MAX)
    if what.startswith(TRAINING_MAX) and exercise in known:
        return "kg", exercise
    raise CallError(
        f"{what[:60]!r} is nothing that dosing relies on.",
        ways_out=[f"{', '.join(THRESHOLDS)} in W.", f"{TRAINING_MAX}EXERCISE in kg; exercises: {', '.join(known)}."],
    )


def _estimated(lifted: str, equation: str, exercise: str, unit: str) -> tuple[float, str]:
    from holdfast.capacity.onerm import estimate

    if unit != "kg" or not equation:
        raise CallError("A 1RM is estimated by a named equation.", ways_out=["Add --equation, for a training 1RM."])
    load, _, reps = lifted.partition("x")
    try:
        found = estimate(float(load), int(reps), equation=equation, exercise=exercise.replace("_", " "))
    except ValueError:
        raise CallError(f"{lifted[:40]!r} is no set.", ways_out=["Write 80x6 for six repetitions of 80 kg."]) from None
    error = f"SEE {found.standard_error:g} kg" if found.standard_error is not None else "its error here is not known"
    words = f"{lifted} by {found.how}: the seven equations differ by {found.spread:.1f} kg, {error}"
    return round(found.kg, 1), words


def _possible(value: float, unit: str) -> None:
    from holdfast.dosing.basis import POSSIBLE

    low, high = POSSIBLE[unit]
    if not low <= value <= high:
        raise CallError(f"{value:g} {unit} cannot be meant; {low:g} to {high:g} {unit} is possible.")


def _next_session(desk: Desk, person: str) -> list[str]:
    """The next session in lines, for whoever may see it; what is missing is a line too."""
    from holdfast.app.desk import Role
    from holdfast.app.views.sessions import session as session_view
    from holdfast.cli.prescribe import step_in_words

    if desk.account.role is not Role.TRAINER:
        return []
    try:
        found = session_view(desk, person)
    except HoldfastError:
        return []  # nobody trains yet, so nothing changes yet
    if found.prescription is None:
        return [f"session {found.number} cannot be prescribed: {issue.what}" for issue in found.issues[:1]]
    return [f"{block.name}: {step_in_words(step)}" for block in found.prescription.blocks for step in block.steps]


def _changed(before: list[str], after: list[str]) -> list[str]:
    gone = [f"  before  {line}" for line in before if line not in after]
    new = [f"  now     {line}" for line in after if line not in before]
    if not (gone or new):
        return ["Nothing changes in the next session."] if after else []
    return ["What changes in the next session:", *gone, *new]
