"""Scores turned back into raw answers, so that simulated people are scored like real ones."""

from __future__ import annotations

import numpy as np

from holdfast.core.facts import Value
from holdfast.errors import CallError
from holdfast.instruments import AnswerKind, Instrument, Item

LINEAR = ("sum", "mean", "single", "count", "percent of answered")
"""Rules whose score is a straight line in the sum of the answers, so that a score says how many points there are."""


def answers_for(instrument: Instrument, code: str | None, score: float, rng: np.random.Generator) -> dict[str, Value]:
    """Answers to the items of a score whose score has the wanted value on average.

    Points are rounded at random (up with the chance of the fraction), so no bias comes in, and dealt to the items
    at random. Optional items stay unanswered. Raises `CallError` for a score that is no sum of its items.
    """
    wanted = instrument.score(code or None)
    items = [instrument.item(item) for item in wanted.items if not instrument.item(item).optional]
    if wanted.rule not in LINEAR or wanted.low is None or wanted.high is None:
        raise CallError(f"{instrument.code} {wanted.code} is no sum of its items, so no answers can be made up for it.")
    if len(items) == 1:
        return {items[0].id: _single(items[0], score, rng)}
    room = np.array([int(item.high - item.low) for item in items])
    share = (score - wanted.low) / (wanted.high - wanted.low)
    points = rounded(float(np.clip(share, 0, 1)) * int(room.sum()), rng)
    dealt = rng.multivariate_hypergeometric(room, points)
    return {item.id: _answer(item, int(got)) for item, got in zip(items, dealt, strict=True)}


def _answer(item: Item, points: int) -> int:
    return int(item.high) - points if item.reverse else int(item.low) + points


def _single(item: Item, score: float, rng: np.random.Generator) -> float | int:
    kept = float(np.clip(score, item.low, item.high))
    return round(kept, 2) if item.kind is AnswerKind.NUMBER else rounded(kept, rng)


def rounded(value: float, rng: np.random.Generator) -> int:
    """A whole number next to `value`, up with the chance of its fraction, so that the mean is kept."""
    whole = int(np.floor(value))
    return whole + int(rng.random() < value - whole)
