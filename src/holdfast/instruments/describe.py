"""Instruments said in Markdown, so that the documentation is made from the data files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.instruments.model import Instrument, Known, MissingRule, Score, Sure, Threshold, WhenMissing

MARKS = {Sure.VERIFIED: "V", Sure.MEMORY: "M", Sure.NOT_FOUND: "NF", Sure.OWN: "O"}


def catalogue(instruments: Iterable[Instrument]) -> str:
    """One section per instrument, as it stands in docs/methods/instruments.md."""
    return "\n\n".join("\n".join(_section(instrument)) for instrument in instruments) + "\n"


def _section(instrument: Instrument) -> Iterator[str]:
    yield f"### `{instrument.code}`: {instrument.name}"
    yield ""
    ships = f"Ships: {instrument.licence.ships} {_mark(instrument.licence.known)}."
    yield f"Measures {instrument.measures}. {_items(instrument)} {ships}"
    if instrument.recall.period:
        yield f"Recall: {instrument.recall.period} {_mark(instrument.recall.known)}."
    yield ""
    yield "| score | rule | range | better | missing answers | bands |"
    yield "|---|---|---|---|---|---|"
    for score in instrument.scores:
        yield _score(instrument, score)
    remarks = [*_changes(instrument), *_versions(instrument), *instrument.notes]
    if remarks:
        yield ""
        yield from (f"- {remark}" for remark in remarks)


def _items(instrument: Instrument) -> str:
    if len(instrument.items) == 1:
        item = instrument.items[0]
        return f"One value `{item.id}`, {item.low:g} to {item.high:g}."
    text = f"{len(instrument.items)} items `{instrument.items[0].id}` to `{instrument.items[-1].id}`"
    turned = [item.id for item in instrument.items if item.reverse]
    optional = [item.id for item in instrument.items if item.optional]
    if turned and instrument.reversal:
        text += f", reversed {_mark(instrument.reversal)}: {', '.join(turned)}"
    if optional:
        text += f", may be left out: {', '.join(optional)}"
    return text + "."


def _score(instrument: Instrument, score: Score) -> str:
    name = f"**`{score.code}`**" if score.code == instrument.primary else f"`{score.code}`"
    extent = "-" if score.low is None or score.high is None else f"{score.low:g} to {score.high:g} {score.unit}".strip()
    rule = f"{score.rule} {_mark(score.known)}"
    if set(score.items) != {item.id for item in instrument.items}:
        rule += f" of {', '.join(score.items)}"
    return f"| {name} | {rule} | {extent} | {score.better or '-'} | {_missing(score.missing)} | {_bands(score)} |"


def _missing(rule: MissingRule) -> str:
    """What happens when answers are missing, in a few words."""
    done = {
        WhenMissing.NONE: "none allowed",
        WhenMissing.SKIP: "left out of the rule",
        WhenMissing.PRORATE: "person's mean",
        WhenMissing.ZERO: "count as not ticked",
    }[rule.then]
    if rule.then in {WhenMissing.SKIP, WhenMissing.PRORATE}:
        limit = f"from {rule.min_answered} answers" if rule.min_answered else "every required item, unless the protocol"
        done = f"{done}, {limit}" if rule.min_answered else f"{limit} sets `min_answered` (then {done})"
    return f"{done} {_mark(rule.known)}"


def _bands(score: Score) -> str:
    if score.bands is None:
        return "-"
    sign = ">=" if score.bands.at_cut == "upper" else ">"
    steps = [f"{label} {sign} {cut:g}" for cut, label in zip(score.bands.cuts, score.bands.labels[1:], strict=True)]
    return f"{score.bands.labels[0]}; {'; '.join(steps)} {_mark(score.bands.known)}"


def _changes(instrument: Instrument) -> Iterator[str]:
    yield from (_threshold("Minimal important change", each) for each in instrument.mics)
    yield from (_threshold("Minimal detectable change", each) for each in instrument.mdcs)


def _threshold(word: str, each: Threshold) -> str:
    said = f"{word} of `{each.score}`: {_size(each)}; {each.population} ({each.known.source}) {_mark(each.known)}."
    return f"{said} {each.known.note}".strip()


def _size(each: Threshold) -> str:
    size = f"{each.absolute:g}" if each.absolute is not None else ""
    if each.relative is not None:
        size = f"{each.relative:.0%}"
    if each.low is not None and each.high is not None:
        size = f"{size} ({each.low:g} to {each.high:g})" if size else f"{each.low:g} to {each.high:g}"
    return f"{size}, {each.condition}" if each.condition else size


def _versions(instrument: Instrument) -> Iterator[str]:
    for version in instrument.versions:
        yield f"Version: {version.label} {_mark(version.known)}."


def _mark(known: Known) -> str:
    return f"[{MARKS[known.sure]}]"
