"""A problem in data, as a value with a place and a way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad: an *error* makes the thing unusable, a *warning* needs a look, a *note* is for the record."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem in data.

    Attributes
    ----------
    code : a stable word for machines, kebab-case ("unknown-key", "out-of-range").
    where : the place, as a reader would look it up ("study.toml:12 arms[1].code", "row 14, column pk5").
    what : what is wrong, in one sentence.
    remedy : what would be right, or what to do; may be empty where nothing can be said.
    severity : how bad.
    line : 1-based line of the file it came from, when there is one.
    """

    code: str
    where: str
    what: str
    remedy: str = ""
    severity: Severity = Severity.ERROR
    line: int | None = None

    def __str__(self) -> str:
        tail = f" {self.remedy}" if self.remedy else ""
        return f"{self.severity.value}: {self.where}: {self.what}{tail}"


def errors(issues: Iterable[Issue]) -> list[Issue]:
    """Only those issues that make the thing unusable."""
    return [issue for issue in issues if issue.severity is Severity.ERROR]
