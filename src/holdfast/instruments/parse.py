"""From a parsed TOML table to a frozen instrument, with every problem named."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from holdfast.core.issues import Issue
from holdfast.instruments.checks import CHECKS
from holdfast.instruments.model import (
    AnswerKind,
    Bands,
    Instrument,
    Item,
    Kind,
    Known,
    Licence,
    MissingRule,
    Recall,
    Safety,
    Score,
    Sure,
    Threshold,
    Version,
    WhenMissing,
)
from holdfast.instruments.reader import Reader
from holdfast.instruments.rules import RULES

SHIPS = ("scoring only", "own wording", "text")
BETTER = ("lower", "higher")


def instrument_from(mapping: Mapping[str, Any], source: str) -> tuple[Instrument | None, list[Issue]]:
    """Read one instrument from a parsed table; `source` (a file name or a place in one) stands in every issue.

    Two forms are understood. The full form holds items, scores, licence (see the shipped data files). The short form,
    `kind = "measurement"` with `unit` and `better` (better still with `low` and `high`), declares one number read from
    a test or a diary.
    Returns (None, issues) when anything is wrong; a returned instrument has passed every check.
    """
    issues: list[Issue] = []
    reader = Reader(mapping, source, issues)
    short = mapping.get("kind") == Kind.MEASUREMENT.value and "items" not in mapping
    instrument = _measurement(reader) if short else _questionnaire(reader)
    reader.done()
    if not issues:
        for check in CHECKS:
            issues += check(instrument, source)
    return (None, issues) if issues else (instrument, [])


def _questionnaire(reader: Reader) -> Instrument:
    code = reader.text("code")
    items, reversal = _items(reader)
    return Instrument(
        code=code,
        name=reader.text("name"),
        kind=Kind(reader.choice("kind", [kind.value for kind in Kind])),
        measures=reader.text("measures"),
        primary=reader.text("primary"),
        rule_version=reader.text("rule_version"),
        recall=_recall(reader),
        versions=_versions(reader),
        items=items,
        scores=tuple(_score(child, items) for child in reader.children("scores", required=True)),
        licence=_licence(reader),
        mics=_thresholds(reader, "mics"),
        mdcs=_thresholds(reader, "mdcs"),
        safety=tuple(_safety(child) for child in reader.children("safety")),
        reversal=reversal,
        notes=reader.texts("notes"),
    )


def _measurement(reader: Reader) -> Instrument:
    """The short form: one item, one score, both named like the instrument; a bound nobody states is open."""
    code, name, known = reader.text("code"), reader.text("name"), _known(reader)
    low, high = reader.number("low", required=False), reader.number("high", required=False)
    kind = AnswerKind.INTEGER if reader.flag("whole") else AnswerKind.NUMBER
    lowest, highest = (-inf if low is None else low), (inf if high is None else high)
    item = Item(code, lowest, highest, kind, plausible=reader.pair("plausible"), about=name)
    score = Score(
        code=code,
        name=name,
        rule="single",
        items=(code,),
        low=low,
        high=high,
        better=reader.choice("better", BETTER),
        unit=reader.text("unit"),
        missing=MissingRule(WhenMissing.NONE, Known(Sure.OWN, "one number, so nothing to fill")),
        known=known,
        bands=_bands(reader),
    )
    reader.choice("kind", [kind.value for kind in Kind])
    return Instrument(
        code=code,
        name=name,
        kind=Kind.MEASUREMENT,
        measures=reader.text("measures", name),
        primary=code,
        rule_version=reader.text("rule_version", "1"),
        recall=_recall(reader),
        versions=_versions(reader),
        items=(item,),
        scores=(score,),
        licence=_licence(reader, Licence("a number, no words", "own wording", Known(Sure.OWN, "holdfast"))),
        mics=_thresholds(reader, "mics"),
        mdcs=_thresholds(reader, "mdcs"),
        notes=reader.texts("notes"),
    )


def _known(reader: Reader) -> Known:
    sure = Sure(reader.choice("sure", [each.value for each in Sure], Sure.OWN.value))
    source = reader.text("source", None if sure is Sure.VERIFIED else "")
    return Known(sure, source, reader.text("note", ""))


def _items(reader: Reader) -> tuple[tuple[Item, ...], Known | None]:
    reverse_table = reader.child("reverse", required=False)
    reverse = reverse_table.texts("items", required=True) if reverse_table else ()
    reversal = _known(reverse_table) if reverse_table else None
    if reverse_table:
        reverse_table.done()
    items: list[Item] = []
    for group in reader.children("items", required=True):
        items += _group(group, reverse)
    for unknown in sorted(set(reverse) - {item.id for item in items}):
        reader.problem("unknown-item", "reverse", f"{unknown!r} is not an item of this instrument.")
    return tuple(items), reversal


def _group(reader: Reader, reverse: tuple[str, ...]) -> list[Item]:
    """Items that share range and kind; `about` and `text` are lists beside `ids`."""
    ids = reader.texts("ids", required=True)
    low, high = reader.number("low"), reader.number("high")
    kind = AnswerKind(reader.choice("kind", [each.value for each in AnswerKind], AnswerKind.INTEGER.value))
    optional, plausible = reader.texts("optional"), reader.pair("plausible")
    about, text, anchors = reader.texts("about"), reader.texts("text"), reader.texts("anchors")
    asked_if = reader.text("asked_if", "")
    reader.done()
    for key, words in (("about", about), ("text", text)):
        if words and len(words) != len(ids):
            reader.problem("wrong-length", key, f"there are {len(words)} for {len(ids)} ids.", "Write one per id.")
            return []
    if anchors and len(anchors) != 2:
        reader.problem("wrong-length", "anchors", "anchors are two texts: at the lowest, at the highest answer.")
    for unknown in sorted(set(optional) - set(ids)):
        reader.problem("unknown-item", "optional", f"{unknown!r} is not among these ids.")
    return [
        Item(
            id=id,
            low=0.0 if low is None else low,
            high=0.0 if high is None else high,
            kind=kind,
            reverse=id in reverse,
            optional=id in optional,
            plausible=plausible,
            asked_if=asked_if,
            about=about[n] if about else "",
            text=text[n] if text else "",
            anchors=(anchors[0], anchors[1]) if len(anchors) == 2 else None,
        )
        for n, id in enumerate(ids)
    ]


def _score(reader: Reader, items: tuple[Item, ...]) -> Score:
    better = reader.choice("better", [*BETTER, "none"])
    rule = reader.choice("rule", list(RULES))
    score = Score(
        code=reader.text("code"),
        name=reader.text("name"),
        rule=rule,
        items=reader.texts("items") or tuple(item.id for item in items),
        low=reader.number("low", required=False),
        high=reader.number("high", required=False),
        better=None if better == "none" else better,
        unit=reader.text("unit", ""),
        missing=_missing(reader),
        known=_known(reader),
        bands=_bands(reader),
        params=reader.number_table("params"),
    )
    reader.done()
    return score


def _missing(reader: Reader) -> MissingRule:
    table = reader.child("missing")
    if table is None:
        return MissingRule(WhenMissing.NONE, Known(Sure.NOT_FOUND, ""))
    then = WhenMissing(table.choice("then", [each.value for each in WhenMissing]))
    rule = MissingRule(then, _known(table), table.whole("min_answered"))
    table.done()
    return rule


def _bands(reader: Reader) -> Bands | None:
    table = reader.child("bands", required=False)
    if table is None:
        return None
    cuts, labels = table.numbers("cuts"), table.texts("labels", required=True)
    if len(labels) != len(cuts) + 1 or list(cuts) != sorted(set(cuts)):
        remedy = "Write the cuts in ascending order, and one label more than cuts."
        table.problem("wrong-bands", "", f"there are {len(cuts)} cuts and {len(labels)} labels.", remedy)
    bands = Bands(cuts, labels, table.choice("at_cut", ("upper", "lower")), _known(table))
    table.done()
    return bands


def _recall(reader: Reader) -> Recall:
    table = reader.child("recall", required=False)
    if table is None:
        return Recall("", Known(Sure.NOT_FOUND, ""))
    recall = Recall(table.text("period", ""), _known(table))
    table.done()
    return recall


def _versions(reader: Reader) -> tuple[Version, ...]:
    versions = []
    for child in reader.children("versions"):
        versions.append(Version(child.text("label"), _known(child)))
        child.done()
    return tuple(versions)


def _licence(reader: Reader, default: Licence | None = None) -> Licence:
    table = reader.child("licence", required=default is None)
    if table is None:
        return default or Licence("", SHIPS[0], Known(Sure.NOT_FOUND, ""))
    licence = Licence(table.text("status"), table.choice("ships", SHIPS), _known(table))
    table.done()
    return licence


def _thresholds(reader: Reader, key: str) -> tuple[Threshold, ...]:
    thresholds = []
    for child in reader.children(key):
        thresholds.append(
            Threshold(
                score=child.text("score"),
                absolute=child.number("absolute", required=False),
                relative=child.number("relative", required=False),
                population=child.text("population"),
                known=_known(child),
                low=child.number("low", required=False),
                high=child.number("high", required=False),
                condition=child.text("condition", ""),
            )
        )
        child.done()
    return tuple(thresholds)


def _safety(reader: Reader) -> Safety:
    above = reader.number("above")
    safety = Safety(reader.text("item"), above or 0.0, reader.text("says"), _known(reader))
    reader.done()
    return safety
