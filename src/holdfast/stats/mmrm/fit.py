"""The front door: a formula and a long table in, a fitted mixed model for repeated measures out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm import df as dfs
from holdfast.stats.mmrm.asking import Asking
from holdfast.stats.mmrm.compare import LikelihoodRatio, criteria, likelihood_ratio
from holdfast.stats.mmrm.covariance import covariance_table, visit_covariance
from holdfast.stats.mmrm.design import MmrmDesign, mmrm_design, same_design
from holdfast.stats.mmrm.empirical import empirical
from holdfast.stats.mmrm.inference import Inference
from holdfast.stats.mmrm.newton import Optimum, maximise
from holdfast.stats.mmrm.patterns import Patterns
from holdfast.stats.mmrm.predict import predict
from holdfast.stats.mmrm.prepare import SHORT, People, prepare
from holdfast.stats.mmrm.request import Request, request_of
from holdfast.stats.mmrm.residuals import residuals
from holdfast.stats.mmrm.simulate import simulate
from holdfast.stats.mmrm.structures import Structure
from holdfast.stats.mmrm.vcov import kenward_roger

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MmrmFit(Asking):
    """A fitted model. Ask it with `contrast`, `change`, `means`, `linear`, `tests`; read it with `table` or `str`."""

    request: Request
    design: MmrmDesign
    people: People
    data: Patterns
    structure: Structure
    optimum: Optimum
    inference: Inference
    outcome: Array

    @property
    def beta(self) -> Array:
        """Coefficients (p,), in the order of `names`."""
        return self.optimum.point.beta

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients (p,)."""
        return self.design.terms.names

    @property
    def coef(self) -> pd.Series:
        """Coefficients by name."""
        return pd.Series(self.beta, index=list(self.names), name="estimate")

    @property
    def vcov(self) -> Array:
        """Covariance of the coefficients (p, p), adjusted as the df method or `robust` says."""
        return self.inference.vcov

    @property
    def theta(self) -> pd.Series:
        """Covariance parameters in SAS's own parameters, by name."""
        return pd.Series(self.optimum.point.theta, index=list(self.structure.names), name="estimate")

    @property
    def theta_vcov(self) -> Array:
        """Inverse observed information of theta (r, r)."""
        return self.optimum.information_vcov

    @property
    def loglik(self) -> float:
        """The maximised log-likelihood, restricted under REML, with all constants."""
        return self.optimum.point.loglik

    @property
    def gradient(self) -> float:
        """Largest unit-free component of the gradient where Newton stopped."""
        return self.optimum.gradient

    @property
    def step_left(self) -> float:
        """Length of the Newton step that was left, in standard errors of theta."""
        return self.optimum.step_left

    @property
    def iterations(self) -> int:
        """Newton steps taken."""
        return self.optimum.iterations

    @property
    def n_obs(self) -> int:
        """Outcomes analysed."""
        return self.data.n_obs

    @property
    def n_subjects(self) -> int:
        """People with at least one outcome."""
        return len(np.unique(self.design.subject[self.people.rows]))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of the data and why, with counts; an intercept whose variance is below zero."""
        below: tuple[str, ...] = ()
        if self.design.names["random"] and self.optimum.point.theta[-1] < 0:
            below = (f"the variance of {self.structure.names[-1]} is estimated below zero; SAS would set it to zero",)
        return self.design.notes + below

    issues = notes

    @cached_property
    def table(self) -> pd.DataFrame:
        """Coefficients: coefficient, estimate, se, df, low, high, t, p."""
        return self.linear(np.eye(len(self.beta)), names={"coefficient": list(self.names)}).table

    @property
    def covariance(self) -> pd.DataFrame:
        """Covariance of a person's outcomes, visits by visits; with groups one block under the other."""
        return visit_covariance(self)

    @property
    def covariance_table(self) -> pd.DataFrame:
        """Covariance and correlation of each pair of visits with standard errors."""
        return covariance_table(self)

    @property
    def criteria(self) -> pd.DataFrame:
        """AIC, AICC and BIC in R mmrm's and in SAS's convention."""
        return criteria(self)

    @property
    def residuals(self) -> pd.DataFrame:
        """Raw, Pearson and normalised residuals of each outcome."""
        return residuals(self)

    def predict(
        self, data: Any = None, *, given: str, interval: str = "confidence", level: float | None = None
    ) -> pd.DataFrame:
        """Predictions for the rows of the design, or of new `data` with the same columns (the outcome may be missing).

        given="covariates" for the mean; given="outcomes" for the mean given what the person had at other visits.
        interval="confidence" or "prediction". See docs/methods/mmrm.md, eq:mmrm-conditional.
        """
        design = self.design if data is None else same_design(self.design, data)
        chosen = self.request.level if level is None else level
        return predict(self, design, given=given, interval=interval, level=chosen)

    def compare(self, larger: MmrmFit) -> LikelihoodRatio:
        """Likelihood-ratio test of this fit inside a larger one."""
        return likelihood_ratio(self, larger)

    def simulate(self, n: int, *, seed: int | np.random.Generator, coefficients: str = "fixed") -> Array:
        """Simulated outcomes (n, rows of the design) from the fitted model."""
        return simulate(self, n, np.random.default_rng(seed), coefficients=coefficients)

    def figure(self, kind: str, *, by: str | None = None) -> Figure:
        """A figure: "residuals", "quantiles", "trajectories" (with `by`, a factor) or "correlations"."""
        from holdfast.stats.mmrm import figures

        if kind == "trajectories":
            if by is None:
                raise CallError('figure("trajectories") needs by="arm", the factor whose means are drawn')
            return figures.trajectories(self, by)
        kinds = {
            "residuals": figures.residuals_by_visit,
            "quantiles": figures.quantiles,
            "correlations": figures.correlations,
        }
        if kind not in kinds:
            raise CallError(f"kind is {kind!r}; it can be: {', '.join([*kinds, 'trajectories'])}")
        return kinds[kind](self)

    def __str__(self) -> str:
        request = self.request
        robust = f", {request.robust} covariance" if request.robust else ""
        head = (
            f"MMRM {self.design.formula}\n"
            f"{self.n_subjects} people, {self.n_obs} outcomes, visits {', '.join(self.design.visits)}; "
            f"{SHORT[request.covariance]} covariance, {request.method.upper()}, df {request.df}{robust}\n"
            f"log-likelihood {self.loglik:.4f}; gradient {self.gradient:.1e} after {self.iterations} Newton steps "
            f"({self.step_left:.1e} standard errors left)"
        )
        return "\n".join([head, *(f"note: {note}" for note in self.notes), self.table.to_string(index=False)])


