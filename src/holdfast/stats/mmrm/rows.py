"""The fitted covariance of any set of rows of one person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdfast.stats.mmrm.design import MmrmDesign
from holdfast.stats.mmrm.nested import Nested
from holdfast.stats.mmrm.spatial import Spatial
from holdfast.stats.mmrm.structures import Structure

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def person_covariance(structure: Structure, theta: Array, design: MmrmDesign, rows: Ints) -> Array:
    """Covariance (k, k) of the outcomes at k rows of one person, precision weights included."""
    if isinstance(structure, Spatial):
        assert design.times is not None
        times = design.times[rows]
        distance = np.sqrt(((times[:, None] - times[None]) ** 2).sum(-1))
        variance, reach = theta.reshape(-1, 2)[design.group[rows[0]]]
        sigma = variance * np.exp(-((distance / reach) ** structure.power))
    else:
        structure, theta, shared = without_clusters(structure, theta)
        place = design.visit[rows] + design.group[rows] * len(design.visits)
        sigma = structure.sigma(theta)[0][np.ix_(place, place)] + shared
    root = np.sqrt(design.weights[rows])
    return np.asarray(sigma / np.outer(root, root))


def without_clusters(structure: Structure, theta: Array) -> tuple[Structure, Array, float]:
    """The structure over visits, its parameters, and the variance of a random intercept (0 where there is none)."""
    if isinstance(structure, Nested):
        return structure.base, theta[:-1], float(theta[-1])
    return structure, theta, 0.0


def people(design: MmrmDesign, rows: Ints) -> list[Ints]:
    """The given rows split by person, each in order of visits."""
    order = rows[np.lexsort((design.visit[rows], design.subject[rows]))]
    cuts = np.flatnonzero(np.diff(design.subject[order])) + 1
    return np.split(order, cuts)
