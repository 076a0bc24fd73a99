"""Closed-form sample sizes against base R, pwr, longpower, rpact and printed tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from holdfast.errors import CallError
from holdfast.stats.power import (
    ancova_sample_size,
    mmrm_sample_size,
    non_inferiority_sample_size,
    pre_post_factor,
    slope_sample_size,
    t_power,
    t_sample_size,
    time_average_sample_size,
    two_arm_size,
    two_stage,
)

TOLERANCE = 1e-4  # facts/statistics.md row 12
EXCHANGEABLE = np.full((4, 4), 0.25) + 0.75 * np.eye(4)


def test_t_test() -> None:
    """reference/power/reference.txt: power.t.test counts one tail (strict = FALSE), pwr.t2n.test both."""
    one = {"sides": 1, "alpha": 0.025}
    assert t_power(20, 1, **one) == pytest.approx(0.8689528017, abs=1e-9)  # type: ignore[arg-type]
    assert t_power(17.5, 1, **one) == pytest.approx(0.8188546646, abs=1e-9)  # type: ignore[arg-type]
    assert t_power(18, 0.95, **one) == pytest.approx(0.7906623619, abs=1e-9)  # type: ignore[arg-type]
    assert t_sample_size(0.5, **one) == pytest.approx(63.76576371, abs=1e-6)  # type: ignore[arg-type]
    assert t_sample_size(1, power=0.9, **one) == pytest.approx(22.0210977, abs=1e-5)  # type: ignore[arg-type]
    assert t_power(18, 1, n2=17) == pytest.approx(0.8185466538, abs=1e-9)


@pytest.mark.parametrize(("rho", "n"), [(0, 63.77342662), (0.3, 58.1244522), (0.5, 48.08314529), (0.7, 33.02739049)])
def test_ancova(rho: float, n: float) -> None:
    """reference/power/reference.txt: noncentral t with N - 3 df (Borm et al. 2007)."""
    assert ancova_sample_size(0.5, rho) == pytest.approx(n, abs=1e-6)


def test_frison_and_pocock() -> None:
    """Frison & Pocock 1992, variance factors as tabulated in reference/power/reference.txt."""
    table = {
        (1, 1, 0.5): (1, 1, 0.75),
        (1, 2, 0.7): (0.85, 0.45, 0.36),
        (2, 2, 0.6): (0.8, 0.4, 0.35),
        (1, 3, 0.7): (0.8, 0.4, 0.31),
    }
    for (pre, post, rho), want in table.items():
        got = [pre_post_factor(m, pre, post, rho) for m in ("post", "change", "ancova")]  # type: ignore[arg-type]
        assert got == pytest.approx(want)


def test_mixed_model_with_dropout() -> None:
    """R longpower power.mmrm (Lu, Luo & Chen 2008): exchangeable .25, retention 1/.9/.8/.7; and a two-visit case."""
    assert mmrm_sample_size(0.5, EXCHANGEABLE, [1, 0.9, 0.8, 0.7])[0] == pytest.approx(86.99175039, abs=1e-7)
    both = mmrm_sample_size(0.5, EXCHANGEABLE, [1, 0.9, 0.8, 0.7], allocation=2)
    assert both == pytest.approx((130.4876256, 65.24381279), abs=1e-6)
    two = np.array([[1.0, 0.6], [0.6, 1.0]])
    assert mmrm_sample_size(0.8, two, [0.9, 0.8])[0] == pytest.approx(29.433299, abs=1e-6)
    # Lu, Luo & Chen 2008, table 1, first row: phi 1 and 1, power .9, delta .5
    total = 2 * two_arm_size(0.5, 1, 1, allocation=1, sd=1, power=0.9, alpha=0.05)
    assert total == pytest.approx(168.1188, abs=TOLERANCE)


def test_slopes_of_diggle() -> None:
    """Diggle, Heagerty, Liang & Zeger 2002, p. 29: people per group (one-sided .05, power .8, d = .5, x = 0, 2, 5)."""
    table = {0.2: (313, 625, 938), 0.5: (196, 391, 586), 0.8: (79, 157, 235)}
    for rho, want in table.items():
        got = [
            math.ceil(slope_sample_size(0.5, [0, 2, 5], variance=v, correlation=rho, sides=1)) for v in (100, 200, 300)
        ]
        assert tuple(got) == want


def test_time_average_is_one_visit_when_visits_repeat() -> None:
    """Derivation: correlation 1 makes m visits worth one; correlation 0 worth m."""
    one = time_average_sample_size(0.5, 1, correlation=0.3)
    assert time_average_sample_size(0.5, 4, correlation=1.0) == pytest.approx(one)
    assert time_average_sample_size(0.5, 4, correlation=0.0) == pytest.approx(one / 4)


def test_non_inferiority_and_two_stages() -> None:
    """R rpact: d = .5 total 127.5315684; O'Brien-Fleming-type spending, k = 2: 2.962588, 1.968596, max N 128.0066;
    non-inferiority margin .3: 350.7701932."""
    fixed = 2 * t_sample_size(0.5, sides=1, alpha=0.025)
    assert fixed == pytest.approx(127.5315684, abs=TOLERANCE)
    assert 2 * non_inferiority_sample_size(0.3) == pytest.approx(350.7701932, abs=TOLERANCE)
    first, second, inflation = two_stage()
    assert (first, second) == pytest.approx((2.962588, 1.968596), abs=1e-6)
    assert fixed * inflation == pytest.approx(128.0066, abs=TOLERANCE)


def test_impossible_requests() -> None:
    with pytest.raises(CallError, match="power is 80"):
        t_sample_size(0.5, power=80)
    with pytest.raises(CallError, match="effect zero"):
        t_sample_size(0.0)
    with pytest.raises(CallError, match="retention"):
        mmrm_sample_size(0.5, EXCHANGEABLE, [0.7, 0.8, 0.9, 1.0])
    with pytest.raises(CallError, match="margin"):
        non_inferiority_sample_size(0)
