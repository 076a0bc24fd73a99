"""Analysis of covariance: the difference between arms at one visit, given the baseline."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError, DataError
from holdfast.stats.estimates import Estimate, check_level, say, table_of, wald
from holdfast.stats.frames import Design, design, split_contrast
from holdfast.stats.linear import OlsFit, Robust, ols

Array = NDArray[np.float64]
Weights = Literal["equal", "proportional", "counterfactual"]


@dataclass(frozen=True, slots=True)
class AncovaFit:
    """A fitted analysis of covariance.

    `n` people analysed, `left_out` with a missing value in the formula, `df` residual degrees of freedom,
    `arms` in the order of their levels, `declared` the contrast asked for in the call (or None).
    """

    formula: str
    arm: str
    arms: tuple[str, ...]
    names: tuple[str, ...]
    n: int
    left_out: int
    df: float
    robust: Robust | None
    lin: bool
    level: float
    declared: Estimate | None
    fit: OlsFit
    design: Design

    @property
    def table(self) -> pd.DataFrame:
        """The coefficients, one row each."""
        se = np.sqrt(np.diag(self.fit.covariance))
        rows = [
            wald(name, float(b), float(s), df=self.df, level=self.level)
            for name, b, s in zip(self.names, self.fit.beta, se, strict=True)
        ]
        return table_of(rows, "coefficient")

    def contrast(self, contrast: str, *, weights: Weights = "counterfactual") -> Estimate:
        """Difference between two adjusted arm means, such as "acupuncture - control" (eq:ancova-contrast).

        In a model without arm interactions all `weights` give the same difference.
        """
        first, second = split_contrast(contrast, self.arms)
        rows = self._mean_rows(weights)
        return self.linear(f"{first} - {second}", rows[self.arms.index(first)] - rows[self.arms.index(second)])

    def means(self, arm: str | None = None, *, weights: Weights) -> pd.DataFrame:
        """Adjusted mean of every arm, or of one (eq:marginal-mean).

        `weights`: "equal" gives every factor level the same weight (SAS, emmeans), "proportional" its frequency,
        "counterfactual" averages the predictions for everyone analysed, had all been in the arm.
        """
        if arm is not None and arm not in self.arms:
            raise CallError(f"arm {arm!r} is not among: {', '.join(self.arms)}")
        rows = self._mean_rows(weights)
        wanted = self.arms if arm is None else (arm,)
        return table_of([self.linear(a, rows[self.arms.index(a)]) for a in wanted], "arm")

    def linear(self, name: str, row: Array) -> Estimate:
        """Estimate of row @ beta for a row of p weights."""
        variance = float(row @ self.fit.covariance @ row)
        return wald(name, float(row @ self.fit.beta), math.sqrt(variance), df=self.df, level=self.level)

    def _mean_rows(self, weights: Weights) -> Array:
        if self.lin:
            if weights != "counterfactual":
                raise CallError('Lin\'s estimator standardises over the people analysed: weights="counterfactual"')
            return _lin_mean_rows(len(self.arms), len(self.names))
        if weights == "counterfactual":
            return _counterfactual_rows(self.design, self.arm, self.arms)
        if weights in ("equal", "proportional"):
            return _grid_rows(self.design, self.arm, self.arms, proportional=weights == "proportional")
        raise CallError(f"weights is {weights!r}; it can be 'equal', 'proportional' or 'counterfactual'")

    def __str__(self) -> str:
        left = f", {self.left_out} left out for missing values" if self.left_out else ""
        how = f", {self.robust} standard errors" if self.robust else ""
        head = f"ANCOVA {self.formula} (n = {self.n}{left}{how})"
        return head if self.declared is None else f"{head}\n{self.declared.name}: {say(self.declared)}"


def ancova(
    formula: str,
    data: Any,
    *,
    arm: str,
    contrast: str | None = None,
    robust: Robust | None = None,
    lin: bool = False,
    level: float = 0.95,
) -> AncovaFit:
    """Fit "post ~ arm + baseline + C(site)" by least squares to the people with complete values.

    `arm` names the column of arms, which must be in the formula; `contrast` ("A - B") declares the difference to
    report; `robust` is None (classical) or "HC3"/"HC1"/"HC2"/"HC0"; `lin=True` centres all covariates and lets
    each arm have its own slopes (Lin 2013), which needs a robust covariance. Intervals use t with n - p df.

    Raises `CallError` (unknown column, arm or option), `DataError` (fewer than two arms left), `RankDeficient`, and
    `FitError` where HC3 is not defined. Source: Vickers & Altman 2001; Lin 2013; docs/methods/ancova.md.
    """
    check_level(level)
    made = design(formula, data, factors=[arm])
    arms = _arms_of(made, arm)
    X, names = _lin_design(made, arm, arms, robust) if lin else (made.X, made.names)
    fit = ols(X, made.y, robust=robust, names=names)
    plain = AncovaFit(
        formula, arm, arms, names, fit.n, made.left_out, float(fit.df), robust, lin, level, None, fit, made
    )
    if contrast is None:
        return plain
    return AncovaFit(
        formula,
        arm,
        arms,
        names,
        fit.n,
        made.left_out,
        float(fit.df),
        robust,
        lin,
        level,
        plain.contrast(contrast),
        fit,
        made,
    )


def _arms_of(made: Design, arm: str) -> tuple[str, ...]:
    if arm not in {str(name) for name in made.spec.required_variables}:
        raise CallError(f"the arm column {arm!r} is not on the right side of {made.formula!r}")
    arms = tuple(made.frame[arm].cat.categories)
    if len(arms) < 2:
        raise DataError(
            f"only arm {arms[0]!r} has complete rows for {made.formula!r}, so there is nobody to compare with",
            ways_out=["look at who is missing at this visit", "impute with holdfast.stats.imputation"],
        )
    return arms


def _counterfactual_rows(made: Design, arm: str, arms: tuple[str, ...]) -> Array:
    """Mean design row had everyone been in each arm: (k, p) (eq:marginal-mean)."""
    rows = []
    for level in arms:
        frame = made.frame.copy()
        frame[arm] = pd.Categorical([level] * len(frame), categories=list(arms))
        rows.append(made.rows_for(frame).mean(axis=0))
    return np.array(rows)


def _grid_rows(made: Design, arm: str, arms: tuple[str, ...], *, proportional: bool) -> Array:
    """Mean design row of each arm over a reference grid: factor levels crossed, covariates at their means."""
    frame = made.frame
    others = [name for name in made.factors() if name != arm]
    levels = [list(dict.fromkeys(frame[name])) for name in others]
    cells = list(itertools.product(arms, *levels))
    grid = pd.DataFrame(cells, columns=[arm, *others])
    grid[arm] = pd.Categorical(grid[arm], categories=list(arms))
    for name in others:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            grid[name] = pd.Categorical(grid[name], categories=frame[name].cat.categories)
    for name in made.covariates():
        grid[name] = float(frame[name].mean())
    weight = np.ones(len(grid))
    if proportional and others:
        counts = frame.groupby(others, observed=True).size()
        keys = [tuple(cell[1:]) if len(others) > 1 else cell[1] for cell in cells]
        weight = np.array([float(counts.get(key, 0)) for key in keys])
    X = made.rows_for(grid) * weight[:, None]
    groups = grid[arm].cat.codes.to_numpy()
    return np.array([X[groups == k].sum(axis=0) / weight[groups == k].sum() for k in range(len(arms))])


def _lin_design(made: Design, arm: str, arms: tuple[str, ...], robust: Robust | None) -> tuple[Array, tuple[str, ...]]:
    """Arm indicators, centred covariate columns, and their products (eq:lin)."""
    if robust is None:
        raise CallError("Lin's estimator is for an average effect under unequal variances: say robust='HC3' or 'HC1'")
    Z, labels = [], []
    for name, column in zip(made.names, made.X.T, strict=True):
        if arm in name and ":" in name:
            raise CallError(f"Lin's estimator adds the interactions with {arm!r} itself: leave {name!r} out")
        if name != "Intercept" and not _is_arm_column(column, made.frame[arm]):
            Z.append(column - column.mean())
            labels.append(name)
    D = [(made.frame[arm] == level).to_numpy(dtype=float) for level in arms[1:]]
    columns = [np.ones(len(made.y)), *D, *Z, *(d * z for d in D for z in Z)]
    names = ["Intercept", *(f"{arm}[T.{level}]" for level in arms[1:]), *labels]
    names += [f"{arm}[T.{level}]:{label}" for level in arms[1:] for label in labels]
    return np.column_stack(columns), tuple(names)


def _is_arm_column(column: Array, arm: pd.Series) -> bool:
    """Is the column constant within every arm (so that it codes arms, not people)?"""
    return bool(all(np.ptp(column[(arm == level).to_numpy()]) == 0 for level in arm.cat.categories))


def _lin_mean_rows(k: int, p: int) -> Array:
    rows = np.zeros((k, p))
    rows[:, 0] = 1.0
    for i in range(1, k):
        rows[i, i] = 1.0
    return rows
