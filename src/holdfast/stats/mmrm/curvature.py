"""Curvature of sigma in the unconstrained parameters of R's mmrm, for its own version of Kenward-Roger."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm.correlations import exchangeable
from holdfast.stats.mmrm.spatial import Spatial
from holdfast.stats.mmrm.structures import Grouped, Heterogeneous, Homogeneous, Linear, Structure

Array = NDArray[np.float64]


def mmrm_curvature(structure: Structure, theta: Array, w: Array) -> Array:
    """Sum over h, j of w_hj d2 sigma / d phi_h d phi_j in mmrm's parameters phi (K, m, m) (eq:mmrm-kr-mmrm).

    `w` (r, r) is the covariance of theta in SAS's parameters; at an optimum the observed information of phi follows
    from it by the chain rule.
    """
    jacobian, bend = _map(structure, theta)
    back = np.linalg.inv(jacobian)
    w_phi = back @ w @ back.T
    lift = np.einsum("khj,hj->k", bend, w_phi)
    out = np.tensordot(lift, structure.first(theta), 1)
    second = structure.second(theta)
    if second is not None:
        out = out + np.tensordot(w, second, ([0, 1], [0, 1]))
    return np.asarray(out)


@singledispatch
def _map(structure: Structure, theta: Array) -> tuple[Array, Array]:
    """Jacobian d theta / d phi (r, r) and second derivatives (r, r, r) of SAS's parameters in mmrm's."""
    raise CallError(f"R mmrm's Kenward-Roger is not defined for {type(structure).__name__}")


@_map.register
def _(structure: Heterogeneous, theta: Array) -> tuple[Array, Array]:
    m = structure.m
    low = -1.0 / (m - 1) if structure.correlation is exchangeable else None
    return _diagonal([*(_variance(v) for v in theta[:m]), *(_correlation(r, low) for r in theta[m:])])


@_map.register
def _(structure: Homogeneous, theta: Array) -> tuple[Array, Array]:
    return _diagonal([_variance(theta[0]), *(_correlation(r, None) for r in theta[1:])])


@_map.register
def _(structure: Spatial, theta: Array) -> tuple[Array, Array]:
    parts = []
    for variance, reach in theta.reshape(-1, 2):
        parts += [(variance, variance), _range(reach, structure.power)]  # the logarithm of the variance, logit of rho
    return _diagonal(parts)


@_map.register
def _(structure: Grouped, theta: Array) -> tuple[Array, Array]:
    k, r = structure.base.size, structure.size
    jacobian, bend = np.zeros((r, r)), np.zeros((r, r, r))
    for g in range(len(structure.labels)):
        s = slice(g * k, (g + 1) * k)
        jacobian[s, s], bend[s, s, s] = _map(structure.base, theta[s])
    return jacobian, bend


@_map.register
def _(structure: Linear, theta: Array) -> tuple[Array, Array]:
    kind = structure.names[-1]
    if kind.startswith("UN("):
        return _cholesky(structure.sigma(theta)[0])
    if kind.startswith("TOEP(") or kind == "covariance":
        low = -1.0 / (structure.basis.shape[1] - 1) if kind == "covariance" else None
        return _scaled(theta, low)
    if kind == "variance" or kind.startswith("Var("):
        return _diagonal([_variance(v) for v in theta])
    raise CallError("R mmrm's Kenward-Roger is not defined for this structure")


def _diagonal(parts: list[tuple[float, float]]) -> tuple[Array, Array]:
    one, two = np.array(parts).T
    r = len(one)
    bend = np.zeros((r, r, r))
    bend[np.arange(r), np.arange(r), np.arange(r)] = two
    return np.diag(one), bend


def _variance(v: float) -> tuple[float, float]:
    """v = exp(2 s)."""
    return 2 * v, 4 * v


def _correlation(rho: float, low: float | None) -> tuple[float, float]:
    """rho = x / sqrt(1 + x^2), or for compound symmetry the logistic curve from `low` to 1."""
    if low is None:
        c = 1 - rho**2
        return c**1.5, -3 * rho * c**2
    width = 1 - low
    u = (rho - low) / width
    return width * u * (1 - u), width * u * (1 - u) * (1 - 2 * u)


def _range(reach: float, power: int) -> tuple[float, float]:
    """exp(-1 / range^power) = rho = logistic(z), so that range = (-log rho)^(-1/power)."""
    rho = float(np.exp(-(reach**-power)))
    a = -1.0 / power
    h = -np.log(rho)
    dh, ddh = -(1 - rho), rho * (1 - rho)  # d h / d z, d2 h / d z2
    return a * h ** (a - 1) * dh, a * (a - 1) * h ** (a - 2) * dh**2 + a * h ** (a - 1) * ddh


def _scaled(theta: Array, low: float | None) -> tuple[Array, Array]:
    """Covariances c_k = exp(2 s) rho(x_k) with one standard deviation."""
    v, r = theta[0], len(theta)
    jacobian, bend = np.zeros((r, r)), np.zeros((r, r, r))
    jacobian[:, 0], bend[:, 0, 0] = 2 * theta, 4 * theta
    for k in range(1, r):
        one, two = _correlation(float(theta[k] / v), low)
        jacobian[k, k], bend[k, k, k] = v * one, v * two
        bend[k, 0, k] = bend[k, k, 0] = 2 * v * one
    return jacobian, bend


def _cholesky(sigma: Array) -> tuple[Array, Array]:
    """sigma = D L L' D with log standard deviations s and the free part of the unit lower triangular L."""
    m = len(sigma)
    root = np.linalg.cholesky(sigma)
    D = np.diagonal(root)
    L = root / D[:, None]
    free = [(a, k) for a in range(m) for k in range(a)]
    cells = list(zip(*np.tril_indices(m), strict=True))
    r = m + len(free)
    # First derivatives of sigma: by s_a, rows and columns a once more each; by L_ak, D (E_ak L' + L E_ka) D.
    eye = np.eye(m)
    by_s = [(eye[a][:, None] + eye[a][None]) for a in range(m)]
    by_l = []
    for a, k in free:
        E = np.zeros((m, m))
        E[a] = L[:, k]
        by_l.append((E + E.T) * np.outer(D, D))
    first = [sigma * u for u in by_s] + by_l
    second = np.zeros((r, r, m, m))
    for h in range(m):
        for j in range(m):
            second[h, j] = sigma * by_s[h] * by_s[j]
        for j, each in enumerate(by_l):
            second[h, m + j] = second[m + j, h] = each * by_s[h]
    for h, (a, k) in enumerate(free):
        for j, (b, other) in enumerate(free):
            if k == other:
                second[m + h, m + j, a, b] += D[a] * D[b]
                second[m + h, m + j, b, a] += D[a] * D[b]
    rows, columns = np.array([c[0] for c in cells]), np.array([c[1] for c in cells])
    jacobian = np.stack([f[rows, columns] for f in first], axis=1)
    return jacobian, np.moveaxis(second[:, :, rows, columns], -1, 0)
