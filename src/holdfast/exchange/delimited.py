"""Delimited text: encoding, delimiter, quotes and line ends to rows of text."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.core.issues import Issue, Severity
from holdfast.exchange.headers import named
from holdfast.exchange.table import Options, Row, Table

if TYPE_CHECKING:
    import _csv

DELIMITERS = (",", ";", "\t", "|")
"""What is tried when no delimiter is declared."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}

Lines = list[tuple[int, list[str]]]


def read(data: bytes, name: str, options: Options) -> tuple[Table | None, list[Issue]]:
    """The table of a delimited text, or None with the errors that made it unreadable."""
    text, issues = decode(data, name, options.encoding)
    if text is None:
        return None, issues
    if not text.strip():
        return None, [Issue("no-header", name, "there is no header line.", "Export it with column names.")]
    delimiter, found = _delimiter(text, name, options)
    issues += found
    if delimiter is None:
        return None, issues
    lines, found = _split(text, name, delimiter, options.quote)
    issues += found
    if not lines:
        return None, issues
    return _table(lines, name, issues)


def decode(data: bytes, name: str, declared: str | None) -> tuple[str | None, list[Issue]]:
    """The text, without a byte-order mark. An encoding that nobody declared is told by an issue."""
    mark = next((encoding for start, encoding in _MARKS if data.startswith(start)), None)
    if declared is not None:
        return _as_declared(data, name, declared, mark)
    if mark is not None:
        return _as_declared(data, name, mark, mark)
    try:
        return _clean(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"line {line} is not UTF-8 text; it was read as latin-1, which may show wrong letters."
        remedy = 'Write encoding = "latin-1" (or what it is) in the map\'s [file].'
        text, issues = _clean(data.decode("latin-1"), name)
        return text, [*issues, Issue("encoding-detected", name, what, remedy, Severity.WARNING, line)]


def _as_declared(data: bytes, name: str, declared: str, mark: str | None) -> tuple[str | None, list[Issue]]:
    try:
        plain = codecs.lookup(declared).name
    except LookupError:
        remedy = 'Use "utf-8", "utf-16" or "latin-1".'
        return None, [Issue("unknown-encoding", name, f"there is no encoding {declared!r}.", remedy)]
    if mark is not None and not plain.startswith(mark):
        what = f"it begins with the mark of {mark}, but {declared} was declared."
        return None, [Issue("wrong-encoding", name, what, f'Write encoding = "{mark}".')]
    try:
        text = data.decode(plain)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"line {line} is not {declared} text (byte {error.start + 1})."
        remedy = "Declare the encoding it has, or export it again as UTF-8."
        return None, [Issue("wrong-encoding", name, what, remedy, line=line)]
    except UnicodeError as error:
        return None, [Issue("wrong-encoding", name, f"it is not {declared} text: {error}.", "Declare what it is.")]
    return _clean(text, name)


def _clean(text: str, name: str) -> tuple[str | None, list[Issue]]:
    text = text.removeprefix("\ufeff")
    if "\x00" in text:
        remedy = 'If it is UTF-16, write encoding = "utf-16-le"; else export it again.'
        return None, [Issue("not-text", name, "it holds zero bytes, which no text has.", remedy)]
    return text, []


def _delimiter(text: str, name: str, options: Options) -> tuple[str | None, list[Issue]]:
    if options.delimiter is not None:
        if len(options.delimiter) != 1 or options.delimiter in f"{options.quote}\r\n":
            what = f"{options.delimiter!r} cannot separate cells."
            return None, [Issue("bad-delimiter", name, what, "Use one character.")]
        return options.delimiter, []
    fitting = [each for each in DELIMITERS if _even(text, each, options.quote)]
    if len(fitting) == 1:
        what = f"cells are separated by a {_WORDS[fitting[0]]}, as every line has the same number of them."
        return fitting[0], [Issue("delimiter-detected", name, what, severity=Severity.NOTE)]
    what = "more than one delimiter fits." if fitting else "no delimiter gives every line the same number of cells."
    return None, [Issue("delimiter-unknown", name, what, 'Write delimiter = ";" (or what it is) in the map\'s [file].')]


def _even(text: str, delimiter: str, quote: str) -> bool:
    try:
        widths = Counter(len(cells) for cells in _reader(text, delimiter, quote) if cells)
    except csv.Error:
        return False
    return len(widths) == 1 and next(iter(widths)) > 1


def _reader(text: str, delimiter: str, quote: str) -> _csv.Reader:
    # newline="" leaves CR, LF and CRLF to the csv module, which knows that quoted cells may hold them
    stream = io.StringIO(text, newline="")
    return csv.reader(stream, delimiter=delimiter, quotechar=quote, doublequote=True, strict=True)


def _split(text: str, name: str, delimiter: str, quote: str) -> tuple[Lines, list[Issue]]:
    """Each line's number in the file (where it begins) and its cells; empty lines are left out and counted."""
    lines: Lines = []
    empty = 0
    reader = _reader(text, delimiter, quote)
    begins = 1
    try:
        for cells in reader:
            if cells:
                lines.append((begins, cells))
            else:
                empty += 1
            begins = reader.line_num + 1
    except csv.Error as error:
        what = f"line {begins} cannot be read: {error}."
        return [], [Issue("bad-line", name, what, "Check its quotation marks.", line=begins)]
    if empty:
        return lines, [Issue("empty-lines", name, f"{empty} empty lines were passed over.", severity=Severity.NOTE)]
    return lines, []


def _table(lines: Lines, name: str, issues: list[Issue]) -> tuple[Table | None, list[Issue]]:
    (_, header), *body = lines
    columns, found = named(header, name)
    issues += found
    issues += [_ragged(name, number, cells, columns) for number, cells in body if len(cells) != len(columns)]
    if columns is None or any(issue.severity is Severity.ERROR for issue in issues):
        return None, issues
    rows = tuple(Row(number, dict(zip(columns, cells, strict=True))) for number, cells in body)
    return Table(name, "csv", columns, rows), issues


def _ragged(name: str, number: int, cells: Sequence[str], columns: Sequence[str] | None) -> Issue:
    what = f"{len(cells)} cells where the header has {len(columns or ())}."
    return Issue("ragged-row", f"{name} row {number}", what, "Check delimiters and quotation marks.", line=number)
