"""Averaging rules: how noisy breaths become a value, declared in the protocol rather than chosen afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from holdfast.capacity.breaths import BreathTable, FloatArray, to_seconds
from holdfast.errors import CallError, DataError


class Averaging(StrEnum):
    """The families of averaging rules."""

    ROLLING_SECONDS = "rolling seconds"
    BINNED_SECONDS = "binned seconds"
    ROLLING_BREATHS = "rolling breaths"
    BINNED_BREATHS = "binned breaths"
    LOW_PASS = "low-pass filter"


@dataclass(frozen=True, slots=True)
class AveragingRule:
    """One declared averaging rule.

    Attributes
    ----------
    kind : family.
    width : seconds or breaths per mean, 5 to 60 (unused by the filter). Single breaths and more than a minute are
        not offered: the one is noise, the other flattens the maximum.
    cutoff : low-pass cut-off of the Butterworth filter as a fraction of the Nyquist frequency of the breath
        sequence (0.04 after Robergs 2010).
    order : order of the filter.
    zero_lag : filter forwards and backwards, so that nothing is delayed.
    """

    kind: Averaging = Averaging.ROLLING_SECONDS
    width: int = 30
    cutoff: float = 0.04
    order: int = 3
    zero_lag: bool = True

    def __post_init__(self) -> None:
        if self.kind is Averaging.LOW_PASS:
            if not (0 < self.cutoff < 1 and 1 <= self.order <= 8):
                raise CallError("a low-pass filter needs a cut-off between 0 and 1 and an order of 1 to 8")
        elif not 5 <= self.width <= 60:
            raise CallError(
                f"averaging over {self.width} is not offered; single breaths are noise and more than a minute "
                "flattens the maximum",
                ways_out=("declare a width of 5 to 60 seconds or breaths (30 s is the most reported)",),
            )

    @classmethod
    def parse(cls, text: str) -> AveragingRule:
        """Read a rule as the study file writes it: "30 s rolling", "15 s bins", "15 breaths rolling",
        "20 breaths bins", "low-pass 0.04/3 zero-lag", "low-pass 0.04/3"."""
        words = text.strip().lower()
        mean = re.fullmatch(r"(\d+)\s*(s|seconds?|breaths?)\s+(rolling|bins?|binned)", words)
        if mean:
            unit = "breaths" if mean[2].startswith("b") else "seconds"
            shape = "rolling" if mean[3] == "rolling" else "binned"
            return cls(Averaging(f"{shape} {unit}"), int(mean[1]))
        filt = re.fullmatch(r"low-pass\s+(0?\.\d+)\s*/\s*(\d)(\s+zero-lag)?", words)
        if filt:
            return cls(Averaging.LOW_PASS, cutoff=float(filt[1]), order=int(filt[2]), zero_lag=filt[3] is not None)
        raise CallError(
            f"{text!r} is not an averaging rule",
            ways_out=(
                'write for example "30 s rolling", "30 s bins", "15 breaths rolling", "low-pass 0.04/3 zero-lag"',
            ),
        )

    def __str__(self) -> str:
        if self.kind is Averaging.LOW_PASS:
            return f"low-pass {self.cutoff:g}/{self.order}" + (" zero-lag" if self.zero_lag else "")
        shape, unit = str(self.kind).split()
        return f"{self.width} {'s' if unit == 'seconds' else unit} {'rolling' if shape == 'rolling' else 'bins'}"


@dataclass(frozen=True, slots=True, eq=False)
class Averaged:
    """Averaged channels: `seconds` shape (m,) is where each mean is centred; channels are shape (m,), NaN where the
    averaging window was not wholly observed."""

    seconds: FloatArray
    channels: dict[str, FloatArray]
    rule: AveragingRule

    def peak(self, name: str) -> tuple[float, float]:
        """Largest value of a channel and the second of its centre; (NaN, NaN) when nothing was observed."""
        values = self.channels[name]
        if not np.isfinite(values).any():
            return float("nan"), float("nan")
        best = int(np.nanargmax(values))
        return float(values[best]), float(self.seconds[best])


def average(table: BreathTable, rule: AveragingRule) -> Averaged:
    """Apply a rule to every channel of a test (eq:cpet-rolling, eq:cpet-bins, eq:cpet-lowpass).

    Rules in seconds run on the 1-s interpolation, rules in breaths and the filter on the breaths themselves; where the
    cart wrote means instead of breaths, the filter runs on the 1-s interpolation and rules in breaths are refused.
    """
    in_breaths = rule.kind in (Averaging.ROLLING_BREATHS, Averaging.BINNED_BREATHS)
    if in_breaths and len(table) > 1 and not table.breath_by_breath:
        raise DataError(
            "the cart wrote means and not breaths, so an averaging rule in breaths has no meaning",
            ways_out=("declare a rule in seconds", "export the test again, breath by breath"),
        )
    if in_breaths or (rule.kind is Averaging.LOW_PASS and table.breath_by_breath):
        return _apply(table.seconds, dict(table.channels), rule)
    grid = to_seconds(table)
    return _apply(grid.seconds, dict(grid.channels), rule)


def _apply(seconds: FloatArray, channels: dict[str, FloatArray], rule: AveragingRule) -> Averaged:
    if rule.kind in (Averaging.ROLLING_SECONDS, Averaging.ROLLING_BREATHS):
        out = {name: rolling_mean(values, rule.width) for name, values in channels.items()}
        return Averaged(seconds, out, rule)
    if rule.kind is Averaging.LOW_PASS:
        out = {name: low_pass(values, rule) for name, values in channels.items()}
        return Averaged(seconds, out, rule)
    out = {name: binned_mean(values, rule.width) for name, values in channels.items()}
    return Averaged(binned_mean(seconds, rule.width), out, rule)


def rolling_mean(values: FloatArray, width: int) -> FloatArray:
    """Centred moving mean, shape kept (eq:cpet-rolling); an even window reaches one sample further forward.

    Windows that reach over an end or hold a NaN are NaN.
    """
    out = np.full(values.size, np.nan)
    if values.size >= width:
        means = np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=1)
        first = width - 1 - width // 2
        out[first : first + means.size] = means
    return out


def binned_mean(values: FloatArray, width: int) -> FloatArray:
    """Means of consecutive bins of `width` samples from the first one, shape (n // width,) (eq:cpet-bins).

    A bin that holds a NaN, and the last one when it is not full, has no mean.
    """
    whole = values.size // width
    return np.asarray(values[: whole * width].reshape(whole, width).mean(axis=1))


def low_pass(values: FloatArray, rule: AveragingRule) -> FloatArray:
    """Butterworth filter, shape kept (eq:cpet-lowpass); gaps inside are bridged linearly first.

    The zero-lag form mirrors the series at both ends, pads with zeros and filters forwards and backwards, as spiro
    does with the R package signal.
    """
    b, a = signal.butter(rule.order, rule.cutoff)
    known = np.isfinite(values)
    if known.sum() < 2:
        return np.full(values.size, np.nan)
    if not rule.zero_lag:
        return _filter_from_first(b, a, values, known)
    mirrored = np.concatenate([values[::-1], values, values[::-1]])
    filled = np.nan_to_num(_bridged(mirrored), nan=0.0)
    padded = np.concatenate([filled, np.zeros(2 * max(a.size, b.size))])
    forwards = signal.lfilter(b, a, padded)
    both = signal.lfilter(b, a, forwards[::-1])[::-1]
    return np.asarray(both[values.size : 2 * values.size], dtype=np.float64)


def _filter_from_first(b: FloatArray, a: FloatArray, values: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    first, last = np.flatnonzero(known)[[0, -1]]
    out = np.full(values.size, np.nan)
    out[first : last + 1] = signal.lfilter(b, a, _bridged(values[first : last + 1]))
    return out


def _bridged(values: FloatArray) -> FloatArray:
    at = np.arange(values.size, dtype=np.float64)
    known = np.isfinite(values)
    return np.interp(at, at[known], values[known], left=np.nan, right=np.nan)
