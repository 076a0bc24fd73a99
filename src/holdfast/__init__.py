"""holdfast runs an exercise trial from protocol to paper.

The names below are the front door a statistician meets; each is imported when first used, so that
`import holdfast` stays quick. What each stands for is said where it is defined.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("holdfast")
except PackageNotFoundError:  # a source tree that nobody installed
    __version__ = "0+unknown"

_DOORS = {
    "open": "holdfast.wiring",
    "mmrm": "holdfast.stats.mmrm",
    "mmrm_design": "holdfast.stats.mmrm",
    "mmrm_many": "holdfast.stats.mmrm",
    "clda": "holdfast.stats.mmrm",
    "ancova": "holdfast.stats.ancova",
    "retention": "holdfast.stats.retention",
    "responders": "holdfast.stats.responders",
    "delta_adjust": "holdfast.stats.delta",
    "mediate": "holdfast.stats.why",
}

__all__ = ["__version__", *_DOORS]


def __getattr__(name: str) -> Any:
    if name in _DOORS:
        return getattr(import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'holdfast' has no attribute {name!r}. It offers: {', '.join(sorted(_DOORS))}")


def __dir__() -> list[str]:
    return sorted(__all__)
