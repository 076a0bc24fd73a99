"""Covariance structures in SAS's own parameters, with exact derivatives.

Each structure gives, for parameters theta (r,): `sigma` (K, m, m), `first` (r, K, m, m) and `second`
(r, r, K, m, m) or None where it is zero. K is 1 for structures over visits; a spatial structure has one
matrix for each of K patterns of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.correlations import N_CORRELATIONS, Correlation

Array = NDArray[np.float64]


class Structure(Protocol):
    """What the likelihood needs to know about a covariance structure."""

    @property
    def size(self) -> int:
        """Number of parameters r."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each parameter."""

    def sigma(self, theta: Array) -> Array:
        """Covariance matrices (K, m, m)."""

    def first(self, theta: Array) -> Array:
        """First derivatives (r, K, m, m)."""

    def second(self, theta: Array) -> Array | None:
        """Second derivatives (r, r, K, m, m), or None where sigma is linear in theta."""

    def start(self, moments: Array) -> Array:
        """Starting values from a positive definite matrix of moments (m, m)."""

    def scale(self, theta: Array) -> Array:
        """Natural size of each parameter, which makes the gradient free of units."""


@dataclass(frozen=True)
class Linear:
    """Sigma is a sum of known matrices: unstructured, Toeplitz, compound symmetry, independence (eq:mmrm-linear).

    `basis` (r, m, m); `names` (r,).
    """

    basis: Array
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of parameters r."""
        return len(self.basis)

    def sigma(self, theta: Array) -> Array:
        """Covariance matrix (1, m, m)."""
        m = self.basis.shape[1]
        return (theta @ self._flat).reshape(1, m, m)

    def first(self, theta: Array) -> Array:
        """The basis itself (r, 1, m, m)."""
        return self.basis[:, None]

    def second(self, theta: Array) -> Array | None:
        """None: the structure is linear."""
        return None

    def start(self, moments: Array) -> Array:
        """Average of the moments over the cells that share a parameter."""
        return np.asarray(self._share @ moments.ravel())

    def scale(self, theta: Array) -> Array:
        """The geometric mean of the two variances that a covariance joins."""
        sd = np.sqrt(self.sigma(theta)[0].diagonal())
        return np.asarray(self._share @ (sd[:, None] * sd).ravel())

    @cached_property
    def _flat(self) -> Array:
        return self.basis.reshape(len(self.basis), -1)

    @cached_property
    def _share(self) -> Array:
        return np.asarray(self._flat / self._flat.sum(1, keepdims=True))


def unstructured(m: int) -> Linear:
    """Every variance and covariance free."""
    a, b = np.tril_indices(m)
    basis = np.zeros((len(a), m, m))
    basis[np.arange(len(a)), a, b] = 1.0
    basis[np.arange(len(a)), b, a] = 1.0
    return Linear(basis, tuple(f"UN({i + 1},{j + 1})" for i, j in zip(a, b, strict=True)))


def toeplitz(m: int) -> Linear:
    """One covariance for each distance between visits, in SAS's parameters: the covariances."""
    index = np.arange(m)
    lag = np.abs(index[:, None] - index)
    basis = np.stack([(lag == k).astype(float) for k in range(m)])
    return Linear(basis, ("variance", *(f"TOEP({k + 1})" for k in range(1, m))))


def compound_symmetry(m: int) -> Linear:
    """One variance and one covariance."""
    eye = np.eye(m)
    return Linear(np.stack([eye, 1 - eye]), ("variance", "covariance"))


def independence(m: int) -> Linear:
    """One variance, no covariance."""
    return Linear(np.eye(m)[None], ("variance",))


def independence_by_visit(m: int) -> Linear:
    """A variance for each visit, no covariance."""
    basis = np.zeros((m, m, m))
    basis[np.arange(m), np.arange(m), np.arange(m)] = 1.0
    return Linear(basis, tuple(f"Var({i + 1})" for i in range(m)))


