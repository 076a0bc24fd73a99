"""What must hold whatever the data: exact identities, invariances, derivatives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats

import holdfast as hf
from holdfast.errors import CallError
from holdfast.stats.ancova import ancova
from holdfast.stats.columns import read
from holdfast.stats.formula import build, parse
from holdfast.stats.mmrm import clda, mmrm_design
from holdfast.stats.mmrm.likelihood import evaluate
from holdfast.stats.mmrm.prepare import SHORT, prepare

VISITS = ["PRE", "POST", "FU"]
STRUCTURES = ["us", "toep", "toeph", "ar1", "ar1h", "cs", "csh", "ad", "adh", "id", "idh"]
ALL = [*STRUCTURES, "sp_exp", "sp_gau"]


def trial(seed: int, n: int = 40, missing: float = 0.15) -> pd.DataFrame:
    """A simulated trial, one row per person and visit, rows with missing outcomes kept."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.array([[1.0, 0.5, 0.4], [0.5, 1.5, 0.9], [0.4, 0.9, 2.0]]))
    values = 40 + 10 * (rng.normal(size=(n, 3)) @ root.T)
    frame = pd.DataFrame(
        {
            "person": np.repeat([f"p{k:03d}" for k in range(n)], 3),
            "arm": np.repeat(np.where(np.arange(n) % 2, "HIT", "MIT"), 3),
            "site": np.repeat(rng.choice(["a", "b"], n), 3),
            "visit": pd.Categorical(VISITS * n, VISITS),
            "weeks": rng.uniform(0, 1, 3 * n) + np.tile([0.0, 12.0, 38.0], n),
            "baseline": np.repeat(values[:, 0], 3),
            "weight": rng.uniform(0.5, 2.0, 3 * n),
            "value": values.ravel(),
        }
    )
    gone = (rng.uniform(size=3 * n) < missing) & (np.arange(3 * n) % 3 > 0)
    frame.loc[gone, "value"] = np.nan
    return frame


def fit(frame: Any, formula: str = "value ~ arm * visit", **asked: Any) -> Any:
    options = {"covariance": "us", "df": "kenward-roger", "subject": "person", "visit": "visit"} | asked
    if options["covariance"].startswith("sp_"):
        options["time"] = "weeks"
    return hf.mmrm(formula, frame, **options)


# exact identities --------------------------------------------------------------------------------------------------


def test_complete_data_are_a_t_test_at_each_visit() -> None:
    """Unstructured, all arm x visit means, nobody missing: the two-sample t test, df n - 2, to rounding."""
    frame = trial(1, missing=0.0)
    model = fit(frame)
    for visit in VISITS:
        ours = model.contrast("HIT - MIT", at=visit)
        now = frame[frame.visit == visit]
        t = stats.ttest_ind(now.value[now.arm == "HIT"], now.value[now.arm == "MIT"])
        assert ours.t[0] == pytest.approx(t.statistic, rel=1e-9)
        assert ours.df[0] == pytest.approx(38, rel=1e-7)
        assert ours.p[0] == pytest.approx(t.pvalue, rel=1e-7)


def test_complete_data_with_covariates_by_visit_are_an_ancova_at_each_visit() -> None:
    """rbmi issue 569: all covariate x visit terms and an unstructured covariance make each visit's ANCOVA."""
    frame = trial(2, missing=0.0)
    after = frame[frame.visit != "PRE"]
    model = fit(after, "value ~ baseline * visit + arm * visit")
    for visit in VISITS[1:]:
        ours = model.contrast("HIT - MIT", at=visit)
        alone = ancova("value ~ baseline + arm", after[after.visit == visit], arm="arm", contrast="HIT - MIT").declared
        assert alone is not None
        assert (ours.estimate[0], ours.se[0]) == pytest.approx((alone.estimate, alone.se), rel=1e-8)
        assert ours.df[0] == pytest.approx(alone.df, rel=1e-6)


