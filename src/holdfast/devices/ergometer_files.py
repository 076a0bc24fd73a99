"""Workouts as ERG, MRC and ZWO files, with exact seconds."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from holdfast.core.workout import Step, StepKind, Workout
from holdfast.errors import CallError

PERCENT_IS_WATTS = 100.0
"""Default reference of the relative formats: with an FTP of 100 W in the player, per cent and watts are one number."""


def write_erg(workout: Workout) -> bytes:
    """ERG: minutes and absolute watts. A jump is two lines at the same minute.

    Minutes carry ten decimals, so a reader that multiplies by 60 and rounds to a millisecond gets the exact second;
    two decimals, as some programs write, would be off by up to 0.3 s at each edge.
    """
    rows = [(start, end, step, _middle_watts(step, "ERG")) for start, end, step in workout.timed()]
    lines = [f"{_minutes(at)}\t{_decimal(watts)}" for start, end, _, watts in rows for at in (start, end)]
    return _course(workout, "WATTS", lines)


def write_mrc(workout: Workout, *, reference_watts: float = PERCENT_IS_WATTS) -> bytes:
    """MRC: minutes and per cent of `reference_watts`, which the player must know as the person's FTP."""
    reference_watts = _checked(reference_watts)
    rows = [(start, end, 100 * _middle_watts(step, "MRC") / reference_watts) for start, end, step in workout.timed()]
    lines = [f"{_minutes(at)}\t{_decimal(percent)}" for start, end, percent in rows for at in (start, end)]
    return _course(workout, "PERCENT", lines, reference_watts)


def _course(workout: Workout, unit: str, lines: list[str], reference: float | None = None) -> bytes:
    head = ["[COURSE HEADER]", "VERSION = 2", "UNITS = METRIC", f"DESCRIPTION = {_line(workout.name)}"]
    head.append(f"FILE NAME = {_line(workout.name)}")
    if reference is not None:
        head.append(f"FTP = {_decimal(reference)}")
    head += [f"MINUTES {unit}", "[END COURSE HEADER]", "[COURSE DATA]"]
    text = ["[END COURSE DATA]", "[COURSE TEXT]"]
    text += [f"{_decimal(start)}\t{_line(step.name)}{_cadence_words(step)}\t10" for start, _, step in workout.timed()]
    return "\r\n".join([*head, *lines, *text, "[END COURSE TEXT]", ""]).encode()


def write_zwo(workout: Workout, *, reference_watts: float = PERCENT_IS_WATTS) -> bytes:
    """ZWO: XML with power as a fraction of `reference_watts`, to be set as the person's FTP in the player.

    The format counts whole seconds, so a step of fractional seconds is refused. A step without watts is free riding.
    """
    reference_watts = _checked(reference_watts)
    steps = "\n".join(_zwo_step(step, reference_watts) for _, _, step in workout.timed())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<workout_file>\n'
        f"    <author>holdfast</author>\n    <name>{_xml(workout.name)}</name>\n"
        f"    <description>{_xml(f'Set FTP to {reference_watts:g} W before playing.')}</description>\n"
        f"    <sportType>bike</sportType>\n    <workout>\n{steps}\n    </workout>\n</workout_file>\n"
    ).encode()


def _zwo_step(step: Step, reference: float) -> str:
    if step.seconds is None or step.seconds != int(step.seconds):
        raise CallError(
            f"ZWO holds whole seconds only; step {step.name!r} lasts {step.seconds} s",
            ways_out=("write FIT or ERG, which hold fractions of a second",),
        )
    words = [f'Duration="{int(step.seconds)}"']
    if step.watts is not None:
        words.append(f'Power="{_decimal(step.watts.middle / reference)}"')
    if step.cadence is not None:
        words.append(f'Cadence="{_decimal(step.cadence.middle)}"')
    tag = "FreeRide" if step.watts is None else "SteadyState"
    event = f'<textevent timeoffset="0" message={quoteattr(_line(step.name))}/>'
    return f"        <{tag} {' '.join(words)}>{event}</{tag}>"


def _middle_watts(step: Step, form: str) -> float:
    if step.watts is None:
        raise CallError(
            f"step {step.name!r} has no power target, which {form} needs",
            ways_out=("write FIT or ZWO, which know steps without power",),
        )
    return step.watts.middle


def _checked(watts: float) -> float:
    if not 20 <= watts <= 2000:
        raise CallError(f"reference watts of {watts} cannot be meant")
    return watts


def _minutes(seconds: float) -> str:
    return _decimal(seconds / 60)


def _decimal(value: float) -> str:
    text = f"{value:.10f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _line(text: str) -> str:
    """One line without control signs, tabs or the brackets that open a section."""
    plain = "".join(sign if sign.isprintable() and sign not in "[]" else " " for sign in text)
    return " ".join(plain.split())


def _xml(text: str) -> str:
    return _line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cadence_words(step: Step) -> str:
    rest = " (rest)" if step.kind is StepKind.REST else ""
    return rest if step.cadence is None else f"{rest} {step.cadence.middle:g} rpm"
