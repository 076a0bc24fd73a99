"""Newton's method for many likelihoods at once, each with its own steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.features import Features, Sums
from holdfast.stats.mmrm.newton import ACCEPT, ACCEPT_STEP, AIM, FLAT
from holdfast.stats.mmrm.prepare import PULLS, safe_start
from holdfast.stats.mmrm.small import cholesky_inverse, definite
from holdfast.stats.mmrm.stacked import Points, evaluate_many, residual_squares
from holdfast.stats.mmrm.structures import Linear, Structure

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Optima:
    """Where each of B likelihoods ended: `points`, unit-free `gradient` (B,), `w` (B, r, r), `problem` (B,)."""

    points: Points
    gradient: Array
    iterations: NDArray[np.int64]
    w: Array
    problem: NDArray[np.str_]


# From starts (B, r) to points, their unit-free gradients (B,) and the number of steps (B,)
Climb = Callable[[Array, Sums, Features, Structure, bool], tuple[Points, Array, NDArray[np.int64]]]


@np.errstate(all="ignore")  # a trial step may leave the parameter space; it is marked and halved
def maximise_many(
    data: Sums, made: Features, structure: Structure, *, reml: bool, climb: Climb | None = None
) -> Optima:
    """Maximise each likelihood with the rules of `newton.maximise`; `climb` replaces the climb in numpy."""
    start, problem = starts(data, made, structure)
    points, gradient, iterations = (climb or climb_together)(start, data, made, structure, reml)
    problem = np.where((problem == "") & ~points.ok, "start is not positive definite", problem)
    w, flat = _information(points, scales(structure, points.theta), data)
    left = np.sqrt(np.maximum(np.einsum("bi,bij,bj->b", points.gradient, w, points.gradient), 0.0)) / 2
    reached = (gradient <= ACCEPT * np.maximum(1.0, data.n_obs / 1e4)) | (~flat & (left <= ACCEPT_STEP))
    problem = np.where((problem == "") & ~reached, "not converged", problem)
    problem = np.where((problem == "") & flat, "covariance not identified", problem)
    return Optima(points, gradient, iterations, w, problem)


ROUNDS = 120  # evaluations of a data set's likelihood at most


def climb_together(
    start: Array, data: Sums, made: Features, structure: Structure, reml: bool
) -> tuple[Points, Array, NDArray[np.int64]]:
    """Newton steps for all data sets at once, each halved until its likelihood does not fall."""
    points = evaluate_many(start, data, made, structure, reml=reml)
    scale = scales(structure, points.theta)
    gradient = _sizes(points.gradient, scale)
    iterations = np.zeros(len(start), dtype=np.int64)
    active = points.ok & (gradient > AIM)
    step = np.ones(len(start))
    direction = np.zeros_like(start)
    direction[active] = directions(points, scale, active)
    for _ in range(ROUNDS):
        if not active.any():
            break
        trial = evaluate_many(
            points.theta[active] + step[active, None] * direction[active], data.take(active), made, structure, reml=reml
        )
        better, size = _accept(trial, points, gradient, structure, active)
        moved = np.zeros_like(active)
        moved[np.flatnonzero(active)[better]] = True
        points.put(trial, moved, better)
        gradient[moved] = size[better]
        iterations[moved] += 1
        scale[moved] = scales(structure, points.theta[moved])
        step = np.where(moved, 1.0, np.where(active, step / 2, step))
        active &= (gradient > np.where(moved, AIM, ACCEPT)) & (step > 1e-9) & (iterations < 100)
        again = moved & active
        if again.any():
            direction[again] = directions(points, scale, again)
    return points, gradient, iterations


def _accept(trial: Points, points: Points, gradient: Array, structure: Structure, active: Flags) -> tuple[Flags, Array]:
    size = _sizes(trial.gradient, scales(structure, trial.theta))
    old = points.loglik[active]
    slack = 1e-11 * (1 + np.abs(old))
    closer = (trial.loglik >= old - slack) & (size < gradient[active])
    return trial.ok & ((trial.loglik > old + slack) | closer), size


def directions(points: Points, scale: Array, which: Flags) -> Array:
    """Newton directions of some of the likelihoods; average information where the Hessian is not definite."""
    s = scale[which]
    square = s[:, :, None] * s[:, None, :]
    g = points.gradient[which] * s
    exact, average = points.hessian[which] * square, points.average[which] * square
    usable = definite(exact)
    ridge = np.trace(average, axis1=1, axis2=2)[:, None, None] / s.shape[1]
    average = average + 1e-10 * np.maximum(ridge, 1e-8) * np.eye(s.shape[1])
    H = np.where(usable[:, None, None], exact, average)
    return np.asarray(-np.linalg.solve(H, g[:, :, None])[:, :, 0] * s)


def scales(structure: Structure, theta: Array) -> Array:
    """Natural sizes of the parameters of each data set (B, r)."""
    if isinstance(structure, Linear):
        m = structure.basis.shape[1]
        sigma = (theta @ structure.basis.reshape(len(structure.basis), -1)).reshape(-1, m, m)
        sd = np.sqrt(np.maximum(np.diagonal(sigma, axis1=1, axis2=2), 1e-300))
        flat = structure.basis.reshape(len(structure.basis), -1)
        return np.asarray((sd[:, :, None] * sd[:, None, :]).reshape(len(theta), m * m) @ flat.T / flat.sum(1))
    return np.stack([structure.scale(t) for t in theta]) if len(theta) else np.zeros_like(theta)


def _sizes(gradient: Array, scale: Array) -> Array:
    return np.asarray(np.abs(gradient * scale).max(1, initial=0.0) / 2)


def _information(points: Points, scale: Array, data: Sums) -> tuple[Array, Flags]:
    """Inverse observed information (B, r, r), and where it is flat (B,)."""
    square = scale[:, :, None] * scale[:, None, :]
    H = np.nan_to_num(points.hessian * square / 2)
    flat = np.linalg.eigvalsh(H)[:, 0] <= FLAT * np.maximum(data.count.sum(1), 1.0)
    safe = np.where(flat[:, None, None], np.eye(H.shape[1]), H)
    return np.linalg.inv(safe) * square, flat


def starts(data: Sums, made: Features, structure: Structure) -> tuple[Array, NDArray[np.str_]]:
    """Starting values (B, r) from moments of least-squares residuals, and what makes a data set hopeless (B,)."""
    B = len(data.count)
    m, p = data.mask.shape[1], made.A.shape[2]
    eye = (data.mask[:, :, None] & np.eye(m, dtype=bool)).astype(float)  # (P, m, m)
    weights = np.einsum("nkq,kab->nqab", data.UU, eye).reshape(B, -1)
    gram = (weights @ made.AA.reshape(-1, p * p)).reshape(B, p, p)
    rhs = (data.uy * data.mask[:, None]).sum(1).reshape(B, -1) @ made.A.reshape(-1, p)
    size = np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 1e-300))
    unit = gram / (size[:, :, None] * size[:, None, :])
    deficient = np.linalg.eigvalsh(unit)[:, 0] <= 1e-9
    safe, _, _ = cholesky_inverse(np.where(deficient[:, None, None], np.eye(p), gram))
    beta = (safe @ rhs[:, :, None])[:, :, 0]
    mu = (beta @ made.A.reshape(-1, p).T).reshape(B, -1, m)
    squares = residual_squares(data, made, mu) * (data.mask[:, :, None] & data.mask[:, None, :])
    pairs = np.einsum("nk,ka,kc->nac", data.count, data.mask.astype(float), data.mask.astype(float))
    S = squares.sum(1) / np.maximum(pairs, 1.0)
    problem = np.where(deficient, "design is rank deficient", "").astype("U40")
    alone = np.diagonal(pairs, axis1=1, axis2=2).min(1) < 2
    problem = np.where((problem == "") & alone, "a visit has fewer than two people", problem)
    needs_pairs = isinstance(structure, Linear) and structure.names[-1].startswith("UN(")
    if needs_pairs:
        problem = np.where((problem == "") & (pairs.min((1, 2)) < 2), "two visits share fewer than two people", problem)
    return _safe(structure, _shrunk(S)), problem


def _safe(structure: Structure, S: Array) -> Array:
    """Starting values whose covariance is positive definite, from moments pulled as far to the diagonal as it takes."""
    if not isinstance(structure, Linear):
        return np.stack([safe_start(structure, each) for each in S])
    flat = structure.basis.reshape(structure.size, -1)
    average = flat / flat.sum(1, keepdims=True)
    diagonal = S * np.eye(S.shape[1])
    theta = S.reshape(len(S), -1) @ average.T
    for keep in PULLS[1:]:
        sigma = (theta @ flat).reshape(S.shape)
        low = np.linalg.eigvalsh(sigma)[:, 0] < 0.01 * np.diagonal(sigma, axis1=1, axis2=2).min(1)
        if not low.any():
            break
        mixed = keep * S[low] + (1 - keep) * diagonal[low]
        theta[low] = mixed.reshape(len(mixed), -1) @ average.T
    return np.asarray(theta)


def _shrunk(S: Array) -> Array:
    """Pull each matrix towards its diagonal until it is safely positive definite."""
    variance = np.diagonal(S, axis1=1, axis2=2)
    variance = np.where(variance > 0, variance, 1.0)
    sd = np.sqrt(variance)
    outer = sd[:, :, None] * sd[:, None, :]
    eye = np.eye(S.shape[1])
    R = np.where(eye > 0, 1.0, S / outer)
    out, done = R, np.zeros(len(S), dtype=bool)
    for keep in (1.0, 0.9, 0.7, 0.4, 0.0):
        mixed = keep * R + (1 - keep) * eye
        good = np.linalg.eigvalsh(mixed)[:, 0] > 0.02
        out = np.where((good & ~done)[:, None, None], mixed, out)
        done |= good
        if done.all():
            break
    return np.asarray(out * outer)
