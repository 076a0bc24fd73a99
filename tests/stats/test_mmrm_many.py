"""Many fits at once: the 1,000 simulated tiny trials of the reference, and equality with one by one.

Source of the 1,000 trials: shared/reference/mmrm/tiny_sim_results_tight.csv.gz (R mmrm 0.3.18, tight).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import holdfast as hf
from holdfast.errors import CallError
from holdfast.stats.mmrm import MmrmDesign, refit

SAME = 1e-9  # issue 3: batch equals single to 1e-9
VISITS = ["BASE", "W12", "M6"]


def trial_design(n_hit: int = 18, n_mit: int = 17) -> MmrmDesign:
    people = [f"P{k:02d}" for k in range(n_hit + n_mit)]
    frame = pd.DataFrame(
        [(person, "HIT" if k < n_hit else "MIT", visit) for k, person in enumerate(people) for visit in VISITS],
        columns=["person", "arm", "visit"],
    )
    frame["arm"] = pd.Categorical(frame.arm, ["MIT", "HIT"])
    frame["visit"] = pd.Categorical(frame.visit, VISITS)
    return hf.mmrm_design("y ~ arm * visit", frame.assign(y=0.0), subject="person", visit="visit")


@pytest.fixture(scope="module")
def simulated(shared: Path) -> np.ndarray:
    """Outcomes (1000, 105): in each trial the 18 HIT people first."""
    folder = shared / "reference" / "mmrm"
    data = pd.read_csv(folder / "tiny_sim_data.csv.gz")
    out = np.full((1000, 35, 3), np.nan)
    people = data.drop_duplicates(["rep", "USUBJID"]).sort_values(["rep", "ARM"], kind="stable")
    people = people.assign(row=people.groupby("rep").cumcount())[["rep", "USUBJID", "row"]]
    data = data.merge(people, on=["rep", "USUBJID"])
    out[data.rep - 1, data.row, data.AVISIT.map({v: k for k, v in enumerate(VISITS)})] = data.Y
    return out.reshape(1000, -1)


@pytest.mark.parametrize(("df", "se"), [("satterthwaite", "sat"), ("kenward-roger", "krl")])
def test_a_thousand_simulated_trials(shared: Path, simulated: np.ndarray, df: str, se: str) -> None:
    """Unstructured: SAS's Kenward-Roger has no second derivatives, so R's "linear" column is its reference."""
    expected = pd.read_csv(shared / "reference" / "mmrm" / "tiny_sim_results_tight.csv.gz")
    fits = hf.mmrm_many(trial_design(), simulated, covariance="us", df=df, contrast="HIT - MIT", at=VISITS)
    assert fits.converged.all()
    assert fits.gradient.max() < 1e-8
    np.testing.assert_allclose(fits.loglik, expected.loglik, rtol=1e-12)
    for k, visit in enumerate(VISITS):
        np.testing.assert_allclose(fits.estimate[:, k], expected[f"est_{visit}"], rtol=1e-8)
        np.testing.assert_allclose(fits.se[:, k], expected[f"se_{se}_{visit}"], rtol=1e-8)
        np.testing.assert_allclose(fits.df[:, k], expected[f"df_{visit}"], rtol=1e-8)


def covariate_design(seed: int, n: int, group: bool, weights: bool) -> tuple[MmrmDesign, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "person": np.repeat(np.arange(n), 4),
            "visit": np.tile([1, 2, 3, 4], n),
            "arm": np.repeat(np.where(np.arange(n) % 2, "A", "B"), 4),
            "x": np.repeat(rng.normal(size=n), 4),
            "w": rng.uniform(0.5, 2, size=4 * n),
            "y": 0.0,
        }
    )
    design = hf.mmrm_design(
        "y ~ x * C(visit) + arm * C(visit)",
        frame,
        subject="person",
        visit="visit",
        group="arm" if group else None,
        weights="w" if weights else None,
    )
    root = np.linalg.cholesky(
        0.5 ** np.abs(np.subtract.outer(range(4), range(4))) * np.outer([1, 2, 2, 3], [1, 2, 2, 3])
    )
    outcomes = (rng.normal(size=(3, n, 4)) @ root.T).reshape(3, -1)
    outcomes[rng.uniform(size=outcomes.shape) < 0.15] = np.nan
    return design, outcomes


@pytest.mark.parametrize("covariance", ["us", "toep", "toeph", "ar1", "ar1h", "cs", "csh", "ad", "adh", "id", "idh"])
@pytest.mark.parametrize(("group", "weights", "df", "method"), [
    (False, False, "kenward-roger", "reml"),
    (True, False, "satterthwaite", "reml"),
    (False, True, "satterthwaite", "ml"),
])  # fmt: skip
def test_batch_equals_one_by_one(covariance: str, group: bool, weights: bool, df: str, method: str) -> None:
    design, outcomes = covariate_design(7, 60, group, weights)
    many = hf.mmrm_many(design, outcomes, covariance=covariance, df=df, method=method)
    assert many.converged.all(), many
    for b, y in enumerate(outcomes):
        one = refit(design, y, covariance=covariance, df=df, method=method)
        np.testing.assert_allclose(many.loglik[b], one.loglik, rtol=SAME)
        np.testing.assert_allclose(many.estimate[b], one.table.estimate, rtol=SAME, atol=1e-10)
        np.testing.assert_allclose(many.se[b], one.table.se, rtol=SAME)
        np.testing.assert_allclose(many.df[b], one.table.df, rtol=SAME)


def test_counts_are_copies_of_people() -> None:
    """A bootstrap sample given as counts is the data set in which the people are repeated."""
    design = trial_design(8, 8)
    rng = np.random.default_rng(3)
    y = rng.normal(size=16 * 3)
    draw = rng.integers(0, 16, size=16)
    counts = np.bincount(draw, minlength=16)[None]
    many = hf.mmrm_many(design, y, covariance="us", df="satterthwaite", contrast="HIT - MIT", at="M6", counts=counts)
    rows = np.concatenate([np.arange(3 * k, 3 * k + 3) for k in draw])
    frame = pd.DataFrame({"y": y[rows], "person": np.repeat(np.arange(16), 3)})
    frame["visit"] = pd.Categorical(np.tile(VISITS, 16), VISITS)
    frame["arm"] = pd.Categorical(np.repeat(np.where(draw < 8, "HIT", "MIT"), 3), ["MIT", "HIT"])
    one = hf.mmrm("y ~ arm * visit", frame, subject="person", visit="visit", covariance="us", df="satterthwaite")
    expected = one.contrast("HIT - MIT", at="M6").table.iloc[0]
    np.testing.assert_allclose(many.table.loc[0, ["estimate", "se", "df", "p"]].astype(float),
                               expected[["estimate", "se", "df", "p"]].astype(float), rtol=1e-8)  # fmt: skip


def test_threads_do_not_change_the_numbers() -> None:
    design = trial_design()
    y = np.random.default_rng(1).normal(size=(700, 105))
    asked = {"covariance": "us", "df": "kenward-roger", "contrast": "HIT - MIT", "change": ("W12", "M6")}
    one, two = hf.mmrm_many(design, y, **asked), hf.mmrm_many(design, y, jobs=2, **asked)
    np.testing.assert_array_equal(one.estimate, two.estimate)
    np.testing.assert_array_equal(one.se, two.se)


def test_a_hopeless_data_set_is_marked_and_does_not_harm_the_others() -> None:
    """Nobody seen at M6 in the second of three; the other two have the numbers they have without it."""
    design = trial_design()
    y = np.random.default_rng(2).normal(size=(3, 105))
    y[1, 2::3] = np.nan
    asked = {"covariance": "us", "df": "satterthwaite", "contrast": "HIT - MIT", "at": "W12"}
    fits = hf.mmrm_many(design, y, **asked)
    assert list(fits.converged) == [True, False, True]
    assert fits.problem[1] == "design is rank deficient"
    assert np.isnan(fits.estimate[1]).all()
    np.testing.assert_allclose(fits.estimate[[0, 2]], hf.mmrm_many(design, y[[0, 2]], **asked).estimate, rtol=SAME)


def test_large_data_sets_are_fitted_one_by_one_with_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice of engine changes no number beyond 1e-9, and marks a hopeless data set in the same words."""
    design, outcomes = covariate_design(9, 40, False, False)
    outcomes[1, 3::4] = np.nan
    asked = {"covariance": "us", "df": "kenward-roger", "L": np.eye(12)[8:]}
    batch = hf.mmrm_many(design, outcomes, **asked)
    monkeypatch.setattr("holdfast.stats.mmrm.many.DEAR", 0)
    alone = hf.mmrm_many(design, outcomes, **asked)
    np.testing.assert_allclose(alone.estimate, batch.estimate, rtol=SAME, atol=1e-10)
    np.testing.assert_allclose(alone.se, batch.se, rtol=SAME)
    assert list(alone.problem) == list(batch.problem) == ["", "design is rank deficient", ""]


