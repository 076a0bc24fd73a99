"""A recording held against its session, in words and for machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.cli.lined import columns, number

if TYPE_CHECKING:
    from holdfast.app.desk import Done
    from holdfast.app.views.sessions import SessionInput
    from holdfast.core.issues import Issue
    from holdfast.core.recording import Recording
    from holdfast.dosing.delivery import StepDelivery
    from holdfast.dosing.heart import HeartRange
    from holdfast.dosing.matching import Match
    from holdfast.dosing.prescription import PrescribedBlock, Prescription
    from holdfast.dosing.verdicts import SessionDelivery


@dataclass(frozen=True, slots=True)
class Scored:
    """A recording held against its session: where the steps are, what was done of each, and the session's verdict."""

    asked: Prescription
    block: PrescribedBlock
    recording: Recording
    placed: Match
    steps: tuple[StepDelivery, ...]
    session: SessionDelivery
    issues: tuple[Issue, ...]


_HEAD = ("step", "asked", "done", "W asked", "W", "work", "in band", "rpm", "peak HR", "end HR", "not seen", "verdict")


def in_words(scored: Scored, found: SessionInput) -> list[str]:
    """The recording, where the steps are, what was done of each, the verdicts, and every problem."""
    from holdfast.dosing.heart import heart_range

    asked, placed, recording = scored.asked, scored.placed, scored.recording
    heart = heart_range(found.capacities, asked.on)
    mine = [step for step in scored.steps if step.block == scored.block.name]
    rows = [_HEAD, *(_row(step, scored.block, heart) for step in mine)]
    return [
        f"{asked.participant}, session {asked.session} on {asked.on}: {scored.block.name}",
        f"{recording.source.upper()} recording of {number(recording.duration / 60, 1)} min"
        + (f" from {recording.device}" if recording.device else ""),
        _placed(placed),
        "",
        *columns(rows),
        *_what_brackets_mean(scored, heart),
        *_others(scored),
        "",
        *_verdict(scored.session),
        *(str(issue) for issue in (*scored.issues, *found.issues)),
    ]


def _placed(placed: Match) -> str:
    if placed.how == "by hand":
        return "Steps placed by hand" if placed.found else "No step could be placed"
    return f"Steps placed by {placed.how}, agreement {placed.agreement:.2f}"


def _row(step: StepDelivery, block: PrescribedBlock, heart: HeartRange | None) -> tuple[str, ...]:
    planned = next(one for one in block.steps if one.name == step.step)
    return (
        step.step,
        number(step.planned),
        number(step.done),
        number(planned.target_watts),
        number(step.watts),
        "" if step.work_attainment is None else f"{step.work_attainment:.0%}",
        "" if step.in_band is None else f"{step.in_band:.0f} s",
        number(step.cadence),
        _beats(step.peak_heart_rate, heart),
        _beats(step.end_heart_rate, heart),
        f"{step.not_observed:.0f} s" if step.not_observed else "",
        step.verdict,
    )


def _beats(bpm: float | None, heart: HeartRange | None) -> str:
    if bpm is None:
        return ""
    shares = [share for share in _shares(bpm, heart) if share is not None]
    return f"{bpm:.0f} ({', '.join(f'{share:.0f}' for share in shares)})" if shares else f"{bpm:.0f}"


def _shares(bpm: float | None, heart: HeartRange | None) -> tuple[float | None, float | None]:
    return (heart.of_maximum(bpm), heart.of_reserve(bpm)) if heart is not None else (None, None)


def _what_brackets_mean(scored: Scored, heart: HeartRange | None) -> list[str]:
    seen = any(step.peak_heart_rate is not None for step in scored.steps)
    if not seen:
        return []
    if heart is None:
        return ["Heart rate in bpm; no test on record tells the maximum."]
    return ["Heart rate in bpm (% of maximum" + (", % of reserve)" if heart.rest is not None else ")")]


def _others(scored: Scored) -> list[str]:
    """The other blocks in one line each: how many of their steps have which verdict."""
    lines = []
    for block in scored.asked.blocks:
        verdicts = [step.verdict for step in scored.steps if step.block == block.name]
        if block.name != scored.block.name and verdicts:
            counts = ", ".join(f"{verdicts.count(one)} {one}" for one in dict.fromkeys(verdicts))
            lines.append(f"{block.name}: {counts}")
    return ["", *lines] if lines else []


def _verdict(session: SessionDelivery) -> list[str]:
    parts = f" in {', '.join(session.modified)}" if session.modified else ""
    unseen = sum(step.verdict == "not observable" for step in session.work_steps)
    lines = [f"Session: {session.verdict}{parts}"]
    if session.verdict != "as prescribed" and not session.reason:
        lines.append("Say why (--reason) and who decided (--decided-by).")
    if unseen:
        lines.append(
            f"{unseen} of {len(session.work_steps)} work steps were not observed; that is not the same as not done."
        )
    return lines


def as_json(scored: Scored, found: SessionInput, done: Done | None) -> str:
    """The same for machines."""
    import json
    from dataclasses import asdict

    from holdfast.dosing.heart import heart_range

    heart = heart_range(found.capacities, scored.asked.on)
    document: dict[str, Any] = {
        "participant": scored.asked.participant,
        "session": scored.asked.session,
        "placed": asdict(scored.placed),
        "steps": [_plain(step, heart) for step in scored.steps],
        "verdict": scored.session.verdict,
        "modified": scored.session.modified,
        "issues": [asdict(issue) for issue in scored.issues],
        "kept": None if done is None else done.records[0].seq,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)


def _plain(step: StepDelivery, heart: HeartRange | None) -> dict[str, Any]:
    from dataclasses import asdict

    told: dict[str, Any] = {**asdict(step), "reached": step.reached}
    for name in ("peak_heart_rate", "end_heart_rate"):
        maximum, reserve = _shares(getattr(step, name), heart)
        told |= {f"{name}_percent_of_maximum": maximum, f"{name}_percent_of_reserve": reserve}
    return told
