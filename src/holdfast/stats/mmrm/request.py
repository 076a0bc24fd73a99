"""What was asked of a fit, checked before any arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.errors import CallError
from holdfast.stats.estimates import check_level
from holdfast.stats.mmrm.inference import DF_METHODS, ROBUST
from holdfast.stats.mmrm.prepare import structure_name


@dataclass(frozen=True)
class Request:
    """What was asked for: structure (R's short name), df method, "reml" or "ml", robust covariance or None, level."""

    covariance: str
    df: str
    method: str
    robust: str | None
    level: float


def request_of(covariance: str, df: str, method: str, robust: str | None, level: float) -> Request:
    """Check each word of the call; raises `CallError` for what does not exist or does not go together."""
    if df not in DF_METHODS:
        raise CallError(f"df is {df!r}; it can be: {', '.join(DF_METHODS)}")
    if method not in ("reml", "ml"):
        raise CallError(f"method is {method!r}; it can be 'reml' or 'ml'")
    if robust is not None and robust not in ROBUST:
        raise CallError(f"robust is {robust!r}; it can be None, {', '.join(ROBUST)}")
    if df.startswith("kenward-roger") and method == "ml":
        raise CallError("Kenward-Roger is defined for REML", ways_out=('method="reml"', 'df="satterthwaite"'))
    if df.startswith("kenward-roger") and robust:
        raise CallError(
            "Kenward-Roger adjusts the model covariance, not a robust one",
            ways_out=('df="satterthwaite" beside robust', "leave out robust"),
        )
    return Request(structure_name(covariance), df, method, robust, check_level(level))
