"""The header of a table as column names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from holdfast.core.issues import Issue, Severity


def named(header: Sequence[object], name: str) -> tuple[tuple[str, ...], list[Issue]]:
    """Column names, stripped. A column without one becomes "column 3"; a name given twice is an error."""
    raw = ["" if cell is None else str(cell).strip() for cell in header]
    columns = tuple(cell or f"column {place}" for place, cell in enumerate(raw, start=1))
    issues = [
        Issue("unnamed-column", f"{name} column {place}", f"it has no name; it is called {columns[place - 1]!r}.", "",
              Severity.NOTE)
        for place, cell in enumerate(raw, start=1)
        if not cell
    ]  # fmt: skip
    issues += [
        Issue("column-twice", f"{name} header", f"{column!r} is the name of {count} columns.", "Rename all but one.")
        for column, count in Counter(columns).items()
        if count > 1
    ]
    return columns, issues
