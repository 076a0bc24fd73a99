"""Where each key of a TOML text stands, so that a problem can be shown with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import tree_sitter
import tree_sitter_toml

Path = tuple[str | int, ...]
"""Keys and indices from the root: ("arms", 1, "code")."""


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))


def positions(text: str) -> Mapping[Path, int]:
    """The 1-based line of every key, table and array element of a TOML text.

    Elements of arrays of tables are counted in order: the second ``[[arms]]`` is ``("arms", 1)``. Keys inside
    inline tables and arrays are found too. A text with syntax errors gives the lines that can be told.
    """
    found: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    for node in _parser().parse(text.encode()).root_node.named_children:
        if node.type == "pair":
            _pair(node, (), found)
        elif node.type in ("table", "table_array_element"):
            _table(node, found, counts)
    return found


def syntax_errors(text: str) -> list[tuple[int, str]]:
    """Line and text of each stretch that is not TOML; empty for a text without syntax errors."""
    return [(line, snippet) for line, snippet in _broken(_parser().parse(text.encode()).root_node)]


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of this path, or of the nearest thing around it that has a line."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _table(node: tree_sitter.Node, found: dict[Path, int], counts: dict[Path, int]) -> None:
    header = next((child for child in node.named_children if child.type.endswith("_key")), None)
    if header is None:
        return
    *parents, leaf = _keys(header)
    prefix = _inside_last_elements(tuple(parents), counts)
    path: Path = (*prefix, leaf)
    line = node.start_point.row + 1
    if node.type == "table_array_element":
        index = counts.get(path, 0)
        counts[path] = index + 1
        found.setdefault(path, line)
        path = (*path, index)
    found[path] = line
    for child in node.named_children:
        if child.type == "pair":
            _pair(child, path, found)


def _inside_last_elements(keys: tuple[str, ...], counts: Mapping[Path, int]) -> Path:
    """A header inside an array of tables speaks of that array's newest element (TOML 1.0, arrays of tables)."""
    path: Path = ()
    for key in keys:
        path = (*path, key)
        if path in counts:
            path = (*path, counts[path] - 1)
    return path


def _pair(node: tree_sitter.Node, prefix: Path, found: dict[Path, int]) -> None:
    key, *values = node.named_children
    path = prefix
    for part in _keys(key):
        path = (*path, part)
        found.setdefault(path, node.start_point.row + 1)
    for value in values:
        _value(value, path, found)


def _value(node: tree_sitter.Node, path: Path, found: dict[Path, int]) -> None:
    if node.type == "inline_table":
        for child in node.named_children:
            if child.type == "pair":
                _pair(child, path, found)
    elif node.type == "array":
        elements = [child for child in node.named_children if child.type not in ("comment", "ERROR")]
        for index, child in enumerate(elements):
            found[(*path, index)] = child.start_point.row + 1
            _value(child, (*path, index), found)


def _keys(node: tree_sitter.Node) -> tuple[str, ...]:
    if node.type == "dotted_key":
        return tuple(key for child in node.named_children for key in _keys(child))
    text = (node.text or b"").decode()
    return (text[1:-1] if node.type == "quoted_key" else text,)


def _broken(node: tree_sitter.Node) -> Iterator[tuple[int, str]]:
    if node.type == "ERROR" or node.is_missing:
        snippet = (node.text or b"").decode().strip().splitlines()
        yield node.start_point.row + 1, snippet[0] if snippet else ""
        return
    if node.has_error:
        for child in node.children:
            yield from _broken(child)
