"""What changed between two versions of a study, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.study.model import Study


def compare(old: Study, new: Study) -> list[str]:
    """One sentence per difference, from `old` to `new`, in the order of the file; empty when they mean the same.

    Entries of lists are matched by their code, so that a new order alone is told once.
    """
    return list(_tables("", _plain(old), _plain(new)))


def _plain(study: Study) -> dict[str, Any]:
    plain: dict[str, Any] = study.model_dump(mode="json", by_alias=True)
    return plain


def _differences(place: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _tables(place, old, new)
    elif _coded(old) and _coded(new):
        yield from _lists(place, old, new)
    else:
        yield f"{place}: {_said(old)} became {_said(new)}."


def _tables(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in [*old, *(key for key in new if key not in old)]:
        here = f"{place}, {key}" if place else key
        if key not in new:
            yield f"{here} was removed (it was {_said(old[key])})."
        elif key not in old:
            yield f"{here} was added: {_said(new[key])}."
        else:
            yield from _differences(here, old[key], new[key])


def _lists(place: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[str]:
    before = {_name(item): item for item in old}
    after = {_name(item): item for item in new}
    for name, item in before.items():
        if name in after:
            yield from _differences(f"{place} {name!r}", item, after[name])
        else:
            yield f"{place} {name!r} was removed."
    yield from (f"{place} {name!r} was added." for name in after if name not in before)
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield f"{place}: the order changed to {', '.join(after)}."


def _coded(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and _name(item) for item in value)


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("code") or item.get("name") or "")


def _said(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "[" + ", ".join(_said(item) for item in value) + "]"
    if isinstance(value, Mapping):
        given = {key: item for key, item in value.items() if item not in (None, "", [], {})}
        return "{" + ", ".join(f"{key}: {_said(item)}" for key, item in given.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else repr(value) if isinstance(value, str) else str(value)
