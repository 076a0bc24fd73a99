"""Schemes as rules for one step: who came before, and with which chances the next person goes where."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from holdfast.errors import CallError
from holdfast.randomisation.draws import Draws
from holdfast.randomisation.tolerance import Counts, continuations, lowered, one_more, within

S = TypeVar("S")
Factors = Mapping[str, object]
NO_FACTORS: Factors = {}


@dataclass(frozen=True, slots=True)
class Scheme(ABC, Generic[S]):
    """A scheme: arms in a ratio, and the chances of the next assignment given what came before in the stratum.

    Chances are whole-number weights, so that each scheme is exact and not a rounded one.

    Attributes
    ----------
    arms : codes of two or more arms.
    ratio : whole numbers, one per arm (equal when left out).
    """

    name: ClassVar[str] = ""
    arms: tuple[str, ...]
    ratio: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.arms) < 2 or len(set(self.arms)) != len(self.arms):
            raise CallError("A scheme needs two or more different arms.")
        if not self.ratio:
            object.__setattr__(self, "ratio", (1,) * len(self.arms))
        if len(self.ratio) != len(self.arms) or min(self.ratio) < 1:
            raise CallError("A ratio has one whole number of at least 1 per arm.")

    @abstractmethod
    def start(self) -> S:
        """The state before the first person of a stratum."""

    def ready(self, state: S, draws: Draws) -> S:
        """The state in which the next chances are asked; a scheme that draws more than arms does it here."""
        return state

    @abstractmethod
    def chances(self, state: S, factors: Factors = NO_FACTORS) -> Counts:
        """Whole-number weights of the arms for the next person; a weight of 0 is an arm that cannot be."""

    @abstractmethod
    def after(self, state: S, arm: int, factors: Factors = NO_FACTORS) -> S:
        """The state when the next person has gone to this arm (its index)."""

    @property
    def needs_factors(self) -> bool:
        """Does the next chance depend on who the people are?"""
        return False

    def step(self, state: S, draws: Draws, factors: Factors = NO_FACTORS) -> tuple[int, S]:
        """Assign one person: the arm's index, and the state after."""
        ready = self.ready(state, draws)
        arm = pick(self.chances(ready, factors), draws)
        return arm, self.after(ready, arm, factors)

    def plain(self) -> dict[str, Any]:
        """The scheme as plain JSON values, for the public commitment."""
        return {"scheme": self.name, "arms": list(self.arms), "ratio": list(self.ratio), **self.settings()}

    def settings(self) -> dict[str, Any]:
        """What this scheme has beside arms and ratio."""
        return {}


def pick(weights: Counts, draws: Draws) -> int:
    """An index with a chance proportional to its weight."""
    point = draws.below(sum(weights))
    for index, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return index
    raise AssertionError("a point below the sum of weights lies in one of them")


@dataclass(frozen=True, slots=True)
class Simple(Scheme[None]):
    """Every person independently, in the ratio of the arms."""

    name: ClassVar[str] = "simple"

    def start(self) -> None:
        """Nothing to remember."""

    def chances(self, state: None, factors: Factors = NO_FACTORS) -> Counts:
        """The ratio."""
        return self.ratio

    def after(self, state: None, arm: int, factors: Factors = NO_FACTORS) -> None:
        """Nothing to remember."""


