"""Write docs/commands.md from the commands themselves; a test fails when it is not current."""

from __future__ import annotations

from pathlib import Path

import click
import typer

from holdfast.cli.main import app

TARGET = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """\
# Commands

Every command prints what it did and where the result is; `--json` gives one document for machines. Exit codes: 0 done,
1 problems found in data, 2 wrong call, 3 could not.

This page is written by `scripts/write-command-reference.py`; do not edit it by hand.
"""


def reference() -> str:
    """The reference as Markdown: each command, what it does, its arguments and options."""
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group | typer.core.TyperGroup)
    parts = [HEAD]
    for name in sorted(group.commands):
        parts.append(_section(f"holdfast {name}", group.commands[name]))
    return "\n".join(parts)


def _section(name: str, command: click.Command) -> str:
    words = [f"## `{name}`", "", " ".join((command.help or "").split()), ""]
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        words += ["| argument or option | meaning | default |", "|---|---|---|", *rows, ""]
    for sub, inner in sorted(getattr(command, "commands", {}).items()):
        words.append(_section(f"{name} {sub}", inner))
    return "\n".join(words)


def _row(parameter: click.Parameter) -> str:
    if parameter.param_type_name == "argument":
        called = f"`{(parameter.metavar or parameter.name or '').upper()}`"
    else:
        called = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    meaning = " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")
    default = parameter.default
    plain = isinstance(default, (str, int, float)) and not isinstance(default, bool) and default != ""
    needed = "required" if parameter.required else ""
    return f"| {called} | {meaning} | {f'`{default}`' if plain else needed} |"


if __name__ == "__main__":
    TARGET.write_text(reference())
    print(f"Wrote {TARGET.name}")  # noqa: T201
