"""What a report keeps to itself while the arms are masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from holdfast.analysis.exposure import EXPOSURES
from holdfast.analysis.results import Results
from holdfast.report.model import Callout, Section
from holdfast.study.analyses import Mediation
from holdfast.study.model import Study

WORD = "[arm]"
LEFT_OUT = (
    "The arms are called A and B, and what could tell which is which is not in this report: the page in plain words, "
    "the summary, what the arms were offered, estimands and declared methods, the flow of people, attendance, doses "
    "and perceived exertion, harms, departures and checklists, and every analysis of training received. Names of arms "
    f"and programmes are printed as {WORD}. The report after the reveal has all of it."
)


def notice() -> Section:
    """What is left out, said first."""
    return Section("masked", "While the arms are masked", (Callout(LEFT_OUT, "warning", "Left out"),))


def kept(results: Results, study: Study) -> Results:
    """The results without the analyses of training received, since a dose tells the arm."""
    telling = {each.code for each in study.analyses if _tells(each)}
    return replace(results, analyses=tuple(each for each in results.analyses if each.code not in telling))


def _tells(declared: object) -> bool:
    if isinstance(declared, Mediation):
        return bool(set(declared.mediators) & set(EXPOSURES))
    return getattr(declared, "model", "") == "dose"


def names(study: Study) -> re.Pattern[str]:
    """Every name of an arm or programme, longest first, as a whole word and not inside a code such as hit-vs-mit."""
    words = {arm.code for arm in study.arms} | {arm.name for arm in study.arms if arm.name}
    words |= set(study.programmes) | {each.name for each in study.programmes.values() if each.name}
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, ordered)) + r")(?![\w-])", re.IGNORECASE)


def scrubbed(value: Any, words: re.Pattern[str]) -> Any:
    """The same value with every name replaced in every string that it holds."""
    if isinstance(value, str):
        return words.sub(WORD, value)
    if isinstance(value, tuple | list):
        return type(value)(scrubbed(each, words) for each in value)
    if isinstance(value, Mapping):
        return {key: scrubbed(each, words) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: scrubbed(getattr(value, each.name), words) for each in fields(value)})
    return value


def plain(results: Results, study: Study) -> dict[str, Any]:
    """The results as JSON values, without what tells the arms."""
    found = kept(results, study).plain()
    found["analyses"] = [_undeclared(each) for each in found["analyses"]]
    found["left_out"] = LEFT_OUT
    untouched = {key: found[key] for key in ("study", "version", "data_hash", "content_hash", "versions")}
    hidden = scrubbed({key: each for key, each in found.items() if key not in untouched}, names(study))
    return {**untouched, **hidden}


def _undeclared(analysed: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in analysed.items() if key not in ("declared", "method")}
