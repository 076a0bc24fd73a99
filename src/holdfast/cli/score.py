"""`holdfast score`: raw answers in a CSV file to scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.errors import CallError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.core.issues import Issue
    from holdfast.instruments import Instrument, Options, ScoredTable

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
Cell = str | float | None
Row = dict[str, Cell]


def score(
    csv: Annotated[Path, typer.Argument(help="A CSV file: one row per form, columns named by item ids.")],
    *,
    instrument: Annotated[str, typer.Option(help="Code of an instrument, or the .toml file of your own.")],
    value_set: Annotated[Path | None, typer.Option(help="CSV with profile and index, for an index value.")] = None,
    min_answered: Annotated[
        list[str] | None, typer.Option(help="The protocol's choice: SCORE=N, or N for the primary score.")
    ] = None,
    missing: Annotated[list[str] | None, typer.Option(help="A word that stands for no answer, besides empty.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the scores to this CSV file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document for machines.")] = False,
) -> None:
    """Score a table of raw answers; say why where there is no score.

    Exit codes: 0 done, 1 problems in data (the rest is scored all the same), 2 wrong call, 3 could not.
    """
    from holdfast.core.issues import errors
    from holdfast.instruments import score_table

    form = _instrument(instrument)
    if out is not None and out.resolve() == csv.resolve():
        raise CallError("--out is the file that is read; raw answers are never overwritten.")
    options, said = _options(form, value_set, min_answered or [])
    rows, places = _read(csv, {item.id for item in form.items}, missing or [])
    scored = score_table(form, _frame(rows), options=options, places=places)
    issues = [*said, *_twice(rows, places, {item.id for item in form.items}), *scored.issues]
    results = _results(scored)
    if out is not None:
        _write(out, _as_csv(results))
    typer.echo(
        _as_json(form, scored, csv, results, issues) if json else _in_words(form, scored, csv, results, issues, out=out)
    )
    if errors(issues):
        raise typer.Exit(1)


# What the command is given ----


def _instrument(name: str) -> Instrument:
    """The shipped instrument with this code, or the one that a .toml file declares."""
    from holdfast.instruments import instrument_from, load

    if not name.endswith(".toml"):
        return load(name)
    import tomllib

    try:
        table = tomllib.loads(_text(Path(name)))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name} is not TOML: {error}") from None
    found, issues = instrument_from(table, name)
    if found is None:
        raise DataError(f"{name} has problems:\n" + "\n".join(map(str, issues)), issues=issues)
    return found


def _options(form: Instrument, value_set: Path | None, min_answered: Sequence[str]) -> tuple[Options, list[Issue]]:
    """The protocol's choices; a value set that lacks profiles comes with a warning."""
    from holdfast.instruments import Options, value_set_from

    fewest = dict(_fewest(form, text) for text in min_answered)
    if value_set is None:
        return Options(min_answered=fewest), []
    values, issues = value_set_from(_text(value_set), value_set.stem)
    if values is None:
        raise DataError(f"{value_set} is not a value set:\n" + "\n".join(map(str, issues)), issues=issues)
    return Options(min_answered=fewest, value_set=values), issues


def _fewest(form: Instrument, text: str) -> tuple[str, int]:
    code, _, count = text.rpartition("=")
    if not count.isdecimal():
        raise CallError(f"--min-answered {text!r} is not understood.", ways_out=[f"write {form.primary}=8, or 8"])
    return code or form.primary, int(count)


def _text(file: Path) -> str:
    if not file.is_file():
        raise CallError(f"There is no file {file}.")
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError(f"{file}, line {line}: this is not UTF-8 text.", ways_out=["save it as CSV UTF-8"]) from None


def _read(file: Path, ids: set[str], missing: Sequence[str]) -> tuple[list[Row], list[str]]:
    """The rows of the file as text cells (None where there is no answer), and where each row stands."""
    import csv
    import io

    text = _text(file)
    first = text.splitlines()[0] if text.strip() else ""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(file, first, ids), strict=True)
    rows: list[Row] = []
    places: list[str] = []
    try:
        header = [name.strip() for name in next(reader)]
        _check_header(file, header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_row(file, reader.line_num, header, cells, missing))
                places.append(f"line {reader.line_num}")
    except csv.Error as error:
        raise DataError(f"{file}, line {reader.line_num}: {error}.") from None
    if not rows:
        raise DataError(f"{file} holds a header and no rows.")
    return rows, places


