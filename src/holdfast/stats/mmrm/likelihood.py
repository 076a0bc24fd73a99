"""Restricted and full likelihood of the marginal linear model with exact gradient and Hessian.

Everything is a sum over missingness patterns; notation and equations are in docs/methods/mmrm.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.patterns import Patterns
from holdfast.stats.mmrm.structures import Structure

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood at one theta (r,).

    `loglik` is the restricted or full log-likelihood with all constants; `gradient` (r,) and `hessian` (r, r) are
    those of -2 loglik; `beta` (p,); `C` (p, p) lower triangular with Phi = C C'; `W` (P, m, m) the inverse covariance
    of each pattern, zero where nothing was observed; `WF` (N, m, p) the rows W X C; `B` (r, p, p) the matrices
    C' X' W V_h W X C.
    """

    theta: Array
    loglik: float
    gradient: Array
    hessian: Array
    beta: Array
    C: Array
    W: Array
    WF: Array
    B: Array

    @property
    def phi(self) -> Array:
        """Covariance of beta when theta is taken as known, (X' V^-1 X)^-1 (p, p)."""
        return self.C @ self.C.T


def evaluate(theta: Array, data: Patterns, structure: Structure, *, reml: bool) -> Point | None:
    """The likelihood and its derivatives at theta, or None where sigma is not positive definite there."""
    factors = _invert(structure.sigma(theta), data.both)
    if factors is None:
        return None
    W, logdet_each = factors
    gls = _generalised_least_squares(W, data)
    if gls is None:
        return None
    beta, C, WZ, quad, logdet_xtwx = gls
    p = data.n_beta
    logdet = float(data.count @ logdet_each)
    loglik = _loglik(data, logdet, quad, logdet_xtwx, reml=reml)

    # Columns 0..p-1 span the mean (X C), column p is the residual r = y - X beta.
    turn = np.zeros((p + 1, p + 1))
    turn[:p, :p] = C
    turn[:p, p] = -beta
    turn[p, p] = 1.0
    WF = WZ @ turn
    residual = _moments(WF[:, :, p:], data)  # W S W
    mean = _moments(WF[:, :, :p], data) if reml else np.zeros_like(residual)  # W D W
    G = data.count[:, None, None] * W - mean - residual
    first = structure.first(theta)
    crossed = _crossed(first, WF, data)  # [X C, r]' W V_h W [X C, r]
    gradient = _inner(first, G)  # eq:mmrm-gradient
    curved = mean + residual - G  # 2 W (D + S) W - n W
    observed = _observed(first, W, curved, crossed, reml=reml)
    second = structure.second(theta)
    if second is not None:
        observed = observed + _inner(second, G)  # eq:mmrm-hessian
    return Point(
        theta,
        loglik,
        gradient,
        observed,
        data.offset + beta,
        C,
        W,
        np.ascontiguousarray(WF[:, :, :p]),
        crossed[:, :p, :p],
    )


def _invert(sigma: Array, both: NDArray[np.bool_]) -> tuple[Array, Array] | None:
    """Inverse of each pattern's block, zero elsewhere, and its log determinant; None unless positive definite."""
    padded = np.where(both, sigma, np.eye(both.shape[1]))
    try:
        L = np.linalg.cholesky(padded)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.diagonal(L, axis1=1, axis2=2)
    if not (diagonal > 0).all() or not np.isfinite(diagonal).all():
        return None
    inverse = np.linalg.inv(padded)
    return np.where(both, (inverse + np.swapaxes(inverse, 1, 2)) / 2, 0.0), 2 * np.log(diagonal).sum(1)


