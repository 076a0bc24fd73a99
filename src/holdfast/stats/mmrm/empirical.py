"""Robust covariance of the coefficients from people as clusters, with its own degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import FitError
from holdfast.stats.mmrm.likelihood import Point
from holdfast.stats.mmrm.prepare import People

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Empirical:
    """A robust covariance (p, p) with what its degrees of freedom need, all sized by people.

    `phi` (p, p) is the model covariance; `x` (n, m, p) the whitened design rows of each person, zero where nothing was
    observed; `A` (n, m, m) the adjustment of each person's residuals.
    """

    vcov: Array
    phi: Array
    x: Array
    A: Array

    def satterthwaite(self, L: Array) -> Array:
        """Degrees of freedom (k,) of rows L under the working model (eq:mmrm-cr-df; Pustejovsky & Tipton 2018)."""
        return np.array([self._one(row) for row in L])

    def _one(self, row: Array) -> float:
        a = np.einsum("nab,nb->na", self.A, self.x @ (self.phi @ row))
        b = np.einsum("nap,na->np", self.x, a)
        own = (a * a).sum(1)
        shared = np.einsum("np,pq,nq->n", b, self.phi, b)
        trace = float((own - shared).sum())
        cross = self.phi @ (b.T @ b)
        square = float((own**2 - 2 * own * shared).sum() + np.trace(cross @ cross))
        return trace**2 / square


def empirical(point: Point, people: People, kind: str) -> Empirical:
    """CR0, CR2 or CR3 covariance of beta with people as clusters (eq:mmrm-cr0, eq:mmrm-cr2, eq:mmrm-cr3).

    Source: Liang & Zeger 1986 (CR0), Bell & McCaffrey 2002 (CR2), Mancl & DeRouen 2001 (CR3).
    """
    p = people.Z.shape[2] - 1
    root = _root(point.W)[people.pattern]  # W = root' root
    white = root @ people.Z
    x, y = white[:, :, :p], white[:, :, p]
    e = y - x @ point.beta
    A = _adjustment(x, point.phi, kind)
    score = np.einsum("nap,nab,nb->np", x, A, e, optimize=True)
    meat = score.T @ score
    phi = point.phi
    return Empirical(phi @ meat @ phi, phi, x, A)


def _root(W: Array) -> Array:
    """Upper triangular root of each padded inverse covariance, zero where nothing was observed."""
    seen = np.diagonal(W, axis1=1, axis2=2) > 0
    blank = ~seen
    padded = W + blank[:, :, None] * np.eye(W.shape[1])
    root = np.swapaxes(np.linalg.cholesky(padded), 1, 2)
    return np.asarray(root * (seen[:, :, None] & seen[:, None, :]))


def _adjustment(x: Array, phi: Array, kind: str) -> Array:
    """(I - H)^-0 , ^-1/2 or ^-1 of each person's leverage H (n, m, m)."""
    n, m, _ = x.shape
    if kind == "CR0":
        return np.broadcast_to(np.eye(m), (n, m, m))
    leverage = x @ phi @ np.swapaxes(x, 1, 2)
    values, vectors = np.linalg.eigh(np.eye(m) - leverage)
    power = -0.5 if kind == "CR2" else -1.0
    if kind == "CR3" and (values < 1e-10).any():
        raise FitError(
            "a person alone determines a coefficient (leverage one), so CR3 is not defined",
            ways_out=('robust="CR2", which uses the generalised inverse there', "take the term out of the formula"),
        )
    # CR2 takes the generalised inverse at leverage one (Pustejovsky & Tipton 2018, theorem 1).
    safe = np.where(values > 1e-10, np.maximum(values, 1e-10) ** power, 0.0)
    return np.asarray((vectors * safe[:, None, :]) @ np.swapaxes(vectors, 1, 2))
