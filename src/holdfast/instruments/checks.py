"""What must hold between the parts of an instrument, as a list of small checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from math import inf

from holdfast.core.issues import Issue
from holdfast.instruments.model import Instrument, Item, Kind, Score, Sure
from holdfast.instruments.rules import RULES, Answered

Check = Callable[[Instrument, str], list[Issue]]


def unique_names(instrument: Instrument, source: str) -> list[Issue]:
    """No two items share an id, no two scores a code."""
    twice = _twice(item.id for item in instrument.items) + _twice(score.code for score in instrument.scores)
    return [Issue("named-twice", source, f"the name {name!r} is used twice.", "Give each its own.") for name in twice]


def names_exist(instrument: Instrument, source: str) -> list[Issue]:
    """Whatever is referred to is there: the primary score, the items of scores, of conditions, of safety flags."""
    ids, scores = {item.id for item in instrument.items}, {score.code for score in instrument.scores}
    used = [(f"score {score.code}", id) for score in instrument.scores for id in score.items]
    used += [(f"item {item.id}", item.asked_if) for item in instrument.items if item.asked_if]
    used += [("safety", flag.item) for flag in instrument.safety]
    named = [("primary", instrument.primary)]
    named += [("threshold", each.score) for each in (*instrument.mics, *instrument.mdcs)]
    wrong = [(place, name, ids) for place, name in used if name not in ids]
    wrong += [(place, name, scores) for place, name in named if name not in scores]
    return [
        Issue("unknown-name", f"{source} {place}", f"there is no {name!r}.", "There are: " + ", ".join(sorted(known)))
        for place, name, known in wrong
    ]


def ranges_ascend(instrument: Instrument, source: str) -> list[Issue]:
    """Each item's low is below its high, and its plausible range lies inside."""
    wrong = [item for item in instrument.items if not _ascends(item)]
    return [
        Issue("wrong-range", f"{source} item {item.id}", "its range does not ascend, or plausible lies outside it.")
        for item in wrong
    ]


def rules_fit(instrument: Instrument, source: str) -> list[Issue]:
    """Each rule finds its constants, may do what the missing rule says, and gets as many items as it can use."""
    issues = []
    for score in instrument.scores:
        rule, place = RULES[score.rule], f"{source} score {score.code}"
        absent = sorted(set(rule.params) ^ set(score.params))
        if absent:
            issues.append(Issue("wrong-params", place, f"the rule's constants do not fit: {', '.join(absent)}."))
        if score.missing.then not in rule.then:
            remedy = "It can: " + ", ".join(sorted(rule.then))
            issues.append(Issue("wrong-missing", place, f"{score.rule!r} cannot {score.missing.then.value!r}.", remedy))
        if score.rule == "single" and len(score.items) != 1:
            issues.append(Issue("wrong-items", place, "the rule 'single' takes one item."))
        if (score.missing.min_answered or 1) > len(score.items):
            issues.append(Issue("wrong-missing", place, "min_answered is more than there are items."))
    return issues


def ranges_agree(instrument: Instrument, source: str) -> list[Issue]:
    """The range a score states is the range its items give; this runs only when everything it needs is sound."""
    if any(check(instrument, source) for check in (unique_names, names_exist, ranges_ascend, rules_fit)):
        return []
    issues = []
    for score in instrument.scores:
        reached = _extremes(instrument, score)
        if reached and reached != _stated(score):
            what = f"it says {score.low} to {score.high}, its items give {reached[0]:g} to {reached[1]:g}."
            issues.append(Issue("wrong-range", f"{source} score {score.code}", what))
    return issues


def direction_stated(instrument: Instrument, source: str) -> list[Issue]:
    """The primary score is a number with a direction; a bounded number always has one."""
    loose = [
        score.code
        for score in instrument.scores
        if score.better is None and (score.low is not None or score.code == instrument.primary)
    ]
    return [
        Issue("no-direction", f"{source} score {code}", "which end is better?", 'Write better = "lower" or "higher".')
        for code in loose
    ]


def thresholds_say_something(instrument: Instrument, source: str) -> list[Issue]:
    """A threshold has a positive size or a range."""
    return [
        Issue("empty-threshold", f"{source} {each.score}", f"the threshold of {each.population!r} has no size.")
        for each in (*instrument.mics, *instrument.mdcs)
        if not any((each.absolute, each.relative, each.low))
    ]


def words_are_ours(instrument: Instrument, source: str) -> list[Issue]:
    """No item carries text when the licence entry says that only the scoring ships."""
    worded = [item.id for item in instrument.items if item.text]
    if instrument.licence.ships != "scoring only" or not worded:
        return []
    remedy = "Remove the text; a licence holder's file can bring it."
    return [Issue("text-not-ours", source, f"{worded[0]} carries text, but only the scoring may ship.", remedy)]


def sources_named(instrument: Instrument, source: str) -> list[Issue]:
    """A questionnaire's scoring rule names where it comes from, or says that it was not found."""
    silent = [
        score.code
        for score in instrument.scores
        if instrument.kind is Kind.QUESTIONNAIRE and score.known.sure is not Sure.NOT_FOUND and not score.known.source
    ]
    return [Issue("no-source", f"{source} score {code}", "name the source of the scoring rule.") for code in silent]


CHECKS: tuple[Check, ...] = (
    unique_names,
    names_exist,
    ranges_ascend,
    rules_fit,
    ranges_agree,
    direction_stated,
    thresholds_say_something,
    words_are_ours,
    sources_named,
)


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _ascends(item: Item) -> bool:
    low, high = item.plausible or (item.low, item.high)
    return item.low < item.high and item.low <= low < high <= item.high


def _stated(score: Score) -> tuple[float, float]:
    return (-inf if score.low is None else score.low), (inf if score.high is None else score.high)


def _extremes(instrument: Instrument, score: Score) -> tuple[float, float] | None:
    """What the rule gives for all items at their lowest and at their highest, where that is its range."""
    rule = RULES[score.rule]
    if not rule.corners:
        return None
    items = tuple(instrument.item(id) for id in score.items)
    lowest = rule.function(score, Answered(items, {item.id: item.low for item in items}))
    highest = rule.function(score, Answered(items, {item.id: item.high for item in items}))
    if isinstance(lowest, float) and isinstance(highest, float):
        return lowest, highest
    return None
