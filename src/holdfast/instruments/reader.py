"""Typed reading of a parsed TOML table that collects every problem instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from holdfast.core.issues import Issue

T = TypeVar("T")


class Reader:
    """One table being read: each getter returns a usable value and notes what was wrong in the shared `issues`."""

    def __init__(self, table: Mapping[str, Any], where: str, issues: list[Issue]) -> None:
        self.table, self.where, self.issues = table, where, issues
        self._asked: list[str] = []

    def problem(self, code: str, key: str, what: str, remedy: str = "") -> None:
        """Note a problem at `key` of this table (at the table itself when the key is empty)."""
        place = f"{self.where} {key}".strip()
        self.issues.append(Issue(code, place, what, remedy))

    def has(self, key: str) -> bool:
        """True when the table holds the key."""
        return key in self.table

    def _get(self, key: str, fits: Callable[[Any], bool], kind: str, default: T, required: bool) -> T:
        self._asked.append(key)
        if key not in self.table:
            if required:
                self.problem("missing-key", key, f"{key} is missing.", f"Write {key} = {kind}.")
            return default
        value = self.table[key]
        if not fits(value):
            self.problem("wrong-type", key, f"{key} is {value!r}.", f"It should be {kind}.")
            return default
        return value  # type: ignore[no-any-return]  # `fits` has just checked what a type checker cannot see

    def text(self, key: str, default: str | None = None) -> str:
        """A text; required when no default is given, and then not empty."""

        def fits(value: Any) -> bool:
            return isinstance(value, str) and (default is not None or value.strip() != "")

        return self._get(key, fits, '"a text"', default or "", default is None)

    def number(self, key: str, *, required: bool = True) -> float | None:
        """A finite number, or None when absent."""
        value = self._get(key, _is_number, "a number", None, required)
        return None if value is None else float(value)

    def whole(self, key: str) -> int | None:
        """A whole number of at least 1, or None when absent."""

        def fits(value: Any) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and value >= 1

        return self._get(key, fits, "a whole number of at least 1", None, False)

    def flag(self, key: str) -> bool:
        """True or false; absent means false."""
        return self._get(key, lambda value: isinstance(value, bool), "true or false", False, False)

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts."""

        def fits(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(each, str) and each for each in value)

        value: list[str] = self._get(key, fits, "a list of texts", [], required)
        return tuple(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of numbers."""

        def fits(value: Any) -> bool:
            return isinstance(value, list) and all(map(_is_number, value))

        value: list[float] = self._get(key, fits, "a list of numbers", [], False)
        return tuple(map(float, value))

    def pair(self, key: str) -> tuple[float, float] | None:
        """Two ascending numbers `[low, high]`, or None when absent."""

        def fits(value: Any) -> bool:
            return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] < value[1]

        value: list[float] | None = self._get(key, fits, "[low, high]", None, False)
        return None if value is None else (float(value[0]), float(value[1]))

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        """One of `options`; the first (or the default) stands in after a problem was noted."""
        value = self.text(key, default)
        if value in options or (default is not None and value == default):
            return value
        if self.has(key) and isinstance(self.table[key], str):
            self.problem("unknown-word", key, f"{key} is {value!r}.", "It should be " + choices(value, options))
        return default or options[0]

    def number_table(self, key: str) -> dict[str, float]:
        """A table of numbers by name."""

        def fits(value: Any) -> bool:
            return isinstance(value, Mapping) and all(map(_is_number, value.values()))

        table: dict[str, float] = self._get(key, fits, "a table of numbers", {}, False)
        return {name: float(value) for name, value in table.items()}

    def child(self, key: str, *, required: bool = True) -> Reader | None:
        """A sub-table, or None when absent or not a table."""
        table = self._get(key, lambda value: isinstance(value, Mapping), "a table", None, required)
        return None if table is None else Reader(table, f"{self.where} {key}", self.issues)

    def children(self, key: str, *, required: bool = False) -> list[Reader]:
        """A list of sub-tables."""

        def fits(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)

        tables: list[Mapping[str, Any]] = self._get(key, fits, "a list of tables", [], required)
        return [Reader(table, f"{self.where} {key}[{n}]", self.issues) for n, table in enumerate(tables)]

    def done(self) -> None:
        """Note every key that no getter asked for, with the nearest that it may have meant."""
        for key in self.table:
            if key not in self._asked:
                known = sorted(set(self._asked))
                self.problem("unknown-key", key, f"{key!r} is not a key here.", "Known: " + choices(key, known))


def choices(word: str, options: Sequence[str]) -> str:
    """The options in words, the nearest to `word` first."""
    near = get_close_matches(word, options, n=1, cutoff=0.6)
    if near:
        return f"{near[0]!r} (nearest), or one of {', '.join(options)}."
    return f"one of {', '.join(options)}."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
