"""A scenario as frozen types: what is assumed about people, outcomes, dropout and training before there are data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated

from pydantic import Field

from holdfast.core.issues import Issue
from holdfast.study.lines import Path, line_of
from holdfast.study.model import Study
from holdfast.study.part import Code, Part, Sourced
from holdfast.study.reading import dotted, read_toml, validate

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Head(Part):
    """Which study, how many people, and what of it all is invented."""

    study: Code
    title: str
    n: Annotated[int, Field(ge=4, le=100_000)]
    start: date = date(2023, 1, 9)
    recruit_days: Annotated[int, Field(ge=1, le=3650)] = 365
    invented: str
    not_eligible: Annotated[int, Field(ge=0)] = 0
    correlation: Annotated[float, Field(ge=0, lt=1)] = 0.6
    together: Annotated[float, Field(ge=0, lt=1)] = 0.3


class Assumed(Sourced):
    """One outcome: mean and SD at its first visit, and per arm the change in per cent of that mean at each later visit.

    `sd` is one number, or one per visit. Values follow a beta distribution over the range of the instrument, so that
    mean and SD are exact and no value is impossible; visits correlate as the head's `correlation` says.
    """

    code: Code
    pre: float
    sd: tuple[Positive, ...]
    percent: Mapping[str, tuple[float, ...]]


class Person(Sourced):
    """One covariate: mean and SD of a number, or the share of each level."""

    code: Code
    mean: float | None = None
    sd: Positive | None = None
    shares: Mapping[str, Share] = {}


class Dropout(Sourced):
    """Who is lost before a visit: how many remain per arm, or which share is lost per arm."""

    visit: Code
    remaining: Mapping[str, Annotated[int, Field(ge=0)]] = {}
    rate: Mapping[str, Share] = {}


class Training(Sourced):
    """How training goes: share of sessions attended, effort, capacities at the start, how exactly loads are met."""

    attendance: Mapping[str, Share]
    rpe: Mapping[str, float] = {}
    watts: Positive
    watts_sd: Positive
    one_rm: Mapping[str, Positive] = {}
    one_rm_sd_percent: Positive = 20.0
    precision_percent: Positive = 2.0


class Weekly(Sourced):
    """Reports between visits: an outcome that follows another, with noise, for some weeks."""

    outcome: Code
    follows: Code
    noise: Positive
    weeks: Annotated[int, Field(ge=1, le=520)]
    answered: Share = 1.0


class Harm(Sourced):
    """An unwanted event during training: chance per person and arm."""

    what: str
    grade: Annotated[int, Field(ge=1, le=5)] = 1
    rate: Mapping[str, Share]


class Scenario(Part):
    """A whole scenario file."""

    scenario: Head
    outcomes: tuple[Assumed, ...]
    covariates: tuple[Person, ...] = ()
    dropout: tuple[Dropout, ...] = ()
    training: Training | None = None
    weekly: Weekly | None = None
    harms: tuple[Harm, ...] = ()

    def outcome(self, code: str) -> Assumed:
        """What is assumed about this outcome (KeyError where nothing is)."""
        return {each.code: each for each in self.outcomes}[code]


def parse(text: str, study: Study, name: str = "scenario.toml") -> tuple[Scenario | None, list[Issue]]:
    """The scenario that the text means for this study, or None with one issue, with its line, per problem."""
    data, lines, issues = read_toml(text, name)
    if issues:
        return None, issues
    scenario, issues = validate(Scenario, data, lines, name)
    if scenario is None:
        return None, issues
    for code, path, what in _misfits(scenario, study):
        line = line_of(path, lines)
        issues.append(Issue(code, f"{name}:{line} {dotted(path)}", what, "", line=line))
    return (None if issues else scenario), issues


_Misfit = tuple[str, Path, str]


def _misfits(scenario: Scenario, study: Study) -> Iterator[_Misfit]:
    """Everything the scenario names that the study does not have."""
    if scenario.scenario.study != study.study.code:
        yield "other-study", ("scenario", "study"), f"the study is {study.study.code!r}."
    arms = {arm.code for arm in study.arms}
    for place, each in enumerate(scenario.outcomes):
        yield from _outcome_misfits(each, ("outcomes", place), study, arms)
    known = {covariate.code for covariate in study.covariates}
    for place, person in enumerate(scenario.covariates):
        if person.code not in known:
            yield "unknown-covariate", ("covariates", place), f"the study has no covariate {person.code!r}."
        if bool(person.shares) == (person.mean is not None and person.sd is not None):
            yield "incomplete", ("covariates", place), "write mean and sd of a number, or shares of levels."
    for place, drop in enumerate(scenario.dropout):
        if set(drop.remaining or drop.rate) != arms or (drop.remaining and drop.rate):
            yield "incomplete", ("dropout", place), "write remaining or rate, with every arm."
        if drop.visit not in {visit.code for visit in study.visits}:
            yield "unknown-visit", ("dropout", place, "visit"), f"the study has no visit {drop.visit!r}."


def _outcome_misfits(each: Assumed, path: Path, study: Study, arms: set[str]) -> Iterator[_Misfit]:
    try:
        visits = study.outcome(each.code).visits
    except KeyError:
        yield "unknown-outcome", (*path, "code"), f"the study has no outcome {each.code!r}."
        return
    if set(each.percent) != arms:
        yield "incomplete", (*path, "percent"), f"every arm needs its changes: {', '.join(sorted(arms))}."
    if any(len(changes) != len(visits) - 1 for changes in each.percent.values()):
        yield "incomplete", (*path, "percent"), f"one change per visit after the first ({', '.join(visits[1:])})."
    if len(each.sd) not in (1, len(visits)):
        yield "incomplete", (*path, "sd"), f"write one SD, or one per visit ({', '.join(visits)})."
