"""Screening answers of simulated people: of those who may take part, and of those who may not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdfast.core.facts import Value
from holdfast.study.model import Question, Rule, Study

WIDTH = 20.0
"""How far above a lower bound without an upper one answers are drawn. Invented."""


def screened(study: Study, known: Mapping[str, Value], rng: np.random.Generator) -> tuple[dict[str, Value], bool]:
    """Answers of an eligible person, and whether a rule asks for a clearance.

    What is known about the person (age) is answered so; every include rule holds, no exclude or concern rule does, and
    each clearance question is answered at random.
    """
    answers: dict[str, Value] = {}
    for question in study.eligibility.questions:
        mine = [rule for rule in study.eligibility.rules if rule.question == question.code]
        answers[question.code] = known.get(question.code, _answer(question, mine, rng))
    asked = (rule for rule in study.eligibility.rules if rule.kind == "clearance" and rule.is_ is not None)
    return answers, any(answers.get(rule.question) == rule.is_ for rule in asked)


def turned_away(study: Study, rng: np.random.Generator) -> tuple[dict[str, Value], str] | None:
    """Answers of a person who may not take part, and the code of the rule; None without rules that can exclude."""
    rules = [rule for rule in study.eligibility.rules if rule.kind in ("include", "exclude") and rule.is_ is not None]
    if not rules:
        return None
    failed = rules[int(rng.integers(len(rules)))]
    answers, _ = screened(study, {}, rng)
    answers[failed.question] = failed.is_ if failed.kind == "exclude" else not failed.is_
    return answers, failed.code


def _answer(question: Question, rules: list[Rule], rng: np.random.Generator) -> Value:
    if question.type == "yes/no":
        clearing = [rule for rule in rules if rule.kind == "clearance"]
        if clearing:
            # half of the people were not active; disease and symptoms are rare among those who volunteer. Invented.
            return bool(rng.random() < (0.5 if clearing[0].is_ is False else 0.05))
        return any(rule.kind == "include" and rule.is_ is True for rule in rules)
    if question.type == "number":
        return _number([rule for rule in rules if rule.kind == "include"], rng)
    return question.choices[0] if question.choices else None


def _number(rules: list[Rule], rng: np.random.Generator) -> float:
    lows = [each for rule in rules for each in (rule.at_least, rule.more_than) if each is not None]
    highs = [each for rule in rules for each in (rule.at_most, rule.less_than) if each is not None]
    low = max(lows) if lows else (min(highs) - WIDTH if highs else 0.0)
    high = min(highs) if highs else low + WIDTH
    # strictly inside, so that "more than" and "less than" hold too
    return round(float(rng.uniform(low + 0.1 * (high - low), high - 0.1 * (high - low))))