def _twice(rows: list[Row], places: list[str], ids: set[str]) -> list[Issue]:
    """A warning for each line that names the same form as a line before it: same person, same visit, and so on."""
    from holdfast.core.issues import Issue, Severity

    first: dict[tuple[Cell, ...], str] = {}
    found: list[Issue] = []
    for row, place in zip(rows, places, strict=True):
        key = tuple(cell for name, cell in row.items() if name not in ids)
        before = first.setdefault(key, place)
        if any(cell is not None for cell in key) and before != place:
            said = ", ".join(f"{name} {row[name]}" for name in row if name not in ids and row[name] is not None)
            what = f"{said} is in {before} already; both were scored."
            found.append(Issue("duplicate", place, what, "Give one line per form.", Severity.WARNING))
    return found


def _delimiter(file: Path, first: str, ids: set[str]) -> str:
    """The delimiter that splits the header into the most item ids; none of them is a problem to report."""
    found = {mark: len(ids & {name.strip().strip('"') for name in first.split(mark)}) for mark in DELIMITERS}
    best = max(found, key=lambda mark: found[mark])
    if not found[best]:
        shown = ", ".join(sorted(ids)[:4])
        raise DataError(
            f"{file}: no column of the header is an item of the instrument.",
            ways_out=[
                f"name the columns by item id ({shown}, ...)",
                "separate them by " + ", ".join(DELIMITERS.values()),
            ],
        )
    return best


def _check_header(file: Path, header: list[str]) -> None:
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(f"{file}: the column {twice[0]!r} is there twice.")


def _row(file: Path, line: int, header: list[str], cells: list[str], missing: Sequence[str]) -> Row:
    if len(cells) != len(header):
        raise DataError(f"{file}, line {line}: {len(cells)} cells under {len(header)} columns.")
    stripped = (cell.strip() for cell in cells)
    return {name: None if cell == "" or cell in missing else cell for name, cell in zip(header, stripped, strict=True)}


def _frame(rows: list[Row]) -> Any:
    """The rows as a table of text, so that nothing is turned into a number before it is checked."""
    import pandas as pd

    return pd.DataFrame(rows, dtype=object)


# What the command gives back ----


def _results(scored: ScoredTable) -> list[Row]:
    """One plain row per form."""
    import pandas as pd

    records: list[dict[str, Any]] = scored.frame.to_dict("records")
    return [{name: None if pd.isna(cell) else cell for name, cell in record.items()} for record in records]


def _shown(cell: Cell) -> str:
    """A cell as text: whole numbers without a point, others in full."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell == int(cell) else str(cell)


def _as_csv(results: list[Row]) -> str:
    import csv
    import io

    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(results[0])
    writer.writerows([_shown(cell) for cell in row.values()] for row in results)
    return page.getvalue()


def _write(file: Path, text: str) -> None:
    """All or nothing: the file appears when it is complete."""
    part = file.with_name(file.name + ".part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _as_json(form: Instrument, scored: ScoredTable, file: Path, results: list[Row], issues: list[Issue]) -> str:
    import json
    from dataclasses import asdict

    document = {
        "instrument": form.code,
        "rule_version": scored.rule_version,
        "source": file.name,
        "scores": [each.code for each in form.scores],
        "rows": results,
        "issues": [asdict(issue) for issue in issues],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _in_words(
    form: Instrument, scored: ScoredTable, file: Path, results: list[Row], issues: list[Issue], *, out: Path | None
) -> str:
    """The scores as a table (or where they were written), what was found, and a last line that sums up."""
    lines = [f"The scores are in {out}."] if out is not None else _aligned(results)
    if issues:
        lines += ["", *(f"{file.name}: {issue}" for issue in issues)]
    given = sum(row[form.primary] is not None for row in results)
    forms = "1 form" if len(results) == 1 else f"{len(results)} forms"
    return "\n".join([*lines, "", f"{scored.rule_version}: {form.primary} for {given} of {forms}."])


def _aligned(results: list[Row]) -> list[str]:
    rows = [list(results[0]), *([_rounded(cell) for cell in row.values()] for row in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _rounded(cell: Cell) -> str:
    """A cell for reading: two decimals at most, a dash where there is no score."""
    if isinstance(cell, float) and cell != int(cell):
        return f"{cell:.2f}"
    return _shown(cell) or "-"
