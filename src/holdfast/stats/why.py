"""The question why, asked of a long table: mediation with its order in time checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from holdfast.errors import CallError, DataError, Refused
from holdfast.stats.bootstrap import Progress
from holdfast.stats.frames import as_levels, design, pair_of, require_columns, to_pandas, variables_of
from holdfast.stats.mediation import ASSUMPTIONS, Interval, Mediation, mediate_linear
from holdfast.stats.mediation_likelihood import LikelihoodMediation, mediate_likelihood
from holdfast.stats.mediators import Mediators, mediate_several

Answer = Mediation | Mediators | LikelihoodMediation


def mediate(
    data: Any,
    *,
    outcome: str,
    mediators: Sequence[str],
    arm: str,
    at: str,
    seed: int,
    mediators_at: str | None = None,
    contrast: str | None = None,
    covariates: Sequence[str] = (),
    missing: Literal["left out", "likelihood"] = "left out",
    interval: Interval = "posterior",
    draws: int = 5000,
    visits: Sequence[str] | None = None,
    subject: str = "participant",
    visit: str = "visit",
    same_visit: bool = False,
    level: float = 0.95,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Answer:
    """How much of the arm's effect on `outcome` at visit `at` goes through the `mediators`.

    A long table, one row per person and visit, with a column per measure (or `value` for the outcome); columns
    ending in `_baseline` (or `baseline` for the outcome) adjust for what people started with. The mediators are
    taken at `mediators_at`: default the last visit before `at` at which all of them were measured. A mediator
    measured after the outcome is refused, and one measured at the same visit unless `same_visit=True` takes the
    responsibility.

    One mediator gives a `Mediation` (with sensitivity analysis), several give `Mediators` (interventional effects),
    missing="likelihood" a `LikelihoodMediation` that uses people with some values missing.
    """
    frame = to_pandas(data)
    value = outcome if outcome in frame.columns else "value"
    require_columns(list(frame.columns), [subject, visit, arm, value, *mediators])
    if not mediators or len(set(mediators)) != len(mediators) or outcome in mediators:
        raise CallError("mediators must be one or more different columns, none of them the outcome")
    order = _order(frame[visit], visits)
    when = _when(frame, list(mediators), visit, order, at, mediators_at, same_visit)
    people, start = _people(frame, outcome, value, list(mediators), subject, visit, arm, at, when, covariates)
    terms = [*start, *covariates]
    formula = "_outcome ~ " + (" + ".join(terms) if terms else "1")
    notes = _assumptions(outcome, mediators, at, when)
    if missing == "likelihood":
        return _likelihood(
            people, formula, outcome, list(mediators), arm, contrast, notes, seed, draws, level, workers, progress
        )
    if missing != "left out":
        raise CallError(f"missing is {missing!r}; it can be 'left out' or 'likelihood'")
    if len(mediators) == 1:
        one = mediate_linear(
            formula,
            people,
            mediator=mediators[0],
            arm=arm,
            contrast=contrast,
            interval=interval,
            draws=draws,
            seed=seed,
            level=level,
            workers=workers,
            progress=progress,
        )
        return _renamed(one, outcome, notes)
    several = mediate_several(
        formula, people, mediators=mediators, arm=arm, contrast=contrast, seed=seed, draws=draws, level=level
    )
    return _renamed_several(several, outcome, notes)


def _order(column: pd.Series, visits: Sequence[str] | None) -> tuple[str, ...]:
    if visits is not None:
        return tuple(map(str, visits))
    if isinstance(column.dtype, pd.CategoricalDtype):
        return tuple(map(str, column.cat.categories))
    if pd.api.types.is_numeric_dtype(column):
        return tuple(str(v) for v in sorted(column.dropna().unique()))
    present = list(dict.fromkeys(map(str, column.dropna())))
    raise CallError(
        "the order of the visits is not known: the column holds text",
        ways_out=[f"say it: visits={present!r} in the right order", "make the column an ordered categorical"],
    )


def _when(
    frame: pd.DataFrame,
    mediators: list[str],
    visit: str,
    order: tuple[str, ...],
    at: str,
    wanted: str | None,
    same_visit: bool,
) -> str:
    """The visit of the mediators, refused when it is not before the outcome's."""
    for name in (at, wanted):
        if name is not None and str(name) not in order:
            raise CallError(f"visit {name!r} is not among: {', '.join(order)}")
    measured = [name for name in order if frame.loc[frame[visit].astype(str) == name, mediators].notna().any().all()]
    if wanted is None:
        before = [name for name in measured if order.index(name) < order.index(str(at))]
        if not before:
            raise Refused(
                f"no visit before {at!r} has all of {', '.join(mediators)}: mediators come before the outcome",
                ways_out=["measure mediators mid-programme", "ask for the outcome at a later visit"],
            )
        return before[-1]
    if order.index(str(wanted)) > order.index(str(at)):
        raise Refused(
            f"the mediators at {wanted!r} were measured after the outcome at {at!r}, so they cannot carry it",
            ways_out=["take the mediators at an earlier visit", "ask for the outcome at a later visit"],
        )
    if str(wanted) == str(at) and not same_visit:
        raise Refused(
            f"mediators and outcome are both taken at {at!r}, so their order is not known",
            ways_out=[
                "take the mediators at an earlier visit",
                "say same_visit=True; it is printed as assumed",
            ],
        )
    if str(wanted) not in measured:
        raise DataError(f"not every mediator was measured at {wanted!r}")
    return str(wanted)


