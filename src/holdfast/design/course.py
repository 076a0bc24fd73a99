"""What happens to one simulated person, day by day, as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

from holdfast.core import facts as f
from holdfast.design.answers import answers_for, rounded
from holdfast.design.latent import Array
from holdfast.design.people import Simulated
from holdfast.design.scenario import Scenario
from holdfast.design.screening import screened
from holdfast.design.training import last_day, sessions, trainee
from holdfast.instruments import Kind, load
from holdfast.study.model import Outcome, Study
from holdfast.study.spans import days

SETTLING = 7
"""Days from joining to being randomised, and from there to the first session. Invented."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about a person on a day, at a visit or between visits."""

    on: date
    fact: f.Fact
    visit: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that visits and reports hang on."""

    joins: date
    randomised: date
    begins: date
    ends: date

    def visit(self, study: Study, code: str, rng: Generator) -> date:
        """A day inside the visit's window, mostly near the planned one."""
        visit = study.visit(code)
        anchors = {
            "enrolment": self.joins,
            "randomisation": self.randomised,
            "programme start": self.begins,
            "programme end": self.ends,
        }
        early, late = visit.window
        shift = int(np.clip(rng.normal(0, 3), early, late))
        return anchors[visit.anchor] + timedelta(days=round(days(visit.offset)) + shift)


def course(
    who: Simulated, scores: Mapping[str, Array], scenario: Scenario, study: Study, rng: Generator
) -> Iterator[Event]:
    """Everything that happens to this person; the facts of one day come in the order in which they happen."""
    calendar = _calendar(who, study)
    visits = _visit_days(who, study, calendar, rng)
    yield from _joining(who, study, rng)
    first = study.visits[0].code
    yield from _measured(first, visits.get(first, who.joins), scores, study, rng)
    yield Event(calendar.randomised, f.Completed("baseline", calendar.randomised))
    # the slot is taken, in order, when the draft becomes a record
    yield Event(calendar.randomised, f.Randomised(who.stratum, 0, calendar.randomised, who.factors))
    yield from _trained(who, scenario, study, calendar, rng)
    for visit in study.visits[1:]:
        if visit.code in visits:
            yield from _measured(visit.code, visits[visit.code], scores, study, rng)
    if scenario.weekly is not None:
        yield from _reports(scores[scenario.weekly.follows], scenario, study, visits, calendar, rng=rng)
    yield from _ending(who, calendar, visits)


def _calendar(who: Simulated, study: Study) -> Calendar:
    randomised = who.joins + timedelta(days=SETTLING)
    begins = randomised + timedelta(days=SETTLING)
    programme = study.programmes.get(study.arm(who.arm).programme or "")
    return Calendar(who.joins, randomised, begins, begins if programme is None else last_day(programme, begins))


def _visit_days(who: Simulated, study: Study, calendar: Calendar, rng: Generator) -> dict[str, date]:
    """The day of each visit that the person comes to; the first visit is on the day of joining."""
    found: dict[str, date] = {}
    for place, visit in enumerate(study.visits):
        if visit.code == who.lost_before:
            break
        planned = who.joins if place == 0 else calendar.visit(study, visit.code, rng)
        earliest = calendar.ends + timedelta(days=1) if visit.anchor == "programme end" else who.joins
        found[visit.code] = max(planned, earliest)
    return found


def _joining(who: Simulated, study: Study, rng: Generator) -> Iterator[Event]:
    """Screened, cleared where a rule asks for it, consented, enrolled, described."""
    answers, clearance = screened(study, who.covariates, rng)
    if study.eligibility.questions:
        yield Event(who.joins, f.Screened(answers, who.joins))
    if study.eligibility.questions and clearance:
        until = who.joins + timedelta(days=365)
        yield Event(who.joins, f.Cleared("a physician (simulated)", "vigorous", who.joins, until))
    if study.eligibility.questions:
        yield Event(who.joins, f.Consented(study.eligibility.consent_version, who.joins))
    yield Event(who.joins, f.Enrolled("", who.joins))
    if who.covariates:
        yield Event(who.joins, f.Described(who.covariates))


def _measured(visit: str, on: date, scores: Mapping[str, Array], study: Study, rng: Generator) -> Iterator[Event]:
    for outcome in study.outcomes:
        if visit in outcome.visits and outcome.code in scores:
            score = float(scores[outcome.code][outcome.visits.index(visit)])
            yield Event(on, _fact(outcome, score, study, on, rng), visit)


def _fact(outcome: Outcome, score: float, study: Study, on: date, rng: Generator) -> f.Fact:
    """The raw answers or the single number that give this score."""
    if any(each.code == outcome.instrument for each in study.measurements):
        return f.Tested(outcome.instrument, {outcome.instrument: round(score, outcome.decimals)}, on)
    instrument = load(outcome.instrument)
    if instrument.kind is Kind.MEASUREMENT:
        return f.Tested(instrument.code, {instrument.items[0].id: round(score, outcome.decimals)}, on)
    answers = answers_for(instrument, outcome.score, score, rng)
    return f.Answered(instrument.code, answers, instrument.rule_version, on)


def _trained(who: Simulated, scenario: Scenario, study: Study, calendar: Calendar, rng: Generator) -> Iterator[Event]:
    programme = study.programmes.get(study.arm(who.arm).programme or "")
    assumed = scenario.training
    if programme is None or assumed is None:
        return
    mine = trainee(assumed, who.code, who.arm, calendar.begins, rng)
    yield Event(who.joins, f.Tested("cpet", {"watts_at_vo2max": mine.watts}, who.joins), study.visits[0].code)
    for exercise, kg in mine.one_rm.items():
        yield Event(calendar.randomised, f.Decided(f"training-1rm:{exercise}", kg, "kg", "simulated"))
    for on, session in sessions(programme, mine, assumed, rng):
        yield Event(on, session)
    for harm in scenario.harms:
        if rng.random() < harm.rate.get(who.arm, 0.0):
            began = calendar.begins + timedelta(days=int(rng.integers(0, 28)))
            ended = began + timedelta(days=int(rng.integers(1, 7)))
            event = f.AdverseEvent(harm.what, harm.grade, "possible", True, False, began, ended)
            yield Event(ended, event)
    yield Event(calendar.ends, f.Completed("programme", calendar.ends))


def _reports(
    followed: Array, scenario: Scenario, study: Study, visits: Mapping[str, date], calendar: Calendar, *, rng: Generator
) -> Iterator[Event]:
    """Reports between visits: around a line through the followed outcome's scores, as long as the person comes."""
    weekly = scenario.weekly
    if weekly is None:
        return
    outcome = study.outcome(weekly.outcome)
    planned = [visits.get(code) or calendar.visit(study, code, rng) for code in study.outcome(weekly.follows).visits]
    known = [(day - planned[0]).days for day in planned]
    item = load(outcome.instrument).items[0]
    for week in range(1, weekly.weeks + 1):
        on = calendar.begins + timedelta(days=7 * week)
        if on > max(visits.values()) or rng.random() > weekly.answered:
            continue
        level = float(np.interp((on - planned[0]).days, known, followed)) + rng.normal(0, weekly.noise)
        value = rounded(float(np.clip(level, item.low, item.high)), rng)
        yield Event(on, f.Tested(outcome.instrument, {item.id: value}, on))


def _ending(who: Simulated, calendar: Calendar, visits: Mapping[str, date]) -> Iterator[Event]:
    last = max(visits.values())
    if who.lost_before:
        on = max(last, calendar.ends) + timedelta(days=30)
        yield Event(on, f.Lost("could not be reached (simulated)", on))
        return
    yield Event(last, f.Completed("study", last))
