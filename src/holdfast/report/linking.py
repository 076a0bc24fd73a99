"""References inside a document: `{{code}}` in a cell stands for the section with that code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from holdfast.report.model import Document

_REFERENCE = re.compile(r"\{\{([^{}]+)\}\}")


def titles(document: Document) -> dict[str, str]:
    """Section titles by code."""
    return {section.code: section.title for section in document.sections}


def resolve(text: str, known: Mapping[str, str], link: Callable[[str, str], str]) -> str:
    """Replace each reference by `link(code, title)`; a code that is no section stays a plain word."""
    return _REFERENCE.sub(lambda m: link(m[1], known[m[1]]) if m[1] in known else m[1], text)


def plain(text: str, known: Mapping[str, str]) -> str:
    """The text with titles in place of references."""
    return resolve(text, known, lambda code, title: title)


def pieces(text: str, known: Mapping[str, str]) -> list[dict[str, str]]:
    """The text as runs: `{"text": ...}`, and `{"text": title, "to": code}` for references."""
    runs: list[dict[str, str]] = []
    end = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > end:
            runs.append({"text": text[end : match.start()]})
        code = match[1]
        runs.append({"text": known[code], "to": code} if code in known else {"text": code})
        end = match.end()
    if end < len(text) or not runs:
        runs.append({"text": text[end:]})
    return runs
