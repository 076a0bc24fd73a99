"""Arms follow from the key for ever, and a revealed key proves them."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from holdfast.core.facts import Committed, Enrolled, Fact, Randomised
from holdfast.core.records import GENESIS, Draft, Record, seal
from holdfast.errors import CallError
from holdfast.randomisation import (
    BigStick,
    Design,
    MaximalTolerated,
    Minimisation,
    PermutedBlocks,
    Scheme,
    Simple,
    Unfolding,
    Urn,
    Weighted,
    assign,
    commitment,
    replay,
    simulate,
    verify_allocation,
)
from holdfast.randomisation.draws import keyed_draws

KEY = bytes(range(32))
SCHEMES: list[Scheme[object]] = [
    Simple(("A", "B"), (2, 1)),
    PermutedBlocks(("A", "B"), (1, 1), (2, 4, 6)),
    BigStick(("A", "B", "C"), (1, 1, 1), 2),
    MaximalTolerated(("A", "B"), (1, 1), 3),
    Urn(("A", "B")),
    Minimisation(("A", "B"), (1, 1), (Weighted("sex"),), 0.8),
]
GOLDEN = "ABABABBABABBAABABAABBAAB"
PEOPLE = [{"sex": "fm"[i % 2]} for i in range(60)]


def test_the_keyed_stream_is_hkdf_expand_with_length_prefixed_info() -> None:
    """Recomputed from RFC 5869, section 2.3, with the standard library's HMAC: T(1) = HMAC(key, info | 0x01), ..."""
    name = b"sex=f"
    info = b"holdfast allocation v1" + len(name).to_bytes(8, "big") + name + (7).to_bytes(8, "big")
    t1 = hmac.new(KEY, info + b"\x01", hashlib.sha256).digest()
    t2 = hmac.new(KEY, t1 + info + b"\x02", hashlib.sha256).digest()
    words = [int.from_bytes((t1 + t2)[i : i + 8], "big") for i in range(0, 64, 8)]
    draws = keyed_draws(KEY, "sex=f", 7)
    # below(2**64) rejects nothing, so it gives the words themselves
    assert [draws.below(2**64) for _ in range(8)] == words


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda s: s.name)
def test_the_same_key_gives_the_same_arms_in_whatever_order_they_are_asked(scheme: Scheme[object]) -> None:
    forward = [assign(scheme, KEY, "all", slot, PEOPLE) for slot in range(1, 41)]
    unfolding = Unfolding(scheme, KEY, "all")
    backward = [unfolding.arm(slot, PEOPLE) for slot in range(40, 0, -1)]
    assert forward == backward[::-1]
    assert forward != [assign(scheme, bytes(32), "all", slot, PEOPLE) for slot in range(1, 41)]
    assert forward != [assign(scheme, KEY, "other", slot, PEOPLE) for slot in range(1, 41)]


def test_these_arms_never_change() -> None:
    """A golden sequence of this version: a trial that has begun must get the same arms from every later version."""
    arms = "".join(assign(SCHEMES[1], KEY, "sex=f", slot) for slot in range(1, 25))
    assert arms == GOLDEN


def test_minimisation_needs_everybody_before() -> None:
    scheme = SCHEMES[-1]
    with pytest.raises(CallError, match="3 are given"):
        assign(scheme, KEY, "all", 4, PEOPLE[:3])
    unfolding = Unfolding(scheme, KEY, "all")
    unfolding.arm(20, PEOPLE)
    other = [{"sex": "m"}, *PEOPLE[1:]]
    assert unfolding.arm(20, other) == assign(scheme, KEY, "all", 20, other)


@pytest.mark.parametrize("slot", [0, -1])
def test_there_is_no_slot_before_the_first(slot: int) -> None:
    with pytest.raises(CallError, match="numbered from 1"):
        assign(SCHEMES[0], KEY, "all", slot)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(CallError, match="32 bytes"):
        assign(SCHEMES[0], KEY[:31], "all", 1)


