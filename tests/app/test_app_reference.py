"""The reference study as it ships can be run: one person from screening to the first session, on the real store."""

from __future__ import annotations

import pytest

from holdfast import instruments, wiring
from holdfast.app import deeds, views

PHRASE = "four words for tests"


@pytest.fixture
def desks(tmp_path, monkeypatch):
    monkeypatch.setenv(wiring.PASSPHRASE, PHRASE)
    source = wiring.shipped_studies()["hit-vs-mit"]
    wiring.create_folder(tmp_path, {"study.toml": (source / "study.toml").read_bytes()})
    wiring.seal_allocation(tmp_path, holder="Dr Far Away", passphrase=PHRASE)
    roles = ("coordinator", "trainer", "assessor", "randomiser", "monitor")
    made = {role: wiring.open_folder(tmp_path, role, f"a-{role}", create=True) for role in roles}
    deeds.open_study(made["coordinator"])
    deeds.commit_allocation(made["randomiser"])
    return made


def baseline(desks):
    coordinator, study = desks["coordinator"], desks["coordinator"].study
    answers = {question.code: False for question in study.eligibility.questions}
    answers |= {"age": 40, "nonspecific_clbp": True, "odi": 30, "dutch": True, "pasipd": 10}
    done = deeds.screen(coordinator, "P1", answers)
    assert [issue.code for issue in done.issues] == ["clearance-needed"]  # inactive, and HIT is vigorous
    deeds.clear(coordinator, "P1", by="Dr Near", intensity="vigorous")
    deeds.consent(coordinator, "P1", version=study.eligibility.consent_version)
    deeds.enrol(coordinator, "P1")
    deeds.describe(coordinator, "P1", {"sex": "male", "age": 40, "weight": 80})
    for code in views.visits(coordinator, participant="P1")[0].absent:
        items = instruments.load(code).items
        deeds.record_form(desks["assessor"], "P1", "PRE", code, {item.id: item.high for item in items})
    deeds.complete(coordinator, "P1", "baseline")
    deeds.randomise(coordinator, "P1")


def test_from_screening_to_the_first_session(desks):
    baseline(desks)
    trainer = desks["trainer"]
    without = views.session(trainer, "P1")
    assert without.prescription is None
    assert [issue.code for issue in without.issues] == ["no-prescription"]
    deeds.record_test(trainer, "P1", "cpet", {"watts_at_vo2max": 200, "watts_peak": 210, "hr_max": 180})
    lifts = [e for b in without.programme.blocks if b.kind == "resistance" for e in b.exercises]
    for exercise in lifts:
        deeds.decide(trainer, "P1", f"training-1rm:{exercise.code}", 50.0, unit="kg", basis="estimated")
    seen = views.session(trainer, "P1")
    assert seen.issues == ()
    assert len(seen.prescription.blocks) == len(seen.programme.blocks)
    deeds.record_session(trainer, "P1", 1)
    assert views.session(trainer, "P1").number == 2


def test_the_study_keeps_its_name_in_the_trail_and_people_keep_their_secret(desks):
    """HIT and MIT are words of the study's own name; only in what concerns a person they are withheld."""
    baseline(desks)
    deeds.deviation(desks["trainer"], "P1", "got the sheet of the HIT group")
    said = {line.kind: line.words for line in views.audit(desks["coordinator"])}
    assert said["study-opened"].startswith("opened the study hit-vs-mit")
    assert said["deviation"] == "kept a deviation: got the sheet of the [withheld] group"
    blind = {line.kind: line.words for line in views.audit(desks["monitor"])}
    assert blind["deviation"] == "kept a deviation: [withheld]"
