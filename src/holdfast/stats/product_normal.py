"""Distribution of the product of two normal estimates."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from holdfast.stats.estimates import check_level

REACH = 9.0  # standard deviations integrated over; the mass outside is below 1e-18


@cache
def _rule() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(400)
    return nodes, weights


def product_cdf(z: float, a: float, b: float, se_a: float, se_b: float, *, rho: float = 0.0) -> float:
    """P(AB <= z) for A ~ N(a, se_a^2), B ~ N(b, se_b^2) with correlation rho (eq:product-normal)."""
    zero = -a / se_a  # the integrand turns where A changes sign, so the range is cut there
    cuts = [-REACH, *([zero] if -REACH < zero < REACH else []), REACH]
    total = 0.0
    nodes, weights = _rule()
    for low, high in itertools.pairwise(cuts):
        x = low + (high - low) * (nodes + 1) / 2
        value = a + se_a * x
        inner = (z / value - b - rho * se_b * x) / (se_b * math.sqrt(1 - rho**2))
        chance = np.where(value > 0, stats.norm.cdf(inner), stats.norm.sf(inner))
        total += float(np.sum(weights * stats.norm.pdf(x) * chance)) * (high - low) / 2
    return total


def product_interval(
    a: float, b: float, se_a: float, se_b: float, *, rho: float = 0.0, level: float = 0.95
) -> tuple[float, float]:
    """Equal-tailed limits of the product of two normal estimates (MacKinnon 2007; eq:product-normal)."""
    tail = (1 - check_level(level)) / 2
    mean = a * b + rho * se_a * se_b
    sd = math.sqrt(a**2 * se_b**2 + b**2 * se_a**2 + 2 * a * b * rho * se_a * se_b + (1 + rho**2) * (se_a * se_b) ** 2)

    def limit(p: float) -> float:
        return float(
            optimize.brentq(
                lambda z: product_cdf(z, a, b, se_a, se_b, rho=rho) - p, mean - 12 * sd, mean + 12 * sd, xtol=1e-10 * sd
            )
        )

    return limit(tail), limit(1 - tail)
