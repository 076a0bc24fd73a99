"""A table and its map into drafts of records, all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from holdfast.core.facts import Answered, Described, Enrolled, Fact, Imported, Randomised, Tested, Value
from holdfast.core.issues import Issue, Severity, errors
from holdfast.core.records import Draft
from holdfast.exchange.map_checks import check, columns_named, nearest
from holdfast.exchange.mapping import AnswerColumns, ImportMap, Mapped, ValueColumns
from holdfast.exchange.people import Someone, gather
from holdfast.exchange.preview import Preview
from holdfast.exchange.reading import Reading
from holdfast.exchange.table import Row, Table
from holdfast.exchange.targets import Lookup, is_measured, target_of
from holdfast.study.model import Study

STRATUM = "imported"
"""The stratum of people whose arm was assigned elsewhere."""

Result = tuple[list[Draft], dict[str, str], Preview, list[Issue]]


def to_drafts(
    table: Table,
    mapped: Mapped,
    study: Study,
    *,
    instruments: Lookup,
    at: datetime,
    actor: str,
    role: str = "coordinator",
) -> Result:
    """Turn a table into drafts of records, as its map declares.

    Parameters
    ----------
    instruments : gives the instrument of a code (`holdfast.instruments.load`).
    at, actor, role : the envelope of the drafts.

    Returns
    -------
    drafts : for each person what happened, in order, and last the `Imported` fact; empty when there is any error.
    allocation : arm by participant; never in a draft.
    preview : what was read, what was not and why.
    issues : every problem; an error means that nothing can be imported.
    """
    issues = check(mapped, table, study, instruments)
    if errors(issues):
        return [], {}, Preview(table.name, len(table), complete=mapped.map.trial.complete), issues
    if not len(table):
        empty = Issue(
            "no-rows", table.name, "the table has a header and no rows; nothing was imported.", "Export it again."
        )
        return [], {}, Preview(table.name, 0, complete=mapped.map.trial.complete), [*issues, empty]
    reading = Reading(table, mapped.map.file)
    people = gather(reading, mapped.map, study)
    measured = _Measured(reading, mapped.map, study, instruments)
    facts = {someone.code: list(measured.of(someone)) for someone in people}
    issues += reading.issues() + _nobody(people, mapped) + _sizes(people, study)
    issues += _unfed(facts, study) + _units(mapped, study, instruments)
    preview = _preview(reading, mapped, study, people, facts)
    if errors(issues):
        return [], {}, preview, issues
    envelope = Draft(Enrolled(), at, actor, role)
    drafts = [draft for someone in people for draft in _path(someone, facts[someone.code], envelope)]
    drafts.append(replace(envelope, fact=_imported(table, mapped, reading, preview)))
    allocation = {someone.code: someone.arm for someone in people if someone.arm is not None}
    return drafts, allocation, preview, issues


Placed = tuple[str, Fact]
"""A visit and what was measured there."""


@dataclass(slots=True)
class _Measured:
    """Reads what was measured on each person, in the study's order of visits."""

    reading: Reading
    mapped: ImportMap
    study: Study
    lookup: Lookup

    def of(self, someone: Someone) -> Iterator[Placed]:
        found = self._long(someone) if self.mapped.row else self._wide(someone.rows[0])
        rank = {visit.code: place for place, visit in enumerate(self.study.visits)}
        yield from sorted(found, key=lambda placed: rank[placed[0]])

    def _wide(self, row: Row) -> list[Placed]:
        found: list[Placed] = []
        for value in self.mapped.values:
            for visit, column in value.columns.items():
                fact = self._number(row, column, value, visit)
                found += [(visit, fact)] if fact else []
        for answer in self.mapped.answers:
            fact = self._answers(row, answer)
            found += [(answer.visit, fact)] if fact else []
        return found

    def _long(self, someone: Someone) -> list[Placed]:
        found: list[Placed] = []
        seen: dict[tuple[str, str], int] = {}
        for row in someone.rows:
            visit, only = self._row_is_about(row, someone.code, seen)
            if visit is None:
                continue
            for value in self.mapped.values:
                if only in (None, value.instrument):
                    fact = self._number(row, value.column, value, visit)
                    found += [(visit, fact)] if fact else []
            for answer in self.mapped.answers:
                if only in (None, answer.instrument):
                    fact = self._answers(row, answer)
                    found += [(visit, fact)] if fact else []
        return found

    def _row_is_about(self, row: Row, code: str, seen: dict[tuple[str, str], int]) -> tuple[str | None, str | None]:
        """The visit, and the one instrument of the row when the map names a column for it."""
        meaning = self.mapped.row
        visit = self.reading.coded(row, meaning.visit) if meaning else None
        only = self.reading.coded(row, meaning.instrument) if meaning and meaning.instrument else None
        known = [each.code for each in self.study.visits]
        if visit is None or meaning is None or (meaning.instrument and only is None):
            return None, None
        if visit not in known:
            column = meaning.visit.column
            self.reading.problem(
                row, column, "unknown-visit", f"the study has no visit {visit!r}.", nearest(visit, known)
            )
            return None, None
        mapped = {each.instrument for each in self.mapped.values} | {each.instrument for each in self.mapped.answers}
        if meaning.instrument and only not in mapped:
            column, what = meaning.instrument.column, f"the map has no entry for the instrument {only!r}."
            self.reading.problem(row, column, "unknown-instrument", what, nearest(only or "", mapped))
            return None, None
        return self._once(row, code, visit, only, seen), only

    def _once(self, row: Row, code: str, visit: str, only: str | None, seen: dict[tuple[str, str], int]) -> str | None:
        first = seen.setdefault((visit, only or ""), row.number)
        if first == row.number:
            return visit
        what = f"participant {code} at {visit}{f', {only},' if only else ''} is already in row {first}."
        self.reading.problem(row, self.mapped.person.participant, "duplicate", what, "Keep one of the two rows.")
        return None

    def _number(self, row: Row, column: str, value: ValueColumns, visit: str) -> Fact | None:
        item = target_of(value.instrument, self.study, self.lookup).number
        number = self.reading.number(row, column, value.missing, factor=value.factor)
        kept = None if item is None else self.reading.fits(row, column, number, item)
        if kept is None or item is None:
            return None
        return self._fact(value.instrument, {item.id: kept}, self.reading.day(row, value.on.get(visit)))

    def _answers(self, row: Row, answer: AnswerColumns) -> Fact | None:
        items = target_of(answer.instrument, self.study, self.lookup).items
        answers: dict[str, Value] = {}
        for code, column in answer.items.items():
            number = self.reading.number(row, column, answer.missing, codes=answer.codes, factor=None)
            answers[code] = self.reading.fits(row, column, number, items[code])
        if all(value is None for value in answers.values()):
            return None
        return self._fact(answer.instrument, answers, self.reading.day(row, answer.on))

    def _fact(self, instrument: str, values: dict[str, Value], on: date | None) -> Fact:
        if is_measured(instrument, self.study, self.lookup):
            return Tested(instrument, values, on)
        version = target_of(instrument, self.study, self.lookup).version
        return Answered(instrument, values, version, on)


