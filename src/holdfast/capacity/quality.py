"""Plausibility of a breath table: checks that turn what cannot be right into issues."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from holdfast.capacity.breaths import BREATH_UNITS, BreathTable, FloatArray
from holdfast.core.issues import Issue, Severity

#: Range in which the median of a channel over a whole exercise test lies, from elite to very unfit adults.
PLAUSIBLE_MEDIAN = {
    "vo2": (150.0, 7500.0),
    "vco2": (120.0, 8500.0),
    "ve": (4.0, 230.0),
    "vt": (0.2, 5.0),
    "rr": (5.0, 90.0),
    "heart_rate": (35.0, 220.0),
    "power": (0.0, 700.0),
    "speed": (0.0, 8.0),
    "cadence": (0.0, 180.0),
    "pet_o2": (60.0, 150.0),
    "pet_co2": (15.0, 70.0),
    "pe_o2": (80.0, 150.0),
    "pe_co2": (5.0, 60.0),
}
PLAUSIBLE_RER = (0.60, 1.50)  # of the median breath of a test
PLAUSIBLE_VE_PER_VO2 = (12.0, 90.0)  # ventilatory equivalent, L of air per L of oxygen


def check(table: BreathTable) -> tuple[Issue, ...]:
    """Everything that looks wrong in a test; an empty tuple when nothing does."""
    if len(table) == 0:
        return (Issue("no-breaths", "cart export", "there is not one readable breath in the file."),)
    return tuple(issue for rule in RULES for issue in rule(table))


def _too_few(table: BreathTable) -> Sequence[Issue]:
    span = float(table.seconds[-1] - table.seconds[0])
    if len(table) >= 10 and span >= 60:
        return ()
    what = f"the test holds {len(table)} rows over {span:.0f} s, too little for a maximum."
    return (Issue("too-short", "cart export", what, severity=Severity.WARNING),)


def _negative_time(table: BreathTable) -> Sequence[Issue]:
    n = int((table.seconds < 0).sum())
    if n == 0:
        return ()
    what = f"{n} breaths lie before second 0."
    return (Issue("negative-time", "column time", what, "Check the time column of the export."),)


def _ranges(table: BreathTable) -> Sequence[Issue]:
    return [issue for name in table.channels if (issue := _range_issue(name, table.channel(name))) is not None]


def _range_issue(name: str, values: FloatArray) -> Issue | None:
    seen = values[np.isfinite(values)]
    if seen.size == 0:
        return None
    middle = float(np.median(seen))
    low, high = PLAUSIBLE_MEDIAN[name]
    if low <= middle <= high:
        return None
    unit = BREATH_UNITS[name]
    litres = name in ("vo2", "vco2") and 0.1 <= middle <= 8.0
    code = "wrong-unit" if litres else "implausible"
    remedy = (
        "These look like L/min; declare the unit in the column map."
        if litres
        else "Two columns may be swapped or the unit may be wrong."
    )
    what = f"the median is {middle:.4g} {unit}; {low:g} to {high:g} {unit} is possible."
    return Issue(code, f"column {name}", what, remedy)


def _rer(table: BreathTable) -> Sequence[Issue]:
    rer = table.rer[np.isfinite(table.rer)]
    if rer.size == 0:
        return ()
    middle, (low, high) = float(np.median(rer)), PLAUSIBLE_RER
    if low <= middle <= high:
        return ()
    what = f"the median VCO2/VO2 is {middle:.3f}; {low} to {high} is possible."
    remedy = "One of the two gas channels is corrupt; do not use VCO2, RER or thresholds of this test."
    return (Issue("corrupt-vco2", "columns vco2, vo2", what, remedy),)


def _swapped_gases(table: BreathTable) -> Sequence[Issue]:
    """RER rises with effort; one that starts above 1.1 and falls below 1 is an RER upside down."""
    rer = table.rer[np.isfinite(table.rer)]
    if rer.size < 30:
        return ()
    third = rer.size // 3
    early, late = float(np.median(rer[:third])), float(np.median(rer[-third:]))
    if not (early > 1.1 and late < 1.0):
        return ()
    what = f"VCO2/VO2 falls from {early:.2f} to {late:.2f} during the test; it should rise."
    return (Issue("swapped-columns", "columns vco2, vo2", what, "The two columns are probably swapped."),)


def _ventilation(table: BreathTable) -> Sequence[Issue]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 1000 * table.channel("ve") / table.channel("vo2")
    ratio = ratio[np.isfinite(ratio)]
    if ratio.size == 0:
        return ()
    middle, (low, high) = float(np.median(ratio)), PLAUSIBLE_VE_PER_VO2
    if low <= middle <= high:
        return ()
    what = f"the median VE/VO2 is {middle:.3g}; {low:g} to {high:g} is possible."
    remedy = "VE and VO2 do not fit together; look for swapped columns or units."
    return (Issue("implausible", "columns ve, vo2", what, remedy),)


def _body_mass(table: BreathTable) -> Sequence[Issue]:
    if table.info.body_mass is not None:
        return ()
    what = "the export holds no body mass, so there is no VO2 per kg."
    remedy = "Supply the mass that was measured on the day of the test."
    return (Issue("no-body-mass", "cart export", what, remedy, Severity.WARNING),)


RULES: tuple[Callable[[BreathTable], Sequence[Issue]], ...] = (
    _too_few,
    _negative_time,
    _ranges,
    _rer,
    _swapped_gases,
    _ventilation,
    _body_mass,
)
