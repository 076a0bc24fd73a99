"""Estimates, standard errors and degrees of freedom of any linear functions of the coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm.df import FTest, fai_cornelius, kenward_roger_f, satterthwaite
from holdfast.stats.mmrm.empirical import Empirical
from holdfast.stats.mmrm.likelihood import Point

Array = NDArray[np.float64]

DF_METHODS = (
    "satterthwaite",
    "kenward-roger",
    "kenward-roger-linear",
    "kenward-roger-mmrm",
    "between-within",
    "residual",
    "none",
)
ROBUST = ("CR0", "CR2", "CR3")


@dataclass(frozen=True, slots=True)
class Inference:
    """What turns rows L into estimates: beta (p,), its covariance `vcov` (p, p), and the df method.

    `w` (r, r) is the covariance of theta; `column_df` (p,) the between-within df of each coefficient; `df_residual`
    observations minus coefficients; `n_people` those with an outcome; `empirical` the pieces of a robust covariance.
    """

    point: Point
    vcov: Array
    w: Array
    df: str
    column_df: Array
    df_residual: float
    n_people: int
    empirical: Empirical | None = None

    def variances(self, L: Array) -> Array:
        """Variances of L beta (k,)."""
        return np.asarray(np.einsum("ki,ij,kj->k", L, self.vcov, L))

    def dfs(self, L: Array) -> Array:
        """Degrees of freedom of each row of L (k,)."""
        if self.df == "none":
            return np.full(len(L), np.inf)
        if self.df == "residual":
            return np.full(len(L), self.df_residual)
        if self.df == "between-within":
            return np.asarray(np.where(np.abs(L) > 1e-12, self.column_df, np.inf).min(1))
        if self.empirical is not None:
            return self.empirical.satterthwaite(L)
        return satterthwaite(L @ self.point.C, self.point.B, self.w)

    def joint(self, L: Array) -> FTest:
        """F test of L beta = 0 for all rows at once; redundant rows are merged first."""
        L = independent_rows(L, self.vcov)
        if self.df.startswith("kenward-roger") and len(L) > 1:
            U = L @ self.point.C
            return kenward_roger_f(L, self.point.beta, self.vcov, U, self.point.B, self.w)
        values, vectors = np.linalg.eigh(L @ self.vcov @ L.T)
        rows = vectors.T @ L
        t_squared = (rows @ self.point.beta) ** 2 / values
        if self.df in ("satterthwaite",) or self.df.startswith("kenward-roger"):
            return fai_cornelius(t_squared, self.dfs(rows))
        den = {"none": np.inf, "residual": self.df_residual}.get(self.df, float(self.dfs(L).min()))
        return FTest(float(t_squared.mean()), len(L), den)


def independent_rows(L: Array, vcov: Array) -> Array:
    """An orthonormal basis of the rows of L; raises `CallError` where nothing is left to test."""
    size = np.abs(L).max(1, keepdims=True)
    _, s, Vt = np.linalg.svd(L / np.where(size > 0, size, 1), full_matrices=False)
    rank = int((s > 1e-10 * max(s.max(initial=0), 1e-300)).sum()) if s.any() else 0
    if rank == 0:
        raise CallError("the contrast is zero for every coefficient: there is nothing to test")
    return np.asarray(L if rank == len(L) else Vt[:rank])