def test_keyed_arms_have_the_same_distribution_as_replayed_ones() -> None:
    """First three arms of a stratum over many strata, against the exact chances of blocks of 2, 4, 6.

    P(first two alike) = (0 + 1/3 + 2/5) / 3 = 11/45.
    """
    scheme = SCHEMES[1]
    pairs = Counter(assign(scheme, KEY, f"s{n}", 1) + assign(scheme, KEY, f"s{n}", 2) for n in range(4000))
    expected = {"AA": 11 / 90, "BB": 11 / 90, "AB": 34 / 90, "BA": 34 / 90}
    result = stats.chisquare([pairs[p] for p in expected], [4000 * p for p in expected.values()])
    assert result.pvalue > 1e-6


def test_replay_is_reproducible_and_needs_one_set_of_factors_per_person() -> None:
    for scheme in SCHEMES:
        twice = [replay(scheme, ["f", "m"] * 30, np.random.default_rng(1), PEOPLE) for _ in range(2)]
        assert twice[0] == twice[1]
    with pytest.raises(CallError, match="do not belong together"):
        replay(SCHEMES[-1], ["all"] * 3, np.random.default_rng(1), PEOPLE)


# --- simulation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "right"), [(2, 1.5), (4, 17 / 6), (6, 4.1)])
def test_guessing_fixed_blocks_is_as_easy_as_blackwell_and_hodges_say(size: int, right: float) -> None:
    """Blackwell and Hodges 1957: in a block of 2m the strategy is right m + 2^(2m-1) / C(2m, m) - 1/2 times."""
    from math import comb

    m = size // 2
    assert right == pytest.approx(m + 2 ** (2 * m - 1) / comb(2 * m, m) - 0.5)
    found = simulate(PermutedBlocks(("A", "B"), (1, 1), (size,)), 12, seed=1, trials=3000)
    assert found.guess == pytest.approx(right / size, abs=4 * found.guess_se)
    assert found.imbalance_max == 0


def test_guessing_the_big_stick_tends_to_its_limit() -> None:
    """Derivation: right at the limit, else half of the time; the limit has a share 1/(2b), so 1/2 + 1/(4b)."""
    b = 3
    found = simulate(BigStick(("A", "B"), (1, 1), b), 600, seed=2, trials=100)
    assert found.guess == pytest.approx(0.5 + 1 / (4 * b), abs=4 * found.guess_se + 1 / 600)
    assert found.forced == pytest.approx(1 / (2 * b), abs=0.01)


def test_nobody_can_guess_simple_randomisation() -> None:
    found = simulate(Simple(("A", "B")), 100, seed=3, trials=400)
    assert found.guess == pytest.approx(0.5, abs=4 * found.guess_se)
    assert (found.forced, found.chance) == (0, 0.5)


def test_a_simulation_is_the_same_for_the_same_seed_and_uses_strata_and_levels() -> None:
    scheme = SCHEMES[-1]
    runs = [
        simulate(scheme, 40, seed=4, trials=20, strata={"a": 1, "b": 3}, levels={"sex": ("f", "m")}) for _ in range(2)
    ]
    assert runs[0] == runs[1]
    with pytest.raises(CallError, match="share"):
        simulate(scheme, 40, seed=4, strata={"a": -1})
    with pytest.raises(CallError, match="at least one person"):
        simulate(scheme, 0, seed=4)


# --- the proof --------------------------------------------------------------------------------------------

DESIGN = Design("trial", SCHEMES[1], ("sex",))


def chain(facts: list[tuple[Fact, str]]) -> list[Record]:
    records: list[Record] = []
    for n, (fact, who) in enumerate(facts):
        previous = records[-1].hash if records else GENESIS
        records.append(
            seal(n + 1, Draft(fact, datetime(2026, 1, 1, tzinfo=UTC), "eve", "coordinator", participant=who), previous)
        )
    return records


def honest(people: int = 12) -> list[tuple[Fact, str]]:
    slots = {"f": 0, "m": 0}
    facts: list[tuple[Fact, str]] = [(Committed(commitment(DESIGN.plain(), KEY), "permuted blocks", "N. N."), "")]
    for n in range(people):
        sex = "fm"[n % 3 == 0]
        slots[sex] += 1
        facts.append((Randomised(f"sex={sex}", slots[sex]), f"P{n}"))
    return facts


