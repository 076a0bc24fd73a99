"""What one asks of a fit: contrasts in words, means, tests of terms, multiplicity, predictions, residuals, criteria.

Reference values: shared/reference/mmrm (R mmrm 0.3.18 tight fits, emmeans 1.8.4.1). 1e-8 relative as in
test_mmrm_reference.py; identities to rounding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import holdfast as hf
from holdfast.errors import CallError
from holdfast.stats.mmrm.multiplicity import hochberg, holm
from holdfast.stats.mmrm.mvt import equicoordinate

TIGHT = 1e-8
VISITS = ["VIS1", "VIS2", "VIS3", "VIS4"]
MAIN = "FEV1 ~ FEV1_BL + RACE + SEX + ARMCD * AVISIT"


@pytest.fixture(scope="module")
def fev(shared: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared / "data" / "mmrm" / "fev_data.csv")
    frame["SEX"] = pd.Categorical(frame.SEX, ["Male", "Female"])
    return frame


def fit(frame: Any, formula: str = MAIN, **asked: Any) -> Any:
    options = {"covariance": "us", "df": "satterthwaite", "subject": "USUBJID", "visit": "AVISIT"} | asked
    return hf.mmrm(formula, frame, visit_order=VISITS, **options)


@pytest.fixture(scope="module")
def main(fev: pd.DataFrame) -> Any:
    return fit(fev)


# contrasts ---------------------------------------------------------------------------------------------------------


def test_a_change_is_the_difference_of_two_contrasts(main: Any) -> None:
    both = main.contrast("TRT - PBO", at=["VIS2", "VIS4"])
    moved = main.contrast("TRT - PBO", change=("VIS2", "VIS4"))
    assert moved.estimate[0] == pytest.approx(both.estimate[1] - both.estimate[0], rel=1e-12)
    assert moved.se[0] ** 2 == pytest.approx(both.vcov[0, 0] + both.vcov[1, 1] - 2 * both.vcov[0, 1], rel=1e-12)


def test_a_change_within_an_arm_and_between_arms_agree(main: Any) -> None:
    within = main.change(["TRT", "PBO"], change=("VIS1", "VIS4"))
    between = main.contrast("TRT - PBO", change=("VIS1", "VIS4"))
    assert within.estimate[0] - within.estimate[1] == pytest.approx(between.estimate[0], rel=1e-12)
    assert list(within.table.columns[:2]) == ["ARMCD", "change"]


def test_order_of_the_levels_is_the_sign(main: Any) -> None:
    forth, back = main.contrast("TRT - PBO", at="VIS4"), main.contrast("PBO - TRT", at="VIS4")
    assert forth.estimate[0] == pytest.approx(-back.estimate[0], rel=1e-13)
    assert forth.p[0] == pytest.approx(back.p[0], rel=1e-12)


def test_a_contrast_is_a_sentence_and_a_table(main: Any) -> None:
    answer = main.contrast("TRT - PBO", at="VIS4")
    assert list(answer.table.columns) == ["contrast", "at", "estimate", "se", "df", "low", "high", "t", "p"]
    assert str(answer) == "TRT - PBO, at VIS4: 4.40 (95% CI 1.12 to 7.69, SE 1.66, df 132.9, p = 0.009)"
    assert str(main.contrast("TRT - PBO", change=("VIS1", "VIS4"))).startswith("TRT - PBO, change VIS1 to VIS4: 0.420")
    assert str(main.contrast("TRT - PBO")).startswith("TRT - PBO, over all visits: 3.83")


def test_joint_f_of_one_row_is_t_squared(main: Any) -> None:
    answer = main.contrast("TRT - PBO", at="VIS4")
    F, num, den = answer.joint
    assert (F, num, den) == pytest.approx((answer.t[0] ** 2, 1, answer.df[0]), rel=1e-10)
    assert answer.joint_p == pytest.approx(answer.p[0], rel=1e-8)


def test_redundant_rows_do_not_inflate_the_joint_test(fev: pd.DataFrame) -> None:
    """All three pairs of races have two independent differences: F and df are those of the term."""
    answer = fit(fev, "FEV1 ~ RACE + AVISIT", df="kenward-roger").contrast(
        ["Asian - White", "Asian - Black or African American", "Black or African American - White"]
    )
    assert answer.joint.num_df == 2
    term = fit(fev, "FEV1 ~ RACE + AVISIT", df="kenward-roger").tests("III").set_index("term").loc["RACE"]
    assert tuple(answer.joint) == pytest.approx((term.F, term.num_df, term.den_df), rel=1e-9)


def test_kenward_roger_f_does_not_depend_on_how_the_rows_are_written(fev: pd.DataFrame) -> None:
    model = fit(fev, df="kenward-roger")
    L = np.eye(12)[9:12]
    mixed = np.array([[1.0, 2, 0], [0, 1, -1], [3, 0, 1]]) @ L
    assert model.linear(L).joint == pytest.approx(model.linear(mixed).joint, rel=1e-9)


def test_an_unknown_contrast_lists_the_factors(main: Any) -> None:
    with pytest.raises(CallError, match="ARMCD: PBO, TRT"):
        main.contrast("HIT - MIT", at="VIS4")
    with pytest.raises(CallError, match="not a visit of this fit"):
        main.contrast("TRT - PBO", at="FU")
    with pytest.raises(CallError, match="not both"):
        main.contrast("TRT - PBO", at="VIS4", change=("VIS1", "VIS4"))
    with pytest.raises(CallError, match="two different visits"):
        main.contrast("TRT - PBO", change=("VIS1", "VIS1"))


# means -------------------------------------------------------------------------------------------------------------


def test_counterfactual_means_count_that_people_are_a_sample(main: Any, fev: pd.DataFrame) -> None:
    """Mean of the predictions, and the variance of a mean of n predictions added to the model's (eq:mmrm-gcomp)."""
    answer = main.means(["ARMCD"], weights="counterfactual", at={"AVISIT": "VIS4"})
    people = fev.drop_duplicates("USUBJID")
    for k, arm in enumerate(("PBO", "TRT")):
        rows = main.predict(people.assign(ARMCD=arm, AVISIT="VIS4", FEV1=np.nan), given="covariates").estimate
        assert answer.estimate[k] == pytest.approx(rows.mean(), rel=1e-12)
        model = answer.L[k] @ main.vcov @ answer.L[k]
        assert answer.se[k] ** 2 == pytest.approx(model + rows.var(ddof=1) / len(people), rel=1e-10)


