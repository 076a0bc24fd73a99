"""Draw the path of a participant from the transition table into docs/path.md; a test fails when it is not current."""

from __future__ import annotations

from pathlib import Path

from holdfast.app.path import IMPORTED, TABLE, Event, State

PAGE = Path(__file__).resolve().parents[1] / "docs" / "path.md"

HEAD = """# The path of a participant

Drawn from `holdfast.app.path.TABLE` by `scripts/write-path.py`; a test fails when this page is not what the table says.
A state is never stored: it follows from the facts of the ledger, in order. What has no arrow and no row here is
refused.
"""

GROUPS = {
    "getting ready": (State.CONSENTED, State.ENROLLED, State.BASELINE),
    "in the study": (State.RANDOMISED, State.IN_PROGRAMME, State.FOLLOW_UP, State.NO_TRAINING),
}
"""States that are drawn as one box, because much leads from all of them to one place."""


def page() -> str:
    """The whole page as Markdown with one Mermaid diagram."""
    return "\n".join([HEAD, *_diagram(), "", *_staying(), "", *_imported(), ""])


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> unknown"]
    for name, members in GROUPS.items():
        lines += [f'    state "{name}" as {_name(name)} {{', *(f"    {_state(each)}" for each in members), "    }"]
    grouped = {state for members in GROUPS.values() for state in members}
    lines += [_state(state) for state in State if state not in grouped]
    lines += [f"    {a} --> {b}: {' / '.join(events)}" for (a, b), events in _arrows().items()]
    return [*lines, "```"]


def _arrows() -> dict[tuple[str, str], list[Event]]:
    """Events by where they lead from and to; what leads from every state of a group to one place is one arrow."""
    arrows: dict[tuple[str, str], list[Event]] = {}
    for event, steps in TABLE.items():
        moves = {before: after for before, after in steps.items() if before is not after}
        for name, members in GROUPS.items():
            targets = {moves.get(state) for state in members}
            if len(targets) == 1 and None not in targets:
                arrows.setdefault((_name(name), _name(moves[members[0]].name)), []).append(event)
                moves = {before: after for before, after in moves.items() if before not in members}
        for before, after in moves.items():
            arrows.setdefault((_name(before.name), _name(after.name)), []).append(event)
    return arrows


def _staying() -> list[str]:
    lines = ["## What may happen without moving on", "", "| what | in these states |", "|---|---|"]
    for event, steps in TABLE.items():
        stays = [str(before) for before, after in steps.items() if before is after]
        if stays:
            lines.append(f"| {event} | {'; '.join(stays)} |")
    return lines


def _imported() -> list[str]:
    lines = ["## Further steps for people of an imported trial", "", "| what | from | to |", "|---|---|---|"]
    for event, steps in IMPORTED.items():
        lines += [f"| {event} | {before} | {after} |" for before, after in steps.items()]
    return lines


def _state(state: State) -> str:
    return f'    state "{state}" as {_name(state.name)}'


def _name(text: str) -> str:
    return text.lower().replace(" ", "_")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE.name}")  # noqa: T201
