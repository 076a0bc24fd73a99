"""MMRM speed side by side: holdfast, and whatever of R mmrm, gls, lme4 + pbkrtest, glmmTMB and statsmodels is here.

    python benchmarks/mmrm.py [--fev fev_data.csv] [--repeat 7] [--peers] [--growth] [--figure mmrm-speed.png]

Times are medians of calls in one process on one core (set OMP_NUM_THREADS=1), elapsed and CPU. `--peers` runs mmrm.R if
Rscript exists; R packages that are not installed are left out, and R mmrm's earlier measurement is printed, labelled as
such. All data but fev are simulated.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

import holdfast as hf
from holdfast.stats.mmrm import mmrm_design

ASKED = {"covariance": "us", "df": "kenward-roger"}
FEV = "FEV1 ~ FEV1_BL + RACE + SEX + ARMCD * AVISIT"
# R mmrm 0.3.18 on two shared cores of an AMD EPYC, whole call, ranges of medians of two runs; not measured here.
EARLIER = {
    "35 x 3": "16-23 ms",
    "200 x 4": "95-109 ms",
    "1000 x 10": "33-35 s",
    "1000 x 10, CR0 + contrast": "246 s, 6.1 GB",
    "1,000 trials of 35 x 3": "26-37 s",
}


def trial(n: int, m: int, *, seed: int, dropout: float = 0.03, holes: float = 0.01) -> pd.DataFrame:
    """A simulated two-arm trial: n people, m visits, monotone dropout and some missing in between."""
    rng = np.random.default_rng(seed)
    lag = np.abs(np.subtract.outer(np.arange(m), np.arange(m)))
    sd = np.linspace(8, 12, m)
    y = rng.normal(size=(n, m)) @ np.linalg.cholesky(0.7**lag * np.outer(sd, sd)).T
    last = rng.geometric(dropout, size=n) if dropout else np.full(n, m)
    y[(np.arange(m)[None] > last[:, None]) | (rng.uniform(size=(n, m)) < holes)] = np.nan
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(n), m),
            "visit": pd.Categorical(np.tile(np.arange(m), n)),
            "arm": pd.Categorical(np.repeat(np.where(np.arange(n) % 2, "HIT", "MIT"), m), ["MIT", "HIT"]),
            "base": np.repeat(rng.normal(size=n), m),
            "y": y.ravel(),
        }
    )


def fev_like(path: str | None) -> tuple[str, pd.DataFrame, dict[str, str]]:
    if path:
        frame = pd.read_csv(path)
        frame["AVISIT"] = pd.Categorical(frame.AVISIT)
        return FEV, frame, {"subject": "USUBJID", "visit": "AVISIT"}
    frame = trial(200, 4, seed=2, dropout=0, holes=0.33)
    return "y ~ base * visit + arm * visit", frame, {"subject": "id", "visit": "visit"}


Timing = tuple[float, float]


def timed(call: Callable[[], object], repeat: int) -> Timing:
    """Medians of `repeat` calls after a first one: elapsed, and processor time (which other jobs disturb less)."""
    call()
    elapsed, used = [], []
    for _ in range(repeat):
        start, cpu = time.perf_counter(), time.process_time()
        call()
        elapsed.append(time.perf_counter() - start)
        used.append(time.process_time() - cpu)
    return statistics.median(elapsed), statistics.median(used)


def say(task: str, who: str, seconds: Timing, *, note: str = "") -> None:
    shown = " (CPU ".join(f"{s * 1e3:.1f} ms" if s < 1 else f"{s:.2f} s" for s in seconds)
    print(f"{task:<28} {who:<34} {shown + ')':>26}  {note}", flush=True)


def single_fits(cases: dict[str, tuple[str, pd.DataFrame, dict[str, str]]], repeat: int) -> None:
    for task, (formula, frame, names) in cases.items():
        design = mmrm_design(formula, frame, **names)
        whole = timed(lambda f=formula, d=frame, n=names: hf.mmrm(f, d, **n, **ASKED), repeat)
        held = timed(lambda d=design: hf.mmrm(d, **ASKED), repeat)
        fit = hf.mmrm(design, **ASKED)
        note = f"{fit.n_obs} outcomes, {len(fit.data.mask)} patterns, gradient {fit.gradient:.0e}"
        say(task, "holdfast us + KR, whole call", whole, note=note)
        say(task, "holdfast us + KR, design in hand", held, note=f"R mmrm earlier: {EARLIER[task]}")


def robust(frame: pd.DataFrame, repeat: int) -> None:
    def call() -> object:
        fit = hf.mmrm("y ~ base * visit + arm * visit", frame, subject="id", visit="visit", covariance="us",
                      df="satterthwaite", robust="CR0")  # fmt: skip
        return fit.contrast("HIT - MIT", at="9").table

    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    seconds = timed(call, repeat)
    task = "1000 x 10, CR0 + contrast"
    say(task, "holdfast, whole call", seconds, note=f"peak {peak:.0f} MB; R mmrm earlier: {EARLIER[task]}")


def loop(repeat: int) -> None:
    frame = trial(35, 3, seed=4, dropout=0, holes=0)
    design = mmrm_design("y ~ arm * visit", frame, subject="id", visit="visit")
    y = np.stack([trial(35, 3, seed=k, dropout=0.1, holes=0.02).y for k in range(1000)])
    task = "1,000 trials of 35 x 3"

    def call(engine: str) -> object:
        return hf.mmrm_many(
            design, y, covariance="us", df="kenward-roger", contrast="HIT - MIT", at=["1", "2"], engine=engine
        )

    numpy = timed(lambda: call("numpy"), repeat)
    say(task, "holdfast batch, 2 contrasts + KR", numpy, note=f"R mmrm earlier: {EARLIER[task]}")
    if find_spec("numba") is None:
        print("numba is not installed; no numba engine")
        return
    start = time.perf_counter()
    call("numba")
    first = time.perf_counter() - start
    pairs = [(timed(lambda: call("numpy"), 1)[1], timed(lambda: call("numba"), 1)) for _ in range(repeat)]
    ratio = statistics.median(slow / quick[1] for slow, quick in pairs)  # in turn, so that other jobs disturb both
    numba = statistics.median(quick[0] for _, quick in pairs), statistics.median(quick[1] for _, quick in pairs)
    say(task, "the same, numba engine", numba, note=f"numpy / numba {ratio:.2f}; first call {first:.1f} s")


def growth(repeat: int) -> list[tuple[str, float, float]]:
    """Seconds of one fit with the design in hand, by people, visits and patterns."""
    found = []
    sizes = [("people", n, n, 4, 0.05, 0.0) for n in (100, 1_000, 10_000, 100_000, 1_000_000)]
    sizes += [("visits", m, 500, m, 0.03, 0.0) for m in (3, 5, 8, 12, 16, 20)]
    sizes += [("holes", holes, 500, 6, 0.0, holes) for holes in (0.0, 0.01, 0.05, 0.2, 0.4)]
    for kind, size, n, m, dropout, holes in sizes:
        frame = trial(n, m, seed=5, dropout=dropout, holes=holes)
        design = mmrm_design("y ~ arm * visit", frame, subject="id", visit="visit")
        seconds = timed(lambda d=design: hf.mmrm(d, covariance="us", df="kenward-roger"), repeat if n < 1e5 else 1)
        patterns = len(hf.mmrm(design, covariance="us", df="none").data.mask)
        x = float(patterns if kind == "holes" else size)
        found.append(("patterns" if kind == "holes" else kind, x, seconds[1]))
        say(f"growth: {kind} {size}", "holdfast us + KR, design in hand", seconds, note=f"{patterns} patterns")
    return found


def draw(found: list[tuple[str, float, float]], path: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), dpi=150, layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, kind in zip(panels, ("people", "visits", "patterns"), strict=True):
        points = sorted((x, 1e3 * s) for name, x, s in found if name == kind)
        axes.loglog(*zip(*points, strict=True), "o-", color="#0f5c8c")
        axes.set(
            xlabel=kind, title={"people": "4 visits", "visits": "500 people", "patterns": "500 people, 6 visits"}[kind]
        )
        if kind != "people":
            ticks = [3, 5, 8, 12, 20] if kind == "visits" else [1, 10, 60]
            axes.set_xticks(ticks, [str(tick) for tick in ticks])
            axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("one fit with Kenward-Roger, CPU ms")
    figure.savefig(path)
    print(f"figure: {path}")


def peers(cases: dict[str, tuple[str, pd.DataFrame, dict[str, str]]], slow: bool) -> None:
    script = Path(__file__).with_suffix(".R")
    if not shutil.which("Rscript"):
        print("Rscript is not installed; no R peers")
        return
    with tempfile.TemporaryDirectory() as folder:
        for task, (formula, frame, names) in cases.items():
            if task == "1000 x 10" and not slow:
                continue
            path = Path(folder) / "data.csv"
            frame.to_csv(path, index=False)
            command = ["Rscript", str(script), str(path), formula, names["subject"], names["visit"], task]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            print(done.stdout, end="")
            if done.returncode:
                print(f"{task}: R stopped: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            with_statsmodels(task, formula, frame, names)


def with_statsmodels(task: str, formula: str, frame: pd.DataFrame, names: dict[str, str]) -> None:
    """MixedLM with a random intercept: the nearest that statsmodels has (compound symmetry, no df)."""
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
    except ImportError:
        return
    design = mmrm_design(formula, frame, **names)
    seen = design.observed
    seconds = timed(lambda: MixedLM(design.y[seen], design.X[seen], groups=design.subject[seen]).fit(reml=True), 3)
    say(task, "statsmodels MixedLM (cs, no df)", seconds)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--fev")
    ask.add_argument("--repeat", type=int, default=7)
    ask.add_argument("--peers", action="store_true")
    ask.add_argument("--slow", action="store_true", help="peers on 1000 x 10 too (minutes)")
    ask.add_argument("--growth", action="store_true")
    ask.add_argument("--figure", default="mmrm-speed.png")
    asked = ask.parse_args()
    big = trial(1000, 10, seed=3)
    cases = {
        "35 x 3": ("y ~ arm * visit", trial(35, 3, seed=1, dropout=0.1), {"subject": "id", "visit": "visit"}),
        "200 x 4": fev_like(asked.fev),
        "1000 x 10": ("y ~ base * visit + arm * visit", big, {"subject": "id", "visit": "visit"}),
    }
    single_fits(cases, asked.repeat)
    robust(big, asked.repeat)
    loop(asked.repeat)
    if asked.peers:
        peers(cases, asked.slow)
    if asked.growth:
        draw(growth(min(asked.repeat, 3)), asked.figure)


if __name__ == "__main__":
    main()
