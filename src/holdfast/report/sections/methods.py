"""What was declared and what was run, analysis by analysis, with their estimands."""

from __future__ import annotations

from holdfast.analysis.results import Analysed
from holdfast.report.model import Block, Callout, Grid, Line, Paragraph, Section
from holdfast.report.source import Source
from holdfast.report.words import DASH, join, number, p_value, sentence, typeset
from holdfast.study.analyses import Declared
from holdfast.study.contrasts import parse_contrast

_HIDDEN = {"code", "title", "role", "set", "estimand", "model", "contrasts", "source", "verified"}

_SUMMARIES = {
    "responders": "risk difference",
    "durability": "share of the gain kept",
    "mediation": "indirect effect",
    "dose": "effect per unit of training received",
    "modification": "interaction",
    "recurrence": "ratio of rates",
    "synthesis": "pooled effect",
}
"""What a model estimates, where the study file leaves the summary to it."""


def estimands(source: Source) -> Section | None:
    """The five attributes of each analysis."""
    lines = []
    for analysed in source.results.analyses:
        declared = source.declared(analysed.code)
        estimand = declared.estimand
        events = "; ".join(f"{event}: {strategy}" for event, strategy in estimand.intercurrent.items())
        cells = (
            f"{analysed.code} ({analysed.role})",
            estimand.treatment or join(_compared(declared)),
            estimand.population if analysed.set == "all randomised" else f"{estimand.population}; set: {analysed.set}",
            estimand.variable or f"{analysed.outcome}{' at ' + analysed.at if analysed.at else ''}",
            estimand.summary
            if "summary" in estimand.model_fields_set
            else _SUMMARIES.get(analysed.model, estimand.summary),
            events or "none declared",
        )
        lines.append(Line(cells))
    if not lines:
        return None
    columns = ("Analysis", "Treatment", "Population", "Variable", "Summary", "Intercurrent events: strategy")
    note = "The five attributes of ICH E9(R1), as the study file declares them before the data."
    widths = (1.2, 1.7, 1.4, 1.5, 1.2, 1.6)
    grid = Grid("estimands", "Estimands", columns, tuple(lines), note, align="l" * 6, widths=widths)
    return Section("estimands", "What is estimated", (grid,), items=("21a", "21b"))


def _compared(declared: Declared) -> list[str]:
    """The comparisons of arms that the contrasts name, each once."""
    read = [parse_contrast(words) for words in getattr(declared, "contrasts", ())]
    return list(dict.fromkeys(" − ".join(contrast.arms) for contrast in read))


def methods(source: Source) -> Section:
    """Each analysis in words: what the study file declares, what was run, and where they differ."""
    lines = []
    for analysed in source.results.analyses:
        lines.append(Line((f"{analysed.title} [{analysed.code}; {analysed.role}]",), "group"))
        lines.append(Line(("Declared", _declared(source, analysed)), "indent"))
        lines.append(Line(("Run", analysed.method), "indent"))
        notes = [*(analysed.found.notes if analysed.found else ()), *(_issue(analysed))]
        if notes:
            lines.append(Line(("To note", typeset(" ".join(sentence(note) for note in notes))), "indent"))
    grid = Grid("methods", "Declared and run", ("", ""), tuple(lines), align="ll", widths=(1, 7))
    alpha = source.study.study.alpha
    blocks: list[Block] = [Paragraph(_general(source)), grid]
    if source.results.hierarchy:
        blocks.append(_hierarchy(source))
    else:
        blocks.append(
            Paragraph(
                "No order of tests is declared, so p values are not adjusted for multiplicity; "
                f"each is read at {alpha:g}."
            )
        )
    failed = [each for each in source.results.analyses if each.found is None]
    if failed:
        said = "; ".join(f"{each.code}: {each.issues[0].what}" for each in failed if each.issues)
        blocks.insert(0, Callout(said, "warning", "Declared, and not run"))
    items = ("21a", "21c", "21d", "pro:P12a")
    return Section("methods", "Statistical methods: declared and run", tuple(blocks), items=items)


def _declared(source: Source, analysed: Analysed) -> str:
    declared = source.declared(analysed.code)
    options = []
    for key, value in declared.model_dump(mode="json", exclude_none=True).items():
        if key in _HIDDEN or value in ("", [], {}, False):
            continue
        options.append(f"{key.replace('_', ' ')} {_plain(value)}")
    contrasts = "; ".join(str(words) for words in getattr(declared, "contrasts", ()))
    return f"{analysed.model} of {'; '.join(options)}. Contrasts: {contrasts or DASH}. Set: {analysed.set_words}."


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _issue(analysed: Analysed) -> list[str]:
    return [f"{issue.what} {issue.remedy}".strip() for issue in analysed.issues]


def _general(source: Source) -> str:
    alpha = source.study.study.alpha
    return (
        f"Everything below was declared in the study file, version {source.study.study.version}, and run in that order "
        f"on the ledger named under Provenance. Two-sided tests at alpha {alpha:g}; intervals have the declared level. "
        "Raw answers are stored and scores derived from them. Where a model could not be fitted as declared, no other "
        "was put in its place."
    )


def _hierarchy(source: Source) -> Grid:
    lines = tuple(
        Line(
            (
                f"{one.step}. {one.analysis}",
                one.contrast,
                p_value(one.p),
                p_value(one.adjusted),
                one.method,
                one.decision,
            )
        )
        for one in source.results.hierarchy
    )
    alpha = number(source.study.study.alpha, 2)
    note = f"A step is tested at {alpha} only when all of every step before it was significant."
    columns = ("Analysis", "Contrast tested", "p", "Adjusted p", "Shared by", "Decision")
    return Grid("hierarchy", "Order of tests", columns, lines, note, align="llrrll")