def mmrm(
    formula: str | MmrmDesign,
    data: Any = None,
    *,
    covariance: str,
    df: str,
    subject: str | None = None,
    visit: str | None = None,
    method: str = "reml",
    group: str | None = None,
    time: str | Sequence[str] | None = None,
    weights: str | None = None,
    random: str | None = None,
    robust: str | None = None,
    visit_order: Sequence[str] | None = None,
    level: float = 0.95,
) -> MmrmFit:
    """Fit a mixed model for repeated measures: formula for the mean, a covariance structure over a person's visits.

    `formula` such as "value ~ baseline * visit + arm * visit" with `data` (pandas, polars or Arrow; one row per person
    and visit), or a design that `mmrm_design` prepared. `subject`, `visit`, `group`, `time`, `weights` name columns.

    covariance: "unstructured", "toeplitz", "autoregressive", "compound symmetry", "ante-dependence", each also
        "heterogeneous ..." where that exists, "independence", "spatial exponential", "spatial gaussian", or R's short
        names (us toep toeph ar1 ar1h cs csh ad adh id idh sp_exp sp_gau).
    df: "satterthwaite", "kenward-roger" (as SAS computes it), "kenward-roger-linear", "kenward-roger-mmrm" (as R mmrm
        does by default: anti-conservative in small trials), "between-within", "residual" or "none".
    method: "reml" or "ml". robust: None, "CR0", "CR2" or "CR3", people as clusters.
    group: a column whose levels get covariance parameters of their own. time: numeric columns, for spatial structures.
    random: a column of sites or therapists, each with a random intercept; people belong to one of them.
    weights: precision weights; the covariance of two outcomes is divided by the root of the product of their weights.

    Raises `CallError` (the call cannot be meant), `DataError` (duplicate rows, weights), `RankDeficient`,
    `Unidentifiable`, `NotConverged`. Never another structure, method or df than asked for.
    Source: docs/methods/mmrm.md.
    """
    request = request_of(covariance, df, method, robust, level)
    design = _design(formula, data, subject, visit, group, time, weights, random, visit_order)
    return fit_design(design, request)


