"""How long it takes to place and score training sessions: 1,000 made recordings of 5,400 seconds, and how it grows.

Run: python benchmarks/dosing.py [SESSIONS]
"""

import sys
import time
from itertools import pairwise

import numpy as np

from holdfast.core.recording import Lap, Recording
from holdfast.core.workout import Band
from holdfast.dosing.delivery import score_rows
from holdfast.dosing.matching import match
from holdfast.dosing.measuring import measure, whole
from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep
from holdfast.study.programme import Tolerance


def block(bouts: int = 5, seconds: int = 110) -> PrescribedBlock:
    """Bouts at 250 W with a minute at 125 W between."""
    steps = []
    for bout in range(1, bouts + 1):
        steps.append(PrescribedStep(f"bout {bout}", True, seconds, Band.around(250, 0.05), Band(100, 120)))
        if bout < bouts:
            steps.append(PrescribedStep(f"rest {bout}", False, 60, Band.around(125, 0.05), Band(65, 85)))
    return PrescribedBlock("cardio", "intervals", "cycle ergometer", tuple(steps))


def session(asked: PrescribedBlock, length: int, rng: np.random.Generator, *, laps: bool) -> Recording:
    """A made recording: easy riding with the block somewhere in it, noise, and a few seconds lost."""
    shape = np.concatenate([np.full(int(s.seconds), s.target_watts) for s in asked.steps])
    start = int(rng.integers(0, length - shape.size))
    watts = np.full(length, 60.0)
    watts[start : start + shape.size] = shape
    watts = np.maximum(watts + rng.normal(0, 12, length), 0)
    watts[rng.random(length) < 0.01] = np.nan
    heart = np.round(100 + 60 * np.clip(watts / 250, 0, 1))
    edges = start + np.concatenate([[0], np.cumsum([s.seconds for s in asked.steps])])
    cut = tuple(Lap(float(a), float(b)) for a, b in pairwise(edges)) if laps else ()
    channels = {"power": watts, "heart_rate": heart, "cadence": np.full(length, 90.0)}
    units = {"power": "W", "heart_rate": "bpm", "cadence": "rpm"}
    return Recording(None, np.arange(length, dtype=float), channels, units, cut)


def seconds_per_session(length: int, count: int, *, laps: bool) -> tuple[float, float]:
    """Processor time per session of placing, measuring and scoring; and the share in which
    every bout, ridden as asked, came out as delivered."""
    asked, rng, tolerance = block(), np.random.default_rng(1), Tolerance()
    spent, right = 0.0, 0
    for _ in range(count):
        recording = session(asked, length, rng, laps=laps)
        begin = time.process_time()
        placed, _ = match(asked, recording)
        scored = score_rows(asked, measure(asked, recording, placed), tolerance)
        whole(asked.name, recording)
        spent += time.process_time() - begin
        right += all(step.verdict == "delivered" for step in scored if step.work)
    return spent / count, right / count


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for name, laps in (("placed by the power trace", False), ("placed by laps", True)):
        each, right = seconds_per_session(5400, count, laps=laps)
        print(f"{count} sessions of 5,400 s, {name}: {1000 * each:.1f} ms of processor time each, {right:.1%} right")
    print("growth with the length of the recording, placed by the power trace:")
    before = None
    for length in (1350, 2700, 5400, 10800, 21600):
        each, _ = seconds_per_session(length, max(20, count // 20), laps=False)
        told = "" if before is None else f", {each / before:.2f} times for twice the length"
        print(f"  {length:>6} s: {1000 * each:6.1f} ms{told}")
        before = each


if __name__ == "__main__":
    main()
