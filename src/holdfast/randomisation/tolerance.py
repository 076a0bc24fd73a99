"""Counts per arm within a tolerated imbalance."""

from __future__ import annotations

from functools import lru_cache
from math import lcm

AHEAD = 64
"""How many people ahead the maximal procedure looks."""

Counts = tuple[int, ...]


def within(counts: Counts, ratio: Counts, tolerance: int) -> bool:
    """Is the imbalance of these counts at most the tolerance?  # eq:rand-imbalance"""
    unit = lcm(*ratio)
    scaled = [count * unit // part for count, part in zip(counts, ratio, strict=True)]
    return max(scaled) - min(scaled) <= tolerance * unit


def one_more(counts: Counts, arm: int) -> Counts:
    """The counts with one more person in this arm."""
    return (*counts[:arm], counts[arm] + 1, *counts[arm + 1 :])


def lowered(counts: Counts, ratio: Counts) -> Counts:
    """The counts without the largest multiple of the ratio that they hold; the imbalance stays the same."""
    whole = min(count // part for count, part in zip(counts, ratio, strict=True))
    return tuple(count - whole * part for count, part in zip(counts, ratio, strict=True))


def continuations(state: Counts, ratio: Counts, tolerance: int) -> Counts:
    """For each arm next: the weight of all sequences of `AHEAD` more people that stay within the tolerance.

    A sequence weighs the product of its arms' parts of the ratio, so an equal ratio counts sequences.
    # eq:rand-maximal
    """
    ways = _ways(ratio, tolerance)
    ahead = (lowered(one_more(state, arm), ratio) for arm in range(len(ratio)))
    return tuple(part * ways.get(next_one, 0) for part, next_one in zip(ratio, ahead, strict=True))


@lru_cache(maxsize=32)
def _ways(ratio: Counts, tolerance: int) -> dict[Counts, int]:
    """The weight of all continuations from every state within the tolerance, by going back from `AHEAD` people on."""
    steps = _graph(ratio, tolerance)
    ways = dict.fromkeys(steps, 1)
    for _ in range(AHEAD):
        ways = {state: sum(part * ways[after] for part, after in ahead) for state, ahead in steps.items()}
    return ways


def _graph(ratio: Counts, tolerance: int) -> dict[Counts, list[tuple[int, Counts]]]:
    """Every state that can be reached within the tolerance, and its steps: the arm's part, and the state after."""
    start = (0,) * len(ratio)
    steps: dict[Counts, list[tuple[int, Counts]]] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state in steps:
            continue
        after = [(part, one_more(state, arm)) for arm, part in enumerate(ratio)]
        steps[state] = [(part, lowered(counts, ratio)) for part, counts in after if within(counts, ratio, tolerance)]
        waiting += [counts for _, counts in steps[state]]
    return steps
