"""Write docs/roles.md, who may do and see what, from the place that decides it; a test fails when it is not current."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

from holdfast.app import access, deeds, views
from holdfast.app.desk import Role

PAGE = Path(__file__).resolve().parents[1] / "docs" / "roles.md"

HEAD = """# Who may do and see what

Written by `scripts/write-roles.py` from `holdfast.app.access`, the one place that decides; do not edit it by hand.
Roles: coordinator (C), trainer (T), assessor (A), participant (P), statistician (S), monitor (M), administrator (Ad),
independent randomiser (R). A participant sees and answers only what is the participant's own.

Every deed is one transaction: all of it is kept, or nothing and the reason. A deed that the path of the participant
([path.md](path.md)), the protocol or the lock does not allow is refused. A record is never changed: a correction is a
new record with a reason, refused when the editor saw an older value.
"""

ARMS = """## Who knows an arm

- While the study runs: the trainer, one person at a time, through the session; each look is a record of its own. A role
  that the study file names in `randomisation.blinded` never does.
- In an emergency: whoever may `unblind`, one person, with a reason and the names of those who were told.
- After the lock: the statistician, as A and B. After the reveal: {revealed}.
- Never through this system: assessor and participant.

Arms, programmes and doses are also withheld where they would show indirectly: in free texts, in tests and decisions
between visits, in corrections of and questions about training records, in how often somebody trained where the arms
train differently often, in counts. A test lives two worlds in step, with the arms exchanged, and compares every answer
of every deed and view to the letter.
"""

LETTERS = {
    Role.COORDINATOR: "C",
    Role.TRAINER: "T",
    Role.ASSESSOR: "A",
    Role.PARTICIPANT: "P",
    Role.STATISTICIAN: "S",
    Role.MONITOR: "M",
    Role.ADMINISTRATOR: "Ad",
    Role.RANDOMISER: "R",
}


def page() -> str:
    """The whole page as Markdown."""
    revealed = ", ".join(role for role in LETTERS if role in access.SEES_ARMS_REVEALED)
    head = f"| deed | {' | '.join(LETTERS.values())} | what it does |"
    rule = "|---|" + ":-:|" * len(LETTERS) + "---|"
    done = [_row(name, right.roles, getattr(deeds, name)) for name, right in access.DEEDS.items()]
    seen = [_row(name, roles, getattr(views, name, None)) for name, roles in access.VIEWS.items()]
    late = ", ".join(f"`{name}`" for name, right in access.DEEDS.items() if right.after_lock)
    parts = [HEAD, "## Deeds\n", head, rule, *done, f"\nStill possible after the lock: {late}.\n"]
    parts += ["## Views and exports\n", head.replace("deed", "view"), rule, *seen, "", ARMS.format(revealed=revealed)]
    return "\n".join(parts)


def _row(name: str, roles: Iterable[Role], function: object) -> str:
    mine = set(roles)
    said = (inspect.getdoc(function) or DATASET).split("\n\n")[0].replace("\n", " ")
    marks = " | ".join("x" if role in mine else "" for role in LETTERS)
    return f"| `{name}` | {marks} | {said} |"


DATASET = "The long table of one outcome, for the analysis."

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE.name}")  # noqa: T201
