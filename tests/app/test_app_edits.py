"""Whatever is edited, in whatever order: the first value and every step in between can be had back."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.app import deeds
from holdfast.core.ledger import first_break, fold, value_at
from holdfast.errors import HoldfastError, StaleView

VALUES = st.one_of(st.none(), st.integers(-5, 15), st.floats(0, 10), st.booleans(), st.text(max_size=20))
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["answers.pain", "on", "version", "instrument", "answers.no"]),
        VALUES,
        st.booleans(),
        st.sampled_from(["assessor", "coordinator", "trainer", "monitor"]),
        st.sampled_from(["typed wrong", ""]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_any_sequence_of_edits_gives_back_the_first_value_and_every_step(new_world, edits):
    world = new_world().open().enrolled("P1")
    form = deeds.record_form(world.desk("assessor"), "P1", "PRE", "pain-number", {"pain": 6}).record
    first = form.fact
    steps = []  # (field, old, new, who, why), as the editors meant it
    for field, new, stale, role, reason in edits:
        entry = world.ledger.entry(form.seq)
        saw = value_at(entry.fact, field) if field != "answers.no" else None
        try:
            deeds.correct(world.desk(role), form.seq, field, new, saw="something else" if stale else saw, reason=reason)
        except HoldfastError as refusal:
            if isinstance(refusal, StaleView):
                assert stale
            assert world.ledger.entry(form.seq) == entry  # refused means unchanged
            continue
        steps.append((field, saw, new, f"a-{role}", reason))
    entry = world.ledger.entry(form.seq)
    kept = [(r.fact.field, r.fact.old, r.fact.new, r.draft.actor, r.draft.reason) for r in entry.corrections]
    assert kept == steps
    assert entry.original == first
    assert _undone(entry) == first.answers["pain"]
    records = list(world.store.records())
    assert first_break(records) is None
    assert fold(records).entry(form.seq) == entry  # read anew, it is the same


def _undone(entry):
    """The first answer again, by taking back every correction from the last to the first."""
    value = value_at(entry.fact, "answers.pain")
    for record in reversed(entry.corrections):
        if record.fact.field == "answers.pain":
            assert record.fact.new == value
            value = record.fact.old
    return value
