"""Figures as PNG, for documents that cannot hold SVG."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.report.model import Picture
from holdfast.report.typesetting import typeset_png

RESOLUTION = 200.0
"""Dots per inch."""

_TEMPLATE = b"""
#let svgs = json(bytes(sys.inputs.data))
#set page(width: 170mm, height: auto, margin: 0pt, fill: white)
#for (k, svg) in svgs.enumerate() {
  if k > 0 { pagebreak() }
  image(bytes(svg), format: "svg", width: 100%)
}
"""


def pngs(pictures: Sequence[Picture]) -> list[bytes]:
    """One PNG per figure, 170 mm wide; the same SVG gives the same bytes."""
    return typeset_png(_TEMPLATE, [picture.svg for picture in pictures], RESOLUTION) if pictures else []
