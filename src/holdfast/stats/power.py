"""Sample size and power in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from holdfast.errors import CallError

Array = NDArray[np.float64]
Sides = Literal[1, 2]


def t_power(
    n1: float,
    effect: float,
    *,
    n2: float | None = None,
    sd: float = 1.0,
    alpha: float = 0.05,
    sides: Sides = 2,
    lost: int = 2,
) -> float:
    """Power of a two-sample t test (eq:power-t): n1 and n2 people, difference `effect`, common `sd`.

    `lost` is how many degrees of freedom the model spends (2 for two means, 3 with one covariate). With two sides both
    tails count; sides=1 takes alpha as one-sided.
    """
    second = n1 if n2 is None else n2
    df = n1 + second - lost
    shift = abs(effect) / (sd * math.sqrt(1 / n1 + 1 / second))
    q = float(stats.t.ppf(1 - alpha / sides, df))
    power = float(stats.nct.sf(q, df, shift))
    return power + (float(stats.nct.cdf(-q, df, shift)) if sides == 2 else 0.0)


def t_sample_size(
    effect: float, *, sd: float = 1.0, power: float = 0.8, alpha: float = 0.05, sides: Sides = 2, lost: int = 2
) -> float:
    """People per arm (not rounded) for a two-sample t test."""
    return _solve(lambda n: t_power(n, effect, sd=sd, alpha=alpha, sides=sides, lost=lost), power, lost / 2 + 0.6)


def _solve(power_of: Callable[[float], float], power: float, low: float) -> float:
    if not 0 < power < 1:
        raise CallError(f"power is {power}; it lies between 0 and 1")
    high = 10.0
    while power_of(high) < power:
        high *= 2
        if high > 1e9:
            raise CallError("no sample size below a billion reaches this power: is the effect zero?")
    return float(optimize.brentq(lambda n: power_of(n) - power, low, high, xtol=1e-10))


def ancova_sample_size(
    effect: float, correlation: float, *, sd: float = 1.0, power: float = 0.8, alpha: float = 0.05, sides: Sides = 2
) -> float:
    """People per arm for an analysis adjusted for a baseline correlated with the outcome (eq:power-ancova).

    Residual sd is sd sqrt(1 - r^2), N - 3 df. Borm et al. (2007) multiply the t test's size by 1 - r^2 and add one.
    """
    if not -1 < correlation < 1:
        raise CallError(f"correlation is {correlation}; it lies strictly between -1 and 1")
    residual = sd * math.sqrt(1 - correlation**2)
    return t_sample_size(effect, sd=residual, power=power, alpha=alpha, sides=sides, lost=3)


def pre_post_factor(method: Literal["post", "change", "ancova"], pre: int, post: int, correlation: float) -> float:
    """Variance of the arm difference relative to one post measurement (eq:frison-pocock), compound symmetry."""
    after = (1 + (post - 1) * correlation) / post
    before = (1 + (pre - 1) * correlation) / pre
    factors = {
        "post": after,
        "change": after + before - 2 * correlation,
        "ancova": after - correlation**2 / before,
    }
    if method not in factors:
        raise CallError(f"method is {method!r}; it can be 'post', 'change' or 'ancova'")
    return factors[method]


def mmrm_variance_factor(correlation: Array, retention: Sequence[float]) -> float:
    """Variance of the last visit's mean, times people randomised, in units of its variance (eq:power-mmrm).

    `correlation` (T, T) of the outcome (given baseline), `retention` (T,) share still followed at each visit.
    """
    R, kept = np.asarray(correlation, float), np.asarray(retention, float)
    if R.shape != (len(kept), len(kept)) or (np.diff(kept) > 1e-12).any() or kept[0] > 1 or kept[-1] <= 0:
        raise CallError("retention must not grow, be above 0, and have one share per visit of the correlation matrix")
    information = np.zeros_like(R)
    leaving = kept - np.append(kept[1:], 0.0)
    for t, share in enumerate(leaving, start=1):
        information[:t, :t] += share * np.linalg.inv(R[:t, :t])
    return float(np.linalg.inv(information)[-1, -1])


def mmrm_sample_size(
    effect: float,
    correlation: Array,
    retention: Sequence[float],
    *,
    retention2: Sequence[float] | None = None,
    allocation: float = 1.0,
    sd: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
) -> tuple[float, float]:
    """People in both arms for the last visit's difference in a mixed model with dropout (Lu, Luo & Chen 2008).

    `allocation` is n1 / n2. Normal approximation, two-sided alpha: in small trials check by simulation.
    """
    phi1 = mmrm_variance_factor(correlation, retention)
    phi2 = phi1 if retention2 is None else mmrm_variance_factor(correlation, retention2)
    n1 = two_arm_size(effect, phi1, phi2, allocation=allocation, sd=sd, power=power, alpha=alpha)
    return n1, n1 / allocation


def two_arm_size(
    effect: float, phi1: float, phi2: float, *, allocation: float, sd: float, power: float, alpha: float
) -> float:
    """People in the first arm for variance factors phi1 and phi2 (eq:power-mmrm)."""
    z = float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    return (phi1 + allocation * phi2) * (z * sd / effect) ** 2


def slope_sample_size(
    effect: float,
    times: Sequence[float],
    *,
    variance: float,
    correlation: float,
    power: float = 0.8,
    alpha: float = 0.05,
    sides: Sides = 2,
) -> float:
    """People per arm for a difference `effect` in slopes, exchangeable errors (Diggle et al. 2002; eq:power-slope)."""
    x = np.asarray(times, float)
    z = float(stats.norm.ppf(1 - alpha / sides) + stats.norm.ppf(power))
    return 2 * z**2 * variance * (1 - correlation) / (float(((x - x.mean()) ** 2).sum()) * effect**2)


def time_average_sample_size(
    effect: float,
    visits: int,
    *,
    sd: float = 1.0,
    correlation: float,
    power: float = 0.8,
    alpha: float = 0.05,
    sides: Sides = 2,
) -> float:
    """People per arm for a difference in the mean over visits, exchangeable errors (Liu & Liang 1997)."""
    z = float(stats.norm.ppf(1 - alpha / sides) + stats.norm.ppf(power))
    return 2 * (z * sd / effect) ** 2 * (1 + (visits - 1) * correlation) / visits


def non_inferiority_sample_size(
    margin: float, *, true_difference: float = 0.0, sd: float = 1.0, power: float = 0.8, alpha: float = 0.025
) -> float:
    """People per arm to show that the loss is below `margin` (one-sided alpha, t test)."""
    if margin <= 0:
        raise CallError("a non-inferiority margin is a positive number of outcome points")
    return t_sample_size(margin - true_difference, sd=sd, power=power, alpha=alpha, sides=1)


def two_stage(
    *, share: float = 0.5, power: float = 0.8, alpha: float = 0.025, spend_early: float | None = None
) -> tuple[float, float, float]:
    """Two-stage design with a spending function: z limits at both looks, and inflation of the fixed sample size.

    `share` of the information at the first look; O'Brien-Fleming-type spending unless `spend_early` says how much
    of the one-sided alpha is spent then (eq:two-stage; Lan & DeMets 1983).
    """
    if not 0 < share < 1:
        raise CallError(f"share is {share}; it lies between 0 and 1")
    early = (
        2 * float(stats.norm.sf(stats.norm.ppf(1 - alpha / 2) / math.sqrt(share)))
        if spend_early is None
        else spend_early
    )
    first = float(stats.norm.isf(early))
    correlation = math.sqrt(share)

    def cross(second: float, drift: float) -> float:
        """Chance to stop at the first look or to reject at the second."""
        m1 = drift * correlation
        stop = float(stats.norm.sf(first - m1))
        x = np.linspace(-9, first - m1, 4001)
        tail = stats.norm.sf((second - drift - correlation * x) / math.sqrt(1 - share))
        return stop + float(_simpson(stats.norm.pdf(x) * tail, x))

    second = float(optimize.brentq(lambda c: cross(c, 0.0) - alpha, 0.5, 6.0, xtol=1e-12))
    drift = float(optimize.brentq(lambda d: cross(second, d) - power, 0.01, 20.0, xtol=1e-12))
    fixed = float(stats.norm.ppf(1 - alpha) + stats.norm.ppf(power))
    return first, second, (drift / fixed) ** 2


def _simpson(y: Array, x: Array) -> float:
    h = (x[-1] - x[0]) / (len(x) - 1)
    return float(h / 3 * (y[0] + y[-1] + 4 * y[1:-1:2].sum() + 2 * y[2:-1:2].sum()))
