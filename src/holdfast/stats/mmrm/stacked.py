"""Likelihood, gradient and Hessian of many data sets at once, on their sums."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.features import Features, Sums
from holdfast.stats.mmrm.small import cholesky_inverse
from holdfast.stats.mmrm.structures import Linear, Structure

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Points:
    """B likelihoods at their thetas (B, r): the arrays of `likelihood.Point` with a leading axis.

    `ok` (B,) marks those where sigma and X' V^-1 X are positive definite; the rest is meaningless elsewhere.
    `PhiP` (B, r, p, p) holds Phi X' W V_h W X.
    """

    ok: NDArray[np.bool_]
    theta: Array
    loglik: Array
    gradient: Array
    hessian: Array
    average: Array
    beta: Array
    phi: Array
    W: Array
    PhiP: Array

    def put(self, other: Points, to: NDArray[np.bool_], take: NDArray[np.bool_]) -> None:
        """Overwrite the entries `to` with the entries `take` of `other`."""
        for name in self.__slots__:
            getattr(self, name)[to] = getattr(other, name)[take]


def derivatives(structure: Structure, theta: Array) -> tuple[Array, Array, Array | None]:
    """Sigma (B, m, m), first (B or 1, r, m*m) and second (B, r, r, m*m) or None for each theta (B, r)."""
    if isinstance(structure, Linear):
        r, m, _ = structure.basis.shape
        flat = structure.basis.reshape(r, m * m)
        return (theta @ flat).reshape(-1, m, m), flat[None], None
    B, r = theta.shape
    sigma = np.stack([structure.sigma(t)[0] for t in theta])
    first = np.stack([structure.first(t)[:, 0] for t in theta]).reshape(B, r, -1)
    seconds = [structure.second(t) for t in theta]
    second = None if seconds[0] is None else np.stack([s[:, :, 0] for s in seconds if s is not None])
    return sigma, first, None if second is None else second.reshape(B, r, r, -1)


def evaluate_many(theta: Array, data: Sums, made: Features, structure: Structure, *, reml: bool) -> Points:
    """The likelihoods of B data sets (eq:mmrm-reml, eq:mmrm-gradient, eq:mmrm-hessian)."""
    B, m, p = len(theta), data.mask.shape[1], made.A.shape[2]
    sigma, first, second = derivatives(structure, theta)
    W, logdet_each, ok_each = _invert(sigma, data.mask)  # (B, P, m, m), (B, P)
    ok = (ok_each | (data.count == 0)).all(1)
    flat_W = W.reshape(B, -1, m * m)
    AA = made.AA.reshape(len(made.first) * m * m, p * p)
    gram = (_mix(data.UU, flat_W).reshape(B, -1) @ AA).reshape(B, p, p)
    Wuy = (W @ np.swapaxes(data.uy, 2, 3)).sum(1)  # (B, m, d)
    rhs = np.swapaxes(Wuy, 1, 2).reshape(B, -1) @ made.A.reshape(-1, p)
    phi, logdet_gram, ok_gram = cholesky_inverse(gram)
    ok &= ok_gram
    beta = (phi @ rhs[:, :, None])[:, :, 0]
    quad = (flat_W * data.yy.reshape(B, -1, m * m)).sum((1, 2)) - (beta * rhs).sum(1)
    logdet = (data.count * logdet_each).sum(1)
    free = data.n_obs - p if reml else data.n_obs
    penalty = logdet_gram if reml else 0.0
    loglik = -0.5 * (free * math.log(2 * math.pi) + logdet - data.log_weights + penalty + quad)

    mu = (beta @ made.A.reshape(-1, p).T).reshape(B, -1, m)  # (B, d, m)
    residual = W @ residual_squares(data, made, mu) @ W
    mean = np.zeros_like(residual)
    if reml:
        spread = (phi.reshape(B, -1) @ AA.T).reshape(B, -1, m * m)  # A_k Phi A_l'
        mean = W @ (data.UU @ spread).reshape(W.shape) @ W
    G = data.count[:, :, None, None] * W - mean - residual
    total = G.sum(1).reshape(B, 1, -1)
    gradient = (total @ np.swapaxes(first, 1, 2))[:, 0]
    PhiP, cross = _crossed(first, W, data, made, mu, phi)
    observed = _traces(first, flat_W, (mean + residual - G).reshape(flat_W.shape))
    average = _traces(first, flat_W, residual.reshape(flat_W.shape))
    pull = cross @ phi @ np.swapaxes(cross, 1, 2)
    observed = observed - 2 * pull
    if reml:
        r = PhiP.shape[1]
        transposed = np.swapaxes(PhiP, 2, 3).reshape(B, r, -1)
        observed = observed - PhiP.reshape(B, r, -1) @ np.swapaxes(transposed, 1, 2)
    if second is not None:
        observed = observed + (second @ total[:, 0, :, None][:, None])[..., 0]
    ok &= np.isfinite(loglik)
    return Points(ok, theta, loglik, gradient, observed, average - pull, beta, phi, W, PhiP)


def _invert(sigma: Array, mask: NDArray[np.bool_]) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Padded inverse (B, P, m, m), log determinant and success (B, P) of each pattern's block."""
    both = mask[:, :, None] & mask[:, None, :]
    padded = np.where(both, sigma[:, None], np.eye(mask.shape[1]))
    B, P, m, _ = padded.shape
    inverse, logdet, ok = cholesky_inverse(padded.reshape(B * P, m, m))
    return np.where(both, inverse.reshape(B, P, m, m), 0.0), logdet.reshape(B, P), ok.reshape(B, P)


