"""Mean number of episodes per person over time, by arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.report.figures.canvas import axes, colours, figure, save, styled
from holdfast.report.figures.cumulative import DASHES


@dataclass(frozen=True, slots=True)
class Steps:
    """A step function with its band."""

    time: Sequence[float]
    value: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Step functions per arm; `label` names the time axis."""

    code: str
    label: str
    arms: Mapping[str, Steps]
    alt: str
    what: str = "mean episodes per person"


@styled
def draw(recurrence: Recurrence) -> str:
    """One step per arm with its interval."""
    made = figure(2.9, 5.6)
    (panel,) = axes(made)
    colour = colours(list(recurrence.arms))
    for k, (arm, steps) in enumerate(recurrence.arms.items()):
        panel.fill_between(steps.time, steps.low, steps.high, step="post", color=colour[arm], alpha=0.14, linewidth=0)
        panel.step(
            steps.time, steps.value, where="post", color=colour[arm], linestyle=DASHES[k % len(DASHES)], label=arm
        )
    panel.set_xlim(left=0)
    panel.set_ylim(bottom=0)
    panel.set_xlabel(recurrence.label)
    panel.set_ylabel(recurrence.what)
    panel.grid(color="#e3e6ea", linewidth=0.6)
    panel.legend(loc="upper left")
    return save(made, recurrence.code, recurrence.alt)
