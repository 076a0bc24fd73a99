"""A TOML text into a frozen type, every problem found in one pass with its line.

Used for the study file and for import maps; what the problems mean in trial terms is not known here.
"""

from __future__ import annotations

import difflib
import json
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from holdfast.core.issues import Issue
from holdfast.study.lines import Path, line_of, positions, syntax_errors

Model = TypeVar("Model", bound=BaseModel)


def read_toml(text: str, name: str = "study.toml") -> tuple[dict[str, Any], Mapping[Path, int], list[Issue]]:
    """Values and line numbers of a TOML text, with an issue for every stretch that is not TOML."""
    lines = positions(text)
    try:
        return tomllib.loads(text), lines, []
    except tomllib.TOMLDecodeError as error:
        return {}, lines, _syntax_issues(text, name, error)


def _syntax_issues(text: str, name: str, error: tomllib.TOMLDecodeError) -> list[Issue]:
    remedy = 'A line is `key = value`, a `[table]` or a `[[list element]]`; text stands in "quotes".'
    said = str(error)
    line = _line_in(said)
    found = [Issue("not-toml", f"{name}:{line}", f"this is not TOML: {said}.", remedy, line=line)]
    for other, snippet in syntax_errors(text):
        if other != line:
            what = f"this is not TOML: {snippet!r}." if snippet else "this is not TOML."
            found.append(Issue("not-toml", f"{name}:{other}", what, remedy, line=other))
    return sorted(found, key=lambda issue: issue.line or 0)


def _line_in(message: str) -> int:
    tail = message.partition("at line ")[2]
    digits = tail.split(",", maxsplit=1)[0]
    return int(digits) if digits.isdigit() else 1


def validate(
    model: type[Model], data: Mapping[str, Any], lines: Mapping[Path, int], name: str
) -> tuple[Model | None, list[Issue]]:
    """The frozen type these values mean, or None with one issue per problem.

    Values are taken strictly: the text "5" is not the number 5. Unknown keys are problems; the nearest known
    key is offered.
    """
    try:
        return model.model_validate_json(json.dumps(data, default=_iso), strict=True), []
    except ValidationError as error:
        issues = [_issue(model, data, lines, name, detail) for detail in error.errors()]
        return None, sorted(_unrepeated(issues), key=lambda issue: issue.line or 0)


def _iso(value: object) -> str:
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _unrepeated(issues: Iterable[Issue]) -> list[Issue]:
    """One issue per place and code: a union reports the same wrong value once per member."""
    seen: dict[tuple[str, str], Issue] = {}
    for issue in issues:
        seen.setdefault((issue.where, issue.code), issue)
    return list(seen.values())


def _issue(
    model: type[BaseModel], data: Mapping[str, Any], lines: Mapping[Path, int], name: str, detail: ErrorDetails
) -> Issue:
    path, owner, here = _walk(model, data, detail["loc"])
    line = line_of(path, lines)
    code, what, remedy = _say(detail, path, owner, here)
    return Issue(code, f"{name}:{line} {dotted(path)}", what, remedy, line=line)


def dotted(path: Path) -> str:
    """A path as people write it: arms[1].code, counted from 1 as people count."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(the file)"


def _say(detail: ErrorDetails, path: Path, owner: Any, here: Any) -> tuple[str, str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        known = _keys_of(owner)
        return "unknown-key", f"the key {key!r} is not known here.", nearest(key, known)
    if kind == "missing":
        return "missing-key", f"the key {key!r} is missing.", "Add it."
    if kind == "literal_error":
        expected = str(context.get("expected", ""))
        return "unknown-word", f"{detail['input']!r} is not one of the words known here.", f"Known: {expected}."
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return "unknown-word", "the key 'model' must say which analysis this is.", nearest("", _tags(here))
    if kind == "string_pattern_mismatch":
        return "bad-form", f"{detail['input']!r} is not written as expected here.", _pattern_words(context)
    shown = repr(detail["input"]) if not isinstance(detail["input"], (dict, list)) else "a table or list"
    return "bad-value", f"{detail['msg'].replace('Input should', 'it should')}, but it is {shown}.", ""


def _pattern_words(context: Mapping[str, Any]) -> str:
    if "day|week" in str(context.get("pattern")):
        return 'Write a number and a unit: "6 months", "12 weeks", "0 days".'
    return "Use letters, digits, space, dot, dash and underscore, beginning with a letter or digit."


def nearest(word: str, known: Iterable[str]) -> str:
    """What would be right: the nearest known word, or the list of known words."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(known)}." if known else ""


def _walk(model: type[BaseModel], data: Any, loc: tuple[str | int, ...]) -> tuple[Path, Any, Any]:
    """The path in the file of a location, the type that owns its last key, and the type of what is there.

    A location also names union members ("analyses", 0, "mmrm", "formula"); those are no keys of the file.
    """
    path: Path = ()
    here: Any = model
    owner: Any = model
    for part in loc:
        member = _member(here, part) if not _holds(data, part) else None
        if member is not None:
            here = member
            continue
        owner = here
        path = (*path, part)
        here = _step(here, part)
        data = data[part] if _holds(data, part) else None
    return path, owner, here


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(part, int):
        return isinstance(data, list) and part < len(data)
    return isinstance(data, dict) and part in data


def _bare(annotation: Any) -> Any:
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def _members(annotation: Any) -> list[Any]:
    annotation = _bare(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [m for arg in typing.get_args(annotation) for m in _members(arg) if arg is not type(None)]
    return [annotation]


def _member(annotation: Any, tag: str | int) -> Any | None:
    members = _members(annotation)
    for member in members:
        if tag in _tags(member):
            return member
    return annotation if len(members) > 1 or (not _is_model(members[0]) and isinstance(tag, str)) else None


def _tags(annotation: Any) -> list[str]:
    """The words by which the key `model` picks one member of a union."""
    models = [member for member in _members(annotation) if _is_model(member) and "model" in member.model_fields]
    return [tag for member in models for tag in typing.get_args(member.model_fields["model"].annotation)]


def _step(annotation: Any, part: str | int) -> Any:
    for member in _members(annotation):
        if _is_model(member):
            for field_name, field in member.model_fields.items():
                if part in (field_name, field.alias):
                    return field.annotation
        arguments = [arg for arg in typing.get_args(member) if arg is not Ellipsis]
        if arguments and isinstance(part, int):
            return arguments[0]
        if len(arguments) == 2:
            return arguments[1]
    return None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _keys_of(annotation: Any) -> list[str]:
    models = [member for member in _members(annotation) if _is_model(member)]
    return [field.alias or name for member in models for name, field in member.model_fields.items()]
