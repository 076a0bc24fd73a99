"""A table as it was read: text or typed cells, with the place of each row in its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Cell = str | float | date | None
"""One cell. Delimited text gives text only; None is an empty cell of a typed file, never a number."""

Format = Literal["csv", "xlsx", "sav", "dta"]
"""The kinds of file that can be read."""

Empty = ""
"""How an empty cell is written where missing codes are declared."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be read. What is None is found out, and an issue says what was found.

    Attributes
    ----------
    format : csv (any delimited text), xlsx, sav (SPSS), dta (Stata); None: by the end of the file's name.
    delimiter : one character between cells of delimited text.
    encoding : of delimited text: "utf-8", "utf-16", "latin-1", or any name Python knows.
    quote : the character around cells that hold a delimiter; doubled inside.
    sheet : name of the sheet of an XLSX file; None: the only one.
    """

    format: Format | None = None
    delimiter: str | None = None
    encoding: str | None = None
    quote: str = '"'
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as the file counts (line of a text, row of a sheet, case of SPSS or Stata), its cells."""

    number: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns.

    `labels` holds, by column, the label that the file itself gives each value; `sha256` is the digest of the bytes.
    """

    name: str
    format: Format
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> Iterator[Cell]:
        """The cells of one column, in order."""
        return (row.cells[name] for row in self.rows)
