"""Fits of many data sets that share a design, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError, FitError, NotConverged, RankDeficient, Unidentifiable
from holdfast.stats.estimates import COLUMNS
from holdfast.stats.mmrm.asking import question_rows
from holdfast.stats.mmrm.design import MmrmDesign
from holdfast.stats.mmrm.features import Features, count_patterns, features, sums
from holdfast.stats.mmrm.fit import fit_design
from holdfast.stats.mmrm.many_newton import Climb, maximise_many
from holdfast.stats.mmrm.many_vcov import answers
from holdfast.stats.mmrm.prepare import structure_on_grid
from holdfast.stats.mmrm.request import Request, request_of
from holdfast.stats.mmrm.structures import Linear, Structure
from holdfast.stats.mmrm.tails import t_quantile, t_tail

Array = NDArray[np.float64]

DF_MANY = ("satterthwaite", "kenward-roger", "kenward-roger-linear", "kenward-roger-mmrm", "residual", "none")


@dataclass(frozen=True)
class ManyFits:
    """B fits of one design: `estimate`, `se`, `df`, `low`, `high`, `t`, `p` (B, k), one column for each question.

    `names` label -> k labels; `beta` (B, p), `theta` (B, r), `loglik`, `gradient`, `iterations` (B,); `problem` (B,) is
    empty where the fit converged and says otherwise why not; the numbers of such a fit are NaN. `engine` is what
    computed: "numpy", "numba", or "numpy, one by one".
    """

    names: dict[str, list[str]]
    level: float
    engine: str
    beta: Array
    theta: Array
    loglik: Array
    gradient: Array
    iterations: NDArray[np.int64]
    estimate: Array
    se: Array
    df: Array
    problem: NDArray[np.str_]

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Which fits have an answer (B,)."""
        return np.asarray(self.problem == "")

    @property
    def t(self) -> Array:
        """Estimate over standard error (B, k)."""
        return self.estimate / self.se

    @property
    def p(self) -> Array:
        """Two-sided p values (B, k)."""
        return 2 * t_tail(np.abs(self.t), self.df)

    @property
    def low(self) -> Array:
        """Lower ends of the intervals (B, k)."""
        return self.estimate - t_quantile(0.5 + self.level / 2, self.df) * self.se

    @property
    def high(self) -> Array:
        """Upper ends of the intervals (B, k)."""
        return self.estimate + t_quantile(0.5 + self.level / 2, self.df) * self.se

    @property
    def table(self) -> pd.DataFrame:
        """All answers under each other: fit, the labels, estimate, se, df, low, high, t, p."""
        B, k = self.estimate.shape
        labels = {name: np.tile(np.array(values, dtype=object), B) for name, values in self.names.items()}
        numbers = {name: getattr(self, name).ravel() for name in COLUMNS}
        return pd.DataFrame({"fit": np.repeat(np.arange(B), k), **labels, **numbers})

    def __str__(self) -> str:
        failed = int((~self.converged).sum())
        left = f"; {failed} have no answer: {', '.join(sorted(set(self.problem[~self.converged])))}" if failed else ""
        return (
            f"{len(self.beta)} fits of one design by {self.engine}, {self.iterations.max()} Newton steps at most{left}"
        )


def mmrm_many(
    design: MmrmDesign,
    outcomes: Array,
    *,
    covariance: str,
    df: str,
    method: str = "reml",
    contrast: str | Sequence[str] | None = None,
    at: str | Sequence[str] | None = None,
    change: tuple[str, str] | None = None,
    L: Array | None = None,
    counts: Array | None = None,
    level: float = 0.95,
    jobs: int = 1,
    engine: str = "numpy",
) -> ManyFits:
    """Fit the model of `design` to each row of `outcomes` (B, rows of the design), NaN where missing.

    For simulation, imputation, and with `counts` (B, people of the design: how often each is drawn) the bootstrap. The
    questions are those of `fit.contrast` (`contrast`, `at`, `change`) or rows `L` (k, p); without either the
    coefficients. Same numbers as one by one to 1e-9. Structures over visits (not spatial); df "satterthwaite",
    "kenward-roger", "kenward-roger-linear", "kenward-roger-mmrm", "residual" or "none". `jobs` threads share the work.

    engine="numba" compiles the Newton steps (`pip install 'holdfast[fast]'`), to the same numbers: about a quarter less
    time, after about a minute for the first call ever on a machine; meant for hundreds of thousands of data sets.
    Covariances us, toep, cs, id and idh without groups.

    A data set without an answer is marked in `problem`, its numbers are NaN; nothing is dropped.
    Raises `CallError` for outcomes of the wrong shape, an option that does not exist, or an engine that cannot do it.
    """
    request = request_of(covariance, df, method, None, level)
    if df not in DF_MANY:
        raise CallError(f"df is {df!r}; for many fits it can be: {', '.join(DF_MANY)}")
    outcomes = np.atleast_2d(np.asarray(outcomes, dtype=float))
    if outcomes.shape[1] != len(design.y):
        raise CallError(f"outcomes have {outcomes.shape[1]} columns; the design has {len(design.y)} rows")
    if counts is not None and np.shape(counts) != (len(outcomes), len(design.subjects)):
        raise CallError(f"counts must be {len(outcomes)} x {len(design.subjects)} (data sets x people)")
    names, rows = _questions(design, contrast, at, change, L)
    structure, made = structure_on_grid(design, request.covariance), features(design)
    if made is None and counts is not None:
        raise CallError(
            "counts need a design with few features of each person; this one changes too much between visits"
        )
    climb = _climb(engine, structure, made)
    alone = made is None or (climb is None and counts is None and _dear(structure, design, outcomes))
    parts = _chunks(len(outcomes), design)

    def work(part: slice) -> _Answer:
        if made is None or alone:
            return _one_by_one(request, structure, design, outcomes[part], rows)
        return _fit_part(
            request, structure, made, outcomes[part], None if counts is None else counts[part], rows, climb
        )

    if jobs == 1:
        found = [work(part) for part in parts]
    else:
        with ThreadPoolExecutor(jobs) as pool:
            found = list(pool.map(work, parts))
    ran = f"{engine}, one by one" if alone else engine
    return ManyFits(names, level, ran, *(np.concatenate(column) for column in zip(*found, strict=True)))


