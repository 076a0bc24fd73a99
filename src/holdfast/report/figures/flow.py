"""The CONSORT flow diagram, drawn as boxes from counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.report.figures.svg import FONT, text

INK, SOFT, LINE, FILL, HEAD = "#1b1f24", "#57606a", "#57606a", "#ffffff", "#eef3f8"
SIZE, LEADING, PAD = 11, 15.5, 9
WIDTH, MARGIN = 700, 84
EM = 0.56  # mean width of a letter of the widest font used, in font sizes


@dataclass(frozen=True, slots=True)
class Box:
    """A heading line and lines under it; a line that begins with a space is indented."""

    heading: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the diagram: its name at the left, and one box per arm."""

    name: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole diagram: boxes before randomisation, who was excluded, and the stages of the arms."""

    code: str
    before: tuple[Box, ...]
    excluded: Box | None
    stages: tuple[Stage, ...]
    alt: str


@dataclass(frozen=True, slots=True)
class _Placed:
    x: float
    y: float
    width: float
    height: float
    svg: str

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def draw(flow: Flow) -> str:
    """Boxes top to bottom, arms side by side, arrows between."""
    arms = max((len(stage.boxes) for stage in flow.stages), default=1)
    inner = WIDTH - MARGIN - 6
    parts: list[str] = []
    y = 6.0
    previous: _Placed | None = None
    for box in flow.before:
        centre = MARGIN + inner / 2
        placed = _place(box, centre - 125, y, 250, fill=HEAD)
        if previous is not None:
            side = _excluded(flow.excluded, inner, y)
            if side is not None:
                parts += [side.svg, *_elbow(previous, side)]
                placed = _place(box, centre - 125, side.y + side.height + 22, 250, fill=HEAD)
            parts += _arrow(previous.middle, previous.y + previous.height, placed.y)
        parts.append(placed.svg)
        previous = placed
        y = placed.y + placed.height + 26
    parts.append(_stage_name("Enrolment", 6, y - 26))
    column = (inner - 16 * (arms - 1)) / arms
    above: list[_Placed] = []
    for number, stage in enumerate(flow.stages):
        row = [_place(box, MARGIN + k * (column + 16), y, column) for k, box in enumerate(stage.boxes)]
        tall = max(placed.height for placed in row)
        row = [_place(box, MARGIN + k * (column + 16), y, column, height=tall) for k, box in enumerate(stage.boxes)]
        if number == 0 and previous is not None:
            parts += _fan(previous, row)
        for upper, lower in zip(above, row, strict=False):
            parts += _arrow(lower.middle, upper.y + upper.height, lower.y)
        parts += [placed.svg for placed in row]
        parts.append(_stage_name(stage.name, y, y + tall))
        above = row
        y += tall + 24
    height = y - 14
    label = flow.alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="{WIDTH}" '
        f'height="{height:g}" viewBox="0 0 {WIDTH} {height:g}" font-family="{FONT}">{"".join(parts)}</svg>'
    )


def _place(box: Box, x: float, y: float, width: float, *, height: float = 0.0, fill: str = FILL) -> _Placed:
    heading = _wrap(box.heading, width)
    lines = [piece for line in box.lines for piece in _indented(line, width)]
    tall = max(2 * PAD + LEADING * (len(heading) + len(lines)) - 4, height)
    parts = [
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{tall:g}" rx="4" fill="{fill}" stroke="{LINE}" '
        'stroke-width="1"/>'
    ]
    base = y + PAD + SIZE - 1
    for i, line in enumerate(heading):
        parts.append(text(x + PAD, base + i * LEADING, line, font_size=SIZE, font_weight=600, fill=INK))
    for i, (indent, line) in enumerate(lines, start=len(heading)):
        parts.append(text(x + PAD + indent, base + i * LEADING, line, font_size=SIZE, fill=INK if not indent else SOFT))
    return _Placed(x, y, width, tall, "".join(parts))


def _indented(line: str, width: float) -> list[tuple[float, str]]:
    indent = 12.0 if line.startswith(" ") else 0.0
    return [(indent, piece) for piece in _wrap(line.strip(), width - indent)]


def _wrap(words: str, width: float) -> list[str]:
    room = int((width - 2 * PAD) / (SIZE * EM))
    lines = [""]
    for word in words.replace(" = ", "\u00a0=\u00a0").split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _excluded(box: Box | None, inner: float, y: float) -> _Placed | None:
    if box is None:
        return None
    return _place(box, MARGIN + inner * 0.5 + 26, y - 8, inner * 0.5 - 26)


def _line(points: str) -> str:
    return f'<path d="{points}" fill="none" stroke="{LINE}" stroke-width="1.1"/>'


def _head(x: float, y: float, *, right: bool = False) -> str:
    if right:
        return f'<polygon points="{x:g},{y:g} {x - 7:g},{y - 3.5:g} {x - 7:g},{y + 3.5:g}" fill="{LINE}"/>'
    return f'<polygon points="{x:g},{y:g} {x - 3.5:g},{y - 7:g} {x + 3.5:g},{y - 7:g}" fill="{LINE}"/>'


def _arrow(x: float, top: float, bottom: float) -> list[str]:
    return [_line(f"M{x:g} {top:g} V{bottom - 5:g}"), _head(x, bottom)]


def _elbow(upper: _Placed, side: _Placed) -> list[str]:
    y = side.y + side.height / 2
    return [_line(f"M{upper.middle:g} {y:g} H{side.x - 5:g}"), _head(side.x, y, right=True)]


def _fan(upper: _Placed, row: Sequence[_Placed]) -> list[str]:
    y = upper.y + upper.height
    bend = y + 12
    parts = [_line(f"M{upper.middle:g} {y:g} V{bend:g}")]
    for placed in row:
        parts += [
            _line(f"M{upper.middle:g} {bend:g} H{placed.middle:g} V{placed.y - 5:g}"),
            _head(placed.middle, placed.y),
        ]
    return parts


def _stage_name(name: str, top: float, bottom: float) -> str:
    middle = (top + bottom) / 2
    words = name.split(" ")
    out = f'<rect x="6" y="{top:g}" width="4" height="{bottom - top:g}" fill="#0b5fa5"/>'
    first = middle + 4 - 6.5 * (len(words) - 1)
    for i, word in enumerate(words):
        out += text(16, first + 13 * i, word, font_size=10, font_weight=600, fill="#0b5fa5")
    return out
