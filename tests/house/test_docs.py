"""The documents are part of what is tested: commands, decisions, and what the README promises."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def script(name: str):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_current():
    """`python scripts/write-command-reference.py` writes it anew."""
    assert (ROOT / "docs" / "commands.md").read_text() == script("write-command-reference").reference()


def test_every_command_says_what_it_does_and_stands_in_the_readme():
    commands = re.findall(r"^## `holdfast ([a-z-]+)`\n\n(.*)$", (ROOT / "docs" / "commands.md").read_text(), re.M)
    readme = (ROOT / "README.md").read_text()
    assert commands
    for name, said in commands:
        assert len(said) > 20, f"holdfast {name} does not say what it does"
        assert f"holdfast {name}" in readme, f"holdfast {name} is not in the README"


def test_every_decision_has_its_parts_and_a_number_of_its_own():
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(set(numbers)) == len(numbers)
    for page in pages:
        text = page.read_text()
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences")), page.name


def test_links_between_documents_lead_somewhere():
    broken = []
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert not broken