def _generalised_least_squares(W: Array, data: Patterns) -> tuple[Array, Array, Array, float, float] | None:
    """Beta, C with Phi = C C', W Z, the weighted residual sum of squares, log |X' V^-1 X| (eq:mmrm-gls)."""
    p, q = data.n_beta, data.n_beta + 1
    WZ = W[data.pattern] @ data.Z
    gram = data.Z.reshape(-1, q).T @ WZ.reshape(-1, q)
    try:
        L = np.linalg.cholesky(gram[:p, :p])
    except np.linalg.LinAlgError:
        return None
    C = np.linalg.inv(L).T
    half = C.T @ gram[:p, p]
    return C @ half, C, WZ, float(gram[p, p] - half @ half), 2 * float(np.log(np.diagonal(L)).sum())


def _loglik(data: Patterns, logdet: float, quad: float, logdet_xtwx: float, *, reml: bool) -> float:
    """eq:mmrm-reml, eq:mmrm-ml; precision weights enter through the determinant alone."""
    n = data.n_obs - data.n_beta if reml else data.n_obs
    penalty = logdet_xtwx if reml else 0.0
    return -0.5 * (n * math.log(2 * math.pi) + logdet - data.log_weights + penalty + quad)


def _moments(rows: Array, data: Patterns) -> Array:
    """Sum over the people of each pattern of rows rows': (P, m, m)."""
    return np.asarray(np.add.reduceat(rows @ np.swapaxes(rows, 1, 2), data.starts, axis=0))


def _inner(V: Array, G: Array) -> Array:
    """Sum over patterns and cells of V (..., K, m, m) times G (P, m, m)."""
    if V.shape[-3] == 1 != len(G):
        G = G.sum(0, keepdims=True)
    return V.reshape(*V.shape[:-3], -1) @ G.ravel()


def _crossed(first: Array, WF: Array, data: Patterns) -> Array:
    """F' W V_h W F for each parameter h: (r, q, q)."""
    r, K, m, _ = first.shape
    q = WF.shape[2]
    if K == 1 and r * (m + q) > m * q:
        flat = WF.reshape(len(WF), m * q)
        T = (flat.T @ flat).reshape(m, q, m, q).transpose(0, 2, 1, 3)  # one product serves every parameter
        return (first.reshape(r, -1) @ T.reshape(m * m, -1)).reshape(r, q, q)
    rows = WF.reshape(-1, q)
    each = (V if K == 1 else V[data.pattern] for V in first)
    return np.stack([rows.T @ (V @ WF).reshape(-1, q) for V in each])


def _observed(first: Array, W: Array, curved: Array, crossed: Array, *, reml: bool) -> Array:
    """Hessian of -2 loglik (r, r) without the curvature of sigma (eq:mmrm-hessian)."""
    r, p = len(first), crossed.shape[1] - 1
    mean, cross = crossed[:, :p, :p].reshape(r, -1), crossed[:, :p, p]
    observed = _traces(first, W, curved) - 2 * cross @ cross.T
    return observed - mean @ mean.T if reml else observed


def average_information(point: Point, data: Patterns, structure: Structure) -> Array:
    """Average information (r, r) for -2 loglik: positive semidefinite everywhere (eq:mmrm-average)."""
    first, p = structure.first(point.theta), data.n_beta
    residual = data.Z[:, :, p:] - data.Z[:, :, :p] @ (point.beta - data.offset)[:, None]
    Wr = point.W[data.pattern] @ residual
    cross = _crossed(first, np.concatenate([point.WF, Wr], axis=2), data)[:, :p, p]
    return _traces(first, point.W, _moments(Wr, data)) - cross @ cross.T


def _traces(first: Array, W: Array, B: Array) -> Array:
    """Sum over patterns of tr(V_h W V_j B) for B (P, m, m): (r, r)."""
    r, K, m, _ = first.shape
    if K == 1 and 2 * r > m:
        J = first.reshape(r, -1)
        pairs = (W.reshape(len(W), -1).T @ B.reshape(len(B), -1)).reshape(m, m, m, m)  # [b, c, d, a]
        return np.asarray(J @ pairs.transpose(3, 0, 1, 2).reshape(m * m, m * m) @ J.T)
    left = (first @ W).reshape(r, -1)
    return np.asarray(left @ np.swapaxes(first @ B, -1, -2).reshape(r, -1).T)
