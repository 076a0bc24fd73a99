"""Names and contacts: apart, encrypted, and gone when they are erased."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast.errors import CallError, NewerStore, NotPermitted, StorageError
from holdfast.storage import open_store
from holdfast.storage.keyfiles import Secret, new_key, read_key
from holdfast.storage.vault import Vault, make_vault_key, open_vault

SECRET = Secret("vault", "trial", "N. N.", {}, new_key())
EVE = {"name": "Ève van den Berg", "phone": "+32 11 26 81 11", "birth": "1980-02-29"}


@pytest.fixture
def vault(place: str) -> Iterator[Vault]:
    with open_vault(place, SECRET, create=True) as opened:
        yield opened


def test_what_goes_in_comes_out(vault: Vault, place: str) -> None:
    vault.put("P001", EVE)
    vault.put("P002", {"name": "B. B."})
    vault.put("P001", {"phone": "none"})
    with open_vault(place, SECRET) as again:
        assert again.get("P001") == {**EVE, "phone": "none"}
        assert again.participants() == ("P001", "P002")
        assert again.get("P404") == {}


def test_nothing_is_kept_in_clear_and_erasing_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    with open_vault(path, SECRET, create=True) as vault:
        vault.put("P001", EVE)
        vault.put("P002", EVE)
        with vault._connections.reading() as connection:
            kept = connection.execute(sa.text("SELECT content FROM vault_fields WHERE participant = 'P001'")).scalars()
            traces = [text.encode() for text in kept]

        def bytes_on_disk() -> bytes:
            return b"".join(file.read_bytes() for file in tmp_path.iterdir())

        assert b"Berg" not in bytes_on_disk()
        assert all(trace in bytes_on_disk() for trace in traces)
        assert vault.erase("P001") is True
        assert vault.erase("P001") is False
        assert not any(trace in bytes_on_disk() for trace in traces)
        assert vault.get("P001") == {}
        assert vault.get("P002") == EVE


def test_erasing_works_on_both_databases(vault: Vault) -> None:
    vault.put("P001", EVE)
    assert vault.erase("P001")
    assert vault.participants() == ()
    vault.put("P001", {"name": "again"})
    assert vault.get("P001") == {"name": "again"}


def test_another_key_opens_nothing(vault: Vault, place: str) -> None:
    with pytest.raises(NotPermitted, match="does not open"):
        open_vault(place, Secret("vault", "trial", "N. N.", {}, new_key()))
    with pytest.raises(CallError, match="vault's key"):
        open_vault(place, Secret("allocation", "trial", "N. N.", {}, new_key()))


def test_a_field_moved_to_another_person_does_not_open(vault: Vault) -> None:
    vault.put("P001", EVE)
    vault.put("P002", EVE)
    with vault._connections.writing() as connection:
        connection.execute(
            sa.text(
                "UPDATE vault_fields SET content = (SELECT content FROM vault_fields WHERE participant = 'P001' "
                "AND field = 'name') WHERE participant = 'P002' AND field = 'name'"
            )
        )
    with pytest.raises(NotPermitted, match="changed"):
        vault.get("P002")


def test_names_never_go_into_the_ledgers_database(place: str) -> None:
    open_store(place, study="trial", create=True).close()
    with pytest.raises(StorageError, match="of their own"):
        open_vault(place, SECRET, create=True)


def test_a_missing_foreign_or_newer_vault_says_so(vault: Vault, place: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no vault"):
        open_vault(tmp_path / "none.db", SECRET)
    with pytest.raises(StorageError, match="study 'other'"):
        open_vault(place, Secret("vault", "other", "N. N.", {}, new_key()))
    with vault._connections.writing() as connection:
        connection.execute(sa.text("UPDATE vault SET schema = 99"))
    with pytest.raises(NewerStore):
        open_vault(place, SECRET)


def test_a_key_file_opens_its_vault(tmp_path: Path) -> None:
    make_vault_key(tmp_path / "vault.key", "trial", holder="N. N.", passphrase=None)
    with open_vault(tmp_path / "v.db", read_key(tmp_path / "vault.key"), create=True) as vault:
        vault.put("P001", EVE)
        assert vault.get("P001") == EVE
    with pytest.raises(CallError, match="names the person"):
        make_vault_key(tmp_path / "other.key", "trial", holder="", passphrase=None)


@pytest.mark.parametrize(("who", "values"), [("", {"name": "x"}), ("P1", {"": "x"}), ("P1", {"name": "x" * 5000})])
def test_what_cannot_be_meant_is_refused(vault: Vault, who: str, values: dict[str, str]) -> None:
    with pytest.raises(CallError):
        vault.put(who, values)
