"""Newton's method for many likelihoods, compiled by numba and run one data set after the other.

Equations and rules are those of `stacked.evaluate_many` and `many_newton.climb_together`; a data set here takes only
the patterns that it has and only the steps that it needs. numba is an extra, so this module is imported where it is
wanted. All compiled functions live here, because numba's files on disk do not see changes in other modules.
"""

# ruff: noqa: PLR0912 - a loop counts as a branch, and compiled code is loops
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm.features import Features, Sums
from holdfast.stats.mmrm.many_newton import ROUNDS
from holdfast.stats.mmrm.newton import ACCEPT, AIM
from holdfast.stats.mmrm.stacked import Points
from holdfast.stats.mmrm.structures import Linear, Structure

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
_Bounds = tuple[float, float, int]  # the gradient aimed at, the one that is enough, evaluations at most
_F = TypeVar("_F", bound=Callable[..., Any])


ONLY = (
    "the numba engine climbs in covariances that are linear in their parameters and shared by all "
    "(us, toep, cs, id, idh, without group=); leave engine out for the others"
)


def _compiled(function: _F) -> _F:
    """Serial machine code, kept on disk, that lets other threads run meanwhile; sums in any order, NaN kept."""
    return cast(_F, numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})(function))


class _Model(NamedTuple):
    """What the data sets share: A (d, m, p), pairs of features, dSigma/dtheta, patterns.

    dSigma/dtheta_h is the sum of share (e_a e_b' + e_b e_a') over the cells with `of` = h; cells come in the order of
    h, and `until` counts those of the parameters up to a cell's own.
    """

    A: Array
    first: Ints
    second: Ints
    of: Ints
    a: Ints
    b: Ints
    share: Array
    until: Ints
    mask: NDArray[np.bool_]
    reml: bool


class _Sums(NamedTuple):
    """The data as in `features.Sums` (`people` is its count), of all data sets or of one; `constant` of -2 log L."""

    people: Array
    UU: Array
    uy: Array
    yy: Array
    constant: Array


class _At(NamedTuple):
    """Where the likelihood of one data set is evaluated: room for its numbers, named as in `stacked.Points`."""

    theta: Array
    gradient: Array
    hessian: Array
    average: Array
    beta: Array
    phi: Array
    W: Array
    PhiP: Array


def climb_each(
    start: Array, data: Sums, made: Features, structure: Structure, reml: bool
) -> tuple[Points, Array, Ints]:
    """`many_newton.climb_together` for a structure that is linear in its parameters."""
    if not isinstance(structure, Linear):
        raise CallError(ONLY)
    of, a, b = np.nonzero(np.tril(structure.basis))
    share, until = np.where(a == b, 0.5, 1.0), np.searchsorted(of, of, side="right")
    model = _Model(made.A, made.first, made.second, of, a, b, share, until, data.mask, reml)
    B, r, (P, m), p = len(start), structure.size, data.mask.shape, made.A.shape[2]
    shapes = ((r,), (r,), (r, r), (r, r), (p,), (p, p), (P, m, m), (r, p, p))
    found = _At(*(np.zeros((B, *shape)) for shape in shapes))
    free = data.n_obs - p if reml else data.n_obs
    constant = free * math.log(2 * math.pi) - data.log_weights
    sums = _Sums(*(np.ascontiguousarray(each) for each in (data.count, data.UU, data.uy, data.yy, constant)))
    loglik, size, steps = np.empty(B), np.empty(B), np.zeros(B, dtype=np.int64)
    _climb_all(np.ascontiguousarray(start), model, sums, found, loglik, size, steps, (AIM, ACCEPT, ROUNDS))
    theta, gradient, hessian, average, beta, phi, W, PhiP = found
    ok = np.isfinite(loglik)
    return Points(ok, theta, loglik, gradient, hessian, average, beta, phi, W, PhiP), size, steps


