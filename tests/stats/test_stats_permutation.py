"""Randomisation inference: exact counts of classical data, and the meaning of its interval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import CallError, DataError
from holdfast.stats.ancova import ancova
from holdfast.stats.permutation import blocked, coin, complete, count_beyond, randomisation_test


def test_darwin_maize(shared: Path) -> None:
    """Fisher 1935, section 21: 863 of 32768 one-sided, 1726 two-sided."""
    gaps = pd.read_csv(shared / "reference/permutation/darwin_zeamays.csv")["diff_eighths_inch"].to_numpy(float)
    pairs = np.repeat(np.arange(15), 2)
    crossed = np.tile([1, 0], 15)
    heights = np.column_stack([gaps, np.zeros(15)]).ravel()
    ways = blocked(pairs, crossed)
    assert ways.count == 32768
    two, one, total = count_beyond(heights, crossed.astype(np.int8), ways)
    assert (one, two, total) == (863, 1726, 32768)
    data = pd.DataFrame({"height": heights, "arm": np.where(crossed == 1, "cross", "self")})
    got = randomisation_test("height ~ 1", data, arm="arm", allocations=ways, interval=False)
    assert got.p == pytest.approx(0.05267334, abs=1e-8)


def test_sleep(shared: Path) -> None:
    """reference/permutation/reference.txt: R coin, exact: 15048 of 184756 = .08144796."""
    sleep = pd.read_csv(shared / "reference/permutation/sleep.csv")
    got = randomisation_test("extra ~ 1", sleep, arm="group", allocations=complete(20, 10))
    assert (got.beyond, got.total) == (15048, 184756)
    assert got.p == pytest.approx(0.0814479638, abs=1e-10)
    assert "15048 of all 184756" in str(got)


def test_blocks(shared: Path) -> None:
    """reference/permutation/reference.txt (synthetic): residuals on baseline, 2968 of 46656."""
    data = pd.read_csv(shared / "reference/permutation/blocks24.csv")
    ways = blocked(data["block"].to_numpy(), data["trt"].to_numpy())
    got = randomisation_test("y1 ~ y0", data, arm="trt", allocations=ways, contrast="1 - 0")
    assert got.observed == pytest.approx(-6.401056229, abs=1e-8)
    assert (got.beyond, got.total, got.exact) == (2968, 46656, True)
    # Rosenbaum 2002: at both limits the test of that effect is at the level (p steps by 1/46656)
    observed = data["trt"].to_numpy(np.int8)
    X = np.column_stack([np.ones(24), data["y0"]])
    for limit, side in ((got.estimate.low, -1), (got.estimate.high, 1)):
        for step, expected in ((1e-4, True), (-1e-4, False)):
            y = data["y1"].to_numpy(float) - (limit + side * step) * observed
            values = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
            two, _, total = count_beyond(values, observed, ways)
            assert (two / total <= 0.05) is expected


def test_allocations_are_all_different_and_equally_many() -> None:
    """Derivation: 6 choose 3, 2^4, and (4 choose 2)(2 choose 1)."""
    for ways, count in ((complete(6, 3), 20), (coin(4), 16), (blocked([1, 2, 1, 1, 1, 2], [1, 0, 0, 1, 0, 1]), 12)):
        rows = np.concatenate(list(ways.chunks()))
        assert ways.count == count == len(np.unique(rows, axis=0)) == len(rows)
    mixed = np.concatenate(list(blocked([1, 2, 1, 2], [1, 0, 0, 1]).chunks()))
    assert (mixed[:, [0, 2]].sum(axis=1) == 1).all()


def _replay(m: int, rng: np.random.Generator) -> np.ndarray:
    return np.argsort(rng.random((m, 40)), axis=1) < 20


def _trial(effect: float) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    z = np.argsort(rng.random(40)) < 20
    base = rng.normal(size=40)
    return pd.DataFrame({"arm": np.where(z, "HIT", "MIT"), "base": base, "y": base + effect * z + rng.normal(size=40)})


def test_replayed_procedure_is_seeded_and_never_zero() -> None:
    """Phipson & Smyth 2010: p = (b + 1)/(m + 1)."""
    runs = [
        randomisation_test(
            "y ~ base", _trial(9.0), arm="arm", contrast="HIT - MIT", replay=_replay, draws=999, seed=3, workers=w
        )
        for w in (1, 2)
    ]
    assert runs[0].p == pytest.approx(1 / 1000)
    assert runs[0].table.drop(columns="name").equals(runs[1].table.drop(columns="name"))
    assert not runs[0].exact
    t = ancova("y ~ arm + base", _trial(9.0), arm="arm", contrast="HIT - MIT").declared
    assert t is not None  # normal errors: the inverted test and the t interval agree, here within a tenth of an SD
    assert (runs[0].estimate.low, runs[0].estimate.high) == pytest.approx((t.low, t.high), abs=0.1)


def test_people_with_missing_outcomes_stay_in_the_allocation() -> None:
    data = _trial(1.0)
    data.loc[:4, "y"] = np.nan
    got = randomisation_test("y ~ base", data, arm="arm", replay=_replay, draws=199, seed=3, interval=False)
    assert (got.n, got.left_out) == (35, 5)
    data.loc[data["arm"] == "HIT", "y"] = np.nan
    with pytest.raises(DataError, match="no value"):
        randomisation_test("y ~ base", data, arm="arm", replay=_replay, draws=199, seed=3)


def test_too_many_allocations_need_the_procedure() -> None:
    with pytest.raises(CallError, match="too many to enumerate; give replay="):
        randomisation_test("y ~ base", _trial(1.0), arm="arm", allocations=complete(40, 20))
    with pytest.raises(CallError, match="for 20 people, the data have 40"):
        randomisation_test("y ~ base", _trial(1.0), arm="arm", allocations=complete(20, 10))
