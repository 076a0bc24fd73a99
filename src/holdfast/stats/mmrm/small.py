"""Cholesky factor and inverse of very many small symmetric matrices at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Up to this size arithmetic along the stack beats one LAPACK call for each matrix.
SMALL = 8


def cholesky_inverse(A: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Inverse (N, k, k), log determinant (N,) and positive definiteness (N,) of symmetric matrices A (N, k, k).

    Where a matrix is not positive definite the inverse and the determinant are meaningless but finite.
    """
    if A.shape[1] > SMALL:
        return _by_lapack(A)
    k = A.shape[1]
    a = np.ascontiguousarray(np.moveaxis(A, 0, -1))  # the stack runs along the last axis
    inv_diag, L, ok = _factor(a)
    logdet = -2 * np.log(np.abs(inv_diag)).sum(0)
    # Inverse of the factor, row by row, then its product with its own transpose.
    M = np.zeros_like(L)
    for i in range(k):
        M[i, i] = inv_diag[i]
        for j in range(i):
            M[i, j] = -inv_diag[i] * (L[i, j:i] * M[j:i, j]).sum(0)
    out = np.empty_like(a)
    for i in range(k):
        for j in range(i + 1):
            out[i, j] = out[j, i] = (M[i:, i] * M[i:, j]).sum(0)
    return np.moveaxis(out, -1, 0), logdet, ok


def _factor(a: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Reciprocal diagonal (k, N), factor (k, k, N) and success (N,) of matrices along the last axis."""
    k, N = a.shape[0], a.shape[2]
    L, inv_diag = np.zeros_like(a), np.empty((k, N))
    ok = np.ones(N, dtype=bool)
    for j in range(k):
        pivot = a[j, j] - (L[j, :j] ** 2).sum(0)
        good = pivot > 1e-14 * np.abs(a[j, j])
        ok &= good
        inv_diag[j] = 1 / np.sqrt(np.where(good, pivot, 1.0))
        L[j, j] = np.where(good, pivot, 1.0) * inv_diag[j]
        for i in range(j + 1, k):
            L[i, j] = (a[i, j] - (L[i, :j] * L[j, :j]).sum(0)) * inv_diag[j]
    return inv_diag, L, ok


def _by_lapack(A: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    ok = definite(A)
    safe = np.where(ok[:, None, None], A, np.eye(A.shape[1]))
    L = np.linalg.cholesky(safe)
    inverse = np.linalg.inv(safe)
    return (inverse + np.swapaxes(inverse, 1, 2)) / 2, 2 * np.log(np.diagonal(L, axis1=1, axis2=2)).sum(1), ok


def definite(A: Array) -> NDArray[np.bool_]:
    """Which of the symmetric matrices A (N, k, k) are positive definite."""
    finite = np.asarray(np.isfinite(A).all((1, 2)))
    try:
        np.linalg.cholesky(np.where(finite[:, None, None], A, np.eye(A.shape[1])))
    except np.linalg.LinAlgError:
        return np.array([bool(f) and _one(a) for f, a in zip(finite, A, strict=True)])
    return finite


def _one(a: Array) -> bool:
    try:
        np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return False
    return True
