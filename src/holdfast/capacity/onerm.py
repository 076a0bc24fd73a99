"""One-repetition maximum, tested or estimated from repetitions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from holdfast.errors import CallError, Refused

MOST_REPETITIONS = 10
BEST_REPETITIONS = 5
HEAVIEST = 600.0  # kg; beyond any machine in a physiotherapy department

#: Each equation: 1RM in kg from load w (kg) and repetitions to failure r (eq:onerm-epley and its neighbours).
EQUATIONS: Mapping[str, Callable[[float, int], float]] = MappingProxyType(
    {
        "epley": lambda w, r: w * (1 + r / 30),  # eq:onerm-epley
        "brzycki": lambda w, r: 36 * w / (37 - r),  # eq:onerm-brzycki
        "lombardi": lambda w, r: w * r**0.10,  # eq:onerm-lombardi
        "mayhew": lambda w, r: 100 * w / (52.2 + 41.9 * math.exp(-0.055 * r)),  # eq:onerm-mayhew
        "oconner": lambda w, r: w * (1 + r / 40),  # eq:onerm-oconner
        "wathen": lambda w, r: 100 * w / (48.8 + 53.8 * math.exp(-0.075 * r)),  # eq:onerm-wathen
        "lander": lambda w, r: 100 * w / (101.3 - 2.67123 * r),  # eq:onerm-lander
    }
)
#: Published errors of estimate in kg, where an exercise and a repetition count have one.
KNOWN_SEE: Mapping[str, float] = MappingProxyType({"leg press": 16.0, "chest press": 3.0})


@dataclass(frozen=True, slots=True)
class OneRepMax:
    """One estimate of a 1RM.

    Attributes
    ----------
    kg : the value. how : "tested" or the equation. load, repetitions : what was lifted.
    standard_error : kg, from the literature where it exists (Reynolds 2006), else None: not known for this exercise.
    spread : kg between the lowest and the highest of the seven equations on the same set: what the choice of
        equation alone can change; 0 for a tested value.
    """

    kg: float
    how: str
    load: float
    repetitions: int
    standard_error: float | None
    spread: float


def estimate(load: float, repetitions: int, *, equation: str, exercise: str = "") -> OneRepMax:
    """1RM from a set to failure; refused above ten repetitions, where the equations part by 13 % and more.

    One repetition is the test itself and gives back the load, though five of the equations would not.
    """
    if equation not in EQUATIONS:
        raise CallError(f"there is no 1RM equation {equation!r}; there is {', '.join(EQUATIONS)}")
    _check(load, repetitions)
    if repetitions == 1:
        return OneRepMax(load, "tested", load, 1, 0.0, 0.0)
    values = [formula(load, repetitions) for formula in EQUATIONS.values()]
    see = KNOWN_SEE.get(exercise.strip().lower()) if repetitions <= BEST_REPETITIONS else None
    kg = EQUATIONS[equation](load, repetitions)
    return OneRepMax(kg, equation, load, repetitions, see, max(values) - min(values))


def estimate_from_5rm(load: float, exercise: str) -> OneRepMax:
    """1RM from a tested 5RM by the exercise's own line (Reynolds, Gordon & Robergs 2006, n = 70, 18-69 years).

    Leg press 1.0970 x 5RM + 14.2546 kg, SEE 16 kg; chest press 1.1307 x 5RM + 0.6998 kg, SEE 3 kg (eq:onerm-reynolds).
    """
    lines = {"leg press": (1.0970, 14.2546), "chest press": (1.1307, 0.6998)}
    name = exercise.strip().lower()
    if name not in lines:
        raise CallError(f"there is no 5RM line for {exercise!r}; there is {', '.join(lines)}")
    _check(load, 5)
    slope, intercept = lines[name]
    return OneRepMax(slope * load + intercept, "reynolds 5RM", load, 5, KNOWN_SEE[name], 0.0)


def _check(load: float, repetitions: int) -> None:
    if not (math.isfinite(load) and 0 < load <= HEAVIEST):
        raise CallError(f"a load of {load} kg cannot be meant; more than 0 and at most {HEAVIEST:.0f} kg is possible")
    if isinstance(repetitions, bool) or repetitions != int(repetitions) or repetitions < 1:
        raise CallError(f"repetitions are whole numbers from 1; {repetitions} is not")
    if repetitions > MOST_REPETITIONS:
        raise Refused(
            f"a 1RM is not estimated from {repetitions} repetitions; above {MOST_REPETITIONS} the equations disagree "
            "by more than a tenth",
            ways_out=(f"repeat the set with a load that allows 2 to {BEST_REPETITIONS} repetitions", "test the 1RM"),
        )


@dataclass(frozen=True, slots=True)
class TrainingMax:
    """The 1RM that training loads are computed from. It changes only by an explicit act with a name and a reason."""

    exercise: str
    kg: float
    source: OneRepMax
    set_by: str
    set_at: datetime
    reason: str

    def __post_init__(self) -> None:
        if not self.set_by.strip() or not self.reason.strip():
            raise CallError("a training 1RM names who set it and why")
        if self.set_at.tzinfo is None:
            raise CallError("the moment a training 1RM was set needs a time zone")
        if not (math.isfinite(self.kg) and 0 < self.kg <= HEAVIEST):
            raise CallError(f"a training 1RM of {self.kg} kg cannot be meant")

    def load_at(self, fraction: float, *, step: float = 0.0) -> float:
        """kg at `fraction` of the training 1RM, rounded down to the machine's `step` (0 keeps it exact)."""
        if not 0 < fraction <= 1.2:
            raise CallError(f"{fraction:.0%} of a 1RM cannot be meant; write 80 % as 0.8")
        kg = self.kg * fraction
        # A hair is added so that 80 % of 50 kg with 2.5-kg plates is 40 kg in floating point too.
        return math.floor(kg / step + 1e-9) * step if step > 0 else kg
