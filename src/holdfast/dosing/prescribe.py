"""Today's session for one person, or the whole programme as it would go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from holdfast.core.facts import DoseModified
from holdfast.dosing.basis import Basis, Capacity
from holdfast.dosing.blocks import Making, build, unmet
from holdfast.dosing.log import History, SessionLog, StepDone
from holdfast.dosing.prescription import PrescribedBlock, Prescription
from holdfast.dosing.progression import progression
from holdfast.errors import CallError, Refused
from holdfast.study.programme import Block, Programme


def prescribe(
    programme: Programme,
    capacities: Iterable[Capacity],
    history: History,
    *,
    participant: str,
    session: int,
    on: date,
    assume_valid: bool = False,
) -> Prescription:
    """What this session asks of this person, in absolute units.

    Parameters
    ----------
    programme : the arm's training.
    capacities : the person's tests and decisions (`holdfast.dosing.basis.capacities_of`).
    history : the person's sessions so far (`holdfast.dosing.history_of`); only sessions before `session` count.
    session : number of the session, from 1.
    on : the day of the session; decides which tests still count.
    assume_valid : plan ahead with the newest tests, whatever their age; the prescription then says so.

    Raises
    ------
    Refused
        When tests or decisions that loads depend on are missing, too old, or cannot be meant; names each of them.
    CallError
        When the programme has no such session, or a progression rule lacks a number.
    """
    if not 1 <= session <= programme.sessions:
        raise CallError(
            f"The programme has sessions 1 to {programme.sessions}; there is no session {session}.",
            ways_out=["A programme that is to go on longer needs a new version of the study file."],
        )
    before = history.before(session)
    basis = Basis(tuple(capacities), programme.needs, on, assume_valid=assume_valid)
    blocks = _blocks([_making(programme, block, basis, before, session) for block in programme.blocks])
    notes = ("planned ahead: assumes that the newest tests still hold",) if assume_valid else ()
    return Prescription(participant, session, on, programme.name, blocks, notes)


def _making(programme: Programme, block: Block, basis: Basis, history: History, session: int) -> Making:
    state = progression(programme, block, history, basis.since)
    mine = tuple(one for one in history.modifications if _applies(one, block.name, session))
    return Making(programme, block, replace(basis, not_before=state.restarted_on), state, mine)


def _blocks(makings: Sequence[Making]) -> tuple[PrescribedBlock, ...]:
    """All blocks; or one refusal that names everything that is missing, not only the first."""
    made: list[PrescribedBlock] = []
    refusals: list[Refused] = []
    for making in makings:
        try:
            made.append(build(making))
        except Refused as refusal:
            refusals += unmet(making) or [refusal]
    if refusals:
        messages = dict.fromkeys(one.message for one in refusals)
        ways = dict.fromkeys(way for one in refusals for way in one.ways_out)
        raise Refused(" ".join(messages), ways_out=tuple(ways))
    return tuple(made)


def _applies(one: DoseModified, block: str, session: int) -> bool:
    last = one.to_session if one.to_session is not None else session
    return one.block in ("", block) and one.from_session <= session <= last


def plan(
    programme: Programme, capacities: Iterable[Capacity], *, participant: str, start: date
) -> tuple[Prescription, ...]:
    """Every session of the programme as it would go: all attended, all done as asked, tests unchanged.

    Sessions are spread evenly over the weeks from `start`.
    """
    known = tuple(capacities)
    history = History()
    planned: list[Prescription] = []
    for number in range(1, programme.sessions + 1):
        on = start + timedelta(days=round((number - 1) * 7 / programme.per_week))
        today = prescribe(programme, known, history, participant=participant, session=number, on=on, assume_valid=True)
        planned.append(today)
        history = History((*history.sessions, done_as_asked(today)))
    return tuple(planned)


def done_as_asked(prescription: Prescription) -> SessionLog:
    """The log of a session in which everything was done exactly as asked."""
    steps = tuple(
        StepDone(
            block.name,
            step.name,
            step.exercise,
            step.seconds,
            step.target_watts,
            kg=step.kg,
            reps=step.reps,
            hold_seconds=step.hold_seconds,
        )
        for block in prescription.blocks
        for step in block.steps
        for _ in range(step.sets or 1)
    )
    return SessionLog(prescription.session, True, prescription.on, steps)
