"""Type II and Type III tests of the terms of the mean model."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.columns import Column
from holdfast.stats.formula import Terms
from holdfast.stats.mmrm.design import MmrmDesign
from holdfast.stats.mmrm.inference import Inference
from holdfast.stats.mmrm.tails import f_tail

Array = NDArray[np.float64]


def term_tests(design: MmrmDesign, inference: Inference, kind: str) -> pd.DataFrame:
    """One F test for each term: term, num_df, den_df, F, p.

    Type "II": each term after all others that do not contain it (eq:mmrm-type2). Type "III": cell means averaged with
    equal weights, covariates at zero (eq:mmrm-type3). Satterthwaite's joint df depend on how the rows are written; they
    are written as in SAS and R: treatment contrasts for II, deviations from the mean for III.
    """
    if kind not in ("II", "III"):
        raise CallError(f"kind is {kind!r}; it can be 'II' or 'III'")
    if not design.terms.parsed.plain:
        raise CallError(
            "tests of terms need a formula of bare columns",
            ways_out=("compute transformed columns beforehand", "test the coefficients with fit.linear(L).joint"),
        )
    rows = []
    for k, term in enumerate(design.terms.parsed.terms):
        if not term or not (design.terms.assign == k).any():
            continue
        L = type2_rows(design, k) if kind == "II" else type3_rows(design.terms, term)
        F, num, den = inference.joint(L)
        rows.append((design.terms.labels[k], num, den, F, f_tail(F, num, den)))
    return pd.DataFrame(rows, columns=["term", "num_df", "den_df", "F", "p"])


def type2_rows(design: MmrmDesign, k: int) -> Array:
    """Rows (q, p) that test term k adjusted for every term that does not contain it."""
    terms, assign = design.terms.parsed.terms, design.terms.assign
    X = design.X[design.observed]
    above = [j for j in range(len(terms)) if j != k and _contains(design.terms, terms[j], terms[k])]
    own, higher = np.flatnonzero(assign == k), np.flatnonzero(np.isin(assign, above))
    rest = np.setdiff1d(np.arange(X.shape[1]), np.concatenate([own, higher]))
    L = np.zeros((len(own), X.shape[1]))
    L[:, own] = np.eye(len(own))
    if len(higher):
        kept = np.concatenate([own, higher])
        clean = X[:, kept] - X[:, rest] @ np.linalg.lstsq(X[:, rest], X[:, kept], rcond=None)[0]
        x1, x2 = clean[:, : len(own)], clean[:, len(own) :]
        L[:, higher] = np.linalg.solve(x1.T @ x1, x1.T @ x2)
    return L


def _contains(terms: Terms, larger: tuple[str, ...], smaller: tuple[str, ...]) -> bool:
    """Whether a term contains another with the same covariates (SAS's rule)."""
    more = set(larger) - set(smaller)
    return set(smaller) < set(larger) and more <= set(terms.factors)


def type3_rows(terms: Terms, term: tuple[str, ...]) -> Array:
    """Rows (q, p) of deviations from the mean over a grid with equal weights."""
    inside = [name for name in term if name in terms.factors]
    slopes = [name for name in term if name not in terms.factors]
    sizes = [len(levels) for levels in terms.factors.values()]
    combos = np.array(list(itertools.product(*(range(size) for size in sizes))), dtype=np.int64).reshape(-1, len(sizes))
    rows = np.zeros((len(combos), len(terms.names)))
    for on in itertools.product((0.0, 1.0), repeat=len(slopes)):  # a slope is a difference between covariate 1 and 0
        sign = (-1.0) ** (len(slopes) - sum(on))
        rows += sign * terms.matrix(_cells(terms, combos, dict(zip(slopes, on, strict=True))), len(combos))
    weights = [_deviations(len(terms.factors[name])) if name in inside else None for name in terms.factors]
    parts = [np.full((1, size), 1 / size) if w is None else w for w, size in zip(weights, sizes, strict=True)]
    average = np.ones((1, 1))
    for part in parts:
        average = np.kron(average, part)
    return np.asarray(average @ rows)


def _deviations(levels: int) -> Array:
    """Every level but the last minus the mean of all (levels - 1, levels)."""
    return np.asarray((np.eye(levels) - 1 / levels)[:-1])


def _cells(terms: Terms, combos: NDArray[np.int64], at: dict[str, float]) -> dict[str, Column]:
    frame = {name: Column(None, combos[:, j], levels) for j, (name, levels) in enumerate(terms.factors.items())}
    frame |= {name: Column(np.full(len(combos), at.get(name, 0.0))) for name in terms.covariates}
    return frame
