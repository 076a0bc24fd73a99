"""Cox regression for counting-process data with person-robust standard errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError, DataError, NotConverged
from holdfast.stats.estimates import Estimate, check_level, table_of, wald
from holdfast.stats.frames import design
from holdfast.stats.linear import check_rank

Array = NDArray[np.float64]
Ties = Literal["breslow", "efron"]
FAR = 15.0  # a log hazard ratio of 15 over a covariate's range is a coefficient on its way to infinity


@dataclass(frozen=True, slots=True)
class CoxFit:
    """Log hazard (or rate) ratios.

    beta (p,), `model` inverse information (p, p), `robust` sandwich by person (p, p), log-likelihood at zero and at the
    optimum, numbers of rows, people and events. The table uses the robust covariance when `by_person`.
    """

    names: tuple[str, ...]
    beta: Array
    model: Array
    robust: Array
    by_person: bool
    loglik_null: float
    loglik: float
    rows: int
    people: int
    events: int
    left_out: int
    ties: Ties
    level: float

    def estimate(self, name: str) -> Estimate:
        """The log hazard ratio of one coefficient."""
        if name not in self.names:
            raise CallError(f"coefficient {name!r} is not among: {', '.join(self.names)}")
        i = self.names.index(name)
        V = self.robust if self.by_person else self.model
        return wald(name, float(self.beta[i]), math.sqrt(float(V[i, i])), level=self.level)

    @property
    def table(self) -> pd.DataFrame:
        """Log hazard ratios in the shared columns; `ratio`, `ratio_low`, `ratio_high` on the natural scale."""
        frame = table_of([self.estimate(name) for name in self.names], "coefficient")
        return frame.assign(
            ratio=np.exp(frame["estimate"]), ratio_low=np.exp(frame["low"]), ratio_high=np.exp(frame["high"])
        )

    def __str__(self) -> str:
        head = f"{self.events} events of {self.people} people, ties after {self.ties.capitalize()}"
        return "\n".join([head, *(f"  log ratio {self.estimate(name)}" for name in self.names)])


def cox(
    formula: str,
    data: Any,
    *,
    stop: str,
    event: str,
    start: str | None = None,
    person: str | None = None,
    stratum: str | None = None,
    ties: Ties = "breslow",
    level: float = 0.95,
) -> CoxFit:
    """Fit the hazard on the right-hand side `formula` ("arm + baseline") over rows (start, stop] with 0/1 `event`.

    Several rows per `person` with all events give the Andersen-Gill model; its robust covariance is LWYY's rate model
    (Lin, Wei, Yang & Ying 2000). `stratum` = number of the event gives Prentice-Williams-Peterson (total time).
    Raises `DataError` without events, `NotConverged` when a coefficient runs to infinity (one arm without events).
    """
    check_level(level)
    if ties not in ("breslow", "efron"):
        raise CallError(f"ties is {ties!r}; it can be 'breslow' or 'efron'")
    keep = [name for name in (stop, start, person, stratum) if name is not None]
    made = design(f"{event} ~ {formula}", data, keep=keep)
    frame = made.frame
    X, names = made.X[:, 1:], made.names[1:]  # the baseline hazard is the intercept
    end = frame[stop].to_numpy(float)
    begin = np.zeros(len(end)) if start is None else frame[start].to_numpy(float)
    _check(begin, end, made.y, event)
    people = np.arange(len(end)) if person is None else pd.factorize(frame[person])[0]
    strata = np.zeros(len(end), dtype=int) if stratum is None else pd.factorize(frame[stratum])[0]
    check_rank(np.column_stack([np.ones(len(X)), X]), ["Intercept", *names])
    sets = risk_sets(begin, end, made.y, strata)
    centre = X.mean(axis=0)
    beta, loglik_null, loglik, information = _newton(X - centre, sets, ties)
    residuals = score_residuals(X - centre, beta, sets, ties)
    by_person = np.zeros((int(people.max()) + 1, X.shape[1]))
    np.add.at(by_person, people, residuals)
    model = np.asarray(np.linalg.inv(information), dtype=float)
    influence = by_person @ model
    return CoxFit(
        names,
        beta,
        model,
        influence.T @ influence,
        person is not None,
        loglik_null,
        loglik,
        len(end),
        len(by_person),
        int(made.y.sum()),
        made.left_out,
        ties,
        level,
    )


def _check(begin: Array, end: Array, event: Array, name: str) -> None:
    if not set(np.unique(event)) <= {0.0, 1.0}:
        raise DataError(f"the event column {name!r} must be 0 or 1")
    if event.sum() == 0:
        raise DataError(
            "no event was recorded, so no rate can be compared",
            ways_out=["report the numbers of people and of weeks observed, by arm"],
        )
    if np.isnan(begin).any() or np.isnan(end).any() or (end <= begin).any():
        raise DataError("every row must cover some time: stop must be later than start, and both known")


RiskSets = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def risk_sets(begin: Array, end: Array, event: Array, strata: NDArray[np.int64]) -> RiskSets:
    """For each stratum and event time: rows at risk, and rows with the event."""
    sets: RiskSets = []
    for s in np.unique(strata):
        inside = strata == s
        for t in np.unique(end[inside & (event == 1)]):
            at_risk = np.flatnonzero(inside & (begin < t) & (end >= t))
            sets.append((at_risk, np.flatnonzero(inside & (end == t) & (event == 1))))
    return sets


def _shares(count: int, ties: Ties) -> Array:
    """By how much the tied events' own risk is taken out in each of the steps (eq:cox-ties)."""
    return np.arange(count) / count if ties == "efron" else np.zeros(count)


