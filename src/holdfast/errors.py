"""Every exception that holdfast raises on purpose, drawn as a tree.

::

    HoldfastError                 root: catch this to catch them all
    |-- CallError                 the caller asked for something that cannot be meant      (exit code 2)
    |-- DataError                 the data cannot be used as they are; carries the issues  (exit code 1)
    |   `-- StudyFileError        the study file has errors; carries the issues
    |-- FitError                  a model could not be fitted honestly; lists the ways out (exit code 3)
    |   |-- NotConverged          the optimiser stopped before the gradient was small
    |   |-- RankDeficient         the design cannot identify its coefficients
    |   `-- Unidentifiable        the data cannot identify the covariance
    |-- Refused                   the protocol, a role or a state does not allow the deed  (exit code 3)
    |   |-- NotPermitted          this role may not do or see this
    |   |-- OutOfOrder            the participant or study is not in a state that allows it
    |   `-- StaleView             the editor saw an older version of what it wants to change
    `-- StorageError              the store cannot keep or give back records               (exit code 3)
        |-- ChainBroken           a record does not follow from the one before it
        |-- NewerStore            the file was written by a newer holdfast
        `-- StoreBusy             another writer held the store for too long

Problems in *data* are values (`holdfast.core.issues.Issue`), returned beside the result; an exception is for a
caller's mistake or a broken world.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class HoldfastError(Exception):
    """Root of all deliberate errors. `exit_code` is what the command line returns for it."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, ways_out: Sequence[str] = ()) -> None:
        """Say what is wrong and where in `message`; list in `ways_out` what the reader can do about it."""
        super().__init__(message)
        self.message = message
        self.ways_out = tuple(ways_out)

    def __str__(self) -> str:
        if not self.ways_out:
            return self.message
        return self.message + "\nWays out:\n" + "\n".join(f"  - {way}" for way in self.ways_out)


class CallError(HoldfastError):
    """The call itself is wrong: an unknown name, an impossible option, a missing argument."""

    exit_code = 2


class DataError(HoldfastError):
    """The data cannot be used as they are. `issues` holds each problem as a value."""

    exit_code = 1

    def __init__(self, message: str, *, issues: Sequence[object] = (), ways_out: Sequence[str] = ()) -> None:
        super().__init__(message, ways_out=ways_out)
        self.issues = tuple(issues)


class StudyFileError(DataError):
    """The study file has errors, so there is no study to work with."""


class FitError(HoldfastError):
    """A model could not be fitted honestly."""


class NotConverged(FitError):
    """The optimiser stopped before the gradient was small enough to call the point an optimum."""


class RankDeficient(FitError):
    """The design matrix cannot identify its coefficients."""


class Unidentifiable(FitError):
    """The data cannot identify the covariance that was asked for."""


class Refused(HoldfastError):
    """The protocol, a role or a state does not allow the deed."""


class NotPermitted(Refused):
    """This role may not do or see this."""


class OutOfOrder(Refused):
    """The participant or the study is not in a state that allows the deed."""


class StaleView(Refused):
    """The editor saw an older version of what it wants to change."""


class StorageError(HoldfastError):
    """The store cannot keep or give back records."""


class ChainBroken(StorageError):
    """A record does not follow from the one before it."""


class NewerStore(StorageError):
    """The store was written by a newer holdfast than this one."""


class StoreBusy(StorageError):
    """Another writer held the store for longer than this one was willing to wait."""
