"""Secret keys in files: behind a passphrase, in two shares, or (said aloud) unprotected."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.core.records import canonical
from holdfast.errors import CallError, NotPermitted, StorageError

KEY_BYTES = 32
SHORTEST_PASSPHRASE = 12

# RFC 9106, section 4, second recommended option: 64 MiB, 3 passes, 4 lanes.
_ARGON = {"name": "argon2id", "memory_kib": 65_536, "passes": 3, "lanes": 4}
_MOST_MEMORY_KIB, _MOST_PASSES = 1_048_576, 20
_LARGEST_FILE = 65_536


@dataclass(frozen=True, slots=True)
class Secret:
    """A key and what its file says about it in clear. Printing it never shows the key.

    Attributes
    ----------
    purpose : what it opens ("allocation", "imported allocation", "vault").
    study : the study's code.
    holder : the named person who holds it.
    notes : what else the file says in clear (the commitment).
    key : the secret bytes.
    """

    purpose: str
    study: str
    holder: str
    notes: Mapping[str, str]
    key: bytes = field(repr=False)


def new_key() -> bytes:
    """256 bits from the operating system's generator."""
    return secrets.token_bytes(KEY_BYTES)


def write_key(path: Path, secret: Secret, passphrase: str | None) -> None:
    """Write a key file that only its owner may read; an existing file is never overwritten.

    Parameters
    ----------
    passphrase : at least 12 characters. None writes the key in clear: right only where the whole machine may know it,
        as for a trial that is finished.

    Raises
    ------
    CallError
        When the passphrase is too short.
    StorageError
        When there is a file already, or it cannot be written.
    """
    head = _head(secret)
    if passphrase is None:
        _write(path, {**head, "protection": "none", "key": _text(secret.key)})
        return
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise CallError(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters.", ways_out=["Four random words."])
    head |= {"protection": "passphrase", "kdf": {**_ARGON, "salt": _text(secrets.token_bytes(16))}}
    nonce = secrets.token_bytes(12)
    # The clear part is bound to the key, so that a holder's name or a commitment cannot be exchanged unseen.
    sealed = AESGCM(_stretched(passphrase, head["kdf"])).encrypt(nonce, secret.key, canonical(head))
    _write(path, {**head, "nonce": _text(nonce), "sealed": _text(sealed)})


def read_key(path: Path, passphrase: str | None = None) -> Secret:
    """Open a key file.

    Raises
    ------
    NotPermitted
        When the passphrase does not open it (a changed file looks the same).
    CallError
        When it needs a passphrase and none was given, or it is one share of two.
    StorageError
        When it is no key file.
    """
    found = _read(path)
    protection = found.get("protection")
    if protection == "share":
        raise CallError(f"{path} is one of two shares; both are needed.", ways_out=["join_shares(first, second)"])
    if protection == "none":
        return _secret(found, _bytes(path, found.get("key")))
    if protection != "passphrase":
        raise StorageError(f"{path} is protected in a way that this holdfast does not know ({protection!r}).")
    if passphrase is None:
        raise CallError(f"The key of {found.get('holder', 'its holder')} needs a passphrase.")
    clear = {name: value for name, value in found.items() if name not in {"nonce", "sealed"}}
    opened = AESGCM(_stretched(passphrase, _kdf(path, found)))
    try:
        key = opened.decrypt(_bytes(path, found.get("nonce")), _bytes(path, found.get("sealed")), canonical(clear))
    except (InvalidTag, ValueError):
        raise NotPermitted(f"This passphrase does not open {path.name}, or the file was changed.") from None
    return _secret(found, key)


def split_key(secret: Secret, first: Path, second: Path, holders: tuple[str, str]) -> None:
    """Write two shares, of which each alone tells nothing about the key: a random pad, and the key XOR the pad.

    Raises
    ------
    StorageError
        As `write_key`.
    """
    pad = secrets.token_bytes(len(secret.key))
    # The check tells a wrong pair from a right one; it is a hash of 256 random bits, so it does not help to guess.
    check = hashlib.sha256(b"holdfast share" + secret.key).hexdigest()
    for number, (path, value) in enumerate(((first, pad), (second, _xor(secret.key, pad))), start=1):
        head = {**_head(secret), "protection": "share", "share": number, "share_holder": holders[number - 1]}
        _write(path, {**head, "check": check, "value": _text(value)})


def join_shares(first: Path, second: Path) -> Secret:
    """The key from its two shares, in either order.

    Raises
    ------
    CallError
        When the two files are not the two shares of one key.
    """
    one, two = _read(first), _read(second)
    if {one.get("share"), two.get("share")} != {1, 2} or one.get("check") != two.get("check"):
        raise CallError(f"{first.name} and {second.name} are not the two shares of one key.")
    key = _xor(_bytes(first, one.get("value")), _bytes(second, two.get("value")))
    if hashlib.sha256(b"holdfast share" + key).hexdigest() != one.get("check"):
        raise StorageError("A share was changed; together they do not give the key.")
    return _secret(one, key)


def _head(secret: Secret) -> dict[str, Any]:
    return {
        "holdfast": "key file 1",
        "purpose": secret.purpose,
        "study": secret.study,
        "holder": secret.holder,
        "notes": dict(secret.notes),
    }


def _secret(found: Mapping[str, Any], key: bytes) -> Secret:
    notes = {str(name): str(value) for name, value in dict(found.get("notes") or {}).items()}
    return Secret(str(found["purpose"]), str(found["study"]), str(found["holder"]), notes, key)


def _kdf(path: Path, found: Mapping[str, Any]) -> Mapping[str, Any]:
    kdf = found.get("kdf")
    if not isinstance(kdf, Mapping) or kdf.get("name") != "argon2id":
        raise StorageError(f"{path} names no known key derivation.")
    # A hostile file must not be able to ask for all memory of the machine.
    if not (8 <= int(kdf["memory_kib"]) <= _MOST_MEMORY_KIB and 1 <= int(kdf["passes"]) <= _MOST_PASSES):
        raise StorageError(f"{path} asks for an unreasonable key derivation.")
    return kdf


def _stretched(passphrase: str, kdf: Mapping[str, Any]) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        passphrase.encode(),
        base64.b64decode(kdf["salt"]),
        time_cost=int(kdf["passes"]),
        memory_cost=int(kdf["memory_kib"]),
        parallelism=int(kdf["lanes"]),
        hash_len=KEY_BYTES,
        type=Type.ID,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError as error:
        raise StorageError(f"{path}: the key file cannot be read ({error.strerror}).") from None
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if (
        not isinstance(found, dict)
        or found.get("holdfast") != "key file 1"
        or not {"purpose", "study", "holder"} <= set(found)
    ):
        raise StorageError(f"{path} is no holdfast key file.")
    return found


def _write(path: Path, content: Mapping[str, Any]) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StorageError(f"{path} exists; a key file is never overwritten.") from None
    except OSError as error:
        raise StorageError(f"{path}: the key file cannot be written ({error.strerror}).") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StorageError(f"{path}: the key file cannot be written ({error.strerror}).") from None


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(path: Path, value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except ValueError:
        raise StorageError(f"{path} is a damaged key file.") from None
