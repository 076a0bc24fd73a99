"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("HOLDFAST_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts, reference numbers and real data; tests that need it skip by name where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference folder {SHARED.name}/ is not beside this checkout")
    return SHARED
