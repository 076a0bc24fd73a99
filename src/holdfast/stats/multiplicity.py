"""Several hypotheses at one error rate: Bonferroni, Holm, Hochberg, and declared hierarchies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError

Array = NDArray[np.float64]


def bonferroni(p: Sequence[float] | Array) -> Array:
    """Adjusted p values: p times their number, at most 1."""
    values = _checked(p)
    return np.minimum(1.0, values * len(values))


def holm(p: Sequence[float] | Array) -> Array:
    """Step-down adjusted p values (Holm 1979; eq:holm); valid whatever the dependence."""
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return _back(np.minimum(1.0, steps), order)


def hochberg(p: Sequence[float] | Array) -> Array:
    """Step-up adjusted p values (Hochberg 1988; eq:hochberg); valid for independent or positively dependent tests."""
    values = _checked(p)
    order = np.argsort(values, kind="stable")[::-1]
    steps = np.minimum.accumulate(values[order] * np.arange(1, len(values) + 1))
    return _back(np.minimum(1.0, steps), order)


def _checked(p: Sequence[float] | Array) -> Array:
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise CallError("p values must be a list of numbers between 0 and 1")
    return values


def _back(ordered: Array, order: NDArray[np.int64]) -> Array:
    answer = np.empty_like(ordered)
    answer[order] = ordered
    return answer


@dataclass(frozen=True, slots=True)
class Family:
    """Hypotheses tested together at one step of a hierarchy, by "holm", "hochberg" or "bonferroni"."""

    names: tuple[str, ...]
    method: str = "holm"


METHODS = {"holm": holm, "hochberg": hochberg, "bonferroni": bonferroni}


def hierarchy(p: Mapping[str, float], steps: Sequence[str | Family], *, alpha: float = 0.05) -> pd.DataFrame:
    """Test in declared order, each step at full `alpha`, until one step is not won completely (eq:hierarchy).

    A step is one hypothesis or a `Family` (all of whose hypotheses must be rejected for the next step to open).
    Returns one row per hypothesis: step, name, p, adjusted (never below those of earlier steps), tested, rejected.
    Source: Maurer, Hothorn & Lehmacher 1995; Dmitrienko & Tamhane 2007 (serial gatekeeping).
    """
    if not 0 < alpha < 1:
        raise CallError(f"alpha is {alpha}; it lies between 0 and 1")
    rows: list[tuple[int, str, float, float, bool, bool]] = []
    open_, floor = True, 0.0
    for number, step in enumerate(steps, start=1):
        family = Family((step,)) if isinstance(step, str) else step
        unknown = [name for name in family.names if name not in p]
        if unknown:
            raise CallError(f"no p value was given for {unknown[0]!r}")
        if family.method not in METHODS:
            raise CallError(f"method {family.method!r} is not among: {', '.join(METHODS)}")
        raw = [float(p[name]) for name in family.names]
        adjusted = np.maximum(METHODS[family.method](raw), floor)
        rows += [
            (number, name, value, float(a), open_, bool(open_ and a <= alpha))
            for name, value, a in zip(family.names, raw, adjusted, strict=True)
        ]
        floor = float(adjusted.max())
        open_ = open_ and floor <= alpha
    return pd.DataFrame(rows, columns=["step", "name", "p", "adjusted", "tested", "rejected"])
