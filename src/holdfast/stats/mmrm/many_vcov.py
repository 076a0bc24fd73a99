"""Estimates, standard errors and degrees of freedom of many fits at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.curvature import mmrm_curvature
from holdfast.stats.mmrm.features import Features, Sums
from holdfast.stats.mmrm.many_newton import Optima
from holdfast.stats.mmrm.request import Request
from holdfast.stats.mmrm.small import definite
from holdfast.stats.mmrm.stacked import derivatives
from holdfast.stats.mmrm.structures import Structure

Array = NDArray[np.float64]


def answers(
    request: Request, data: Sums, made: Features, structure: Structure, best: Optima, L: Array
) -> tuple[Array, Array, Array]:
    """Estimate, se, df (B, k) of rows L (k, p)."""
    points = best.points
    estimate = (data.offset + points.beta) @ L.T
    vcov = points.phi
    if request.df.startswith("kenward-roger"):
        vcov = kenward_roger_many(
            data, made, structure, best, request.df.removeprefix("kenward-roger").removeprefix("-") or "sas"
        )
    se = np.sqrt(np.maximum(np.einsum("ki,bij,kj->bk", L, vcov, L, optimize=True), 0.0))
    if request.df == "residual":
        return estimate, se, np.repeat((data.n_obs - L.shape[1])[:, None], len(L), 1)
    if request.df == "none":
        return estimate, se, np.full_like(se, np.inf)
    return estimate, se, _satterthwaite(points.phi, points.PhiP, best.w, L)


def _satterthwaite(phi: Array, PhiP: Array, w: Array, L: Array) -> Array:
    """eq:mmrm-satterthwaite for each data set."""
    B, r, p, _ = PhiP.shape
    Lphi = L @ phi  # (B, k, p)
    variance = (Lphi * L).sum(2)
    slope = np.empty((B, len(L), r))
    for k, row in enumerate(L):
        left = (row @ PhiP.reshape(B * r, p, p)).reshape(B, r, p)  # l' Phi P_h
        slope[:, k] = (left @ Lphi[:, k, :, None])[:, :, 0]
    flat = slope.reshape(B * len(L), r)
    w_each = np.repeat(w, len(L), axis=0)
    spread = ((flat[:, None] @ w_each)[:, 0] * flat).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, 2 * variance.ravel() ** 2 / spread, np.inf).reshape(B, len(L))


def kenward_roger_many(data: Sums, made: Features, structure: Structure, best: Optima, curvature: str) -> Array:
    """Adjusted covariance of the coefficients of each data set (B, p, p) (eq:mmrm-kr); see `vcov.kenward_roger`."""
    points, w = best.points, best.w
    B, P, m, _ = points.W.shape
    r, p = w.shape[1], points.phi.shape[1]
    _, first, second = derivatives(structure, points.theta)
    omega = (np.swapaxes(first, 1, 2) @ w @ first).reshape(B, m, m, m, m)  # [a, b, c, d]
    turned = np.ascontiguousarray(omega.transpose(0, 2, 3, 1, 4)).reshape(B, m * m, m * m)
    kernel = (points.W.reshape(B, P, m * m) @ turned).reshape(B, P, m, m)
    if curvature == "mmrm":
        kernel = kernel - np.stack([_mmrm_bend(structure, t, v) for t, v in zip(points.theta, w, strict=True)]) / 4
    elif second is not None and curvature == "sas":
        bend = (w.reshape(B, 1, r * r) @ second.reshape(B, r * r, m * m)).reshape(B, 1, m, m)
        kernel = kernel - bend / 4
    sandwich = (points.W @ kernel @ points.W).reshape(B, P, m * m)
    mixed = (np.swapaxes(data.UU, 1, 2) @ sandwich).reshape(B, -1)
    inner = (mixed @ made.AA.reshape(-1, p * p)).reshape(B, p, p)
    # Sum over h, j of w_hj (Phi P_h)(Phi P_j), times Phi from the right
    left = (w @ points.PhiP.reshape(B, r, p * p)).reshape(B, r, p, p)
    pull = (left @ points.PhiP).sum(1)
    adjust = points.phi @ inner @ points.phi - pull @ points.phi
    return np.asarray(points.phi + adjust + np.swapaxes(adjust, 1, 2))


def _mmrm_bend(structure: Structure, theta: Array, w: Array) -> Array:
    """Curvature in R mmrm's parameters (1, m, m); zero for a fit without an answer, whose numbers become NaN."""
    sigma = structure.sigma(theta)[0]
    if not definite(sigma[None])[0]:
        return np.zeros((1, *sigma.shape))
    return mmrm_curvature(structure, theta, w)