@_compiled
def _climb_all(
    start: Array, model: _Model, sums: _Sums, found: _At, loglik: Array, size: Array, steps: Ints, bounds: _Bounds
) -> None:
    """Climb from each start (B, r). The bounds are arguments because compiled code on disk would keep old ones."""
    for k in range(len(start)):
        data = _Sums(sums.people[k], sums.UU[k], sums.uy[k], sums.yy[k], sums.constant[k : k + 1])
        here = _At(
            found.theta[k], found.gradient[k], found.hessian[k], found.average[k],
            found.beta[k], found.phi[k], found.W[k], found.PhiP[k],
        )  # fmt: skip
        here.theta[:] = start[k]
        loglik[k] = _evaluate(data, model, here)
        size[k] = _size(here, model)
        if math.isfinite(loglik[k]) and size[k] > bounds[0]:
            loglik[k], size[k], steps[k] = _climb_one(data, model, here, loglik[k], size[k], bounds)


@_compiled
def _climb_one(
    data: _Sums, model: _Model, here: _At, loglik: float, size: float, bounds: _Bounds
) -> tuple[float, float, int]:
    """Newton steps for one data set, halved until the likelihood does not fall."""
    there = _At(
        here.theta.copy(), here.gradient.copy(), here.hessian.copy(), here.average.copy(),
        here.beta.copy(), here.phi.copy(), here.W.copy(), here.PhiP.copy(),
    )  # fmt: skip
    aim, enough, rounds = bounds
    direction, step, steps = _direction(here, model), 1.0, 0
    for _ in range(rounds):
        there.theta[:] = here.theta + step * direction
        trial = _evaluate(data, model, there)
        slack = 1e-11 * (1 + abs(loglik))
        new = _size(there, model)
        if trial > loglik + slack or (trial >= loglik - slack and new < size):  # False for NaN
            loglik, size, step, steps = trial, new, 1.0, steps + 1
            here.theta[:], here.gradient[:], here.hessian[:] = there.theta, there.gradient, there.hessian
            here.average[:], here.beta[:], here.phi[:] = there.average, there.beta, there.phi
            here.W[:], here.PhiP[:] = there.W, there.PhiP
            if size <= aim or steps >= 100:
                break
            direction = _direction(here, model)
        else:
            step /= 2
            if size <= enough or step <= 1e-9:
                break
    return loglik, size, steps


@_compiled
def _evaluate(data: _Sums, model: _Model, at: _At) -> float:
    """The log-likelihood at `at.theta` (eq:mmrm-reml), all else written into `at`; NaN where it does not exist."""
    A, mask, UU, phi = model.A, model.mask, data.UU, at.phi
    (d, m, p), q = A.shape, len(model.first)
    sigma, padded, twice = np.zeros((m, m)), np.empty((m, m)), data.constant[0]  # -2 log L
    for x in range(len(model.of)):
        sigma[model.a[x], model.b[x]] = sigma[model.b[x], model.a[x]] = at.theta[model.of[x]]
    mixed, Wuy, rhs, gram = np.zeros((q, m, m)), np.zeros((d, m)), np.zeros(p), np.empty((p, p))
    at.W[:] = 0.0
    for k in range(len(mask)):
        if data.people[k] == 0:
            continue
        W, yy = at.W[k], data.yy[k]
        for a in range(m):
            for b in range(m):
                padded[a, b] = sigma[a, b] if mask[k, a] and mask[k, b] else 0.0
            padded[a, a] += not mask[k, a]
        twice += data.people[k] * _inverse(padded, W)
        for a in range(m):
            W[a, a] *= mask[k, a]
            for b in range(m):
                x = W[a, b]
                twice += x * yy[a, b]
                for j in range(q):
                    mixed[j, a, b] += UU[k, j] * x
                for j in range(d):
                    Wuy[j, a] += x * data.uy[k, j, b]
    for j in range(d):
        for a in range(m):
            rhs += Wuy[j, a] * A[j, a]
    _sandwich(mixed, model, gram)
    penalty = _inverse(gram, phi)  # eq:mmrm-gls
    for i in range(p):
        at.beta[i] = (phi[i] * rhs).sum()
    twice += (penalty if model.reml else 0.0) - (at.beta * rhs).sum()
    if math.isnan(penalty) or not math.isfinite(twice):
        return math.nan
    _differentiate(data, model, at)
    return float(-0.5 * twice)


