"""A prescribed cardio block as the workout that an ergometer can play."""

from __future__ import annotations

from holdfast.core.workout import Step, StepKind, Workout
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep, Prescription
from holdfast.errors import CallError

_KIND = {"warm-up": StepKind.WARMUP, "cool-down": StepKind.COOLDOWN, "continuous": StepKind.STEADY}


def to_workout(prescription: Prescription, block: str) -> Workout:
    """The steps of one block in absolute units, exact to the second.

    Raises
    ------
    CallError
        When the block is not there or holds steps without a duration (resistance, core).
    """
    try:
        found = prescription.block(block)
    except KeyError:
        known = ", ".join(repr(one.name) for one in prescription.blocks)
        raise CallError(f"The session has no block {block!r}.", ways_out=[f"Its blocks: {known}."]) from None
    if found.seconds is None or not found.steps:
        raise CallError(f"The block {block!r} has no timed steps, so there is nothing for a machine to play.")
    steps = tuple(_step(found, step) for step in found.steps)
    return Workout(f"session {prescription.session} {found.name}", steps)


def _step(block: PrescribedBlock, step: PrescribedStep) -> Step:
    kind = _KIND.get(block.kind, StepKind.WORK if step.work else StepKind.REST)
    return Step(step.name, step.seconds, step.watts, step.cadence, step.heart_rate, kind)