def _path(someone: Someone, facts: Sequence[Placed], envelope: Draft) -> Iterator[Draft]:
    """What is known to have happened to one person, in order."""
    mine = replace(envelope, participant=someone.code)
    yield replace(mine, fact=Enrolled(someone.site, someone.enrolled))
    if someone.covariates:
        yield replace(mine, fact=Described(someone.covariates))
    if someone.arm is not None:
        # the slot is taken, in order, when the draft becomes a record
        yield replace(mine, fact=Randomised(STRATUM, 0, someone.randomised))
    yield from (replace(mine, fact=fact, visit=visit) for visit, fact in facts)


def _imported(table: Table, mapped: Mapped, reading: Reading, preview: Preview) -> Imported:
    return Imported(table.name, table.sha256, mapped.sha256, len(table), reading.taken, preview.not_taken)


def _nobody(people: Sequence[Someone], mapped: Mapped) -> list[Issue]:
    """An error where a trial that is said to be finished has nobody in an arm: closing it would be for good."""
    if not mapped.map.trial.complete or any(someone.arm is not None for someone in people):
        return []
    what = "complete = true closes the trial for good, but the table has nobody who was randomised."
    return [Issue("nobody-randomised", mapped.name, what, "Map the column of the arm, or drop complete = true.")]