@dataclass(frozen=True)
class Homogeneous:
    """One variance times a correlation matrix: AR(1), homogeneous ante-dependence (eq:mmrm-homogeneous)."""

    correlation: Correlation
    m: int

    @property
    def size(self) -> int:
        """Number of parameters r."""
        return 1 + N_CORRELATIONS[self.correlation](self.m)

    @property
    def names(self) -> tuple[str, ...]:
        """The variance, then the correlations."""
        return ("variance", *(f"rho({k})" for k in range(1, self.size)))

    def sigma(self, theta: Array) -> Array:
        """Covariance matrix (1, m, m)."""
        return np.asarray(theta[0] * self.correlation(theta[1:], self.m).value[None])

    def first(self, theta: Array) -> Array:
        """First derivatives (r, 1, m, m)."""
        jet = self.correlation(theta[1:], self.m)
        return np.concatenate([jet.value[None], theta[0] * jet.first])[:, None]

    def second(self, theta: Array) -> Array | None:
        """Second derivatives (r, r, 1, m, m)."""
        jet = self.correlation(theta[1:], self.m)
        out = np.zeros((self.size, self.size, 1, self.m, self.m))
        out[0, 1:, 0] = out[1:, 0, 0] = jet.first
        out[1:, 1:, 0] = theta[0] * jet.second
        return out

    def start(self, moments: Array) -> Array:
        """Mean variance; mean correlation of neighbours."""
        return np.concatenate([[np.diagonal(moments).mean()], _neighbour_start(moments, self.correlation)])

    def scale(self, theta: Array) -> Array:
        """The variance for itself, one for correlations."""
        return np.concatenate([theta[:1], np.ones(self.size - 1)])


@dataclass(frozen=True)
class Heterogeneous:
    """A variance for each visit around a correlation matrix: CSH, ARH(1), TOEPH, ANTE(1) (eq:mmrm-heterogeneous)."""

    correlation: Correlation
    m: int

    @property
    def size(self) -> int:
        """Number of parameters r."""
        return self.m + N_CORRELATIONS[self.correlation](self.m)

    @property
    def names(self) -> tuple[str, ...]:
        """The variances, then the correlations."""
        rhos = (f"rho({k})" for k in range(1, self.size - self.m + 1))
        return (*(f"Var({i + 1})" for i in range(self.m)), *rhos)

    def sigma(self, theta: Array) -> Array:
        """Covariance matrix (1, m, m)."""
        sd = np.sqrt(np.where(theta[: self.m] > 0, theta[: self.m], np.nan))
        return (np.outer(sd, sd) * self.correlation(theta[self.m :], self.m).value)[None]

    def first(self, theta: Array) -> Array:
        """First derivatives (r, 1, m, m)."""
        m = self.m
        dd = _sd_products(theta[:m])
        jet = self.correlation(theta[m:], m)
        by_variance = (dd * jet.value) * _half_log(theta[:m])
        return np.concatenate([by_variance, dd * jet.first])[:, None]

    def second(self, theta: Array) -> Array | None:
        """Second derivatives (r, r, 1, m, m)."""
        m, v = self.m, theta[: self.m]
        dd = _sd_products(v)
        jet = self.correlation(theta[m:], m)
        u = _half_log(v)
        sigma = dd * jet.value
        out = np.empty((self.size, self.size, 1, m, m))
        out[:m, :m, 0] = sigma * (u[:, None] * u[None])
        index = np.arange(m)
        out[index, index, 0] -= sigma * u / v[:, None, None]
        mixed = u[:, None] * (dd * jet.first)[None]
        out[:m, m:, 0] = mixed
        out[m:, :m, 0] = np.swapaxes(mixed, 0, 1)
        out[m:, m:, 0] = dd * jet.second
        return out

    def start(self, moments: Array) -> Array:
        """The moments' variances; correlations by their means."""
        return np.concatenate([np.diagonal(moments), _neighbour_start(moments, self.correlation)])

    def scale(self, theta: Array) -> Array:
        """A variance for itself, one for correlations."""
        return np.concatenate([theta[: self.m], np.ones(self.size - self.m)])


