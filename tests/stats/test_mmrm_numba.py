"""The numba engine of many fits: the numbers of numpy's, and in words what it does not do.

Expected numbers are those of the numpy engine, which the other tests hold against R and SAS. Nothing here runs where
numba is not installed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import holdfast as hf
from holdfast.errors import CallError
from holdfast.stats.mmrm import MmrmDesign

pytest.importorskip("numba")  # an extra: pip install 'holdfast[fast]'

SAME = 1e-9  # issue 3: engines agree to 1e-9; both stop at gradients below 1e-10


def trial_design(n: int, visits: int, *, group: bool = False) -> MmrmDesign:
    frame = pd.DataFrame(
        {
            "person": np.repeat(np.arange(n), visits),
            "visit": np.tile(np.arange(visits), n),
            "arm": np.repeat(np.where(np.arange(n) % 2, "A", "B"), visits),
            "x": np.repeat(np.random.default_rng(8).normal(size=n), visits),
            "w": np.random.default_rng(9).uniform(0.5, 2, size=visits * n),
            "y": 0.0,
        }
    )
    return hf.mmrm_design("y ~ x + arm * C(visit)", frame, subject="person", visit="visit", weights="w",
                          group="arm" if group else None)  # fmt: skip


def simulated(sets: int, n: int, visits: int, missing: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    y = (rng.normal(size=(sets, n, 1)) + rng.normal(size=(sets, n, visits))).reshape(sets, -1)
    y[rng.uniform(size=y.shape) < missing] = np.nan
    return y


def assert_same(fast: hf.ManyFits, plain: hf.ManyFits) -> None:
    assert (fast.engine, plain.engine) == ("numba", "numpy")
    assert list(fast.problem) == list(plain.problem)
    np.testing.assert_array_equal(fast.iterations, plain.iterations)
    np.testing.assert_allclose(fast.loglik, plain.loglik, rtol=SAME)
    np.testing.assert_allclose(fast.theta, plain.theta, rtol=SAME, atol=1e-9)  # a covariance may be near zero
    np.testing.assert_allclose(fast.estimate, plain.estimate, rtol=SAME, atol=1e-10)
    np.testing.assert_allclose(fast.se, plain.se, rtol=SAME)
    np.testing.assert_allclose(fast.df, plain.df, rtol=1e-7)  # df divides by a small curvature


@pytest.mark.parametrize(("covariance", "df", "method"), [
    ("us", "kenward-roger", "reml"),
    ("us", "satterthwaite", "ml"),
    ("us", "kenward-roger-linear", "reml"),
    ("us", "kenward-roger-mmrm", "reml"),
    ("toep", "kenward-roger", "reml"),
    ("cs", "satterthwaite", "reml"),
    ("id", "residual", "ml"),
    ("idh", "none", "reml"),
])  # fmt: skip
def test_engines_agree(covariance: str, df: str, method: str) -> None:
    """Covariate, weights, gaps, more than one chunk of work, threads."""
    design, y = trial_design(40, 4), simulated(70, 40, 4, 0.15)
    asked = {"covariance": covariance, "df": df, "method": method, "contrast": "A - B", "at": ["1", "3"]}
    plain = hf.mmrm_many(design, y, **asked)
    assert plain.converged.all()
    assert_same(hf.mmrm_many(design, y, engine="numba", jobs=2, **asked), plain)


def test_engines_agree_on_tiny_trials_and_on_what_has_no_answer() -> None:
    """Sixteen people with many gaps: steps are halved, Hessians indefinite, and some likelihoods have no optimum."""
    design, y = trial_design(16, 3), simulated(200, 16, 3, 0.25)
    y[0, 2::3] = np.nan  # nobody at the last visit
    asked = {"covariance": "us", "df": "kenward-roger", "contrast": "A - B", "at": "2"}
    fast, plain = hf.mmrm_many(design, y, engine="numba", **asked), hf.mmrm_many(design, y, **asked)
    assert fast.problem[0] == "design is rank deficient"
    both = fast.converged & plain.converged
    assert both.sum() > 150
    assert (fast.converged == plain.converged).all()
    np.testing.assert_allclose(fast.estimate[both], plain.estimate[both], rtol=1e-7, atol=1e-8)  # flat likelihoods
    np.testing.assert_allclose(fast.se[both], plain.se[both], rtol=1e-7)
    assert np.isnan(fast.se[~both]).all()


def test_counts_and_the_text() -> None:
    design, y = trial_design(30, 3), simulated(1, 30, 3, 0.1)
    counts = np.random.default_rng(2).multinomial(30, np.full(30, 1 / 30), size=20)
    asked = {"covariance": "us", "df": "satterthwaite", "contrast": "A - B", "at": "2", "counts": counts}
    fast = hf.mmrm_many(design, np.repeat(y, 20, 0), engine="numba", **asked)
    assert_same(fast, hf.mmrm_many(design, np.repeat(y, 20, 0), **asked))
    assert str(fast).startswith("20 fits of one design by numba")


@pytest.mark.parametrize(("covariance", "group"), [("ar1", False), ("toeph", False), ("us", True)])
def test_other_structures_are_refused(covariance: str, group: bool) -> None:
    with pytest.raises(CallError, match="us, toep, cs, id, idh, without group="):
        hf.mmrm_many(trial_design(10, 3, group=group), np.zeros((2, 30)), covariance=covariance, df="none",
                     engine="numba")  # fmt: skip


def test_an_unknown_engine_and_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    design = trial_design(10, 3)
    with pytest.raises(CallError, match="it can be: numpy, numba"):
        hf.mmrm_many(design, np.zeros((2, 30)), covariance="us", df="none", engine="jax")
    monkeypatch.setattr("holdfast.stats.mmrm.many.find_spec", lambda name: None)
    with pytest.raises(CallError, match="needs numba"):
        hf.mmrm_many(design, np.zeros((2, 30)), covariance="us", df="none", engine="numba")
