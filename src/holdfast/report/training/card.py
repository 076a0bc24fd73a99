"""The session card: one page per session with absolute numbers and boxes to tick, as PDF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any

import typst

from holdfast.dosing.prescription import PrescribedBlock, PrescribedStep, Prescription


def session_cards(
    prescriptions: Sequence[Prescription], *, study: str, title: str, scale: str = "", simulated: bool = False
) -> bytes:
    """Cards for these sessions, one page each, as PDF/UA; the same prescriptions give the same bytes.

    Parameters
    ----------
    study : title of the study, for the head of the page.
    title : what the document is called ("Session 5 of P01").
    scale : the declared rating scale of effort ("CR10"); without one the card leaves room to name it.
    simulated : says on every page that the person does not exist.
    """
    banner = "SIMULATED: this person does not exist" if simulated else ""
    data = {
        "study": study,
        "title": title,
        "banner": banner,
        "provenance": "Every number follows from the recorded tests and the recorded sessions.",
        "effort": scale or "on which scale? ________",
        "cards": [_card(one) for one in prescriptions],
    }
    source = files(__package__).joinpath("card.typ").read_bytes()
    stamp = datetime.combine(min((one.on for one in prescriptions), default=date(2000, 1, 1)), time(), UTC)
    made: bytes = typst.compile(
        source,
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=int(stamp.timestamp()),
    )
    return made


def _card(one: Prescription) -> dict[str, Any]:
    return {
        "title": f"Session {one.session}" + (f": {one.programme}" if one.programme else ""),
        "participant": one.participant,
        "session": str(one.session),
        "on": f"{one.on:%d %B %Y}",
        "notes": [*one.notes, *_unverified(one)],
        "blocks": [_block(block) for block in one.blocks if block.steps],
    }


def _unverified(one: Prescription) -> list[str]:
    names = [block.name for block in one.blocks if not block.verified and block.steps]
    if not names:
        return []
    return [f"Editable defaults, unverified against the published protocol: {', '.join(names)}."]


def _block(block: PrescribedBlock) -> dict[str, Any]:
    timed = all(step.exercise == "" for step in block.steps)
    columns, widths = _TIMED if timed else _SETS
    rows = [_timed_row(step) if timed else _set_row(step) for step in block.steps]
    kept = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    reasons = dict.fromkeys(reason for step in block.steps for reason in step.why)
    return {
        "title": block.name + (f", {block.mode}" if block.mode else "") + _total(block),
        "columns": [*(columns[i] for i in kept), "done", "what was done instead"],
        "widths": [*(widths[i] for i in kept), 0.6, 2.4],
        "rows": [[row[i] for i in kept] for row in rows],
        "why": "; ".join((*block.why, *(reasons if len(reasons) <= 3 else []))) if reasons else "",
    }


_TIMED = (("step", "time", "watts", "rpm", "heart rate", "RPE"), (2.4, 0.8, 1.2, 0.7, 1.0, 0.6))
_SETS = (("exercise", "sets x reps", "load", "hold", "rest"), (3.6, 1.0, 1.0, 0.6, 0.6))


def _total(block: PrescribedBlock) -> str:
    seconds = block.seconds
    return f" ({clock(seconds)} in all)" if seconds and len(block.steps) > 1 else ""


def _timed_row(step: PrescribedStep) -> list[str]:
    watts = "" if step.watts is None else f"{step.watts.middle:.0f} ({step.watts.low:.0f}-{step.watts.high:.0f})"
    rpm = "" if step.cadence is None else f"{step.cadence.middle:.0f}"
    heart = "" if step.heart_rate is None else f"{step.heart_rate.low:.0f}-{step.heart_rate.high:.0f}"
    name = f"{step.name}: {step.text}" if step.text and step.text != step.name else step.name
    rpe = "" if step.rpe is None else f"{step.rpe:g}"
    return [name, "" if step.seconds is None else clock(step.seconds), watts, rpm, heart, rpe]


def _set_row(step: PrescribedStep) -> list[str]:
    name = f"{step.name}, {step.level}" if step.level else step.name
    load = f"{step.kg:g} kg" if step.kg is not None else f"{step.percent:g} % {step.of}" if step.percent else ""
    hold = "" if step.hold_seconds is None else f"{step.hold_seconds:g} s"
    rest = "" if step.rest_seconds is None else f"{step.rest_seconds:g} s"
    return [name, f"{step.sets or 1} x {step.reps or 1}", load, hold, rest]


def clock(seconds: float) -> str:
    """Seconds as m:ss, exact to the second."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
