"""FIT messages from bytes, as columns of numbers.

A FIT file is a stream of definition messages, which say how the data messages with the same local number are laid
out, and data messages. The scan notes only where each data message lies; fields are then read for all messages of one
definition at once. Messages that repeat are found by their stride, so an hour of records costs a few milliseconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from holdfast.core.issues import Issue, Severity
from holdfast.devices.fit_crc import crc16

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_MESSAGES = 250_000  # two hours at one a second hold some 20,000
MAX_DEFINITIONS = 4_000  # different ones
MAX_REDEFINITIONS = 100_000
TIMESTAMP = 253

#: base type -> numpy code, invalid value
_BASE: Mapping[int, tuple[str, float]] = {
    0x00: ("u1", 0xFF),
    0x01: ("i1", 0x7F),
    0x02: ("u1", 0xFF),
    0x03: ("i2", 0x7FFF),
    0x04: ("u2", 0xFFFF),
    0x05: ("i4", 0x7FFFFFFF),
    0x06: ("u4", 0xFFFFFFFF),
    0x08: ("f4", np.nan),
    0x09: ("f8", np.nan),
    0x0A: ("u1", 0),
    0x0B: ("u2", 0),
    0x0C: ("u4", 0),
    0x0D: ("u1", 0xFF),
    0x0E: ("i8", float(0x7FFFFFFFFFFFFFFF)),
    0x0F: ("u8", float(0xFFFFFFFFFFFFFFFF)),
    0x10: ("u8", 0),
}
_STRING = 0x07


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """Where a field lies inside its message: byte offset, size, base type."""

    offset: int
    size: int
    base: int


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """Layout of one kind of data message: `size` bytes after the header byte."""

    message: int
    big_endian: bool
    size: int
    fields: Mapping[int, FieldDefinition]


@dataclass(slots=True)
class _Group:
    """Where the data messages of one definition lie: runs of messages that follow each other."""

    stride: int
    first: array[int] = field(default_factory=lambda: array("q"))  # byte offset of the run's first content
    length: array[int] = field(default_factory=lambda: array("q"))  # messages in the run
    time: array[int] = field(default_factory=lambda: array("q"))  # five-bit time offset, -1 for a normal header

    def starts(self) -> IntArray:
        """Byte offset of the content of every message, in file order."""
        length = np.array(self.length, dtype=np.int64)
        before = np.repeat(np.cumsum(length) - length, length)
        within = np.arange(before.size, dtype=np.int64) - before
        return np.repeat(np.array(self.first, dtype=np.int64), length) + self.stride * within

    def times(self) -> IntArray:
        """Five-bit time offset of every message, -1 for a normal header."""
        return np.repeat(np.array(self.time, dtype=np.int64), np.array(self.length, dtype=np.int64))


@dataclass(slots=True, eq=False)
class FitFile:
    """One decoded FIT file; ask it for columns of a message by number."""

    data: bytes
    groups: dict[Definition, _Group] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    _bytes: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self._bytes = np.frombuffer(self.data, dtype=np.uint8)

    def count(self, message: int) -> int:
        """How many data messages of this number there are."""
        return sum(sum(group.length) for _, group in self._of(message))

    def column(self, message: int, number: int) -> FloatArray:
        """Raw values of one field in every message of this number, in file order; NaN where absent or invalid."""
        return self._in_order(message, lambda definition, starts: self._read(definition, number, starts))

    def first_bytes(self, message: int, number: int, size: int) -> NDArray[np.uint8]:
        """The first `size` bytes of a byte-array field, shape (n, size); 0xFF where the field is absent."""
        parts = []
        for definition, group in self._of(message):
            starts = group.starts()
            place = definition.fields.get(number)
            if place is None or place.size < size:
                parts.append((starts, np.full((starts.size, size), 0xFF, dtype=np.uint8)))
            else:
                parts.append((starts, self._bytes[starts[:, None] + place.offset + np.arange(size)]))
        if not parts:
            return np.zeros((0, size), dtype=np.uint8)
        order = np.argsort(np.concatenate([starts for starts, _ in parts]), kind="stable")
        return np.asarray(np.concatenate([values for _, values in parts])[order])

    def texts(self, message: int, number: int) -> list[str]:
        """A string field in every message of this number, in file order; "" where absent."""
        found: list[tuple[int, str]] = []
        for definition, group in self._of(message):
            place = definition.fields.get(number)
            for start in group.starts()[:2_000].tolist():
                found.append((start, self._text(place, start) if place is not None else ""))
        return [text for _, text in sorted(found)]

    def timestamps(self, message: int) -> FloatArray:
        """Seconds since the FIT epoch of every message of this number, compressed headers resolved."""
        if not any(offset >= 0 for group in self.groups.values() for offset in group.time):
            return self.column(message, TIMESTAMP)
        resolved = self._resolve()
        starts = self._in_order(message, lambda _, starts: starts.astype(np.float64))
        return np.array([resolved.get(int(start), np.nan) for start in starts])

    def _of(self, message: int) -> list[tuple[Definition, _Group]]:
        return [(d, group) for d, group in self.groups.items() if d.message == message]

    def _in_order(self, message: int, read: Callable[[Definition, IntArray], FloatArray]) -> FloatArray:
        starts, values = [], []
        for definition, group in self._of(message):
            at = group.starts()
            starts.append(at)
            values.append(read(definition, at))
        if not starts:
            return np.zeros(0)
        order = np.argsort(np.concatenate(starts), kind="stable")
        return np.asarray(np.concatenate(values)[order], dtype=np.float64)

    def _read(self, definition: Definition, number: int, starts: IntArray) -> FloatArray:
        place = definition.fields.get(number)
        kind = _BASE.get(place.base & 0x1F) if place is not None else None
        if place is None or kind is None:
            return np.full(starts.size, np.nan)
        code, invalid = kind
        dtype = np.dtype((">" if definition.big_endian else "<") + code)
        if place.size < dtype.itemsize:
            return np.full(starts.size, np.nan)
        raw = self._bytes[starts[:, None] + (place.offset + np.arange(dtype.itemsize))]
        values = np.ascontiguousarray(raw).view(dtype)[:, 0].astype(np.float64)
        values[~np.isfinite(values) | (values == invalid)] = np.nan
        return values

    def _text(self, place: FieldDefinition, start: int) -> str:
        if place.base & 0x1F != _STRING:
            return ""
        raw = self.data[start + place.offset : start + place.offset + place.size]
        return raw.split(b"\x00", 1)[0].decode("utf-8", errors="replace")

    def _resolve(self) -> dict[int, float]:
        """Time of every message: a compressed header counts on from the last full timestamp, modulo 32 s."""
        rows: list[tuple[int, int, float]] = []
        for definition, group in self.groups.items():
            starts = group.starts()
            full = self._read(definition, TIMESTAMP, starts)
            rows += zip(starts.tolist(), group.times().tolist(), full.tolist(), strict=True)
        last, out = np.nan, {}
        for start, offset, full_time in sorted(rows):
            if offset >= 0 and not np.isnan(last):
                last += (offset - int(last)) % 32
                out[start] = last
            elif not np.isnan(full_time):
                last = out[start] = full_time
        return out


def decode_fit(data: bytes, *, start: int = 0) -> tuple[FitFile, int]:
    """Decode the FIT file that begins at byte `start`; returns it and the byte after its end.

    Whatever is wrong (no header, wrong checksum, cut off, unknown local number) is an issue in the result, and what
    was read before it stays.
    """
    file = FitFile(data)
    header = data[start]
    if header < 12 or data[start + 8 : start + 12] != b".FIT":
        file.issues.append(Issue("not-fit", "FIT file", "the bytes do not begin with a FIT header."))
        return file, len(data)
    size = int.from_bytes(data[start + 4 : start + 8], "little")
    begin, end = start + header, start + header + size
    if size == 0 or end > len(data):
        what = f"the header promises {size} bytes of data, {max(len(data) - begin, 0)} are there."
        file.issues.append(Issue("truncated", "FIT file", what, severity=Severity.WARNING))
        end = len(data)
    elif end + 2 > len(data) or crc16(data[start:end]) != int.from_bytes(data[end : end + 2], "little"):
        what = "the checksum does not fit the bytes; the file was damaged or cut."
        file.issues.append(Issue("checksum", "FIT file", what, severity=Severity.WARNING))
    _Scan(file, begin, end).run()
    return file, end + 2


class _Scan:
    """One walk over the message headers of a file."""

    def __init__(self, file: FitFile, begin: int, end: int) -> None:
        self.file, self.at, self.end = file, begin, end
        self.local: dict[int, Definition] = {}
        self.seen: dict[bytes, Definition] = {}
        self.messages = self.defined = 0

    def run(self) -> None:
        data = self.file.data
        while self.at < self.end:
            header = data[self.at]
            is_definition = header & 0xC0 == 0x40
            if not (self._definition(header) if is_definition else self._data(header)):
                return
            if self.messages >= MAX_MESSAGES:
                self._stop("too-many-messages", f"{MAX_MESSAGES} messages or more; the rest was not read.")
                return

    def _stop(self, code: str, what: str) -> bool:
        issue = Issue(code, f"FIT file, byte {self.at}", what, severity=Severity.WARNING)
        self.file.issues.append(issue)
        return False

    def _definition(self, header: int) -> bool:
        data, at = self.file.data, self.at
        if at + 6 > self.end:
            return self._stop("truncated", "the file ends inside a definition.")
        after = at + 6 + 3 * data[at + 5]
        if header & 0x20:
            after += 1 + 3 * data[after] if after < self.end else 1
        if after > self.end:
            return self._stop("truncated", "the file ends inside a definition.")
        body = bytes([header & 0x20]) + data[at + 1 : after]
        known = self.seen.get(body)
        if known is None:
            if len(self.seen) >= MAX_DEFINITIONS:
                return self._stop("too-many-messages", f"more than {MAX_DEFINITIONS} definitions.")
            known = self.seen[body] = self._parse(at, header)
        self.local[header & 0x0F] = known
        self.at = after
        self.defined += 1
        return self.defined <= MAX_REDEFINITIONS or self._stop("too-many-messages", "definitions without end.")

    def _parse(self, at: int, header: int) -> Definition:
        data = self.file.data
        big = data[at + 2] == 1
        message = int.from_bytes(data[at + 3 : at + 5], "big" if big else "little")
        fields: dict[int, FieldDefinition] = {}
        offset, pos = 0, at + 6
        for _ in range(data[at + 5]):
            number, size, base = data[pos : pos + 3]
            kind = _BASE.get(base & 0x1F)
            if kind is not None and size % int(kind[0][1]):
                what = f"field {number} of message {message} has {size} bytes, not a multiple of its type."
                issue = Issue("misaligned-field", f"FIT file, byte {at}", what, severity=Severity.WARNING)
                self.file.issues.append(issue)
            else:
                fields.setdefault(number, FieldDefinition(offset, size, base))
            offset, pos = offset + size, pos + 3
        if header & 0x20:
            count, pos = data[pos], pos + 1
            offset += sum(data[pos + 1 : pos + 3 * count : 3])
        return Definition(message, big, offset, fields)

    def _data(self, header: int) -> bool:
        compressed = bool(header & 0x80)
        local = (header >> 5) & 0x03 if compressed else header & 0x0F
        definition = self.local.get(local)
        if definition is None:
            return self._stop("no-definition", f"a message of kind {local} comes before its definition.")
        stride = definition.size + 1
        if self.at + stride > self.end:
            return self._stop("truncated", "the file ends inside a message.")
        count = 1 if compressed else min(self._repeats(header, stride), MAX_MESSAGES)
        group = self.file.groups.get(definition)
        if group is None:
            group = self.file.groups[definition] = _Group(stride)
        group.first.append(self.at + 1)
        group.length.append(count)
        group.time.append(header & 0x1F if compressed else -1)
        self.messages += count
        self.at += stride * count
        return True

    def _repeats(self, header: int, stride: int) -> int:
        """How many messages of this header follow each other from here on."""
        heads = self.file._bytes[self.at : self.end : stride]
        whole = (self.end - self.at) // stride
        step, count = 16, 1
        while count < whole:
            window = heads[count : min(count + step, whole)]
            other = np.flatnonzero(window != header)
            if other.size:
                return count + int(other[0])
            count += window.size
            step *= 4
        return count
