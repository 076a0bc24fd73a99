"""The context every deed works in: a study, its store, a clock, and the account that acts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast.app.ports import Clock, Sealing, Store
from holdfast.core.issues import Issue
from holdfast.core.records import Record
from holdfast.errors import CallError
from holdfast.study.model import Study


class Role(StrEnum):
    """As what somebody works on a study. What each may do and see is decided in `holdfast.app.access` alone."""

    COORDINATOR = "coordinator"
    TRAINER = "trainer"
    ASSESSOR = "assessor"
    PARTICIPANT = "participant"
    STATISTICIAN = "statistician"
    MONITOR = "monitor"
    ADMINISTRATOR = "administrator"
    RANDOMISER = "randomiser"

    @classmethod
    def of(cls, word: str) -> Role:
        """The role of this name, in any case.

        Raises
        ------
        CallError
            When there is no such role; the message lists the roles.
        """
        try:
            return cls(word.strip().lower())
        except ValueError:
            raise CallError(f"There is no role {word[:40]!r}.", ways_out=[f"Roles: {', '.join(cls)}."]) from None

    @property
    def one(self) -> str:
        """The role with its article, to begin a sentence: "An assessor"."""
        return f"{'An' if self.value[0] in 'aeiou' else 'A'} {self.value}"


@dataclass(frozen=True, slots=True)
class Account:
    """Who acts, and as what. `participant` is the one code that a participant's account may see."""

    actor: str
    role: Role
    participant: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a deed needs: the study as it is written, the store of its records, a clock, and who acts.

    `sealing` is the sealed allocation; without one nobody can be randomised here and nothing can be revealed.
    """

    study: Study
    store: Store
    clock: Clock
    account: Account
    sealing: Sealing | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed did: the records it wrote, and what somebody should look at."""

    records: tuple[Record, ...]
    issues: tuple[Issue, ...] = ()

    @property
    def record(self) -> Record:
        """The first record written: the fact that the deed was called for."""
        return self.records[0]
