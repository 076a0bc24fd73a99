"""Sealed numbered envelopes on paper, for a day on which the system is down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from holdfast.errors import CallError
from holdfast.report.typesetting import typeset_pdf


@dataclass(frozen=True, slots=True)
class Slip:
    """What one envelope holds: the slot it stands for, and the arm of that slot."""

    stratum: str
    slot: int
    arm: str


def envelopes(title: str, code: str, slips: Sequence[Slip], *, holder: str, simulated: bool = False) -> bytes:
    """One sheet per envelope, then a log for opening and reconciling them, as a PDF.

    Each sheet is folded twice, so that its lowest third (the arm, in a printed pattern that hides it against light)
    lies inside; then it is sealed. An envelope has the number of the slot it stands for: the same slot of the same
    sealed sequence, so that the ledger gives the same arm when it is told later, and an envelope whose slot the system
    has taken meanwhile is destroyed unopened.

    Parameters
    ----------
    title, code : of the study.
    slips : in the order in which they are to be printed.
    holder : the independent person who prints, seals and hands out the envelopes.
    simulated : say on each page that the study is simulated.

    Raises
    ------
    CallError
        When there are no slips.
    """
    if not slips:
        raise CallError("There are no envelopes to print.", ways_out=["Ask for one or more per stratum."])
    banner = "SIMULATED" if simulated else ""
    data = {
        "title": title,
        "code": code,
        "holder": holder,
        "banner": banner,
        "slips": [asdict(slip) for slip in slips],
    }
    return typeset_pdf(_TEMPLATE.encode(), data, None)


_TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#let ink = rgb("#1b1f24")
#let soft = rgb("#57606a")
#let sans = "DejaVu Sans"
#set document(title: "Sealed envelopes, " + data.code, author: "holdfast", date: auto)
#set text(font: "Libertinus Serif", size: 11pt, lang: "en", fill: ink)
#let banner = if data.banner != "" {
  align(center, text(font: sans, size: 8pt, weight: "bold", fill: rgb("#7a4b00"), data.banner))
}
#set page(paper: "a4", margin: (x: 18mm, top: 14mm, bottom: 12mm), header: banner)

#let blank(label, width) = box(width: width, stack(dir: ttb, spacing: 1.6mm,
  line(length: 100%, stroke: 0.5pt + soft), text(font: sans, size: 7pt, fill: soft, label)))

// The sheet is folded at exact thirds of A4 (99 mm), whatever stands on it.
#let fold(at) = place(top + left, dy: at, block(width: 100%, spacing: 0pt)[
  #line(length: 100%, stroke: (paint: soft, thickness: 0.5pt, dash: "dashed"))
  #place(right, dy: 1mm, text(font: sans, size: 6.5pt, fill: soft)[fold here])
])
#let third(at, body) = place(top + left, dy: at, block(width: 100%, height: 82mm, clip: true, body))

// A pattern of letters on both sides of the arm, so that nothing can be read against the light.
#let pattern = text(font: sans, size: 6.2pt, fill: rgb("#6b737c"), hyphenate: false,
  ("HOLDFAST 8 3 5 6 M H I T W X K N " * 160))

#for slip in data.slips [
  #third(2mm)[
    #text(font: sans, size: 8pt, fill: soft)[SEALED ALLOCATION ENVELOPE]
    #v(1mm)
    #heading(level: 1, outlined: false, text(size: 13pt)[#data.title])
    #v(2mm)
    #grid(columns: (1fr, auto), align: (left + horizon, right + horizon),
      [Stratum: #strong(slip.stratum)], text(size: 30pt, weight: "bold")[No. #slip.slot])
    #v(3mm)
    Open only while the system is down, only in order of the numbers of this stratum, and only after writing below.
    #v(11mm)
    #grid(columns: (1fr, 1fr, 1fr), gutter: 6mm,
      blank("participant", 100%), blank("date and time", 100%), blank("opened by (name, signature)", 100%))
  ]
  #fold(85mm)
  #third(91mm)[
    #text(font: sans, size: 8pt, fill: soft)[AFTERWARDS]
    #v(1mm)
    + Keep this sheet, opened or not.
    + When the system is back, enter the person and randomise in the same order. The ledger takes slot
      #slip.slot of this stratum and gives the same arm.
    + If the system has taken slot #slip.slot already, this envelope must not be opened. It goes back to
      the holder of the key (#data.holder).
    + Enter each envelope that was opened in the log, and have the log signed.
  ]
  #fold(184mm)
  #third(190mm)[
    #par(leading: 0.35em, justify: true, pattern)
    #place(center + horizon, box(fill: white, inset: (x: 7mm, y: 5mm), radius: 1mm, stroke: 0.5pt + soft)[
      #align(center)[
        #text(font: sans, size: 8pt, fill: soft)[#data.code · #slip.stratum · No. #slip.slot]
        #v(1mm)
        #text(size: 22pt, weight: "bold")[#slip.arm]
      ]
    ])
  ]
  #pagebreak()
]

#heading(level: 1, outlined: false, text(size: 13pt)[Log of sealed envelopes: #data.title])
#v(1mm)
Holder of the key: #data.holder \\
Every envelope is accounted for: opened and entered, or returned unopened.
#v(3mm)
#set text(font: sans, size: 7.5pt)
#table(
  columns: (auto, auto, 1fr, 1fr, 1fr, 1fr), stroke: 0.4pt + soft, inset: 5pt,
  table.header([*Stratum*], [*No.*], [*Participant*], [*Opened (date, time)*], [*By*], [*Entered or returned*]),
  ..data.slips.map(slip => (slip.stratum, str(slip.slot), [], [], [], [])).flatten()
)
"""
