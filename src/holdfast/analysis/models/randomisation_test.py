"""Inference from the random assignment itself, replaying the study's own procedure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdfast.analysis.context import Context, difference_words
from holdfast.analysis.results import Found, Row, row_of
from holdfast.analysis.variation import refuse_constant
from holdfast.core.facts import Randomised
from holdfast.errors import CallError
from holdfast.randomisation import replays
from holdfast.randomisation.plan import scheme_of
from holdfast.stats.permutation import Replay, randomisation_test
from holdfast.study.analyses import RandomisationTest
from holdfast.study.contrasts import Contrast


def run(declared: RandomisationTest, context: Context) -> Found:
    """Everybody in the order of assignment; the statistic is the arm difference of a model that is blind to the arm."""
    if len(context.study.arms) != 2:
        raise CallError(
            "the randomisation test replays a two-arm procedure, and this study has more arms",
            ways_out=["leave this analysis out; the model-based analyses take any number of arms"],
        )
    table = context.data.long(declared.outcome, [declared.at])
    refuse_constant(table, declared.outcome, context.study.outcome(declared.outcome).visits[0])
    keep = set(context.data.members(declared.set))
    table.loc[~table["participant"].isin(keep), "value"] = np.nan  # outside the set: in the procedure, not in the test
    rows: list[Row] = []
    notes: list[str] = []
    n = 0
    for contrast in context.contrasts(declared):
        found = randomisation_test(
            declared.formula,
            table,
            arm="arm",
            replay=_replay(context, contrast, tuple(table["participant"])),
            contrast=difference_words(contrast),
            draws=declared.draws,
            seed=context.seed(declared),
            level=declared.level,
            progress=context.draws(declared),
        )
        rows.append(row_of(found.estimate, contrast.words, declared.at))
        notes.append(str(found))
        n = found.n
    return Found(
        method=(
            f"Randomisation test of {declared.formula} at {declared.at}: the study's own procedure "
            f"({context.study.randomisation.scheme}) replayed {declared.draws} times for the same people in the same "
            "order; p from the allocations as far from zero, interval by inverting the test under a constant effect."
        ),
        n=n,
        rows=tuple(rows),
        n_by_arm=context.n_by_arm(table[table["value"].notna()]),
        notes=tuple(notes),
    )


def _replay(context: Context, contrast: Contrast, people: tuple[str, ...]) -> Replay:
    """The procedure as a function of a generator: 1 for the contrast's first arm."""
    scheme = scheme_of(context.study)
    strata, factors = zip(*(_slot(context, who) for who in people), strict=True)
    first = context.code(contrast.left)
    index = [arm.code for arm in context.study.arms].index(first)

    def procedure(times: int, rng: np.random.Generator) -> NDArray[np.int8]:
        found = replays(scheme, strata, rng, times, factors=factors if any(factors) else None)
        return np.asarray(found == index, dtype=np.int8)

    return procedure


def _slot(context: Context, who: str) -> tuple[str, dict[str, object]]:
    entry = context.ledger.last(Randomised, who)
    if entry is None or not isinstance(entry.fact, Randomised):
        raise CallError(f"{who} has no slot, so the procedure cannot be replayed")
    return entry.fact.stratum, dict(entry.fact.factors)
