"""`holdfast score`: tables in, scores out, with words and exit codes for everything that can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from holdfast.cli.score import score
from holdfast.errors import CallError, DataError

app = typer.Typer()
app.command("score")(score)


@app.callback()
def _root() -> None:
    """A group, as in the real command line."""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["score", *map(str, words)])


@pytest.fixture
def pain(tmp_path: Path) -> Path:
    return write(tmp_path, "participant,visit,nprs\np1,PRE,6\np1,POST,\np2,PRE,14\n")


def write(folder: Path, text: str, name: str = "answers.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


def test_prints_scores_problems_and_a_sum(pain: Path) -> None:
    result = run(pain, "--instrument", "nprs")
    assert result.exit_code == 1  # 14 is out of range
    assert result.stdout.splitlines() == [
        "participant  visit  nprs",
        "p1           PRE    6",
        "p1           POST   -",
        "p2           PRE    -",
        "",
        "answers.csv: note: line 3, score nprs: no score, because no item was answered.",
        "answers.csv: error: line 4, item nprs: the answer is 14, outside 0 to 10. "
        "Correct it at the source, or leave it empty.",
        "answers.csv: warning: line 4, score nprs: no score, because the answer to nprs cannot be used.",
        "",
        "nprs rule 1: nprs for 1 of 3 forms.",
    ]


def test_exit_code_0_when_only_answers_are_missing(tmp_path: Path) -> None:
    assert run(write(tmp_path, "id,nprs\n1,5\n2,\n"), "--instrument", "nprs").exit_code == 0


def test_writes_a_csv(pain: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    result = run(pain, "--instrument", "nprs", "--out", out)
    assert out.read_text() == "participant,visit,nprs\np1,PRE,6\np1,POST,\np2,PRE,\n"
    assert f"The scores are in {out}." in result.stdout
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answers.csv", "scores.csv"]


def test_json_is_one_document(pain: Path) -> None:
    document = json.loads(run(pain, "--instrument", "nprs", "--json").stdout)
    assert document["rule_version"] == "nprs rule 1"
    assert document["rows"][0] == {"participant": "p1", "visit": "PRE", "nprs": 6.0}
    assert document["rows"][1]["nprs"] is None
    assert [issue["code"] for issue in document["issues"]] == ["nothing-answered", "out-of-range", "invalid-answer"]


@pytest.mark.parametrize(
    "text",
    ["id;nprs\n1;5\n", "id\tnprs\n1\t5\n", "\ufeffid,nprs\r\n1,5\r\n", "id,nprs\r1,5\r", '"id","nprs"\n"1","5"\n'],
    ids=["semicolon", "tab", "bom and crlf", "cr", "quotes"],
)
def test_reads_the_usual_kinds_of_csv(tmp_path: Path, text: str) -> None:
    result = run(write(tmp_path, text), "--instrument", "nprs", "--json")
    assert json.loads(result.stdout)["rows"] == [{"id": "1", "nprs": 5.0}]


def test_identifiers_keep_their_zeros_and_a_quoted_line_break(tmp_path: Path) -> None:
    file = write(tmp_path, 'id,remark,nprs\n007,"two\nlines",11\n')
    document = json.loads(run(file, "--instrument", "nprs", "--json").stdout)
    assert document["rows"] == [{"id": "007", "remark": "two\nlines", "nprs": None}]
    assert document["issues"][0]["where"] == "line 3, item nprs"


def test_a_word_for_missing_is_only_one_when_the_call_says_so(tmp_path: Path) -> None:
    file = write(tmp_path, "id,nprs\n1,na\n")
    assert run(file, "--instrument", "nprs").exit_code == 1
    assert run(file, "--instrument", "nprs", "--missing", "na").exit_code == 0


def test_a_decimal_comma_is_not_guessed(tmp_path: Path) -> None:
    result = run(write(tmp_path, "id;vo2max\n1;31,5\n"), "--instrument", "vo2max")
    assert result.exit_code == 1
    assert "the answer is '31,5'. Write a number with a decimal point" in result.stdout


def test_the_protocols_choice_for_missing_answers(tmp_path: Path) -> None:
    header = ",".join(f"pseq{n}" for n in range(1, 11))
    file = write(tmp_path, header + "\n3,3,3,3,3,3,3,3,3,\n")  # 27 x 10 / 9 = 30
    assert json.loads(run(file, "--instrument", "pseq", "--json").stdout)["rows"] == [{"pseq": None}]
    for choice in ("9", "pseq=9"):
        document = json.loads(run(file, "--instrument", "pseq", "--min-answered", choice, "--json").stdout)
        assert document["rows"] == [{"pseq": 30.0}]
        assert document["rule_version"] == "pseq rule 1 (pseq>=9)"


def test_an_index_with_the_users_value_set(tmp_path: Path) -> None:
    file = write(tmp_path, "eq5d_mo,eq5d_sc,eq5d_ua,eq5d_pd,eq5d_ad,eq5d_vas\n1,1,1,1,2,80\n")
    values = write(tmp_path, "profile,index\n11112,0.75\n", "nowhere.csv")
    document = json.loads(run(file, "--instrument", "eq-5d-5l", "--value-set", values, "--json").stdout)
    assert document["rows"] == [{"eq-profile": "11112", "eq-index": 0.75, "eq-vas": 80.0}]
    assert document["rule_version"] == "eq-5d-5l rule 1 (value set nowhere)"
    assert document["issues"][0]["code"] == "incomplete-value-set"


def test_an_instrument_of_ones_own(tmp_path: Path) -> None:
    own = write(
        tmp_path,
        'code = "grip"\nname = "Grip"\nkind = "measurement"\nunit = "kg"\nlow = 0\nhigh = 120\nbetter = "higher"\n',
        "grip.toml",
    )
    assert json.loads(run(write(tmp_path, "grip\n44.5\n"), "--instrument", own, "--json").stdout)["rows"] == [
        {"grip": 44.5}
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column of the header is an item"),
        ("id,pain\n1,5\n", "no column of the header is an item"),
        ("id,nprs\n", "a header and no rows"),
        ("id,nprs\n1,5,6\n", "line 2: 3 cells under 2 columns"),
        ("nprs,nprs\n1,5\n", "'nprs' is there twice"),
        ('id,nprs\n1,"5\n', "line 2: unexpected end of data"),
        ("id,nprs\n1,5\n\xff", "line 3: this is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "answers.csv"
    file.write_bytes(text.encode("latin-1"))
    result = run(file, "--instrument", "nprs")
    assert isinstance(result.exception, DataError)
    assert result.exception.exit_code == 1
    assert message in str(result.exception)


def test_a_wrong_call_is_named(pain: Path, tmp_path: Path) -> None:
    for words, message in (
        ((pain, "--instrument", "nrps"), "did you mean 'nprs'"),
        ((tmp_path / "none.csv", "--instrument", "nprs"), "There is no file"),
        ((tmp_path, "--instrument", "nprs"), "There is no file"),
        ((pain, "--instrument", "nprs", "--out", pain), "never overwritten"),
        ((pain, "--instrument", "nprs", "--min-answered", "many"), "is not understood"),
        ((pain, "--instrument", "nprs", "--value-set", pain.with_name("none.csv")), "There is no file"),
    ):
        result = run(*words)
        assert isinstance(result.exception, CallError), words
        assert result.exception.exit_code == 2
        assert message in str(result.exception)


def test_a_broken_instrument_file_lists_its_problems(pain: Path, tmp_path: Path) -> None:
    for text, message in (("code = ", "is not TOML"), ('code = "x"\nkind = "measurement"', "better is missing")):
        result = run(pain, "--instrument", write(tmp_path, text, "own.toml"))
        assert isinstance(result.exception, DataError)
        assert message in str(result.exception)


def test_a_place_that_cannot_be_written_leaves_nothing_behind(pain: Path, tmp_path: Path) -> None:
    result = run(pain, "--instrument", "nprs", "--out", tmp_path / "no" / "scores.csv")
    assert isinstance(result.exception, OSError)  # the command line's front turns it into exit code 3
    assert [file.name for file in tmp_path.iterdir()] == ["answers.csv"]


def test_a_form_that_is_there_twice_is_pointed_out(tmp_path: Path) -> None:
    file = write(tmp_path, "id,visit,nprs\n1,PRE,5\n1,POST,4\n1,PRE,6\n")
    result = run(file, "--instrument", "nprs")
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if "duplicate" in line or "already" in line]
    assert "id 1, visit PRE is in line 2 already; both were scored. Give one line per form." in line
    assert "nprs for 3 of 3 forms" in result.stdout
