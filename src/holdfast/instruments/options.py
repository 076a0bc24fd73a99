"""What a protocol may choose about scoring."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.core.issues import Issue, Severity
from holdfast.instruments.reader import Reader


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A country's value set: index value by health-state profile ("11111" -> 1.0)."""

    name: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Options:
    """The protocol's choices.

    `min_answered` : score code -> fewest answered items from which that score may be computed.
    `presented` : optional items that this study does present, so that leaving one out counts as missing.
    `value_set` : what the index of a health-state profile is looked up in.
    """

    min_answered: Mapping[str, int] = field(default_factory=dict)
    presented: frozenset[str] = frozenset()
    value_set: ValueSet | None = None

    def label(self) -> str:
        """The choices in a form that can stand behind a rule version; empty for the defaults."""
        parts = [f"{code}>={count}" for code, count in sorted(self.min_answered.items())]
        parts += [f"presented {item}" for item in sorted(self.presented)]
        parts += [f"value set {self.value_set.name}"] if self.value_set else []
        return ", ".join(parts)


def options_from(table: Mapping[str, Any], source: str) -> tuple[Options | None, list[Issue]]:
    """Read `{min_answered = {modi = 8}, presented = ["odi8"]}` as a study file states it (the value set is a file)."""
    issues: list[Issue] = []
    reader = Reader(table, source, issues)
    wanted = reader.number_table("min_answered")
    presented = frozenset(reader.texts("presented"))
    reader.done()
    for code, count in wanted.items():
        if count < 1 or count != int(count):
            reader.problem("wrong-type", f"min_answered.{code}", f"it is {count:g}.", "Use a whole number >= 1.")
    if issues:
        return None, issues
    return Options(min_answered={code: int(n) for code, n in wanted.items()}, presented=presented), []


def value_set_from(text: str, name: str) -> tuple[ValueSet | None, list[Issue]]:
    """Read a value set: CSV text with the columns `profile` (five digits 1-5) and `index` (decimal point).

    `name` says whose values these are (country, version); it goes into the rule version of every index. A set with
    fewer than all 3,125 profiles is returned with a warning; profiles it lacks will have no index.
    """
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    if not rows or not {"profile", "index"} <= set(rows[0]):
        where, found = f"{name}, header", ", ".join(filter(None, rows[0])) if rows else "nothing"
        remedy = "A value set is a CSV with the columns profile and index, separated by commas."
        return None, [Issue("not-a-value-set", where, f"the columns are {found}.", remedy)]
    issues: list[Issue] = []
    values: dict[str, float] = {}
    for line, row in enumerate(rows, start=2):
        problem = _read_row(row, values)
        if problem:
            issues.append(Issue("bad-value", f"{name}, line {line}", problem, "", line=line))
    if issues:
        return None, issues
    return ValueSet(name, values), _incomplete(name, values)


def _read_row(row: Mapping[str, str | None], values: dict[str, float]) -> str:
    """Put one row into `values`; return what is wrong with it, or nothing."""
    profile, index = (row["profile"] or "").strip(), (row["index"] or "").strip()
    if len(profile) != 5 or not set(profile) <= set("12345"):
        return f"the profile is {profile!r}, not five digits from 1 to 5."
    if profile in values:
        return f"the profile {profile} is here twice."
    try:
        value = float(index)
    except ValueError:
        return f"the index of {profile} is {index!r}, not a number with a decimal point."
    if not -2 < value <= 1:  # full health is 1 by definition; NaN fails this too
        return f"the index of {profile} is {index}, outside -2 to 1."
    values[profile] = value
    return ""


def _incomplete(name: str, values: Mapping[str, float]) -> list[Issue]:
    if len(values) == 5**5:
        return []
    what = f"it holds {len(values)} of 3125 profiles; the others will have no index."
    return [Issue("incomplete-value-set", name, what, severity=Severity.WARNING)]
