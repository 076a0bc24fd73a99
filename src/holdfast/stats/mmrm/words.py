"""Contrasts in words, read against the factors of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.errors import CallError
from holdfast.stats.mmrm.design import MmrmDesign
from holdfast.stats.mmrm.grid import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """One linear function as weighted settings of factors, with its labels."""

    parts: tuple[tuple[float, Settings], ...]
    names: dict[str, str]


def contrast_questions(
    design: MmrmDesign,
    contrasts: Sequence[str],
    at: Sequence[str] | None,
    change: tuple[str, str] | None,
    by: Settings,
) -> list[Question]:
    """Differences "A - B", at visits, or as a change between two visits."""
    visit = design.names["visit"]
    places = _places(design, at, change)
    questions = []
    for text in contrasts:
        factor, first, second = two_levels(design, text)
        if factor == visit and places != [()]:
            raise CallError(f"{text!r} compares visits, so it takes neither `at` nor `change`")
        for place in places:
            parts = [
                (sign * weight, {**by, factor: level, **where})
                for sign, level in ((1.0, first), (-1.0, second))
                for weight, where in _weighted(visit, place)
            ]
            questions.append(Question(tuple(parts), {"contrast": f"{first} - {second}", "at": _place_name(place)}))
    return questions


def change_questions(
    design: MmrmDesign, levels: Sequence[str], change: tuple[str, str], by: Settings
) -> list[Question]:
    """The change of each level's mean between two visits."""
    visit = design.names["visit"]
    (place,) = _places(design, None, change)
    questions = []
    for level in levels:
        factor = one_level(design, level)
        parts = tuple((weight, {**by, factor: level, **where}) for weight, where in _weighted(visit, place))
        questions.append(Question(parts, {factor: level, "change": _place_name(place)}))
    return questions


def two_levels(design: MmrmDesign, text: str) -> tuple[str, str, str]:
    """The factor and the two levels that "A - B" names; a level's own name may contain a minus sign."""
    wanted = " ".join(text.split())
    found = [
        (factor, first, second)
        for factor, levels in design.terms.factors.items()
        for first in levels
        for second in levels
        if first != second and wanted in (f"{first} - {second}", f"{first}-{second}")
    ]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{factor}: {', '.join(levels)}" for factor, levels in design.terms.factors.items())
    if not found:
        raise CallError(
            f"contrast {text!r} does not name two levels of one factor; write it as 'A - B'. Factors: {known}"
        )
    raise CallError(
        f"contrast {text!r} fits more than one factor ({', '.join(sorted({f[0] for f in found}))}); rename a level"
    )


def one_level(design: MmrmDesign, level: str) -> str:
    """The factor that has this level."""
    found = [factor for factor, levels in design.terms.factors.items() if level in levels]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{factor}: {', '.join(levels)}" for factor, levels in design.terms.factors.items())
    raise CallError(f"{level!r} is a level of {len(found)} factors; name one level of one factor. Factors: {known}")


def _places(
    design: MmrmDesign, at: Sequence[str] | None, change: tuple[str, str] | None
) -> list[tuple[tuple[float, str], ...]]:
    """Weighted visits of each row; an empty tuple averages over visits."""
    if at is not None and change is not None:
        raise CallError("a contrast is either at a visit or a change between two: give `at` or `change`, not both")
    wanted = [*(at or ()), *(change or ())]
    if not wanted:
        return [()]
    visit = design.names["visit"]
    if visit not in design.terms.factors and visit not in design.terms.covariates:
        raise CallError(f"the formula has no {visit!r}, so there is nothing that differs between visits")
    known = design.terms.factors.get(visit, design.visits)
    for name in wanted:
        if name not in known:
            raise CallError(f"{name!r} is not a visit of this fit: {', '.join(known)}")
    if change is not None:
        if len(change) != 2 or change[0] == change[1]:
            raise CallError(f"change is {change!r}; it names two different visits, from and to")
        return [((1.0, change[1]), (-1.0, change[0]))]
    return [((1.0, name),) for name in at or ()]


def _weighted(visit: str, place: tuple[tuple[float, str], ...]) -> list[tuple[float, dict[str, str]]]:
    return [(weight, {visit: name}) for weight, name in place] if place else [(1.0, {})]


def _place_name(place: tuple[tuple[float, str], ...]) -> str:
    if not place:
        return "all visits"
    return place[0][1] if len(place) == 1 else f"{place[1][1]} to {place[0][1]}"
