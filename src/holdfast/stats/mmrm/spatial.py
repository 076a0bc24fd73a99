"""Spatial covariance structures on real times, one matrix for each pattern of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spatial:
    """Variance times exp(-(d / range)^power): power 1 exponential, 2 Gaussian (eq:mmrm-spatial).

    `distance` (K, m, m) holds the distances between the times of each of K patterns, NaN where nobody was seen;
    `group` (K,) numbers the group of each pattern among `labels` (one label: no groups).
    """

    power: int
    distance: Array
    group: NDArray[np.int64]
    labels: tuple[str, ...] = ("",)

    @property
    def size(self) -> int:
        """Number of parameters r: two for each group."""
        return 2 * len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """A variance and a range, in the unit of the times, for each group."""
        return tuple(f"{name} {label}".strip() for label in self.labels for name in ("variance", "range"))

    def sigma(self, theta: Array) -> Array:
        """Covariance matrices (K, m, m)."""
        if not (theta > 0).all():  # outside the parameter space: no covariance
            return np.full((len(self.group), *self.distance.shape[1:]), np.nan)
        variance, reach = theta.reshape(-1, 2)[self.group].T[:, :, None, None]
        return np.asarray(variance * self._kernel(reach))

    def first(self, theta: Array) -> Array:
        """First derivatives (r, K, m, m)."""
        variance, reach = theta.reshape(-1, 2)[self.group].T[:, :, None, None]
        kernel = self._kernel(reach)
        by_range = variance * kernel * self._slope(reach)
        return self._spread(np.stack([kernel, by_range]))

    def second(self, theta: Array) -> Array | None:
        """Second derivatives (r, r, K, m, m)."""
        variance, reach = theta.reshape(-1, 2)[self.group].T[:, :, None, None]
        kernel, slope = self._kernel(reach), self._slope(reach)
        mixed = kernel * slope
        curve = variance * kernel * (slope**2 - (self.power + 1) * slope / reach)
        both = np.stack([np.stack([np.zeros_like(kernel), mixed]), np.stack([mixed, curve])])
        out = np.zeros((self.size, self.size, *kernel.shape))
        for g in range(len(self.labels)):
            rows = slice(2 * g, 2 * g + 2)
            out[rows, rows] = both * (self.group == g)[:, None, None]
        return out

    def start(self, moments: Array) -> Array:
        """The pooled variance and a range of the middle distance."""
        known = self.distance[np.isfinite(self.distance) & (self.distance > 0)]
        pair = [float(np.diagonal(moments).mean()), float(np.median(known)) if known.size else 1.0]
        return np.array(pair * len(self.labels))

    def scale(self, theta: Array) -> Array:
        """Each parameter is measured by itself."""
        return np.asarray(np.abs(theta))

    def _kernel(self, reach: Array) -> Array:
        return np.asarray(np.exp(-((np.nan_to_num(self.distance) / reach) ** self.power)))

    def _slope(self, reach: Array) -> Array:
        return np.asarray(self.power * np.nan_to_num(self.distance) ** self.power / reach ** (self.power + 1))

    def _spread(self, pair: Array) -> Array:
        out = np.zeros((self.size, *pair.shape[1:]))
        for g in range(len(self.labels)):
            out[2 * g : 2 * g + 2] = pair * (self.group == g)[:, None, None]
        return out
