"""The long table that models take: one row per person and visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from holdfast.analysis.people import people
from holdfast.analysis.scores import Sheet, score_sheet
from holdfast.analysis.sets import ALL, members
from holdfast.core.issues import Issue
from holdfast.core.ledger import Ledger
from holdfast.errors import CallError
from holdfast.study.model import Outcome, Study
from holdfast.study.spans import months


@dataclass(frozen=True, slots=True)
class Dataset:
    """Everything that the analyses of one study draw their tables from.

    `people` has one row per randomised person (participant, arm, site, covariates), `sheet` the scores.
    """

    study: Study
    people: pd.DataFrame
    sheet: Sheet
    issues: tuple[Issue, ...] = ()

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms, comparator first."""
        return tuple(self.people["arm"].cat.categories)

    def members(self, code: str = ALL) -> tuple[str, ...]:
        """Participants of an analysis set."""
        return members(self.study, self.sheet, self.people, code)

    def long(self, outcome: str, visits: Sequence[str] | None = None, who: str = ALL) -> pd.DataFrame:
        """One row per person of the set `who` and visit; the columns are those of `long_table`."""
        wanted = self._outcome(outcome)
        chosen = self._visits(wanted, visits)
        keep = set(self.members(who))
        base = self.people[self.people["participant"].isin(keep)]
        parts = [self._at(base, wanted, visit) for visit in chosen]
        table = pd.concat(parts, ignore_index=True)
        table["visit"] = pd.Categorical(table["visit"], categories=list(chosen), ordered=True)
        order = {code: position for position, code in enumerate(self.people["participant"])}
        rank = table["participant"].map(order)
        return table.iloc[rank.argsort(kind="stable")].reset_index(drop=True)

    def _at(self, base: pd.DataFrame, outcome: Outcome, visit: str) -> pd.DataFrame:
        codes = list(base["participant"])
        part = base[["participant", "arm"]].copy()
        part["visit"] = visit
        part["value"] = self._values(outcome.code, codes, visit)
        part["baseline"] = self._values(outcome.code, codes, outcome.visits[0])
        part["months"] = self._months(visit)
        part = pd.concat([part, base[[name for name in base.columns if name not in ("participant", "arm")]]], axis=1)
        for other in self.study.outcomes:
            part[other.code] = self._values(other.code, codes, visit)
            part[f"{other.code}_baseline"] = self._values(other.code, codes, other.visits[0])
        return part

    def _months(self, visit: str) -> float:
        """Planned months from the visit's anchor; from the end of the longest programme, with its weeks added."""
        planned = self.study.visit(visit)
        trained = max((programme.weeks for programme in self.study.programmes.values()), default=0.0)
        before = f"{trained:g} weeks" if planned.anchor == "programme end" else "0 weeks"
        return months(planned.offset) + months(before)

    def _values(self, outcome: str, codes: Sequence[str], visit: str) -> list[float]:
        return [self.sheet.get(outcome, code, visit) for code in codes]

    def _outcome(self, code: str) -> Outcome:
        try:
            return self.study.outcome(code)
        except KeyError:
            known = ", ".join(each.code for each in self.study.outcomes)
            raise CallError(f"the study has no outcome {code!r}", ways_out=[f"use one of: {known}"]) from None

    def _visits(self, outcome: Outcome, visits: Sequence[str] | None) -> tuple[str, ...]:
        """The wanted visits in the study's order; without a wish, every visit of the outcome after its first."""
        known = [visit.code for visit in self.study.visits if visit.code in outcome.visits]
        wanted = list(outcome.visits[1:] or outcome.visits) if visits is None else list(visits)
        for visit in wanted:
            if visit not in known:
                raise CallError(f"{outcome.code!r} is not measured at {visit!r}, only at {', '.join(known)}")
        return tuple(visit for visit in known if visit in wanted)


def dataset(study: Study, ledger: Ledger, arms: Mapping[str, str]) -> Dataset:
    """Score the ledger and describe its people once, for all analyses."""
    sheet = score_sheet(study, ledger)
    who, issues = people(study, ledger, arms)
    clashes = {"participant", "arm", "visit", "value", "baseline", "months"} & {
        *(covariate.code for covariate in study.covariates),
        *(outcome.code for outcome in study.outcomes),
    }
    if clashes:
        raise CallError(f"{sorted(clashes)[0]!r} is a column of every long table; call the variable otherwise")
    return Dataset(study, who, sheet, (*sheet.issues, *issues))


def long_table(
    study: Study, ledger: Ledger, arms: Mapping[str, str], outcome: str, visits: Sequence[str] | None = None
) -> pd.DataFrame:
    """The long table of one outcome for everybody randomised.

    Parameters
    ----------
    arms : arm code by participant (or masked labels A, B).
    outcome : code of an outcome of the study file.
    visits : visits to include, in any order; None for all of the outcome's visits after its first. Baseline
        rows are there only when the first visit is asked for.

    Returns
    -------
    One row per person and visit, people in the order of randomisation, with the columns `participant`, `arm`
    (categorical; the first category is the comparator, the arm that declared contrasts name second), `visit`
    (ordered categorical in the study's order), `value` (scored, transformed, NaN where missing), `baseline` (the
    value at the outcome's first visit), `months` (planned, from the start), `site`, every covariate by its code, and
    for every outcome `<code>` at the row's visit and `<code>_baseline`.

    Raises `CallError` for an outcome, visit or arm that the study does not have.
    """
    return dataset(study, ledger, arms).long(outcome, visits)