def test_one_visit_is_least_squares() -> None:
    frame = trial(3).query("visit == 'PRE'")
    model = fit(frame, "value ~ arm + site")
    expected = ancova("value ~ arm + site", frame, arm="arm").table
    np.testing.assert_allclose(model.table.se, expected.se, rtol=1e-9)
    np.testing.assert_allclose(model.table.df, 37, rtol=1e-8)


def test_independence_is_least_squares_on_all_rows() -> None:
    """Residual variance RSS / (n - p); Satterthwaite's df of a single variance are n - p."""
    frame = trial(4)
    model = fit(frame, covariance="independence", df="satterthwaite")
    X, y = model.design.X[model.design.observed], model.design.y[model.design.observed]
    beta, rss, *_ = np.linalg.lstsq(X, y, rcond=None)
    np.testing.assert_allclose(model.beta, beta, rtol=1e-9)
    assert model.theta["variance"] == pytest.approx(rss[0] / (len(y) - X.shape[1]), rel=1e-9)
    np.testing.assert_allclose(model.table.df, len(y) - X.shape[1], rtol=1e-7)


def test_balanced_compound_symmetry_has_the_df_of_the_split_plot() -> None:
    """Complete data: a change between visits within people has (n - 2)(m - 1) df (Kenward & Roger 1997, section 5)."""
    model = fit(trial(5, missing=0.0), covariance="cs")
    assert model.contrast("HIT - MIT", change=("PRE", "FU")).df[0] == pytest.approx(38 * 2, rel=1e-7)
    assert model.contrast("HIT - MIT").df[0] == pytest.approx(38, rel=1e-7)


def test_ar1_is_spatial_exponential_on_equal_times() -> None:
    frame = trial(6).assign(weeks=lambda d: d.visit.cat.codes.astype(float))
    one, other = fit(frame, covariance="ar1", df="none"), fit(frame, covariance="sp_exp", df="none")
    assert one.loglik == pytest.approx(other.loglik, rel=1e-11)
    assert one.theta["rho(1)"] == pytest.approx(np.exp(-1 / other.theta["range"]), rel=1e-7)


def test_clda_has_one_mean_at_baseline(shared: Path) -> None:
    """The reference's 0/1 columns (tiny_clda_us_reml_krl) in one call, and zero difference at baseline."""
    folder = shared / "reference" / "mmrm"
    frame = pd.read_csv(folder / "tiny_trial.csv")
    frame["ARM"] = pd.Categorical(frame.ARM, ["MIT", "HIT"])
    model = clda("Y", frame, arm="ARM", subject="USUBJID", visit="AVISIT", baseline="BASE", covariance="us",
                 df="kenward-roger-linear", visit_order=["BASE", "W12", "M6"])  # fmt: skip
    expected = pd.read_csv(folder / "tiny_coefs.csv").query("fit_id == 'tiny_clda_us_reml_krl'")
    for column in ("estimate", "se", "df"):
        np.testing.assert_allclose(model.table[column], expected[column], rtol=1e-8)
    assert model.contrast("HIT - MIT", at="BASE").estimate[0] == 0
    assert model.contrast("HIT - MIT", at="M6").estimate[0] == pytest.approx(model.beta[-1], rel=1e-12)


# invariances -------------------------------------------------------------------------------------------------------


def same(one: Any, other: Any, rtol: float = 1e-7, **by: float) -> None:
    """Contrasts of two fits agree; df, which divide by a small curvature, to the same relative tolerance."""
    a, b = (model.contrast("HIT - MIT", at=["POST", "FU"]).table for model in (one, other))
    np.testing.assert_allclose(a.estimate * by.get("times", 1.0), b.estimate, rtol=rtol, atol=1e-8)
    np.testing.assert_allclose(a.se * by.get("times", 1.0), b.se, rtol=rtol)
    np.testing.assert_allclose(a.df, b.df, rtol=rtol)


seeds = some.integers(0, 10_000)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, covariance=some.sampled_from(["us", "toeph", "ar1", "csh", "adh", "sp_exp"]))
def test_order_of_the_rows_does_not_matter(seed: int, covariance: str) -> None:
    frame = trial(seed)
    same(fit(frame, covariance=covariance), fit(frame.sample(frac=1, random_state=seed), covariance=covariance))


