"""The rule family: small functions from checked answers to one score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.instruments import ipaq
from holdfast.instruments.model import Item, Score, WhenMissing
from holdfast.instruments.options import ValueSet
from holdfast.instruments.outcome import NoScore


@dataclass(frozen=True, slots=True)
class Answered:
    """What a rule sees: the score's items, and the answers that are there (reverse-scored items already turned)."""

    items: tuple[Item, ...]
    values: Mapping[str, float]
    value_set: ValueSet | None = None


Value = float | str | NoScore


def total(score: Score, answered: Answered) -> Value:
    """Sum of the answers; with some missing, the sum times items / answered."""
    # eq:prorated-sum
    return sum(answered.values.values()) * len(answered.items) / len(answered.values)


def mean(score: Score, answered: Answered) -> Value:
    """Mean of the answered items."""
    # eq:mean-answered
    return sum(answered.values.values()) / len(answered.values)


def percent_of_answered(score: Score, answered: Answered) -> Value:
    """Sum of the answers as a percentage of the most that the answered items could give."""
    # eq:percent-answered
    most = sum(item.high for item in answered.items if item.id in answered.values)
    return 100 * sum(answered.values.values()) / most


def count(score: Score, answered: Answered) -> Value:
    """Number of ticked items."""
    # eq:count-ticked
    return float(sum(value > 0 for value in answered.values.values()))


def single(score: Score, answered: Answered) -> Value:
    """The one answer itself."""
    (value,) = answered.values.values()
    return value


def profile(score: Score, answered: Answered) -> Value:
    """The answers written side by side, in the order of the items."""
    # eq:profile
    return "".join(f"{answered.values[item.id]:.0f}" for item in answered.items)


def index(score: Score, answered: Answered) -> Value:
    """The profile's value in the user's value set."""
    # eq:index
    if answered.value_set is None:
        return NoScore("no-value-set", "an index needs a country's value set, which holdfast may not ship.")
    state = str(profile(score, answered))
    if state not in answered.value_set.values:
        return NoScore("not-in-value-set", f"the value set {answered.value_set.name} has no value for {state}.")
    return answered.value_set.values[state]


def _ipaq(rule: Callable[[Mapping[str, float], Mapping[str, float]], Value]) -> RuleFunction:
    return lambda score, answered: rule(answered.values, score.params)


RuleFunction = Callable[[Score, Answered], Value]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, what it may do about missing answers, and the constants it needs.

    `corners`: the score's range is what the rule gives for all items at their lowest and all at their highest.
    """

    function: RuleFunction
    then: frozenset[WhenMissing]
    params: tuple[str, ...] = ()
    corners: bool = True


def _rule(function: RuleFunction, *then: WhenMissing, params: tuple[str, ...] = (), corners: bool = True) -> Rule:
    return Rule(function, frozenset(then or (WhenMissing.NONE,)), params, corners)


RULES: Mapping[str, Rule] = {
    "sum": _rule(total, WhenMissing.NONE, WhenMissing.PRORATE),
    "mean": _rule(mean, WhenMissing.NONE, WhenMissing.SKIP),
    "percent of answered": _rule(percent_of_answered, WhenMissing.NONE, WhenMissing.SKIP),
    "count": _rule(count, WhenMissing.NONE, WhenMissing.ZERO),
    "single": _rule(single),
    "profile": _rule(profile, corners=False),
    "index": _rule(index, corners=False),
    "ipaq walking": _rule(_ipaq(ipaq.walking), params=ipaq.PARAMS, corners=False),
    "ipaq moderate": _rule(_ipaq(ipaq.moderate), params=ipaq.PARAMS, corners=False),
    "ipaq vigorous": _rule(_ipaq(ipaq.vigorous), params=ipaq.PARAMS, corners=False),
    "ipaq total": _rule(_ipaq(ipaq.total), params=ipaq.PARAMS, corners=False),
    "ipaq category": _rule(_ipaq(ipaq.category), params=ipaq.PARAMS, corners=False),
}
