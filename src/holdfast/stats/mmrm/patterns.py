"""Cross-products of each missingness pattern, kept as few rotated people.

Likelihood, gradient and Hessian depend on the people of one pattern only through sums over them of products of
their rows (eq:mmrm-rotation). Any orthogonal rotation across the people leaves these sums unchanged, so the people
of a pattern are replaced by the rows of a triangular factor: never more than there were, and no more than the
pattern has distinct columns, however many people it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Patterns:
    """The data as the likelihood sees them.

    Z (N, m, p+1) rotated people with the response as last column, zero where nothing was observed, sorted by
    pattern; `pattern` (N,) and `starts` (P,) where each pattern begins; `mask` (P, m) the visits observed and `both`
    (P, m, m) their pairs; `count` (P,) people behind each pattern; `log_weights` the sum of the logarithms of precision
    weights. The response is what is left of the outcome after X @ `offset` (p,), so that a large mean costs no digits
    (eq:mmrm-offset).
    """

    Z: Array
    pattern: Ints
    starts: Ints
    mask: NDArray[np.bool_]
    count: Ints
    n_obs: int
    log_weights: float
    offset: Array
    both: NDArray[np.bool_]

    @property
    def n_beta(self) -> int:
        """Number of mean parameters p."""
        return int(self.Z.shape[2]) - 1


def rotate(Z: Array, person_pattern: Ints, mask: NDArray[np.bool_], log_weights: float, offset: Array) -> Patterns:
    """Reduce people Z (n, m, p+1), zero where unobserved, to `Patterns`; `person_pattern` (n,) indexes `mask`."""
    order = np.argsort(person_pattern, kind="stable")
    count = np.bincount(person_pattern, minlength=len(mask))
    n_obs = int((mask.sum(1) * count).sum())
    ends = np.cumsum(count)
    q = Z.shape[2]
    blocks = []
    for k, (end, size) in enumerate(zip(ends, count, strict=True)):
        people = Z[order[end - size : end]]
        # Rotating pays only where people outnumber the columns that can differ between them.
        blocks.append(_triangle(people, mask[k]) if size > max(64, 2 * (q + int(mask[k].sum()))) else people)
    sizes = np.array([len(block) for block in blocks])
    return Patterns(
        np.ascontiguousarray(np.concatenate(blocks)),
        np.repeat(np.arange(len(mask)), sizes),
        np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        mask,
        count.astype(np.int64),
        n_obs,
        log_weights,
        offset,
        mask[:, :, None] & mask[:, None, :],
    )


def _triangle(people: Array, seen: NDArray[np.bool_]) -> Array:
    """The rows of the triangular factor of people (n, m, q), each again m rows of q columns."""
    n, m, q = people.shape
    flat = people[:, seen].reshape(n, -1)
    unique, back = _distinct_columns(flat)
    if unique.shape[1] >= n:
        return people
    R = np.asarray(np.linalg.qr(unique, mode="r"))
    R = R[np.abs(R).max(1) > 0]
    out = np.zeros((len(R), m, q))
    out[:, seen] = R[:, back].reshape(len(R), -1, q)
    out[:, seen] *= (back.reshape(-1, q) >= 0)[None]
    return out


def _distinct_columns(flat: Array) -> tuple[Array, Ints]:
    """Columns of `flat` without repetition; `back` gives each column's place, -1 for columns of zeros."""
    columns = np.ascontiguousarray(flat.T)
    place: dict[bytes, int] = {np.zeros(columns.shape[1]).tobytes(): -1}
    back = np.empty(len(columns), dtype=np.int64)
    kept: list[int] = []
    for k, column in enumerate(columns):
        key = column.tobytes()
        if key not in place:
            place[key] = len(kept)
            kept.append(k)
        back[k] = place[key]
    return flat[:, kept], back