@dataclass(frozen=True, slots=True)
class PermutedBlocks(Scheme[Counts]):
    """Blocks that hold the arms in their ratio, in random order, of sizes drawn at random.

    The state is what the current block has left; drawing from it without replacement makes every order of the
    block equally likely.  # eq:rand-blocks
    """

    name: ClassVar[str] = "permuted blocks"
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        Scheme.__post_init__(self)
        unit = sum(self.ratio)
        if not self.sizes or any(size < unit or size % unit for size in self.sizes):
            raise CallError(f"Block sizes must be multiples of {unit}, the sum of the ratio; got {self.sizes}.")

    def start(self) -> Counts:
        """An empty block."""
        return (0,) * len(self.arms)

    def ready(self, state: Counts, draws: Draws) -> Counts:
        """A new block of random size when the last one is used up."""
        if any(state):
            return state
        size = self.sizes[draws.below(len(self.sizes))]
        return tuple(part * size // sum(self.ratio) for part in self.ratio)

    def chances(self, state: Counts, factors: Factors = NO_FACTORS) -> Counts:
        """What the block has left."""
        return state

    def after(self, state: Counts, arm: int, factors: Factors = NO_FACTORS) -> Counts:
        """One fewer of this arm."""
        return (*state[:arm], state[arm] - 1, *state[arm + 1 :])

    def settings(self) -> dict[str, Any]:
        """The sizes."""
        return {"block_sizes": list(self.sizes)}


@dataclass(frozen=True, slots=True)
class _Bounded(Scheme[Counts]):
    """Schemes that never let the imbalance between two arms exceed a tolerance.

    Imbalance is the largest minus the smallest count, each divided by its part of the ratio.  # eq:rand-imbalance
    """

    tolerance: int = 0

    def __post_init__(self) -> None:
        Scheme.__post_init__(self)
        if self.tolerance < 1:
            raise CallError(f"A tolerated imbalance is at least 1, not {self.tolerance}.")

    def start(self) -> Counts:
        """Nobody anywhere."""
        return (0,) * len(self.arms)

    def after(self, state: Counts, arm: int, factors: Factors = NO_FACTORS) -> Counts:
        """One more in this arm; whole multiples of the ratio are left out, so there are few states."""
        return lowered(one_more(state, arm), self.ratio)

    def allowed(self, state: Counts) -> tuple[bool, ...]:
        """Which arms may come next."""
        return tuple(within(one_more(state, arm), self.ratio, self.tolerance) for arm in range(len(self.arms)))

    def settings(self) -> dict[str, Any]:
        """The tolerance."""
        return {"tolerance": self.tolerance}


@dataclass(frozen=True, slots=True)
class BigStick(_Bounded):
    """Chances in the ratio until the tolerance is reached; then only arms that do not exceed it (Soares and Wu 1983).

    # eq:rand-big-stick
    """

    name: ClassVar[str] = "big stick"

    def chances(self, state: Counts, factors: Factors = NO_FACTORS) -> Counts:
        """The ratio among the arms that are allowed."""
        return tuple(part if may else 0 for part, may in zip(self.ratio, self.allowed(state), strict=True))


@dataclass(frozen=True, slots=True)
class MaximalTolerated(_Bounded):
    """All sequences within the tolerance equally likely (the maximal procedure of Berger, Ivanova and Knoll 2003).

    Each arm's weight is the number of ways in which the sequence can go on within the tolerance for
    `tolerance.AHEAD` more people, so no trial size is fixed beforehand.  # eq:rand-maximal
    """

    name: ClassVar[str] = "maximal tolerated imbalance"

    def chances(self, state: Counts, factors: Factors = NO_FACTORS) -> Counts:
        """The number of continuations through each arm."""
        return continuations(state, self.ratio, self.tolerance)


@dataclass(frozen=True, slots=True)
class Urn(Scheme[Counts]):
    """An urn that starts with `alpha` balls per arm; each draw adds `beta` balls for every other arm (Wei 1978).

    An arm with a larger part of the ratio counts as that many arms, which keeps the ratio.  # eq:rand-urn
    """

    name: ClassVar[str] = "urn"
    alpha: int = 0
    beta: int = 1

    def __post_init__(self) -> None:
        Scheme.__post_init__(self)
        if self.alpha < 0 or self.beta < 0 or self.alpha + self.beta == 0:
            raise CallError("An urn needs alpha and beta of at least 0, not both 0.")

    def start(self) -> Counts:
        """Nobody anywhere."""
        return (0,) * len(self.arms)

    def chances(self, state: Counts, factors: Factors = NO_FACTORS) -> Counts:
        """The balls in the urn; the ratio while it is empty."""
        seen = sum(state)
        balls = tuple(
            part * (self.alpha + self.beta * seen) - self.beta * count
            for part, count in zip(self.ratio, state, strict=True)
        )
        return balls if any(balls) else self.ratio

    def after(self, state: Counts, arm: int, factors: Factors = NO_FACTORS) -> Counts:
        """One more in this arm."""
        return one_more(state, arm)

    def settings(self) -> dict[str, Any]:
        """The balls."""
        return {"alpha": self.alpha, "beta": self.beta}