@_compiled
def _differentiate(data: _Sums, model: _Model, at: _At) -> None:
    """Gradient, Hessian and average information of -2 log L, sums over patterns first."""
    (d, m, _), q, r = model.A.shape, len(model.first), len(at.theta)
    at.gradient[:], at.hessian[:], at.average[:] = 0.0, 0.0, 0.0
    mu, fitted, spread = np.zeros((d, m)), np.zeros((q, m, m)), np.zeros((q, m, m))
    _fit(model, at, mu, fitted, spread)
    moved, mixed = np.zeros((r, d, m)), np.zeros((r, q, m, m))
    for k in range(len(data.people)):
        if data.people[k] > 0:
            _add_moments(k, data, model, at, mu, fitted, spread)
            _add_crossed(k, data, model, at, mu, moved, mixed)
    _subtract_means(model, at, moved, mixed)


@_compiled
def _fit(model: _Model, at: _At, mu: Array, fitted: Array, spread: Array) -> None:
    """Fitted means mu_k = A_k beta (d, m), mu_k mu_l' and A_k Phi A_l' (q, m, m), symmetric over the pair k, l."""
    A, phi = model.A, at.phi
    d, m, p = A.shape
    Aphi = np.zeros((d, m, p))
    for j in range(d):
        for a in range(m):
            for i in range(p):
                if A[j, a, i] != 0:
                    mu[j, a] += A[j, a, i] * at.beta[i]
                    for c in range(p):
                        Aphi[j, a, c] += A[j, a, i] * phi[i, c]
    for j in range(len(model.first)):
        k, o = model.first[j], model.second[j]
        share = 0.5 if k == o else 1.0
        for a in range(m):
            for b in range(m):
                y = 0.0
                for c in range(p):
                    y += Aphi[k, a, c] * A[o, b, c]
                for e, f in ((a, b), (b, a)):
                    fitted[j, e, f] += share * mu[k, a] * mu[o, b]
                    spread[j, e, f] += share * y


@_compiled
def _add_moments(k: int, data: _Sums, model: _Model, at: _At, mu: Array, fitted: Array, spread: Array) -> None:
    """What pattern k adds to the gradient (eq:mmrm-gradient) and to the traces of eq:mmrm-hessian, eq:mmrm-average."""
    W, UU, uy, of, row, column, share = at.W[k], data.UU, data.uy, model.of, model.a, model.b, model.share
    gradient, hessian, average = at.gradient, at.hessian, at.average
    m = len(W)
    D, S = np.zeros((m, m)), data.yy[k].copy()
    for a in range(m):
        for b in range(m):
            for j in range(UU.shape[1]):
                D[a, b] += UU[k, j] * spread[j, a, b]
                S[a, b] += UU[k, j] * fitted[j, a, b]
            for j in range(len(mu)):
                S[a, b] -= uy[k, j, a] * mu[j, b] + mu[j, a] * uy[k, j, b]
    left = _around(W, S)
    mean = _around(W, D) if model.reml else np.zeros((m, m))
    G = data.people[k] * W - mean - left
    curved = mean + left - G
    for x in range(len(of)):
        h, a, b = of[x], row[x], column[x]
        gradient[h] += 2 * share[x] * G[a, b]
        for v in range(model.until[x]):  # tr(V_h W V_o R)
            o, c, e, s = of[v], row[v], column[v], share[x] * share[v]
            hessian[h, o] += s * (
                W[b, c] * curved[e, a] + W[b, e] * curved[c, a] + W[a, c] * curved[e, b] + W[a, e] * curved[c, b]
            )
            average[h, o] += s * (
                W[b, c] * left[e, a] + W[b, e] * left[c, a] + W[a, c] * left[e, b] + W[a, e] * left[c, b]
            )


