"""The questions one asks of a fit, as methods that only translate."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm.anova import term_tests
from holdfast.stats.mmrm.design import MmrmDesign
from holdfast.stats.mmrm.grid import Settings, mean_rows, people_rows
from holdfast.stats.mmrm.inference import Inference
from holdfast.stats.mmrm.request import Request
from holdfast.stats.mmrm.results import Estimates, estimates
from holdfast.stats.mmrm.words import Question, change_questions, contrast_questions

Array = NDArray[np.float64]


class Asking:
    """Base of `MmrmFit`: contrasts, changes, means, linear functions."""

    request: Request
    design: MmrmDesign
    inference: Inference

    def contrast(
        self,
        contrast: str | Sequence[str],
        *,
        at: str | Sequence[str] | None = None,
        change: tuple[str, str] | None = None,
        by: Settings | None = None,
        weights: str = "equal",
        level: float | None = None,
    ) -> Estimates:
        """Difference between two levels of a factor: "HIT - MIT", at visits, or as a change between two visits.

        `at` names one visit or several; `change=("POST", "FU")` asks how the difference moved from POST to FU; without
        both the difference is averaged over visits. Several contrasts or visits give one row each and a joint F test
        (`.joint`). `by` fixes further factors, such as {"sex": "F"}; the rest is averaged by `weights` ("equal",
        "proportional", "counterfactual"), which matters only where factors interact with the contrast.
        """
        places = [at] if isinstance(at, str) else at
        texts = [contrast] if isinstance(contrast, str) else list(contrast)
        questions = contrast_questions(self.design, texts, places, change, by or {})
        return _answer(self, questions, weights, level)

    def change(
        self,
        levels: str | Sequence[str],
        *,
        change: tuple[str, str],
        by: Settings | None = None,
        weights: str = "equal",
        level: float | None = None,
    ) -> Estimates:
        """Change within a level between two visits: `fit.change("HIT", change=("PRE", "POST"))`."""
        wanted = [levels] if isinstance(levels, str) else list(levels)
        return _answer(self, change_questions(self.design, wanted, change, by or {}), weights, level)

    def means(
        self,
        by: str | Sequence[str],
        *,
        weights: str,
        at: Settings | None = None,
        level: float | None = None,
    ) -> Estimates:
        """Marginal means for every combination of the factors `by`, such as ["arm", "visit"] (eq:mmrm-means).

        `weights` says how other factors are averaged: "equal", "proportional" or "counterfactual" (everybody as they
        are, put into each combination; the standard error then counts that these people are a sample). Covariates
        stand at their mean. `at` fixes further variables.
        """
        names = [by] if isinstance(by, str) else list(by)
        for name in names:
            if name not in self.design.terms.factors:
                raise CallError(f"{name!r} is not a factor of the model: {', '.join(self.design.terms.factors)}")
        combos = itertools.product(*(self.design.terms.factors[name] for name in names))
        questions = [
            Question(
                ((1.0, {**(at or {}), **dict(zip(names, combo, strict=True))}),), dict(zip(names, combo, strict=True))
            )
            for combo in combos
        ]
        return _answer(self, questions, weights, level)

    def tests(self, kind: str) -> pd.DataFrame:
        """F test of every term, Type "II" or "III": term, num_df, den_df, F, p."""
        return term_tests(self.design, self.inference, kind)

    def linear(self, L: Array, *, names: dict[str, list[str]] | None = None, level: float | None = None) -> Estimates:
        """Estimates of L beta for rows L (k, p) or one row (p,), with their joint covariance in `.vcov`."""
        rows = np.atleast_2d(np.asarray(L, dtype=float))
        labels = names or {"name": [f"row {k + 1}" for k in range(len(rows))]}
        return estimates(self.inference, rows, labels, self.request.level if level is None else level)


def question_rows(
    design: MmrmDesign,
    contrast: str | Sequence[str],
    at: str | Sequence[str] | None,
    change: tuple[str, str] | None,
    weights: str = "equal",
) -> tuple[dict[str, list[str]], Array]:
    """Labels and rows (k, p) of contrasts in words."""
    places = [at] if isinstance(at, str) else at
    texts = [contrast] if isinstance(contrast, str) else list(contrast)
    questions = contrast_questions(design, texts, places, change, {})
    settings = [setting for question in questions for _, setting in question.parts]
    names = {name: [question.names[name] for question in questions] for name in questions[0].names}
    return names, _combine(questions) @ mean_rows(design, settings, weights)


def _answer(fit: Asking, questions: list[Question], weights: str, level: float | None) -> Estimates:
    settings = [setting for question in questions for _, setting in question.parts]
    combine = _combine(questions)
    level = fit.request.level if level is None else level
    names = {name: [question.names[name] for question in questions] for name in questions[0].names}
    if weights != "counterfactual":
        rows = combine @ mean_rows(fit.design, settings, weights)
        return estimates(fit.inference, rows, names, level)
    people = np.stack(people_rows(fit.design, settings))  # (settings, people, p)
    rows = combine @ people.mean(1)
    predicted = combine @ (people @ fit.inference.point.beta)
    extra = np.atleast_2d(np.cov(predicted)) / predicted.shape[1]  # eq:mmrm-gcomp
    extra = np.where(np.abs(extra) < 1e-14 * np.abs(predicted).max() ** 2, 0.0, extra)
    return estimates(fit.inference, rows, names, level, extra)


def _combine(questions: list[Question]) -> Array:
    """Weights of the settings in each question (k, settings)."""
    total = sum(len(question.parts) for question in questions)
    out = np.zeros((len(questions), total))
    place = 0
    for k, question in enumerate(questions):
        for weight, _ in question.parts:
            out[k, place] = weight
            place += 1
    return out