def refit(
    design: MmrmDesign,
    y: Array | None = None,
    *,
    covariance: str,
    df: str,
    method: str = "reml",
    robust: str | None = None,
    level: float = 0.95,
) -> MmrmFit:
    """Fit a prepared design to its own outcome, or to `y` (rows of the design), NaN where missing; raises as `mmrm`."""
    if y is not None and np.shape(y) != design.y.shape:
        raise CallError(f"y has shape {np.shape(y)}; the design has {len(design.y)} rows")
    return fit_design(design, request_of(covariance, df, method, robust, level), y)


def _design(
    formula: str | MmrmDesign,
    data: Any,
    subject: str | None,
    visit: str | None,
    group: str | None,
    time: str | Sequence[str] | None,
    weights: str | None,
    random: str | None,
    visit_order: Sequence[str] | None,
) -> MmrmDesign:
    if isinstance(formula, MmrmDesign):
        if data is not None or any(v is not None for v in (subject, visit, group, time, weights, random, visit_order)):
            raise CallError(
                "a prepared design already holds the data and its columns; give covariance, df, method only"
            )
        return formula
    if data is None or subject is None or visit is None:
        raise CallError("mmrm needs data, and the names of its columns: subject=..., visit=...")
    return mmrm_design(
        formula,
        data,
        subject=subject,
        visit=visit,
        group=group,
        time=time,
        weights=weights,
        random=random,
        visit_order=visit_order,
    )


def fit_design(design: MmrmDesign, request: Request, y: Array | None = None) -> MmrmFit:
    """Fit a prepared design; `y` (n,) replaces its outcome."""
    reml = request.method == "reml"
    made = prepare(design, request.covariance, y)
    people, data, structure = made.people, made.data, made.structure
    optimum = maximise(data, structure, made.start, reml=reml)
    inference = _inference(request, design, people, data, structure, optimum)
    outcome = design.y if y is None else y
    return MmrmFit(request, design, people, data, structure, optimum, inference, outcome)


def _inference(
    request: Request, design: MmrmDesign, people: People, data: Patterns, structure: Structure, optimum: Optimum
) -> Inference:
    point, w = optimum.point, optimum.information_vcov
    robust = empirical(point, people, request.robust) if request.robust else None
    if robust is not None:
        vcov = robust.vcov
    elif request.df.startswith("kenward-roger"):
        curvature = request.df.removeprefix("kenward-roger").removeprefix("-") or "sas"
        vcov = kenward_roger(point, data, structure, w, curvature=curvature)
    else:
        vcov = point.phi
    if design.names["random"] and request.df == "between-within":
        raise CallError("between-within df are not defined beside a random intercept", ways_out=('df="kenward-roger"',))
    column_df = np.full(data.n_beta, math.nan)
    if request.df == "between-within":
        column_df = dfs.between_within(design.X[people.rows], people.cell[:, 0])
    residual_df = float(data.n_obs - data.n_beta)
    return Inference(point, vcov, w, request.df, column_df, residual_df, int(data.count.sum()), robust)
