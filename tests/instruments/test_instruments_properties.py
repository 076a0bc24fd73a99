"""What holds for any answers: range, monotonicity, missing rule."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.instruments import AnswerKind, Instrument, Item, Options, WhenMissing, codes, load, score
from holdfast.instruments.rules import RULES

ALL = [load(code) for code in codes()]
RISING = [each for each in ALL if each.code != "ipaq-sf"]  # its rule refuses some answers; see test_instruments_ipaq.py
FILLING = [each for each in ALL if any(s.missing.then in {WhenMissing.PRORATE, WhenMissing.SKIP} for s in each.scores)]
ROUNDING = 1e-9  # sums of at most 24 small numbers, times a ratio


def answer(item: Item) -> st.SearchStrategy[float]:
    if item.kind is AnswerKind.NUMBER:
        return st.floats(item.low, item.high)
    return st.integers(int(item.low), int(item.high)).map(float)


def a_form(instrument: Instrument) -> st.SearchStrategy[dict[str, float]]:
    return st.fixed_dictionaries({item.id: answer(item) for item in instrument.items})


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.code)
@settings(max_examples=20)
@given(data=st.data())
def test_every_score_of_a_complete_form_lies_in_its_range(instrument: Instrument, data: st.DataObject) -> None:
    values = score(instrument, data.draw(a_form(instrument))).values
    for each in instrument.scores:
        value = values[each.code]
        if isinstance(value, float) and each.low is not None and each.high is not None:
            assert each.low - ROUNDING <= value <= each.high + ROUNDING


@pytest.mark.parametrize("instrument", RISING, ids=lambda each: each.code)
@settings(max_examples=20)
@given(data=st.data())
def test_raising_one_answer_moves_each_score_in_the_direction_of_the_item(
    instrument: Instrument, data: st.DataObject
) -> None:
    answers = data.draw(a_form(instrument))
    item = data.draw(st.sampled_from(instrument.items))
    assume(answers[item.id] < item.high)
    raised = answers | {item.id: item.high}
    before, after = score(instrument, answers).values, score(instrument, raised).values
    for each in instrument.scores:
        if not RULES[each.rule].corners:
            continue
        old, new = before[each.code], after[each.code]
        assert isinstance(old, float)
        assert isinstance(new, float)
        if item.id not in each.items:
            assert new == old
        elif item.reverse:
            assert new < old
        else:
            assert new > old


@pytest.mark.parametrize("instrument", FILLING, ids=lambda each: each.code)
@settings(max_examples=20)
@given(data=st.data())
def test_a_filled_score_stays_in_range_and_never_comes_without_a_note(
    instrument: Instrument, data: st.DataObject
) -> None:
    each = data.draw(st.sampled_from([s for s in instrument.scores if s.missing.then is not WhenMissing.NONE]))
    required = [id for id in each.items if not instrument.item(id).optional]
    fewest = data.draw(st.integers(1, len(each.items)))
    gone = data.draw(st.sets(st.sampled_from(required), min_size=1, max_size=len(required)))
    answers = {id: value for id, value in data.draw(a_form(instrument)).items() if id not in gone}
    scored = score(instrument, answers, options=Options(min_answered={each.code: fewest}))
    left = len([id for id in each.items if id in answers])
    value = scored.values[each.code]
    if left < fewest or left == 0:
        assert value is None
    else:
        assert isinstance(value, float)
        assert each.low is not None
        assert each.high is not None
        assert each.low - ROUNDING <= value <= each.high + ROUNDING
    assert scored.why(each.code)


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.code)
@settings(max_examples=10)
@given(data=st.data())
def test_a_missing_required_answer_costs_the_score_unless_a_rule_says_otherwise(
    instrument: Instrument, data: st.DataObject
) -> None:
    answers = data.draw(a_form(instrument))
    each = data.draw(st.sampled_from(instrument.scores))
    item = instrument.item(data.draw(st.sampled_from(each.items)))
    assume(not item.optional and not item.asked_if and each.rule != "index")
    del answers[item.id]
    value = score(instrument, answers).values[each.code]
    allowed = each.missing.then is WhenMissing.ZERO or each.missing.min_answered is not None
    assert (value is not None) == allowed


@pytest.mark.parametrize("instrument", FILLING, ids=lambda each: each.code)
def test_filling_equals_giving_the_missing_item_the_mean_of_the_others(instrument: Instrument) -> None:
    """(eq:prorated-sum): sum x n / k equals the sum after filling with the mean of the answered; checked by filling."""
    for each in instrument.scores:
        if each.missing.then is not WhenMissing.PRORATE or len(each.items) < 3:
            continue
        items = [instrument.item(id) for id in each.items]
        turned = {item.id: item.low + n % 3 for n, item in enumerate(items)}
        answers = {i.id: (i.low + i.high - turned[i.id] if i.reverse else turned[i.id]) for i in items[1:]}
        filled = sum(turned[i.id] for i in items[1:]) / (len(items) - 1)
        expected = filled + sum(turned[i.id] for i in items[1:])
        options = Options(min_answered={each.code: len(items) - 1})
        assert score(instrument, answers, options=options).values[each.code] == pytest.approx(expected, abs=ROUNDING)