def test_counterfactual_contrast_without_interaction_is_the_plain_one(main: Any) -> None:
    plain = main.contrast("TRT - PBO", at="VIS4")
    standardised = main.contrast("TRT - PBO", at="VIS4", weights="counterfactual")
    assert standardised.se[0] == pytest.approx(plain.se[0], rel=1e-9)
    assert standardised.df[0] == pytest.approx(plain.df[0], rel=1e-9)


def test_joint_test_of_counterfactual_contrasts_counts_the_sample_too(fev: pd.DataFrame) -> None:
    """One row: F is t squared with the same df; a repeated row adds no degree of freedom."""
    model = fit(fev, "FEV1 ~ FEV1_BL * ARMCD * AVISIT")
    one = model.contrast("TRT - PBO", at="VIS4", weights="counterfactual")
    assert tuple(one.joint) == pytest.approx((one.t[0] ** 2, 1, one.df[0]), rel=1e-10)
    assert one.se[0] > model.contrast("TRT - PBO", at="VIS4").se[0]
    twice = model.contrast("TRT - PBO", at=["VIS4", "VIS4"], weights="counterfactual")
    assert twice.joint.num_df == 1


def test_counterfactual_means_refuse_what_changes_between_visits(fev: pd.DataFrame) -> None:
    with pytest.raises(CallError, match="changes between visits"):
        fit(fev, "FEV1 ~ WEIGHT + ARMCD * AVISIT").means("ARMCD", weights="counterfactual", at={"AVISIT": "VIS1"})


# tests of terms ----------------------------------------------------------------------------------------------------

