"""Covariance of the mean coefficients adjusted for small samples: Kenward-Roger in three versions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.curvature import mmrm_curvature
from holdfast.stats.mmrm.likelihood import Point
from holdfast.stats.mmrm.patterns import Patterns
from holdfast.stats.mmrm.structures import Structure

Array = NDArray[np.float64]


def kenward_roger(point: Point, data: Patterns, structure: Structure, w: Array, *, curvature: str) -> Array:
    """Adjusted covariance of beta (p, p) (eq:mmrm-kr).

    `w` (r, r) is the inverse observed information of theta. `curvature` says in which parameters the second
    derivatives of sigma are taken: "sas" (covariances; variances and correlations), "linear" (none),
    "mmrm" (R mmrm's unconstrained parameters). Source: Kenward & Roger 1997.
    """
    C, B = point.C, point.B
    p = C.shape[0]
    first = structure.first(point.theta)
    inner = _q_term(point, data, first, w)
    left = np.tensordot(w, B, 1)  # eq:mmrm-kr: sum over h, j of w_hj P_h Phi P_j in the basis of C
    inner = inner - np.einsum("hij,hjk->ik", left, B)
    if curvature == "sas":
        second = structure.second(point.theta)
        bend = None if second is None else np.tensordot(w, second, ([0, 1], [0, 1]))
    else:
        bend = mmrm_curvature(structure, point.theta, w) if curvature == "mmrm" else None
    if bend is not None:
        inner = inner - _sandwich(bend, point.WF, data) / 4
    inner = (inner + inner.T) / 2
    return np.asarray(C @ (np.eye(p) + 2 * inner) @ C.T)


def _q_term(point: Point, data: Patterns, first: Array, w: Array) -> Array:
    """Sum over h, j of w_hj F' W V_h W V_j W F (p, p), without forming its r^2 parts (eq:mmrm-kr-sum)."""
    r, K, m, _ = first.shape
    if K == 1:
        J = first.reshape(r, -1)
        omega = (J.T @ w @ J).reshape(m, m, m, m)  # [a, b, c, d]
        flat = omega.transpose(1, 2, 0, 3).reshape(m * m, m * m)
        kernel = (point.W.reshape(-1, m * m) @ flat).reshape(-1, m, m)
    else:
        VW = first @ point.W
        kernel = np.einsum("hpab,hj,jpbc->pac", VW, w, np.broadcast_to(first, VW.shape), optimize=True)
    return _sandwich(kernel, point.WF, data)


def _sandwich(kernel: Array, WF: Array, data: Patterns) -> Array:
    """Sum over people of (W F)' kernel (W F): (p, p)."""
    p = WF.shape[2]
    middle = kernel if len(kernel) == 1 else kernel[data.pattern]
    return np.asarray(WF.reshape(-1, p).T @ (middle @ WF).reshape(-1, p))