@settings(max_examples=10, deadline=None)
@given(seed=seeds, times=some.sampled_from([1e-3, 0.1, 7.0, 1e4]), plus=some.sampled_from([-100.0, 0.0, 1e3]))
def test_units_of_the_outcome_do_not_matter(seed: int, times: float, plus: float) -> None:
    frame = trial(seed)
    same(fit(frame), fit(frame.assign(value=frame.value * times + plus)), times=times)


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_reference_level_does_not_matter(seed: int) -> None:
    frame = trial(seed)
    turned = frame.assign(arm=pd.Categorical(frame.arm, ["MIT", "HIT"]))
    same(fit(frame, "value ~ arm * visit + site"), fit(turned, "value ~ visit * arm + site"))


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_names_of_the_people_do_not_matter(seed: int) -> None:
    frame = trial(seed)
    names = {name: k for k, name in enumerate(sorted(set(frame.person), reverse=True))}
    same(fit(frame), fit(frame.assign(person=frame.person.map(names))))


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_rows_without_an_outcome_may_be_there_or_not(seed: int) -> None:
    """Contrasts do not use them; means do, through the mean of the covariates."""
    frame = trial(seed)
    same(fit(frame), fit(frame.dropna(subset=["value"])))


def test_equal_weights_are_no_weights() -> None:
    frame = trial(8)
    same(fit(frame), fit(frame.assign(weight=3.0), weights="weight"))


def test_other_data_frames_give_the_same(shared: Path) -> None:
    import polars
    import pyarrow

    frame = trial(9)
    plain = frame.assign(visit=frame.visit.astype(str))
    for other in (
        polars.from_pandas(plain).with_columns(polars.col("visit").cast(polars.Enum(VISITS))),
        pyarrow.Table.from_pandas(plain),
    ):
        order = None if isinstance(other, polars.DataFrame) else VISITS
        same(fit(frame), fit(other, visit_order=order), rtol=1e-12)


def test_a_prepared_design_gives_the_same() -> None:
    frame = trial(10)
    design = mmrm_design("value ~ arm * visit", frame, subject="person", visit="visit")
    same(fit(frame), hf.mmrm(design, covariance="us", df="kenward-roger"), rtol=1e-14)


def test_many_people_of_one_pattern_are_rotated_without_loss() -> None:
    """A hundred copies of the people: coefficients the same, their covariance a hundredth, from far fewer rows."""
    frame = trial(11)
    many = pd.concat([frame.assign(person=frame.person + f"-{k}") for k in range(100)])
    one, hundred = fit(frame, df="none", method="ml"), fit(many, df="none", method="ml")
    np.testing.assert_allclose(hundred.beta, one.beta, rtol=1e-8)
    np.testing.assert_allclose(hundred.vcov * 100, one.vcov, rtol=1e-8)
    assert hundred.n_subjects == 4000
    assert len(hundred.data.Z) < 100


def test_a_transformed_column_in_the_formula_is_a_column_made_before() -> None:
    """Contrasts, and means whose covariates stand at the mean of the transformed column's own rows."""
    frame = trial(14).assign(log_base=lambda d: np.log(d.baseline), log_value=lambda d: np.log(d.value))
    frame = frame[frame.visit != "PRE"]
    one = fit(frame, "np.log(value) ~ np.log(baseline) + arm * visit")
    other = fit(frame, "log_value ~ log_base + arm * visit")
    same(one, other, rtol=1e-9)
    np.testing.assert_allclose(
        one.means(["arm", "visit"], weights="counterfactual").estimate,
        other.means(["arm", "visit"], weights="counterfactual").estimate,
        rtol=1e-9,
    )
    with pytest.raises(CallError, match="bare columns"):
        one.tests("II")


