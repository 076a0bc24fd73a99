"""`holdfast backup`, `restore`, `migrate`: a copy that is proved, the way back, and newer tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.verify import opened

if TYPE_CHECKING:
    from holdfast.storage.portable import Extent

Json = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]


def backup(
    study: Annotated[str, typer.Argument(help="A study folder, a store's file, or a database URL.")],
    *,
    to: Annotated[Path, typer.Option(help="The folder in which the backup gets a folder of its own.")],
    json: Json = False,
) -> None:
    """Copy the ledger and its raw files while people work, and prove the copy by restoring it.

    The key of the allocation and the vault of names are not copied: whoever holds them keeps them apart.

    Exit codes: 0 written and proved, 2 wrong call, 3 could not.
    """
    from holdfast import storage

    with opened(study) as store:
        made = storage.backup(store, to)
    if json:
        _print_json({"folder": str(made.folder), "studies": _plain(made.studies), "files": made.files})
        return
    for extent in made.studies:
        typer.echo(f"{extent.study}: {extent.seq:,} records up to {extent.head[:12]}, and {made.files} raw files.")
    typer.echo(f"Restored once to prove it, then kept in {made.folder}")


def restore(
    source: Annotated[Path, typer.Argument(help="The folder of one backup.")],
    *,
    into: Annotated[str, typer.Option(help="An empty place: a study folder, a new file, or an empty database's URL.")],
    files: Annotated[Path | None, typer.Option(help="Where raw files go; beside an SQLite file by default.")] = None,
    json: Json = False,
) -> None:
    """Bring a backup back into an empty place and verify what is there then.

    Exit codes: 0 restored and verified, 2 wrong call, 3 could not; then the place is as it was.
    """
    from holdfast import storage
    from holdfast.wiring import STORE_FILE

    place = str(Path(into) / STORE_FILE) if "://" not in into and Path(into).is_dir() else into
    found = storage.restore(source, place, files=files)
    if json:
        _print_json({"studies": _plain(found)})
        return
    for extent in found:
        typer.echo(f"{extent.study}: {extent.seq:,} records up to {extent.head[:12]}, restored and verified.")


def migrate(
    study: Annotated[str, typer.Argument(help="A study folder, a store's file, or a database URL.")],
    *,
    json: Json = False,
) -> None:
    """Bring a store that an older holdfast wrote to this version's tables, in one transaction.

    Exit codes: 0 done, 2 wrong call, 3 could not; then the store is as it was.
    """
    from holdfast import storage
    from holdfast.errors import StorageError
    from holdfast.wiring import STORE_FILE

    place = str(Path(study) / STORE_FILE) if "://" not in study and Path(study).is_dir() else study
    if "://" not in place and not Path(place).exists():
        raise StorageError(f"There is no store at {place}.")
    steps = storage.migrate(place)
    if json:
        _print_json({"steps": list(steps)})
    else:
        typer.echo(f"Took {', '.join(steps)}." if steps else "It has this version's tables already.")


def _plain(extents: Iterable[Extent]) -> list[dict[str, object]]:
    from dataclasses import asdict

    return [asdict(extent) for extent in extents]


def _print_json(document: dict[str, object]) -> None:
    import json

    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