def test_covariates_that_change_at_every_visit() -> None:
    """Too many features for sums to pay: single fits answer; a bootstrap by counts is refused in words."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"person": np.repeat(np.arange(200), 10), "visit": np.tile(np.arange(10), 200), "y": 0.0})
    for name in "abcdef":
        frame[name] = rng.normal(size=2000)
    design = hf.mmrm_design("y ~ (a + b + c + d + e + f) * C(visit)", frame, subject="person", visit="visit")
    y = rng.normal(size=(1, 2000))
    assert hf.mmrm_many(design, y, covariance="ar1", df="satterthwaite").converged.all()
    with pytest.raises(CallError, match="changes too much between visits"):
        hf.mmrm_many(design, y, covariance="ar1", df="none", counts=np.ones((1, 200)))


def test_refusals() -> None:
    design = trial_design()
    y = np.zeros((2, 105))
    with pytest.raises(CallError, match="the design has 105 rows"):
        hf.mmrm_many(design, y[:, :100], covariance="us", df="none")
    with pytest.raises(CallError, match="for many fits"):
        hf.mmrm_many(design, y, covariance="us", df="between-within")
    with pytest.raises(CallError, match="one by one"):
        hf.mmrm_many(design, y, covariance="sp_exp", df="none")
    with pytest.raises(CallError, match="data sets x people"):
        hf.mmrm_many(design, y, covariance="us", df="none", counts=np.ones((1, 35)))


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "kenward-roger-mmrm"])
@pytest.mark.parametrize("covariance", ["us", "toeph"])
def test_small_trials_with_many_gaps(covariance: str, df: str) -> None:
    """Sixteen people, four visits, a fifth missing: what has no optimum is marked, the rest agrees with single fits."""
    design, _ = covariate_design(1, 16, False, False)
    rng = np.random.default_rng(6)
    y = (rng.normal(size=(60, 16, 1)) + 0.5 * rng.normal(size=(60, 16, 4))).reshape(60, -1)
    y[rng.uniform(size=y.shape) < 0.2] = np.nan
    L = np.eye(12)[-3:]
    many = hf.mmrm_many(design, y, covariance=covariance, df=df, L=L)
    assert 0 < (~many.converged).sum() < 45
    assert np.isfinite(many.se[many.converged]).all()
    assert np.isnan(many.se[~many.converged]).all()
    for b in np.flatnonzero(many.converged)[:5]:
        one = refit(design, y[b], covariance=covariance, df=df).linear(L)
        np.testing.assert_allclose(many.estimate[b], one.estimate, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(many.se[b], one.se, rtol=1e-7)
