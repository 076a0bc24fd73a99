"""The rules of the house, each as a check that can fail: layers, types, style, what may be committed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "holdfast"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment from the root of the checkout."""
    command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


def committed() -> list[Path]:
    """The files that git tracks; in an export without git, every file that is no build product."""
    if shutil.which("git") is None:
        pytest.skip("git is not there to tell what is committed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so what is committed cannot be told")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_arrows_go_down_and_pure_rooms_do_no_io():
    done = run("lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_types_hold():
    done = run("mypy", "--no-error-summary")
    assert done.returncode == 0, done.stdout[-4000:]


def test_style_holds():
    done = run("ruff", "check", "--no-cache", ".")
    assert done.returncode == 0, done.stdout[-4000:]


def test_layout_holds():
    done = run("ruff", "format", "--no-cache", "--check", ".")
    assert done.returncode == 0, done.stdout[-4000:]


def test_no_registry_host_and_no_path_of_a_machine_is_committed():
    """Pinned files must install from any registry, and nothing of one machine belongs to everybody."""
    hosts = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org"]
    places = ["/" + "work/", "/" + "root/", "/" + "opt/pypi", "--index-url" + " ", "--find-links" + " "]
    pattern = re.compile("|".join(map(re.escape, hosts + places)))
    found = []
    for path in committed():
        content = path.read_bytes()
        if b"\0" not in content:
            text = content.decode(errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    assert not found


def test_requirements_are_pinned_by_hash():
    for path in (ROOT / "requirements").glob("*.txt"):
        pins = [text for text in re.split(r"\n(?=\S)", path.read_text()) if "==" in text.partition("\n")[0]]
        assert len(pins) > 20
        assert all("--hash=sha256:" in pin for pin in pins), path.name


def test_every_label_that_code_points_to_stands_in_the_methods():
    """A comment `# eq:name` in the code points to an equation labelled (eq:name) in docs/methods."""
    written = "\n".join(path.read_text() for path in (ROOT / "docs" / "methods").glob("*.md"))
    labels = set(re.findall(r"\(eq:([a-z0-9-]+)\)", written))
    missing = {
        f"{path.relative_to(ROOT)}: eq:{label}"
        for path in SOURCE.rglob("*.py")
        for label in re.findall(r"\beq:([a-z0-9-]+)", path.read_text())
        if label not in labels
    }
    assert not missing


def test_pure_rooms_ask_no_clock_and_no_global_chance():
    """The clock, the file system and global randomness enter at the rim only."""
    pure = [
        *("core", "stats", "study", "instruments", "capacity", "dosing", "randomisation", "devices"),
        *("design", "analysis", "report", "exchange"),
    ]
    calls = re.compile(
        r"\bopen\(|\.read_text\(|\.write_text\(|\.write_bytes\(|datetime\.now\(|date\.today\(|time\.time\("
        r"|np\.random\.(seed|rand|randn|normal|choice|shuffle)\(|\brandom\.(random|seed|choice|shuffle)\(|\bprint\("
    )
    allowed = re.compile(r"# rim: .+")  # the reason stands on the line
    found = []
    for room in pure:
        for path in (SOURCE / room).rglob("*.py"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                resource = "files(" in line or ".joinpath(" in line
                if calls.search(line) and not allowed.search(line) and not resource and ">>>" not in line:
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found
