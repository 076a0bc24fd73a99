"""The sealed allocation: one door, a key that is kept well, and a promise that can be checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.facts import Committed, Randomised, Revealed
from holdfast.core.records import Draft
from holdfast.errors import CallError, NotPermitted, OutOfOrder, Refused, StorageError
from holdfast.randomisation import Design, Minimisation, PermutedBlocks, Weighted, assign, verify_allocation
from holdfast.storage import SqlStore, keyfiles, open_store, sealed
from holdfast.storage.keyfiles import Secret

Make = Callable[..., Draft]
PHRASE = "correct horse battery staple"
# a hyphen never occurs in base64, so an arm that is found in a file was really written there
DESIGN = Design("trial", PermutedBlocks(("HIT-ARM", "MIT-ARM"), (1, 1), (2, 4, 6)), ("sex",))


@pytest.fixture(autouse=True)
def quick_stretching(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real costs take 0.1 s per key; these tests are about the format, and one below uses the real ones."""
    monkeypatch.setitem(keyfiles._ARGON, "memory_kib", 64)
    monkeypatch.setitem(keyfiles._ARGON, "passes", 1)


@pytest.fixture
def keyed(place: str, tmp_path: Path) -> Iterator[SqlStore]:
    """A store whose sequence is sealed under a passphrase."""
    path = tmp_path / "allocation.key"
    sealed.seal_sequence(path, DESIGN, holder="N. N.", passphrase=PHRASE)
    provider = lambda: sealed.open_sequence(path, DESIGN, passphrase=PHRASE)  # noqa: E731
    with open_store(place, study="trial", create=True, key_provider=provider) as store:
        yield store


def randomise(store: SqlStore, draft: Make, who: str, stratum: str = "sex=f", **factors: str) -> str:
    with store.transaction() as deed:
        slot = deed.take_slot(stratum, who)
        deed.append(draft(Randomised(stratum, slot, factors=factors), who))
        return deed.arm_of(stratum, slot)


def test_a_trial_from_the_commitment_to_the_proof(keyed: SqlStore, draft: Make, tmp_path: Path) -> None:
    opened = sealed.open_sequence(tmp_path / "allocation.key", DESIGN, passphrase=PHRASE)
    promise, holder = opened.commitment()
    with keyed.transaction() as deed:
        deed.append(draft(Committed(promise, "permuted blocks", holder)))
    arms = {f"P{n}": randomise(keyed, draft, f"P{n}", f"sex={'fm'[n % 2]}") for n in range(12)}
    with keyed.transaction() as deed:
        deed.append(draft(Revealed(opened.key())))
    revealed = keyed.ledger().last(Revealed)
    assert revealed is not None
    assert isinstance(revealed.fact, Revealed)
    found, issues = verify_allocation(keyed.records(), bytes.fromhex(revealed.fact.key), DESIGN, claimed=arms)
    assert (found, issues) == (arms, [])
    assert set(arms.values()) == {"HIT-ARM", "MIT-ARM"}


def test_the_arms_are_nowhere_in_the_database_or_the_key_file(keyed: SqlStore, draft: Make, tmp_path: Path) -> None:
    for n in range(8):
        randomise(keyed, draft, f"P{n}")
    rows = " ".join(str(record) for record in keyed.records())
    key_file = (tmp_path / "allocation.key").read_text()
    for text in (rows, key_file):
        assert "HIT-ARM" not in text
        assert "MIT-ARM" not in text
    if keyed.path is not None:
        keyed.close()
        assert b"HIT-ARM" not in keyed.path.read_bytes()


def test_minimisation_reads_its_history_from_the_ledger(place: str, draft: Make, tmp_path: Path) -> None:
    design = Design("trial", Minimisation(("A", "B"), (1, 1), (Weighted("sex"), Weighted("site")), 0.8))
    path = tmp_path / "k"
    sealed.seal_sequence(path, design, holder="N. N.", passphrase=None)
    people = [{"sex": "fm"[n % 2], "site": str(n % 3)} for n in range(15)]
    with open_store(
        place, study="trial", create=True, key_provider=lambda: sealed.open_sequence(path, design)
    ) as store:
        arms = [randomise(store, draft, f"P{n}", "all", **person) for n, person in enumerate(people)]
    key = keyfiles.read_key(path).key
    assert arms == [assign(design.scheme, key, "all", n + 1, people) for n in range(15)]


