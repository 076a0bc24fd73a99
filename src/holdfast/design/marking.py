"""A study file made to say that its people are simulated."""

from __future__ import annotations

import re

from holdfast.errors import CallError

_HEADER = re.compile(r"^\[study\][ \t]*(#.*)?$", re.MULTILINE)
_SAID = re.compile(r"^simulated[ \t]*=[ \t]*(true|false)", re.MULTILINE)


def marked(text: str) -> str:
    """The study file with `simulated = true` under [study]; all else, comments included, as it was.

    Raises `CallError` when the text has no [study] table.
    """
    header = _HEADER.search(text)
    if header is None:
        raise CallError("The study file has no [study] table, so it cannot be marked as simulated.")
    after = text[header.end() :]
    end = re.search(r"^\[", after, re.MULTILINE)
    table, rest = (after[: end.start()], after[end.start() :]) if end else (after, "")
    if _SAID.search(table):
        return text[: header.end()] + _SAID.sub("simulated = true", table, count=1) + rest
    return text[: header.end()] + "\nsimulated = true" + table + rest
