"""The one scoring engine: one person's raw answers in, scores out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.issues import Issue, Severity
from holdfast.errors import CallError
from holdfast.instruments.answers import Read, read_answers
from holdfast.instruments.model import Instrument, Item, Safety, Score, Sure, WhenMissing
from holdfast.instruments.options import Options
from holdfast.instruments.outcome import NoScore
from holdfast.instruments.rules import RULES, Answered

_NOT_A_PROBLEM = {"no-value-set", "nothing-answered"}


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one form.

    `values` : score code -> number, profile or category; None where it could not be computed (`why(code)` says why).
    `rule_version` : instrument, version of its rule, and the protocol's choices if it made any.
    """

    values: Mapping[str, float | str | None]
    rule_version: str
    issues: tuple[Issue, ...]

    def why(self, code: str) -> str:
        """Why this score is missing or special; empty when there is nothing to say."""
        return " ".join(issue.what for issue in self.issues if issue.where == _place(code))


def score(instrument: Instrument, answers: Mapping[str, object], *, options: Options | None = None) -> Scored:
    """Score one form: `answers` maps item ids to raw answers (None, NaN or "" where there is none).

    Nothing is guessed: an answer that is out of range or not a number leaves its scores missing; a missing answer is
    treated as the instrument's missing rule says, with a note. Raises `CallError` when the options do not fit.
    """
    chosen = options or Options()
    check_options(instrument, chosen)
    read = read_answers(instrument, answers)
    by_id = {item.id: item for item in instrument.items}
    values: dict[str, float | str | None] = {}
    issues = list(read.issues)
    for each in instrument.scores:
        items = tuple(by_id[id] for id in each.items)
        values[each.code], said = _score_one(each, items, read, chosen)
        issues += said
    issues += [_raise_flag(flag, read) for flag in instrument.safety if _is_raised(flag, read)]
    return Scored(values, rule_version(instrument, chosen), tuple(issues))


def rule_version(instrument: Instrument, options: Options) -> str:
    """What the report cites: instrument, version of its rule, the protocol's choices."""
    chosen = options.label()
    return f"{instrument.code} rule {instrument.rule_version}" + (f" ({chosen})" if chosen else "")


def check_options(instrument: Instrument, options: Options) -> None:
    """Refuse choices that this instrument does not have."""
    scores = {score.code: score for score in instrument.scores}
    for code, fewest in options.min_answered.items():
        if code not in scores:
            raise CallError(f"{instrument.code} has no score {code!r}; it has {', '.join(scores)}")
        if scores[code].missing.then is WhenMissing.NONE:
            raise CallError(f"{code} has no rule for missing answers, so min_answered cannot be chosen")
        if not 1 <= fewest <= len(scores[code].items):
            raise CallError(f"min_answered of {code} is {fewest}; it has {len(scores[code].items)} items")
    if options.value_set and all(score.rule != "index" for score in instrument.scores):
        raise CallError(f"{instrument.code} has no index, so it takes no value set")
    optional = {item.id for item in instrument.items if item.optional}
    for id in sorted(options.presented - optional):
        raise CallError(f"{id!r} is not an optional item of {instrument.code}, so it cannot be listed as presented")


def _score_one(
    score: Score, items: tuple[Item, ...], read: Read, options: Options
) -> tuple[float | str | None, list[Issue]]:
    refusal = _refuse(score, items, read, options)
    if refusal is None:
        given = {item.id: _turn(item, read.values[item.id]) for item in items if item.id in read.values}
        value = RULES[score.rule].function(score, Answered(items, given, options.value_set))
        if not isinstance(value, NoScore):
            return value, _say_filled(score, items, read)
        refusal = value
    severity = Severity.NOTE if refusal.code in _NOT_A_PROBLEM else Severity.WARNING
    return None, [Issue(refusal.code, _place(score.code), refusal.why, severity=severity)]


def _turn(item: Item, answer: float) -> float:
    """The answer as the score counts it."""
    # eq:reverse
    return item.low + item.high - answer if item.reverse else answer


def _refuse(score: Score, items: tuple[Item, ...], read: Read, options: Options) -> NoScore | None:
    """Why the answers do not allow this score, or None when they do."""
    bad = [item.id for item in items if item.id in read.invalid]
    if bad:
        return NoScore("invalid-answer", f"no score, because the answer to {', '.join(bad)} cannot be used.")
    answered = [item for item in items if item.id in read.values]
    if not answered:
        return NoScore("nothing-answered", "no score, because no item was answered.")
    absent = [item.id for item in items if item.id not in read.values]
    if score.missing.then is WhenMissing.ZERO:
        return None
    fewest = options.min_answered.get(score.code, score.missing.min_answered)
    if fewest is not None:
        absent_shown = [id for id in absent if id in options.presented]
        enough = len(answered) >= fewest and not absent_shown
        ask = f"{len(answered)} of {len(items)} items answered, {fewest} needed" + _list(absent_shown)
        return None if enough else NoScore("too-few-answers", f"no score, because {ask}.")
    needed = [item.id for item in items if item.id in absent and (not item.optional or item.id in options.presented)]
    if not needed:
        return None
    return NoScore("missing-answer", f"no score, because there is no answer to {', '.join(needed)}.{_advice(score)}")


def _list(absent: list[str]) -> str:
    return f"; no answer to {', '.join(absent)}, which the study presents" if absent else ""


def _advice(score: Score) -> str:
    if score.missing.then is WhenMissing.NONE or score.missing.known.verified:
        return ""
    return " The protocol may set min_answered for this score."


def _say_filled(score: Score, items: tuple[Item, ...], read: Read) -> list[Issue]:
    """A note when a score was computed although items without an answer exist."""
    absent = [item.id for item in items if item.id not in read.values and not item.optional]
    if not absent:
        return []
    done = {
        WhenMissing.SKIP: "left out of the rule",
        WhenMissing.PRORATE: "filled by the mean of the answered items",
        WhenMissing.ZERO: "counted as not ticked",
    }[score.missing.then]
    doubt = "" if score.missing.known.sure is Sure.VERIFIED else f" (this rule is {score.missing.known.sure.value})"
    what = f"{len(absent)} of {len(items)} items carry no answer and were {done}{doubt}: {', '.join(absent)}."
    return [Issue("missing-filled", _place(score.code), what, severity=Severity.NOTE)]


def _is_raised(flag: Safety, read: Read) -> bool:
    return read.values.get(flag.item, flag.above) > flag.above


def _raise_flag(flag: Safety, read: Read) -> Issue:
    what = f"{flag.item} was answered {read.values[flag.item]:g}: {flag.says}"
    remedy = "Follow the protocol's safety procedure now."
    return Issue("safety-flag", f"item {flag.item}", what, remedy, Severity.WARNING)


def _place(code: str) -> str:
    return f"score {code}"