def partial_likelihood(X: Array, beta: Array, sets: RiskSets, ties: Ties) -> tuple[float, Array, Array]:
    """Log partial likelihood, score (p,) and information (p, p) (eq:cox)."""
    p = X.shape[1]
    loglik, score, information = 0.0, np.zeros(p), np.zeros((p, p))
    eta = X @ beta
    risk = np.exp(eta)
    for at_risk, dying in sets:
        r, Z = risk[at_risk], X[at_risk]
        s0, s1, s2 = r.sum(), r @ Z, (Z * r[:, None]).T @ Z
        d, W = risk[dying], X[dying]
        d0, d1, d2 = d.sum(), d @ W, (W * d[:, None]).T @ W
        loglik += float(eta[dying].sum())
        score += W.sum(axis=0)
        for share in _shares(len(dying), ties):
            a0, a1, a2 = s0 - share * d0, s1 - share * d1, s2 - share * d2
            loglik -= math.log(a0)
            score -= a1 / a0
            information += a2 / a0 - np.outer(a1, a1) / a0**2
    return loglik, score, information


def _newton(X: Array, sets: RiskSets, ties: Ties) -> tuple[Array, float, float, Array]:
    beta = np.zeros(X.shape[1])
    spread = np.ptp(X, axis=0)
    value, score, information = partial_likelihood(X, beta, sets, ties)
    null = value
    for _ in range(60):
        if (np.abs(beta) * spread).max() > FAR:
            break
        if np.abs(score / np.maximum(spread, 1e-12)).max() < 1e-9 * max(1, len(sets)):
            return beta, null, value, information
        step = np.linalg.solve(information, score)
        for _ in range(30):
            new = partial_likelihood(X, beta + step, sets, ties)
            if new[0] >= value - 1e-12:
                break
            step = step / 2
        beta, (value, score, information) = beta + step, new
    raise NotConverged(
        "the Cox model has no finite optimum: a coefficient runs to infinity (are there arms without events?)",
        ways_out=["report events and person-time by arm", "compare restricted mean times free of the event"],
    )


def score_residuals(X: Array, beta: Array, sets: RiskSets, ties: Ties) -> Array:
    """Each row's contribution to the score less its compensator (n, p) (eq:lwyy)."""
    answer = np.zeros_like(X)
    risk = np.exp(X @ beta)
    for at_risk, dying in sets:
        r, Z = risk[at_risk], X[at_risk]
        is_dying = np.isin(at_risk, dying)
        for share in _shares(len(dying), ties):
            weight = r * np.where(is_dying, 1 - share, 1.0)
            mean = weight @ Z / weight.sum()
            answer[at_risk] -= (weight / weight.sum())[:, None] * (Z - mean)
            answer[dying] += (X[dying] - mean) / len(dying)
    return answer