@_compiled
def _add_crossed(k: int, data: _Sums, model: _Model, at: _At, mu: Array, moved: Array, mixed: Array) -> None:
    """What pattern k adds to the sums of W V_h W r u' (r, d, m) and of u_k u_l W V_h W (r, q, m, m)."""
    W, UU, of, row, column, share = at.W[k], data.UU, model.of, model.a, model.b, model.share
    (d, m), q = mu.shape, len(model.first)
    ur, Wur = data.uy[k].copy(), np.zeros((d, m))
    for j in range(q):
        one, two = model.first[j], model.second[j]
        for a in range(m):
            ur[one, a] -= UU[k, j] * mu[two, a]
            if one != two:
                ur[two, a] -= UU[k, j] * mu[one, a]
    for j in range(d):
        for a in range(m):
            for b in range(m):
                Wur[j, a] += W[a, b] * ur[j, b]
    for x in range(len(of)):
        h, a, b, s = of[x], row[x], column[x], share[x]
        for e in range(m):
            for j in range(d):
                moved[h, j, e] += s * (W[e, a] * Wur[j, b] + W[e, b] * Wur[j, a])
            for f in range(m):
                z = s * (W[e, a] * W[b, f] + W[e, b] * W[a, f])
                for j in range(q):
                    mixed[h, j, e, f] += UU[k, j] * z


@_compiled
def _subtract_means(model: _Model, at: _At, moved: Array, mixed: Array) -> None:
    """Phi P_h, and what the coefficients take from the curvature: 2 g_h'g_o and tr(B_h B_o) (eq:mmrm-hessian)."""
    A, phi, PhiP, hessian, average = model.A, at.phi, at.PhiP, at.hessian, at.average
    (d, m, p), r = A.shape, len(moved)
    cross, phicross, XVX, turned = np.zeros((r, p)), np.empty((r, p)), np.empty((p, p)), np.empty((r, p, p))
    for h in range(r):
        for j in range(d):
            for a in range(m):
                for i in range(p):
                    cross[h, i] += moved[h, j, a] * A[j, a, i]
        _sandwich(mixed[h], model, XVX)
        for i in range(p):
            x = 0.0
            for j in range(p):
                x += phi[i, j] * cross[h, j]
            phicross[h, i] = x
            for c in range(p):
                x = 0.0
                for j in range(p):
                    x += phi[i, j] * XVX[c, j]
                PhiP[h, i, c] = turned[h, c, i] = x
    for h in range(r):
        for o in range(h + 1):
            pull, trace = 0.0, 0.0
            for i in range(p):
                pull += cross[h, i] * phicross[o, i]
                for c in range(p):
                    trace += PhiP[h, i, c] * turned[o, i, c]
            hessian[h, o] -= 2 * pull + (trace if model.reml else 0.0)
            average[h, o] -= pull
            hessian[o, h], average[o, h] = hessian[h, o], average[h, o]


@_compiled
def _sandwich(mixed: Array, model: _Model, out: Array) -> None:
    """Sum over pairs of features of A_k' M A_l for symmetric M (q, m, m), with its transpose where k is not l."""
    A, first, second = model.A, model.first, model.second
    _, m, p = A.shape
    room = np.empty((m, p))
    out[:] = 0.0
    for j in range(len(first)):
        left, right = A[first[j]], A[second[j]]
        same = first[j] == second[j]
        for a in range(m):
            for i in range(p):
                x = 0.0
                for b in range(m):
                    x += mixed[j, a, b] * right[b, i]
                room[a, i] = x
        for a in range(m):
            for i in range(p):
                x, y = left[a, i], 0.0 if same else room[a, i]
                if x != 0 or y != 0:
                    for c in range(i + 1):
                        out[i, c] += x * room[a, c] + y * left[a, c]
    for i in range(p):
        for c in range(i):
            out[c, i] = out[i, c]