def _sizes(people: Sequence[Someone], study: Study) -> list[Issue]:
    """A warning for each arm whose size is not the one that the study file states."""
    count = Counter(someone.arm for someone in people)
    return [
        Issue(
            "arm-size",
            f"arm {arm.code}",
            f"the table has {count[arm.code]} people, the study file says {arm.size}.",
            "Check that the table is whole and the map's codes are right.",
            Severity.WARNING,
        )
        for arm in study.arms
        if arm.size is not None and count[arm.code] != arm.size and any(count[each.code] for each in study.arms)
    ]


def _seen(facts: dict[str, list[Placed]]) -> Counter[tuple[str, str]]:
    """People by instrument and visit."""
    return Counter(
        (fact.test if isinstance(fact, Tested) else fact.instrument, visit)
        for mine in facts.values()
        for visit, fact in mine
        if isinstance(fact, Tested | Answered)
    )


def _unfed(facts: dict[str, list[Placed]], study: Study) -> list[Issue]:
    """A note for each outcome and visit that the table gives nothing for."""
    seen = _seen(facts)
    return [
        Issue("nothing-for", f"{outcome.code} at {visit}", "the table gives no value.", "", Severity.NOTE)
        for outcome in study.outcomes
        for visit in outcome.visits
        if not seen[outcome.instrument, visit]
    ]


def _units(mapped: Mapped, study: Study, lookup: Lookup) -> list[Issue]:
    """A note where the unit of a column is not stated, or where its numbers were multiplied."""
    notes: list[Issue] = []
    for value in mapped.map.values:
        unit = target_of(value.instrument, study, lookup).unit
        if unit and not value.unit:
            what = f"the map does not state its unit; {unit!r} was taken."
            notes.append(Issue("unit-not-stated", value.instrument, what, "", Severity.NOTE))
        if value.factor is not None:
            what = f"values were multiplied by {value.factor:g} to come from {value.unit!r} to {unit!r}."
            notes.append(Issue("converted", value.instrument, what, "", Severity.NOTE))
    return notes


def _preview(
    reading: Reading, mapped: Mapped, study: Study, people: Sequence[Someone], facts: dict[str, list[Placed]]
) -> Preview:
    arms = Counter(someone.arm for someone in people if someone.arm is not None)
    described = Counter(code for someone in people for code in someone.covariates)
    return Preview(
        name=reading.table.name,
        rows=len(reading.table),
        people=len(people),
        randomised=sum(arms.values()),
        arms=tuple((arm.code, arms[arm.code], arm.size) for arm in study.arms),
        measured=_in_order(_seen(facts), study),
        described=tuple(described.items()),
        taken=reading.taken,
        not_taken=_not_taken(reading, mapped),
        complete=mapped.map.trial.complete,
    )


def _in_order(seen: Counter[tuple[str, str]], study: Study) -> tuple[tuple[str, str, int], ...]:
    rank = {visit.code: place for place, visit in enumerate(study.visits)}
    ordered = sorted(seen.items(), key=lambda pair: (pair[0][0], rank[pair[0][1]]))
    return tuple((instrument, visit, count) for (instrument, visit), count in ordered)


def _not_taken(reading: Reading, mapped: Mapped) -> tuple[str, ...]:
    """Every column and cell that becomes no record, with the reason."""
    named = {column for _, column in columns_named(mapped)}
    ignored = [f"column {column}: left out, {reason}" for column, reason in mapped.map.ignore.items()]
    unknown = [f"column {c}: the map does not mention it" for c in reading.table.columns if c not in named]
    missing = [
        f"column {column}: {count} cells are missing ({'empty' if code == '' else repr(code)})"
        for (column, code), count in reading.missing.items()
    ]
    return (*ignored, *unknown, *missing)
