"""Whom an analysis looks at: the analysis sets of the study file."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from holdfast.analysis.people import level_text
from holdfast.analysis.scores import Sheet
from holdfast.errors import CallError
from holdfast.study.model import AnalysisSet, Study

ALL = "all randomised"


def members(study: Study, sheet: Sheet, who: pd.DataFrame, code: str) -> tuple[str, ...]:
    """Participants of an analysis set, in the order of randomisation.

    `who` is the table of `people.people`. Raises `CallError` for a set that the study file does not have.
    """
    everybody = tuple(who["participant"])
    if code == ALL:
        return everybody
    declared = next((each for each in study.analysis_sets if each.code == code), None)
    if declared is None:
        known = [ALL, *(each.code for each in study.analysis_sets)]
        raise CallError(f"there is no analysis set {code!r}", ways_out=["use one of: " + ", ".join(known)])
    where = _where(who, declared.where)
    return tuple(code for code in everybody if code in where and _observed(sheet, declared, code))


def in_words(study: Study, code: str) -> str:
    """The set as a clause of a sentence."""
    declared = next((each for each in study.analysis_sets if each.code == code), None)
    if declared is None:
        return "all randomised people with the values it needs, each in the arm they were randomised to"
    parts = [f"{observed} was observed" for observed in declared.observed]
    parts += [f"{name} is {level_text(value)}" for name, value in declared.where.items()]
    return "randomised people with the values it needs" + (", for whom " + " and ".join(parts) if parts else "")


def _where(who: pd.DataFrame, conditions: Mapping[str, str | float | bool]) -> set[str]:
    keep = pd.Series(True, index=who.index)
    for name, wanted in conditions.items():
        if name not in who.columns:
            raise CallError(f"the analysis set asks for {name!r}, which is no covariate, arm or site")
        column = who[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            keep &= (column.astype(object) == level_text(wanted)).to_numpy()
        else:
            keep &= (column == float(wanted)).to_numpy()
    return set(who.loc[keep, "participant"])


def _observed(sheet: Sheet, declared: AnalysisSet, participant: str) -> bool:
    for words in declared.observed:
        outcome, found, visit = words.partition(" at ")
        if not found:
            raise CallError(f"analysis set {declared.code!r}: {words!r} is not 'outcome at VISIT'")
        if math.isnan(sheet.get(outcome.strip(), participant, visit.strip())):
            return False
    return True