def test_a_study_file_that_changed_after_the_sealing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k"
    sealed.seal_sequence(path, DESIGN, holder="N. N.", passphrase=PHRASE)
    other = Design("trial", PermutedBlocks(("HIT-ARM", "MIT-ARM"), (1, 1), (2, 4)), ("sex",))
    with pytest.raises(StorageError, match="another design"):
        sealed.open_sequence(path, other, passphrase=PHRASE)


def test_a_wrong_passphrase_a_changed_file_and_a_foreign_key_do_not_open(tmp_path: Path) -> None:
    path = tmp_path / "k"
    sealed.seal_sequence(path, DESIGN, holder="N. N.", passphrase=PHRASE)
    with pytest.raises(NotPermitted, match="does not open"):
        sealed.open_sequence(path, DESIGN, passphrase=PHRASE + "!")
    with pytest.raises(CallError, match=r"N\. N\."):
        sealed.open_sequence(path, DESIGN)
    with pytest.raises(StorageError, match="study 'trial'"):
        sealed.open_sequence(path, Design("other", DESIGN.scheme, ("sex",)), passphrase=PHRASE)
    content = json.loads(path.read_text())
    content["holder"] = "Somebody Else"
    path.write_text(json.dumps(content))
    with pytest.raises(NotPermitted, match="changed"):
        sealed.open_sequence(path, DESIGN, passphrase=PHRASE)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"holdfast": "key file 1"}', "\x00\x01", "id,arm\nP1,HIT\n"])
def test_a_file_that_is_no_key_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "k").write_text(content)
    with pytest.raises(StorageError, match="no holdfast key file"):
        sealed.open_sequence(tmp_path / "k", DESIGN, passphrase=PHRASE)


def test_a_hostile_key_file_cannot_ask_for_all_memory(tmp_path: Path) -> None:
    path = tmp_path / "k"
    sealed.seal_sequence(path, DESIGN, holder="N. N.", passphrase=PHRASE)
    content = json.loads(path.read_text())
    content["kdf"]["memory_kib"] = 2**40
    path.write_text(json.dumps(content))
    with pytest.raises(StorageError, match="unreasonable"):
        sealed.open_sequence(path, DESIGN, passphrase=PHRASE)


def test_a_key_is_private_never_overwritten_and_never_printed(tmp_path: Path) -> None:
    path = tmp_path / "k"
    sealed.seal_sequence(path, DESIGN, holder="N. N.", passphrase=PHRASE)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StorageError, match="never overwritten"):
        sealed.seal_sequence(path, DESIGN, holder="N. N.", passphrase=PHRASE)
    secret = keyfiles.read_key(path, PHRASE)
    assert repr(secret.key) not in repr(secret)
    assert secret.key.hex() not in path.read_text()


def test_a_short_passphrase_or_a_nameless_holder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="12 characters"):
        sealed.seal_sequence(tmp_path / "k", DESIGN, holder="N. N.", passphrase="short")
    with pytest.raises(CallError, match="names the person"):
        sealed.seal_sequence(tmp_path / "k", DESIGN, holder=" ", passphrase=PHRASE)
    assert not (tmp_path / "k").exists()


