"""Type I error of MMRM contrasts in trials of the size of ours, with Monte Carlo error.

    python benchmarks/mmrm_type1.py [--trials 20000] [--seed 20210779]

Simulated null trials: two arms, three visits, unstructured covariance, dropout that depends on the last outcome seen
(about 10 % gone by the second visit, 20 % by the third). Each trial is fitted by each method; the level is 5 %.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import holdfast as hf

VISITS = ["PRE", "POST", "FU"]
SIGMA = np.array([[84.0, 43.0, 62.0], [43.0, 73.0, 58.0], [62.0, 58.0, 127.0]])  # the size of the tiny reference trial
METHODS = ["kenward-roger", "kenward-roger-linear", "kenward-roger-mmrm", "satterthwaite", "residual", "none"]


def design(n_hit: int, n_mit: int) -> hf.stats.mmrm.MmrmDesign:
    n = n_hit + n_mit
    frame = pd.DataFrame(
        {
            "person": np.repeat(np.arange(n), 3),
            "arm": pd.Categorical(np.repeat(np.where(np.arange(n) < n_hit, "HIT", "MIT"), 3), ["MIT", "HIT"]),
            "visit": pd.Categorical(VISITS * n, VISITS),
            "y": 0.0,
        }
    )
    return hf.mmrm_design("y ~ arm * visit", frame, subject="person", visit="visit")


def outcomes(trials: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Null trials (trials, 3 n) with missing at random dropout."""
    y = rng.normal(size=(trials, n, 3)) @ np.linalg.cholesky(SIGMA).T
    z = y / np.sqrt(np.diagonal(SIGMA))
    leave = 1 / (1 + np.exp(2.4 - 0.7 * z[:, :, :2]))  # worse people leave more often
    gone = np.cumsum(rng.uniform(size=leave.shape) < leave, axis=2) > 0
    y[:, :, 1:][gone] = np.nan
    return y.reshape(trials, -1)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--trials", type=int, default=20_000)
    ask.add_argument("--seed", type=int, default=20210779)
    asked = ask.parse_args()
    print(f"{asked.trials} simulated null trials each, seed {asked.seed}; unstructured, REML; nominal 5 %")
    print(f"{'people':>8} {'method':<22} {'at FU':>8} {'POST-FU':>8} {'MC se':>8} {'SE ratio':>9} {'failed':>7}")
    for n_hit, n_mit in ((10, 10), (18, 17)):
        y = outcomes(asked.trials, n_hit + n_mit, np.random.default_rng([asked.seed, n_hit]))
        made = design(n_hit, n_mit)
        plain = None
        for method in METHODS:
            at = hf.mmrm_many(made, y, covariance="us", df=method, contrast="HIT - MIT", at="FU")
            moved = hf.mmrm_many(made, y, covariance="us", df=method, contrast="HIT - MIT", change=("POST", "FU"))
            ok = at.converged
            if plain is None:
                plain = hf.mmrm_many(made, y, covariance="us", df="none", contrast="HIT - MIT", at="FU").se[ok]
            first, second = (float((fits.p[ok] < 0.05).mean()) for fits in (at, moved))
            error = (first * (1 - first) / ok.sum()) ** 0.5
            ratio = float(np.mean(at.se[ok] / plain))
            print(
                f"{n_hit:>4}+{n_mit:<3} {method:<22} {first:>8.4f} {second:>8.4f} {error:>8.4f} {ratio:>9.4f} "
                f"{int((~ok).sum()):>7}"
            )


if __name__ == "__main__":
    main()
