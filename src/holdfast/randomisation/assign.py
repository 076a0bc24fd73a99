"""From a sealed key to arms, slot by slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from holdfast.errors import CallError
from holdfast.randomisation.draws import generator_draws, keyed_draws
from holdfast.randomisation.schemes import NO_FACTORS, Factors, Scheme


class Unfolding:
    """One stratum's sequence, unfolded from the key as far as it was asked for and not further."""

    def __init__(self, scheme: Scheme[Any], key: bytes, stratum: str) -> None:
        self._scheme, self._key, self._stratum = scheme, key, stratum
        self._start()

    def _start(self) -> None:
        self._state = self._scheme.start()
        self._arms: list[str] = []
        self._seen: list[Factors] = []

    def arm(self, slot: int, history: Sequence[Factors] = ()) -> str:
        """The arm of this slot; `history` holds the factors of slots 1..slot, where the scheme needs factors.

        Raises
        ------
        CallError
            When there is no such slot, or the history does not reach it.
        """
        if slot < 1:
            raise CallError(f"Slots are numbered from 1; there is no slot {slot}.")
        people = self._people(slot, history)
        if people[: len(self._seen)] != self._seen[: len(people)]:
            self._start()
        while len(self._arms) < slot:
            self._next(people[len(self._arms)])
        return self._arms[slot - 1]

    def _people(self, slot: int, history: Sequence[Factors]) -> list[Factors]:
        if not self._scheme.needs_factors:
            return [NO_FACTORS] * slot
        if len(history) < slot:
            raise CallError(f"Slot {slot} needs the factors of slots 1 to {slot}; {len(history)} are given.")
        return [dict(person) for person in history[:slot]]

    def _next(self, person: Factors) -> None:
        draws = keyed_draws(self._key, self._stratum, len(self._arms) + 1)
        index, self._state = self._scheme.step(self._state, draws, person)
        self._arms.append(self._scheme.arms[index])
        self._seen.append(person)


def assign(scheme: Scheme[Any], key: bytes, stratum: str, slot: int, history: Sequence[Factors] = ()) -> str:
    """The arm of one slot (1, 2, ...) of a stratum: the same for the same key, for ever.

    Parameters
    ----------
    scheme : the rule.
    key : at least 32 secret bytes.
    stratum : the name of the stratum.
    slot : the position in it.
    history : the factors of slots 1..slot in order, where the scheme needs factors (minimisation).

    Raises
    ------
    CallError
        When the key is short, there is no such slot, or the history does not reach it.
    """
    return Unfolding(scheme, key, stratum).arm(slot, history)


def replay(
    scheme: Scheme[Any], strata: Sequence[str], rng: np.random.Generator, factors: Sequence[Factors] | None = None
) -> tuple[str, ...]:
    """The arms that the same people, in the same order, could as well have got: one draw for randomisation inference.

    Parameters
    ----------
    scheme : the rule.
    strata : each person's stratum, in the order of assignment.
    rng : where chance comes from.
    factors : each person's factors, for minimisation.
    """
    draws = generator_draws(rng)
    return _replayed(scheme, strata, draws, factors)


def replays(
    scheme: Scheme[Any],
    strata: Sequence[str],
    rng: np.random.Generator,
    times: int,
    factors: Sequence[Factors] | None = None,
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Many replays, as indices into `scheme.arms`, shape (times, people)."""
    draws = generator_draws(rng)
    index = {arm: place for place, arm in enumerate(scheme.arms)}
    found = np.empty((times, len(strata)), dtype=np.int64)
    for row in range(times):
        found[row] = [index[arm] for arm in _replayed(scheme, strata, draws, factors)]
    return found


def _replayed(
    scheme: Scheme[Any], strata: Sequence[str], draws: Any, factors: Sequence[Factors] | None
) -> tuple[str, ...]:
    if factors is not None and len(factors) != len(strata):
        raise CallError(f"{len(strata)} strata and {len(factors)} sets of factors do not belong together.")
    states: dict[str, Any] = {}
    arms = []
    for place, stratum in enumerate(strata):
        if stratum not in states:
            states[stratum] = scheme.start()
        person = NO_FACTORS if factors is None else factors[place]
        index, states[stratum] = scheme.step(states[stratum], draws, person)
        arms.append(scheme.arms[index])
    return tuple(arms)
