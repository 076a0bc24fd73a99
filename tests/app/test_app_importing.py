"""A finished trial is taken in whole or not at all, and opened as a statistician does."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from holdfast import wiring
from holdfast.app import deeds, views
from holdfast.app.path import State, state_of
from holdfast.core.facts import (
    Answered,
    Committed,
    Described,
    Enrolled,
    Imported,
    Locked,
    Looked,
    Lost,
    Randomised,
    Revealed,
)
from holdfast.core.records import Draft
from holdfast.errors import CallError, DataError, NotPermitted, OutOfOrder, Refused, StorageError, StudyFileError
from holdfast.randomisation import design_of, verify_allocation

AT = datetime(2020, 1, 1, tzinfo=UTC)
ARMS = {"1": "ZZHARD", "2": "ZZSOFT", "3": "ZZSOFT", "4": "ZZHARD"}
NOTICE = Imported("old.csv", "a" * 64, "b" * 64, 4, 4, ("column x: not mapped",))


def draft(fact, participant="", visit=""):
    return Draft(fact, AT, "somebody", "coordinator", participant=participant, visit=visit)


def trial():
    found = []
    for number, code in enumerate(ARMS, start=1):
        found += [
            draft(Enrolled("", date(2004, 1, number)), code),
            draft(Described({"sex": "male", "weight": 60.0 + number}), code),
            draft(Randomised("imported", 99), code),
            draft(Answered("pain-number", {"pain": 7}), code, "PRE"),
        ]
        if number != 2:
            found.append(draft(Answered("pain-number", {"pain": 2 + number}), code, "POST"))
    return [*found, draft(Lost("no answer"), "2"), draft(NOTICE)]


def test_a_finished_trial_is_taken_in_locked_and_revealed(world):
    deeds.open_study(world.desk("administrator"))
    done = deeds.import_records(world.desk("administrator"), trial(), allocation=ARMS, close=True)
    ledger = world.ledger
    slots = [entry.fact for entry in ledger.all(Randomised)]
    assert [fact.slot for fact in slots] == [1, 2, 3, 4]
    assert {entry.record.draft.actor for entry in ledger.entries} == {"a-administrator"}
    assert [type(record.fact) for record in done.records[-2:]] == [Locked, Revealed]
    assert state_of(ledger, "2") is State.LOST
    committed = ledger.last(Committed)
    assert committed.fact.scheme == "imported"
    assert committed.record.seq < ledger.all(Randomised)[0].record.seq
    assert "ZZ" not in str(list(world.store.records()))  # the ledger holds slots, never arms


def test_an_import_that_is_not_closed_stays_open_and_sealed(world):
    deeds.open_study(world.desk("administrator"))
    deeds.import_records(world.desk("administrator"), trial(), allocation=ARMS)
    deeds.record_form(world.desk("assessor"), "1", "FU", "pain-number", {"pain": 1})
    assert world.ledger.last(Locked) is None
    world.baseline("P1")
    with pytest.raises(OutOfOrder, match="randomised elsewhere"):
        deeds.randomise(world.desk("coordinator"), "P1")


def wrong(change):
    drafts, arms = trial(), dict(ARMS)
    change(drafts, arms)
    return drafts, arms


WRONG = {
    "an arm that the study does not have": lambda d, a: a.update({"1": "NONE"}),
    "somebody randomised without an arm": lambda d, a: a.pop("1"),
    "an arm for somebody who is not there": lambda d, a: a.update({"9": "ZZHARD"}),
    "a form twice": lambda d, a: d.insert(4, draft(Answered("pain-number", {"pain": 1}), "1", "PRE")),
    "an unknown visit": lambda d, a: d.insert(4, draft(Answered("pain-number", {"pain": 1}), "1", "LATER")),
    "a person randomised twice": lambda d, a: d.insert(4, draft(Randomised("imported", 1), "1")),
    "a day in 1900": lambda d, a: d.insert(4, draft(Lost("x", date(1900, 1, 1)), "1")),
    "a huge text": lambda d, a: d.insert(4, draft(Lost("x" * 10_000_000), "1")),
    "a lock among the drafts": lambda d, a: d.insert(4, draft(Locked())),
    "a look among the drafts": lambda d, a: d.insert(4, draft(Looked("1", "x"), "1")),
    "a code that is a name": lambda d, a: d.insert(4, draft(Enrolled(), "Ann Other <ann@example.org>")),
    "a fact about nobody": lambda d, a: d.insert(4, draft(Enrolled(), "")),
}


@pytest.mark.parametrize("what", WRONG)
def test_one_problem_and_nothing_is_imported(world, what):
    deeds.open_study(world.desk("administrator"))
    drafts, arms = wrong(WRONG[what])
    with pytest.raises(DataError) as caught:
        deeds.import_records(world.desk("administrator"), drafts, allocation=arms, close=True)
    assert caught.value.issues
    assert len(str(caught.value)) < 2_000
    assert (world.ledger.participants, world.sealing.arms) == ((), {})


def test_every_problem_is_named_at_once(world):
    deeds.open_study(world.desk("administrator"))
    drafts = [*trial(), draft(Answered("pain-number", {"pain": 1}), "1", "PRE"), draft(Enrolled(), "1")]
    with pytest.raises(DataError) as caught:
        deeds.import_records(world.desk("administrator"), drafts, allocation=ARMS)
    assert [issue.code for issue in caught.value.issues] == ["duplicate", "out-of-order"]


def test_the_same_file_is_taken_once(world):
    deeds.open_study(world.desk("administrator"))
    deeds.import_records(world.desk("administrator"), trial(), allocation=ARMS)
    with pytest.raises(Refused, match="imported before"):
        deeds.import_records(world.desk("administrator"), [draft(NOTICE)])
    with pytest.raises(CallError, match="where it comes from"):
        deeds.import_records(world.desk("administrator"), [])


def test_an_import_about_nobody_is_refused_and_closes_nothing(world):
    deeds.open_study(world.desk("administrator"))
    with pytest.raises(DataError, match="nothing about anybody"):
        deeds.import_records(world.desk("administrator"), [draft(NOTICE)], close=True)
    enrolled = [draft(Enrolled(), "1"), draft(NOTICE)]
    with pytest.raises(Refused, match="Nobody is randomised"):
        deeds.import_records(world.desk("administrator"), enrolled, close=True)
    assert world.ledger.last(Locked) is None
    assert world.ledger.participants == ()
    deeds.import_records(world.desk("administrator"), enrolled)
    assert world.ledger.participants == ("1",)


def test_a_study_with_its_own_sequence_takes_no_other(world):
    world.open()
    with pytest.raises(OutOfOrder, match="its own sealed allocation"):
        deeds.import_records(world.desk("administrator"), trial(), allocation=ARMS)


# --- the study folder --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, study_text):
    wiring.create_folder(tmp_path / "small", {"study.toml": study_text.encode()})
    desk = wiring.open_folder(tmp_path / "small", "administrator", "import", create=True)
    deeds.open_study(desk)
    return tmp_path / "small"


def test_opened_as_a_statistician_does(folder):
    """What DESIGN section 6 asks of `open`: check, data set after the lock, arms after the reveal, MIC."""
    deeds.import_records(wiring.open_folder(folder, "administrator"), trial(), allocation=ARMS, close=True)
    with wiring.open(folder, role="statistician", actor="stat") as study:
        assert study.check() == []
    data = study.dataset("pain", visits=["PRE", "POST"], reveal=True)
    assert dict(zip(data["participant"], data["arm"], strict=True)) == ARMS
    masked = study.dataset("pain")
    assert set(masked["arm"]) == {"A", "B"}
    assert dict(zip(masked["participant"], masked["arm"], strict=True)) == {"1": "A", "2": "B", "3": "B", "4": "A"}
    assert study.mic("pain").absolute == 2
    assert study.participants()["2"] == "lost to follow-up"
    looks = study.desk.store.ledger().all(Looked)
    assert [(e.fact.whose, e.fact.door, e.record.draft.actor) for e in looks] == [("all", "dataset pain", "stat")] * 2


def test_imported_arms_are_on_no_disk_in_clear(folder):
    deeds.import_records(wiring.open_folder(folder, "administrator"), trial(), allocation=ARMS, close=True)
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "study.toml":
            assert b"ZZHARD" not in file.read_bytes(), file


def test_no_data_set_before_the_lock_and_no_arms_before_the_reveal(folder):
    deeds.import_records(wiring.open_folder(folder, "administrator"), trial(), allocation=ARMS)
    study = wiring.open(folder, role="statistician")
    with pytest.raises(OutOfOrder, match="not locked"):
        study.dataset("pain")
    deeds.lock(wiring.open_folder(folder, "administrator"))
    assert set(study.dataset("pain")["arm"]) == {"A", "B"}
    with pytest.raises(OutOfOrder, match="not revealed"):
        study.dataset("pain", reveal=True)
    deeds.reveal(wiring.open_folder(folder, "randomiser"))
    assert set(study.dataset("pain", reveal=True)["arm"]) == {"ZZHARD", "ZZSOFT"}


@pytest.mark.parametrize("role", ["coordinator", "trainer", "assessor", "monitor", "administrator", "randomiser"])
def test_only_the_statistician_opens_the_data_set(folder, role):
    deeds.import_records(wiring.open_folder(folder, "administrator"), trial(), allocation=ARMS, close=True)
    with pytest.raises(NotPermitted):
        wiring.open(folder, role=role).dataset("pain", reveal=True)


def test_a_wrong_outcome_names_the_right_ones(folder):
    study = wiring.open(folder, role="statistician")
    for call in (study.dataset, study.mic):
        with pytest.raises(CallError, match="pain"):
            call("hope")


def test_a_changed_study_file_is_a_problem(folder, study_text):
    (folder / "study.toml").write_text(study_text.replace('version = "1"', 'version = "2"', 1))
    assert [issue.code for issue in wiring.open(folder, role="monitor").check()] == ["study-file-changed"]
    deeds.amend(wiring.open_folder(folder, "administrator"), ["version 1 became 2"], reason="ethics asked for it")
    assert wiring.open(folder, role="monitor").check() == []


@pytest.mark.parametrize("passphrase", [None, ""])
def test_the_key_of_a_running_trial_is_never_in_clear(folder, passphrase):
    with pytest.raises(CallError, match="never kept in clear"):
        wiring.seal_allocation(folder, holder="Dr Far Away", passphrase=passphrase)
    assert not list(folder.glob("*.key"))


def test_the_key_of_imported_arms_says_that_it_is_in_clear(folder, monkeypatch):
    monkeypatch.delenv(wiring.PASSPHRASE, raising=False)
    deeds.import_records(wiring.open_folder(folder, "administrator"), trial(), allocation=ARMS)
    kept = json.loads((folder / "imported-allocation.key").read_text(encoding="utf-8"))
    assert kept["protection"] == "none"
    assert "can open every imported arm" in kept["notes"]["warning"]


def test_own_sealed_sequence_from_commitment_to_reveal(folder, monkeypatch):
    """The arm that the trainer sees is the one that anybody recomputes from the revealed key."""
    monkeypatch.setenv(wiring.PASSPHRASE, "four words for tests")
    wiring.seal_allocation(folder, holder="Dr Far Away", passphrase="four words for tests")
    deeds.commit_allocation(wiring.open_folder(folder, "randomiser"))
    desk = {role: wiring.open_folder(folder, role) for role in ("coordinator", "assessor", "trainer", "administrator")}
    seen = {}
    for code in ("P1", "P2", "P3"):
        answers = {"age": 40, "pregnant": False, "red": False, "active": True, "cmr_disease": False, "symptoms": False}
        deeds.screen(desk["coordinator"], code, answers)
        deeds.consent(desk["coordinator"], code, version="2")
        deeds.enrol(desk["coordinator"], code)
        deeds.describe(desk["coordinator"], code, {"sex": "male"})
        deeds.record_form(desk["assessor"], code, "PRE", "pain-number", {"pain": 6})
        deeds.complete(desk["coordinator"], code, "baseline")
        deeds.randomise(desk["coordinator"], code)
        seen[code] = views.session(desk["trainer"], code).arm
    deeds.lock(desk["administrator"])
    revealed = deeds.reveal(wiring.open_folder(folder, "randomiser")).record.fact
    study = desk["trainer"].study
    arms, issues = verify_allocation(
        desk["trainer"].store.records(), bytes.fromhex(revealed.key), design_of(study), claimed=seen
    )
    assert (arms, issues) == (seen, [])


def test_a_folder_that_is_none(tmp_path, study_text):
    with pytest.raises(StudyFileError, match="no study file"):
        wiring.open(tmp_path, role="monitor")
    (tmp_path / "study.toml").write_text("this is no toml")
    with pytest.raises(StudyFileError) as caught:
        wiring.open(tmp_path, role="monitor")
    assert caught.value.issues
    (tmp_path / "study.toml").write_text(study_text)
    with pytest.raises(StorageError, match="no ledger yet"):
        wiring.open(tmp_path, role="monitor")
    with pytest.raises(CallError, match="no role"):
        wiring.open(tmp_path, role="king")
    with pytest.raises(CallError, match="holds a study already"):
        wiring.create_folder(tmp_path, {"study.toml": b""})
    with pytest.raises(CallError, match="leads out"):
        wiring.create_folder(tmp_path / "new", {"../study2.toml": b""})


def test_the_ledger_can_live_in_a_database_that_the_environment_names(tmp_path, study_text, monkeypatch, postgres_url):
    """The same folder, PostgreSQL by URL: nothing but the study file and the key stays in the folder."""
    monkeypatch.setenv("HOLDFAST_DATABASE", postgres_url)
    wiring.create_folder(tmp_path / "small", {"study.toml": study_text.encode()})
    desk = wiring.open_folder(tmp_path / "small", "administrator", create=True)
    deeds.open_study(desk)
    deeds.import_records(desk, trial(), allocation=ARMS, close=True)
    data = wiring.open(tmp_path / "small", role="statistician").dataset("pain", reveal=True)
    assert dict(zip(data["participant"], data["arm"], strict=True)) == ARMS
    assert sorted(file.name for file in (tmp_path / "small").iterdir()) == ["imported-allocation.key", "study.toml"]
