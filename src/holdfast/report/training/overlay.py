"""One session as asked and as done: the target band and the delivered trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from holdfast.core.recording import Recording
from holdfast.dosing.delivery import StepDelivery
from holdfast.dosing.matching import Match
from holdfast.dosing.prescription import PrescribedBlock
from holdfast.report.figures.canvas import ACCENT, COLOURS, INK, RULE, SOFT, axes, figure, save
from holdfast.report.training.styling import in_house_style

VERDICT_COLOURS = {
    "delivered": COLOURS[2],
    "over": COLOURS[1],
    "under": COLOURS[1],
    "short": COLOURS[4],
    "skipped": COLOURS[3],
    "not observable": SOFT,
}


@in_house_style
def session_overlay(
    block: PrescribedBlock, recording: Recording, match: Match, scored: Sequence[StepDelivery], *, code: str, title: str
) -> str:
    """The figure as SVG: power against its target bands above, heart rate below, each step with its verdict.

    Seconds without a signal are left open, so that a dead sensor cannot look like rest.
    """
    trace = recording.at_1hz(bridge=2.0)
    minutes = trace.seconds / 60
    made = figure(3.6)
    power, heart = axes(made, 2, 1, sharex=True, height_ratios=[3, 1])
    _bands(power, block, match, scored)
    _trace(power, minutes, trace.channel("power"), color=INK, lw=0.8)
    power.set_ylabel("power (W)")
    power.set_ylim(bottom=0)
    _trace(heart, minutes, trace.channel("heart_rate"), color=COLOURS[1], lw=0.9)
    heart.set_ylabel("heart rate (bpm)")
    heart.set_xlabel("minutes of the recording")
    for axis in (power, heart):
        axis.grid(axis="y", color=RULE, lw=0.4)
    confirmed = f"confirmed by {match.confirmed_by}" if match.confirmed_by else "not yet confirmed by a person"
    power.set_title(f"{title}: placed by {match.how}, {confirmed}")
    return save(made, code, title)


def _trace(axis: Any, minutes: Any, values: Any, **style: Any) -> None:
    """The trace, or a word that there is none: an empty panel could be taken for rest."""
    if np.isfinite(values).any():
        axis.plot(minutes, values, **style)
    else:
        axis.text(0.5, 0.5, "not recorded", ha="center", va="center", color=SOFT, transform=axis.transAxes)


def _bands(axis: Any, block: PrescribedBlock, match: Match, scored: Sequence[StepDelivery]) -> None:
    tops = [step.watts.high for step in block.steps if step.watts is not None]
    top = max(tops, default=100.0)
    for step, span, done in zip(block.steps, match.spans, scored, strict=True):
        if span is None or step.watts is None:
            continue
        start, end = span.start / 60, span.end / 60
        axis.fill_between(
            [start, end],
            step.watts.low,
            step.watts.high,
            color=ACCENT if step.work else SOFT,
            alpha=0.25 if step.work else 0.18,
            lw=0,
        )
        if step.work:
            share = "" if done.work_attainment is None else f"\n{done.work_attainment:.0%}"
            axis.text(
                (start + end) / 2,
                top * 1.06,
                f"{done.verdict}{share}",
                ha="center",
                va="bottom",
                fontsize=6.5,
                color=VERDICT_COLOURS[done.verdict],
            )
    axis.set_ylim(0, max(top * 1.3, float(np.nanmax([top]))))
