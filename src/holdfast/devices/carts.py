"""Exports of metabolic carts: which maker wrote this, and what is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from holdfast.capacity.breaths import BreathTable, TestInfo
from holdfast.capacity.quality import check
from holdfast.core.issues import Issue, Severity
from holdfast.devices import cells
from holdfast.devices.cart_table import EMPTY, KIND, Found, Issues, breaths_from
from holdfast.devices.cells import label
from holdfast.devices.sheets import Rows, rows_of
from holdfast.devices.zan import is_zan, read_zan
from holdfast.errors import CallError


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one maker names things, in the languages seen in real files; names are compared without case or colon."""

    maker: str
    marks: tuple[str, ...]
    time: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


_COMMON = {
    "vo2": ("v'o2 (stpd)", "v'o2", "vo2"),
    "vco2": ("v'co2 (stpd)", "v'co2", "vco2"),
    "rr": ("rf", "af", "bf", "fr"),
    "vt": ("vt", "vtex"),
    "ve": ("v'e (btps)", "v'e", "ve", "vestpd", "v'e (st)"),
    "heart_rate": ("hr", "hf", "fc"),
    "power": ("p", "wr", "power", "load", "last", "watt", "leistung"),
    "speed": ("speed", "v", "vitesse", "geschw.", "geschwindigkeit"),
    "cadence": ("rpm",),
    "pet_o2": ("peto2",),
    "pet_co2": ("petco2",),
}
DIALECTS: Mapping[str, Dialect] = {
    "cosmed": Dialect(
        "Cosmed",
        ("id1", "id", "id code", "id-code"),
        ("t",),
        # Pe is the mixed expired pressure; some readers take it for the end-tidal one.
        {**_COMMON, "pe_o2": ("peo2",), "pe_co2": ("peco2",)},
    ),
    "cortex": Dialect("Cortex", ("stammdaten", "administrative data", "administrative daten"), ("t",), _COMMON),
    "vyntus": Dialect("Vyntus", ("id-nummer",), ("tid", "time", "temps", "zeit", "t-ph", "t"), _COMMON),
}
_MASS = ("weight (kg)", "gewicht (kg)", "weight", "gewicht", "poids", "vægt", "body mass", "körpergewicht")
_HEIGHT = ("height (cm)", "größe (cm)", "height", "größe", "taille", "højde")
_SEX = ("sex", "geschlecht", "sexe", "køn", "gender")
_AGE = ("age", "alter", "âge", "alder")
_DEVICE = ("spiroergometrie-gerät", "device", "cpet device", "gerät")
_SEXES = {"m": "male", "male": "male", "männlich": "male", "f": "female", "w": "female", "female": "female"}
_SEXES |= {"weiblich": "female", "mand": "male", "kvinde": "female", "homme": "male", "femme": "female"}


def read_cart(data: bytes, maker: str | None = None) -> tuple[BreathTable, Issues]:
    """Breaths of a ZAN, Cosmed, Cortex or Vyntus export, with everything odd about it as issues.

    `maker` ("zan", "cosmed", "cortex", "vyntus") overrides the guess. Names, birth dates and patient numbers are never
    read, so they cannot leak; that they were there is noted. Units are converted as the file declares them and never
    guessed from the size of the numbers.
    """
    if maker is not None and maker not in ("zan", *DIALECTS):
        raise CallError(f"there is no importer {maker!r}; there is zan, {', '.join(DIALECTS)}")
    if maker == "zan" or (maker is None and is_zan(data)):
        return read_zan(data)
    rows, issues = rows_of(data)
    if not rows:
        return EMPTY, issues
    dialect = DIALECTS[maker] if maker is not None else guess_dialect(rows)
    if dialect is None:
        what = "this is not a ZAN, Cosmed, Cortex or Vyntus export."
        remedy = "Name the maker, or declare a column map."
        return EMPTY, (*issues, Issue("unknown-cart", "cart export", what, remedy))
    table, more = _read_sheet(rows, dialect)
    return table, issues + more + check(table)


def guess_dialect(rows: Rows) -> Dialect | None:
    """Whose export this is, from the words at its head."""
    head = {label(cell) for row in rows[:12] for cell in row[:2]}
    for dialect in (DIALECTS["cortex"], DIALECTS["cosmed"]):
        if head.intersection(dialect.marks):
            return dialect
    header = _header(rows[:12], DIALECTS["vyntus"])
    return DIALECTS["vyntus"] if header is not None or "id-nummer" in head else None


def _read_sheet(rows: Rows, dialect: Dialect) -> tuple[BreathTable, Issues]:
    header = _header(rows, dialect)
    if header is None:
        what = f"no row holds the column names of a {dialect.maker} export."
        return EMPTY, (Issue("no-header", "cart export", what),)
    names = [label(cell) for cell in rows[header]]
    units = [label(cell) for cell in rows[header + 1]] if header + 1 < len(rows) else []
    units += [""] * (len(names) - len(units))
    time = next(names.index(name) for name in dialect.time if name in names)
    found = Found(header + 2, time, units[time])
    issues: list[Issue] = []
    for channel in dialect.columns:
        _find(found, issues, (names, units), dialect, channel)
    info, notes = _info(rows[: header + 30], dialect, time)
    table, more = breaths_from(rows, found, info)
    table, dropped = _without_second_zero(table)
    table, derived = _derive_mass(table, rows, found, names, units)
    return table, tuple(issues) + notes + more + dropped + derived


