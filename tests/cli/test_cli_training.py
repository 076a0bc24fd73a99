"""The trainer's commands through a real study folder: from the tests to the prescription to the session on record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from holdfast import wiring
from holdfast.app import deeds
from holdfast.app.views.sessions import session as session_view
from holdfast.cli import prescribe as prescribe_command
from holdfast.devices.fit_workout import read_fit_workout
from holdfast.errors import CallError, Refused

STUDY = """
[study]
code = "small"
title = "Hard or easy cycling"
version = "1"
simulated = true

[[arms]]
code = "HIT"
programme = "hit"
[[arms]]
code = "MIT"
programme = "mit"

[eligibility]
consent_version = "1"
[[eligibility.questions]]
code = "age"
text = "Age"
type = "number"
[[eligibility.rules]]
code = "adult"
text = "18 or older"
question = "age"
at_least = 18

[randomisation]
scheme = "permuted blocks"
block_sizes = [2]
holder = "Dr Far Away"

[[visits]]
code = "PRE"
anchor = "enrolment"
window = [-14, 14]

[[covariates]]
code = "sex"
type = "category"
levels = ["female", "male"]

[[measurements]]
code = "pain"
name = "Pain"
low = 0
high = 10
better = "lower"
[[outcomes]]
code = "pain"
instrument = "pain"
role = "primary"
visits = ["PRE"]

[programmes.hit]
name = "Hard intervals"
intensity = "moderate"
sessions = 4
per_week = 2
needs = [{ test = "cpet", valid_days = 42 }, { test = "1rm", valid_days = 42 }]
[[programmes.hit.blocks]]
name = "cardio"
kind = "intervals"
mode = "cycle ergometer"
bouts = 3
work = { seconds = 60, percent = 100, of = "W at VO2max", rpm = 110 }
rest = { seconds = 60, percent = 50, of = "W at VO2max", rpm = 75 }
progress = { every = 2, field = "work.seconds", add = 10, until = 110 }
[[programmes.hit.blocks]]
name = "strength"
kind = "resistance"
sets = 2
reps = 12
percent = 80
of = "1RM"
round_kg = 2.5
[[programmes.hit.blocks.exercises]]
code = "leg_press"
name = "leg press"

[programmes.mit]
name = "Easy riding"
sessions = 4
per_week = 2
needs = [{ test = "cpet", valid_days = 42 }]
[[programmes.mit.blocks]]
name = "cardio"
kind = "continuous"
mode = "cycle ergometer"
work = { seconds = 840, percent = 60, of = "W at VO2max", rpm = 90 }