def _people(
    frame: pd.DataFrame,
    outcome: str,
    value: str,
    mediators: list[str],
    subject: str,
    visit: str,
    arm: str,
    at: str,
    when: str,
    covariates: Sequence[str],
) -> tuple[pd.DataFrame, list[str]]:
    """One row per person: arm, mediators, outcome, their baselines and covariates; and the baselines' names."""
    label = frame[visit].astype(str)
    if frame.assign(_v=label).duplicated([subject, "_v"]).any():
        raise DataError("someone has two rows at one visit")
    fixed = frame.groupby(subject, sort=True).first()
    later = frame[label == str(at)].set_index(subject)[value].rename("_outcome")
    middle = frame[label == when].set_index(subject)[mediators]
    starts = [name for name in (f"{outcome}_baseline", "baseline") if name in frame.columns][:1]
    starts += [f"{name}_baseline" for name in mediators if f"{name}_baseline" in frame.columns]
    for name in mediators:
        if f"{name}_baseline" in frame.columns and middle[name].equals(fixed[f"{name}_baseline"].rename(name)):
            raise Refused(
                f"{name!r} at {when!r} is its own baseline: what was there before the training cannot carry its effect",
                ways_out=["measure mediators mid-programme", "ask for the outcome at a later visit"],
            )
    plain = list(variables_of(covariates))
    require_columns(list(frame.columns), plain)
    keep = fixed[list(dict.fromkeys([arm, *starts, *plain]))]
    return keep.join(middle).join(later).reset_index(), starts


def _assumptions(outcome: str, mediators: Sequence[str], at: str, when: str) -> tuple[str, ...]:
    timing = (
        f"mediators were taken at {when}, {outcome} at {at}"
        if when != str(at)
        else f"mediators and {outcome} were both taken at {at}: that the mediators came first is assumed, not known"
    )
    shared = [text for text in ASSUMPTIONS if not text.startswith("the mediator was measured")]
    extra = ["the mediators do not modify each other's or the arm's effect; their order is left open"]
    return (
        *shared,
        timing,
        "mediators are measured without error and relations are linear",
        *extra[: len(mediators) - 1],
    )


def _renamed(answer: Mediation, outcome: str, notes: tuple[str, ...]) -> Mediation:
    return Mediation(
        outcome,
        answer.mediator,
        answer.contrast,
        answer.a,
        answer.b,
        answer.effects,
        answer.interval,
        answer.sensitivity,
        answer.n,
        answer.left_out,
        notes,
    )


def _renamed_several(answer: Mediators, outcome: str, notes: tuple[str, ...]) -> Mediators:
    return Mediators(
        outcome,
        answer.mediators,
        answer.contrast,
        answer.effects,
        answer.simultaneous,
        answer.paths,
        answer.n,
        answer.left_out,
        answer.level,
        notes,
    )


def _likelihood(
    people: pd.DataFrame,
    formula: str,
    outcome: str,
    mediators: list[str],
    arm: str,
    contrast: str | None,
    notes: tuple[str, ...],
    seed: int,
    draws: int,
    level: float,
    workers: int | None,
    progress: Progress | None,
) -> LikelihoodMediation:
    made = design(
        formula.replace("_outcome", "_zero", 1),
        people.assign(_zero=0.0),
        factors=[arm],
        keep=["_outcome", *mediators],
    )
    levels = list(as_levels(made.frame[arm]).cat.categories)
    if len(levels) < 2:
        raise DataError(f"only arm {levels[0]!r} is in the data, so there is no effect to explain")
    first, second = pair_of(contrast, levels)
    inside = made.frame[arm].isin([first, second]).to_numpy()
    frame = made.frame[inside]
    return mediate_likelihood(
        (frame[arm] == first).to_numpy(float),
        frame[mediators].to_numpy(float),
        frame["_outcome"].to_numpy(float),
        np.asarray(made.X[inside][:, 1:]),
        names=tuple(mediators),
        outcome=outcome,
        contrast=f"{first} - {second}",
        seed=seed,
        draws=draws,
        level=level,
        left_out=made.left_out,
        assumptions=notes,
        workers=workers,
        progress=progress,
    )
