"""The sealed allocation: the one place where an arm can come from. Only `wiring` may import it.

Nothing here is a list of future allocations. `SealedSequence` holds a key and computes the arm of a slot that somebody
has taken; `ImportedAllocation` holds the arms of a finished trial, encrypted in the store. Both are opened with
`open_sequence` / `open_import` and are what `app.ports.Sealing` and `storage.transaction.Arms` describe.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.core.records import canonical
from holdfast.errors import CallError, NotPermitted, OutOfOrder, Refused, StorageError
from holdfast.randomisation import Design, Unfolding, commitment, verify_allocation
from holdfast.storage.keyfiles import Secret, join_shares, new_key, read_key, split_key, write_key
from holdfast.storage.store import SqlStore

__all__ = [
    "ImportedAllocation",
    "SealedSequence",
    "open_import",
    "open_sequence",
    "open_split_sequence",
    "seal_import",
    "seal_sequence",
    "split_sequence",
    "verify_allocation",
]

SEQUENCE, IMPORTED = "allocation", "imported allocation"

IN_CLEAR = (
    "This key is in clear: whoever can read this file and the database beside it can open every imported arm. "
    "That is meant for a finished trial; otherwise import with HOLDFAST_ALLOCATION_PASSPHRASE set."
)
"""What the key file of an import without a passphrase says about itself."""


# --- a sequence that is derived from a key ----------------------------------------------------------------


class SealedSequence:
    """A study's sealed sequence, opened: computes the arm of a slot when it is asked."""

    def __init__(self, secret: Secret, design: Design) -> None:
        if commitment(design.plain(), secret.key) != secret.notes.get("commitment"):
            raise StorageError(
                f"The key of study {secret.study!r} was sealed for another design than the study file's.",
                ways_out=["Restore the [randomisation] and arms of the study file that was committed to."],
            )
        self._secret, self._design = secret, design
        self._strata: dict[str, Unfolding] = {}

    def arm_of(self, stratum: str, slot: int, history: Sequence[Mapping[str, object]], participant: str) -> str:
        """The arm of one slot; see `storage.transaction.Arms`."""
        if stratum not in self._strata:
            self._strata[stratum] = Unfolding(self._design.scheme, self._secret.key, stratum)
        return self._strata[stratum].arm(slot, history)

    def commitment(self) -> tuple[str, str]:
        """The public commitment, and the name of the person who holds the key."""
        return self._secret.notes["commitment"], self._secret.holder

    def key(self) -> str:
        """The key in hex, for the reveal."""
        return self._secret.key.hex()

    def keep(self, arms: Mapping[str, str]) -> None:
        """Refused: a study with its own sealed sequence does not take in another allocation."""
        raise Refused("This study has its own sealed sequence; an allocation made elsewhere cannot be imported.")


def seal_sequence(path: Path, design: Design, *, holder: str, passphrase: str | None) -> str:
    """Make a new key for this design and keep it in a file; the public commitment to both.

    Parameters
    ----------
    holder : the independent person who holds the key, by name.
    passphrase : opens the file; None leaves the key readable for everybody who can read the file.

    Raises
    ------
    CallError
        When no holder is named or the passphrase is short.
    StorageError
        When the file exists or cannot be written.
    """
    if not holder.strip():
        raise CallError("A sealed allocation names the person who holds its key.", ways_out=["holder=..."])
    key = new_key()
    promise = commitment(design.plain(), key)
    write_key(path, Secret(SEQUENCE, design.study, holder, {"commitment": promise}, key), passphrase)
    return promise


def open_sequence(path: Path, design: Design, *, passphrase: str | None = None) -> SealedSequence:
    """Open a study's sealed sequence.

    Raises
    ------
    NotPermitted
        When the passphrase does not open the key.
    StorageError
        When the file is no key of this study, or was sealed for another design.
    """
    return SealedSequence(_of(read_key(path, passphrase), path, SEQUENCE, design.study), design)


def split_sequence(path: Path, first: Path, second: Path, *, holders: tuple[str, str], passphrase: str | None) -> None:
    """Split a sealed key between two people; then the whole key file can be destroyed. Errors as `open_sequence`."""
    split_key(read_key(path, passphrase), first, second, holders)


