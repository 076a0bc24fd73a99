"""Mediation with missing mediators or outcomes, by maximum likelihood on everybody's observed part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import DataError
from holdfast.stats.bootstrap import Progress, bootstrap
from holdfast.stats.estimates import Estimate, check_level, table_of
from holdfast.stats.gaussian import fit_panel, panel
from holdfast.stats.mediation import rows_from_draws, verdict
from holdfast.stats.mediators import simultaneous_limits

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LikelihoodMediation:
    """Effects through each mediator, all mediators, direct and total, with percentile limits from people resampled.

    `simultaneous` (K, 2) limits of the K indirect effects that hold together; `complete` people with every value.
    """

    outcome: str
    mediators: tuple[str, ...]
    contrast: str
    effects: tuple[Estimate, ...]
    simultaneous: Array
    n: int
    complete: int
    left_out: int
    assumptions: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Effects in the shared columns, with simultaneous limits beside the indirect effects."""
        frame = table_of(self.effects, "effect")
        both = np.full((len(frame), 2), np.nan)
        both[: len(self.simultaneous)] = self.simultaneous
        return frame.assign(low_together=both[:, 0], high_together=both[:, 1])

    def __str__(self) -> str:
        lines = [
            f"{self.contrast} on {self.outcome} through {', '.join(self.mediators)} "
            f"(n = {self.n}, {self.complete} complete; maximum likelihood, missing at random):"
        ]
        lines += [f"  {row}" for row in self.effects]
        lines += [f"  {verdict(row, name)}" for row, name in zip(self.effects, self.mediators, strict=False)]
        return "\n".join(lines + [f"  assumes: {text}" for text in self.assumptions])


def effects_of_panel(Y: Array, Z: Array) -> object:
    """A statistic of weights (B, n) -> (B, K + 3): indirect effects, their sum, direct, total (eq:fiml).

    Y (n, K + 1) mediators then outcome, NaN where missing; Z (n, c) with the arm in column 1.
    """
    source = panel(Y, Z)
    k = Y.shape[1] - 1

    def effects(weights: Array) -> Array:
        fits = fit_panel(source, weights, reml=False, tolerance=1e-6)
        b = np.linalg.solve(fits.Sigma[:, :k, :k], fits.Sigma[:, :k, k][..., None])[..., 0]
        indirect = fits.B[:, 1, :k] * b
        joint, total = indirect.sum(axis=1), fits.B[:, 1, k]
        return np.column_stack([indirect, joint, total - joint, total])

    return effects


def mediate_likelihood(
    T: Array,
    M: Array,
    Y: Array,
    X: Array,
    *,
    names: tuple[str, ...],
    outcome: str,
    contrast: str,
    seed: int,
    draws: int = 2000,
    level: float = 0.95,
    left_out: int = 0,
    assumptions: tuple[str, ...] = (),
    workers: int | None = None,
    progress: Progress | None = None,
) -> LikelihoodMediation:
    """Mediation for T (n,) in 0/1, mediators M (n, K) and outcome Y (n,), NaN where missing, covariates X (n, q) known.

    People without any of these values are left in: they say nothing and cost nothing. Raises `DataError` for a constant
    mediator, `Unidentifiable` when a mediator and the outcome are hardly ever seen together.
    """
    check_level(level)
    for k, name in enumerate(names):
        seen = M[~np.isnan(M[:, k]), k]
        if seen.size == 0 or np.ptp(seen) <= 1e-12 * max(1.0, float(np.abs(seen).max())):
            raise DataError(f"mediator {name!r} has the same value for everyone, so nothing can go through it")
    joint = np.column_stack([M, Y])
    statistic = effects_of_panel(joint, np.column_stack([np.ones(len(T)), T, X]))
    assert callable(statistic)
    point = statistic(np.ones((1, len(T))))[0]
    strata = T.astype(np.int64)
    sample = bootstrap(statistic, len(T), draws=draws, seed=seed, strata=strata, workers=workers, progress=progress)
    low, high = np.quantile(sample, [(1 - level) / 2, (1 + level) / 2], axis=0)
    labels = [*(f"through {name}" for name in names), "all mediators", "direct effect", "total effect"]
    return LikelihoodMediation(
        outcome,
        names,
        contrast,
        rows_from_draws(labels, point, sample, (low, high), level),
        simultaneous_limits(sample[:, : len(names)], level),
        len(T),
        int((~np.isnan(joint)).all(axis=1).sum()),
        left_out,
        (*assumptions, "missing values are missing at random given everything in the model, which is jointly normal"),
    )
