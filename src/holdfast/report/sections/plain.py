"""One page in plain words for people who took part and for those who train people."""

from __future__ import annotations

import math

from holdfast.analysis.outcomes import name
from holdfast.core.facts import AdverseEvent
from holdfast.report.effects import Effect, effects
from holdfast.report.model import Block, Callout, Paragraph, Section
from holdfast.report.path import arm_paths
from holdfast.report.source import Source
from holdfast.report.words import join, number, plural, sentence


def section(source: Source) -> Section:
    """Question, people, what they did, what was found, how sure that is."""
    blocks: list[Block] = []
    for heading, text in (
        ("The question", _question(source)),
        ("Who took part", _people(source)),
        ("What they did", _programmes(source)),
        ("What was found", _found(source)),
        ("Did it last?", _lasting(source)),
        ("How many did clearly better", _responders(source)),
        ("Unwanted effects", _harms(source)),
        ("How sure can we be?", _sure(source)),
    ):
        if text:
            blocks.append(Callout(text, "result" if heading == "What was found" else "note", heading))
    blocks.append(
        Paragraph(
            "This page describes one study. It is not advice for one person: whoever has pain or an illness should "
            "talk to a clinician or trainer who knows them before changing how they train.",
            "small",
        )
    )
    return Section("plain", "In plain words", tuple(blocks), page=True)


def _question(source: Source) -> str:
    head = source.study.study
    return sentence(head.question or head.title)


def _people(source: Source) -> str:
    frame = source.data.people
    condition = f" with {source.study.study.condition}" if source.study.study.condition else ""
    parts = [f"{plural(len(frame), 'person', 'people')}{condition} were put into groups by chance"]
    if "age" in frame:
        ages = [float(value) for value in frame["age"] if not math.isnan(float(value))] if len(frame) else []
        if ages:
            parts.append(f"they were {number(sum(ages) / len(ages), 0)} years old on average")
    sizes = [f"{len(source.people_of(arm))} {source.arm_name(arm)}" for arm in source.order]
    return sentence("; ".join(parts)) + f" Groups: {join(sizes)}."


def _programmes(source: Source) -> str:
    said = []
    for arm in source.study.arms:
        programme = source.study.programmes.get(arm.programme or "")
        if programme is None:
            if arm.description:
                said.append(f"{arm.name or arm.code}: {sentence(arm.description)}")
            continue
        times = f"{plural(programme.sessions, 'training session')} over {number(programme.weeks, 0)} weeks"
        effort = {"vigorous": "hard", "moderate": "moderate", "light": "light"}.get(programme.intensity or "", "")
        said.append(f"{arm.name or arm.code}: {times}" + (f", at {effort} effort." if effort else "."))
    return " ".join(said)


def _primary(source: Source) -> list[Effect]:
    primary = source.primary
    return [each for each in effects(source) if primary and each.analysed.code == primary.code]


def _found(source: Source) -> str:
    found = _primary(source)
    if not found:
        return "No main comparison could be computed; the report says why under Statistical methods."
    if len(found) > 2 and all(each.turned.low <= 0 <= each.turned.high for each in found):
        return _undecided(source, found) + _mic_words(found)
    return " ".join(verdict(source, each) for each in found) + _mic_words(found)


def _undecided(source: Source, found: list[Effect]) -> str:
    """Many visits and no clear difference at any of them, in one sentence."""
    visits = join([source.visit_name(each.row.at) for each in found])
    what, decimals = name(found[0].outcome), found[0].outcome.decimals
    sizes = sorted(abs(each.turned.estimate) for each in found)
    spread = f"{number(sizes[0], decimals)} to {number(sizes[-1], decimals)} points"
    low, high = min(each.turned.low for each in found), max(each.turned.high for each in found)
    first, second = found[0].first, found[0].second
    return (
        f"{what}, {visits}: at none of these visits can the study say which group did better. The averages lay "
        f"{spread} apart, which chance alone could explain (the data fit anything from {number(-low, decimals)} better "
        f"with {second} to {number(high, decimals)} better with {first})."
    )


def verdict(source: Source, each: Effect) -> str:
    """One comparison in plain words: who did better, by how much, how certain, and whether it matters."""
    row = each.turned
    what, unit = name(each.outcome).lower().replace("nprs", "NPRS").replace("modi", "MODI"), each.outcome.unit
    what = name(each.outcome)
    when = source.visit_name(row.at)
    decimals = each.outcome.decimals
    points = "points" if unit in ("", "%") else unit
    size = f"{number(abs(row.estimate), decimals)} {points}"
    better = each.first if row.estimate >= 0 else each.second
    spread = _spread(each)
    if row.low > 0 or row.high < 0:
        matter = _matters(each)
        return f"{what}, {when}: the {better} group did better, by about {size} on average ({spread}){matter}."
    return (
        f"{what}, {when}: the study cannot say which group did better. The {better} group was ahead by {size} on "
        f"average, but chance alone could explain that ({spread}){_still_possible(each)}."
    )