@_compiled
def _around(W: Array, S: Array) -> Array:
    """W S W for symmetric matrices."""
    m = len(W)
    room, out = np.empty((m, m)), np.empty((m, m))
    for a in range(m):
        for b in range(m):
            x = 0.0
            for c in range(m):
                x += W[a, c] * S[c, b]
            room[a, b] = x
    for a in range(m):
        for b in range(a + 1):
            x = 0.0
            for c in range(m):
                x += room[a, c] * W[c, b]
            out[a, b] = out[b, a] = x
    return out


@_compiled
def _factor(M: Array, L: Array) -> bool:
    """The lower triangular L of M = L L'; False unless M is positive definite."""
    for i in range(len(M)):
        for j in range(i + 1):
            s = M[i, j]
            for c in range(j):
                s -= L[i, c] * L[j, c]
            if i > j:
                L[i, j] = s / L[j, j]
            elif s > 1e-14 * abs(M[i, i]):
                L[i, i] = math.sqrt(s)
            else:
                return False
    return True


@_compiled
def _inverse(M: Array, out: Array) -> float:
    """Write the inverse of M into `out`; its log determinant, NaN unless positive definite."""
    k, logdet = len(M), 0.0
    L, back = np.empty((k, k)), np.zeros((k, k))
    if not _factor(M, L):
        return math.nan
    for i in range(k):
        logdet += 2 * math.log(L[i, i])
        back[i, i] = 1 / L[i, i]
        for j in range(i):
            for c in range(j, i):
                back[i, j] -= L[i, c] * back[c, j]
            back[i, j] /= L[i, i]
    for i in range(k):
        for j in range(i + 1):
            s = 0.0
            for c in range(i, k):
                s += back[c, i] * back[c, j]
            out[i, j] = out[j, i] = s
    return logdet


@_compiled
def _scale(at: _At, model: _Model) -> Array:
    """Natural sizes of the parameters (r,), as `many_newton.scales`."""
    r, m = len(at.theta), model.A.shape[1]
    sd, out, cells = np.empty(m), np.zeros(r), np.zeros(r)
    for x in range(len(model.of)):
        if model.a[x] == model.b[x]:
            sd[model.a[x]] = math.sqrt(max(at.theta[model.of[x]], 1e-300))
    for x in range(len(model.of)):
        out[model.of[x]] += model.share[x] * sd[model.a[x]] * sd[model.b[x]]
        cells[model.of[x]] += model.share[x]
    return out / cells


@_compiled
def _size(at: _At, model: _Model) -> float:
    """The largest unit-free component of the gradient (eq:mmrm-converged)."""
    scale, size = _scale(at, model), 0.0
    for h in range(len(scale)):
        size = max(size, abs(at.gradient[h] * scale[h]) / 2)
    return size


@_compiled
def _direction(at: _At, model: _Model) -> Array:
    """Newton's direction, from the average information where the Hessian is not positive definite."""
    scale = _scale(at, model)
    r, square = len(scale), np.outer(scale, scale)
    H, L, x = at.hessian * square, np.empty((len(scale), len(scale))), -at.gradient * scale
    if not _factor(H, L):
        H = at.average * square
        ridge = 1e-10 * max(np.trace(H) / r, 1e-8)
        for h in range(r):
            H[h, h] += ridge
        if not _factor(H, L):
            return np.zeros(r)  # no way on: said to be not converged
    for i in range(r):
        for c in range(i):
            x[i] -= L[i, c] * x[c]
        x[i] /= L[i, i]
    for i in range(r - 1, -1, -1):
        for c in range(i + 1, r):
            x[i] -= L[c, i] * x[c]
        x[i] /= L[i, i]
    return x * scale
