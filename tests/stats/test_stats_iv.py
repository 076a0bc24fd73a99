"""Instrumented dose against R ivreg, the vitamin A trial, and the definition of the Anderson-Rubin set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import DataError
from holdfast.stats.iv import anderson_rubin, instrumented_dose
from holdfast.stats.linear import ols

REFERENCE = 1e-7  # facts/statistics.md row 9


def test_vitamin_a() -> None:
    """Sommer & Zeger 1991: 74/11588 deaths without, 12/9675 among takers and 34/2419 among non-takers; .0032."""
    cells = [(0, 0, 74, 11588), (1, 1, 12, 9675), (1, 0, 34, 2419)]
    rows = [(arm, took, dead) for arm, took, d, n in cells for dead in [1] * d + [0] * (n - d)]
    data = pd.DataFrame(rows, columns=["arm", "took", "dead"])
    got = instrumented_dose("dead ~ 1", data, dose="took", arm="arm", contrast="1 - 0", robust="HC0")
    assert got.itt.estimate == pytest.approx(-0.00258237752, abs=REFERENCE)
    assert got.compliance.estimate == pytest.approx(0.7999834629, abs=REFERENCE)
    assert got.effect.estimate == pytest.approx(-0.003228038629, abs=REFERENCE)
    assert got.effect.se == pytest.approx(0.001159162928, abs=REFERENCE)
    assert got.effect.p == pytest.approx(0.005360302941, abs=REFERENCE)


def test_jobs(shared: Path) -> None:
    """reference/cace/reference.txt: R ivreg with 4 covariates, HC1, and ivmodel's Anderson-Rubin interval."""
    jobs = pd.read_csv(shared / "reference/mediation/jobs.csv")
    formula = "depress2 ~ econ_hard + sex + age + depress1"
    plain = instrumented_dose(formula, jobs, dose="comply", arm="treat", contrast="1 - 0", robust=None)
    assert plain.effect.estimate == pytest.approx(-0.07529586251, abs=REFERENCE)
    assert plain.effect.se == pytest.approx(0.0676211186, abs=REFERENCE)
    assert plain.strength == pytest.approx(492.28524, abs=1e-4)  # printed to five decimals
    assert plain.anderson_rubin.low == pytest.approx(-0.2085962569, abs=REFERENCE)
    assert plain.anderson_rubin.high == pytest.approx(0.0578780032, abs=REFERENCE)
    robust = instrumented_dose(formula, jobs, dose="comply", arm="treat", contrast="1 - 0")
    assert robust.effect.se == pytest.approx(0.06818816256, abs=REFERENCE)
    assert robust.effect.p == pytest.approx(0.26978797849, abs=REFERENCE)
    wald = instrumented_dose("depress2 ~ 1", jobs, dose="comply", arm="treat", contrast="1 - 0", robust=None)
    assert (wald.effect.estimate, wald.effect.se) == pytest.approx((-0.1021714063, 0.07441805186), abs=REFERENCE)


def _trial(strength: float, seed: int = 1, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    z = np.tile([0, 1], n // 2)
    hidden = rng.normal(size=n)
    sessions = 10 + strength * z + hidden + rng.normal(size=n)
    y = 40 - 0.5 * sessions + 3 * hidden + rng.normal(size=n)
    return pd.DataFrame({"arm": np.where(z == 1, "HIT", "MIT"), "sessions": sessions, "y": y})


def test_effect_is_itt_over_compliance() -> None:
    """Derivation: with one instrument two-stage least squares is the ratio of the two reduced forms."""
    got = instrumented_dose("y ~ 1", _trial(6), dose="sessions", arm="arm")
    assert got.effect.estimate == pytest.approx(got.itt.estimate / got.compliance.estimate, rel=1e-10)


@pytest.mark.parametrize(("strength", "kind"), [(6.0, "bounded"), (0.05, None)])
def test_anderson_rubin_limits_are_where_the_test_turns(strength: float, kind: str | None) -> None:
    """Derivation: at a limit b the arm's p value for y - b * dose equals 0.05."""
    data = _trial(strength)
    z = (data["arm"] == "HIT").to_numpy(float)
    X = np.ones((len(z), 1))
    got = anderson_rubin(data["y"].to_numpy(), data["sessions"].to_numpy(), z, X, level=0.95)
    assert got.kind == kind or (kind is None and got.kind in ("everything", "outside"))
    if kind == "bounded":
        for b in (got.low, got.high):
            fit = ols(np.column_stack([z, X]), (data["y"] - b * data["sessions"]).to_numpy())
            t = fit.beta[0] / np.sqrt(fit.covariance[0, 0])
            assert abs(t) == pytest.approx(2.0017174, abs=1e-6)  # t quantile 0.975 with 58 df (scipy.stats.t)


def test_a_weak_instrument_is_said() -> None:
    text = str(instrumented_dose("y ~ 1", _trial(0.3), dose="sessions", arm="arm"))
    assert "the instrument is weak" in text


def test_no_difference_in_dose_is_refused() -> None:
    with pytest.raises(DataError, match="same sessions"):
        instrumented_dose("y ~ 1", _trial(1).assign(sessions=24.0), dose="sessions", arm="arm")
    with pytest.raises(DataError, match="no instrument"):
        instrumented_dose("y ~ 1", _trial(1).query("arm == 'HIT'"), dose="sessions", arm="arm")
