"""The words of an instrument, which a licence holder's file brings and holdfast does not ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.core.issues import Issue
from holdfast.instruments.model import AnswerKind, Instrument, Item
from holdfast.instruments.reader import Reader, choices


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person reads: the question and the possible answers of each item, in one language.

    `answers` holds, for items with worded answers, one text per whole number from the item's lowest to its highest;
    `anchors` what stands at the two ends of a scale. `permission` says who allowed the use of the words.
    """

    instrument: str
    language: str
    permission: str
    introduction: str = ""
    questions: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    anchors: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def own_wording(instrument: Instrument) -> Wording | None:
    """The words that ship, in English; None when the instrument's words do not ship for every item."""
    if not all(item.text for item in instrument.items):
        return None
    return Wording(
        instrument.code,
        "en",
        instrument.licence.status,
        questions={item.id: item.text for item in instrument.items},
        anchors={item.id: item.anchors for item in instrument.items if item.anchors},
    )


def wording_from(table: Mapping[str, Any], source: str, instrument: Instrument) -> tuple[Wording | None, list[Issue]]:
    """Read the parsed TOML file of a licence holder; `source` (its name) stands in every issue.

    Every item needs a question; worded answers, where given, must be one per possible answer. `all_answers` holds for
    every item without its own. `wording_template` writes a file to fill in.
    """
    issues: list[Issue] = []
    reader = Reader(table, source, issues)
    if reader.text("instrument") not in {instrument.code, ""}:
        reader.problem("wrong-instrument", "instrument", f"these are the words of {table['instrument']!r}.")
    shared = reader.texts("all_answers")
    questions = _texts(reader, "questions", instrument)
    answers = {item.id: shared for item in instrument.items if shared} | _lists(reader, "answers", instrument)
    anchors = _lists(reader, "anchors", instrument)
    wording = Wording(
        instrument=instrument.code,
        language=reader.text("language"),
        permission=reader.text("permission"),
        introduction=reader.text("introduction", ""),
        questions=questions,
        answers=answers,
        anchors={id: (ends[0], ends[-1]) for id, ends in anchors.items() if ends},
    )
    reader.done()
    for item in instrument.items:
        issues += _item_issues(item, wording, anchors, source)
    return (None, issues) if issues else (wording, [])


def wording_template(instrument: Instrument) -> str:
    """A TOML file with every item, for the holder of a licence to fill in."""
    lines = [
        f"# The words of {instrument.name}. Licence: {instrument.licence.status}.",
        f'instrument = "{instrument.code}"',
        'language = ""      # for example "en" or "nl"',
        'permission = ""    # who allowed the use of these words, and when',
        'introduction = ""  # what stands above the questions',
        "",
        "# all_answers = []  # when every item has the same worded answers, from the lowest to the highest",
        "",
        "[questions]",
        *(f'{item.id} = ""' for item in instrument.items),
        "",
        "# [answers]         # worded answers of single items, from the lowest to the highest",
        f"# {instrument.items[0].id} = []",
        "",
        "# [anchors]         # the two ends of a scale",
        f'# {instrument.items[0].id} = ["", ""]',
    ]
    return "\n".join(lines) + "\n"


def _texts(reader: Reader, key: str, instrument: Instrument) -> dict[str, str]:
    child = reader.child(key)
    if child is None:
        return {}
    texts = {item.id: child.text(item.id) for item in instrument.items}
    child.done()
    return texts


def _lists(reader: Reader, key: str, instrument: Instrument) -> dict[str, tuple[str, ...]]:
    child = reader.child(key, required=False)
    if child is None:
        return {}
    lists = {id: child.texts(id) for id in child.table if id in {item.id for item in instrument.items}}
    for stranger in [id for id in child.table if id not in lists]:
        remedy = "Items: " + choices(stranger, [item.id for item in instrument.items])
        child.problem("unknown-item", stranger, f"{instrument.code} has no item {stranger!r}.", remedy)
    return lists


def _item_issues(item: Item, wording: Wording, anchors: Mapping[str, tuple[str, ...]], source: str) -> list[Issue]:
    """Worded answers fit the item's range; anchors are two."""
    found = []
    given = wording.answers.get(item.id)
    possible = int(item.high - item.low) + 1
    if given is not None and (item.kind is AnswerKind.NUMBER or len(given) != possible):
        wanted = (
            "none, it is a number" if item.kind is AnswerKind.NUMBER else f"{possible}, {item.low:g} to {item.high:g}"
        )
        what = f"{len(given)} worded answers; the item takes {wanted}."
        found.append(Issue("wrong-length", f"{source} answers {item.id}", what))
    if len(anchors.get(item.id, ("", ""))) != 2:
        found.append(Issue("wrong-length", f"{source} anchors {item.id}", "anchors are two texts."))
    return found