def test_a_revealed_key_recomputes_every_assignment() -> None:
    arms, issues = verify_allocation(chain(honest()), KEY, DESIGN)
    assert issues == []
    assert len(arms) == 12
    assert arms["P1"] == assign(DESIGN.scheme, KEY, "sex=f", 1)
    assert verify_allocation(chain(honest()), KEY, DESIGN, claimed=arms)[1] == []


def codes(facts: list[tuple[Fact, str]] | list[Record], key: bytes = KEY, design: Design = DESIGN) -> list[str]:
    records = facts if isinstance(facts[0], Record) else chain(facts)  # type: ignore[arg-type]
    return [f"{issue.code} {issue.where}" for issue in verify_allocation(records, key, design)[1]]  # type: ignore[arg-type]


def test_another_key_or_design_is_noticed() -> None:
    assert codes(honest(), bytes(32)) == ["commitment-differs record 1"]
    assert codes(honest(), design=replace(DESIGN, by_site=True)) == ["commitment-differs record 1"]
    assert codes(honest()[1:]) == ["no-commitment ledger"]


def test_a_late_commitment_is_noticed() -> None:
    facts = honest()
    assert codes([*facts[1:], facts[0]]) == ["late-commitment record 13"]


def test_skipped_and_repeated_slots_are_named() -> None:
    facts = honest()
    assert codes([*facts, (Randomised("sex=f", 10), "P99")]) == ["slot-order record 14"]
    assert codes([*facts, (Randomised("sex=f", 9), "P1")]) == ["assigned-twice record 14"]
    assert codes([*facts, (Randomised("sex=f", 8), "P99")]) == ["slot-order record 14"]


def test_a_changed_record_is_named() -> None:
    records = chain(honest())
    swapped = replace(records[3], draft=replace(records[3].draft, participant="P7777"))
    assert codes([*records[:3], swapped, *records[4:]]) == ["chain-broken record 4"]


def test_a_claimed_arm_that_is_another_is_named() -> None:
    arms, _ = verify_allocation(chain(honest()), KEY, DESIGN)
    other = {"A": "B", "B": "A"}[arms["P3"]]
    _, issues = verify_allocation(chain(honest()), KEY, DESIGN, claimed={**arms, "P3": other, "P50": "A"})
    assert [(issue.code, issue.where) for issue in issues] == [("arm-differs", "P3"), ("not-assigned", "P50")]


def test_a_minimised_trial_is_recomputed_from_the_factors_in_the_ledger() -> None:
    design = Design("trial", SCHEMES[-1])
    facts: list[tuple[Fact, str]] = [(Committed(commitment(design.plain(), KEY), "minimisation", "N. N."), "")]
    facts += [(Randomised("all", n + 1, factors=PEOPLE[n]), f"P{n}") for n in range(20)]
    arms, issues = verify_allocation(chain(facts), KEY, design)
    assert issues == []
    assert arms == {f"P{n}": assign(SCHEMES[-1], KEY, "all", n + 1, PEOPLE) for n in range(20)}
    # without one person's slot nobody after it can be recomputed, and that is said
    gap, issues = verify_allocation(chain([*facts[:5], *facts[6:]]), KEY, design)
    assert [issue.code for issue in issues] == ["slot-order"]
    assert list(gap) == ["P0", "P1", "P2", "P3"]


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(["sex", "age"]), st.text(max_size=4)), st.text(max_size=4))
def test_a_stratum_has_one_name(values: dict[str, str], site: str) -> None:
    design = Design("t", SCHEMES[0], ("sex",), by_site=True)
    if "sex" in values and site:
        assert design.stratum(values, site) == f"sex={values['sex']}/site={site}"
    else:
        with pytest.raises(CallError, match="needs"):
            design.stratum(values, site)
    assert Design("t", SCHEMES[0]).stratum(values) == "all"


def test_an_enrolment_is_no_assignment() -> None:
    arms, issues = verify_allocation(chain([*honest(3), (Enrolled("A"), "P9")]), KEY, DESIGN)
    assert (len(arms), issues) == (3, [])
