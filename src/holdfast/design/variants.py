"""Scenarios made from a scenario: another number of people, no effect."""

from __future__ import annotations

from holdfast.design.scenario import Dropout, Scenario


def with_people(scenario: Scenario, n: int) -> Scenario:
    """The scenario with `n` people; counts of who remains grow in proportion and are rounded."""
    grow = n / scenario.scenario.n
    dropout = tuple(_grown(each, grow) for each in scenario.dropout)
    head = scenario.scenario.model_copy(update={"n": n})
    return scenario.model_copy(update={"scenario": head, "dropout": dropout})


def _grown(dropout: Dropout, grow: float) -> Dropout:
    remaining = {arm: round(count * grow) for arm, count in dropout.remaining.items()}
    return dropout.model_copy(update={"remaining": remaining})


def without_effect(scenario: Scenario, arm: str) -> Scenario:
    """The scenario in which every arm changes as `arm` does."""
    outcomes = tuple(
        each.model_copy(update={"percent": dict.fromkeys(each.percent, each.percent[arm])})
        for each in scenario.outcomes
    )
    return scenario.model_copy(update={"outcomes": outcomes})
