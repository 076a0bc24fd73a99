"""Who may take part: the typed rules of the study file over one person's screening answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from holdfast.core.facts import Value
from holdfast.core.issues import Issue, Severity
from holdfast.study.model import Eligibility, Question, Rule

ACTIVE, DISEASE, SYMPTOMS = "active", "cmr_disease", "symptoms"
"""Codes of the three questions of pre-participation screening. A study that asks all three gets the step below."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something to be done before training starts: which rule asks for it, how urgent, what."""

    rule: str
    text: str
    action: str
    level: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about one person.

    Attributes
    ----------
    failed : codes of the include rules that do not hold and the exclude rules that do.
    undecided : codes of rules whose question has no answer.
    clearances : medical clearance that is needed before vigorous training.
    concerns : red flags with their level of concern and the action asked for.
    issues : answers that do not fit their question; nothing is decided from them.
    """

    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    clearances: tuple[Need, ...] = ()
    concerns: tuple[Need, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def eligible(self) -> bool:
        """Every include rule holds, no exclude rule does, and nothing is open."""
        return not self.failed and not self.undecided and not self.issues


def assess(eligibility: Eligibility, answers: Mapping[str, Value], *, vigorous: bool = False) -> Verdict:
    """Judge one person's answers by the study's rules.

    Parameters
    ----------
    answers : by question code: a bool for yes/no, a number, one of the choices, an ISO day, a text; None when open.
    vigorous : whether any arm of the study trains vigorously; then the pre-participation step is added. It is a
        property of the study and not of the person's arm, so its result tells nothing about the arm.
    """
    questions = {question.code: question for question in eligibility.questions}
    issues = _misfits(questions, answers)
    if issues:
        return Verdict(issues=issues)
    failed, undecided, clearances, concerns = [], [], [], []
    for rule in eligibility.rules:
        answer = answers.get(rule.question)
        if answer is None:
            undecided.append(rule.code)
            continue
        met = holds(rule, answer)
        need = Need(rule.code, rule.text, rule.action, rule.level or "")
        if rule.kind == "clearance" and met:
            clearances.append(need)
        elif rule.kind == "concern" and met:
            concerns.append(need)
        elif rule.kind in ("include", "exclude") and met == (rule.kind == "exclude"):
            failed.append(rule.code)
    if vigorous and not clearances and {ACTIVE, DISEASE, SYMPTOMS} <= questions.keys():
        clearances += preparticipation(answers)
    return Verdict(tuple(failed), tuple(undecided), tuple(clearances), tuple(concerns))


def holds(rule: Rule, answer: Value) -> bool:
    """Whether the rule's condition is true of this answer; every part that is stated must be."""
    if rule.is_ is not None and not _same(rule.is_, answer):
        return False
    if rule.one_of and str(answer) not in rule.one_of:
        return False
    bounds = (rule.at_least, rule.at_most, rule.more_than, rule.less_than)
    if all(bound is None for bound in bounds):
        return True
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return False
    low, high, above, below = bounds
    return (
        (low is None or answer >= low)
        and (high is None or answer <= high)
        and (above is None or answer > above)
        and (below is None or answer < below)
    )


def preparticipation(answers: Mapping[str, Value]) -> list[Need]:
    """Whether clearance is needed before vigorous training (after the ACSM screening algorithm, Riebe 2015).

    Three inputs decide: whether the person exercises regularly, known cardiovascular, metabolic or renal disease,
    and signs or symptoms of it. Risk factors are not counted. An inactive person without disease may start lightly
    without clearance, but not vigorously. The three inputs were read at a source; the tree itself is from memory and
    unverified, so a study may declare its own clearance rules.
    """
    active, disease, symptoms = (answers.get(code) for code in (ACTIVE, DISEASE, SYMPTOMS))
    if symptoms is True:
        return [Need("symptoms", "signs or symptoms of disease", "medical clearance before any training", "high")]
    if disease is True:
        when = "before any training" if active is False else "before vigorous training"
        return [Need("cmr_disease", "known disease", f"medical clearance {when}", "moderate")]
    if active is False:
        return [Need("inactive", "not regularly active", "medical clearance before vigorous training", "low")]
    return []


def _same(wanted: str | bool | float, answer: Value) -> bool:
    if isinstance(wanted, bool) or isinstance(answer, bool):
        return wanted is answer
    if isinstance(wanted, str) or isinstance(answer, str):
        return str(wanted) == str(answer)
    return answer is not None and float(wanted) == float(answer)


def _misfits(questions: Mapping[str, Question], answers: Mapping[str, Value]) -> tuple[Issue, ...]:
    found = []
    for code, answer in answers.items():
        question = questions.get(code)
        if question is None:
            found.append(
                Issue("unknown-question", code, "is no screening question.", f"Asked are: {', '.join(questions)}.")
            )
        elif answer is not None and (problem := _misfit(question, answer)):
            found.append(Issue("wrong-answer", code, problem, severity=Severity.ERROR))
    return tuple(found)


def _misfit(question: Question, answer: Value) -> str:
    match question.type:
        case "yes/no":
            return "" if isinstance(answer, bool) else "is answered by yes or no (true or false)."
        case "number":
            number = isinstance(answer, int | float) and not isinstance(answer, bool)
            return "" if number else "is answered by a number."
        case "choice":
            return "" if answer in question.choices else f"is one of: {', '.join(question.choices)}."
        case "date":
            return "" if _is_day(answer) else "is a day, written as 2026-05-31."
        case _:
            return "" if isinstance(answer, str) else "is a text."


def _is_day(answer: Value) -> bool:
    try:
        date.fromisoformat(answer if isinstance(answer, str) else "")
    except ValueError:
        return False
    return True