def _mix(UU: Array, per_pattern: Array) -> Array:
    """Sum over patterns of products of features times a matrix per pattern: (B, q, x)."""
    return np.asarray(np.swapaxes(UU, 1, 2) @ per_pattern)


def residual_squares(data: Sums, made: Features, mu: Array) -> Array:
    """Sum of r r' over the people of each pattern (B, P, m, m); cells that nobody was seen at are left to W."""
    B, _, m = mu.shape
    crossed = np.swapaxes(data.uy, 2, 3) @ mu[:, None]
    pairs = mu[:, made.first, :, None] * mu[:, made.second, None, :]
    pairs = np.where((made.first != made.second)[:, None, None], pairs + np.swapaxes(pairs, 2, 3), pairs)
    fitted = (data.UU @ pairs.reshape(B, -1, m * m)).reshape(B, -1, m, m)
    return np.asarray(data.yy - crossed - np.swapaxes(crossed, 2, 3) + fitted)


def _crossed(first: Array, W: Array, data: Sums, made: Features, mu: Array, phi: Array) -> tuple[Array, Array]:
    """Phi X' W V_h W X (B, r, p, p) and X' W V_h W r (B, r, p)."""
    B, P, m, _ = W.shape
    r, p, d = first.shape[1], phi.shape[1], made.A.shape[0]
    V = first.reshape(len(first), 1, r, m, m)
    WVW = W[:, :, None] @ V @ W[:, :, None]  # (B, P, r, m, m)
    mixed = _mix(data.UU, WVW.reshape(B, P, -1)).reshape(B, -1, r, m * m)
    AA = made.AA.reshape(-1, p * p)
    XVX = (mixed.transpose(0, 2, 1, 3).reshape(B, r, -1) @ AA).reshape(B, r, p, p)
    # Sums of u r' over people: (B, P, d, m)
    full = _feature_sums(data, made)
    ur = data.uy - full @ mu[:, None]
    stacked = np.swapaxes(ur, 2, 3).reshape(B, P * m, d)
    moved = WVW.transpose(0, 2, 3, 1, 4).reshape(B, r * m, P * m) @ stacked  # (B, r*m, d)
    cross = moved.reshape(B, r, m, d).transpose(0, 1, 3, 2).reshape(B, r, d * m) @ made.A.reshape(d * m, p)
    return phi[:, None] @ XVX, cross


def _feature_sums(data: Sums, made: Features) -> Array:
    """Sums of u u' over the people of each pattern (B, P, d, d)."""
    d = made.A.shape[0]
    out = np.zeros((*data.count.shape, d, d))
    out[:, :, made.first, made.second] = data.UU
    out[:, :, made.second, made.first] = data.UU
    return out


def _traces(first: Array, W: Array, right: Array) -> Array:
    """Sum over patterns of tr(V_h W V_j R) for each data set: (B, r, r)."""
    B, _, mm = W.shape
    m = math.isqrt(mm)
    pairs = (np.swapaxes(W, 1, 2) @ right).reshape(B, m, m, m, m)  # [b, c, d, a]
    turned = np.ascontiguousarray(pairs.transpose(0, 4, 1, 2, 3)).reshape(B, mm, mm)
    return np.asarray(first @ turned @ np.swapaxes(first, 1, 2))
