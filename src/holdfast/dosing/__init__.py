"""Capacity, programme and history give today's prescription; prescription and recording give the delivered dose.

Everything here is deterministic: the same log gives the same prescription, and every number says which rule and
which test it came from.
"""

from holdfast.dosing.basis import Capacity
from holdfast.dosing.log import SessionLog, StepDone, history_of
from holdfast.dosing.prescribe import plan, prescribe
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep, Prescription
from holdfast.dosing.workouts import to_workout

__all__ = [
    "Capacity",
    "PrescribedBlock",
    "PrescribedStep",
    "Prescription",
    "SessionLog",
    "StepDone",
    "history_of",
    "plan",
    "prescribe",
    "to_workout",
]
