"""What would have happened after dropout: the reference-based assumptions on means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.repeated import Repeated

Array = NDArray[np.float64]
Strategy = Literal["MAR", "JR", "CR", "CIR", "LMCF"]
WORDS = {
    "MAR": "missing at random: as others of the same arm with the same past",
    "JR": "jump to reference: after dropout the mean of the reference arm",
    "CR": "copy reference: all along the mean of the reference arm",
    "CIR": "copy increments in reference: after dropout the changes of the reference arm",
    "LMCF": "last mean carried forward: after dropout the arm's mean stays where it was",
}


def strategy_means(data: Repeated, B: Array, strategy: str | Mapping[str, str], reference: str | None) -> Array:
    """Means (b, n, T) of everyone's outcomes under the strategy, from coefficients B (b, c, T) (eq:strategies).

    `strategy` is one of MAR, JR, CR, CIR, LMCF, or one for each arm; all but MAR and LMCF need `reference`.
    """
    per_arm = dict.fromkeys(data.arms, strategy) if isinstance(strategy, str) else dict(strategy)
    unknown = [s for s in per_arm.values() if s not in WORDS]
    if unknown:
        raise CallError(f"strategy {unknown[0]!r} is not among: {', '.join(WORDS)}")
    missing = [name for name in data.arms if name not in per_arm]
    if missing:
        raise CallError(f"no strategy is given for arm {missing[0]!r}")
    own = np.einsum("nc,bct->bnt", data.design, B, optimize=True)
    if all(s == "MAR" for s in per_arm.values()):
        return np.asarray(own)
    other = own
    if any(s in ("JR", "CR", "CIR") for s in per_arm.values()):
        if reference is None or reference not in data.arms:
            raise CallError(f"say the reference arm, one of: {', '.join(data.arms)}")
        code = np.full(data.n, data.arms.index(reference))
        other = np.einsum("nc,bct->bnt", data.design_with(code), B, optimize=True)
    answer = np.array(own, dtype=float)
    for k, name in enumerate(data.arms):
        inside = data.arm == k
        answer[:, inside] = _means(per_arm[name], own[:, inside], other[:, inside], data.last[inside])
    return answer


def _means(strategy: str, own: Array, other: Array, last: NDArray[np.int64]) -> Array:
    """One arm's means (b, m, T) when people deviate after visit `last` (m,); -1 is before the first visit."""
    if strategy == "MAR":
        return own
    if strategy == "CR":
        return other
    T = own.shape[2]
    after = (np.arange(T)[None, :] > last[:, None])[None]
    people = np.arange(len(last))
    at = np.maximum(last, 0)
    own_last, other_last = own[:, people, at][..., None], other[:, people, at][..., None]
    never = (last < 0)[None, :, None]
    if strategy == "JR":
        return np.where(after, other, own)
    if strategy == "CIR":
        return np.where(after, np.where(never, other, own_last + other - other_last), own)
    return np.where(after & ~never, own_last, own)  # LMCF