def _spread(each: Effect) -> str:
    row, decimals = each.turned, each.outcome.decimals
    sides = []
    for value in (row.low, row.high):
        arm = each.first if value >= 0 else each.second
        sides.append((number(abs(value), decimals), arm))
    (a, one), (b, other) = sides
    if one == other:
        low, high = (a, b) if abs(row.low) <= abs(row.high) else (b, a)
        return f"the data fit anything from {low} to {high} better"
    return f"the data fit anything from {a} better with {one} to {b} better with {other}"


def _matters(each: Effect) -> str:
    if not each.mic:
        return ""
    row = each.turned
    near, far = sorted((abs(row.low), abs(row.high)))
    if near >= each.mic:
        return "; on average more than what one person usually notices"
    if far < each.mic:
        return "; on average less than what one person usually notices"
    return "; it may or may not be as large as what one person usually notices"


def _still_possible(each: Effect) -> str:
    if not each.mic:
        return ""
    row = each.turned
    if -each.mic < row.low and row.high < each.mic:
        return "; a difference that people would notice is unlikely"
    return "; a difference that people would notice is still possible"


def _mic_words(found: list[Effect]) -> str:
    first = found[0]
    if not first.mic:
        return ""
    size = f"{number(first.mic, 0)} points"
    return f" A change of about {size} is the smallest that one person usually notices as better or worse."


def _lasting(source: Source) -> str:
    kept = _kept(source)
    if kept:
        return " ".join(kept)
    primary = source.primary
    for row in primary.contrasts if primary else ():
        if " to " in row.at and row.what == "difference in means":
            outcome = source.outcome_of(primary) if primary else None
            decimals = outcome.decimals if outcome else 1
            moved = f"{number(row.low, decimals)} to {number(row.high, decimals)} points"
            if row.low <= 0 <= row.high:
                return f"From {row.at} the gap between the groups did not clearly change (change of the gap: {moved})."
            return f"From {row.at} the gap between the groups changed (by {moved})."
    return ""


def _kept(source: Source) -> list[str]:
    """What each arm kept of its gain, from the durability analysis."""
    said = []
    for analysed in source.of_model("durability"):
        for row in analysed.rows:
            if row.what != "retention":
                continue
            late = source.visit_name(row.at.partition(" / ")[0])
            if math.isinf(row.low) or math.isinf(row.high):
                said.append(f"{source.arm_name(row.contrast)}: the study cannot say how much of the gain was kept.")
                continue
            spread = f"the data fit {number(100 * row.low, 0)}% to {number(100 * row.high, 0)}%"
            size = f"about {number(100 * row.estimate, 0)}% as large as the first improvement"
            said.append(f"{source.arm_name(row.contrast)}, {late}: the improvement was {size} ({spread}).")
        if said:
            return said
    return said


def _responders(source: Source) -> str:
    for analysed in source.of_model("responders"):
        if analysed.found is None or not analysed.found.tables:
            continue
        counted = {str(row[0]): (row[1], row[2]) for row in analysed.found.tables[0].rows}
        said = [f"{counted[arm][0]} of {counted[arm][1]} people in {arm}" for arm in source.order if arm in counted]
        return f"{join(said)} improved by an amount that matters ({source.visit_name(analysed.at)})."
    return ""


def _harms(source: Source) -> str:
    if not source.ledger.all(AdverseEvent):
        return "No unwanted effects were recorded. That does not prove that there were none."
    said, serious = [], 0
    for arm in source.order:
        people = source.people_of(arm)
        entries = [entry for code in people for entry in source.ledger.of(code, AdverseEvent)]
        hurt = {entry.record.participant for entry in entries}
        serious += sum(isinstance(entry.fact, AdverseEvent) and entry.fact.serious for entry in entries)
        said.append(f"{len(hurt)} of {len(people)} people in {arm}")
    grave = (
        "None was serious."
        if serious == 0
        else f"{plural(serious, 'event')} {'was' if serious == 1 else 'were'} serious."
    )
    return f"{join(said)} had at least one unwanted event, such as sore muscles or more pain. {grave}"


def _sure(source: Source) -> str:
    total = sum(path.allocated for path in arm_paths(source))
    analysed = [path.analysed for path in arm_paths(source) if path.analysed is not None]
    parts = []
    if analysed and sum(analysed) < total:
        parts.append(
            f"{sum(analysed)} of {total} people are in the main comparison; the others could not be measured later"
        )
    if total < 100:
        parts.append("the study is small, so the true difference may be quite different from the average found")
    if source.results.simulated:
        parts.append("the people are simulated: this shows how the report works, and says nothing about training")
    return " ".join(sentence(part) for part in parts)
