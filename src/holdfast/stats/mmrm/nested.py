"""A random intercept of sites or therapists beside the repeated part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.structures import Structure

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Nested:
    """Covariance of all outcomes of a cluster: a person's structure, plus one variance shared by all (eq:mmrm-nested).

    `base` is the structure over visits; for each of K clusters of at most m rows, `place` (K, m) is the visit of a row
    in the base and `person` (K, m) who it belongs to, -1 where a cluster has fewer rows. The last parameter is the
    variance of the random intercept, which may be estimated below zero as long as the covariance is positive definite.
    """

    base: Structure
    place: Ints
    person: Ints
    label: str

    @property
    def size(self) -> int:
        """Number of parameters r."""
        return self.base.size + 1

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the base, then the variance of the intercept."""
        return (*self.base.names, f"intercept({self.label})")

    def sigma(self, theta: Array) -> Array:
        """Covariance matrices (K, m, m)."""
        return np.asarray(self._spread(self.base.sigma(theta[:-1])[0]) + theta[-1] * self._both)

    def first(self, theta: Array) -> Array:
        """First derivatives (r, K, m, m)."""
        return np.concatenate([self._spread(self.base.first(theta[:-1])[:, 0]), self._both[None]])

    def second(self, theta: Array) -> Array | None:
        """Second derivatives (r, r, K, m, m), or None where the base is linear."""
        base = self.base.second(theta[:-1])
        if base is None:
            return None
        inner = self._spread(base[:, :, 0])
        out = np.zeros((self.size, self.size, *inner.shape[2:]))
        out[:-1, :-1] = inner
        return out

    def start(self, moments: Array) -> Array:
        """The base's start, of which the intercept takes a twentieth of the smallest variance."""
        share = 0.05 * float(np.diagonal(moments).min())
        return np.concatenate([self.base.start(moments), [share]])

    def scale(self, theta: Array) -> Array:
        """The base's sizes; the mean variance for the intercept, whose own may be near zero."""
        sigma = self.base.sigma(theta[:-1])[0]
        return np.concatenate([self.base.scale(theta[:-1]), [float(np.diagonal(sigma).mean())]])

    @property
    def _both(self) -> Array:
        seen = self.person >= 0
        return (seen[:, :, None] & seen[:, None, :]).astype(float)

    def _spread(self, over_visits: Array) -> Array:
        """Matrices over visits (..., m0, m0) laid on the rows of each cluster (..., K, m, m), zero between people."""
        same = (self.person[:, :, None] == self.person[:, None, :]) & (self.person >= 0)[:, :, None]
        place = np.maximum(self.place, 0)
        return np.asarray(np.where(same, over_visits[..., place[:, :, None], place[:, None, :]], 0.0))
