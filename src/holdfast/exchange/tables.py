"""Bytes of a table file to a table, with an issue for everything that was found out or is wrong."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from holdfast.core.issues import Issue
from holdfast.exchange import delimited, sheets, statfiles
from holdfast.exchange.sniff import format_of
from holdfast.exchange.table import Cell, Format, Options, Row, Table

__all__ = ["Cell", "Format", "Options", "Row", "Table", "read"]


def read(
    data: bytes, name: str, *, sheet: str | None = None, options: Options | None = None
) -> tuple[Table | None, list[Issue]]:
    """Read a table from delimited text, XLSX, SPSS (.sav) or Stata (.dta).

    Parameters
    ----------
    data : the bytes of the file.
    name : its name; the ending says the format when `options` does not.
    sheet : sheet of a workbook, in place of `options.sheet`.
    options : what is declared about the file; what is not declared is found out, and an issue says what was found.

    Returns
    -------
    The table, or None when an error makes it unreadable (also when the bytes are not what the name says); and the
    issues. Never raises for what is in the file.
    """
    chosen = options or Options()
    if sheet is not None:
        chosen = replace(chosen, sheet=sheet)
    format, issues = format_of(data, name, chosen.format)
    if format is None:
        return None, issues
    if format == "csv":
        table, found = delimited.read(data, name, chosen)
    elif format == "xlsx":
        table, found = sheets.read(data, name, chosen)
    else:
        table, found = statfiles.read(data, name, format)
    if table is not None:
        table = replace(table, sha256=hashlib.sha256(data).hexdigest())
    return table, issues + found
