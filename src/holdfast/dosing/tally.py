"""How many seconds were spent at each value, as a short text that a record can keep."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import DataError

FloatArray = NDArray[np.float64]

LONGEST = 8_000
"""Characters; a record keeps texts of up to 10,000. At 1 W or 1 bpm an hour of riding needs about 2,000."""


def tally(values: FloatArray) -> str:
    """Seconds at each value, rounded to the nearest whole one: "118:2 119:5". Unobserved seconds are left out.

    Where the text would be too long, classes of 2, 4, 8, ... take the place of single values, each named by its middle.
    """
    seen = values[np.isfinite(values)]
    width = 1
    while True:
        classes, seconds = np.unique(np.floor((seen + 0.5) / width), return_counts=True)
        middles = classes * width + (width - 1) / 2
        text = " ".join(f"{value:g}:{count}" for value, count in zip(middles, seconds, strict=True))
        if len(text) <= LONGEST:
            return text
        width *= 2


def untally(text: str) -> tuple[FloatArray, FloatArray]:
    """Values and the seconds spent at each, both shape (k,).

    Raises
    ------
    DataError
        When the text is no such tally.
    """
    try:
        pairs = [part.split(":") for part in text.split()]
        values = np.array([float(value) for value, _ in pairs])
        seconds = np.array([float(count) for _, count in pairs])
    except ValueError:
        raise DataError(f"{text[:40]!r} does not say how many seconds were spent at which value.") from None
    return values, seconds


def by_second(text: str) -> FloatArray:
    """The values again, one per second, in order of size."""
    values, seconds = untally(text)
    return np.repeat(values, seconds.astype(np.int64))