[settings]
rpe_scale = "CR10"
zone = "Europe/Brussels"
"""
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class SteadyClock:
    """Goes on by one second each time somebody looks."""

    time: datetime = field(default_factory=lambda: START)

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def zone(self) -> str:
        return "Europe/Brussels"


app = typer.Typer()
app.command("prescribe")(prescribe_command.prescribe)


@app.callback()
def _root() -> None:
    """So that one command stays a command."""


@dataclass
class Clinic:
    """A study folder with two people, P01 and P02, one in each arm; `hard` trains hard, `easy` easily."""

    folder: Path
    clock: SteadyClock
    hard: str = ""
    easy: str = ""

    def desk(self, role: str):
        return wiring.open_folder(self.folder, role, f"a-{role}", self.clock)

    def run(self, command: str, *words: object) -> Result:
        return CliRunner().invoke(app, [command, str(self.folder), *map(str, words)])

    def tested(self, *people: str) -> Clinic:
        """A cpet at PRE for these people, and a training 1RM for the leg press."""
        for code in people:
            values = {"watts_at_vo2max": 250, "watts_peak": 262, "hr_max": 185, "hr_rest": 60, "body_mass": 80}
            deeds.record_test(self.desk("assessor"), code, "cpet", values, visit="PRE")
            deeds.decide(self.desk("assessor"), code, "training-1rm:leg_press", 100, unit="kg", basis="tested")
        return self


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    clock = SteadyClock()
    monkeypatch.delenv("HOLDFAST_ALLOCATION_PASSPHRASE", raising=False)
    monkeypatch.setattr(wiring, "SystemClock", lambda zone: clock)
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    deeds.open_study(wiring.open_folder(folder, "coordinator", "ann", clock, create=True))
    wiring.seal_allocation(folder, holder="Dr Far Away", passphrase=None)
    made = Clinic(folder, clock)
    deeds.commit_allocation(made.desk("randomiser"))
    coordinator = made.desk("coordinator")
    for code, sex in (("P01", "female"), ("P02", "male")):
        deeds.screen(coordinator, code, {"age": 40})
        deeds.consent(coordinator, code, version="1")
        deeds.enrol(coordinator, code)
        deeds.describe(coordinator, code, {"sex": sex})
        deeds.record_form(made.desk("assessor"), code, "PRE", "pain", {"pain": 6})
        deeds.complete(coordinator, code, "baseline")
        deeds.randomise(coordinator, code)
    arms = {code: session_view(made.desk("trainer"), code).arm for code in ("P01", "P02")}
    made.hard = next(code for code, arm in arms.items() if arm == "HIT")
    made.easy = next(code for code, arm in arms.items() if arm == "MIT")
    return made


# prescribe ----


def test_without_tests_every_missing_one_is_named(clinic: Clinic):
    done = clinic.run("prescribe", clinic.hard)
    assert isinstance(done.exception, Refused)
    for words in ("W at VO2max", "1RM of leg_press", "Do the cpet test", "training-1rm:leg_press"):
        assert words in str(done.exception), words


def test_a_session_in_absolute_units_with_its_reasons(clinic: Clinic):
    clinic.tested(clinic.hard, clinic.easy)
    hard = clinic.run("prescribe", clinic.hard)
    assert hard.exit_code == 0, hard.output
    assert f"{clinic.hard}, session 1 on 2026-03-02: Hard intervals  SIMULATED" in hard.stdout
    for words in (
        "1:00  250 W (238-262)  110 rpm",
        "125 W",
        "2 x 12  80 kg",
        "why: 100 % of W at VO2max 250 W (record",
    ):
        assert words in hard.stdout, words
    assert "14:00  150 W (142-158)  90 rpm" in clinic.run("prescribe", clinic.easy).stdout


def test_the_whole_programme_as_a_table(clinic: Clinic):
    clinic.tested(clinic.hard)
    done = clinic.run("prescribe", clinic.hard, "--programme")
    assert "3 x 70 s at 250 W" in done.stdout
    assert "planned ahead" in done.stdout
    document = json.loads(clinic.run("prescribe", clinic.hard, "--programme", "--json").stdout)
    assert [one["session"] for one in document["sessions"]] == [1, 2, 3, 4]


def test_a_workout_for_the_machine_in_every_format(clinic: Clinic, tmp_path: Path):
    """The FIT file is read back; ERG holds watts; MRC and ZWO need to know what 100 % means."""
    clinic.tested(clinic.hard)
    for name in ("one.fit", "one.erg"):
        assert clinic.run("prescribe", clinic.hard, "--workout", tmp_path / name).exit_code == 0
    workout, issues = read_fit_workout((tmp_path / "one.fit").read_bytes())
    assert workout is not None
    assert not issues
    assert [(step.seconds, step.watts.middle) for step in workout.steps[:2]] == [(60, 250), (60, 125)]
    assert "250" in (tmp_path / "one.erg").read_text()
    refused = clinic.run("prescribe", clinic.hard, "--workout", tmp_path / "one.mrc")
    assert isinstance(refused.exception, CallError)
    told = clinic.run("prescribe", clinic.hard, "--workout", tmp_path / "one.zwo", "--reference-watts", 250)
    assert told.exit_code == 0
    assert 'Power="1.0"' in (tmp_path / "one.zwo").read_text()
    unknown = clinic.run("prescribe", clinic.hard, "--workout", tmp_path / "one.gpx")
    assert ".zwo" in str(unknown.exception)


def test_cards_and_the_figure_are_written(clinic: Clinic, tmp_path: Path):
    clinic.tested(clinic.hard)
    card, figure = tmp_path / "card.pdf", tmp_path / "plan.svg"
    done = clinic.run("prescribe", clinic.hard, "--card", card, "--figure", figure)
    assert done.exit_code == 0, done.output
    assert card.read_bytes().startswith(b"%PDF")
    assert "cycling work (kJ)" in figure.read_text()


def test_a_session_on_record_is_shown_as_it_was_asked(clinic: Clinic):
    """A retest with 300 W after session 1 changes session 2, never session 1."""
    from holdfast.dosing.written import to_rows

    clinic.tested(clinic.hard)
    first = session_view(clinic.desk("trainer"), clinic.hard).prescription
    assert first is not None
    deeds.record_session(clinic.desk("trainer"), clinic.hard, 1, prescribed=to_rows(first), on=date(2026, 3, 2))
    deeds.record_test(clinic.desk("trainer"), clinic.hard, "cpet", {"watts_at_vo2max": 300}, on=date(2026, 3, 2))
    again = clinic.run("prescribe", clinic.hard, "--session", 1)
    assert "250 W (238-262)" in again.stdout
    assert "not computed anew" in again.stdout
    assert "300 W (285-315)" in clinic.run("prescribe", clinic.hard).stdout