def test_means_use_the_covariates_of_rows_without_an_outcome_in_any_formula() -> None:
    frame = trial(15)
    frame = frame[frame.visit != "PRE"]
    plain = fit(frame, "value ~ baseline + arm * visit").means(["arm"], weights="equal")
    wrapped = fit(frame, "value ~ {baseline + 0} + arm * visit").means(["arm"], weights="equal")
    np.testing.assert_allclose(plain.estimate, wrapped.estimate, rtol=1e-10)


def test_a_numeric_visit_is_a_slope_and_can_be_asked_at_any_time_of_the_design() -> None:
    frame = trial(16).assign(visit=lambda d: d.visit.cat.codes * 12.0)
    model = fit(frame)
    slope = model.contrast("HIT - MIT", change=("0", "24")).estimate[0]
    assert slope == pytest.approx(-24 * model.coef["arm[T.MIT]:visit"], rel=1e-10)


def test_factors_stand_in_the_order_of_the_formula() -> None:
    assert parse("value ~ site + arm * visit + np.log(baseline)").variables == (
        "value",
        "site",
        "arm",
        "visit",
        "baseline",
    )


# derivatives -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("group", [None, "arm"])
@pytest.mark.parametrize("covariance", ALL)
def test_gradient_and_hessian_are_those_of_the_likelihood(covariance: str, group: str | None, reml: bool) -> None:
    """Central differences at the start (far from the optimum); their own error is about 1e-6 relative."""
    design = mmrm_design("value ~ arm * visit", trial(12), subject="person", visit="visit", group=group,
                         time="weeks", weights="weight")  # fmt: skip
    made = prepare(design, covariance)
    data, structure, theta = made.data, made.structure, made.start * 1.05
    point = evaluate(theta, data, structure, reml=reml)
    assert point is not None
    step = 1e-5 * np.maximum(np.abs(structure.scale(theta)), 1e-3)
    for h in range(len(theta)):
        ends = [
            evaluate(theta + sign * step[h] * np.eye(len(theta))[h], data, structure, reml=reml) for sign in (1, -1)
        ]
        up, down = (end for end in ends if end is not None)
        scale = structure.scale(theta)
        slope = -2 * (up.loglik - down.loglik) / (2 * step[h])
        assert slope * scale[h] == pytest.approx(point.gradient[h] * scale[h], rel=1e-5, abs=1e-4)
        bend = (up.gradient - down.gradient) / (2 * step[h])
        np.testing.assert_allclose(bend * scale * scale[h], point.hessian[h] * scale * scale[h], rtol=1e-5, atol=1e-4)


def test_every_structure_has_words() -> None:
    """Words and R's short names are two names of one structure."""
    frame = trial(13)
    for short, words in SHORT.items():
        options = {"time": "weeks"} if short.startswith("sp_") else {}
        one = fit(frame, covariance=short, df="none", **options)
        other = hf.mmrm("value ~ arm * visit", frame, subject="person", visit="visit", covariance=words, df="none",
                        time="weeks")  # fmt: skip
        assert one.loglik == other.loglik


@settings(max_examples=20, deadline=None)
@given(
    formula=some.sampled_from(
        [
            "value ~ arm * visit",
            "value ~ baseline * visit + arm * visit",
            "value ~ arm * visit * site",
            "value ~ 1",
            "value ~ visit + baseline:visit + arm",
            "value ~ site / arm",
            "value ~ 0 + arm",
            "value ~ arm:visit",
            "value ~ np.log(baseline) + arm * visit",
        ]
    ),
    seed=seeds,
)
def test_the_design_is_that_of_formulaic(formula: str, seed: int) -> None:
    """Our quick path for plain formulas against formulaic itself: columns, order and names."""
    from formulaic import Formula

    frame = trial(seed, n=12)
    columns = read(frame, parse(formula).variables)
    terms, X, _ = build(parse(formula), columns, len(frame))
    expected = Formula(formula).rhs.get_model_matrix(frame)
    np.testing.assert_allclose(X, expected.to_numpy(dtype=float), rtol=1e-14)
    assert [name.replace("(intercept)", "Intercept") for name in terms.names] == list(expected.columns)
