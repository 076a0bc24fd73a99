"""What a trainer writes down of a session beside the recording: sets, holds, minutes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.errors import CallError

if TYPE_CHECKING:
    from holdfast.dosing.log import StepDone
    from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep, Prescription

HOW = "Write --did leg_press=12x80,10x80 (reps x kg), plank=10x10 (reps x seconds), or warm-up=300 (seconds; 300@90 W)."
_PAIR = re.compile(r"(\d+)x(\d+(?:\.\d+)?)")
_TIMED = re.compile(r"(\d+(?:\.\d+)?)(?:@(\d+(?:\.\d+)?))?")


def written(asked: Prescription, as_asked: Sequence[str], did: Sequence[str]) -> list[StepDone]:
    """The steps that were written down: whole blocks as they were asked, and single steps or exercises in words.

    Raises
    ------
    CallError
        When the session has no such block, step or exercise, or the words say nothing.
    """
    rows = [row for name in as_asked for row in _as_asked(asked, _block(asked, name))]
    for words in did:
        name, sign, values = words.partition("=")
        if not sign:
            raise CallError(f"{words!r} does not say what was done.", ways_out=[HOW])
        block, step = _step(asked, name.strip())
        rows += _rows(block, step, values)
    return rows


def _as_asked(asked: Prescription, block: PrescribedBlock) -> list[StepDone]:
    from holdfast.dosing.prescribe import done_as_asked

    return [row for row in done_as_asked(asked).steps if row.block == block.name]


def _block(asked: Prescription, name: str) -> PrescribedBlock:
    for block in asked.blocks:
        if block.name == name:
            return block
    known = ", ".join(block.name for block in asked.blocks)
    raise CallError(f"The session has no block {name[:40]!r}.", ways_out=[f"Its blocks: {known}."])


def _step(asked: Prescription, name: str) -> tuple[PrescribedBlock, PrescribedStep]:
    pairs = [(block, step) for block in asked.blocks for step in block.steps]
    for block, step in pairs:
        if name in (step.exercise or step.name, step.name):
            return block, step
    known = ", ".join(step.exercise or step.name for _, step in pairs)
    raise CallError(f"The session asks for no {name[:40]!r}.", ways_out=[f"It asks for: {known}."])


def _rows(block: PrescribedBlock, step: PrescribedStep, values: str) -> list[StepDone]:
    from holdfast.dosing.log import StepDone

    pattern = _PAIR if step.exercise else _TIMED
    found = [pattern.fullmatch(part.strip()) for part in values.split(",")]
    if not all(found):
        raise CallError(f"{values[:40]!r} does not say what was done of {step.name}.", ways_out=[HOW])
    rows = []
    for match in found:
        first, second = match.groups() if match else ("0", None)
        more = None if second is None else float(second)
        if not step.exercise:
            rows.append(StepDone(block.name, step.name, seconds=float(first), watts=more))
        elif step.hold_seconds is not None:
            rows.append(StepDone(block.name, step.name, step.exercise, reps=int(first), hold_seconds=more))
        else:
            rows.append(StepDone(block.name, step.name, step.exercise, reps=int(first), kg=more))
    return rows
