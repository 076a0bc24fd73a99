"""What a file is by its first bytes, against what its name says."""

from __future__ import annotations

from typing import Literal, get_args

from holdfast.core.issues import Issue, Severity
from holdfast.exchange.table import Format

Found = Literal[
    "xlsx",
    "old Excel (.xls)",
    "sav",
    "dta",
    "zip archive",
    "gzip archive",
    "PDF",
    "web page",
    "picture",
    "text",
    "binary",
]

SUFFIXES: dict[str, Format] = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "dat": "csv", "xlsx": "xlsx", "xlsm": "xlsx", "sav": "sav", "dta": "dta",
}  # fmt: skip

_MAGIC: tuple[tuple[bytes, Found], ...] = (
    (b"\xd0\xcf\x11\xe0", "old Excel (.xls)"),
    (b"$FL2", "sav"),
    (b"$FL3", "sav"),
    (b"<stata_dta>", "dta"),
    (b"\x1f\x8b", "gzip archive"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
)
_OLD_STATA = frozenset({104, 105, 108, 110, 111, 112, 113, 114, 115})
"""First byte of Stata files before release 117, followed by the byte order 1 or 2 and the file type 1."""


def looks_like(data: bytes) -> Found:
    """What the bytes are, as far as the first of them tell."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    if data.startswith(b"PK\x03\x04"):
        return "xlsx" if b"xl/" in data else "zip archive"
    if len(data) > 3 and data[0] in _OLD_STATA and data[1] in (1, 2) and data[2] == 1:
        return "dta"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"
    if data.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "web page"
    return "binary" if _has_control_bytes(data[:4096]) else "text"


def _has_control_bytes(head: bytes) -> bool:
    """Control bytes that no text has. Zeros are left to the decoder: UTF-16 without a mark has them in every line."""
    return any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head if byte != 0)


def format_of(data: bytes, name: str, declared: Format | None) -> tuple[Format | None, list[Issue]]:
    """The format to read the bytes as, or None with an issue when they are something else than they are called."""
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    expected = declared or SUFFIXES.get(suffix)
    if expected is None:
        known = ", ".join(f".{each}" for each in SUFFIXES)
        remedy = f"Known endings: {known}. Or write format = one of {', '.join(get_args(Format))} in the map's [file]."
        return None, [Issue("unknown-format", name, f"the ending {suffix!r} says no format that can be read.", remedy)]
    if not data.strip(b"\x00\r\n\t "):
        return None, [Issue("empty-file", name, "the file is empty.", "Export it again.")]
    found = looks_like(data)
    if found == expected or (expected == "csv" and found == "text"):
        return expected, _misnamed(name, suffix, expected)
    if declared is not None and found in get_args(Format):
        what = f"the map's [file] says format = {declared!r}, but its first bytes are those of {_in_words(found)}."
        return None, [Issue("wrong-format", name, what, f"Drop format from the map, or write format = {found!r}.")]
    return None, [_mismatch(name, expected, found)]


def _misnamed(name: str, suffix: str, format: Format) -> list[Issue]:
    """A warning where the map's word was right and the name is wrong: somebody will open it by its name."""
    by_name = SUFFIXES.get(suffix, format)
    if by_name == format:
        return []
    what = f"its name says {_in_words(by_name)}, but its content is {_in_words(format)}; it was read as the map says."
    remedy = f"Make sure that it is the right file, and give it the ending .{format}."
    return [Issue("misnamed-file", name, what, remedy, Severity.WARNING)]


def _mismatch(name: str, expected: Format, found: Found) -> Issue:
    what = f"it should be {_in_words(expected)} but its first bytes are those of {_in_words(found)}."
    if found in get_args(Format):
        remedy = f"Give it the ending .{found}, or export it again."
    elif found == "text":
        remedy = "If it is a delimited table, give it the ending .csv."
    elif found == "old Excel (.xls)":
        remedy = "Save it as .xlsx or .csv."
    else:
        remedy = "Export the table again as .csv, .xlsx, .sav or .dta."
    return Issue("not-what-its-name-says", name, what, remedy)


_WORDS = {
    "csv": "delimited text",
    "xlsx": "an Excel workbook",
    "sav": "an SPSS file",
    "dta": "a Stata file",
    "text": "plain text",
    "binary": "no table that can be read",
    "old Excel (.xls)": "an old Excel workbook (.xls)",
}


def _in_words(format: str) -> str:
    return _WORDS.get(format, f"a {format}")
