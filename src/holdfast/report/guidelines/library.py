"""The guidelines that ship with holdfast, read from the package's own data files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.errors import CallError, DataError
from holdfast.report.guidelines.model import Checklist, Item


@cache
def _shelf() -> dict[str, str]:
    """Guideline code -> text of its data file; the file is named after the code."""
    folder = files("holdfast.report.guidelines").joinpath("data")
    shelf = {}
    for entry in folder.iterdir():
        if entry.name.endswith(".toml"):
            shelf[entry.name.removesuffix(".toml")] = entry.read_text("utf-8")  # rim: data files of the package
    return shelf


def codes() -> list[str]:
    """The codes of all guidelines that ship, in alphabetical order."""
    return sorted(_shelf())


@cache
def load(code: str) -> Checklist:
    """The guideline with this code; raises `CallError` for an unknown one, naming the nearest."""
    if code not in _shelf():
        near = get_close_matches(code, _shelf(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise CallError(f"there is no guideline {code!r}{hint}", ways_out=["use one of: " + ", ".join(codes())])
    return checklist_from(tomllib.loads(_shelf()[code]), f"{code}.toml")


def checklist_from(table: Mapping[str, Any], source: str) -> Checklist:
    """Read a parsed data file; raises `DataError` when a key is missing, unknown or an item number is used twice.

    Items stand in [[sections]], each with a `name` and `items = [[number, topic, text], ...]`; `verified` and `source`
    of a section hold for its items.
    """
    rest = {key: value for key, value in table.items() if key not in {"sections", "notes"}}
    items = tuple(item for section in table.get("sections", ()) for item in _items(section, source))
    numbers = [item.number for item in items]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise DataError(f"{source}: item {twice[0]} is there twice")
    try:
        return Checklist(**rest, items=items, notes=tuple(table.get("notes", ())))
    except TypeError as error:
        raise DataError(f"{source}: {error}") from None


def _items(section: Mapping[str, Any], source: str) -> list[Item]:
    try:
        return [
            Item(number, section["name"], topic, text, section["verified"], section["source"])
            for number, topic, text in section["items"]
        ]
    except (KeyError, ValueError) as error:
        raise DataError(f"{source}: a section is not readable ({error})") from None