def _climb(engine: str, structure: Structure, made: Features | None) -> Climb | None:
    """The Newton steps of an engine, None for numpy's own; raises `CallError` where the engine cannot be used."""
    if engine == "numpy":
        return None
    if engine != "numba":
        raise CallError(f"engine is {engine!r}; it can be: numpy, numba")
    if made is None:
        raise CallError("the numba engine needs covariates that change little between visits; leave engine out")
    if find_spec("numba") is None:
        raise CallError("the numba engine needs numba", ways_out=("pip install 'holdfast[fast]'", "leave engine out"))
    from holdfast.stats.mmrm import many_kernel

    if not isinstance(structure, Linear):
        raise CallError(many_kernel.ONLY)
    return many_kernel.climb_each


_Answer = tuple[Array, Array, Array, Array, NDArray[np.int64], Array, Array, Array, NDArray[np.str_]]


@np.errstate(all="ignore")  # data sets without an answer overflow; their numbers become NaN
def _fit_part(
    request: Request,
    structure: Structure,
    made: Features,
    outcomes: Array,
    counts: Array | None,
    rows: Array,
    climb: Climb | None,
) -> _Answer:
    data = sums(made, outcomes, counts)
    best = maximise_many(data, made, structure, reml=request.method == "reml", climb=climb)
    estimate, se, df = answers(request, data, made, structure, best, rows)
    bad = best.problem != ""
    beta, theta, loglik = (np.array(a) for a in (data.offset + best.points.beta, best.points.theta, best.points.loglik))
    for numbers in (beta, theta, loglik, estimate, se, df):
        numbers[bad] = np.nan
    return beta, theta, loglik, best.gradient, best.iterations, estimate, se, df, best.problem


def _one_by_one(request: Request, structure: Structure, design: MmrmDesign, outcomes: Array, rows: Array) -> _Answer:
    """The same answers from single fits, which pay where data sets are large and share few patterns."""
    B, p, k = len(outcomes), design.X.shape[1], len(rows)
    beta, theta, loglik, gradient = (np.full(s, np.nan) for s in ((B, p), (B, structure.size), B, B))
    estimate, se, df = (np.full((B, k), np.nan) for _ in range(3))
    iterations, problem = np.zeros(B, dtype=np.int64), np.full(B, "", dtype="U40")
    for b, y in enumerate(outcomes):
        try:
            fit = fit_design(design, request, y)
        except FitError as error:
            problem[b] = _PROBLEMS[type(error)]
            continue
        found = fit.linear(rows)
        beta[b], theta[b], loglik[b] = fit.beta, fit.optimum.point.theta, fit.loglik
        gradient[b], iterations[b] = fit.gradient, fit.iterations
        estimate[b], se[b], df[b] = found.estimate, found.se, found.df
    return beta, theta, loglik, gradient, iterations, estimate, se, df, problem


_PROBLEMS: dict[type[FitError], str] = {
    RankDeficient: "design is rank deficient",
    Unidentifiable: "covariance not identified",
    NotConverged: "not converged",
}

# Above this many numbers for each data set and step, single fits (each with its own patterns alone) are quicker.
DEAR = 40_000


def _dear(structure: Structure, design: MmrmDesign, outcomes: Array) -> bool:
    m = len(design.visits) * len(design.groups)
    return structure.size * m * m * count_patterns(design, outcomes) > DEAR


def _chunks(B: int, design: MmrmDesign) -> list[slice]:
    """Parts small enough that their arrays stay in the processor's cache."""
    m, p = len(design.visits) * len(design.groups), design.X.shape[1]
    per_fit = (m**4 + m * (m + 1) // 2 * p * p) * 8
    size = int(np.clip(4_000_000 // per_fit, 8, 512))
    return [slice(start, min(start + size, B)) for start in range(0, B, size)]


def _questions(
    design: MmrmDesign,
    contrast: str | Sequence[str] | None,
    at: str | Sequence[str] | None,
    change: tuple[str, str] | None,
    L: Array | None,
) -> tuple[dict[str, list[str]], Array]:
    if contrast is not None and L is not None:
        raise CallError("give a contrast in words or rows L, not both")
    if contrast is not None:
        return question_rows(design, contrast, at, change)
    if L is not None:
        rows = np.atleast_2d(np.asarray(L, dtype=float))
        return {"name": [f"row {k + 1}" for k in range(len(rows))]}, rows
    return {"coefficient": list(design.terms.names)}, np.eye(len(design.terms.names))
