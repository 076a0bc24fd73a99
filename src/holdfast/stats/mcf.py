"""Mean cumulative function: how many events a person had on average by each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from holdfast.errors import DataError
from holdfast.stats.estimates import check_level
from holdfast.stats.frames import to_pandas

Array = NDArray[np.float64]


def mean_cumulative_function(
    data: Any,
    *,
    person: str,
    stop: str,
    event: str,
    start: str | None = None,
    by: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean number of events per person by time, with robust limits, for each group `by` (eq:mcf).

    Rows (start, stop] as for `cox`. Columns: (by), time, at_risk, estimate, se, low, high. Limits on the log scale.
    Source: Nelson 1995; Lawless & Nadeau 1995.
    """
    columns = [person, stop, event, *(c for c in (start, by) if c is not None)]
    frame = to_pandas(data, columns)
    if frame.isna().any(axis=None):
        raise DataError("a mean cumulative function needs known people, times and events in every row")
    parts = [("", frame)] if by is None else [(str(name), part) for name, part in frame.groupby(by, observed=True)]
    tables = []
    for name, part in parts:
        begin = np.zeros(len(part)) if start is None else part[start].to_numpy(float)
        table = _one(
            pd.factorize(part[person])[0], begin, part[stop].to_numpy(float), part[event].to_numpy(float), level
        )
        if by is not None:
            table.insert(0, by, name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _one(people: NDArray[np.int64], begin: Array, end: Array, event: Array, level: float) -> pd.DataFrame:
    z = float(stats.norm.ppf(0.5 + check_level(level) / 2))
    times = np.unique(end[event == 1])
    n = int(people.max()) + 1
    at_risk = np.zeros((n, len(times)))
    happened = np.zeros((n, len(times)))
    for j, t in enumerate(times):
        np.add.at(at_risk[:, j], people[(begin < t) & (end >= t)], 1.0)
        np.add.at(happened[:, j], people[(end == t) & (event == 1)], 1.0)
    total = at_risk.sum(axis=0)
    jump = happened.sum(axis=0) / total
    mean = np.cumsum(jump)
    influence = np.cumsum((happened - at_risk * jump) / total, axis=1)  # eq:mcf
    se = np.sqrt((influence**2).sum(axis=0))
    spread = np.exp(z * se / np.maximum(mean, 1e-300))
    return pd.DataFrame(
        {"time": times, "at_risk": total, "estimate": mean, "se": se, "low": mean / spread, "high": mean * spread}
    )
