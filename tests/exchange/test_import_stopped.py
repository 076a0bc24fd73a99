"""A real process, stopped for real in the middle of an import: all of it is there, or nothing."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.core.facts import Imported, StudyOpened
from holdfast.core.ledger import first_break
from holdfast.errors import StorageError
from holdfast.wiring import open_folder

STUDY = Path(__file__).resolve().parents[2] / "studies" / "acupuncture"
RUN = "import typer; from holdfast.cli.importing import import_; a = typer.Typer(); a.command()(import_); a()"


def is_open(folder: Path) -> bool:
    """Whether the ledger is begun, so that what follows is the import itself."""
    try:
        return open_folder(folder, "coordinator").store.ledger().last(StudyOpened, "") is not None
    except StorageError:
        return False


@pytest.mark.parametrize("wait", [0.0, 0.3])
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill-9"])
def test_stopped_by_a_signal(shared: Path, tmp_path: Path, sign: signal.Signals, wait: float) -> None:
    folder = tmp_path / "trial"
    shutil.copytree(STUDY, folder)
    table = shared / "data/acupuncture_headache_2004/acupuncture.csv"
    command = [sys.executable, "-c", RUN, str(table), str(folder), "--map", str(folder / "map.toml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not is_open(folder):
        time.sleep(0.01)
    time.sleep(wait)  # whenever it strikes, the claim below must hold
    process.send_signal(sign)
    process.wait(timeout=120)
    store = open_folder(folder, "coordinator", create=True).store
    ledger = store.ledger()
    assert len(ledger.participants) in (0, 401)
    assert (ledger.last(Imported, "") is not None) == (len(ledger.participants) == 401)
    assert first_break(list(store.records())) is None
