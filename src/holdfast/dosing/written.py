"""A prescription as the plain rows that a session record keeps, and back: what was asked stays readable for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from itertools import groupby
from typing import Any

from holdfast.core.facts import Value
from holdfast.core.workout import Band
from holdfast.dosing.log import SessionLog, StepDone, is_number
from holdfast.dosing.matching import Match
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep, Prescription

Row = Mapping[str, Value]

_BANDS = ("watts", "cadence", "heart_rate")
_NUMBERS = (
    *("seconds", "rpe", "sets", "reps", "kg", "hold_seconds", "torque", "percent"),
    "rest_seconds",
)
_TEXTS = ("exercise", "level", "of", "text")
_PLAIN = ("work", *_NUMBERS, *_TEXTS)


def to_rows(prescription: Prescription) -> tuple[Row, ...]:
    """One row per step, with its block; what does not apply is left out."""
    return tuple(_row(block, step) for block in prescription.blocks for step in block.steps)


def _row(block: PrescribedBlock, step: PrescribedStep) -> Row:
    row: dict[str, Value] = {"block": block.name, "kind": block.kind, "step": step.name}
    row |= {name: getattr(step, name) for name in _PLAIN}
    for name in _BANDS:
        band: Band | None = getattr(step, name)
        if band is not None:
            row |= {f"{name}_low": band.low, f"{name}_high": band.high}
    return {key: value for key, value in row.items() if value not in (None, "")}


def from_rows(rows: Sequence[Row], *, participant: str, session: int, on: date, programme: str = "") -> Prescription:
    """The prescription that `to_rows` wrote; the reasons for its numbers are in the records it came from."""
    blocks = []
    for name, group in groupby(rows, key=lambda row: str(row.get("block", ""))):
        steps = list(group)
        kind: Any = steps[0].get("kind", "free")
        blocks.append(PrescribedBlock(name, kind, "", tuple(_step(row) for row in steps)))
    return Prescription(participant, session, on, programme, tuple(blocks))


def _step(row: Row) -> PrescribedStep:
    fields: dict[str, Any] = {name: row[name] for name in _NUMBERS if is_number(row.get(name))}
    fields |= {name: str(row[name]) for name in _TEXTS if row.get(name) is not None}
    for name in _BANDS:
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and 0 <= low <= high:
            fields[name] = Band(low, high)
    return PrescribedStep(str(row.get("step", "")), work=row.get("work") is True, **fields)


def done_rows(done: Iterable[StepDone]) -> tuple[Row, ...]:
    """What was done as plain rows; what was not observed is left out, never zero."""
    return tuple({key: value for key, value in asdict(one).items() if value not in (None, "")} for one in done)


def recording_row(whole: StepDone, placed: Match) -> Row:
    """The row of a whole recording, with how the steps were placed in it and who confirmed that."""
    (row,) = done_rows([whole])
    told: dict[str, Value] = {"how": placed.how, "agreement": round(placed.agreement, 4)}
    if placed.confirmed_by:
        told["confirmed_by"] = placed.confirmed_by
    return {**row, **told}


def as_asked(session: SessionLog, *, participant: str, programme: str = "") -> Prescription | None:
    """The prescription as it was kept with a session that took place, or was missed; None when none was kept.

    A session on record is never prescribed anew: later tests, decisions and versions of the study file do not reach it.
    """
    if not session.prescribed or session.on is None:
        return None
    made = from_rows(
        session.prescribed, participant=participant, session=session.number, on=session.on, programme=programme
    )
    return replace(made, notes=(f"as it was asked on {session.on}; kept with the session and not computed anew",))
