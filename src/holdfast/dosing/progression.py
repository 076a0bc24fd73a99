"""How far a block has progressed: the fold of the log under its progression rule.

Each rule is a small function (programme, block, history) -> Progression; `RULES` names them as the study file does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from holdfast.dosing.log import History, SessionLog
from holdfast.errors import CallError
from holdfast.study.programme import Block, Programme, Progress


@dataclass(frozen=True, slots=True)
class Progression:
    """Where a block stands before the next session.

    Attributes
    ----------
    steps : how often the field has grown in this cycle ("every-sessions").
    cycle : how often the progression was restarted at its cap, from 0.
    restarted_on : the day of the last session before the newest restart; a retest must not be older.
    raises : how often the load of each exercise was raised ("double-progression").
    levels : the level of each exercise, from 1 ("level").
    why : what led here, in words.
    """

    steps: int = 0
    cycle: int = 0
    restarted_on: date | None = None
    raises: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)
    why: tuple[str, ...] = ()


Since = Callable[[str], date | None]
"""The day from which the sessions of an exercise count: that of its newest training 1RM."""

Rule = Callable[[Programme, Block, History, Since], Progression]


def progression(programme: Programme, block: Block, history: History, since: Since = lambda _: None) -> Progression:
    """Where this block stands after this history, by the rule that the study file names."""
    rule = block.progress.rule if block.progress is not None else "none"
    return RULES[rule](programme, block, history, since)


def _none(programme: Programme, block: Block, history: History, since: Since) -> Progression:
    return Progression(why=("no progression rule: as in the first session",))


# --- every n sessions --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Track:
    """The fold's state: sessions counted in this cycle, and missed sessions in a row."""

    counted: int = 0
    cycle: int = 0
    missed: int = 0
    restarted_on: date | None = None
    why: tuple[str, ...] = ()


def _every_sessions(programme: Programme, block: Block, history: History, since: Since) -> Progression:
    rule = _complete(block, "every", "field", "add")
    every = rule.every or 1
    track = _Track()
    for session in history.sessions:
        track = _count(programme, rule, track, session, start_value(block, rule.field))
    steps = min(track.counted // every, _cap_steps(rule, start_value(block, rule.field)))
    told = f"{rule.field} grows by {rule.add:g} every {every} sessions; {track.counted} counted"
    told += f" since restart {track.cycle}" if track.cycle else ""
    return Progression(steps, track.cycle, track.restarted_on, why=(told, *track.why))


def _count(programme: Programme, rule: Progress, track: _Track, session: SessionLog, start: float) -> _Track:
    every, missed = rule.every or 1, programme.missed
    if session.attended:
        track = replace(track, counted=track.counted + 1, missed=0)
    else:
        more = 1 if missed.session == "skip" else 0
        track = replace(track, counted=track.counted + more, missed=track.missed + 1)
        if track.missed == missed.after_missed_in_a_row:
            told = f"{track.missed} sessions missed in a row before session {session.number + 1}"
            track = _set_back(track, missed.then, every, told)
    if session.flare_after:
        track = _set_back(track, missed.after_flare, every, f"flare after session {session.number}")
    length = (_cap_steps(rule, start) + 1) * every if rule.until is not None else math.inf
    if rule.then == "retest and restart" and track.counted >= length:
        told = f"cap reached in session {session.number}: restart after a retest"
        return _Track(0, track.cycle + 1, 0, session.on, (*track.why, told))
    return track


def _set_back(track: _Track, how: str, every: int, why: str) -> _Track:
    if how == "continue":
        return track
    if how == "restart progression":
        return replace(track, counted=0, why=(*track.why, f"{why}: progression restarted"))
    level = max(0, track.counted // every - 1)
    return replace(track, counted=level * every, why=(*track.why, f"{why}: one step back"))


def _cap_steps(rule: Progress, start: float) -> int:
    """How many steps fit below the cap."""
    if rule.until is None or not rule.add:
        return 10**9
    return max(0, math.floor((rule.until - start) / rule.add + 1e-9))


def start_value(block: Block, field_name: str) -> float:
    """The value of a field of the block in the first session ("work.seconds", "bouts").

    Raises
    ------
    CallError
        When the block has no such number.
    """
    node: object = block
    for part in field_name.split("."):
        node = getattr(node, part, None)
    if not isinstance(node, (int, float)):
        raise CallError(f"The block {block.name!r} progresses {field_name!r}, which it does not have as a number.")
    return float(node)


# --- double progression, levels ----------------------------------------------------------------------------


def _double_progression(programme: Programme, block: Block, history: History, since: Since) -> Progression:
    rule = _complete(block, "above_reps", "consecutive")
    raises = {one.code: _raises(block, one.code, rule, history, since(one.code)) for one in block.exercises}
    told = f"load raised after more than {rule.above_reps} reps on {rule.consecutive} consecutive sessions"
    return Progression(raises=raises, why=(told,))


def _raises(block: Block, exercise: str, rule: Progress, history: History, since: date | None) -> int:
    """Raises so far: each needs `consecutive` sessions in a row in which every set passed `above_reps`."""
    raises = run = 0
    for session in history.sessions:
        if since is not None and session.on is not None and session.on < since:
            continue  # a new training 1RM starts the load anew
        reps = [step.reps for step in session.sets_of(block.name, exercise)]
        if not reps or any(count is None for count in reps):
            continue  # a session in which the exercise was not done says nothing about it
        enough = all(count is not None and count > (rule.above_reps or 0) for count in reps)
        run = run + 1 if enough else 0
        if run == rule.consecutive:
            raises, run = raises + 1, 0
    return raises


def _level(programme: Programme, block: Block, history: History, since: Since) -> Progression:
    rule = _complete(block, "consecutive")
    levels = {one.code: _level_of(block, one.code, len(one.levels), rule, history) for one in block.exercises}
    told = f"next level after {rule.consecutive} consecutive sessions with every repetition held"
    return Progression(levels=levels, why=(told,))


def _level_of(block: Block, exercise: str, levels: int, rule: Progress, history: History) -> int:
    level, run = 1, 0
    for session in history.sessions:
        done = session.sets_of(block.name, exercise)
        if not done:
            continue
        full = all(
            step.reps is not None
            and step.reps >= (block.reps or 1)
            and (block.hold_seconds is None or (step.hold_seconds or 0) >= block.hold_seconds)
            for step in done
        )
        run = run + 1 if full else 0
        if run == rule.consecutive and level < levels:
            level, run = level + 1, 0
    return level


def _complete(block: Block, *keys: str) -> Progress:
    rule = block.progress
    if rule is None:
        raise CallError(f"The block {block.name!r} has no progression.")
    missing = [key for key in keys if getattr(rule, key) in (None, "")]
    if missing:
        raise CallError(
            f"The progression {rule.rule!r} of block {block.name!r} needs {' and '.join(missing)}.",
            ways_out=["Add the missing keys to its `progress` in the study file."],
        )
    return rule


RULES: Mapping[str, Rule] = {
    "none": _none,
    "every-sessions": _every_sessions,
    "double-progression": _double_progression,
    "level": _level,
}
"""Every progression rule by its name in the study file."""
