"""How strong an unmeasured cause of mediator and outcome would have to be to explain an indirect effect away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from holdfast.errors import CallError
from holdfast.stats.estimates import check_level, number
from holdfast.stats.linear import ols

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Indirect effect as a function of rho, the correlation of the errors of mediator and outcome.

    `rho_zero` is the rho at which the indirect effect is zero; `r2_star` its square (shares of the unexplained
    variances), `r2_tilde` the shares of the original variances. `a`, `se_a` arm to mediator; `S` the
    2 x 2 residual covariance of mediator and outcome given arm and covariates, on `df` degrees of freedom.
    """

    a: float
    se_a: float
    S: Array
    df: int
    rho_zero: float
    r2_star: float
    r2_tilde: float
    level: float

    def at(self, rho: Sequence[float] | Array) -> pd.DataFrame:
        """The curve for a figure: rho, estimate, se, low, high (delta method, rho fixed)."""
        grid = np.asarray(rho, dtype=float)
        if (np.abs(grid) >= 1).any():
            raise CallError("rho is a correlation: it lies strictly between -1 and 1")
        estimate = indirect_at(self.a, self.S[0, 0], self.S[0, 1], self.S[1, 1], grid)
        se = np.sqrt(self._variance(grid))
        half = float(stats.norm.ppf(0.5 + self.level / 2)) * se
        return pd.DataFrame(
            {"rho": grid, "estimate": estimate, "se": se, "low": estimate - half, "high": estimate + half}
        )

    def _variance(self, rho: Array) -> Array:
        S, n = self.S, self.df
        theta = np.array([self.a, S[0, 0], S[0, 1], S[1, 1]])
        V = np.zeros((4, 4))
        V[0, 0] = self.se_a**2
        pairs = [(0, 0), (0, 1), (1, 1)]
        for i, (a, b) in enumerate(pairs):
            for j, (c, d) in enumerate(pairs):
                V[i + 1, j + 1] = (S[a, c] * S[b, d] + S[a, d] * S[b, c]) / n  # moments of a Wishart matrix
        step = 1e-6 * np.maximum(np.abs(theta), 1e-6)
        G = np.array(
            [(_curve(theta + h, rho) - _curve(theta - h, rho)) / (2 * step[i]) for i, h in enumerate(np.diag(step))]
        )
        return np.asarray(np.einsum("ir,ij,jr->r", G, V, G))

    def __str__(self) -> str:
        return (
            f"sensitivity: the indirect effect would be zero at an error correlation of {number(self.rho_zero)} "
            f"(a hidden common cause whose shares of the unexplained variances of mediator and outcome "
            f"multiply to {number(self.r2_star)})"
        )


def _curve(theta: Array, rho: Array) -> Array:
    return indirect_at(theta[0], theta[1], theta[2], theta[3], rho)


def indirect_at(a: float, s11: float, s12: float, s22: float, rho: Array) -> Array:
    """a (s2/s1) {r - rho sqrt[(1 - r^2)/(1 - rho^2)]} (eq:acme-rho)."""
    r = s12 / math.sqrt(s11 * s22)
    return np.asarray(a * math.sqrt(s22 / s11) * (r - rho * np.sqrt((1 - r**2) / (1 - rho**2))))


def sensitivity(T: Array, M: Array, Y: Array, X: Array, *, level: float = 0.95) -> Sensitivity:
    """Sensitivity of the indirect effect to unmeasured mediator-outcome confounding, in closed form.

    T (n,) in 0/1, M (n,), Y (n,), X (n, q) without intercept. Source: Imai, Keele & Yamamoto 2010, Theorem 4.
    """
    D = np.column_stack([np.ones(len(T)), T, X])
    first, second = ols(D, M), ols(D, Y)
    E = np.column_stack([first.residuals, second.residuals])
    S = E.T @ E / first.df
    r = float(S[0, 1] / math.sqrt(S[0, 0] * S[1, 1]))
    shares = [fit.sigma2 * fit.df / float(((v - v.mean()) ** 2).sum()) for fit, v in ((first, M), (second, Y))]
    return Sensitivity(
        float(first.beta[1]),
        math.sqrt(float(first.covariance[1, 1])),
        S,
        first.df,
        r,
        r**2,
        r**2 * shares[0] * shares[1],
        check_level(level),
    )
