"""What a session cost the person: minutes, the own rating, and training impulse where heart rate was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from holdfast.dosing.heart import HeartRange
from holdfast.dosing.impulse import banister, edwards, session_rpe
from holdfast.dosing.log import WHOLE, SessionLog
from holdfast.dosing.tally import by_second
from holdfast.errors import CallError

WHOLE_SESSION = "whole session"
"""The name of the row that holds how long the session lasted, from the first to the last exercise."""

Sex = Literal["F", "M"]
Scale = Literal["CR10", "Borg 6-20"]
SCALES: dict[Scale, tuple[float, float]] = {"CR10": (0, 10), "Borg 6-20": (6, 20)}
"""The rating scales that a study may declare (settings.rpe_scale), with their ends."""


@dataclass(frozen=True, slots=True)
class SessionLoad:
    """The load of one session; None for what was not recorded, not declared or not known.

    Attributes
    ----------
    session : its number. minutes : how long it lasted, as written down. rpe : the rating as given.
    rpe_load : rating x minutes (Foster), on the CR10 scale only.
    banister, edwards : training impulse of the recording; `heard` minutes of it had a heart rate.
    """

    session: int
    minutes: float | None = None
    rpe: float | None = None
    rpe_load: float | None = None
    banister: float | None = None
    edwards: float | None = None
    heard: float = 0.0


def scale_of(declared: object) -> Scale | None:
    """The scale that the study file declares; None when it declares none.

    Raises
    ------
    CallError
        When it declares another word.
    """
    if declared in (None, ""):
        return None
    for scale in SCALES:
        if declared == scale:
            return scale
    raise CallError(
        f"The study file declares the rating scale {str(declared)[:40]!r}, which is not known.",
        ways_out=[f"settings.rpe_scale is one of: {', '.join(SCALES)}."],
    )


def check_rating(rpe: float, scale: Scale | None) -> None:
    """Refuse a rating that is not on the declared scale."""
    if scale is not None and not SCALES[scale][0] <= rpe <= SCALES[scale][1]:
        low, high = SCALES[scale]
        raise CallError(f"{rpe:g} is not on the {scale} scale, which the study declares; it runs from {low} to {high}.")


def session_load(
    session: SessionLog, rpe: float | None, *, scale: Scale | None, heart: HeartRange | None, sex: Sex | None
) -> SessionLoad:
    """The load of one attended session, each part where what it needs is known."""
    lasted = [one.lasted for one in session.steps if one.step == WHOLE_SESSION and one.lasted]
    minutes = sum(lasted) / 60 if lasted else None
    rated = rpe is not None and minutes is not None and scale == "CR10"
    heard = by_second(" ".join(one.heart_rate_seconds for one in session.steps if one.step == WHOLE))
    seen = heard.size > 0 and heart is not None
    return SessionLoad(
        session.number,
        minutes,
        rpe,
        session_rpe(rpe, minutes) if rated and rpe is not None and minutes is not None else None,
        banister(heard, rest=heart.rest, maximum=heart.maximum, sex=sex).value
        if seen and heart is not None and heart.rest is not None and sex is not None
        else None,
        edwards(heard, maximum=heart.maximum).value if seen and heart is not None else None,
        heard.size / 60,
    )