def test_the_shipped_stretching_is_the_recommended_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9106, section 4, second recommended option: 64 MiB, 3 passes, 4 lanes."""
    monkeypatch.undo()
    assert keyfiles._ARGON == {"name": "argon2id", "memory_kib": 65_536, "passes": 3, "lanes": 4}
    sealed.seal_sequence(tmp_path / "k", DESIGN, holder="N. N.", passphrase=PHRASE)
    assert sealed.open_sequence(tmp_path / "k", DESIGN, passphrase=PHRASE).commitment()[1] == "N. N."


# --- two shares -------------------------------------------------------------------------------------------


def test_two_shares_open_what_one_does_not(tmp_path: Path) -> None:
    whole, one, two = tmp_path / "k", tmp_path / "k1", tmp_path / "k2"
    promise = sealed.seal_sequence(whole, DESIGN, holder="N. N.", passphrase=PHRASE)
    sealed.split_sequence(whole, one, two, holders=("A. A.", "B. B."), passphrase=PHRASE)
    for pair in ((one, two), (two, one)):
        assert sealed.open_split_sequence(*pair, DESIGN).commitment() == (promise, "N. N.")
    with pytest.raises(CallError, match="not the two shares"):
        sealed.open_split_sequence(one, one, DESIGN)
    with pytest.raises(CallError, match="one of two"):
        sealed.open_sequence(one, DESIGN, passphrase=PHRASE)
    content = json.loads(two.read_text())
    content["value"] = json.loads(one.read_text())["value"]
    two.write_text(json.dumps(content))
    with pytest.raises(StorageError, match="changed"):
        sealed.open_split_sequence(one, two, DESIGN)


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_any_key_survives_splitting(tmp_path_factory: pytest.TempPathFactory, key: bytes) -> None:
    folder = tmp_path_factory.mktemp("shares")
    secret = Secret("allocation", "t", "N. N.", {"commitment": "x"}, key)
    keyfiles.split_key(secret, folder / "1", folder / "2", ("A", "B"))
    assert keyfiles.join_shares(folder / "1", folder / "2") == secret


# --- an allocation made elsewhere -------------------------------------------------------------------------

ARMS = {"P1": "HIT-ARM", "P2": "MIT-ARM", "P3": "HIT-ARM"}


@pytest.fixture
def finished(place: str, tmp_path: Path) -> Iterator[tuple[SqlStore, sealed.ImportedAllocation]]:
    """A store for a trial that was randomised elsewhere, and the place of its arms."""
    sealed.seal_import(tmp_path / "import.key", "trial", holder="N. N.", passphrase=None)
    bound: list[sealed.ImportedAllocation] = []
    with open_store(place, study="trial", create=True, key_provider=lambda: bound[0]) as store:
        bound.append(sealed.open_import(tmp_path / "import.key", store))
        yield store, bound[0]


def take_in(store: SqlStore, allocation: sealed.ImportedAllocation, draft: Make, people: Sequence[str]) -> None:
    with store.transaction() as deed:
        for who in people:
            deed.append(draft(Randomised("all", deed.take_slot("all", who)), who))
        allocation.keep(ARMS)


def test_imported_arms_come_through_the_same_door(
    finished: tuple[SqlStore, sealed.ImportedAllocation], draft: Make
) -> None:
    store, allocation = finished
    take_in(store, allocation, draft, list(ARMS))
    with store.transaction() as deed:
        assert {who: deed.arm_of("all", n) for n, who in enumerate(ARMS, start=1)} == ARMS
    promise, holder = allocation.commitment()
    assert (len(promise), holder, allocation.key()) == (64, "N. N.", "")
    with pytest.raises(Refused, match="never replaced"):
        allocation.keep(ARMS)
    assert allocation.commitment() == (promise, holder)


def test_an_import_that_fails_leaves_no_arms_behind(
    finished: tuple[SqlStore, sealed.ImportedAllocation], draft: Make
) -> None:
    store, allocation = finished

    def break_off() -> None:
        with store.transaction():
            allocation.keep(ARMS)
            assert allocation.commitment()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    with pytest.raises(OutOfOrder, match="No allocation"):
        allocation.commitment()
    take_in(store, allocation, draft, list(ARMS))


def test_imported_arms_are_encrypted_and_do_not_open_with_another_key(
    finished: tuple[SqlStore, sealed.ImportedAllocation], draft: Make, tmp_path: Path
) -> None:
    store, allocation = finished
    take_in(store, allocation, draft, [*ARMS, "P9"])
    kept = store.sealed()
    assert kept is not None
    assert "HIT-ARM" not in kept[1]
    sealed.seal_import(tmp_path / "other.key", "trial", holder="N. N.", passphrase=None)
    other = sealed.open_import(tmp_path / "other.key", store)
    with pytest.raises(NotPermitted, match="does not open"):
        other.commitment()
    with store.transaction() as deed, pytest.raises(OutOfOrder, match="P9"):
        deed.arm_of("all", 4)
    sealed.seal_sequence(tmp_path / "sequence.key", DESIGN, holder="N. N.", passphrase=None)
    with pytest.raises(StorageError, match="another thing"):
        sealed.open_import(tmp_path / "sequence.key", store)


def test_a_sealed_sequence_takes_in_no_other_allocation(tmp_path: Path) -> None:
    sealed.seal_sequence(tmp_path / "k", DESIGN, holder="N. N.", passphrase=None)
    with pytest.raises(Refused, match="own sealed sequence"):
        sealed.open_sequence(tmp_path / "k", DESIGN).keep(ARMS)
