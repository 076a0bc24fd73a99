"""Scoring of a whole table, one form per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from holdfast.core.issues import Issue
from holdfast.errors import CallError, DataError
from holdfast.instruments.engine import check_options, rule_version, score
from holdfast.instruments.model import Instrument
from holdfast.instruments.options import Options


@dataclass(frozen=True, slots=True)
class ScoredTable:
    """A table of scores in the library the caller uses, with everything that was found on the way.

    `frame` : the columns that are not items, unchanged, then one column per score (missing where there is none).
    `issues` : each with its row in `where`.
    """

    frame: Any
    rule_version: str
    issues: tuple[Issue, ...]


def score_table(
    instrument: Instrument, frame: Any, *, options: Options | None = None, places: Sequence[str] | None = None
) -> ScoredTable:
    """Score every row of `frame` (pandas, polars, Arrow), whose columns are named by item ids.

    `places` names each row in the issues ("line 5"); without it they are called row 1, row 2 and so on.
    Optional items, and items that no score uses, may be absent. Raises `DataError` when a needed column is absent (a
    column of empty cells says "not answered", no column may be a slip), and `CallError` when a column has the name of
    a score that would be written.
    """
    import narwhals as nw

    chosen = options or Options()
    check_options(instrument, chosen)
    table = nw.from_native(frame, eager_only=True)
    items = _item_columns(instrument, list(table.columns))
    kept = [name for name in table.columns if name not in items]
    _refuse_clash(instrument, kept)
    columns: dict[str, list[float | str | None]] = {each.code: [] for each in instrument.scores}
    issues: list[Issue] = []
    for row, answers in enumerate(table.select(items).iter_rows(named=True)):
        place = places[row] if places else f"row {row + 1}"
        scored = score(instrument, answers, options=chosen)
        for code, value in scored.values.items():
            columns[code].append(value)
        issues += [replace(issue, where=f"{place}, {issue.where}") for issue in scored.issues]
    return ScoredTable(
        _assemble(table.select(kept), instrument, columns), rule_version(instrument, chosen), tuple(issues)
    )


def _item_columns(instrument: Instrument, present: list[str]) -> list[str]:
    needed = [item.id for item in instrument.items]
    used = {id for each in instrument.scores for id in each.items}
    absent = [item.id for item in instrument.items if item.id in used - set(present) and not item.optional]
    if absent:
        issue = Issue("missing-column", "header", f"there is no column {', '.join(absent)}.")
        raise DataError(
            f"{instrument.code} needs the columns {', '.join(needed)}; absent: {', '.join(absent)}",
            issues=[issue],
            ways_out=["name the columns by item id", "add an empty column for an item that nobody answered"],
        )
    return [id for id in needed if id in present]


def _refuse_clash(instrument: Instrument, kept: list[str]) -> None:
    clash = sorted({each.code for each in instrument.scores} & set(kept))
    if clash:
        raise CallError(
            f"the table already has a column {clash[0]!r}, which scoring would write",
            ways_out=["rename or remove that column"],
        )


def _assemble(kept: Any, instrument: Instrument, columns: Mapping[str, list[float | str | None]]) -> Any:
    """The kept columns with the scores appended, in the caller's library."""
    import narwhals as nw

    backend = nw.get_native_namespace(kept)
    for each in instrument.scores:
        kind = nw.String if each.rule in _WORDS else nw.Float64
        series = nw.new_series(each.code, columns[each.code], kind, backend=backend)
        kept = kept.with_columns(series) if kept.columns else series.to_frame()
    return nw.to_native(kept)


_WORDS = {"profile", "ipaq category"}
