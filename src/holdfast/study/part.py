"""What every part of a study file has in common: it is frozen, and no key in it goes unread."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.\-]*$", max_length=60)]
"""A short name that people type: letters, digits, space, dot, dash, underscore."""


class Part(BaseModel):
    """Root of everything in a study file: frozen, and no key goes unread."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Sourced(Part):
    """Something that carries where it comes from and whether anybody could verify it there."""

    source: str = ""
    verified: bool = True
