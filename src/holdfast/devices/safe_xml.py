"""XML from strangers, element by element, within bounds.

Beside entities and document types, which are refused, three things make a small program out of a large file: a tree
that is too deep, too many elements, and one tag or text so long that the parser starts it again with every piece it is
fed. Each has a limit here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.parsers import expat

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


MAX_EVENTS = 800_000  # starts and ends of elements; two hours at one sample a second make 200,000
MAX_DEPTH = 60
MAX_SILENCE = 1_000_000  # bytes in which no element starts or ends


class BrokenXml(Exception):
    """The XML ends, breaks or leaves its bounds; what came before it was given."""


class HostileXml(BrokenXml):
    """The XML declares entities or a document type, which no device does."""


class _Watched(io.BytesIO):
    """Bytes that complain when many are read and nothing comes of them."""

    silent = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.silent += len(piece)
        if self.silent > MAX_SILENCE:
            raise BrokenXml
        return piece


def elements(data: bytes) -> Iterator[Element]:
    """Every element as it ends, in order; raises `BrokenXml` where reading cannot go on."""
    source = _Watched(data)
    depth = events = 0
    try:
        for event, element in ElementTree.iterparse(source, events=("start", "end"), forbid_dtd=True):
            source.silent = 0
            events += 1
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH or events > MAX_EVENTS:
                raise BrokenXml
            if event == "end":
                yield element
    except DefusedXmlException as error:
        raise HostileXml from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BrokenXml from error


def is_safe(data: bytes) -> bool:
    """Does this XML stay within the bounds? For parts that another library will parse; builds no tree."""
    parser = expat.ParserCreate()
    state = {"events": 0, "depth": 0, "deepest": 0, "declared": 0}

    def start(name: str, attributes: object) -> None:
        state["events"] += 1
        state["depth"] += 1
        state["deepest"] = max(state["deepest"], state["depth"])

    def end(name: str) -> None:
        state["depth"] -= 1

    def declared(*_: object) -> None:
        state["declared"] += 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = declared
    silent = 0
    try:
        for at in range(0, len(data), 65_536):
            before = state["events"]
            parser.Parse(data[at : at + 65_536], False)
            silent = 0 if state["events"] > before else silent + 65_536
            if (
                silent > MAX_SILENCE
                or state["events"] > MAX_EVENTS
                or state["deepest"] > MAX_DEPTH
                or state["declared"]
            ):
                return False
    except expat.ExpatError:
        return False
    return True
