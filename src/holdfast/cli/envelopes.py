"""The envelopes of `holdfast randomise`: printed by the holder of the key, recorded in the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast.errors import CallError


def printed(folder: Path, target: Path, count: int, role: str, actor: str | None) -> dict[str, Any]:
    """Print the next envelopes of each stratum into a file, and record that it was done.

    Raises
    ------
    CallError
        When the file exists, or somebody else than the independent randomiser asks.
    OutOfOrder
        When the scheme depends on who comes.
    """
    from holdfast.app import deeds
    from holdfast.report.envelopes import Slip, envelopes
    from holdfast.wiring import open_folder

    if target.exists():
        raise CallError(f"{target} exists; envelopes are never overwritten.")
    desk = open_folder(folder, role, actor)
    slips = [Slip(*slip) for slip in deeds.print_envelopes(desk, count=count).slips]
    head = desk.study.study
    holder = desk.sealing.commitment()[1] if desk.sealing else ""
    _keep(target, envelopes(head.title, head.code, slips, holder=holder, simulated=head.simulated))
    strata = len({slip.stratum for slip in slips})
    words = (
        f"{len(slips)} envelopes for {strata} strata in {target}. Print, fold, seal, then delete the file.\n"
        f'Enter a used one: holdfast deed randomise {folder} --args \'{{"participant": "CODE", "envelope": NUMBER}}\''
    )
    return {"words": words, "file": str(target), "envelopes": len(slips)}


def _keep(target: Path, content: bytes) -> None:
    import os

    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