def _sd_products(v: Array) -> Array:
    sd = np.sqrt(v)
    return np.asarray(np.outer(sd, sd))


def _half_log(v: Array) -> Array:
    """d log(sd_a sd_b) / d v_c: (m, m, m) with c first."""
    eye = np.eye(len(v))
    return np.asarray((eye[:, :, None] + eye[:, None, :]) / (2 * v[:, None, None]))


def _neighbour_start(moments: Array, correlation: Correlation) -> Array:
    """Correlations of the moments, averaged by distance, pulled a little towards zero."""
    m = len(moments)
    count = N_CORRELATIONS[correlation](m)
    if count == 0:
        return np.zeros(0)
    sd = np.sqrt(np.diagonal(moments))
    r = moments / np.outer(sd, sd)
    if count == 1 and correlation.__name__ == "exchangeable":
        off = r[~np.eye(m, dtype=bool)]
        return np.array([np.clip(off.mean(), -0.5 / max(m - 1, 1), 0.95)])
    if count == 1:
        return np.array([np.clip(np.diagonal(r, 1).mean(), -0.95, 0.95)])
    if correlation.__name__ == "antedependent":
        return np.asarray(np.clip(np.diagonal(r, 1), -0.95, 0.95))
    return np.array([np.diagonal(r, k).mean() for k in range(1, m)]) * 0.9


@dataclass(frozen=True)
class Grouped:
    """The same structure with separate parameters for each of G groups: block diagonal over a grid of G*m visits."""

    base: Structure
    labels: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of parameters r."""
        return self.base.size * len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameter names with the group's label."""
        return tuple(f"{name} {label}" for label in self.labels for name in self.base.names)

    def sigma(self, theta: Array) -> Array:
        """Covariance matrix (1, G*m, G*m)."""
        return self._blocks([self.base.sigma(t) for t in self._split(theta)])

    def first(self, theta: Array) -> Array:
        """First derivatives (r, 1, G*m, G*m)."""
        parts = [self.base.first(t) for t in self._split(theta)]
        k, m = self.base.size, parts[0].shape[-1]
        out = np.zeros((self.size, 1, m * len(parts), m * len(parts)))
        for g, part in enumerate(parts):
            out[g * k : (g + 1) * k, :, g * m : (g + 1) * m, g * m : (g + 1) * m] = part
        return out

    def second(self, theta: Array) -> Array | None:
        """Second derivatives (r, r, 1, G*m, G*m)."""
        parts = [self.base.second(t) for t in self._split(theta)]
        if parts[0] is None:
            return None
        k, m = self.base.size, parts[0].shape[-1]
        out = np.zeros((self.size, self.size, 1, m * len(parts), m * len(parts)))
        for g, part in enumerate(parts):
            rows, cells = slice(g * k, (g + 1) * k), slice(g * m, (g + 1) * m)
            out[rows, rows, :, cells, cells] = part
        return out

    def start(self, moments: Array) -> Array:
        """Starting values of each block."""
        m = len(moments) // len(self.labels)
        blocks = [moments[g * m : (g + 1) * m, g * m : (g + 1) * m] for g in range(len(self.labels))]
        return np.concatenate([self.base.start(block) for block in blocks])

    def scale(self, theta: Array) -> Array:
        """Sizes of each block."""
        return np.concatenate([self.base.scale(t) for t in self._split(theta)])

    def _split(self, theta: Array) -> list[Array]:
        return list(theta.reshape(len(self.labels), -1))

    def _blocks(self, parts: list[Array]) -> Array:
        m = parts[0].shape[-1]
        out = np.zeros((1, m * len(parts), m * len(parts)))
        for g, part in enumerate(parts):
            out[:, g * m : (g + 1) * m, g * m : (g + 1) * m] = part
        return out