DF = {"sat": "satterthwaite", "krl": "kenward-roger-linear", "kr": "kenward-roger-mmrm",
      "bw": "between-within", "res": "residual"}  # fmt: skip


@pytest.mark.parametrize(
    "fit_id",
    ["fev_us_reml_sat", "fev_us_reml_krl", "fev_us_reml_kr", "fev_us_reml_bw", "fev_us_reml_res", "fev_us_ml_sat",
     "fev_us_reml_sat_cr0", "fev_us_reml_sat_cr2", "fev_us_reml_sat_cr3", "fev_toeph_reml_krl", "fev_adh_reml_sat",
     "fevblvis_us_reml_sat", "fevanova1", "fevanova2", "fevanova3"],
)  # fmt: skip
def test_type_2_and_3_tests(shared: Path, fev: pd.DataFrame, fit_id: str) -> None:
    """car::Anova for II; III with contr.sum (fev_anova, extra_anova)."""
    folder = shared / "reference" / "mmrm"
    expected = pd.concat([pd.read_csv(folder / "fev_anova.csv.gz"), pd.read_csv(folder / "extra_anova.csv")])
    formulas = {
        "fevanova1": "FEV1 ~ ARMCD * AVISIT",
        "fevanova2": "FEV1 ~ ARMCD * FEV1_BL",
        "fevanova3": "FEV1 ~ ARMCD * SEX + ARMCD * FEV1_BL",
        "fevblvis_us_reml_sat": "FEV1 ~ FEV1_BL * AVISIT + RACE + SEX + ARMCD * AVISIT",
    }
    parts = fit_id.split("_")
    model = fit(
        fev,
        formulas.get(fit_id, MAIN),
        covariance=parts[1] if len(parts) > 1 else "ar1",
        df=DF[parts[3]] if len(parts) > 3 else "satterthwaite",
        method=parts[2] if len(parts) > 2 else "reml",
        robust=parts[4].upper() if len(parts) > 4 else None,
    )
    for kind in ("II", "III"):
        ours = {frozenset(row.term.split(":")): row for row in model.tests(kind).itertuples()}
        rows = expected[(expected.fit_id == fit_id) & (expected.type == kind)]
        assert len(rows) == len(ours)
        for row in rows.itertuples():
            mine = ours[frozenset(row.term.split(":"))]
            assert (mine.num_df, mine.den_df, mine.F) == pytest.approx((row.num_df, row.den_df, row.F), rel=TIGHT)
            assert mine.p == pytest.approx(row.p, rel=1e-6)


# multiplicity ------------------------------------------------------------------------------------------------------


def test_holm_and_hochberg_on_a_worked_example() -> None:
    """By hand: sorted p 0.01, 0.02, 0.03 of three; Holm 3x, 2x, 1x running up; Hochberg 1x, 2x, 3x running down."""
    p = np.array([0.03, 0.01, 0.02])
    np.testing.assert_allclose(holm(p), [0.04, 0.03, 0.04])
    np.testing.assert_allclose(hochberg(p), [0.03, 0.03, 0.03])


@pytest.mark.parametrize(
    ("k", "rho", "df", "critical"),
    [(2, 0.5, 10, 2.57), (4, 0.5, 20, 2.65), (3, 0.5, 1e9, 2.35), (2, 0.5, 60, 2.27)],
)
def test_dunnett_two_sided_critical_values(k: int, rho: float, df: float, critical: float) -> None:
    """Dunnett 1964, table II (two-sided, 5 %, equal groups: correlation 1/2), printed to two decimals."""
    corr = np.full((k, k), rho) + (1 - rho) * np.eye(k)
    assert equicoordinate(critical - 0.006, corr, df) < 0.95 < equicoordinate(critical + 0.006, corr, df)


