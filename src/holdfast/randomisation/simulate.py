"""What a scheme would do: how balanced the arms become, and how often somebody could guess the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.randomisation.draws import Draws, generator_draws
from holdfast.randomisation.schemes import NO_FACTORS, Factors, Scheme


@dataclass(frozen=True, slots=True)
class Operating:
    """Operating characteristics of a scheme over simulated trials.

    Attributes
    ----------
    scheme : its name.
    people, trials : people per trial, and trials.
    imbalance_mean, imbalance_p95, imbalance_max : the largest minus the smallest count per part of the ratio, over
        the whole trial at its end: mean, 95th percentile and maximum over trials.
    worst_mean : the mean over trials of the largest such imbalance at any moment within any stratum.
    guess : the share of assignments that the convergence strategy guesses (the arm that is behind in the stratum;
        ties are guessed at random).  # eq:rand-guess
    guess_se : its Monte Carlo standard error.
    chance : what guessing without any knowledge gets: the largest part of the ratio.
    forced : the share of assignments that had no chance in them (one arm with probability 1).
    """

    scheme: str
    people: int
    trials: int
    imbalance_mean: float
    imbalance_p95: float
    imbalance_max: float
    worst_mean: float
    guess: float
    guess_se: float
    chance: float
    forced: float


def simulate(
    scheme: Scheme[Any],
    people: int,
    *,
    seed: int,
    trials: int = 1000,
    strata: Mapping[str, float] | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
) -> Operating:
    """Run simulated trials of a scheme.

    Parameters
    ----------
    scheme : the rule.
    people : people per trial.
    seed : of the chance.
    trials : how many.
    strata : each stratum's share of people (any positive weights); one stratum when left out.
    levels : for minimisation, each factor's levels; people have them with equal chances.

    Raises
    ------
    CallError
        When a number is not positive.
    """
    if people < 1 or trials < 1:
        raise CallError("A simulation needs at least one person and one trial.")
    rng = np.random.default_rng(seed)
    draws = generator_draws(rng)
    runs = [_trial(scheme, _people(rng, people, strata, levels), draws) for _ in range(trials)]
    return _summary(scheme, people, np.array(runs, dtype=np.float64))


def _summary(scheme: Scheme[Any], people: int, runs: NDArray[np.float64]) -> Operating:
    """What the columns of `_trial` come to over trials, shape (trials, 4)."""
    final, worst, guess, forced = runs[:, 0], runs[:, 1], runs[:, 2] / people, runs[:, 3] / people
    trials = len(runs)
    return Operating(
        scheme=scheme.name,
        people=people,
        trials=trials,
        imbalance_mean=float(final.mean()),
        imbalance_p95=float(np.quantile(final, 0.95)),
        imbalance_max=float(final.max()),
        worst_mean=float(worst.mean()),
        guess=float(guess.mean()),
        guess_se=float(guess.std(ddof=1) / np.sqrt(trials)) if trials > 1 else float("nan"),
        chance=max(scheme.ratio) / sum(scheme.ratio),
        forced=float(forced.mean()),
    )


def _people(
    rng: np.random.Generator,
    people: int,
    strata: Mapping[str, float] | None,
    levels: Mapping[str, Sequence[str]] | None,
) -> list[tuple[str, Factors]]:
    names = ["all"] * people
    if strata:
        weights = np.array(list(strata.values()), dtype=np.float64)
        if not (np.isfinite(weights).all() and (weights > 0).all()):
            raise CallError("Each stratum's share is a positive number.")
        names = [list(strata)[i] for i in rng.choice(len(strata), size=people, p=weights / weights.sum())]
    chosen = {code: rng.integers(len(of), size=people).tolist() for code, of in (levels or {}).items()}
    factors = [{code: (levels or {})[code][at[i]] for code, at in chosen.items()} for i in range(people)]
    return list(zip(names, factors if chosen else [NO_FACTORS] * people, strict=True))


def _trial(
    scheme: Scheme[Any], people: Sequence[tuple[str, Factors]], draws: Draws
) -> tuple[float, float, float, float]:
    """One trial: final imbalance, worst imbalance in a stratum, expected right guesses, forced assignments."""
    states: dict[str, Any] = {}
    counts: dict[str, list[int]] = {}
    total = [0] * len(scheme.arms)
    worst = guesses = forced = 0.0
    for stratum, factors in people:
        mine = counts.setdefault(stratum, [0] * len(scheme.arms))
        state = scheme.ready(states.get(stratum, scheme.start()), draws)
        weights = scheme.chances(state, factors)
        forced += sum(weight > 0 for weight in weights) == 1
        arm, states[stratum] = scheme.step(state, draws, factors)
        guesses += right_guess(mine, scheme.ratio, arm)
        mine[arm] += 1
        total[arm] += 1
        worst = max(worst, imbalance(mine, scheme.ratio))
    return imbalance(total, scheme.ratio), worst, guesses, forced


def right_guess(counts: Sequence[int], ratio: Sequence[int], arm: int) -> float:
    """The chance that somebody who always names the arm that is behind names this one; ties in favour of large parts.

    # eq:rand-guess
    """
    filled = [Fraction(count, part) for count, part in zip(counts, ratio, strict=True)]
    least = min(filled)
    behind = [index for index, value in enumerate(filled) if value == least]
    largest = max(ratio[index] for index in behind)
    named = [index for index in behind if ratio[index] == largest]
    return 1 / len(named) if arm in named else 0.0


def imbalance(counts: Sequence[int], ratio: Sequence[int]) -> float:
    """The largest minus the smallest count, each per part of the ratio.  # eq:rand-imbalance"""
    filled = [count / part for count, part in zip(counts, ratio, strict=True)]
    return max(filled) - min(filled)
