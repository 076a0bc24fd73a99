"""MET-minutes per week from the short International Physical Activity Questionnaire.

The constants come from the instrument's data file (`params`), which says what was verified. Answers are days per week
and minutes per day of vigorous activity, moderate activity and walking.
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.instruments.outcome import NoScore

PARAMS = (
    "met_walking",
    "met_moderate",
    "met_vigorous",
    "longest_day",
    "truncate_at",
    "shortest_bout",
    "high_vigorous_days",
    "high_vigorous_met_minutes",
    "high_any_days",
    "high_any_met_minutes",
    "moderate_vigorous_days",
    "moderate_vigorous_minutes",
    "moderate_other_days",
    "moderate_other_minutes",
    "moderate_any_days",
    "moderate_any_met_minutes",
)
_KINDS = {"walking": "walk", "moderate": "mod", "vigorous": "vig"}
Answers = Mapping[str, float]


def walking(answers: Answers, p: Mapping[str, float]) -> float | NoScore:
    """MET-minutes per week of walking."""
    return _outlier(answers, p) or _met_minutes("walking", answers, p)


def moderate(answers: Answers, p: Mapping[str, float]) -> float | NoScore:
    """MET-minutes per week of moderate activity."""
    return _outlier(answers, p) or _met_minutes("moderate", answers, p)


def vigorous(answers: Answers, p: Mapping[str, float]) -> float | NoScore:
    """MET-minutes per week of vigorous activity."""
    return _outlier(answers, p) or _met_minutes("vigorous", answers, p)


def total(answers: Answers, p: Mapping[str, float]) -> float | NoScore:
    """MET-minutes per week of all three."""
    return _outlier(answers, p) or sum(_met_minutes(kind, answers, p) for kind in _KINDS)


def category(answers: Answers, p: Mapping[str, float]) -> str | NoScore:
    """`high`, `moderate` or `low` activity."""
    # eq:ipaq-category
    outlier = _outlier(answers, p)
    if outlier:
        return outlier
    if _is_high(answers, p):
        return "high"
    return "moderate" if _is_moderate(answers, p) else "low"


def _minutes(kind: str, answers: Answers, p: Mapping[str, float]) -> float:
    """Minutes per day that count: short bouts as none, long days cut off."""
    # eq:ipaq-minutes
    minutes = answers[f"ipaq_{_KINDS[kind]}_min"]
    return 0.0 if minutes < p["shortest_bout"] else min(minutes, p["truncate_at"])


def _days(kind: str, answers: Answers, p: Mapping[str, float]) -> float:
    """Days per week that count: a day whose minutes do not count does not count either."""
    return answers[f"ipaq_{_KINDS[kind]}_days"] if _minutes(kind, answers, p) > 0 else 0.0


def _met_minutes(kind: str, answers: Answers, p: Mapping[str, float]) -> float:
    # eq:ipaq-met
    return p[f"met_{kind}"] * _minutes(kind, answers, p) * _days(kind, answers, p)


def _outlier(answers: Answers, p: Mapping[str, float]) -> NoScore | None:
    """More than sixteen hours a day cannot be meant; the published rule leaves such a person out."""
    a_day = sum(answers[f"ipaq_{short}_min"] for short in _KINDS.values())
    if a_day <= p["longest_day"]:
        return None
    return NoScore("too-long-a-day", f"{a_day:g} minutes a day are more than the {p['longest_day']:g} allowed.")


def _is_high(answers: Answers, p: Mapping[str, float]) -> bool:
    met_minutes = sum(_met_minutes(kind, answers, p) for kind in _KINDS)
    by_vigour = (
        _days("vigorous", answers, p) >= p["high_vigorous_days"] and met_minutes >= p["high_vigorous_met_minutes"]
    )
    return by_vigour or (_any_days(answers, p) >= p["high_any_days"] and met_minutes >= p["high_any_met_minutes"])


def _is_moderate(answers: Answers, p: Mapping[str, float]) -> bool:
    met_minutes = sum(_met_minutes(kind, answers, p) for kind in _KINDS)
    long_enough = [
        _days(kind, answers, p)
        for kind in ("walking", "moderate")
        if _minutes(kind, answers, p) >= p["moderate_other_minutes"]
    ]
    vigorous_days = (
        _days("vigorous", answers, p) if _minutes("vigorous", answers, p) >= p["moderate_vigorous_minutes"] else 0.0
    )
    return (
        vigorous_days >= p["moderate_vigorous_days"]
        or sum(long_enough) >= p["moderate_other_days"]
        or (_any_days(answers, p) >= p["moderate_any_days"] and met_minutes >= p["moderate_any_met_minutes"])
    )


def _any_days(answers: Answers, p: Mapping[str, float]) -> float:
    return sum(_days(kind, answers, p) for kind in _KINDS)
