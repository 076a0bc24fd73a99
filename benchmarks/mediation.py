"""How long mediation takes: 5,000 bootstrap resamples and 5,000 posterior draws on data the size of JOBS II.

Run: python benchmarks/mediation.py            (set OMP_NUM_THREADS=1 for figures per core)

Quoted for comparison, measured on 2 shared cores with R `mediation` 4.5 on JOBS II (899 people, 3 covariates):
5,000 bootstraps 56 s, 5,000 quasi-Bayesian draws 18 s. Goal here: 5,000 bootstrap mediations in 0.5 s or less.
If R with `mediation` is installed, it is run on the same simulated data.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from holdfast.stats.mediation import mediate_linear
from holdfast.stats.mediators import mediate_several

N, DRAWS = 899, 5000
R_SCRIPT = """
if (!requireNamespace("mediation", quietly = TRUE)) { cat("R has no package mediation: quoted, not run\\n"); quit() }
d <- read.csv(commandArgs(TRUE)[1]); suppressMessages(library(mediation))
m <- lm(mediator ~ treat + x1 + x2 + x3, d); y <- lm(outcome ~ treat + mediator + x1 + x2 + x3, d)
for (boot in c(TRUE, FALSE)) cat(if (boot) "R bootstrap" else "R quasi-Bayes", system.time(
  mediate(m, y, treat = "treat", mediator = "mediator", boot = boot, sims = 5000))["elapsed"], "s\\n")
"""


def simulated(n: int = N) -> pd.DataFrame:
    """Simulated people: a weak indirect effect, three covariates."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, 3))
    treat = (rng.random(n) < 2 / 3).astype(int)
    mediator = 0.07 * treat + 0.1 * x[:, 0] + rng.normal(size=n)
    outcome = -0.04 * treat - 0.24 * mediator + 0.1 * x[:, 1] + rng.normal(size=n)
    return pd.DataFrame(
        {"treat": treat, "mediator": mediator, "outcome": outcome, "x1": x[:, 0], "x2": x[:, 1], "x3": x[:, 2]}
    )


def timed(label: str, run: object, repeats: int = 5) -> None:
    """Print the median of several runs."""
    assert callable(run)
    run()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    print(f"{label:<55s} {np.median(seconds):8.3f} s  (range {min(seconds):.3f} to {max(seconds):.3f})")


def main() -> None:
    data = simulated()
    formula = "outcome ~ x1 + x2 + x3"
    for interval in ("percentile", "bca", "posterior"):
        timed(
            f"{DRAWS} draws, {interval}, {N} people",
            lambda how=interval: mediate_linear(
                formula, data, mediator="mediator", arm="treat", contrast="1 - 0", interval=how, draws=DRAWS, seed=1
            ),
        )
    several = data.assign(m2=data["mediator"] * 0.5 + np.random.default_rng(2).normal(size=N))
    timed(
        "two mediators, 10,000 posterior draws, simultaneous",
        lambda: mediate_several(formula, several, mediators=["mediator", "m2"], arm="treat", contrast="1 - 0", seed=1),
    )
    print("quoted, R mediation 4.5: 5,000 bootstraps 56 s; 5,000 quasi-Bayesian draws 18 s")
    if shutil.which("Rscript"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "d.csv"
            data.to_csv(path, index=False)
            subprocess.run(["Rscript", "-e", R_SCRIPT, str(path)], check=False)
    else:
        print("R is not installed here, so it is quoted, not run")


if __name__ == "__main__":
    main()
