"""An arm's training over weeks as frozen types; `holdfast.dosing` turns them into today's session.

Loads are relative here ("80 percent of 1RM") and become absolute only for one person with one valid test.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from holdfast.study.part import Code, Part, Sourced

Percent = Annotated[float, Field(gt=0, le=200)]
"""Per cent of a person's capacity."""

Reference = Literal["W at VO2max", "W peak", "HR max", "HR reserve", "1RM", "MVC", "RPE", "VT1", "VT2"]
"""What a percentage is of."""


class Effort(Part):
    """A stretch of work or rest: how long, and how hard, as a percentage `of` a capacity."""

    seconds: Annotated[float, Field(gt=0)]
    percent: Percent | None = None
    of: Reference | None = None
    watts: Annotated[float, Field(ge=0)] | None = None
    rpm: Annotated[float, Field(gt=0)] | None = None
    hr_percent: tuple[Percent, Percent] | None = None
    hr_of: Literal["HR max", "HR reserve"] | None = None
    rpe: Annotated[float, Field(ge=0, le=20)] | None = None


class Progress(Part):
    """One progression rule by name; its numbers say when and how much.

    every-sessions: each `every` sessions `field` grows by `add` until `until`, `then` what happens.
    double-progression: when more than `above_reps` reps were done on `consecutive` sessions, the load grows by
    `add_percent` (or `add` kg). level: after `consecutive` sessions as prescribed, the exercise's next level.
    """

    rule: Literal["every-sessions", "double-progression", "level", "none"] = "every-sessions"
    every: Annotated[int, Field(ge=1)] | None = None
    field: str = ""
    add: float | None = None
    add_percent: float | None = None
    until: float | None = None
    then: Literal["hold", "retest and restart"] = "hold"
    above_reps: Annotated[int, Field(ge=1)] | None = None
    consecutive: Annotated[int, Field(ge=1)] | None = None


class Exercise(Part):
    """One exercise of a resistance, core or mobility block."""

    code: Code
    name: str = ""
    test: str = ""
    levels: tuple[str, ...] = ()
    equipment: str = ""


class Block(Sourced):
    """A part of a session.

    kind "intervals": `bouts` of `work` with `rest` between; "continuous": one `work`; "resistance": `exercises`
    at `percent` of 1RM, `sets` x `reps`; "core": static `exercises`, `sets` x `reps` of `hold_seconds` at
    `percent` of MVC; "mobility", "free", "warm-up", "cool-down": `work`, or `minutes` of what `text` says.
    """

    name: str
    kind: Literal["intervals", "continuous", "resistance", "core", "mobility", "warm-up", "cool-down", "free"]
    mode: str = ""
    text: str = ""
    bouts: Annotated[int, Field(ge=1, le=200)] | None = None
    work: Effort | None = None
    rest: Effort | None = None
    exercises: tuple[Exercise, ...] = ()
    sets: Annotated[int, Field(ge=1)] | None = None
    reps: Annotated[int, Field(ge=1)] | None = None
    percent: Percent | None = None
    of: Reference | None = None
    hold_seconds: Annotated[float, Field(gt=0)] | None = None
    rest_seconds: Annotated[float, Field(ge=0)] | None = None
    round_kg: Annotated[float, Field(gt=0)] | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    progress: Progress | None = None


class Tolerance(Part):
    """How far delivered may be from prescribed and still count as delivered. Design choices of the study."""

    watts_percent: float = 5.0
    hr_percent: float = 5.0
    seconds_percent: float = 10.0
    rpm: float = 10.0
    kg_percent: float = 5.0
    attainment: float = 0.9


class NeededTest(Part):
    """A capacity test that the programme doses from, and for how many days it stays valid."""

    test: str
    valid_days: Annotated[int, Field(ge=1)] = 56


class Missed(Part):
    """What a missed session does to the programme, and what a pause after a flare does."""

    session: Literal["skip", "repeat"] = "repeat"
    after_missed_in_a_row: Annotated[int, Field(ge=1)] = 3
    then: Literal["continue", "step back", "restart progression"] = "continue"
    after_flare: Literal["continue", "step back", "restart progression"] = "step back"


class Programme(Sourced):
    """An arm's training over weeks."""

    name: str = ""
    intensity: Literal["light", "moderate", "vigorous"] | None = None
    sessions: Annotated[int, Field(ge=1, le=2000)]
    per_week: Annotated[float, Field(gt=0, le=21)]
    minutes: Annotated[float, Field(gt=0)] | None = None
    supervision: str = ""
    provider: str = ""
    setting: str = ""
    group: str = ""
    motivation: str = ""
    home: str = ""
    adherence: str = ""
    non_exercise: str = ""
    needs: tuple[NeededTest, ...] = ()
    blocks: tuple[Block, ...] = ()
    tolerance: Tolerance = Tolerance()
    missed: Missed = Missed()

    @property
    def weeks(self) -> float:
        """Planned length in weeks."""
        return self.sessions / self.per_week
