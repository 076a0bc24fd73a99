"""`holdfast --help` answers at once because it imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    *("numpy", "pandas", "scipy", "matplotlib", "sqlalchemy", "formulaic", "pydantic"),
    *("lxml", "openpyxl", "typst", "cryptography"),
)


def test_help_imports_nothing_heavy():
    """Half a second of processor time is the goal; which modules load is what decides it, and cannot be noisy."""
    program = (
        "import sys, holdfast.cli.main as main\n"
        "from typer.testing import CliRunner\n"
        "done = CliRunner().invoke(main.app, ['--help'])\n"
        "assert done.exit_code == 0, done.output\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
