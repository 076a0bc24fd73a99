"""Other people's tables into records: files are read as bytes, a declared map says what each column means.

Nothing is guessed: a cell is missing only when the map says so, a code means only what the map says it means, and
whatever was not taken is listed with its reason.
"""

from __future__ import annotations

from holdfast.exchange.importing import to_drafts
from holdfast.exchange.mapping import ImportMap, Mapped, parse
from holdfast.exchange.preview import Preview
from holdfast.exchange.tables import Options, Table, read

__all__ = ["ImportMap", "Mapped", "Options", "Preview", "Table", "parse", "read", "to_drafts"]
