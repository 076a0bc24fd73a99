"""SPSS and Stata files: cases of typed cells with the file's own value labels."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from holdfast.core.issues import Issue, Severity, errors
from holdfast.exchange.cells import as_text
from holdfast.exchange.headers import named
from holdfast.exchange.table import Cell, Format, Row, Table


def read(data: bytes, name: str, format: Format) -> tuple[Table | None, list[Issue]]:
    """The table of an SPSS (.sav) or Stata (.dta) file; user-defined missing values stay the values they are."""
    import pyreadstat

    opened = pyreadstat.read_sav if format == "sav" else pyreadstat.read_dta
    try:
        frame, meta = opened(io.BytesIO(data), user_missing=True)
    except Exception as error:  # pyreadstat raises its own error, and whatever the C library makes Python raise
        what = f"it is a damaged {'SPSS' if format == 'sav' else 'Stata'} file: {error}."
        return None, [Issue("damaged-file", name, what, "Save it again, or export it as CSV.")]
    columns, issues = named(list(frame.columns), name)
    issues += _declared_missing(meta, name)
    if errors(issues):
        return None, issues
    cells = zip(*(list(map(_cell, frame[column].tolist())) for column in frame.columns), strict=True)
    rows = tuple(Row(case, dict(zip(columns, row, strict=True))) for case, row in enumerate(cells, start=1))
    return Table(name, format, columns, rows, _labels(meta.variable_value_labels)), issues


def _cell(value: Any) -> Cell:
    if (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or type(value).__name__ in {"NaTType", "NAType"}
    ):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value
    return str(value)


def _labels(raw: Mapping[str, Mapping[Any, str]]) -> dict[str, dict[str, str]]:
    return {column: {as_text(_cell(value)): label for value, label in each.items()} for column, each in raw.items()}


def _declared_missing(meta: Any, name: str) -> list[Issue]:
    """The file's own missing codes are told, never applied: the map decides what is missing."""
    ranges: Mapping[str, Any] = getattr(meta, "missing_ranges", None) or {}
    said = [f"{column} ({', '.join(_range(each) for each in found)})" for column, found in ranges.items() if found]
    if not said:
        return []
    what = f"the file declares missing codes for {'; '.join(said)}; they are read as values."
    remedy = "Name them in the map (missing = [...]) where they mean missing."
    return [Issue("missing-codes", name, what, remedy, Severity.WARNING)]


def _range(each: Mapping[str, Any]) -> str:
    low, high = as_text(_cell(each["lo"])), as_text(_cell(each["hi"]))
    return low if low == high else f"{low} to {high}"
