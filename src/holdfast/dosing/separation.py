"""Whether the arms trained at different intensities: the contamination check of a trial that compares doses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from holdfast.errors import CallError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Separation:
    """How two arms' intensities overlap.

    Attributes
    ----------
    edges : shape (k + 1,), limits of the bins in the unit of intensity (per cent of peak).
    first, second : shape (k,), share of each arm's work seconds in each bin; both sum to 1.
    overlap : shared share, 0 (apart) to 1 (the same distribution). eq:overlap
    superiority : probability that a work second of the first arm is harder than one of the second, ties half.
        eq:superiority
    medians : median intensity of each arm.
    seconds : observed work seconds of each arm.
    """

    edges: FloatArray
    first: FloatArray
    second: FloatArray
    overlap: float
    superiority: float
    medians: tuple[float, float]
    seconds: tuple[int, int]


def separation(first: FloatArray, second: FloatArray, *, width: float = 5.0) -> Separation:
    """Compare the intensity of all work seconds of two arms.

    Parameters
    ----------
    first, second : intensity of each observed work second, in per cent of the person's own peak (watts or heart
        rate); NaN is dropped because it was not observed.
    width : width of the bins on which the overlap is taken, in the same unit.
    """
    a, b = first[np.isfinite(first)], second[np.isfinite(second)]
    if a.size == 0 or b.size == 0:
        raise CallError("Both arms need observed work seconds before their intensities can be compared.")
    low = np.floor(min(a.min(), b.min()) / width) * width
    high = np.ceil((max(a.max(), b.max()) + 1e-9) / width) * width
    edges = np.arange(low, high + width / 2, width)
    edges = edges if edges.size > 1 else np.array([low, low + width])
    share_a = np.histogram(a, edges)[0] / a.size
    share_b = np.histogram(b, edges)[0] / b.size
    ranks = rankdata(np.concatenate([a, b]))[: a.size].sum()
    superiority = (ranks - a.size * (a.size + 1) / 2) / (a.size * b.size)  # eq:superiority
    return Separation(
        edges,
        share_a,
        share_b,
        float(np.minimum(share_a, share_b).sum()),  # eq:overlap
        float(superiority),
        (float(np.median(a)), float(np.median(b))),
        (int(a.size), int(b.size)),
    )