@pytest.mark.parametrize(("k", "df", "q"), [(3, 10, 3.877676), (4, 20, 3.958293), (5, 1e9, 3.857656)])
def test_tukey_by_multivariate_t_is_the_studentised_range(k: int, df: float, q: float) -> None:
    """scipy.stats.studentized_range (independent code) at the same point; the lattice is good to 3e-5."""
    pairs = [(a, b) for a in range(k) for b in range(a)]
    D = np.array([[(c == a) - (c == b) for c in range(k)] for a, b in pairs]) / np.sqrt(2)
    expected = stats.studentized_range.cdf(q, k, df)
    assert equicoordinate(q / np.sqrt(2), D @ D.T, df) == pytest.approx(expected, abs=3e-5)


def test_single_step_intervals_and_p_values_agree(fev: pd.DataFrame) -> None:
    """An interval excludes zero exactly where the adjusted p is below 5 %."""
    answer = fit(fev).contrast("TRT - PBO", at=VISITS).adjust("dunnett").table
    assert ((answer.low > 0) == (answer.p_adjusted < 0.05)).all()
    assert (answer.p_adjusted >= answer.p).all()


# predictions, residuals --------------------------------------------------------------------------------------------


def test_predictions(shared: Path, fev: pd.DataFrame) -> None:
    """R's `marg_se` column holds variances; its `cond_se` is a simulation, so ours is checked by kriging below."""
    expected = pd.read_csv(shared / "reference" / "mmrm" / "fev_us_predict.csv")
    model = fit(fev, df="none")
    marginal, conditional = model.predict(given="covariates"), model.predict(given="outcomes")
    np.testing.assert_allclose(marginal.estimate, expected.marg_fit, rtol=TIGHT)
    np.testing.assert_allclose(marginal.se**2, expected.marg_se, rtol=TIGHT)
    np.testing.assert_allclose(conditional.estimate, expected.cond_fit, rtol=TIGHT)


def test_conditional_prediction_is_universal_kriging(fev: pd.DataFrame) -> None:
    """Prediction variance from the joint system of all outcomes, by brute force (Cressie 1993, eq. 3.4.5)."""
    small = fev[fev.USUBJID.isin(fev.USUBJID.unique()[:40])]
    model = fit(small, "FEV1 ~ ARMCD + AVISIT", covariance="csh", df="none")
    ours = model.predict(given="outcomes", interval="prediction")
    design, S = model.design, model.covariance.to_numpy()
    same = design.subject[:, None] == design.subject[None]
    V = S[np.ix_(design.visit, design.visit)] * same
    seen = design.observed
    Vi = np.linalg.inv(V[np.ix_(seen, seen)])
    X, x0 = design.X[seen], design.X[~seen]
    c = V[np.ix_(seen, ~seen)]
    gap = x0.T - X.T @ Vi @ c
    variance = np.diagonal(V[np.ix_(~seen, ~seen)] - c.T @ Vi @ c + gap.T @ np.linalg.inv(X.T @ Vi @ X) @ gap)
    np.testing.assert_allclose(ours.se[~seen] ** 2, variance, rtol=1e-9)
    np.testing.assert_array_equal(ours.estimate[seen], design.y[seen])


def test_new_rows_are_predicted_under_the_old_coding(main: Any, fev: pd.DataFrame) -> None:
    one = fev[fev.USUBJID == "PT2"]
    np.testing.assert_allclose(
        main.predict(one, given="outcomes").estimate,
        main.predict(given="outcomes").estimate[fev.USUBJID.to_numpy() == "PT2"],
        rtol=1e-12,
    )
    with pytest.raises(CallError, match="was not in the data of the fit"):
        main.predict(one.assign(ARMCD="XYZ"), given="covariates")


def test_residuals(shared: Path, main: Any) -> None:
    expected = pd.read_csv(shared / "reference" / "mmrm" / "fev_us_residuals.csv")
    ours = main.residuals
    assert (ours.USUBJID == expected.USUBJID).all()
    for mine, yours in (
        ("fitted", "fitted"),
        ("raw", "response"),
        ("pearson", "pearson"),
        ("normalised", "normalized"),
    ):
        np.testing.assert_allclose(ours[mine], expected[yours], rtol=1e-7, atol=1e-10)


# covariance, criteria, comparison, simulation ------------------------------------------------------------------------


