"""Who the simulated people are: covariates, the day they join, the arm they get, when they are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from holdfast.core.facts import Value
from holdfast.design.latent import to_scores
from holdfast.design.scenario import Person, Scenario
from holdfast.randomisation import Design, PermutedBlocks, design_of, replay
from holdfast.study.model import Study


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated person. `lost_before` is the visit from which on nothing is known; empty for whoever stays."""

    code: str
    joins: date
    covariates: Mapping[str, Value]
    stratum: str
    factors: Mapping[str, Value]
    arm: str
    lost_before: str = ""


def draw_people(scenario: Scenario, study: Study, rng: np.random.Generator) -> list[Simulated]:
    """People in the order in which they join, assigned by the study's own scheme, with their dropout."""
    head = scenario.scenario
    who, chance, loss = rng.spawn(3)
    days = np.sort(who.integers(0, head.recruit_days, head.n))
    columns = {person.code: _covariate(person, study, head.n, who) for person in scenario.covariates}
    covariates = [{code: values[row] for code, values in columns.items()} for row in range(head.n)]
    design = design_for(study)
    strata = [design.stratum(each) for each in covariates]
    factors = [design.factors(each) for each in covariates]
    arms = replay(design.scheme, strata, chance, factors)
    lost = draw_losses(scenario, study, arms, loss)
    width = max(3, len(str(head.n)))
    return [
        Simulated(
            code=f"SIM-{row + 1:0{width}d}",
            joins=head.start + timedelta(days=int(days[row])),
            covariates=covariates[row],
            stratum=strata[row],
            factors={key: value for key, value in factors[row].items() if isinstance(value, str | float | int)},
            arm=arms[row],
            lost_before=lost[row],
        )
        for row in range(head.n)
    ]


def design_for(study: Study) -> Design:
    """The study's scheme; a study that was randomised elsewhere is simulated with permuted blocks of two per arm."""
    if study.randomisation.scheme != "external":
        return design_of(study)
    arms, ratio = tuple(arm.code for arm in study.arms), tuple(arm.ratio for arm in study.arms)
    return Design(study.study.code, PermutedBlocks(arms, ratio, (2 * sum(ratio),)))


def _covariate(person: Person, study: Study, n: int, rng: np.random.Generator) -> list[Value]:
    covariate = study.covariate(person.code)
    if person.shares:
        levels = list(person.shares)
        weights = np.array(list(person.shares.values()))
        return [str(level) for level in rng.choice(levels, size=n, p=weights / weights.sum())]
    mean, sd = np.array(person.mean), np.array(person.sd)
    if covariate.low is None or covariate.high is None:
        values = rng.normal(mean, sd, n)
    else:
        values = to_scores(rng.standard_normal(n), mean, sd, (covariate.low, covariate.high))
    return [float(value) for value in np.round(values)]


def draw_losses(scenario: Scenario, study: Study, arms: Sequence[str], rng: np.random.Generator) -> list[str]:
    """For each person the visit before which they are lost, or "": as many as the scenario says, chosen at random."""
    order = [visit.code for visit in study.visits]
    lost = [""] * len(arms)
    for drop in sorted(scenario.dropout, key=lambda each: order.index(each.visit)):
        for arm in dict.fromkeys(arms):
            still = [row for row, mine in enumerate(arms) if mine == arm and not lost[row]]
            for row in _leaving(still, drop.remaining.get(arm), drop.rate.get(arm), rng):
                lost[row] = drop.visit
    return lost


def _leaving(still: list[int], remaining: int | None, rate: float | None, rng: np.random.Generator) -> list[int]:
    if remaining is not None:
        return [int(row) for row in rng.permutation(still)[: max(0, len(still) - remaining)]]
    return [row for row in still if rng.random() < (rate or 0.0)]
