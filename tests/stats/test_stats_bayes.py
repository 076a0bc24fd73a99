"""Bayesian answers against quadrature and conjugate algebra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from holdfast.errors import CallError, DataError
from holdfast.stats.ancova import ancova
from holdfast.stats.bayes import bayesian_mmrm, flat_prior, hierarchical_normal, normal_prior
from holdfast.stats.estimates import wald
from holdfast.stats.imputation import conditional_mean

ANALYTIC = 1e-6  # facts/statistics.md row 14


Y = np.array([28, 8, -3, 7, -1, 1, 18, 12.0])
S = np.array([15, 10, 16, 11, 9, 11, 10, 18.0])


def test_eight_schools() -> None:
    """Rubin 1981 data (BDA3, table 5.2) under flat priors: adaptive quadrature of the same posterior by scipy.

    facts/statistics.md row 14 prints 7.932362 (5.178339) and 6.575144: these are what a plain sum over tau = 0, 0.001,
    0.002, ... gives (7.9323623, 6.5751446), which counts the edge at 0 in full: hence a tolerance of half a step.
    """
    got = hierarchical_normal(Y, S)

    def integral(power: int, moment: int) -> float:
        def inside(tau: float) -> float:
            v = S**2 + tau**2
            precision = (1 / v).sum()
            mu = (Y / v).sum() / precision
            height = 1e12 * np.prod(v**-0.5) * precision**-0.5 * np.exp(-0.5 * ((Y - mu) ** 2 / v).sum())
            return float(height * tau**power * (1.0, mu, mu**2 + 1 / precision)[moment])

        return float(
            quad(inside, 0, 30, epsabs=0, epsrel=1e-11)[0] + quad(inside, 30, np.inf, epsabs=0, epsrel=1e-9)[0]
        )

    one = integral(0, 0)
    mu = integral(0, 1) / one
    assert got.mu == pytest.approx(mu, abs=ANALYTIC)
    assert got.mu_sd == pytest.approx(np.sqrt(integral(0, 2) / one - mu**2), abs=ANALYTIC)
    assert got.tau == pytest.approx(integral(1, 0) / one, abs=ANALYTIC)
    printed = (7.932362, 5.178339, 6.575144, 11.400070, 8.341295)
    found = (got.mu, got.mu_sd, got.tau, got.theta[0], got.theta_sd[0])
    assert found == pytest.approx(printed, abs=5e-4)
    with pytest.raises(DataError, match="four or more"):
        hierarchical_normal(Y[:3], S[:3])


def test_ancova_of_the_headache_trial(shared: Path) -> None:
    """facts/statistics.md row 14: t(298; -4.586841, 1.251772), Pr(<0) .9998532; N(0, 2.5^2): -3.667392 (1.119301)."""
    data = pd.read_csv(shared / "data/acupuncture_headache_2004/acupuncture.csv")
    row = ancova("pk5 ~ group + pk1", data, arm="group", contrast="1 - 0").declared
    assert row is not None
    flat = flat_prior(row)
    assert flat.mean == pytest.approx(-4.586841, abs=ANALYTIC)
    assert flat.below_zero == pytest.approx(0.9998532, abs=1e-7)
    assert (flat.low, flat.high) == pytest.approx((row.low, row.high))
    sceptical = normal_prior(row, sd=2.5)
    assert (sceptical.mean, sceptical.sd) == pytest.approx((-3.667392, 1.119301), abs=ANALYTIC)
    assert "sd 2.50" in str(sceptical)


def test_a_wide_prior_changes_nothing() -> None:
    """Derivation: as the prior's sd grows the posterior becomes the estimate."""
    row = wald("x", 3.0, 1.5)
    got = normal_prior(row, mean=-40, sd=1e6)
    assert (got.mean, got.sd) == pytest.approx((3.0, 1.5), rel=1e-9)
    with pytest.raises(CallError, match="positive"):
        normal_prior(row, sd=0)


def test_mixed_model_by_gibbs(shared: Path) -> None:
    """Flat priors: the posterior mean is near the REML estimate 2.8018 (SAS Bayesian imputation: 2.795, SE 1.114)."""
    data = pd.read_csv(shared / "data/antidepressant_rbmi/antidepressant_data.csv")
    columns = {"arm": "THERAPY", "covariates": ["BASVAL"], "subject": "PATIENT", "visit": "VISIT", "value": "CHANGE"}
    got = bayesian_mmrm(data, contrast="PLACEBO - DRUG", seed=1, **columns)  # type: ignore[arg-type]
    reml = conditional_mean(data, contrast="PLACEBO - DRUG", **columns).at()  # type: ignore[arg-type]
    error = 4 * got.sd / np.sqrt(4000)
    assert got.mean == pytest.approx(reml.estimate, abs=error)
    assert got.sd == pytest.approx(1.12, rel=0.03)
    assert got.below_zero < 0.02
