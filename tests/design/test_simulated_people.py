"""The simulator: same seed same people, exact means, everything scored like real data, marked everywhere."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core import facts as f
from holdfast.core.ledger import fold
from holdfast.core.records import GENESIS, Record, seal
from holdfast.design import Scenario, SimulatedTrial, parse, simulate
from holdfast.design.answers import answers_for
from holdfast.design.latent import means, normals, people_scores, span_of, to_scores
from holdfast.errors import CallError
from holdfast.instruments import load, score
from holdfast.study.model import Study
from holdfast.study.parse import parse as parse_study

FOLDER = Path(__file__).resolve().parents[2] / "studies" / "hit-vs-mit"
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def study() -> Study:
    text = (FOLDER / "study.toml").read_text(encoding="utf-8").replace("[study]\n", "[study]\nsimulated = true\n", 1)
    found, issues = parse_study(text)
    assert found is not None, issues
    return found


@pytest.fixture(scope="module")
def scenario(study: Study) -> Scenario:
    found, issues = parse((FOLDER / "scenario.toml").read_text(encoding="utf-8"), study)
    assert found is not None, issues
    return found


@pytest.fixture(scope="module")
def trial(study: Study, scenario: Scenario) -> SimulatedTrial:
    return simulate(study, scenario, seed=2021, at=AT)


def test_the_same_seed_gives_the_same_drafts(study: Study, scenario: Scenario, trial: SimulatedTrial) -> None:
    again = simulate(study, scenario, seed=2021, at=AT)
    assert again == trial
    light = scenario.model_copy(update={"training": None, "weekly": None})
    assert simulate(study, light, seed=2022, at=AT).drafts != simulate(study, light, seed=2021, at=AT).drafts


@pytest.mark.parametrize("seed", [1, 2, 3, 2021])
def test_as_many_are_lost_as_in_the_trial(study: Study, scenario: Scenario, seed: int) -> None:
    # IJERPH 2021;18(20):10779, abstract: 35 included, 29 analysed (HIT 16, MIT 13), 6 lost
    trial = simulate(study, scenario.model_copy(update={"training": None, "weekly": None}), seed=seed, at=AT)
    seen = {d.participant for d in trial.drafts if d.visit == "FU" and isinstance(d.fact, f.Answered)}
    lost = {d.participant for d in trial.drafts if isinstance(d.fact, f.Lost)}
    assert len(trial.allocation) == 35
    assert Counter(trial.allocation[code] for code in seen) == {"HIT": 16, "MIT": 13}
    assert len(lost) == 6
    assert not lost & seen


def test_only_a_study_marked_as_simulated_takes_simulated_people(study: Study, scenario: Scenario) -> None:
    real = study.model_copy(update={"study": study.study.model_copy(update={"simulated": False})})
    with pytest.raises(CallError, match="not marked as simulated"):
        simulate(real, scenario, seed=1, at=AT)


def test_every_person_and_the_source_say_that_they_are_simulated(trial: SimulatedTrial) -> None:
    *people, source = trial.drafts
    assert all(draft.participant.startswith("SIM-") for draft in people)
    assert isinstance(source.fact, f.Imported)
    assert source.fact.source.startswith("simulated people")
    assert "invented" in source.fact.not_taken[0]


def test_no_draft_names_an_arm(trial: SimulatedTrial) -> None:
    assert not any("HIT" in repr(draft) or "MIT" in repr(draft) for draft in trial.drafts[:-1])


def test_days_never_go_back_and_each_person_follows_the_path(trial: SimulatedTrial) -> None:
    order = [
        type(d.fact).__name__ for d in trial.drafts if d.participant == "SIM-001" and not isinstance(d.fact, f.Tested)
    ]
    path = [name for name in dict.fromkeys(order) if name not in ("Cleared", "Decided", "AdverseEvent")]
    assert path[:5] == ["Screened", "Consented", "Enrolled", "Described", "Answered"]
    days = [day for d in trial.drafts if (day := getattr(d.fact, "on", None)) is not None]
    assert days == sorted(days)


def test_expected_changes_are_the_published_ones(study: Study, scenario: Scenario) -> None:
    # MSSE 2019;51(12):2434-2442: within-arm change PRE to POST in per cent
    published = {
        "disability": (-64, -33),
        "pain": (-56, -39),
        "function": (37, 39),
        "vo2max": (14, 4),
        "cycling_time": (18, 13),
        "back_strength": (10, 14),
    }
    for code, (hit, mit) in published.items():
        for arm, percent in (("HIT", hit), ("MIT", mit)):
            mean = means(scenario.outcome(code), arm)
            assert 100 * (mean[1] / mean[0] - 1) == pytest.approx(percent, abs=1e-9)


def test_what_is_not_published_says_that_it_is_invented(scenario: Scenario) -> None:
    assert all("invented" in each.source for each in scenario.outcomes)
    assert not any(each.verified for each in scenario.outcomes)


def test_many_people_have_the_assumed_means_and_sds(study: Study, scenario: Scenario) -> None:
    arms = ["HIT"] * 4_000
    scores = people_scores(scenario, study, arms, np.random.default_rng(1))
    for code in ("disability", "pain", "vo2max"):
        assumed = scenario.outcome(code)
        sd = np.array(assumed.sd * 3 if len(assumed.sd) == 1 else assumed.sd)
        # four standard errors of a mean and (for a roughly normal shape) of an SD
        assert scores[code].mean(axis=0) == pytest.approx(means(assumed, "HIT"), abs=4 * sd.max() / np.sqrt(4_000))
        assert scores[code].std(axis=0) == pytest.approx(sd, rel=4 * 1.3 / np.sqrt(2 * 4_000))


def test_visits_and_outcomes_go_together(study: Study, scenario: Scenario) -> None:
    scores = people_scores(scenario, study, ["MIT"] * 4_000, np.random.default_rng(2))
    # correlation of a beta copula is a little below the normal one; 0.6 and 0.3 are the scenario's
    assert np.corrcoef(scores["vo2max"].T)[0, 1] == pytest.approx(0.6, abs=0.03)
    assert np.corrcoef(scores["disability"][:, 0], scores["pain"][:, 0])[0, 1] == pytest.approx(0.3, abs=0.04)
    assert np.corrcoef(scores["disability"][:, 0], scores["self_efficacy"][:, 0])[0, 1] == pytest.approx(-0.3, abs=0.04)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.6), st.integers(0, 2**32 - 1))
def test_scores_stay_in_their_range(share: float, part: float, seed: int) -> None:
    sd = part * np.sqrt(share * (1 - share))
    drawn = to_scores(normals((200,), 2, 0.5, np.random.default_rng(seed)), np.array(share), np.array(sd), (0.0, 1.0))
    assert np.all((drawn >= 0) & (drawn <= 1))


def test_a_mean_outside_the_range_is_refused(study: Study) -> None:
    with pytest.raises(CallError, match="no distribution from 0 to 100"):
        to_scores(np.zeros(1), np.array(120.0), np.array(5.0), span_of(study, study.outcome("disability")))


CODES = ["modi", "odi", "nprs", "psfs", "tsk-11", "tsk-17", "pseq", "pcs", "rmdq-24", "gad-7", "vo2max"]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CODES), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_answers_score_to_what_was_wanted(code: str, share: float, seed: int) -> None:
    instrument = load(code)
    wanted = instrument.score()
    assert wanted.low is not None
    assert wanted.high is not None
    value = wanted.low + share * (wanted.high - wanted.low)
    answers = answers_for(instrument, None, value, np.random.default_rng(seed))
    found = score(instrument, answers).values[wanted.code]
    items = [instrument.item(item) for item in wanted.items if not instrument.item(item).optional]
    step = (wanted.high - wanted.low) / sum(item.high - item.low for item in items)
    assert abs(float(found) - value) <= step + 1e-9  # type: ignore[arg-type]  # linear scores are numbers


def test_an_index_has_no_made_up_answers() -> None:
    with pytest.raises(CallError, match="no sum of its items"):
        answers_for(load("eq-5d-5l"), "eq-profile", 1.0, np.random.default_rng(1))


def test_simulated_answers_are_scored_by_the_analysis(study: Study, trial: SimulatedTrial) -> None:
    from holdfast.analysis import long_table

    records: list[Record] = []
    for number, draft in enumerate(trial.drafts, start=1):
        records.append(seal(number, draft, records[-1].hash if records else GENESIS))
    table = long_table(study, fold(records), trial.allocation, "disability", ["PRE", "POST", "FU"])
    seen = table.dropna(subset=["value"])
    assert len(seen) == 35 + 35 + 29
    assert seen["value"].between(0, 100).all()
    mean = seen.groupby(["arm", "visit"], observed=True)["value"].mean()
    assert mean["HIT", "POST"] < mean["MIT", "POST"] < mean["MIT", "PRE"]


def test_sessions_are_delivered_nearly_as_prescribed(trial: SimulatedTrial) -> None:
    done = [d.fact for d in trial.drafts if isinstance(d.fact, f.SessionDone)]
    attended = [fact for fact in done if fact.attended]
    assert len(done) == 35 * 24
    # 92 % assumed; binomial standard error of 840 sessions is 0.9 %
    assert len(attended) / len(done) == pytest.approx(0.92, abs=4 * 0.0094)
    asked = [step for fact in attended for step in fact.prescribed if "watts_low" in step]
    given_ = [step for fact in attended for step in fact.delivered if "watts" in step]
    assert len(asked) == len(given_) > 0
    for wanted, got in zip(asked, given_, strict=True):
        middle = (wanted["watts_low"] + wanted["watts_high"]) / 2
        # the scenario's precision is 2 %; five standard deviations
        assert got["watts"] == pytest.approx(middle, rel=0.1)


def test_a_scenario_that_does_not_fit_the_study_says_where(study: Study) -> None:
    text = (FOLDER / "scenario.toml").read_text(encoding="utf-8")
    found, issues = parse(text.replace('code = "disability"', 'code = "disabilty"'), study)
    assert found is None
    assert "the study has no outcome 'disabilty'" in issues[0].what
    assert issues[0].line is not None
    found, issues = parse(text.replace("HIT = [-64, -64]", "HIT = [-64]"), study)
    assert found is None
    assert "one change per visit after the first (POST, FU)" in issues[0].what
    found, issues = parse(text.replace("remaining = { HIT = 16, MIT = 13 }", "remaining = { HIT = 16 }"), study)
    assert found is None
    assert "every arm" in issues[0].what
