"""Correlation matrices of the structures with their exact first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Jet(NamedTuple):
    """A matrix function of k parameters: value (m, m), first (k, m, m), second (k, k, m, m)."""

    value: Array
    first: Array
    second: Array


def identity(rho: Array, m: int) -> Jet:
    """No correlation."""
    return Jet(np.eye(m), np.zeros((0, m, m)), np.zeros((0, 0, m, m)))


def exchangeable(rho: Array, m: int) -> Jet:
    """The same correlation between any two visits (eq:mmrm-cs)."""
    off = np.ones((m, m)) - np.eye(m)
    return Jet(np.eye(m) + rho[0] * off, off[None], np.zeros((1, 1, m, m)))


def autoregressive(rho: Array, m: int) -> Jet:
    """Correlation rho to the power of the number of visits between (eq:mmrm-ar1)."""
    lag = _lags(m)
    r = float(rho[0])
    value = np.where(lag == 0, 1.0, r ** np.maximum(lag, 1))
    first = lag * r ** np.maximum(lag - 1, 0)
    second = lag * (lag - 1) * r ** np.maximum(lag - 2, 0)
    return Jet(value, first[None], second[None, None])


def banded(rho: Array, m: int) -> Jet:
    """One correlation for each distance between visits (eq:mmrm-toep)."""
    lag = _lags(m)
    first = np.stack([(lag == k).astype(float) for k in range(1, m)]) if m > 1 else np.zeros((0, m, m))
    return Jet(np.eye(m) + np.tensordot(rho, first, 1), first, np.zeros((m - 1, m - 1, m, m)))


def antedependent(rho: Array, m: int) -> Jet:
    """The product of the correlations of neighbouring visits on the way from one visit to the other (eq:mmrm-ad)."""
    a, b, k = np.ogrid[:m, :m, : m - 1]
    between = (np.minimum(a, b) <= k) & (k < np.maximum(a, b))  # (m, m, m-1)
    steps = np.where(between, rho, 1.0)
    n = m - 1
    one = np.broadcast_to(steps, (n, m, m, n)).copy()
    one[np.arange(n), :, :, np.arange(n)] = np.moveaxis(between, -1, 0)
    two = np.broadcast_to(one, (n, n, m, m, n)).copy()
    two[np.arange(n), :, :, :, np.arange(n)] = np.moveaxis(between, -1, 0)[:, None]
    two[np.arange(n), np.arange(n)] = 0.0
    return Jet(steps.prod(-1), one.prod(-1), two.prod(-1) if n else np.zeros((0, 0, m, m)))


def _lags(m: int) -> NDArray[np.int64]:
    index = np.arange(m)
    return np.asarray(np.abs(index[:, None] - index[None, :]))


Correlation = Callable[[Array, int], Jet]

N_CORRELATIONS: dict[Correlation, Callable[[int], int]] = {
    identity: lambda m: 0,
    exchangeable: lambda m: 1,
    autoregressive: lambda m: 1,
    banded: lambda m: m - 1,
    antedependent: lambda m: m - 1,
}
