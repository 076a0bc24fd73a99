"""The value that stands where a score could not be computed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoScore:
    """There is no score: a stable word for machines, and the reason for people."""

    code: str
    why: str
