"""SVG text that can stand inside a page with a strict content security policy."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

FONT = "'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"
"""The DejaVu Sans at the end is the one whose widths the layouts are made with, and the one that PDF has."""


def tidy(svg: str, prefix: str, title: str) -> str:
    """One SVG element for a page: style attributes become attributes, ids get a prefix, a title names it.

    Attributes need no permission under a content security policy, style attributes do.
    """
    start = svg.index("<svg")
    body = svg[start:].strip()
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r'\sstyle="([^"]*)"', lambda match: _attributes(match.group(1)), body)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r'(xlink:)?href="#([^"]+)"', rf'\1href="#{prefix}-\2"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    body = re.sub(r">\s+<", "><", body)
    head = f' role="img" stroke-linejoin="round" aria-label={quoteattr(title)}'
    return re.sub(r"<svg\b", "<svg" + head, body, count=1)


def _attributes(style: str) -> str:
    """`fill: none; font: 8px 'X', serif` as attributes."""
    out = []
    for part in style.replace("&quot;", "'").split(";"):
        key, _, value = part.partition(":")
        key, value = key.strip(), value.strip()
        if key == "font":
            out.append(_font(value))
        elif key == "font-family":
            out.append(f'font-family="{FONT}"')
        elif key:
            out.append(f"{key}={quoteattr(value)}")
    return "".join(" " + each for each in out)


def _font(value: str) -> str:
    found = re.match(r"(?P<style>(?:(?:bold|italic|oblique|\d{3})\s+)*)(?P<size>[\d.]+px)", value)
    if found is None:
        return f'font-family="{FONT}"'
    parts = [f'font-size="{found["size"]}"', f'font-family="{FONT}"']
    for word in found["style"].split():
        parts.append(f'font-style="{word}"' if word in ("italic", "oblique") else f'font-weight="{word}"')
    return " ".join(parts)


def text(x: float, y: float, words: str, **attributes: object) -> str:
    """A text element; underscores in attribute names stand for hyphens."""
    rest = "".join(f" {key.replace('_', '-')}={quoteattr(str(value))}" for key, value in attributes.items())
    return f'<text x="{x:g}" y="{y:g}"{rest}>{escape(words)}</text>'
