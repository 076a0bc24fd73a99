"""Answers of a fit: named estimates in one table, with their joint covariance and F test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.estimates import COLUMNS, number, p_text
from holdfast.stats.mmrm.df import FTest
from holdfast.stats.mmrm.inference import Inference
from holdfast.stats.mmrm.multiplicity import SINGLE_STEP, single_step, stepwise
from holdfast.stats.mmrm.tails import f_tail, t_quantile, t_tail

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """Several linear functions of the coefficients.

    `names` column -> one label per row; `L` (k, p); `estimate`, `se`, `df` (k,); `vcov` (k, k) their joint covariance.
    `sampled` says that `vcov` counts covariates as a sample (counterfactual means) beside the model's covariance.
    """

    names: dict[str, list[str]]
    L: Array
    estimate: Array
    se: Array
    df: Array
    vcov: Array
    level: float
    inference: Inference
    sampled: bool = False

    @property
    def t(self) -> Array:
        """Estimate divided by standard error (k,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.se > 0, self.estimate / np.where(self.se > 0, self.se, 1.0), np.nan)

    @property
    def p(self) -> Array:
        """Two-sided p values against zero (k,)."""
        return np.asarray(2 * t_tail(np.abs(self.t), self.df))

    @property
    def table(self) -> pd.DataFrame:
        """The labels, then estimate, se, df, low, high, t, p."""
        half = t_quantile(0.5 + self.level / 2, self.df) * self.se
        columns = (self.estimate, self.se, self.df, self.estimate - half, self.estimate + half, self.t, self.p)
        return pd.DataFrame({**self.names, **dict(zip(COLUMNS, columns, strict=True))})

    @property
    def joint(self) -> FTest:
        """F test that all rows are zero: F, num_df, den_df.

        Where covariates count as a sample, a Wald test with the smallest df of the rows.
        """
        if not self.sampled:
            return self.inference.joint(self.L)
        keep = independent_columns(self.vcov)
        part = self.estimate[keep]
        F = float(part @ np.linalg.solve(self.vcov[np.ix_(keep, keep)], part)) / len(keep)
        return FTest(F, len(keep), float(self.df.min()))

    @property
    def joint_p(self) -> float:
        """p value of the joint F test."""
        F, num, den = self.joint
        return float(f_tail(F, num, den))

    def adjust(self, method: str) -> Adjusted:
        """p values, and for single-step methods intervals, adjusted for the number of rows.

        `method`: "bonferroni", "holm", "hochberg", "dunnett" or "tukey" (both by the multivariate t distribution).
        """
        if method not in SINGLE_STEP:
            return Adjusted(method, self.table.assign(p_adjusted=stepwise(self.p, method)))
        p, critical = single_step(self.t, self.vcov / np.outer(self.se, self.se), float(self.df.min()), self.level)
        half = critical * self.se
        return Adjusted(
            method,
            self.table.assign(low=self.estimate - half, high=self.estimate + half, p_adjusted=np.clip(p, self.p, 1.0)),
        )

    def __getitem__(self, row: int) -> pd.Series:
        return self.table.iloc[row]

    def __len__(self) -> int:
        return len(self.estimate)

    def __str__(self) -> str:
        table = self.table
        lines = [_sentence(self.names, row, self.level) for _, row in table.iterrows()]
        if len(lines) > 1 and "contrast" in self.names and np.isfinite(self.vcov).all() and (self.se > 0).all():
            F, num, den = self.joint
            lines.append(
                f"all {num:g} together: F = {number(F)} on {num:g} and {number(den)} df, {p_text(self.joint_p)}"
            )
        return "\n".join(lines)


@dataclass(frozen=True)
class Adjusted:
    """Estimates with p values adjusted for multiplicity: `table` has one more column, p_adjusted."""

    method: str
    table: pd.DataFrame

    def __str__(self) -> str:
        return f"adjusted by {self.method}\n{self.table.to_string(index=False)}"


def _sentence(names: dict[str, list[str]], row: Any, level: float) -> str:
    label = ", ".join(str(row[name]) if k == 0 else _where(name, str(row[name])) for k, name in enumerate(names))
    df = f", df {row['df']:.1f}" if np.isfinite(row["df"]) else ""
    return (
        f"{label}: {number(row['estimate'])} ({100 * level:g}% CI {number(row['low'])} to {number(row['high'])}, "
        f"SE {number(row['se'])}{df}, {p_text(row['p'])})"
    )


def _where(name: str, value: str) -> str:
    """The place of a contrast in words: "at FU", "change POST to FU", "over all visits"."""
    if name == "at" and value == "all visits":
        return "over all visits"
    return f"change {value}" if name == "at" and " to " in value else f"{name} {value}"


def independent_columns(vcov: Array) -> list[int]:
    """Rows of a covariance (k, k) that no others determine, from the first on."""
    keep: list[int] = []
    for k in range(len(vcov)):
        tried = [*keep, k]
        sd = np.sqrt(np.diagonal(vcov)[tried])
        if (sd > 0).all() and np.linalg.eigvalsh(vcov[np.ix_(tried, tried)] / np.outer(sd, sd))[0] > 1e-10:
            keep = tried
    return keep


def estimates(
    inference: Inference, L: Array, names: dict[str, list[str]], level: float, extra: Array | None = None
) -> Estimates:
    """Apply rows L (k, p); `extra` (k, k) is covariance that comes on top, from covariates that are a sample."""
    L = np.atleast_2d(np.asarray(L, dtype=float))
    if L.shape[1] != len(inference.point.beta):
        raise CallError(f"rows have {L.shape[1]} weights, the model has {len(inference.point.beta)} coefficients")
    vcov = L @ inference.vcov @ L.T
    df = inference.dfs(L)
    if extra is not None:
        df = _combined_df(np.diagonal(vcov), df, np.diagonal(extra), inference)
        vcov = vcov + extra
    se = np.sqrt(np.maximum(np.diagonal(vcov), 0.0))
    sampled = extra is not None and bool(np.any(extra))
    return Estimates(names, L, L @ inference.point.beta, se, df, vcov, level, inference, sampled)


def _combined_df(model: Array, df: Array, extra: Array, inference: Inference) -> Array:
    """Satterthwaite's df of a sum of two independent variances (eq:mmrm-gcomp-df)."""
    people = inference.n_people - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(extra > 0, (model + extra) ** 2 / (model**2 / df + extra**2 / people), df)