def test_covariance_and_its_standard_errors(shared: Path, main: Any) -> None:
    """SE of unstructured covariances: R's theta_vcov, transformed by finite differences."""
    folder = shared / "reference" / "mmrm"
    cov = pd.read_csv(folder / "fev_cov.csv").query("fit_id == 'fev_us_reml_sat'")
    np.testing.assert_allclose(main.covariance.to_numpy().ravel(), cov.value, rtol=TIGHT)
    theta = pd.read_csv(folder / "fev_theta.csv").query("fit_id == 'fev_us_reml_sat'").value.to_numpy()
    pairs = pd.read_csv(folder / "fev_theta_vcov.csv").query("fit_id == 'fev_us_reml_sat'")
    w = np.zeros((10, 10))
    w[pairs.i - 1, pairs.j - 1] = w[pairs.j - 1, pairs.i - 1] = pairs.value

    def lower(phi: np.ndarray) -> np.ndarray:
        L = np.eye(4)
        L[np.tril_indices(4, -1)] = phi[4:]
        L = np.exp(phi[:4])[:, None] * L
        return (L @ L.T)[np.tril_indices(4)]

    step = 1e-6
    J = np.stack([(lower(theta + step * e) - lower(theta - step * e)) / (2 * step) for e in np.eye(10)], axis=1)
    np.testing.assert_allclose(main.covariance_table.se, np.sqrt(np.diagonal(J @ w @ J.T)), rtol=1e-6)


def test_information_criteria_in_both_conventions(shared: Path, fev: pd.DataFrame) -> None:
    """R's from fev_fits.csv; SAS's 3439.6 and 3508.8 as printed (facts/mmrm.md section 1)."""
    fits = pd.read_csv(shared / "reference" / "mmrm" / "fev_fits.csv").set_index("fit_id")
    ours = fit(fev, "FEV1 ~ RACE + SEX + ARMCD * AVISIT", method="ml").criteria.set_index("convention")
    expected = fits.loc["fevdoc_us_ml_sat"]
    for name in ("aic", "aicc", "bic"):
        assert ours.loc["mmrm", name] == pytest.approx(expected[name], rel=1e-10)
    assert ours.loc["sas", "aic"] == pytest.approx(3439.6, abs=0.05)
    assert ours.loc["sas", "bic"] == pytest.approx(3508.8, abs=0.05)


def test_likelihood_ratio(fev: pd.DataFrame) -> None:
    """Against the reference log-likelihoods -1751.19 (cs) and -1680.69 (us), 8 parameters apart."""
    result = fit(fev, covariance="cs").compare(fit(fev))
    assert result.statistic == pytest.approx(2 * (1751.190543 - 1680.689367), rel=1e-7)
    assert result.df == 8
    with pytest.raises(CallError, match="REML likelihoods of different mean models"):
        fit(fev, "FEV1 ~ ARMCD").compare(fit(fev))
    with pytest.raises(CallError, match="different data"):
        fit(fev[fev.AVISIT != "VIS4"], "FEV1 ~ ARMCD").compare(fit(fev, "FEV1 ~ ARMCD"))


def test_simulated_outcomes_have_the_moments_of_the_model(main: Any) -> None:
    """4,000 draws: means within 5 Monte Carlo standard errors, covariances within 8 % of the variances."""
    drawn = main.simulate(4000, seed=1)
    np.testing.assert_array_equal(drawn, main.simulate(4000, seed=1))
    mean = main.design.X @ main.beta
    sd = np.sqrt(np.diagonal(main.covariance))[main.design.visit]
    assert np.abs((drawn.mean(0) - mean) / sd).max() < 5 / np.sqrt(4000)
    one = np.cov(drawn[:, :4].T)
    np.testing.assert_allclose(one, main.covariance, atol=0.08 * main.covariance.to_numpy().max())


def test_figures_are_drawn(main: Any) -> None:
    for kind in ("residuals", "quantiles", "correlations"):
        assert main.figure(kind).axes[0].get_title()
    figure = main.figure("trajectories", by="ARMCD")
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["PBO", "TRT"]
    with pytest.raises(CallError, match="it can be"):
        main.figure("pie")
