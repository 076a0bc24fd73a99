"""The small studies of the analysis tests, and the report of the simulated one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from holdfast.analysis import Results, run
from holdfast.report import Document, document, render


@pytest.fixture(scope="session")
def helpers() -> ModuleType:
    """`tests/analysis/helpers.py` as a module."""
    name = "holdfast_analysis_helpers"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "analysis" / "helpers.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def results(helpers: ModuleType) -> Results:
    """Results of the small simulated trial."""
    return run(*helpers.exercise())


@pytest.fixture(scope="session")
def made(helpers: ModuleType, results: Results) -> Document:
    """The document of the small simulated trial."""
    study, ledger, arms = helpers.exercise()
    return document(study, ledger, results, arms)


@pytest.fixture(scope="session")
def files(helpers: ModuleType, results: Results) -> dict[str, bytes]:
    """The report of the small simulated trial in every form."""
    study, ledger, arms = helpers.exercise()
    return render(study, ledger, results, arms)
