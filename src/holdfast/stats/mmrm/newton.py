"""Newton's method with the exact Hessian, guarded by the average information far from the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import NotConverged, Unidentifiable
from holdfast.stats.mmrm.likelihood import Point, average_information, evaluate
from holdfast.stats.mmrm.patterns import Patterns
from holdfast.stats.mmrm.prepare import DETERMINED, NO_BASELINE
from holdfast.stats.mmrm.structures import Structure

Array = NDArray[np.float64]

# A fit counts as converged below ACCEPT; iterations go on to AIM because one more Newton step costs little. Where two
# visits nearly determine each other the gradient is all rounding; there the step left, in standard errors, decides.
ACCEPT = 1e-8
AIM = 1e-10
ACCEPT_STEP = 1e-8
SINGULAR = 1e-7
FLAT = 1e-9  # curvature for each person, in natural sizes, below which a direction counts as flat

WAYS_OUT = (
    "choose a structure with fewer parameters (toeph, ar1h, csh, ar1, cs), and declare it as a change of plan",
    "leave out a visit that few people reached",
    'check the data for outliers, constant values and wrong units with str(fit) of a fit with covariance="idh"',
)


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where Newton stopped: the likelihood there, the largest unit-free gradient, the step left, iterations used.

    `information_vcov` (r, r) is the inverse of the observed information of theta.
    """

    point: Point
    gradient: float
    step_left: float
    iterations: int
    information_vcov: Array


def maximise(data: Patterns, structure: Structure, start: Array, *, reml: bool, max_iterations: int = 100) -> Optimum:
    """Maximise the likelihood from `start`.

    The gradient of -loglik, each component times the natural size of its parameter, must fall below 1e-8, or the step
    that is left below 1e-8 standard errors.
    Raises `NotConverged` where it does not and `Unidentifiable` where the optimum is flat or on the boundary.
    """
    point = evaluate(start, data, structure, reml=reml)
    if point is None:
        raise Unidentifiable("the starting covariance is not positive definite", ways_out=WAYS_OUT)
    here = _State.of(point, structure)
    iterations = 0
    while here.size > AIM and iterations < max_iterations:
        better = _step(here, data, structure, reml=reml)
        if better is None:
            break
        here = better
        iterations += 1
    small = here.size <= accept(data)
    if not small and vanished(here.point.theta, start, structure) < SINGULAR:
        raise Unidentifiable(
            "the likelihood grows without end as a variance falls to zero: " + DETERMINED,
            ways_out=(NO_BASELINE, *WAYS_OUT),
        )
    if not small and (least := least_eigenvalue(here.point.theta, data, structure)) < SINGULAR:
        raise Unidentifiable(
            "the likelihood grows without end towards a singular covariance "
            f"(smallest eigenvalue of the correlations {least:.1g}): too few people, or one visit determines another",
            ways_out=WAYS_OUT,
        )
    w = _information_vcov(here, data)
    step_left = decrement(here.point.gradient, w)
    if not (small or step_left <= ACCEPT_STEP):
        raise NotConverged(
            f"the likelihood did not converge: largest gradient {here.size:.2g} after {iterations} iterations "
            f"(needed {accept(data):.0e})",
            ways_out=WAYS_OUT,
        )
    return Optimum(here.point, here.size, step_left, iterations, w)


def vanished(theta: Array, start: Array, structure: Structure) -> float:
    """Smallest variance as a share of the one that Newton started from."""
    now, then = (np.diagonal(structure.sigma(t), axis1=1, axis2=2) for t in (theta, start))
    return float((now / then).min())


def least_eigenvalue(theta: Array, data: Patterns, structure: Structure) -> float:
    """Smallest eigenvalue of the correlations at the visits that people had together."""
    sigma = structure.sigma(theta)
    blocks = np.where(data.both, sigma, np.eye(sigma.shape[-1]))
    sd: Array = np.sqrt(blocks.diagonal(axis1=1, axis2=2))
    return float(np.linalg.eigvalsh(blocks / (sd[:, :, None] * sd[:, None, :])).min())


def decrement(gradient: Array, w: Array) -> float:
    """Length of the Newton step that is left, in standard errors of theta (eq:mmrm-decrement)."""
    return float(np.sqrt(max(float(gradient @ w @ gradient), 0.0))) / 2


class _State(NamedTuple):
    """A point with the natural sizes of its parameters (r,) and its largest unit-free gradient."""

    point: Point
    scale: Array
    size: float

    @classmethod
    def of(cls, point: Point, structure: Structure) -> _State:
        scale = structure.scale(point.theta)
        # The gradient of -loglik, free of units (eq:mmrm-converged)
        return cls(point, scale, float(np.abs(point.gradient * scale).max(initial=0.0)) / 2)


def accept(data: Patterns) -> float:
    """1e-8, and for more than 10,000 observations in proportion, because rounding errors of the sums grow so."""
    return ACCEPT * max(1.0, data.n_obs / 1e4)


def _step(here: _State, data: Patterns, structure: Structure, *, reml: bool) -> _State | None:
    """The next state, not worse than this one; None when no shorter step improves either."""
    point = here.point
    direction = newton_direction(here, data, structure)
    slack = 1e-11 * (1 + abs(point.loglik))
    # Below the bound a full step that does not improve means that rounding is reached: no use in shorter ones.
    for halving in range(1 if here.size <= ACCEPT else 40):
        trial = evaluate(point.theta + direction * 0.5**halving, data, structure, reml=reml)
        if trial is None:
            continue
        there = _State.of(trial, structure)
        # Near the optimum the likelihood no longer resolves progress; the gradient does.
        closer = trial.loglik >= point.loglik - slack and there.size < here.size
        if trial.loglik > point.loglik + slack or closer:
            return there
    return None


def newton_direction(here: _State, data: Patterns, structure: Structure) -> Array:
    """Solve H d = -g with the exact Hessian where it is positive definite, else with the average information."""
    g, square = here.point.gradient * here.scale, np.outer(here.scale, here.scale)
    try:
        return _solve(here.point.hessian * square, g) * here.scale
    except np.linalg.LinAlgError:
        average = average_information(here.point, data, structure) * square
    # A little on the diagonal where even the average information is singular.
    ridge = 1e-10 * max(float(np.trace(average)) / len(g), 1e-8)
    for more in (0.0, 1.0, 1e6):
        try:
            return _solve(average + more * ridge * np.eye(len(g)), g) * here.scale
        except np.linalg.LinAlgError:
            continue
    return -g / max(ridge * 1e10, 1e-8) * here.scale


def _solve(H: Array, g: Array) -> Array:
    np.linalg.cholesky(H)
    return np.asarray(-np.linalg.solve(H, g))


def _information_vcov(here: _State, data: Patterns) -> Array:
    """Inverse of the observed information of theta (eq:mmrm-theta-vcov)."""
    H = here.point.hessian * np.outer(here.scale, here.scale) / 2
    values = np.linalg.eigvalsh(H)
    if values[0] <= FLAT * max(1.0, float(data.count.sum())):
        raise Unidentifiable(
            "the data do not identify the covariance: the likelihood is flat or has no maximum in some direction "
            f"(smallest curvature {values[0]:.2g})",
            ways_out=WAYS_OUT,
        )
    inverse = np.linalg.inv(H)
    return np.asarray((inverse + inverse.T) / 2 * np.outer(here.scale, here.scale))
