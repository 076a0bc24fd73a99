"""Rows of coefficients for means of the model: which settings, averaged over what."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.columns import Column, codes_of
from holdfast.stats.mmrm.design import MmrmDesign

Array = NDArray[np.float64]

WEIGHTS = ("equal", "proportional", "counterfactual")
Settings = Mapping[str, str]


def mean_rows(design: MmrmDesign, settings: Sequence[Settings], weights: str) -> Array:
    """One row of weights for the coefficients (k, p) for each setting of factors (eq:mmrm-means).

    Covariates stand at their mean over the rows of the design. Factors that are not set are averaged: "equal" over
    their levels, "proportional" by the frequency of their combinations among those rows; "counterfactual" averages
    over the people as they are, everyone put into the setting.
    """
    if weights not in WEIGHTS:
        raise CallError(f"weights is {weights!r}; it can be: {', '.join(WEIGHTS)}")
    if weights == "counterfactual":
        return np.stack([rows.mean(0) for rows in people_rows(design, settings)])
    free = [name for name in design.terms.factors if name not in settings[0]]
    combos, share = _combinations(design, free, weights)
    rows = design.terms.matrix(_grid(design, settings, free, combos), len(settings) * len(combos))
    return np.asarray(np.einsum("c,kcp->kp", share, rows.reshape(len(settings), len(combos), -1)))


def people_rows(design: MmrmDesign, settings: Sequence[Settings]) -> list[Array]:
    """Design rows (n_people, p) of everybody in the design, put into each setting."""
    _, one = np.unique(design.subject, return_index=True)
    for name, column in design.frame.items():
        if name not in settings[0] and _varies(column, design.subject):
            raise CallError(
                f"counterfactual means need covariates that belong to the person; {name!r} changes between visits",
                ways_out=('weights="equal" or "proportional"',),
            )
    out = []
    for setting in settings:
        frame = {name: column.take(one) for name, column in design.frame.items()}
        for name, level in setting.items():
            frame[name] = _constant(design, name, level, len(one))
        out.append(design.terms.matrix(frame, len(one)))
    return out


def _varies(column: Column, subject: NDArray[np.int64]) -> bool:
    values = column.codes if column.codes is not None else column.numbers
    first = np.zeros(int(subject.max()) + 1, dtype=np.int64)
    first[subject[::-1]] = np.arange(len(subject))[::-1]
    return bool((values != values[first[subject]]).any())


def _combinations(design: MmrmDesign, free: list[str], weights: str) -> tuple[list[tuple[int, ...]], Array]:
    combos = list(itertools.product(*(range(len(design.terms.factors[name])) for name in free)))
    if weights == "equal" or not free:
        return combos, np.full(len(combos), 1 / len(combos))
    codes = np.stack([codes_of(design.frame[name]) for name in free], axis=1)
    share = np.array([(codes == np.array(combo)).all(1).mean() for combo in combos])
    return combos, share


def _grid(
    design: MmrmDesign, settings: Sequence[Settings], free: list[str], combos: list[tuple[int, ...]]
) -> dict[str, Column]:
    n, k = len(settings), len(combos)
    frame: dict[str, Column] = {}
    for name in design.terms.covariates:
        mean = float(design.frame[name].numbers.mean())
        frame[name] = Column(np.full(n * k, mean))
    for j, name in enumerate(free):
        codes = np.tile(np.array([combo[j] for combo in combos], dtype=np.int64), n)
        frame[name] = Column(None, codes, design.terms.factors[name], declared=True)
    for name in settings[0]:
        parts = [_constant(design, name, setting[name], k) for setting in settings]
        frame[name] = _joined(parts)
    return frame


def _constant(design: MmrmDesign, name: str, level: str, n: int) -> Column:
    if name in design.terms.factors:
        levels = design.terms.factors[name]
        if level not in levels:
            raise CallError(f"{level!r} is not a level of {name!r}: {', '.join(levels)}")
        return Column(None, np.full(n, levels.index(level), dtype=np.int64), levels, declared=True)
    return Column(np.full(n, float(level)))


def _joined(parts: list[Column]) -> Column:
    if parts[0].codes is not None:
        codes = np.concatenate([codes_of(part) for part in parts])
        return Column(None, codes, parts[0].levels, declared=True)
    return Column(np.concatenate([part.numbers for part in parts]))
