"""Raw files kept by their SHA-256, in a folder beside the database."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from holdfast.errors import CallError, StorageError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Files:
    """A folder of files named by their content: the same bytes are kept once and can never change unseen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Keep these bytes; their SHA-256 in hex. On return they are on the disk.

        Raises
        ------
        StorageError
            When the disk would not take them; then nothing is kept.
        """
        digest = hashlib.sha256(content).hexdigest()
        target = self._path(digest)
        if target.exists() and self._matches(target, digest):
            return digest
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(target, content)
        except OSError as error:
            raise StorageError(f"{self.folder}: a file could not be kept ({error.strerror}).") from None
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with this SHA-256, checked.

        Raises
        ------
        StorageError
            When they are not there, or are not what they were.
        """
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except OSError:
            raise StorageError(f"No file {digest[:12]}... is kept in {self.folder}.") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise StorageError(f"The file {digest[:12]}... in {self.folder} is not what was kept.")
        return content

    def __contains__(self, digest: str) -> bool:
        return self._path(digest).exists()

    def digests(self) -> Iterator[str]:
        """The names of all files, in order."""
        for path in sorted(self.folder.glob("??/*")):
            if _DIGEST.fullmatch(path.name):
                yield path.name

    def _path(self, digest: str) -> Path:
        # A digest may come from outside; anything else would be a way out of the folder.
        if not _DIGEST.fullmatch(digest):
            raise CallError("A file is named by its SHA-256: 64 hexadecimal digits.")
        return self.folder / digest[:2] / digest

    @staticmethod
    def _matches(path: Path, digest: str) -> bool:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _write_whole(target: Path, content: bytes) -> None:
    """Write beside the target, flush, then rename: a reader sees all of it or nothing, also after a power cut."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
