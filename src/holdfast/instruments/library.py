"""The instruments that ship with holdfast, read from the package's own data files."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from holdfast.errors import CallError, DataError
from holdfast.instruments.model import Instrument
from holdfast.instruments.parse import instrument_from


@cache
def _shelf() -> dict[str, str]:
    """Instrument code -> text of its data file; the file is named after the code."""
    folder = files("holdfast.instruments").joinpath("data")
    shelf = {}
    for entry in folder.iterdir():
        if entry.name.endswith(".toml"):
            shelf[entry.name.removesuffix(".toml")] = entry.read_text("utf-8")  # rim: data files of the package
    return shelf


def codes() -> list[str]:
    """The codes of all instruments that ship, in alphabetical order."""
    return sorted(_shelf())


@cache
def load(code: str) -> Instrument:
    """The instrument with this code.

    Raises `CallError` for an unknown code (naming the nearest), `DataError` when the shipped file is broken.
    """
    if code not in _shelf():
        near = get_close_matches(code, _shelf(), n=1, cutoff=0.5)
        raise CallError(
            f"there is no instrument {code!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            ways_out=[
                "use one of: " + ", ".join(codes()),
                "declare it in the study file as your own instrument",
            ],
        )
    instrument, issues = instrument_from(tomllib.loads(_shelf()[code]), f"{code}.toml")
    if instrument is None:
        raise DataError(f"the shipped instrument file {code}.toml is broken", issues=issues)
    return instrument