def open_split_sequence(first: Path, second: Path, design: Design) -> SealedSequence:
    """Open a study's sealed sequence with both shares of its key. Errors as `open_sequence`."""
    return SealedSequence(_of(join_shares(first, second), first, SEQUENCE, design.study), design)


# --- an allocation that was made elsewhere ----------------------------------------------------------------


class ImportedAllocation:
    """The arms of a trial that was randomised elsewhere, by participant, encrypted in the study's store."""

    def __init__(self, secret: Secret, store: SqlStore) -> None:
        self._secret, self._store = secret, store
        self._read: tuple[str, Mapping[str, str], str] = ("", {}, "")

    def keep(self, arms: Mapping[str, str]) -> None:
        """Seal these arms in the transaction that is open in this thread, or in one of its own.

        Raises
        ------
        Refused
            When an allocation is there already; it is never replaced.
        """
        plain = canonical({"arms": dict(arms), "nonce": secrets.token_hex(32)})
        nonce = secrets.token_bytes(12)
        # No size of the arms shows: padding makes equal-length trials look alike whatever the arms are called.
        content = nonce + AESGCM(self._secret.key).encrypt(nonce, _padded(plain), self._bound())
        with self._store.joined() as deed:
            deed.keep_sealed(hashlib.sha256(content).hexdigest(), base64.b64encode(content).decode())

    def arm_of(self, stratum: str, slot: int, history: Sequence[Mapping[str, object]], participant: str) -> str:
        """The arm of the participant who took this slot; see `storage.transaction.Arms`.

        Raises
        ------
        OutOfOrder
            When no arm was imported for that participant.
        """
        arms, _ = self._opened()
        if participant not in arms:
            raise OutOfOrder(f"No arm was imported for {participant}.")
        return arms[participant]

    def commitment(self) -> tuple[str, str]:
        """The commitment to the imported arms, and the name of the person who holds the key."""
        arms, nonce = self._opened()
        return hashlib.sha256(canonical({"allocation": dict(arms), "nonce": nonce})).hexdigest(), self._secret.holder

    def key(self) -> str:
        """Nothing: imported arms follow from no key."""
        return ""

    def _opened(self) -> tuple[Mapping[str, str], str]:
        kept = self._store.sealed(known=self._read[0])
        if kept is None:
            raise OutOfOrder("No allocation was imported into this study.")
        digest, content = kept
        if digest != self._read[0]:
            self._read = (digest, *self._decrypted(base64.b64decode(content)))
        return self._read[1], self._read[2]

    def _decrypted(self, content: bytes) -> tuple[Mapping[str, str], str]:
        try:
            plain = AESGCM(self._secret.key).decrypt(content[:12], content[12:], self._bound())
        except (InvalidTag, ValueError):
            raise NotPermitted("This key does not open the imported allocation, or it was changed.") from None
        found = json.loads(plain)
        return found["arms"], found["nonce"]

    def _bound(self) -> bytes:
        return canonical({"purpose": IMPORTED, "study": self._store.study})


def seal_import(path: Path, study: str, *, holder: str, passphrase: str | None) -> None:
    """Make a key file for an imported allocation; one without a passphrase says so. Errors as `seal_sequence`."""
    if not holder.strip():
        raise CallError("A sealed allocation names the person who holds its key.", ways_out=["holder=..."])
    notes = {} if passphrase is not None else {"warning": IN_CLEAR}
    write_key(path, Secret(IMPORTED, study, holder, notes, new_key()), passphrase)


def open_import(path: Path, store: SqlStore, *, passphrase: str | None = None) -> ImportedAllocation:
    """Open the place of a study's imported allocation. Errors as `open_sequence`."""
    return ImportedAllocation(_of(read_key(path, passphrase), path, IMPORTED, store.study), store)


def _padded(plain: bytes) -> bytes:
    return plain + b" " * (-len(plain) % 4096)


def _of(secret: Secret, path: Path, purpose: str, study: str) -> Secret:
    if secret.purpose != purpose:
        raise StorageError(f"{path} is the key of another thing ({secret.purpose}, not {purpose}).")
    if secret.study != study:
        raise StorageError(f"{path} is the key of study {secret.study!r}, not of {study!r}.")
    return secret
