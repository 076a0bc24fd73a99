"""A random intercept of sites beside the repeated part.

Source: R 4.2.2 with lme4 1.1-31, lmerTest 3.1-3 (y ~ arm * visit + (1 | site) + (1 | id), REML, whose marginal model is
compound symmetry plus a site intercept) and nlme 3.1-162 (lme, random ~ 1 | site/id, corSymm, varIdent, whose marginal
model is unstructured plus a site intercept), on the simulated trial below. lmerTest differentiates numerically: 1e-6.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import holdfast as hf
from holdfast.errors import CallError, DataError, Unidentifiable
from holdfast.stats.mmrm import mmrm_design
from holdfast.stats.mmrm.likelihood import evaluate
from holdfast.stats.mmrm.prepare import prepare

VISITS = ["v1", "v2", "v3"]


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    """Sixty simulated people at six sites."""
    rng = np.random.default_rng(11)
    n, m = 60, 3
    site = rng.choice(list("abcdef"), n)
    effect = {s: 3 * rng.normal() for s in "abcdef"}
    person = rng.normal(size=n) * 4
    y = 40 + person[:, None] + np.array([effect[s] for s in site])[:, None] + 5 * rng.normal(size=(n, m))
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n), m),
            "site": np.repeat(site, m),
            "visit": pd.Categorical(np.tile(VISITS, n), VISITS),
            "arm": np.repeat(np.where(np.arange(n) % 2, "B", "A"), m),
            "y": y.ravel().round(4),
        }
    )
    frame.loc[rng.uniform(size=len(frame)) < 0.1, "y"] = np.nan
    return frame


def fit(frame: Any, **asked: Any) -> Any:
    options = {"subject": "id", "visit": "visit", "covariance": "cs", "df": "satterthwaite", "random": "site"} | asked
    return hf.mmrm("y ~ arm * visit", frame, **options)


def test_compound_symmetry_and_a_site_are_two_random_intercepts(trial: pd.DataFrame) -> None:
    model = fit(trial)
    assert model.loglik == pytest.approx(-506.489821647, abs=1e-8)
    theta = model.theta
    assert theta["covariance"] == pytest.approx(12.70393654206, rel=2e-6)  # the person's intercept
    assert theta["intercept(site)"] == pytest.approx(6.09918279329, rel=2e-6)
    assert theta["variance"] - theta["covariance"] == pytest.approx(22.31149595694, rel=2e-6)
    expected = [
        (42.067433844976, 1.54136053154, 13.6973132299),
        (-1.189471779796, 1.62280120577, 123.6898036978),
        (-1.766289201083, 1.29882354818, 102.3526181116),
        (-2.213749689769, 1.34175043850, 106.5676040352),
        (0.539827064725, 1.81124977701, 102.1671988631),
        (2.375808328723, 1.85637456466, 104.2280362874),
    ]
    np.testing.assert_allclose(model.table[["estimate", "se", "df"]], expected, rtol=3e-6)
    assert model.n_subjects == 60


def test_unstructured_and_a_site(trial: pd.DataFrame) -> None:
    """nlme's optimiser stops 1.2e-8 short of the maximum."""
    assert -1e-9 < fit(trial, covariance="us").loglik - -504.960176116 < 1e-7


@pytest.mark.parametrize("covariance", ["us", "ar1h", "toeph"])
def test_gradient_and_hessian(trial: pd.DataFrame, covariance: str) -> None:
    """Central differences away from the optimum."""
    made = prepare(mmrm_design("y ~ arm * visit", trial, subject="id", visit="visit", random="site"), covariance)
    theta = made.start * 1.1
    point = evaluate(theta, made.data, made.structure, reml=True)
    assert point is not None
    for h, step in enumerate(1e-5 * made.structure.scale(theta)):
        ends = [
            evaluate(theta + s * step * np.eye(len(theta))[h], made.data, made.structure, reml=True) for s in (1, -1)
        ]
        up, down = (end for end in ends if end is not None)
        assert -(up.loglik - down.loglik) / step == pytest.approx(point.gradient[h], rel=1e-5, abs=1e-6)
        np.testing.assert_allclose((up.gradient - down.gradient) / (2 * step), point.hessian[h], rtol=1e-4, atol=1e-6)


def test_robust_covariance_has_sites_as_clusters(trial: pd.DataFrame) -> None:
    """CR0 by brute force from the whole covariance matrix of all outcomes."""
    model = fit(trial, robust="CR0")
    design, theta = model.design, model.theta
    seen = design.observed
    person, site = design.subject[seen], design.cluster[seen]
    V = (
        theta["intercept(site)"] * (site[:, None] == site)
        + theta["covariance"] * (person[:, None] == person)
        + (theta["variance"] - theta["covariance"]) * np.eye(seen.sum())
    )
    X, Vi = design.X[seen], np.linalg.inv(V)
    phi = np.linalg.inv(X.T @ Vi @ X)
    weighted = X * (Vi @ (design.y[seen] - X @ model.beta))[:, None]
    score = np.stack([weighted[site == s].sum(0) for s in range(6)])
    np.testing.assert_allclose(model.vcov, phi @ score.T @ score @ phi, rtol=1e-7, atol=1e-10)


def test_simulated_people_of_one_site_are_alike(trial: pd.DataFrame) -> None:
    """20,000 draws: the covariance between two people of one site is the intercept's variance, within 4 MC errors."""
    model = fit(trial)
    drawn = model.simulate(20_000, seed=4)
    one, other = np.flatnonzero(model.design.cluster == 0)[[0, -1]]
    expected = model.theta["intercept(site)"]
    error = (model.theta["variance"] + expected) / np.sqrt(20_000)
    assert np.cov(drawn[:, one], drawn[:, other])[0, 1] == pytest.approx(expected, abs=4 * error)


def test_an_intercept_below_zero_is_told(trial: pd.DataFrame) -> None:
    """Sites shuffled so that each holds the extremes: people of one site are less alike than others."""
    means = trial.groupby("id").y.mean().rank(method="first")
    sites = trial.assign(site=trial.id.map(lambda k: "abcdef"[int(means[k] - 1) % 6]))
    model = fit(sites)
    assert model.theta["intercept(site)"] < 0
    assert any("below zero" in note for note in model.notes)
    with pytest.raises(CallError, match="no intercept to draw"):
        model.simulate(1, seed=1)


def test_refusals(trial: pd.DataFrame) -> None:
    with pytest.raises(Unidentifiable, match="has 2 levels"):
        fit(trial.assign(site=np.where(trial.id < 30, "a", "b")))
    with pytest.raises(DataError, match="changes within a person"):
        fit(trial.assign(site=trial.visit))
    with pytest.raises(CallError, match="do not go together"):
        fit(trial.assign(w=1.0), weights="w")
    with pytest.raises(CallError, match="not defined beside a random intercept"):
        fit(trial, df="between-within")
    design = mmrm_design("y ~ arm * visit", trial, subject="id", visit="visit", random="site")
    with pytest.raises(CallError, match="no random intercept"):
        hf.mmrm_many(design, design.y, covariance="us", df="none")
