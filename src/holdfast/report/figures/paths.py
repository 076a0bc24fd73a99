"""The paths of a mediation analysis, drawn with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.report.figures.svg import FONT, text

INK, SOFT, RULE, ACCENT, PALE = "#1b1f24", "#57606a", "#c9ced6", "#0b5fa5", "#f4f7fa"


@dataclass(frozen=True, slots=True)
class Path:
    """One mediator: arm to mediator (a), mediator to outcome (b), and the effect through it, all as printed."""

    mediator: str
    a: str
    b: str
    indirect: str
    clear: bool


@dataclass(frozen=True, slots=True)
class Paths:
    """Arm at the left, mediators in the middle, outcome at the right, the direct effect below."""

    code: str
    arm: str
    outcome: str
    paths: Sequence[Path]
    direct: str
    total: str
    alt: str


def draw(paths: Paths) -> str:
    """Boxes and arrows with their estimates; a path whose interval leaves out zero is drawn strong."""
    k = len(paths.paths)
    gap, top = 96, 64
    lift = 48 if k == 1 else 0  # a level arrow between wide boxes leaves its label no room
    height = top + gap * k + 66
    middle = top + gap * (k - 1) / 2
    parts = [_box(8, middle, 116, paths.arm), _box(516, middle, 116, paths.outcome)]
    for i, path in enumerate(paths.paths):
        y = top + gap * i
        colour, width = (ACCENT, 2.2) if path.clear else (SOFT, 1.1)
        parts += [
            _box(252, y, 136, path.mediator),
            _arrow((124, middle), (252, y), colour, width),
            _arrow((388, y), (516, middle), colour, width),
            _label((124 + 252) / 2, (middle + y) / 2 - lift, path.a),
            _label((388 + 516) / 2, (middle + y) / 2 - lift, path.b),
            text(
                320,
                y + _half(path.mediator, 136) + 14,
                f"through it: {path.indirect}",
                fill=colour,
                text_anchor="middle",
                font_size=10,
            ),
        ]
    y = top + gap * k
    parts += [
        f'<path d="M66 {middle + 26:g} V{y:g} H574 V{middle + 36:g}" fill="none" stroke="{SOFT}" stroke-width="1.1"/>',
        _head(574, middle + 27, 0, -1, SOFT),
        _label(320, y, f"direct effect: {paths.direct}"),
        text(
            320, y + 30, f"total effect: {paths.total}", fill=INK, text_anchor="middle", font_size=11, font_weight=600
        ),
    ]
    label = paths.alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="640" height="{height}" '
        f'viewBox="0 0 640 {height}" font-family="{FONT}">{"".join(parts)}</svg>'
    )


def _box(x: float, y: float, width: float, words: str) -> str:
    lines, half = _wrap(words, int(width / 7.2)), _half(words, width)
    out = (
        f'<rect x="{x:g}" y="{y - half:g}" width="{width:g}" height="{2 * half:g}" rx="5" fill="{PALE}" stroke="{INK}" '
        'stroke-width="1"/>'
    )
    first = y + 4 - 6.5 * (len(lines) - 1)
    for i, line in enumerate(lines):
        out += text(x + width / 2, first + 13 * i, line, text_anchor="middle", font_size=11, fill=INK, font_weight=600)
    return out


def _half(words: str, width: float) -> float:
    """Half the height of a box with these words."""
    return 12.0 + 7 * len(_wrap(words, int(width / 7.2)))


def _wrap(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines if len(lines) <= 3 else [*lines[:2], lines[2] + "…"]


def _arrow(start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> str:
    (x0, y0), (x1, y1) = start, end
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    line = (
        f'<path d="M{x0:g} {y0:g} L{x1 - 7 * ux:.1f} {y1 - 7 * uy:.1f}" fill="none" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
    )
    return line + _head(x1, y1, ux, uy, colour)


def _head(x: float, y: float, ux: float, uy: float, colour: str) -> str:
    left = (x - 9 * ux + 4 * uy, y - 9 * uy - 4 * ux)
    right = (x - 9 * ux - 4 * uy, y - 9 * uy + 4 * ux)
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in ((x, y), left, right))
    return f'<polygon points="{points}" fill="{colour}"/>'


def _label(x: float, y: float, words: str) -> str:
    width = 6.0 * len(words) + 8
    back = f'<rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="17" fill="#ffffff"/>'
    return back + text(x, y + 3.5, words, text_anchor="middle", font_size=10, fill=INK)
