"""Heart rate that another device recorded, put beside the breaths of a cart."""

from __future__ import annotations

import numpy as np

from holdfast.capacity.breaths import BreathTable
from holdfast.core.issues import Issue, Severity
from holdfast.core.recording import Recording
from holdfast.errors import CallError


def with_heart_rate(
    table: BreathTable, recording: Recording, *, begins_at: float = 0.0
) -> tuple[BreathTable, tuple[Issue, ...]]:
    """The test with the heart rate of a chest strap or watch, for carts that have none.

    `begins_at` is the second of the test at which the recording began. Each breath takes the mean of the seconds since
    the breath before it; seconds that the strap did not see stay missing. A cart's own heart rate is never replaced.
    """
    if np.isfinite(table.channel("heart_rate")).any():
        raise CallError("the cart recorded a heart rate of its own, which another device does not replace")
    each = recording.at_1hz()
    beats = each.channel("heart_rate")
    seen = np.isfinite(beats)
    at = each.seconds[seen] + begins_at
    total = np.concatenate([[0.0], np.cumsum(beats[seen])])
    since = np.concatenate([[-np.inf], table.seconds[:-1]])
    first, last = np.searchsorted(at, since, side="right"), np.searchsorted(at, table.seconds, side="right")
    count = last - first
    mean = np.where(count > 0, (total[last] - total[first]) / np.maximum(count, 1), np.nan)
    joined = BreathTable(table.seconds, {**table.channels, "heart_rate": mean}, table.info)
    missing = int((~np.isfinite(mean)).sum())
    if missing == 0:
        return joined, ()
    what = f"{missing} of {len(table)} breaths have no heart rate; check when the recording began."
    return joined, (Issue("heart-rate-gaps", "heart rate", what, severity=Severity.WARNING),)
