"""Many data sets that share a design, reduced to sums over people per pattern and feature.

A person's design rows are a sum of few fixed matrices, x_i = sum_k u_ik A_k (eq:mmrm-features): the features u_ik are
the arm, the covariates. What a likelihood needs of a data set are the sums of u u', u y' and y y' over the people of
each missingness pattern, whose size does not depend on the number of people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.design import MmrmDesign

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """The design of n people on a grid of m visits.

    U (n, d) features; A (d, m, p); `first`, `second` (q,) the pairs of features whose products are needed; `AA`
    (q, m, m, p, p) the symmetric products A_k' . A_l; `root` (n, m) roots of precision weights; `place` (rows,) the
    flat grid cell of each row of the design; `grid` (n, m) cells that have a row.
    """

    U: Array
    A: Array
    first: Ints
    second: Ints
    AA: Array
    root: Array
    place: Ints
    grid: NDArray[np.bool_]

    @property
    def products(self) -> Array:
        """Products of the features of each pair for each person (n, q)."""
        return np.asarray(self.U[:, self.first] * self.U[:, self.second])


LARGEST = 30_000_000  # numbers in AA


def features(design: MmrmDesign) -> Features | None:
    """Factor the design of all people into features; None where they are too many to pay (time-varying covariates)."""
    m = len(design.visits) * len(design.groups)
    n, p = len(design.subjects), design.X.shape[1]
    place = design.subject * m + design.visit + design.group * len(design.visits)
    root = np.zeros((n, m))
    root.ravel()[place] = np.sqrt(design.weights)
    X = np.zeros((n, m, p))
    X.reshape(n * m, p)[place] = design.X * np.sqrt(design.weights)[:, None]
    U, A, pairs = _factor(X)
    if len(pairs) * (m * p) ** 2 > LARGEST:
        return None
    first, second = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    AA = np.einsum("kap,kbq->kabpq", A[first], A[second])
    different = (first != second)[:, None, None, None, None]
    AA = np.where(different, AA + np.einsum("kap,kbq->kabpq", A[second], A[first]), AA)
    grid = np.zeros((n, m), dtype=bool)
    grid.ravel()[place] = True
    return Features(U, A, first, second, AA, root, place, grid)


def _factor(X: Array) -> tuple[Array, Array, list[tuple[int, int]]]:
    """U, A and the pairs needed: classes of identical people where there are few, else a low-rank basis."""
    n, m, p = X.shape
    flat = X.reshape(n, -1)
    kinds, inverse = np.unique(flat, axis=0, return_inverse=True)
    _, s, Vt = np.linalg.svd(kinds, full_matrices=False)
    rank = int((s > 1e-12 * s[0]).sum())
    if len(kinds) <= rank * (rank + 1) // 2:
        return np.eye(len(kinds))[inverse.ravel()], kinds.reshape(-1, m, p), [(k, k) for k in range(len(kinds))]
    basis = Vt[:rank]
    return flat @ basis.T, basis.reshape(rank, m, p), [(k, j) for k in range(rank) for j in range(k + 1)]


@dataclass(frozen=True, slots=True)
class Sums:
    """B data sets as sums over people, for P patterns.

    `mask` (P, m); `count` (B, P) people; `UU` (B, P, q) sums of products of features; `uy` (B, P, d, m) and `yy`
    (B, P, m, m) sums with the outcomes, zero where unobserved; `n_obs` (B,); `log_weights` (B,). The outcomes are what
    is left after X @ `offset` (B, p).
    """

    mask: NDArray[np.bool_]
    count: Array
    UU: Array
    uy: Array
    yy: Array
    n_obs: Array
    log_weights: Array
    offset: Array

    def take(self, which: Ints | NDArray[np.bool_]) -> Sums:
        """Some of the data sets."""
        return Sums(
            self.mask,
            self.count[which],
            self.UU[which],
            self.uy[which],
            self.yy[which],
            self.n_obs[which],
            self.log_weights[which],
            self.offset[which],
        )


def count_patterns(design: MmrmDesign, outcomes: Array) -> int:
    """How many missingness patterns there are in all data sets together."""
    m = len(design.visits) * len(design.groups)
    place = design.subject * m + design.visit + design.group * len(design.visits)
    seen = np.zeros((len(outcomes), len(design.subjects) * m), dtype=bool)
    seen[:, place] = ~np.isnan(outcomes)
    return len(_patterns(seen.reshape(len(outcomes), -1, m))[0])


def sums(made: Features, outcomes: Array, counts: Array | None = None) -> Sums:
    """Reduce outcomes (B, rows of the design), NaN where missing; `counts` (B, n) says how often each person counts."""
    n, m = made.grid.shape
    B = len(outcomes)
    Y = np.full((B, n * m), np.nan)
    Y[:, made.place] = outcomes
    Y = Y.reshape(B, n, m)
    seen = ~np.isnan(Y)
    Y, offset = _centred(made, Y, seen)
    times = np.ones((B, n)) if counts is None else np.asarray(counts, dtype=float)
    mask, pattern = _patterns(seen)
    P = len(mask)
    hot = (pattern[:, None, :] == np.arange(P)[:, None]) * times[:, None, :]  # (B, P, n)
    uy = (hot[:, :, None, :] * made.U.T) @ Y[:, None] if made.U.shape[1] * P * n < 1e5 else _loop_uy(hot, made.U, Y)
    yy = np.stack([np.swapaxes(hot[:, k, :, None] * Y, 1, 2) @ Y for k in range(P)], axis=1)
    log_root = np.log(np.where(made.root > 0, made.root, 1.0))
    return Sums(
        mask,
        hot.sum(2),
        hot @ made.products,
        uy,
        yy,
        (seen.sum(2) * times).sum(1),
        2 * np.einsum("bnm,nm,bn->b", seen, log_root, times),
        offset,
    )


def _centred(made: Features, Y: Array, seen: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Weighted outcomes less a least-squares fit, zero where missing, and the coefficients taken off (B, p).

    Any fit near the data serves; missing outcomes are taken at the mean of their visit for this purpose alone.
    """
    B, n, m = Y.shape
    d, _, p = made.A.shape
    known = np.where(seen, Y, 0.0)
    mean = known.sum(1) / np.maximum(seen.sum(1), 1)
    filled = np.where(seen, known, mean[:, None]) * made.root
    X = (made.U @ made.A.reshape(d, m * p)).reshape(n * m, p)
    offset = filled.reshape(B, n * m) @ np.linalg.pinv(X).T
    fitted = made.U @ (offset @ made.A.reshape(d * m, p).T).reshape(B, d, m)
    return np.where(seen, known * made.root - fitted, 0.0), offset


def _loop_uy(hot: Array, U: Array, Y: Array) -> Array:
    return np.stack([np.einsum("bn,nd,bnm->bdm", hot[:, k], U, Y, optimize=True) for k in range(hot.shape[1])], axis=1)


def _patterns(seen: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Ints]:
    """Distinct nonempty masks over all data sets, and each person's; people without outcomes get -1."""
    m = seen.shape[2]
    flat = seen.reshape(-1, m)
    if m <= 62:
        code = flat @ (1 << np.arange(m, dtype=np.int64))
        values, first, inverse = np.unique(code, return_index=True, return_inverse=True)
        mask, empty = flat[first], values == 0
    else:
        mask, inverse = np.unique(flat, axis=0, return_inverse=True)
        empty = ~mask.any(1)
    rank = np.where(empty, -1, np.cumsum(~empty) - 1)
    return mask[~empty], rank[inverse.ravel()].reshape(seen.shape[:2])