def _header(rows: Rows, dialect: Dialect) -> int | None:
    for i, row in enumerate(rows[:300]):
        names = {label(cell) for cell in row}
        if names.intersection(dialect.time) and names.intersection(dialect.columns["vo2"]):
            below = rows[i + 1] if i + 1 < len(rows) else ()
            if any(cells.unit_factor("gas", label(cell)) is not None for cell in below):
                return i
    return None


def _find(found: Found, issues: list[Issue], head: tuple[list[str], list[str]], dialect: Dialect, channel: str) -> None:
    names, units = head
    named = [names.index(alias) for alias in dialect.columns[channel] if alias in names]
    for at in named:
        factor = cells.unit_factor(KIND[channel], units[at])
        if factor is not None:
            found.columns[channel] = (at, factor)
            return
    if named:
        needed = channel in ("vo2", "vco2", "ve")
        what = f"the unit under column {named[0] + 1} is not known, so the column was not read."
        severity = Severity.ERROR if needed else Severity.NOTE
        issues.append(Issue("unknown-unit", f"column {channel}", what, "Declare a column map.", severity))


def _info(head: Rows, dialect: Dialect, time: int) -> tuple[TestInfo, Issues]:
    # Cosmed writes the person beside the data, so only cells left of the time column are looked at.
    left = [row[:time] if time > 0 else row[:8] for row in head]
    mass, height, age = (cells.leading_number(_value(left, names)) for names in (_MASS, _HEIGHT, _AGE))
    sex = _SEXES.get(label(_value(left, _SEX)))
    model = _value(left, _DEVICE)
    cart = f"{dialect.maker} {model}" if isinstance(model, str) and _model_like(model) else dialect.maker
    usable = 20 <= mass <= 350
    info = TestInfo(
        mass if usable else None,
        "file" if usable else "",
        height if 100 <= height <= 250 else None,
        sex,
        age if 3 <= age <= 110 else None,
        cart,
    )
    what = "names, birth dates and patient numbers in the head of the file were not read."
    return info, (Issue("identity-not-read", "cart export", what, severity=Severity.NOTE),)


def _model_like(text: str) -> bool:
    return re.fullmatch(r"(MetaLyzer|MetaMax|Meta\w+|Quark|K4|K5|Vyntus)[\w .\-]{0,30}", text.strip()) is not None


def _value(rows: Rows, names: tuple[str, ...]) -> cells.Cell:
    for name in names:
        for row in rows:
            for i, cell in enumerate(row[:-1]):
                if label(cell) == name.casefold():
                    return next((value for value in row[i + 1 :] if not cells.is_blank(value)), None)
    return None


def _without_second_zero(table: BreathTable) -> tuple[BreathTable, Issues]:
    """Carts close a table with a row at second 0, and open it with one before the first whole breath."""
    zero = table.seconds == 0
    if not zero.any():
        return table, ()
    what = f"{int(zero.sum())} rows at second 0 are no breaths and were left out."
    return table.without(zero), (Issue("rows-left-out", "column time", what, severity=Severity.NOTE),)


def _derive_mass(
    table: BreathTable, rows: Rows, found: Found, names: list[str], units: list[str]
) -> tuple[BreathTable, Issues]:
    if table.info.body_mass is not None or "vo2" not in found.columns:
        return table, ()
    per_kg = next((i for i, name in enumerate(names) if name in ("vo2/kg", "v'o2/kg")), None)
    if per_kg is None or cells.unit_factor("gas per kg", units[per_kg]) is None:
        return table, ()
    at, factor = found.columns["vo2"]
    both = [row for row in rows[found.first_row :] if len(row) > max(at, per_kg)]
    pairs = [(cells.number(row[at]), cells.number(row[per_kg])) for row in both]
    ratios = [factor * absolute / relative for absolute, relative in pairs if absolute > 0 and relative > 0]
    mass = round(float(np.mean(ratios)), 1) if ratios else float("nan")
    if not 20 <= mass <= 350:
        return table, ()
    info = TestInfo(mass, "derived from VO2 and VO2/kg", *_rest(table.info))
    what = f"the head holds no body mass; {mass} kg follows from the columns VO2 and VO2/kg."
    issue = Issue("mass-derived", "cart export", what, "Supply the measured mass of that day.", Severity.NOTE)
    return BreathTable(table.seconds, table.channels, info), (issue,)


def _rest(info: TestInfo) -> tuple[float | None, str | None, float | None, str, str | None]:
    return info.height, info.sex, info.age, info.cart, info.software
